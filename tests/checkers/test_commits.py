"""Leaders commit what a majority of the members holds, and count only entries of their own term."""

from __future__ import annotations

import pytest

from upheld.checkers.consensus import CommitByQuorum
from upheld.testing.traces import cases, outcome, story, trace

CLUSTER = ("n1", "n2", "n3")
HELD = "n1 leads 2; n1 appended 1 2 a; n2 appended 1 2 a;"
OLD = "n1 appended 1 1 a; n2 appended 1 1 a; n1 leads 2;"


@pytest.mark.parametrize(
    ("text", "expected"),
    cases(
        ("nobody leads", "n1 appended 1 1 a; n1 committed 1 1", "undecided"),
        ("on two of three disks", HELD + "n1 committed 1 2", "upheld"),
        ("on one of three", "n1 leads 2; n1 appended 1 2 a; n1 committed 1 2", "too-few-disks"),
        ("a follower takes its word for it", HELD + "n1 committed 1 2; n3 committed 1 2", "upheld"),
        (
            "a disk that is down may have it",
            "n1 leads 2; n1 appended 1 2 a; n2 crash fault; n1 committed 1 2",
            "upheld",
        ),
        ("an entry of an older term", OLD + "n1 committed 1 1", "old-term-by-counting"),
        ("below an entry of its own", OLD + "n1 appended 2 2 b; n2 appended 2 2 b; n1 committed 2 2", "upheld"),
        ("somebody knew it before", OLD + "n3 committed 1 1; n1 committed 1 1", "upheld"),
        ("it leads no longer", OLD + "n1 term 3; n1 committed 1 1", "undecided"),
        ("it has crashed", OLD + "n1 crash fault; n1 restart; n1 restored 2 n1 1 0; n1 committed 1 1", "undecided"),
        (
            "of five members",
            'n1 configured 0 ["n1","n2","n3","n4","n5"];' + HELD + "n1 committed 1 2",
            "too-few-disks",
        ),
        (
            "of two members, it being none",
            'n1 configured 0 ["n2","n3"];' + HELD + "n1 committed 1 2",
            "too-few-disks",
        ),
        (
            "a change counts from its append on",
            HELD + 'n1 configured 1 ["n1","n2","n3","n4"]; n1 committed 1 2',
            "too-few-disks",
        ),
        (
            "a change that was taken back does not",
            'n1 configured 1 ["n1","n2","n3","n4"]; n1 configured 0 ["n1","n2","n3"];' + HELD + "n1 committed 1 2",
            "upheld",
        ),
        ("in a snapshot", HELD + "n2 compacted 1 2; n1 committed 1 2", "upheld"),
        ("in a snapshot from elsewhere", "n1 leads 2; n1 appended 1 2 a; n3 installed 1 2; n1 committed 1 2", "upheld"),
    ),
)
def test_a_leader_commits_by_a_quorum_and_in_its_own_term(text: str, expected: str) -> None:
    assert outcome(CommitByQuorum().check(trace(text, nodes=CLUSTER))) == expected


def test_stories_tell_who_holds_the_entry_and_whose_term_it_is_of() -> None:
    alone = "n1 leads 2; n1 appended 1 2 a; n1 committed 1 2"
    assert story(CommitByQuorum().check(trace(alone, nodes=CLUSTER))) == (
        "n1 commits index 1 of term 2; of its members n1, n2, n3 at most n1 can hold it:\n"
        "  at 1 ms: n1 leads (term 2)\n"
        "  at 2 ms: n1 appended (index 1, term 2, command a)\n"
        "  at 3 ms: n1 committed (index 1, term 2)\n"
        "A leader commits what a majority of the members holds durably."
    )
    assert story(CommitByQuorum().check(trace(OLD + "n1 committed 1 1", nodes=CLUSTER))) == (
        "n1 leads in term 2, and commits up to index 1 of term 1:\n"
        "  at 1 ms: n1 appended (index 1, term 1, command a)\n"
        "  at 3 ms: n1 leads (term 2)\n"
        "  at 4 ms: n1 committed (index 1, term 1)\n"
        "A leader commits by counting only an entry of its own term; earlier ones are committed below it."
    )
