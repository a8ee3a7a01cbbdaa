"""What a history says about all models: which judge is asked, what follows, and what stays open."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from types import ModuleType

import msgspec
import pytest

from upheld.checkers.frontier import Hearing
from upheld.checkers.linearizability import Linearizable
from upheld.checkers.verdict import Anomaly, Refuted, Undecided, Upheld, Verdict, word
from upheld.histories.errors import UsageError
from upheld.histories.history import History
from upheld.histories.notation import parse
from upheld.specs.consistency import MODELS, Contradiction

STALE = parse("0 invoke write 7\n0 ok write\n1 invoke read\n1 ok read null\n")
FINE = parse("0 invoke write 7\n0 ok write\n1 invoke read\n1 ok read 7\n")
DECLARED = parse("phases info final\n0 invoke write 7\n0 ok write\n1 invoke read\n1 ok read null\n")
ELEMENTS = parse("0 invoke add 7\n0 ok add\n")
TRANSACTIONS = parse('0 invoke txn [["w","x",1]]\n0 ok txn [["w","x",1]]\n')

Judges = Callable[..., list[list[str]]]


def say(verdict: str, name: str) -> Verdict:
    match verdict:
        case "upheld":
            return Upheld(checker="fake", consistency=name)
        case "refuted":
            return Refuted(Anomaly("fake", ("so it is",)), checker="fake", consistency=name)
    return Undecided("not applicable: for the sake of the test", checker="fake", consistency=name)


@pytest.fixture
def judges(monkeypatch: pytest.MonkeyPatch) -> Judges:
    """`judges(one={"causal.weak": "refuted"}, ...)`: the only judges beside that of linearizability; what each was asked."""

    def appoint(**said: dict[str, str]) -> list[list[str]]:
        asked: list[list[str]] = []
        deciders = {name: f"fake_{judge}" for judge, words in said.items() for name in words}
        for name, model in list(MODELS.items()):
            if name != "linearizable":
                monkeypatch.setitem(MODELS, name, msgspec.structs.replace(model, judge=deciders.get(name, "")))
        for judge, words in said.items():

            def decide(
                _: History, ids: Sequence[str], *, outside: str, words: dict[str, str] = words
            ) -> dict[str, Verdict]:
                asked.append([*ids, outside])
                return {name: say(words[name], name) for name in ids}

            module = ModuleType(f"fake_{judge}")
            module.decide = decide  # type: ignore[attr-defined]  # a module made here
            monkeypatch.setitem(sys.modules, f"upheld.checkers.fake_{judge}", module)
        return asked

    return appoint


def test_each_judge_is_asked_once_for_all_its_models(judges: Judges) -> None:
    asked = judges(
        one={"causal.weak": "upheld", "causal.convergence": "refuted"}, two={"session.monotonic-reads": "upheld"}
    )
    hearing = Hearing(history=FINE, outside="start")
    hearing.hear(["causal.weak", "session.monotonic-reads", "causal.convergence"])
    assert asked == [["causal.weak", "causal.convergence", "start"], ["session.monotonic-reads", "start"]]
    assert word(hearing.ruling("causal.convergence").verdict) == "refuted"
    assert hearing.ruling("causal.convergence").implied_by == ""


def test_a_model_without_a_judge_is_refuted_with_a_weaker_one(judges: Judges) -> None:
    judges(one={"causal.weak": "refuted"})
    hearing = Hearing(history=STALE)
    hearing.hear(["sequential"])
    verdict, implied_by = hearing.ruling("sequential")
    assert (word(verdict), implied_by) == ("refuted", "causal.weak")
    assert verdict.consistency == "sequential"
    assert verdict.method == "implication from causal.weak"


def test_a_model_without_a_judge_is_upheld_with_a_stronger_one(judges: Judges) -> None:
    judges()
    hearing = Hearing(history=FINE)
    hearing.hear(["sequential"])
    assert (word(hearing.ruling("sequential").verdict), hearing.ruling("sequential").implied_by) == (
        "upheld",
        "linearizable",
    )


def test_what_its_own_judge_leaves_open_may_follow_from_another(judges: Judges) -> None:
    judges(one={"causal.convergence": "undecided"}, two={"session.monotonic-reads": "refuted"})
    hearing = Hearing(history=STALE)
    hearing.hear(["causal.convergence"])
    assert hearing.ruling("causal.convergence").implied_by == "session.monotonic-reads"
    assert "causal.convergence" not in hearing.undecided()


def test_what_nobody_decides_is_undecided_and_no_pass(judges: Judges) -> None:
    judges(one={"causal.weak": "upheld"})
    hearing = Hearing(history=STALE)
    hearing.hear(["sequential", "isolation.prefix"])
    for name in ("sequential", "isolation.prefix"):
        verdict, implied_by = hearing.ruling(name)
        assert isinstance(verdict, Undecided)
        assert implied_by == ""
        assert verdict.reason == "no judge decides it yet, and nothing follows from what is decided"
    assert hearing.frontier().upheld == ("causal.weak",)


def test_the_frontier_lies_between_the_weakest_refuted_and_the_strongest_upheld(judges: Judges) -> None:
    judges(
        one={"causal.weak": "upheld", "causal.memory": "refuted"}, two={"fifo.pram": "refuted", "fifo.slow": "upheld"}
    )
    hearing = Hearing(history=STALE)
    hearing.hear_all()
    assert hearing.frontier().refuted == ("fifo.pram",)
    assert hearing.frontier().upheld == ("fifo.slow", "causal.weak")


def test_what_follows_already_is_not_asked_for(judges: Judges) -> None:
    asked = judges(one={"fifo.slow": "refuted"}, two={"fifo.pram": "refuted", "causal.weak": "upheld"})
    Hearing(history=STALE).hear_all()
    assert asked == [["fifo.slow", "nothing"], ["causal.weak", "nothing"]]


def test_a_linearizable_history_needs_no_other_judge(judges: Judges) -> None:
    asked = judges(one={"causal.weak": "upheld"})
    hearing = Hearing(history=FINE)
    hearing.hear_all()
    assert asked == []
    assert hearing.frontier().upheld == ("linearizable",)


@pytest.mark.parametrize(
    ("history", "expected"),
    [
        (STALE, ["causal.weak"]),
        (DECLARED, ["eventual.visibility", "causal.weak"]),
        (ELEMENTS, ["eventual.visibility"]),
        (TRANSACTIONS, ["causal.weak", "isolation.causal"]),
        (parse("0 invoke juggle 3\n0 ok juggle\n"), []),
        (parse(""), []),
    ],
    ids=["reads and writes", "reads and writes with a declared end", "elements", "transactions", "neither", "nothing"],
)
def test_only_models_that_speak_of_such_actions_are_asked_about(
    history: History, expected: list[str], judges: Judges
) -> None:
    asked = judges(
        one={"causal.weak": "undecided", "isolation.causal": "undecided"}, two={"eventual.visibility": "undecided"}
    )
    hearing = Hearing(history=history)
    hearing.hear_all()
    assert [name for names in asked for name in names[:-1]] == expected
    assert [name for name in hearing.undecided() if name != "linearizable"] == expected


def test_judges_that_contradict_each_other_are_both_named(judges: Judges) -> None:
    judges(one={"causal.weak": "refuted"}, two={"causal.memory": "upheld"})
    hearing = Hearing(history=STALE)
    with pytest.raises(Contradiction, match=r"causal\.memory \(fake_two\) .* causal\.weak \(fake_one\)"):
        hearing.hear(["causal.weak", "causal.memory"])


def test_linearizability_needs_a_model_of_the_object_only_where_it_is_asked_for(judges: Judges) -> None:
    judges(one={"isolation.causal": "upheld"})
    with pytest.raises(UsageError, match="no model understands"):
        Hearing(history=TRANSACTIONS).hear(["linearizable"])
    hearing = Hearing(history=TRANSACTIONS)
    hearing.hear_all()
    assert hearing.undecided()["linearizable"].startswith("not applicable: no model understands")


class TestWithValuesFromOutside:
    def test_a_history_that_is_linearizable_by_itself_is(self, judges: Judges) -> None:
        judges()
        hearing = Hearing(history=FINE, outside="anything")
        hearing.hear(["linearizable"])
        assert isinstance(hearing.ruling("linearizable").verdict, Upheld)

    def test_one_that_is_not_may_be_yet(self, judges: Judges) -> None:
        judges()
        assert isinstance(Linearizable().check(STALE), Refuted)
        hearing = Hearing(history=STALE, outside="anything")
        hearing.hear(["linearizable"])
        verdict = hearing.ruling("linearizable").verdict
        assert isinstance(verdict, Undecided)
        assert "cannot say whether operations outside of it would explain it" in verdict.reason

    def test_it_is_refuted_with_a_weaker_model_whose_judge_knows_of_them(self, judges: Judges) -> None:
        judges(one={"causal.weak": "refuted"})
        hearing = Hearing(history=STALE, outside="anything")
        hearing.hear(["linearizable"])
        assert hearing.ruling("linearizable").implied_by == "causal.weak"
