"""`upheld check --consistency`: which models a history is held against, and what it says about the others."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from types import ModuleType
from typing import Any

import msgspec
import pytest

from upheld.checkers.verdict import Anomaly, Refuted, Undecided, Upheld, Verdict
from upheld.histories.history import History
from upheld.specs.consistency import MODELS

STALE = "0 invoke write 7\n0 ok write\n1 invoke read\n1 ok read null\n"
FINE = "0 invoke write 7\n0 ok write\n1 invoke read\n1 ok read 7\n"


@pytest.fixture
def stale(upheld: Callable[..., Any]) -> str:
    """A history that some causal models explain, and linearizability does not."""
    upheld("--version")  # goes to an empty folder
    Path("stale.txt").write_text(STALE)
    return "stale.txt"


@pytest.fixture(autouse=True)
def asked(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, ...]]:
    """What the one judge beside that of linearizability was asked: it knows four models, and judges no history otherwise."""
    anomaly = Anomaly("fake", ("two orders",))
    said: dict[str, Any] = {
        "causal.weak": Upheld(checker="fake", evidence={"k": 2, "reads": 9}, notes=("it depends",)),
        "causal.convergence": Refuted(anomaly, checker="fake"),
        "causal.real-time": Refuted(anomaly, checker="fake"),
        "causal.memory": Undecided("not applicable: for the sake of the test", checker="fake"),
    }
    for name, model in list(MODELS.items()):
        if name != "linearizable":
            monkeypatch.setitem(MODELS, name, msgspec.structs.replace(model, judge="fake" if name in said else ""))
    questions: list[tuple[str, ...]] = []

    def decide(_: History, ids: Sequence[str], *, outside: str) -> dict[str, Verdict]:
        questions.append((*ids, outside))
        return {name: said[name] for name in ids}

    module = ModuleType("fake")
    module.decide = decide  # type: ignore[attr-defined]  # a module made here
    monkeypatch.setitem(sys.modules, "upheld.checkers.fake", module)
    return questions


def verdicts(result: Any) -> dict[str, tuple[str, str]]:
    """The verdict on each model, and the one that it follows from."""
    (history,) = json.loads(result.out)["histories"]
    return {told["consistency"]: (told["verdict"], told["implied_by"]) for told in history["verdicts"]}


def frontier(result: Any) -> dict[str, Any]:
    (history,) = json.loads(result.out)["histories"]
    found: dict[str, Any] = history["frontier"]
    return found


def test_a_family_is_all_of_its_models(upheld: Callable[..., Any], stale: str) -> None:
    result = upheld("check", stale, "--consistency", "causal", "--json")
    assert verdicts(result) == {
        "causal.no-circularity": ("upheld", "causal.weak"),
        "causal.weak": ("upheld", ""),
        "causal.memory": ("undecided", ""),
        "causal.convergence": ("refuted", ""),
        "causal.real-time": ("refuted", ""),
    }


def test_an_id_that_begins_others_is_itself_alone(upheld: Callable[..., Any], stale: str) -> None:
    result = upheld("check", stale, "--consistency", "sequential", "--json")
    assert verdicts(result) == {"sequential": ("refuted", "causal.convergence")}


STATUSES = {
    "causal.weak": 0,
    "causal.no-circularity": 0,
    "causal.memory": 3,
    "isolation.prefix": 1,
    "session.three.global": 3,
    "causal.weak,causal.memory": 3,
    "linearizable": 1,
    "causal.weak,causal.memory,causal.convergence": 1,
}


@pytest.mark.parametrize("ids", STATUSES)
def test_the_exit_status_is_that_of_the_models_that_were_asked_about(
    ids: str, upheld: Callable[..., Any], stale: str
) -> None:
    assert upheld("check", stale, "--consistency", ids).status == STATUSES[ids]


def test_without_a_question_the_frontier_is_told_and_the_status_is_about_linearizability(
    upheld: Callable[..., Any], stale: str, golden: Callable[..., Any]
) -> None:
    result = upheld("check", stale)
    assert result.status == 1
    golden("check-frontier.txt", result.out)
    told = upheld("check", stale, "--json")
    assert verdicts(told) == {"linearizable": ("refuted", "")}
    assert frontier(told) == {
        "refuted": ["causal.convergence"],
        "upheld": ["causal.weak"],
        "bounds": {"causal.weak": {"k": 2}},
        "undecided": {"causal.memory": "not applicable: for the sake of the test"},
        "notes": ["it depends"],
    }


def test_several_models_are_told_one_after_the_other(
    upheld: Callable[..., Any], stale: str, golden: Callable[..., Any]
) -> None:
    golden("check-several.txt", upheld("check", stale, "--consistency", "causal,fifo.slow,sequential").out)


def test_a_linearizable_history_is_told_in_a_line(upheld: Callable[..., Any]) -> None:
    Path("fine.txt").write_text(FINE)
    result = upheld("check", "fine.txt")
    assert result.status == 0
    assert "strongest" not in result.out
    assert frontier(upheld("check", "fine.txt", "--json"))["upheld"] == ["linearizable"]


def test_a_model_of_the_object_alone_asks_for_linearizability_alone(
    upheld: Callable[..., Any], stale: str, asked: list[tuple[str, ...]]
) -> None:
    result = upheld("check", stale, "--model", "register", "--json")
    assert verdicts(result) == {"linearizable": ("refuted", "")}
    assert frontier(result) is None
    assert asked == []


OUTSIDE = {
    (): "nothing",
    ("--initial", "unknown"): "start",
    ("--initial", '"unknown"'): "nothing",
    ("--excerpt",): "anything",
    ("--excerpt", "--initial", "unknown"): "anything",
}


@pytest.mark.parametrize("options", OUTSIDE, ids=" ".join)
def test_options_say_where_values_that_nobody_wrote_may_come_from(
    options: tuple[str, ...], upheld: Callable[..., Any], stale: str, asked: list[tuple[str, ...]]
) -> None:
    assert upheld("check", stale, "--consistency", "causal.weak", *options).status == 0
    assert asked == [("causal.weak", OUTSIDE[options])]


def test_the_search_refutes_no_excerpt(upheld: Callable[..., Any], stale: str) -> None:
    result = upheld("check", stale, "--model", "register", "--excerpt")
    assert result.status == 3
    assert "cannot say whether operations outside of it would explain it" in result.out


def test_what_the_time_did_not_suffice_for_is_undecided(
    upheld: Callable[..., Any], stale: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def decide_for_ever(*_: object, **__: object) -> None:
        while True:
            pass

    monkeypatch.setattr(sys.modules["upheld.checkers.fake"], "decide", decide_for_ever)
    result = upheld("check", stale, "--timeout", "0.2s", "--json")
    assert verdicts(result) == {"linearizable": ("refuted", "")}
    assert "the time limit of 0.2 s ran out" in frontier(result)["undecided"]["causal.weak"]
    result = upheld("check", stale, "--consistency", "causal.weak", "--timeout", "0.2s", "--json")
    assert (result.status, verdicts(result)) == (3, {"causal.weak": ("undecided", "")})


def test_an_interrupt_of_the_other_judges_keeps_what_was_asked_about(
    upheld: Callable[..., Any], stale: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(sys.modules["upheld.checkers.fake"], "decide", interrupted)
    result = upheld("check", stale, stale, "--json")
    assert (result.status, verdicts(result)) == (130, {"linearizable": ("refuted", "")})
    assert frontier(result)["undecided"]["causal.weak"] == "interrupted before its judge had decided"
    result = upheld("check", stale, "--consistency", "causal.weak", "--json")
    assert (result.status, json.loads(result.out)["histories"]) == (130, [])
