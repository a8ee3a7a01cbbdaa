"""Durability: what is acknowledged stays on a majority of disks. And roles: who acknowledges was entitled to."""

from __future__ import annotations

import pytest

from upheld.checkers.durability import Durable
from upheld.checkers.roles import EntitledAnswers
from upheld.checkers.verdict import Upheld
from upheld.histories.evidence import Evidence
from upheld.histories.history import History, HistoryBuilder
from upheld.testing.traces import cases, outcome, story, trace

CLUSTER = ("n1", "n2", "n3")
STORED = "n1 appended 1 1 a; n2 appended 1 1 a; n1 acknowledged 1 1 c1 1;"


@pytest.mark.parametrize(
    ("text", "expected"),
    cases(
        ("nothing is acknowledged", "n1 appended 1 1 a", "undecided"),
        ("an answer that is not about an entry", "n1 acknowledged null null c1 1", "undecided"),
        ("on two of three disks", STORED, "upheld"),
        ("on one of three disks", "n1 appended 1 1 a; n1 acknowledged 1 1 c1 1", "too-few-disks"),
        (
            "on a majority, though not on that of who says so",
            "n2 appended 1 1 a; n3 appended 1 1 a; n1 acknowledged 1 1 c1 1",
            "upheld",
        ),
        (
            "with another term on the second disk",
            "n1 appended 1 1 a; n2 appended 1 2 a; n1 acknowledged 1 1 c1 1",
            "too-few-disks",
        ),
        ("a restart that restores it", STORED + "n2 crash fault; n2 restart; n2 restored 1 n1 1 0", "upheld"),
        ("a restart that restores nothing", STORED + "n2 crash fault; n2 restart; n2 term 1", "acknowledged-lost"),
        (
            "a restart that restores a shorter log",
            STORED + "n2 crash fault; n2 restart; n2 restored 1 n1 0 0",
            "acknowledged-lost",
        ),
        ("restarted, and silent since", STORED + "n2 crash fault; n2 restart", "upheld"),
        ("a node that is down still holds it", STORED + "n1 crash fault; n2 crash fault", "upheld"),
        ("a restart of a third node", STORED + "n3 appended 1 1 a; n3 crash fault; n3 restart; n3 term 2", "upheld"),
        (
            "a restart of all",
            STORED + "n1 crash fault; n2 crash fault; n1 restart; n2 restart; n1 term 1",
            "acknowledged-lost",
        ),
        (
            "told by no note, but restored",
            "n1 appended 1 1 a; n2 crash fault; n2 restart; n2 restored 1 n1 1 0; n1 acknowledged 1 1 c1 1",
            "upheld",
        ),
        ("it may be on a disk that is down", "n1 appended 1 1 a; n2 crash fault; n1 acknowledged 1 1 c1 1", "upheld"),
        (
            "it was not on the disk that was down",
            "n1 appended 1 1 a; n2 crash fault; n1 acknowledged 1 1 c1 1; n2 restart; n2 restored 1 n1 0 0",
            "acknowledged-lost",
        ),
        ("a truncation", STORED + "n2 truncated 1", "acknowledged-lost"),
        ("a truncation above it", STORED + "n2 appended 2 1 b; n2 truncated 2", "upheld"),
        ("another entry in its place", STORED + "n2 appended 1 2 b", "acknowledged-lost"),
        ("lost on one disk, and written to a third before", STORED + "n3 appended 1 1 a; n2 truncated 1", "upheld"),
    ),
)
def test_what_is_acknowledged_stays_on_a_majority_of_disks(text: str, expected: str) -> None:
    assert outcome(Durable().check(trace(text, nodes=CLUSTER))) == expected


FOUR = ("n1", "n2", "n3", "n4")
JOINED = 'n1 configured 0 ["n1","n2","n3"]; n2 configured 0 ["n1","n2","n3"]; n3 configured 0 ["n1","n2","n3"];'
GROWS = 'n1 appended 2 1 grow; n1 configured 2 ["n1","n2","n3","n4"];'


@pytest.mark.parametrize(
    ("text", "expected"),
    cases(
        ("two of three members, and a fourth node that is none", JOINED + STORED, "upheld"),
        (
            "on one member and on a node that is none",
            JOINED + "n1 appended 1 1 a; n4 appended 1 1 a; n1 acknowledged 1 1 c1 1",
            "too-few-disks",
        ),
        ("committed before the fourth comes, and acknowledged after", JOINED + GROWS + STORED, "upheld"),
        (
            "committed with the fourth as a member, on two of four",
            JOINED + GROWS + STORED + "n2 appended 2 1 grow; n4 appended 1 1 a; n4 appended 2 1 grow; n1 committed 2 1",
            "upheld",
        ),
        (
            "the fourth counts once its coming is committed, and does not have it",
            JOINED + GROWS + STORED + "n1 committed 2 1",
            "acknowledged-lost",
        ),
        (
            "who has left may lose what it had",
            JOINED + STORED + 'n1 appended 2 1 go; n1 configured 2 ["n1","n3"]; n3 appended 1 1 a; n3 appended 2 1 go;'
            "n1 committed 2 1; n2 crash fault; n2 restart; n2 term 1",
            "upheld",
        ),
        (
            "who stays may not",
            JOINED + STORED + 'n1 appended 2 1 go; n1 configured 2 ["n1","n3"]; n3 appended 1 1 a; n3 appended 2 1 go;'
            "n1 committed 2 1; n3 crash fault; n3 restart; n3 term 1",
            "acknowledged-lost",
        ),
        ("a snapshot stands for it", STORED + "n2 compacted 1 1; n1 compacted 1 1", "upheld"),
        (
            "a snapshot that a crash left behind stands for it",
            STORED + "n2 compacted 1 1; n2 crash fault; n2 restart; n2 restored 1 n1 1 1",
            "upheld",
        ),
        ("a snapshot from elsewhere holds it", STORED + "n3 installed 1 1; n2 truncated 1", "upheld"),
        (
            "a snapshot of another entry",
            "n3 appended 1 2 b; n2 installed 1 2; n1 appended 1 1 a; n1 acknowledged 1 1 c1 1",
            "too-few-disks",
        ),
        (
            "nobody knows what a snapshot holds",
            "n2 installed 3 2; n1 appended 1 1 a; n1 acknowledged 1 1 c1 1",
            "upheld",
        ),
    ),
)
def test_the_majority_is_that_of_the_members_and_snapshots_hold_what_they_stand_for(text: str, expected: str) -> None:
    assert outcome(Durable().check(trace(text, nodes=FOUR if "configured" in text else CLUSTER))) == expected


def test_half_of_the_disks_is_no_majority() -> None:
    half = trace(STORED, nodes=("n1", "n2", "n3", "n4"))
    assert outcome(Durable().check(half)) == "too-few-disks"


def test_without_a_list_of_nodes_the_cluster_is_whoever_noted_anything() -> None:
    alone = "n1 start; n1 appended 1 1 a; n1 acknowledged 1 1 c1 1"
    assert outcome(Durable().check(trace(alone, nodes=()))) == "upheld"
    assert outcome(Durable().check(trace("n2 start; n3 start;" + alone, nodes=()))) == "too-few-disks"


def test_a_property_is_a_judge_of_evidence() -> None:
    verdict = Durable()(Evidence(HistoryBuilder().build(), trace(STORED, nodes=CLUSTER)))
    assert isinstance(verdict, Upheld)
    assert isinstance(Evidence(HistoryBuilder().build()).history, History)
    assert dict(verdict.evidence) == {"notes": 3, "judged": 1}


def test_a_story_tells_which_disks_can_hold_the_entry() -> None:
    early = "n1 appended 1 1 a; n1 acknowledged 1 1 c1 1"
    assert story(Durable().check(trace(early, nodes=CLUSTER))) == (
        "n1 acknowledges index 1 of term 1; of 3 disks at most n1 can hold it:\n"
        "  at 1 ms: n1 appended (index 1, term 1, command a)\n"
        "  at 2 ms: n1 acknowledged (index 1, term 1, client c1, msg_id 1)\n"
        "An acknowledged entry is on a majority of disks, and no restart loses it."
    )
    lost = STORED + "n2 crash fault; n2 restart; n2 restored 1 n1 0 0"
    assert story(Durable().check(trace(lost, nodes=CLUSTER))) == (
        "Index 1 of term 1 was acknowledged, and n2 has lost it; of 3 disks at most n1 can hold it:\n"
        "  at 1 ms: n1 appended (index 1, term 1, command a)\n"
        "  at 3 ms: n1 acknowledged (index 1, term 1, client c1, msg_id 1)\n"
        "  at 6 ms: n2 restored (term 1, voted n1, last_index 0, snapshot_index 0)\n"
        "An acknowledged entry is on a majority of disks, and no restart loses it."
    )


@pytest.mark.parametrize(
    ("text", "expected"),
    cases(
        ("nothing is acknowledged", "n1 leads 1", "undecided"),
        ("by the leader of the term", "n1 leads 1; n1 acknowledged 1 1 c1 1", "upheld"),
        ("by one who led in it, and leads no longer", "n1 leads 1; n2 leads 2; n1 acknowledged 1 1 c1 1", "upheld"),
        ("by one who never led", "n1 acknowledged 1 1 c1 1", "not-the-leader"),
        ("by one who leads in a later term", "n1 leads 2; n1 acknowledged 1 1 c1 1", "not-the-leader"),
        ("by another than the leader", "n1 leads 1; n2 acknowledged 1 1 c1 1", "not-the-leader"),
        ("by one of two leaders", "n1 leads 1; n2 leads 1; n2 acknowledged 1 1 c1 1", "not-the-leader"),
        (
            "another leader of that term comes later",
            "n1 leads 1; n1 acknowledged 1 1 c1 1; n2 leads 1",
            "not-the-leader",
        ),
        (
            "another leader of that term, and no answer in it",
            "n1 leads 1; n2 leads 1; n3 leads 2; n3 acknowledged 1 2 c1 1",
            "upheld",
        ),
        (
            "by one who led before it crashed",
            "n1 leads 1; n1 crash fault; n1 restart; n1 acknowledged 1 1 c1 1",
            "not-the-leader",
        ),
        ("an answer that is not about an entry", "n2 acknowledged null null c1 1", "undecided"),
    ),
)
def test_writes_are_acknowledged_by_the_leader_of_their_term(text: str, expected: str) -> None:
    assert outcome(EntitledAnswers().check(trace(text))) == expected


def test_a_story_tells_who_leads() -> None:
    assert story(EntitledAnswers().check(trace("n1 leads 1; n2 acknowledged 1 1 c1 1"))) == (
        "n2 acknowledges an entry of term 1, in which n1 leads:\n"
        "  at 1 ms: n1 leads (term 1)\n"
        "  at 2 ms: n2 acknowledged (index 1, term 1, client c1, msg_id 1)\n"
        "A write is acknowledged by the one leader of its entry's term."
    )
    assert story(EntitledAnswers().check(trace("n2 acknowledged 1 1 c1 1"))).startswith(
        "n2 acknowledges an entry of term 1, and has not led in it since it started:\n"
    )
