"""The timeline: what stands where, and what is left out."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from upheld import Event, History, Kind, Note, parse
from upheld.reports.timeline import View, timeline

STALE = parse("""
    0 invoke write 7 time=0
    1 invoke read time=1200000
    nemesis info partition {"sides":[["n1"],["n2","n3"]]} time=2000000
    1 ok read null time=2500000
    0 ok write time=3000000
""")

LIVES = parse("""
    0 invoke put x: 1 session=0
    1 invoke get x: session=1
    0 info put x: error=timeout session=0
    2 invoke get x: session=0
    1 fail get x: error="no leader" session=1
    2 ok get x: 1 session=0
    phases info heal
    1 invoke get y: session=1
    1 ok get y: null session=1
    3 invoke delete y:
""")

LONG = parse(
    "\n".join(
        ["0 invoke put x: 1", "0 ok put x:", "1 invoke put x: 2"]
        + [line for number in range(300) for line in (f"2 invoke put y: {number}", "2 ok put y:")]
        + ["3 invoke get x:", "3 ok get x: 1", "1 ok put x:"]
    )
)


def test_an_operation_stands_in_its_column_and_a_fault_crosses_the_page(
    drawn: Callable[..., Any], golden: Callable[..., Any]
) -> None:
    golden("timeline-stale.txt", drawn(timeline(STALE, marked={1})))


def test_a_process_that_ended_leaves_its_column_to_its_successor(
    drawn: Callable[..., Any], golden: Callable[..., Any]
) -> None:
    golden("timeline-lives.txt", drawn(timeline(LIVES)))


def test_a_retry_stands_within_its_operation(drawn: Callable[..., Any]) -> None:
    text = "0 invoke get x:\n1 invoke get x:\nretries info get x: 0 node=n2\n1 ok get x: null\n0 ok get x: null\n"
    lines = drawn(timeline(parse(text))).splitlines()
    assert lines[3].split() == ["2", "│", "again,", "to", "n2", "│"]
    assert len(drawn(timeline(parse(text), view=View(processes=("1",)))).splitlines()) == 3


def test_what_a_trace_noted_crosses_the_page_at_its_time(drawn: Callable[..., Any], golden: Callable[..., Any]) -> None:
    facts = [Note(3_500_000, "n2", "leads", (4,)), Note(2_200_000, "n1", "leads", (4,))]
    golden("timeline-facts.txt", drawn(timeline(STALE, facts=facts)))


def test_of_a_long_history_only_what_is_near_the_anomaly_is_drawn(
    drawn: Callable[..., Any], golden: Callable[..., Any]
) -> None:
    golden("timeline-long.txt", drawn(timeline(LONG, marked={0, 603})))


def test_without_an_anomaly_everything_is_drawn(drawn: Callable[..., Any]) -> None:
    assert drawn(timeline(LONG)).count("\n") == len(LONG) + 1


VIEWS = {
    "a process": (View(processes=("1",)), [1, 4, 6, 7, 8]),
    "a session, with all its processes": (View(processes=("0",)), [0, 2, 3, 5, 6]),
    "two processes": (View(processes=("2", "3")), [3, 5, 6, 9]),
    "a key by its text": (View(key="y"), [6, 7, 8, 9]),
    "a key as JSON": (View(key='"y"'), [6, 7, 8, 9]),
    "a key of a process": (View(key="y", processes=("1",)), [6, 7, 8]),
}


@pytest.mark.parametrize("case", VIEWS)
def test_a_view_leaves_out_what_was_not_asked_for_but_never_a_fault(case: str, drawn: Callable[..., Any]) -> None:
    view, expected = VIEWS[case]
    lines = drawn(timeline(LIVES, view=view)).splitlines()[1:]
    assert [int(line.split()[0]) for line in lines] == expected


def test_around_an_event_shows_twenty_on_each_side(drawn: Callable[..., Any]) -> None:
    lines = drawn(timeline(LONG, view=View(around=300))).splitlines()
    assert [line.split()[0] for line in lines[2:-1]] == [str(index) for index in range(280, 321)]
    assert lines[1] == "⋮ 280 events left out"


def test_what_cannot_be_printed_is_spelt_out(drawn: Callable[..., Any]) -> None:
    event = Event(process=0, kind=Kind.INVOKE, action="\x1b[2Jwipe", value="a\nb")
    text = drawn(timeline(History.of_events([event])))
    assert "\x1b" not in text
    assert r'\x1b[2Jwipe("a\nb")' in text


@given(st.lists(st.tuples(st.integers(0, 3), st.sampled_from(["ok", "fail", "info"]), st.booleans()), max_size=30))
def test_every_event_has_a_line_and_no_two_open_operations_share_a_column(
    drawn: Callable[..., Any], steps: list[tuple[int, str, bool]]
) -> None:
    """Clients begin and end operations in any order; an info gives a client a new process, perhaps in its session."""
    events: list[Event] = []
    process = {client: client for client in range(4)}
    is_open = dict.fromkeys(range(4), False)
    for number, (client, outcome, in_session) in enumerate(steps):
        kind = Kind(outcome) if is_open[client] else Kind.INVOKE
        session = client if in_session else None
        events.append(Event(process=process[client], kind=kind, action="go", session=session))
        is_open[client] = not is_open[client]
        if kind is Kind.INFO:
            process[client] = 10 * (number + 1) + client
    lines = drawn(timeline(History.of_events(events))).splitlines()[1:]
    open_now = 0
    for event, line in zip(events, lines, strict=True):
        assert line.count("│") == open_now - (event.kind is not Kind.INVOKE)
        open_now += 1 if event.kind is Kind.INVOKE else -1
