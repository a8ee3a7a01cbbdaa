"""A claim that says several things holds when all of its judges say so."""

from __future__ import annotations

from upheld.checkers.consensus import ElectionSafety, TermMonotone, VotesOnce
from upheld.checkers.verdict import Undecided, Upheld, Verdict, all_of
from upheld.histories.evidence import Evidence
from upheld.histories.history import History
from upheld.testing.traces import outcome, trace


def judged(text: str) -> Verdict:
    return all_of(ElectionSafety(), VotesOnce(), TermMonotone())(Evidence(History.of_events(()), trace(text)))


def test_all_uphold() -> None:
    verdict = judged("n1 term 1; n1 voted 1 n1; n1 leads 1")
    assert isinstance(verdict, Upheld)
    assert {name: told["judged"] for name, told in verdict.evidence.items()} == {
        "election-safety": 1,
        "votes-once": 1,
        "term-monotone": 3,
    }


def test_one_refutation_refutes_whatever_others_could_not_judge() -> None:
    assert outcome(judged("n1 leads 1; n2 leads 1; n1 term 0")) == "two-leaders"
    assert outcome(judged("n1 term 2; n1 term 1")) == "term-went-back"


def test_one_that_had_nothing_to_judge_is_named_and_leaves_the_others_their_word() -> None:
    verdict = judged("n1 leads 1")
    assert isinstance(verdict, Upheld)
    assert list(verdict.evidence) == ["election-safety", "term-monotone"]
    assert verdict.notes == ("votes-once: nothing to judge: too few notes of voted in this trace",)


def test_it_is_open_where_none_had_anything_to_judge() -> None:
    verdict = judged("n1 crash")
    assert isinstance(verdict, Undecided)
    assert verdict.reason == "election-safety: nothing to judge: too few notes of leads in this trace"


def test_one_doubt_leaves_it_open() -> None:
    def doubts(_: Evidence) -> Verdict:
        return Undecided("the steps ran out", checker="doubter")

    evidence = Evidence(History.of_events(()), trace("n1 leads 1"))
    verdict = all_of(ElectionSafety(), doubts)(evidence)
    assert isinstance(verdict, Undecided)
    assert verdict.reason == "doubter: the steps ran out"
