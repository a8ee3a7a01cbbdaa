"""What nodes do to their state machines, and what they decide."""

from __future__ import annotations

import pytest

from upheld.checkers.consensus import Agreement, AppliesInOrder, StateMachineSafety, Validity
from upheld.testing.traces import cases, outcome, story, trace


@pytest.mark.parametrize(
    ("text", "expected"),
    cases(
        ("nothing is applied", "n1 committed 1 1", "undecided"),
        ("the same at all nodes", "n1 applied 1 1 a c1 1; n2 applied 1 1 a c1 1", "upheld"),
        ("again after a restart", "n1 applied 1 1 a c1 1; n1 crash fault; n1 restart; n1 applied 1 1 a c1 1", "upheld"),
        ("another command", "n1 applied 1 1 a c1 1; n2 applied 1 1 b c1 2", "two-commands"),
        ("the same words of another client", "n1 applied 1 1 a c1 1; n2 applied 1 1 a c2 1", "two-commands"),
        ("the same words of another term", "n1 applied 1 1 a c1 1; n2 applied 1 2 a c1 1", "two-commands"),
        ("no effect here, an effect there", "n1 applied 1 1 null null null; n2 applied 1 1 a c1 1", "upheld"),
    ),
)
def test_nodes_apply_the_same_at_an_index(text: str, expected: str) -> None:
    assert outcome(StateMachineSafety().check(trace(text))) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    cases(
        ("nothing is applied", "n1 committed 1 1", "undecided"),
        ("in order", "n1 applied 1 1 a c1 1; n1 applied 2 1 b c1 2; n2 applied 1 1 a c1 1", "upheld"),
        ("twice", "n1 applied 1 1 a c1 1; n1 applied 1 1 a c1 1", "applied-twice"),
        ("backwards", "n1 applied 1 1 a c1 1; n1 applied 3 1 c c1 3; n1 applied 2 1 b c1 2", "out-of-order"),
        (
            "from the start after a crash",
            "n1 applied 1 1 a c1 1; n1 crash fault; n1 restart; n1 applied 1 1 a c1 1",
            "upheld",
        ),
        (
            "from where it was after a crash",
            "n1 applied 1 1 a c1 1; n1 crash fault; n1 restart; n1 applied 2 1 b c1 2",
            "upheld",
        ),
        ("a gap that another node fills", "n1 applied 1 1 a c1 1; n2 applied 2 1 b c1 2", "gap"),
        ("a gap that another node fills later", "n1 applied 2 1 b c1 2; n2 applied 1 1 a c1 1", "gap"),
        ("an index where nothing has an effect", "n1 applied 2 1 b c1 2; n2 applied 2 1 b c1 2", "upheld"),
        (
            "the empty entry of a leader is told by some",
            "n1 applied 1 1 null null null; n1 applied 2 1 b c1 2; n2 applied 2 1 b c1 2",
            "upheld",
        ),
        (
            "a gap after a restart",
            "n1 applied 1 1 a c1 1; n1 applied 2 1 b c1 2; n1 crash fault; n1 restart; n1 applied 1 1 a c1 1; n1 applied 3 1 c c1 3",
            "gap",
        ),
        (
            "a jump to a snapshot",
            "n1 applied 1 1 a c1 1; n1 applied 2 1 b c1 2; n2 installed 2 1; n2 applied 3 1 c c1 3",
            "upheld",
        ),
        (
            "a jump beyond a snapshot",
            "n1 applied 1 1 a c1 1; n1 applied 2 1 b c1 2; n2 installed 1 1; n2 applied 3 1 c c1 3",
            "gap",
        ),
        ("what a snapshot holds already", "n1 installed 2 1; n1 applied 2 1 b c1 2", "out-of-order"),
        ("back to an old snapshot", "n1 applied 1 1 a c1 1; n1 applied 2 1 b c1 2; n1 installed 1 1", "out-of-order"),
        (
            "from its snapshot after a restart",
            "n1 applied 1 1 a c1 1; n1 applied 2 1 b c1 2; n1 crash fault; n1 restart; n1 restored 1 n1 2 1; n1 applied 2 1 b c1 2",
            "upheld",
        ),
        (
            "from beyond its snapshot after a restart",
            "n1 applied 1 1 a c1 1; n1 applied 2 1 b c1 2; n1 crash fault; n1 restart; n1 restored 1 n1 3 1; n1 applied 3 1 c c1 3",
            "gap",
        ),
        (
            "from the start after a restart without a snapshot",
            "n1 applied 1 1 a c1 1; n1 crash fault; n1 restart; n1 restored 1 n1 2 0; n1 applied 2 1 b c1 2",
            "gap",
        ),
        ("a start is no restart", "n1 start; n1 applied 2 1 b c1 2; n2 start; n2 applied 1 1 a c1 1", "gap"),
        (
            "a gap far from the first effect",
            "n1 applied 1 1 a c1 1; n1 applied 900 1 z c1 9; n2 applied 1 1 a c1 1; n2 applied 500 1 m c1 5",
            "gap",
        ),
    ),
)
def test_nodes_apply_in_order(text: str, expected: str) -> None:
    assert outcome(AppliesInOrder().check(trace(text))) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    cases(
        ("nothing is decided", "n1 proposed a", "undecided"),
        ("all decide the same", "n1 decided 1 a; n2 decided 1 a; n2 decided 2 b", "upheld"),
        ("two values for a slot", "n1 decided 1 a; n2 decided 1 b", "two-decisions"),
        ("one node changes its mind", "n1 decided 1 a; n1 decided 1 b", "two-decisions"),
        ("1 and true are two values", "n1 decided 1 1; n2 decided 1 true", "two-decisions"),
        ("slots have any name", "n1 decided x a; n2 decided y b", "upheld"),
        ("two commands are applied at an index", "n1 applied 1 1 a c1 1; n2 applied 1 1 b c1 2", "two-decisions"),
        (
            "two logs, both committed",
            "n1 appended 1 1 a; n1 committed 1 1; n2 appended 1 2 b; n2 committed 1 2",
            "two-decisions",
        ),
        ("two logs, one committed", "n1 appended 1 1 a; n1 committed 1 1; n2 appended 1 2 b", "upheld"),
        (
            "below the commit index",
            "n1 appended 1 1 a; n1 appended 2 1 b; n1 committed 2 1; n2 appended 1 1 x; n2 appended 2 1 b; n2 committed 2 1",
            "two-decisions",
        ),
        (
            "replaced after it was committed",
            "n1 appended 1 1 a; n1 committed 1 1; n1 appended 1 2 b; n1 committed 1 2",
            "two-decisions",
        ),
        ("nobody knows what was committed", "n1 committed 1 1; n2 committed 1 2", "undecided"),
        (
            "a command that had no effect",
            "n1 appended 1 1 a; n1 committed 1 1; n1 applied 1 1 null null null",
            "upheld",
        ),
    ),
)
def test_nodes_agree(text: str, expected: str) -> None:
    assert outcome(Agreement().check(trace(text))) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    cases(
        ("nothing is decided", "n1 proposed a", "undecided"),
        ("what was proposed", "n1 proposed a; n2 proposed b; n3 decided 1 b", "upheld"),
        ("what nobody proposed", "n1 proposed a; n3 decided 1 b", "not-proposed"),
        ("before it is proposed", "n3 decided 1 a; n1 proposed a", "not-proposed"),
        ("what a leader appended", "n1 leads 1; n1 appended 1 1 a; n2 applied 1 1 a c1 1", "upheld"),
        ("what a follower appended", "n1 leads 1; n2 appended 1 1 a; n2 applied 1 1 a c1 1", "not-proposed"),
        ("at another index", "n1 leads 1; n1 appended 1 1 a; n2 applied 2 1 a c1 1", "not-proposed"),
        ("the leader crashed, and its note with it", "n1 leads 1; n1 crash fault; n2 applied 1 1 a c1 1", "undecided"),
        ("nobody told who led", "n2 applied 1 1 a c1 1", "undecided"),
        ("an entry without effect", "n1 leads 1; n2 applied 1 1 null null null", "undecided"),
    ),
)
def test_only_what_was_proposed_is_decided(text: str, expected: str) -> None:
    assert outcome(Validity().check(trace(text))) == expected


def test_stories_quote_the_notes() -> None:
    assert story(StateMachineSafety().check(trace("n1 applied 1 1 a c1 1; n2 applied 1 2 b c2 5"))) == (
        "n1 and n2 apply different entries at index 1:\n"
        "  at 1 ms: n1 applied (index 1, term 1, command a, client c1, msg_id 1)\n"
        "  at 2 ms: n2 applied (index 1, term 2, command b, client c2, msg_id 5)\n"
        "All state machines apply the same entry at an index."
    )
    assert story(AppliesInOrder().check(trace("n1 applied 1 1 a c1 1; n1 applied 1 1 a c1 1"))) == (
        "n1 applies index 1 twice:\n"
        "  at 1 ms: n1 applied (index 1, term 1, command a, client c1, msg_id 1)\n"
        "  at 2 ms: n1 applied (index 1, term 1, command a, client c1, msg_id 1)\n"
        "A node applies in ascending order, each index once until it crashes."
    )
    assert story(AppliesInOrder().check(trace("n1 applied 2 1 b c1 2; n1 applied 1 1 a c1 1"))).startswith(
        "n1 applies index 1 after index 2:\n"
    )
    assert story(
        AppliesInOrder().check(
            trace("n1 applied 1 1 a c1 1; n1 applied 3 1 c c1 3; n2 applied 1 1 a c1 1; n2 applied 2 1 b c1 2")
        )
    ) == (
        "n1 applies index 3 after index 1 and never index 2, which n2 applied:\n"
        "  at 2 ms: n1 applied (index 3, term 1, command c, client c1, msg_id 3)\n"
        "  at 4 ms: n2 applied (index 2, term 1, command b, client c1, msg_id 2)\n"
        "A node applies every index that has an effect."
    )
    assert story(Agreement().check(trace('n1 decided 1 ["put","x"]; n2 decided 1 b'))) == (
        'n1 decides ["put","x"] for slot 1, and n2 decides "b":\n'
        "  at 1 ms: n1 decided (slot 1, value ('put', 'x'))\n"
        "  at 2 ms: n2 decided (slot 1, value b)\n"
        "All nodes decide the same value for a slot."
    )
    assert story(Validity().check(trace("n3 decided 1 b"))) == (
        'n3 decides "b", which nobody had proposed:\n'
        "  at 1 ms: n3 decided (slot 1, value b)\n"
        "Only a proposed value is decided."
    )
    assert story(Validity().check(trace("n1 leads 1; n2 applied 1 1 a c1 1"))) == (
        'n2 applies "a" of term 1, which no leader of that term had appended:\n'
        "  at 1 ms: n1 leads (term 1)\n"
        "  at 2 ms: n2 applied (index 1, term 1, command a, client c1, msg_id 1)\n"
        "Only what a leader put into its log is applied."
    )
