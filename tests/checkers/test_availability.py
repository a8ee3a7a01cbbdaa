"""Availability and CAP: who was answered, on which side of which partition, and what a system kept."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from upheld.checkers.answered import answered
from upheld.checkers.availability import Availability, cap
from upheld.checkers.verdict import Refuted, Undecided, Upheld, describe
from upheld.histories.event import Event, Kind
from upheld.histories.evidence import Evidence
from upheld.histories.history import Header, History
from upheld.histories.notation import parse
from upheld.histories.values import to_json
from upheld.testing.traces import outcome, story

MS = 1_000_000
BOUND = 100 * MS


def history(text: str) -> History:
    """Events between semicolons: `AT n1 ACTION ARGUMENT UNTIL KIND RESULT` is a request, sent at a time in ms.

    Whatever has another second word is an event of that process: `100 nemesis partition [["n1"]]`. A request without an end
    is never completed.
    """
    events: list[tuple[int, int, str]] = []
    for number, line in enumerate(filter(None, map(str.strip, text.split(";")))):
        at, who, action, *rest = line.split()
        if who in {"nemesis", "phases"}:
            events.append((int(at), 0, f"{who} info {action} {' '.join(rest)} time={int(at) * MS}"))
            continue
        events.append((int(at), 1, f"{number} invoke {action} {rest[0]} node={who} time={int(at) * MS}"))
        if len(rest) > 1:
            told = f"{number} {rest[2]} {action} {' '.join(rest[3:])} node={who} time={int(rest[1]) * MS}"
            events.append((int(rest[1]), 2, told))
    return parse("\n".join(line for _, _, line in sorted(events, key=lambda event: event[:2])))


CUT = '100 nemesis partition [["n1"],["n2","n3"]]; 500 nemesis undo-partition [["n1"],["n2","n3"]]; 600 phases heal;'
END = "1000 phases final;"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param("0 n1 write 1 10 ok", "upheld", id="answered"),
        pytest.param("0 n1 write 1 100 ok", "upheld", id="answered at the last moment"),
        pytest.param("0 n1 write 1 101 ok", "late", id="answered after the bound"),
        pytest.param("0 n1 write 1 10 fail", "refused", id="refused"),
        pytest.param("0 n1 write 1 100 info", "unanswered", id="a client that waited for the bound"),
        pytest.param("0 n1 write 1 99 info", "undecided", id="a client that gave up before"),
        pytest.param("0 n1 write 1;" + END, "unanswered", id="nobody ever answered"),
        pytest.param("950 n1 write 1;" + END, "undecided", id="the record ends before the bound"),
        pytest.param("", "undecided", id="nobody asked"),
    ],
)
def test_every_request_is_answered_within_the_bound(text: str, expected: str) -> None:
    answered_one = "0 n2 read null 5 ok null;" if text else ""
    assert outcome(Availability(bound_ns=BOUND).check(history(answered_one + text))) == expected


@pytest.mark.parametrize(
    ("faults", "expected"),
    [
        pytest.param('100 nemesis crash ["n1"]; 300 nemesis undo-crash ["n1"];', "upheld", id="down"),
        pytest.param('205 nemesis crash ["n1"]; 206 nemesis undo-crash ["n1"];', "upheld", id="down for a moment"),
        pytest.param('100 nemesis pause ["n1"]; 300 nemesis undo-pause ["n1"];', "upheld", id="paused"),
        pytest.param('100 nemesis forsake ["n1"];', "upheld", id="dead for ever"),
        pytest.param('100 nemesis forsake ["n1"]; 150 phases heal;', "upheld", id="dead beyond the heal"),
        pytest.param('100 nemesis crash ["n1"]; 150 phases heal;', "unanswered", id="healed before it was asked"),
        pytest.param('100 nemesis crash ["n1"]; 150 nemesis undo-crash ["n1"];', "unanswered", id="up again before"),
        pytest.param('100 nemesis crash ["n2"];', "unanswered", id="another node is down"),
        pytest.param(
            '100 nemesis crash ["n1"]; 120 nemesis pause ["n1"]; 150 nemesis undo-pause ["n1"];',
            "upheld",
            id="down by one of two faults",
        ),
    ],
)
def test_a_node_that_is_down_owes_no_answer(faults: str, expected: str) -> None:
    text = faults + "0 n2 read null 5 ok null; 200 n1 write 1 320 info;" + END
    assert outcome(Availability(bound_ns=BOUND).check(history(text))) == expected


def test_an_answer_of_a_node_that_is_said_to_be_down_is_an_answer() -> None:
    text = '0 nemesis crash ["n1"]; 10 n1 write 1 20 ok'
    assert isinstance(Availability(bound_ns=BOUND).check(history(text)), Upheld)


def test_what_names_no_node_or_no_time_is_left_aside_and_counted() -> None:
    verdict = Availability(bound_ns=BOUND).check(
        parse("0 invoke write 1 time=0\n0 fail write time=1\n1 invoke write 2 node=n1\n1 fail write node=n1\n")
    )
    assert isinstance(verdict, Undecided)
    assert verdict.is_vacuous
    assert verdict.notes == ("2 operations name no node or no time",)


def test_times_of_clocks_that_may_be_apart_tell_of_no_partition() -> None:
    one = history(CUT + "150 n1 write 1 300 info;" + END)
    apart = Availability(bound_ns=BOUND).check(History(one.columns, header=Header(clocks=2)))
    assert isinstance(apart, Undecided)
    assert apart.reason.startswith("not applicable")
    known = History(one.columns, header=Header(clocks=2, clock_error_ns=5))
    assert outcome(Availability(bound_ns=BOUND).check(known)) == "unanswered"


def test_only_requests_in_partitions_may_be_asked_for() -> None:
    text = "0 n1 write 1 10 fail;" + CUT + "150 n2 write 2 160 ok;" + END
    assert outcome(Availability(bound_ns=BOUND).check(history(text))) == "refused"
    assert outcome(Availability(bound_ns=BOUND, partitioned=True).check(history(text))) == "upheld"
    before = "0 n1 write 1 10 ok;" + CUT + END
    vacuous = Availability(bound_ns=BOUND, partitioned=True).check(history(before))
    assert isinstance(vacuous, Undecided)
    assert "while a partition acted" in vacuous.reason


def test_the_story_names_the_request_its_node_the_partition_and_how_long_it_waited() -> None:
    text = CUT + "150 n1 write 1 300 info; 160 n2 write 2 170 ok;" + END
    assert story(Availability(bound_ns=BOUND).check(history(text))) == (
        "This request was sent to n1 at 150 ms, and n1 was up:\n"
        "  process 3: write(1) -> ?\n"
        "It waited for 100 ms, as long as an answer may take, and got none.\n"
        "A partition acted from 100 ms to 500 ms, with n1 on the side of n1.\n"
        "Every request to a node that is up is answered within the bound, whatever the network does."
    )


def test_a_table_tells_who_was_answered_side_by_side() -> None:
    text = CUT + "10 n1 write 1 20 ok; 150 n1 write 1 300 info; 160 n2 write 2 170 ok; 200 n3 read null 230 ok 2;" + END
    table = answered(history(text), bound_ns=BOUND)
    assert [
        (row.cut, row.side, row.asked, row.answered, row.share, row.median_ns, row.longest_ns) for row in table.rows
    ] == [
        (None, ("n1", "n2", "n3"), 1, 1, 1.0, 10 * MS, 10 * MS),
        (0, ("n1",), 1, 0, 0.0, None, None),
        (0, ("n2", "n3"), 2, 2, 1.0, 10 * MS, 30 * MS),
    ]
    assert [(cut.begin_ns, cut.end_ns) for cut in table.cuts] == [(100 * MS, 500 * MS)]


def test_sides_are_the_nodes_that_can_reach_each_other() -> None:
    one_way = '100 nemesis partition ["n1>n2","n3>n1"]; 500 phases heal; 200 n1 write 1 210 ok; 200 n2 write 1 210 ok; 1 n3 read null 2 ok null'
    assert [row.side for row in answered(history(one_way), bound_ns=BOUND).rows] == [
        ("n1", "n2", "n3"),
        ("n1",),
        ("n2", "n3"),
    ]


def test_a_partition_that_nothing_heals_acts_until_the_record_ends() -> None:
    table = answered(history('100 nemesis partition [["n1"],["n2"]]; 150 n1 write 1 160 ok'), bound_ns=BOUND)
    assert [row.cut for row in table.rows] == [0]


def test_a_verdict_is_json() -> None:
    text = CUT + "150 n1 write 1 300 info; 160 n2 write 2 170 ok;" + END
    told: Any = describe(Availability(bound_ns=BOUND).check(history(text)))
    assert [row["side"] for row in told["evidence"]["rows"]] == [["n1"], ["n2", "n3"]]
    assert to_json(told)


def test_a_client_that_gave_up_leaves_a_doubt_and_no_empty_record() -> None:
    verdict = Availability(bound_ns=BOUND).check(history("0 n1 write 1 60 info"))
    assert isinstance(verdict, Undecided)
    assert not verdict.is_vacuous
    assert verdict.reason == (
        "1 request was not answered, and nobody waited for 100 ms: "
        "its client gave up 60 ms after process 0: write(1) -> ? was sent to n1"
    )


# --- CAP

WRITE = "150 n2 write 1 160 ok;"


@pytest.mark.parametrize(
    ("text", "kept", "name"),
    [
        pytest.param(CUT + WRITE + "300 n1 read null 310 fail;", "consistency", "CP", id="one side refuses"),
        pytest.param(CUT + WRITE + "300 n1 read null 410 info;", "consistency", "CP", id="one side is silent"),
        pytest.param(CUT + WRITE + "300 n1 read null 310 ok null;", "availability", "AP", id="one side is stale"),
        pytest.param(
            CUT + WRITE + "300 n1 read null 310 ok null; 400 n3 read null 410 fail;", "neither", "neither", id="neither"
        ),
        pytest.param(CUT + WRITE + "300 n1 read null 310 ok 1;", "undecided", "undecided", id="both, which cannot be"),
        pytest.param(WRITE + "300 n1 read null 310 ok 1;", "both", "both", id="both, without a partition"),
        pytest.param(WRITE + "300 n1 read null 310 fail;", "consistency", "consistency", id="refused without one"),
        pytest.param(CUT + "50 n1 write 1 60 ok;", "undecided", "undecided", id="nobody asked in the partition"),
        pytest.param(
            CUT + WRITE + "700 n1 read null 710 fail;", "undecided", "undecided", id="refused after the partition"
        ),
    ],
)
def test_a_partition_takes_consistency_or_availability(text: str, kept: str, name: str) -> None:
    found = cap(history(text + END), "register", bound_ns=BOUND)
    assert (found.kept, found.name) == (kept, name)
    assert bool(found.reason) == (kept == "undecided")


def test_both_verdicts_stand_beside_what_was_kept() -> None:
    found = cap(history(CUT + WRITE + "300 n1 read null 310 ok null;" + END), "register", bound_ns=BOUND)
    assert isinstance(found.consistency, Refuted)
    assert isinstance(found.availability, Upheld)
    assert found.consistency.checker == "linearizability"
    assert len(found.answered.rows) == 2


def test_both_under_a_partition_is_a_defect_of_the_experiment() -> None:
    found = cap(history(CUT + WRITE + "300 n2 read null 310 ok 1;" + END), "register", bound_ns=BOUND)
    assert found.kept == "undecided"
    assert "the experiment was defective" in found.reason


def test_a_partition_between_nodes_that_nobody_names_is_no_absence_of_partitions() -> None:
    made = history('100 nemesis partition [["n1"]]; 150 n1 write 1 160 ok; 300 n1 read null 310 ok 1;' + END)
    found = cap(made, "register", bound_ns=BOUND)
    assert (found.kept, found.name) == ("undecided", "undecided")
    assert found.reason.endswith("say which nodes there are")
    told = cap(made, "register", bound_ns=BOUND, nodes=("n1", "n2"))
    assert "the experiment was defective" in told.reason


# --- from the definition

REQUESTS = st.lists(
    st.tuples(
        st.integers(0, 9),
        st.integers(0, 9),
        st.sampled_from(("ok", "fail", "info", "")),
        st.sampled_from(("n1", "n2")),
    ),
    max_size=6,
)
SPAN = st.tuples(st.integers(0, 9), st.integers(1, 9)).map(lambda pair: (pair[0], pair[0] + pair[1]))


@given(REQUESTS, SPAN, SPAN)
def test_availability_is_its_definition(
    requests: list[tuple[int, int, str, str]], down: tuple[int, int], cut: tuple[int, int]
) -> None:
    events: list[tuple[int, int, dict[str, Any]]] = []
    for number, (at, took, kind, node) in enumerate(requests):
        about = {"process": number, "action": "write", "value": number, "node": node}
        events.append((at, 1, {**about, "kind": Kind.INVOKE}))
        if kind:
            events.append((at + took, 2, {**about, "kind": Kind(kind)}))
    for (begin, end), action, value in ((down, "crash", ("n1",)), (cut, "partition", (("n1",), ("n2",)))):
        about = {"process": "nemesis", "kind": Kind.INFO, "value": value}
        events += [(begin, 0, {**about, "action": action}), (end, 0, {**about, "action": f"undo-{action}"})]
    events.sort(key=lambda event: event[:2])
    made = History.of_events(Event(time=at, **about) for at, _, about in events)
    bound, last = 5, events[-1][0]

    def fate(at: int, took: int, kind: str, node: str) -> str:
        is_ok = kind == "ok" and took <= bound
        if is_ok:
            return "answered"
        waits = range(at, min(at + took if kind else at + bound, at + bound) + 1)
        if node == "n1" and any(down[0] <= moment < down[1] for moment in waits):
            return "down"
        if kind == "fail":
            return "refused"
        known_until = min(at + took if kind else last, last)
        return "late" if kind == "ok" else "unanswered" if known_until >= at + bound else "open"

    for partitioned in (False, True):
        fates = {fate(*each) for each in requests if not partitioned or cut[0] <= each[0] < cut[1]}
        verdict = outcome(Availability(bound_ns=bound, partitioned=partitioned).check(made))
        order = [each for each in ("unanswered", "refused", "late") if each in fates]
        is_upheld = "answered" in fates and "open" not in fates
        assert verdict == (order[0] if order else "upheld" if is_upheld else "undecided")


def test_it_is_a_judge_of_evidence() -> None:
    evidence = Evidence(history("0 n1 write 1 10 ok"))
    assert isinstance(Availability(bound_ns=BOUND)(evidence), Upheld)
