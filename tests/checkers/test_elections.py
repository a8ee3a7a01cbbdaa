"""Terms, votes and leaders: one leader to a term, one vote to a node and term, terms that only grow."""

from __future__ import annotations

import pytest

from upheld.checkers.consensus import ElectionSafety, TermMonotone, VotesOnce
from upheld.checkers.monitor import SafetyProperty
from upheld.histories.errors import MalformedHistory
from upheld.testing.traces import cases, outcome, story, trace


@pytest.mark.parametrize(
    ("text", "expected"),
    cases(
        ("nobody was elected", "n1 start", "undecided"),
        ("one leader to each term", "n1 leads 1; n2 leads 2; n1 leads 3", "upheld"),
        ("two leaders in one term", "n1 leads 1; n2 leads 1", "two-leaders"),
        ("the second one comes much later", "n1 leads 1; n3 leads 2; n2 leads 1", "two-leaders"),
        ("the same one, elected again after a crash", "n1 leads 1; n1 crash fault; n1 restart; n1 leads 1", "upheld"),
    ),
)
def test_a_term_has_at_most_one_leader(text: str, expected: str) -> None:
    assert outcome(ElectionSafety().check(trace(text))) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    cases(
        ("nobody voted", "n1 term 1", "undecided"),
        ("a vote in each term", "n1 voted 1 n2; n1 voted 2 n3", "upheld"),
        ("the same vote, told twice", "n1 voted 1 n2; n1 voted 1 n2", "upheld"),
        ("others vote for others", "n1 voted 1 n2; n3 voted 1 n3", "upheld"),
        ("two votes in a term", "n1 voted 1 n2; n1 voted 1 n3", "voted-twice"),
        ("a vote forgotten in a crash", "n1 voted 1 n2; n1 crash fault; n1 restart; n1 voted 1 n1", "voted-twice"),
        ("another vote restored", "n1 voted 1 n2; n1 crash fault; n1 restart; n1 restored 1 n3 0 0", "voted-twice"),
        (
            "no vote restored: it votes no second time",
            "n1 voted 1 n2; n1 crash fault; n1 restored 1 null 0 0",
            "upheld",
        ),
    ),
)
def test_a_node_votes_once_in_a_term(text: str, expected: str) -> None:
    assert outcome(VotesOnce().check(trace(text))) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    cases(
        ("nobody told its term", "n1 start", "undecided"),
        ("terms grow, with holes", "n1 term 1; n1 voted 1 n1; n1 leads 1; n1 term 7", "upheld"),
        ("each node has its own", "n1 term 7; n2 term 1", "upheld"),
        ("back to an earlier term", "n1 term 7; n1 term 6", "term-went-back"),
        ("a vote in an earlier term", "n1 term 7; n1 voted 6 n2", "term-went-back"),
        ("a leader of an earlier term", "n1 term 7; n1 leads 6", "term-went-back"),
        ("restored from before", "n1 term 7; n1 crash fault; n1 restart; n1 restored 6 null 0 0", "term-went-back"),
        ("restored from after, since the note was lost", "n1 term 7; n1 crash fault; n1 restored 8 null 0 0", "upheld"),
        ("a restart that restores nothing", "n1 term 7; n1 crash fault; n1 restart; n1 term 1", "term-went-back"),
    ),
)
def test_the_term_of_a_node_never_goes_back(text: str, expected: str) -> None:
    assert outcome(TermMonotone().check(trace(text))) == expected


def test_stories_quote_the_notes() -> None:
    assert story(ElectionSafety().check(trace("n1 leads 3; @1250 n2 leads 3"))) == (
        "Both n1 and n2 lead in term 3:\n"
        "  at 1 ms: n1 leads (term 3)\n"
        "  at 1250 ms: n2 leads (term 3)\n"
        "A term has at most one leader."
    )
    assert story(VotesOnce().check(trace("n1 voted 2 n2; n1 crash fault; n1 voted 2 n3"))) == (
        "In term 2, n1 votes for n2 and for n3:\n"
        "  at 1 ms: n1 voted (term 2, candidate n2)\n"
        "  at 3 ms: n1 voted (term 2, candidate n3)\n"
        "A node has one vote in a term, crash or no crash."
    )
    assert story(TermMonotone().check(trace("n1 term 7; n1 voted 6 n2"))) == (
        "n1 is in term 6 after it was in term 7:\n"
        "  at 1 ms: n1 term (term 7)\n"
        "  at 2 ms: n1 voted (term 6, candidate n2)\n"
        "The current term of a node only grows."
    )


@pytest.mark.parametrize("judge", [ElectionSafety(), TermMonotone()])
def test_a_term_that_is_no_integer_is_no_evidence(judge: SafetyProperty) -> None:
    with pytest.raises(MalformedHistory, match=r"in the note 'n1 leads \(term one\)' the term is no integer"):
        judge.check(trace("n1 leads one"))
