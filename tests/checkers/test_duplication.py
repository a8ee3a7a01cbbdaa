"""At most once, and exactly once where it was acknowledged: from the trace, and from what reads show."""

from __future__ import annotations

import pytest

from upheld.checkers.duplication import AtMostOnce, TokensOnce
from upheld.histories.evidence import Evidence
from upheld.histories.notation import parse
from upheld.histories.trace import Trace
from upheld.testing.traces import cases, outcome, story, trace


@pytest.mark.parametrize(
    ("text", "expected"),
    cases(
        ("nothing is applied", "n1 acknowledged 1 1 c1 1", "undecided"),
        (
            "each command once, at all nodes",
            "n1 applied 1 1 a c1 1; n2 applied 1 1 a c1 1; n1 applied 2 1 b c1 2",
            "upheld",
        ),
        ("again after a restart", "n1 applied 1 1 a c1 1; n1 crash fault; n1 restart; n1 applied 1 1 a c1 1", "upheld"),
        ("at two indices", "n1 applied 1 1 a c1 1; n1 applied 2 1 a c1 1", "two-effects"),
        ("at two indices of two nodes", "n1 applied 1 1 a c1 1; n2 applied 2 1 a c1 1", "two-effects"),
        (
            "at two indices, before and after a restart",
            "n1 applied 1 1 a c1 1; n1 crash fault; n1 restart; n1 applied 2 1 a c1 1",
            "two-effects",
        ),
        ("twice at one index of one node", "n1 applied 1 1 a c1 1; n1 applied 1 1 a c1 1", "two-effects"),
        ("a duplicate without effect", "n1 applied 1 1 a c1 1; n1 applied 2 1 null null null", "upheld"),
        ("the same words, asked for twice", "n1 applied 1 1 a c1 1; n1 applied 2 1 a c1 2", "upheld"),
        ("the same number of two clients", "n1 applied 1 1 a c1 1; n1 applied 2 1 a c2 1", "upheld"),
        ("acknowledged and applied", "n1 applied 1 1 a c1 1; n1 acknowledged 1 1 c1 1", "upheld"),
        ("acknowledged before it is applied", "n1 acknowledged 1 1 c1 1; n1 applied 1 1 a c1 1", "upheld"),
        ("acknowledged, and passed over", "n1 acknowledged 1 1 c1 1; n1 applied 2 1 b c2 1", "no-effect"),
        ("acknowledged, and another is applied there", "n1 acknowledged 1 1 c1 1; n1 applied 1 2 b c2 1", "no-effect"),
        ("acknowledged, and still to come", "n1 applied 1 1 b c2 1; n1 acknowledged 2 1 c1 1", "upheld"),
        (
            "a duplicate is acknowledged",
            "n1 applied 1 1 a c1 1; n1 applied 2 1 null null null; n1 acknowledged 2 1 c1 1",
            "upheld",
        ),
    ),
)
def test_a_command_takes_effect_once(text: str, expected: str) -> None:
    assert outcome(AtMostOnce().check(trace(text))) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    cases(
        ("no reads", "0 invoke append x: 1; 0 ok append x: 1", "undecided"),
        ("reads that show no token", "0 invoke read x:; 0 ok read x: [1, 1]", "undecided"),
        ("reads that are no arrays", "0 invoke append x: 1; 0 ok append; 0 invoke read x:; 0 ok read 11", "undecided"),
        ("each token once", "0 invoke append x: 1; 0 ok append; 0 invoke read x:; 0 ok read [1]", "upheld"),
        (
            "a token twice in a read",
            "0 invoke append x: 1; 0 ok append; 0 invoke read x:; 0 ok read [1,1]",
            "token-read-twice",
        ),
        (
            "a token that nobody knows the fate of",
            "0 invoke append x: 1; 0 info append; 1 invoke read x:; 1 ok read [1,1]",
            "token-read-twice",
        ),
        (
            "sent twice, read twice",
            "0 invoke append x: 1; 0 ok append; 0 invoke append x: 1; 0 ok append; 0 invoke read x:; 0 ok read [1,1]",
            "undecided",
        ),
        (
            "1 and true are two tokens",
            "0 invoke append x: 1; 0 ok append; 0 invoke read x:; 0 ok read [1,true]",
            "upheld",
        ),
        (
            "on another key it is another token",
            "0 invoke append x: 1; 0 ok append; 0 invoke read y:; 0 ok read [1,1]",
            "undecided",
        ),
    ),
)
def test_a_token_is_read_once(text: str, expected: str) -> None:
    assert outcome(TokensOnce().check(parse(text.replace(";", "\n")))) == expected


TWICE = parse("0 invoke append x: 7\n0 ok append\n1 invoke read x:\n1 ok read [7,7]")
ONCE = parse("0 invoke append x: 7\n0 ok append\n1 invoke read x:\n1 ok read [7]")


@pytest.mark.parametrize(
    ("evidence", "expected"),
    [
        (Evidence(ONCE, trace("n1 applied 1 1 a c1 1; n1 applied 2 1 a c1 1")), "two-effects"),
        (Evidence(TWICE, trace("n1 applied 1 1 a c1 1")), "token-read-twice"),
        (Evidence(TWICE), "token-read-twice"),
        (Evidence(ONCE), "upheld"),
        (Evidence(parse("0 invoke read x:\n0 ok read 1"), trace("n1 applied 1 1 a c1 1")), "upheld"),
        (Evidence(parse("0 invoke read x:\n0 ok read 1"), Trace()), "undecided"),
    ],
)
def test_evidence_is_judged_by_whatever_part_of_it_tells(evidence: Evidence, expected: str) -> None:
    assert outcome(AtMostOnce()(evidence)) == expected


def test_stories_quote_the_notes_and_the_operations() -> None:
    assert story(AtMostOnce().check(trace("n1 applied 1 1 a c1 7; n2 applied 2 1 a c1 7"))) == (
        "Command 7 of c1 takes effect at two indices:\n"
        "  at 1 ms: n1 applied (index 1, term 1, command a, client c1, msg_id 7)\n"
        "  at 2 ms: n2 applied (index 2, term 1, command a, client c1, msg_id 7)\n"
        "A command takes effect at most once."
    )
    assert story(AtMostOnce().check(trace("n1 applied 1 1 a c1 7; n1 applied 1 1 a c1 7"))).startswith(
        "Command 7 of c1 takes effect twice at n1:\n"
    )
    assert story(AtMostOnce().check(trace("n1 acknowledged 1 1 c1 7; n1 applied 2 1 b c2 1"))) == (
        "Command 7 of c1 was acknowledged at index 1; index 2 was applied, and the command never:\n"
        "  at 1 ms: n1 acknowledged (index 1, term 1, client c1, msg_id 7)\n"
        "  at 2 ms: n1 applied (index 2, term 1, command b, client c2, msg_id 1)\n"
        "An acknowledged command takes effect exactly once."
    )
    assert story(TokensOnce().check(TWICE)) == (
        "7 was sent once and is read twice:\n"
        '  process 0: append("x", 7)\n'
        '  process 1: read("x") -> [7,7]\n'
        "What was sent once takes effect at most once."
    )
