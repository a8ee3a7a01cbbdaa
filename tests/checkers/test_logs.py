"""Raft's properties of the log: append-only leaders, matching logs, complete leaders."""

from __future__ import annotations

import pytest

from upheld.checkers.consensus import LeaderAppendOnly, LeaderCompleteness, LogMatching
from upheld.testing.traces import cases, outcome, story, trace


@pytest.mark.parametrize(
    ("text", "expected"),
    cases(
        ("nobody leads", "n1 appended 1 1 a; n1 truncated 1", "undecided"),
        ("a leader appends", "n1 leads 1; n1 appended 1 1 a; n1 appended 2 1 b", "upheld"),
        ("a leader deletes", "n1 appended 1 1 a; n1 leads 2; n1 truncated 1", "leader-deletes"),
        ("a leader overwrites", "n1 appended 1 1 a; n1 leads 2; n1 appended 1 2 b", "leader-overwrites"),
        ("a leader says the same again", "n1 appended 1 1 a; n1 leads 2; n1 appended 1 1 a", "upheld"),
        ("there is nothing that it could delete", "n1 appended 1 1 a; n1 leads 2; n1 truncated 2", "upheld"),
        (
            "it leads no longer",
            "n1 appended 1 1 a; n1 leads 2; n1 term 3; n1 truncated 1; n2 leads 3; n2 appended 1 3 b",
            "upheld",
        ),
        (
            "it voted in a higher term",
            "n1 appended 1 1 a; n1 leads 2; n1 voted 3 n2; n1 truncated 1; n1 leads 4; n1 appended 1 4 a",
            "upheld",
        ),
        (
            "it crashed",
            "n1 appended 1 1 a; n1 leads 2; n1 crash fault; n1 restart; n1 restored 2 n1 1 0; n1 truncated 1",
            "undecided",
        ),
        (
            "a crash takes its log",
            "n1 leads 2; n1 appended 1 2 a; n1 crash fault; n1 restart; n1 appended 1 3 b",
            "upheld",
        ),
        (
            "it deletes what it restored and nobody had told",
            "n1 restored 1 n1 3 0; n1 leads 2; n1 truncated 2",
            "leader-deletes",
        ),
    ),
)
def test_a_leader_only_appends(text: str, expected: str) -> None:
    assert outcome(LeaderAppendOnly().check(trace(text))) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    cases(
        ("empty logs", "n1 leads 1", "undecided"),
        ("the same log", "n1 appended 1 1 a; n1 appended 2 1 b; n2 appended 1 1 a; n2 appended 2 1 b", "upheld"),
        ("different terms at an index", "n1 appended 1 1 a; n2 appended 1 2 b", "upheld"),
        ("two commands of one index and term", "n1 appended 1 1 a; n2 appended 1 1 b", "two-entries"),
        ("true and 1 are two commands", "n1 appended 1 1 1; n2 appended 1 1 true", "two-entries"),
        (
            "the same entry above different ones",
            "n1 appended 1 1 a; n1 appended 2 3 c; n2 appended 1 2 b; n2 appended 2 3 c",
            "two-prefixes",
        ),
        ("the same entry above nothing", "n1 appended 1 1 a; n1 appended 2 3 c; n2 appended 2 3 c", "two-prefixes"),
        (
            "replaced in time",
            "n1 appended 1 1 a; n1 appended 2 3 c; n2 appended 1 2 b; n2 truncated 1; n2 appended 1 1 a; n2 appended 2 3 c",
            "upheld",
        ),
        ("replaced below what stays", "n1 appended 1 1 a; n1 appended 2 1 b; n1 appended 1 2 c", "two-prefixes"),
        (
            "lost in a crash, then written anew",
            "n1 appended 1 1 a; n1 crash fault; n1 restart; n1 term 2; n1 appended 1 2 b",
            "upheld",
        ),
        (
            "nobody knows what it restored",
            "n1 appended 1 1 a; n1 appended 2 2 b; n2 restored 1 null 1 0; n2 appended 2 2 b",
            "upheld",
        ),
        (
            "known again, and different",
            "n1 appended 1 1 a; n1 appended 2 2 b; n2 restored 1 null 1 0; n2 appended 2 2 b; n2 appended 1 3 c",
            "two-prefixes",
        ),
        (
            "a crash between two notes of one log",
            "n1 appended 1 1 a; n1 crash fault; n1 restored 1 null 2 0; n1 appended 3 2 c; n2 appended 1 1 a; n2 appended 2 1 b; n2 appended 3 2 c",
            "upheld",
        ),
        (
            "above what a snapshot stands for",
            "n1 appended 1 1 a; n1 appended 2 1 b; n1 compacted 2 1; n1 appended 3 1 c; n2 installed 2 1; n2 appended 3 1 c",
            "upheld",
        ),
        (
            "above a snapshot, and above another entry than it ends with",
            "n1 appended 1 1 a; n1 appended 2 2 b; n2 installed 2 2; n2 appended 3 2 c; n3 appended 1 1 a; n3 appended 2 1 x; n3 appended 3 2 c",
            "two-prefixes",
        ),
        (
            "what a snapshot replaces is gone",
            "n1 appended 1 2 a; n1 appended 2 2 b; n2 appended 1 1 x; n2 appended 2 1 y; n2 installed 1 2; n2 appended 2 2 b",
            "upheld",
        ),
        (
            "what follows the last entry of a snapshot stays",
            "n1 appended 1 1 a; n1 appended 2 1 b; n2 appended 1 1 a; n2 appended 2 1 b; n2 installed 1 1; n2 appended 3 1 c; n1 appended 3 1 c",
            "upheld",
        ),
        (
            "nobody knows what an installed snapshot holds that nobody has noted",
            "n1 installed 4 2; n1 appended 5 2 e; n2 appended 4 2 d; n2 appended 5 2 e",
            "upheld",
        ),
        (
            "nobody knows what came before a snapshot that was restored without having been noted",
            "n1 appended 1 1 x; n1 crash fault; n1 restart; n1 restored 2 null 1 1; n1 appended 2 2 b; n2 appended 1 2 a; n2 appended 2 2 b",
            "upheld",
        ),
    ),
)
def test_logs_match(text: str, expected: str) -> None:
    assert outcome(LogMatching().check(trace(text))) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    cases(
        ("nothing is committed", "n1 term 1; n1 leads 1; n1 appended 1 1 a; n2 leads 2", "undecided"),
        ("nobody is elected later", "n1 term 1; n1 leads 1; n1 appended 1 1 a; n1 committed 1 1", "undecided"),
        (
            "the next leader has it",
            "n1 leads 1; n1 appended 1 1 a; n2 appended 1 1 a; n1 committed 1 1; n2 leads 2",
            "upheld",
        ),
        (
            "the next leader lacks it",
            "n1 leads 1; n1 appended 1 1 a; n1 committed 1 1; n2 leads 2",
            "incomplete-leader",
        ),
        (
            "the commit is told after the election",
            "n1 leads 1; n1 appended 1 1 a; n2 leads 2; n1 committed 1 1",
            "incomplete-leader",
        ),
        (
            "the next leader has another entry",
            "n1 leads 1; n1 appended 1 1 a; n1 committed 1 1; n2 appended 1 2 b; n2 leads 3",
            "incomplete-leader",
        ),
        (
            "an index commits all below it",
            "n1 leads 1; n1 appended 1 1 a; n1 appended 2 1 b; n1 committed 2 1; n2 appended 2 1 b; n2 leads 3",
            "incomplete-leader",
        ),
        (
            "the leader of an earlier term may lack it",
            "n3 leads 2; n1 appended 1 1 a; n1 leads 3; n1 committed 1 1",
            "undecided",
        ),
        (
            "figure 8: an entry of term 2, committed in term 4, is not owed by leader 3",
            "n1 leads 2; n1 appended 1 2 a; n3 leads 3; n1 leads 4; n1 committed 1 2; n2 appended 1 2 a; n2 leads 5",
            "upheld",
        ),
        (
            "a follower may learn of it late",
            "n1 leads 1; n1 appended 1 1 a; n2 term 2; n2 appended 1 1 a; n2 committed 1 1; n3 leads 2",
            "undecided",
        ),
        ("who committed it did not say its term", "n1 appended 1 1 a; n1 committed 1 1; n2 leads 5", "undecided"),
        (
            "nobody knows what the leader restored",
            "n1 leads 1; n1 appended 1 1 a; n1 committed 1 1; n2 restored 1 null 1 0; n2 leads 2",
            "upheld",
        ),
        (
            "it had it, and lost it in a crash",
            "n1 leads 1; n1 appended 1 1 a; n1 committed 1 1; n2 appended 1 1 a; n2 crash fault; n2 restart; n2 leads 2",
            "incomplete-leader",
        ),
        (
            "it is told again after a restart",
            "n1 leads 1; n1 appended 1 1 a; n1 crash fault; n1 restored 1 n1 1 0; n1 leads 2; n1 committed 1 1; n2 leads 3",
            "incomplete-leader",
        ),
    ),
)
def test_leaders_are_complete(text: str, expected: str) -> None:
    assert outcome(LeaderCompleteness().check(trace(text))) == expected


def test_a_leader_that_deletes_is_shown_with_what_it_deletes() -> None:
    assert story(LeaderAppendOnly().check(trace("n1 appended 1 1 a; n1 leads 2; n1 truncated 1"))) == (
        "n1 leads in term 2, and deletes its log from index 1 on:\n"
        "  at 1 ms: n1 appended (index 1, term 1, command a)\n"
        "  at 2 ms: n1 leads (term 2)\n"
        "  at 3 ms: n1 truncated (first_index 1)\n"
        "A leader only appends to its log while it leads."
    )


def test_a_leader_that_overwrites_is_shown_with_both_entries() -> None:
    assert story(LeaderAppendOnly().check(trace("n1 appended 1 1 a; n1 leads 2; n1 appended 1 2 b"))).splitlines() == [
        "n1 leads in term 2, and overwrites its log from index 1 on:",
        "  at 1 ms: n1 appended (index 1, term 1, command a)",
        "  at 2 ms: n1 leads (term 2)",
        "  at 3 ms: n1 appended (index 1, term 2, command b)",
        "A leader only appends to its log while it leads.",
    ]


def test_two_entries_of_one_index_and_term_are_shown_side_by_side() -> None:
    assert story(LogMatching().check(trace("n1 appended 1 1 a; n2 appended 1 1 b"))) == (
        'At index 1, term 1, n1 has "a" and n2 has "b":\n'
        "  at 1 ms: n1 appended (index 1, term 1, command a)\n"
        "  at 2 ms: n2 appended (index 1, term 1, command b)\n"
        "An index and a term stand for one entry."
    )


def test_two_logs_are_shown_where_they_differ_first() -> None:
    text = "n1 appended 1 1 a; n1 appended 2 3 c; n2 appended 1 2 b; n2 appended 2 3 c"
    assert story(LogMatching().check(trace(text))) == (
        'n1 has the entry of index 2, term 3, above "a" of term 1 at index 1; n2 has it above "b" of term 2 at index 1:\n'
        "  at 2 ms: n1 appended (index 2, term 3, command c)\n"
        "  at 4 ms: n2 appended (index 2, term 3, command c)\n"
        "Logs that share an entry are the same up to it."
    )


def test_an_incomplete_leader_is_shown_with_the_commit_and_what_it_has_instead() -> None:
    text = "n1 leads 1; n1 appended 1 1 a; n1 committed 1 1; n2 appended 1 2 b; n2 leads 3"
    assert story(LeaderCompleteness().check(trace(text))) == (
        '"a" of term 1 is committed at index 1 in term 1 at the latest, and n2, elected in term 3, has "b" of term 2 there:\n'
        "  at 2 ms: n1 appended (index 1, term 1, command a)\n"
        "  at 3 ms: n1 committed (index 1, term 1)\n"
        "  at 4 ms: n2 appended (index 1, term 2, command b)\n"
        "  at 5 ms: n2 leads (term 3)\n"
        "What is committed in a term is in the log of the leader of every higher term."
    )
