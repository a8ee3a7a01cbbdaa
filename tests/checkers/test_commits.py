"""Leaders commit what a majority of the members holds, and count only entries of their own term; no commitment is taken back."""

from __future__ import annotations

import pytest

from upheld.checkers.consensus import CommitByQuorum, CommitStands
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


@pytest.mark.parametrize(
    ("text", "expected"),
    cases(
        ("nobody commits", "n1 leads 1; n1 appended 1 1 a", "undecided"),
        ("once is no more than a beginning", "n1 committed 4 1", "undecided"),
        ("onwards", "n1 committed 1 1; n1 committed 4 1", "upheld"),
        ("the same again", "n1 committed 4 1; n1 committed 4 1", "upheld"),
        ("back", "n1 committed 4 1; n1 committed 3 1", "commit-went-back"),
        ("back in a later term", "n1 committed 4 1; n1 term 2; n1 committed 3 2", "commit-went-back"),
        ("below a snapshot", "n1 committed 3 1; n1 installed 9 1; n1 committed 4 1", "commit-went-back"),
        ("back, and onwards again", "n1 committed 4 1; n1 committed 3 1; n1 committed 5 1", "commit-went-back"),
        ("nodes are not equally far", "n1 committed 4 1; n2 committed 3 1; n1 committed 5 1", "upheld"),
        ("a new life has forgotten", "n1 committed 4 1; n1 crash fault; n1 restart; n1 committed 2 1", "undecided"),
        (
            "a new life goes back, too",
            "n1 committed 4 1; n1 crash fault; n1 restart; n1 committed 2 1; n1 committed 1 1",
            "commit-went-back",
        ),
        (
            "the new life of another node changes nothing",
            "n1 committed 4 1; n2 crash fault; n2 restart; n1 committed 3 1",
            "commit-went-back",
        ),
        ("an older snapshot takes it back", "n1 committed 4 1; n1 installed 3 1", "commit-went-back"),
        ("a snapshot takes onwards", "n1 committed 3 1; n1 installed 4 1; n1 committed 5 1", "upheld"),
        ("what is compacted is no commit", "n1 committed 4 1; n1 compacted 3 1", "undecided"),
    ),
)
def test_a_commit_index_never_goes_back_in_one_life(text: str, expected: str) -> None:
    assert outcome(CommitStands().check(trace(text, nodes=CLUSTER))) == expected


def test_the_story_of_a_commitment_taken_back_tells_both_and_what_lies_between() -> None:
    text = "n1 committed 5 2; n2 committed 1 1; n1 committed 2 2"
    assert story(CommitStands().check(trace(text, nodes=CLUSTER))) == (
        "n1 takes the commitment of indices 3 to 5 back:\n"
        "  at 1 ms: n1 committed (index 5, term 2)\n"
        "  at 3 ms: n1 committed (index 2, term 2)\n"
        "What is committed stays so: in one life of a node its commit index never goes back."
    )
