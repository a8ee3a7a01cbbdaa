"""Causal models: what each pattern is told as, what an unfinished write comes before, and what an order of all shows."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import networkx as nx
import numpy as np
import pytest

import upheld
from upheld.checkers.causality import order
from upheld.checkers.causality.decision import DEMANDS, decide
from upheld.checkers.causality.witness import CausalWitness, NoWitness
from upheld.checkers.reads_from import reads_from
from upheld.checkers.verdict import Anomaly, Refuted, Undecided, Upheld, Verdict, word
from upheld.histories.files import read_history
from upheld.histories.history import Header, History
from upheld.histories.notation import parse

KEPT = Path(str(upheld.__file__)).parent / "histories" / "corpus" / "register" / "consistency"
PATHS = sorted(KEPT.glob("*.jsonl"))


def one_by_one(*operations: str, header: Header = Header(initial=0)) -> History:  # noqa: B008  # immutable
    """Each operation, such as `0 write x: 1` or `1 read x: 2`, ends before the next one begins."""
    lines = []
    for operation in operations:
        process, action, key, value = operation.split()
        asked, told = (value, "") if action == "write" else ("", value)
        lines += [f"{process} invoke {action} {key} {asked}", f"{process} ok {action} {key} {told}"]
    return parse("\n".join(lines), header=header)


def verdict(history: History, model: str) -> Verdict:
    return decide(history, [model])[model]


def anomaly(history: History, model: str) -> Anomaly:
    refuted = verdict(history, model)
    assert isinstance(refuted, Refuted)
    return refuted.anomaly


def refuted_by(history: History) -> dict[str, Anomaly]:
    """The anomaly of each model that the history refutes."""
    verdicts = decide(history, list(DEMANDS))
    return {name: each.anomaly for name, each in verdicts.items() if isinstance(each, Refuted)}


READ_BACK = one_by_one("0 write x: 1", "1 write x: 2", "2 read x: 2", "2 read x: 1")
UNFINISHED = (
    "0 invoke write x: 1 session=a\n0 info write x: session=a\n1 invoke write x: 2 session=a\n1 ok write x: session=a\n"
)


@pytest.mark.parametrize(
    ("name", "model", "kind"),
    [
        ("figure-3a", "causal.convergence", "cyclic-arbitration"),
        ("figure-3c", "causal.convergence", "cyclic-arbitration"),
        ("figure-3e", "causal.weak", "overwritten-read"),
        ("initial-value-of-a-cause", "causal.weak", "overwritten-initial-read"),
        ("half-of-a-transaction", "isolation.causal", "overwritten-initial-read"),
        ("value-from-the-future", "causal.no-circularity", "cyclic-causality"),
        ("older-in-real-time", "causal.real-time", "cyclic-time"),
    ],
)
def test_an_anomaly_is_told_in_sentences_that_the_history_bears_out(
    name: str, model: str, kind: str, golden: Callable[[str, str], None]
) -> None:
    found = anomaly(read_history(KEPT / f"{name}.jsonl"), model)
    assert found.kind == kind
    golden(f"{name}.txt", f"{found}\n")


@pytest.mark.parametrize("path", PATHS, ids=lambda path: path.stem)
def test_a_refuted_history_is_cut_down_to_what_is_needed(path: Path) -> None:
    for model, found in refuted_by(read_history(path)).items():
        assert found.history is not None
        assert {each.invocation for each in found.history.operations} == {each.invocation for each in found.operations}
        assert anomaly(found.history, model).kind == found.kind
        for operation in found.history.operations:
            less = refuted_by(found.history.without([operation])).get(model)
            assert less is None or less.kind != found.kind


@pytest.mark.parametrize("path", PATHS, ids=lambda path: path.stem)
def test_the_graph_of_an_anomaly_has_a_cycle_and_a_reason_for_each_edge(path: Path) -> None:
    for found in refuted_by(read_history(path)).values():
        assert found.graph is not None
        assert not nx.is_directed_acyclic_graph(found.graph)
        assert set(found.graph) == {each.invocation for each in found.operations}
        assert all(edge["reason"] and edge["kind"] for *_, edge in found.graph.edges(data=True))


@pytest.mark.parametrize("path", PATHS, ids=lambda path: path.stem)
def test_what_is_upheld_has_an_order_that_shows_it(path: Path) -> None:
    history = read_history(path)
    upheld_ones = [each for each in decide(history, list(DEMANDS)).values() if isinstance(each, Upheld)]
    for each in upheld_ones:
        each.witness.recheck(history)
    assert upheld_ones or "causal.no-circularity" in refuted_by(history)


def test_of_long_sessions_only_what_matters_is_told() -> None:
    chatter = [f"0 write y: {value}" for value in range(1, 200)]
    history = one_by_one("0 write x: 1", *chatter, "0 write x: 2", *[f"{line}0" for line in chatter], "0 read x: 1")
    found = anomaly(history, "causal.weak")
    assert [str(each) for each in found.operations] == [
        'process 0: write("x", 1)',
        'process 0: write("x", 2)',
        'process 0: read("x") -> 1',
    ]


# --- writes that nobody knows the end of


def test_an_unfinished_write_may_take_effect_after_all_that_its_session_does_next() -> None:
    text = UNFINISHED + "2 invoke read x:\n2 ok read x: 2\n2 invoke read x:\n2 ok read x: 1\n"
    assert word(verdict(parse(text), "causal.convergence")) == "upheld"
    finished = text.replace("info", "ok")
    assert word(verdict(parse(finished), "causal.convergence")) == "refuted"


def test_an_unfinished_write_comes_after_what_its_session_did_before() -> None:
    before = "0 invoke write y: 7 session=a\n0 ok write y: session=a\n"
    text = before + UNFINISHED + "2 invoke read x:\n2 ok read x: 1\n2 invoke read y:\n2 ok read y: null\n"
    found = anomaly(parse(text), "causal.weak")
    assert found.kind == "overwritten-initial-read"
    assert "#2 was not completed; it did take effect, since its value was read" in found.story


def test_a_write_that_nobody_finished_or_saw_is_none() -> None:
    text = "0 invoke write x: 1\n0 info write x:\n1 invoke read x:\n1 ok read x: null\n"
    assert verdict(parse(text), "causal.convergence").operations == 1


# --- real time


def test_a_read_in_real_time_returns_nothing_that_is_written_later() -> None:
    history = one_by_one("1 read x: 1", "0 write x: 1")
    assert set(refuted_by(history)) == {"causal.real-time"}
    assert anomaly(history, "causal.real-time").story[-3:] == (
        "#0 had returned before #2 began",
        '#0 read the value of key "x" that #2 wrote',
        "So no one order that keeps real time suits all of these reads",
    )


def test_real_time_takes_one_clock() -> None:
    header = Header(initial=0, order="time", clocks=2)
    text = "0 invoke write x: 1 time=0\n0 ok write x: time=1\n"
    verdicts = decide(parse(text, header=header), list(DEMANDS))
    undecided = verdicts.pop("causal.real-time")
    assert isinstance(undecided, Undecided)
    assert "clock_error_ns" in undecided.reason
    assert {word(each) for each in verdicts.values()} == {"upheld"}


# --- what a verdict rests on


def test_values_that_are_not_unique_are_named() -> None:
    undecided = verdict(one_by_one("0 write x: 1", "1 write x: 1", "2 read x: 1"), "causal.weak")
    assert isinstance(undecided, Undecided)
    assert undecided.reason.startswith("not applicable: 2 operations wrote 1")
    assert 'process 1: write("x", 1)' in undecided.reason


def test_a_verdict_says_what_it_takes_keys_to_have_begun_with() -> None:
    history = one_by_one("0 read x: 5", "0 write x: 1", "0 read x: 5")
    found = decide(history, ["causal.weak"], outside="start")["causal.weak"]
    assert isinstance(found, Refuted)
    assert found.anomaly.kind == "overwritten-initial-read"
    assert found.notes == ('key "x" is taken to have begun with 5',)


def test_in_an_excerpt_a_value_may_come_from_outside() -> None:
    history = one_by_one("0 write x: 1", "0 read x: 5", "0 read x: 1")
    found = decide(history, ["causal.weak", "causal.convergence"], outside="anything")
    assert word(found["causal.weak"]) == "upheld"
    refuted = found["causal.convergence"]
    assert isinstance(refuted, Refuted)
    assert refuted.notes == ("1 of the values that were read came from outside of this history",)


def test_clocks_that_would_not_fit_are_not_begun_with(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(order, "ENTRIES_MAX", 11)
    verdicts = decide(READ_BACK, list(DEMANDS))
    assert {name: word(each) for name, each in verdicts.items() if word(each) != "undecided"} == {
        "causal.no-circularity": "upheld"
    }
    undecided = verdicts["causal.weak"]
    assert isinstance(undecided, Undecided)
    assert "4 operations in 3 sessions take 12 entries, more than 11" in undecided.reason


# --- witnesses


def witness(history: History, model: str) -> CausalWitness:
    upheld_one = verdict(history, model)
    assert isinstance(upheld_one, Upheld)
    assert isinstance(upheld_one.witness, CausalWitness)
    return upheld_one.witness


def test_every_other_order_of_two_writes_and_their_readers_is_no_witness() -> None:
    history = one_by_one("0 write x: 1", "1 read x: 1", "1 write x: 2", "2 read x: 2")
    right = witness(history, "causal.convergence")
    assert right.order.tolist() == [0, 1, 2, 3]
    for wrong in ([1, 0, 2, 3], [0, 2, 1, 3], [0, 1, 3, 2], [0, 1, 2, 2], [0, 1, 2]):
        with pytest.raises(NoWitness):
            replace(right, order=np.array(wrong)).recheck(history)


def test_an_order_of_writes_that_a_reader_contradicts_is_no_witness() -> None:
    right = witness(READ_BACK, "causal.convergence")
    assert right.order.tolist().index(1) < right.order.tolist().index(0)
    writes_in_time = replace(right, order=np.array([0, 1, 2, 3]))
    with pytest.raises(NoWitness, match="arbitrated after"):
        writes_in_time.recheck(READ_BACK)
    replace(writes_in_time, demand="past").recheck(READ_BACK)
    with pytest.raises(NoWitness, match="had returned"):
        replace(right, demand="real-time").recheck(READ_BACK)


@pytest.mark.parametrize("name", ["figure-3e", "initial-value-of-a-cause"])
def test_no_order_shows_that_an_overwritten_read_is_causal(name: str) -> None:
    history = read_history(KEPT / f"{name}.jsonl")
    order = np.arange(len(reads_from(history)))
    CausalWitness(order, "causes").recheck(history)
    with pytest.raises(NoWitness, match="in its past"):
        CausalWitness(order, "past").recheck(history)
