"""Liveness on finite runs: in time, late, stuck, or nobody knows."""

from __future__ import annotations

import pytest

from upheld.checkers.consensus import Decides
from upheld.checkers.progress import Progress, Reelection
from upheld.checkers.verdict import Undecided, Upheld
from upheld.histories.event import Event, Kind, Operation
from upheld.histories.evidence import Evidence
from upheld.histories.history import History
from upheld.histories.trace import Trace
from upheld.testing.traces import MS, cases, outcome, story, trace

BOUND = 100 * MS


def history(text: str) -> History:
    """One event a line: time in ms, process, kind, action, and optionally the node; a session is the process modulo 10."""
    events = []
    for line in text.replace(";", "\n").splitlines():
        if line.split():
            time, process, kind, action, *node = line.split()
            client = int(process) if process.isdigit() else None
            events.append(
                Event(
                    process=process if client is None else client,
                    kind=Kind(kind),
                    action=action,
                    value=None,
                    time=int(time) * MS,
                    session=None if client is None else client % 10,
                    node=node[0] if node else None,
                )
            )
    return History.of_events(events)


HEAL = "1000 phases info heal;"
ANSWERED = HEAL + "1010 0 invoke get; 1020 0 ok get; 1050 0 invoke put; 1055 0 ok put;"
FAILING = HEAL + "1010 0 invoke put; 1060 0 info put; 1060 10 invoke put; 1130 10 info put;"


@pytest.mark.parametrize(
    ("events", "notes", "expected"),
    [
        pytest.param("10 0 invoke get; 20 0 ok get", "", "undecided", id="no heal"),
        pytest.param(HEAL, "", "undecided", id="nobody asked"),
        pytest.param("10 0 invoke get; 20 0 ok get;" + HEAL, "", "undecided", id="nobody asked after the heal"),
        pytest.param(ANSWERED, "", "upheld", id="answered"),
        pytest.param(HEAL + "1010 0 invoke get; 1111 0 ok get", "", "late", id="an answer that took too long"),
        pytest.param(HEAL + "1010 0 invoke get; 1110 0 ok get", "", "upheld", id="an answer at the last moment"),
        pytest.param("990 0 invoke get;" + HEAL + "1500 0 ok get", "", "undecided", id="asked before the heal"),
        pytest.param(ANSWERED + "1060 0 invoke get; 1150 0 info get", "", "upheld", id="a client that gave up early"),
        pytest.param(
            FAILING + "1130 20 invoke put; 1135 20 ok put", "", "late", id="several in a row, and then an answer"
        ),
        pytest.param(FAILING + "2000 phases info final", "", "stuck", id="several in a row, and then silence"),
        pytest.param(FAILING + "2000 phases info final", "@1800 n1 term 9", "undecided", id="nodes are still at it"),
        pytest.param(FAILING, "", "undecided", id="too short to see that nothing moves"),
        pytest.param(FAILING + "1120 1 invoke put; 1125 1 ok put", "", "undecided", id="another session is served"),
        pytest.param(
            HEAL + "1010 0 invoke put; 1300 phases info final",
            "",
            "undecided",
            id="open for too long, not yet for three periods",
        ),
        pytest.param(HEAL + "1010 0 invoke put; 1320 phases info final", "", "stuck", id="open for ever"),
        pytest.param(HEAL + "1010 0 invoke put; 1050 phases info final", "", "undecided", id="open when the run ended"),
        pytest.param(
            HEAL + "1010 0 invoke put n2; 2000 phases info final",
            "@500 n2 crash fault",
            "undecided",
            id="asked of a dead node",
        ),
        pytest.param(
            HEAL + "1010 0 invoke put n2; 2000 phases info final",
            "@500 n2 crash fault; @600 n2 restart",
            "stuck",
            id="asked of a node that is back",
        ),
        pytest.param(HEAL + "1010 0 invoke put n2; 1150 0 fail put", "", "undecided", id="refused for too long"),
    ],
)
def test_operations_complete_within_the_bound(events: str, notes: str, expected: str) -> None:
    evidence = Evidence(history(events), trace(notes))
    assert outcome(Progress(bound=BOUND)(evidence)) == expected


def test_claims_may_say_what_is_owed_and_compute_the_bound() -> None:
    evidence = Evidence(history(FAILING + "1130 20 invoke get; 1135 20 ok get"))

    def reads(operation: Operation, _: Evidence) -> bool:
        return operation.action == "get"

    assert outcome(Progress(bound=BOUND, counts=reads)(evidence)) == "upheld"
    assert outcome(Progress(bound=lambda each: len(each.history) * 20 * MS)(evidence)) == "upheld"
    assert outcome(Progress(bound=lambda each: len(each.history) * 10 * MS)(evidence)) == "late"


def test_an_upheld_progress_says_how_long_it_took() -> None:
    verdict = Progress(bound=BOUND)(Evidence(history(ANSWERED + "1060 0 invoke get; 1150 0 info get")))
    assert isinstance(verdict, Upheld)
    assert dict(verdict.evidence) == {"bound_ns": BOUND, "answered": 2, "longest_ns": 90 * MS}


@pytest.mark.parametrize(
    ("notes", "expected"),
    cases(
        ("no leader crashed", "@10 n1 leads 1; @20 n2 crash fault", "undecided"),
        (
            "a crash in the storm, and a leader before the heal",
            "@10 n1 leads 1; @20 n1 crash fault; @500 n2 leads 2",
            "upheld",
        ),
        ("within the bound from the heal", "@10 n1 leads 1; @20 n1 crash fault; @1100 n2 leads 2", "upheld"),
        (
            "the same node leads again",
            "@10 n1 leads 1; @20 n1 crash fault; @900 n1 restart; @1050 n1 leads 2",
            "upheld",
        ),
        (
            "in the same term, since the cluster has forgotten it",
            "@10 n1 leads 1; @20 n1 crash fault; @1050 n2 leads 1; @2000 n1 term 2",
            "upheld",
        ),
        ("late", "@10 n1 leads 1; @20 n1 crash fault; @1101 n2 leads 2", "late"),
        ("never, and nothing moves", "@10 n1 leads 1; @20 n1 crash fault", "stuck"),
        ("not yet", "@10 n1 leads 1; @20 n1 crash fault; @1900 n2 term 7", "undecided"),
        ("a crash after the heal", "@10 n1 leads 1; @1500 n1 crash fault; @1600 n2 leads 2", "upheld"),
        ("a crash after the heal, late", "@10 n1 leads 1; @1500 n1 crash fault; @1601 n2 leads 2", "late"),
        ("who crashes led no longer", "@10 n1 leads 1; @20 n2 leads 2; @30 n1 crash fault", "undecided"),
        (
            "two crashes, the second without a successor",
            "@10 n1 leads 1; @20 n1 crash fault; @30 n2 leads 2; @40 n2 crash fault",
            "stuck",
        ),
    ),
)
def test_a_new_leader_follows_one_that_crashed(notes: str, expected: str) -> None:
    evidence = Evidence(history(HEAL + "2000 phases info final"), trace(notes))
    assert outcome(Reelection(bound=BOUND)(evidence)) == expected


@pytest.mark.parametrize(
    ("notes", "expected"),
    cases(
        ("never, and nothing moves", "@10 n1 decided 1 a", "stuck"),
        ("nothing new", "@10 n1 decided 1 a; @1020 n2 decided 1 a", "stuck"),
        ("a new slot", "@10 n1 decided 1 a; @1020 n2 decided 2 b", "upheld"),
        ("an entry that was committed before", "@10 n1 committed 3 1; @1020 n2 committed 3 1", "stuck"),
        ("a new entry", "@10 n1 committed 3 1; @1020 n2 committed 4 1", "upheld"),
        ("what was applied before", "@10 n1 applied 3 1 a c0 1; @1020 n2 applied 3 1 a c0 1", "stuck"),
        ("another entry in its place", "@10 n1 applied 3 1 a c0 1; @1020 n2 applied 3 1 b c0 2", "upheld"),
        ("late", "@1200 n1 decided 1 a", "late"),
        ("not yet", "@1900 n1 term 7", "undecided"),
    ),
)
def test_a_decision_follows_the_heal(notes: str, expected: str) -> None:
    evidence = Evidence(history(HEAL + "2000 phases info final"), trace(notes))
    assert outcome(Decides(bound=BOUND)(evidence)) == expected


def test_a_decision_is_owed_to_who_asks() -> None:
    def writes(operation: Operation) -> bool:
        return operation.action == "put"

    judge = Decides(bound=BOUND, asks=writes)
    unasked = Evidence(history(ANSWERED.replace("put", "get") + "2000 phases info final"), trace(""))
    late = Evidence(history(HEAL + "1500 0 invoke put; 1600 0 ok put"), trace("@1590 n1 decided 1 a"))
    assert isinstance(judge(unasked), Undecided)
    assert outcome(judge(late)) == "upheld"


def test_the_stories_say_what_was_allowed_and_what_happened() -> None:
    late = Evidence(history(FAILING + "1130 20 invoke put; 1135 20 ok put"))
    assert story(Progress(bound=BOUND)(late)) == (
        "From 1010 ms on, an answer may take 100 ms: until 1110 ms.\n"
        "It came later:\n"
        "  invoked at 1010 ms, info at 1060 ms: process 0: put() -> ?\n"
        "  invoked at 1060 ms, info at 1130 ms: process 10: put() -> ?\n"
        "  invoked at 1130 ms, ok at 1135 ms: process 20: put() -> null"
    )
    stuck = Evidence(history(HEAL + "2000 phases info final"), trace("@10 n1 leads 1; @20 n1 crash fault"))
    assert story(Reelection(bound=BOUND)(stuck)) == (
        "From 1000 ms on, a leader after n1 may take 100 ms: until 1100 ms.\n"
        "  at 10 ms: n1 leads (term 1)\n"
        "  at 20 ms: n1 crash (why fault)\n"
        "It never came: no node noted anything after 1000 ms, and the run went on until 2000 ms."
    )


def test_messages_alone_are_no_change() -> None:
    events = history(FAILING + "2000 phases info final")
    silent = Evidence(events, trace("@10 n1 term 1"))
    talking = Evidence(events, Trace([*silent.trace, *trace("@1900 n1 send 7 n2 ping {}")]))
    judge = Progress(bound=BOUND)
    assert outcome(judge(silent)) == outcome(judge(talking)) == "stuck"
