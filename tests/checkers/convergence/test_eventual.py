"""Delivery within a bound: late, stuck, or undecided; and what is still missing at the heal."""

from __future__ import annotations

from typing import TypeAlias

import pytest
from hypothesis import given
from hypothesis import strategies as st

from upheld.checkers.convergence.eventual import Delivered, missing_at_heal
from upheld.checkers.verdict import Refuted, Undecided, Upheld, Verdict
from upheld.histories.event import Event, Kind
from upheld.histories.evidence import Evidence
from upheld.histories.history import History
from upheld.histories.trace import Note, Trace

HEAL = 100
BOUND = 50
STILL = 30
END = 300
JUDGE = Delivered(bound_ns=BOUND, still_ns=STILL)
Told: TypeAlias = tuple[int, str, str, str]
"""Time, node, kind, message."""


def posted(time: int, node: str, text: str) -> Told:
    return (time, node, "posted", text)


def shown(time: int, node: str, text: str) -> Told:
    return (time, node, "shown", text)


def evidence(*notes: Told, acknowledged: dict[str, int | None], end: int = END, heal: int | None = HEAL) -> Evidence:
    """What nodes n1 and n2 noted; which texts were added, and when that was acknowledged (None: never)."""
    events = []
    for process, (text, at) in enumerate(acknowledged.items()):
        events.append(Event(process=process, kind=Kind.INVOKE, action="add", value=text, time=0))
        if at is not None:
            events.append(Event(process=process, kind=Kind.OK, action="add", time=at))
    phases = {"heal": heal, "final": end}
    events += [
        Event(process="phases", kind=Kind.INFO, action=phase, time=time)
        for phase, time in phases.items()
        if time is not None
    ]
    return Evidence(History.of_events(events), Trace([note_of(*told) for told in sorted(notes)], nodes=("n1", "n2")))


def note_of(time: int, node: str, kind: str, text: str) -> Note:
    facts = {"posted": (f"id-{text}", (), None, text), "shown": (f"id-{text}",), "crash": ("fault",)}
    return Note(time, node, kind, facts.get(kind, ()))


def kind_of(verdict: Verdict) -> str:
    return verdict.anomaly.kind if isinstance(verdict, Refuted) else type(verdict).__name__.lower()


ONCE = (posted(10, "n1", "a"), shown(10, "n1", "a"))

CASES: dict[str, tuple[str, tuple[Told, ...], dict[str, int | None]]] = {
    "shown everywhere before the heal": ("upheld", (*ONCE, shown(20, "n2", "a")), {"a": 15}),
    "shown everywhere at the bound": ("upheld", (*ONCE, shown(150, "n2", "a")), {"a": 15}),
    "shown one moment after the bound": ("late", (*ONCE, shown(151, "n2", "a")), {"a": 15}),
    "the bound counts from a later acknowledgement": ("upheld", (*ONCE, shown(250, "n2", "a")), {"a": 200}),
    "never shown, and all is still": ("stuck", ONCE, {"a": 15}),
    "never shown, and something moves until the end": (
        "undecided",
        (*ONCE, posted(290, "n2", "b"), shown(290, "n2", "b")),
        {"a": 15},
    ),
    "never shown, and not due yet": (
        "upheld",
        (*ONCE, posted(280, "n1", "b"), shown(20, "n2", "a")),
        {"a": 15, "b": 280},
    ),
    "nothing that is due": ("undecided", (posted(280, "n1", "b"),), {"b": 280}),
    "what nobody acknowledged need not come": (
        "upheld",
        (*ONCE, shown(20, "n2", "a"), posted(30, "n1", "b")),
        {"a": 15, "b": None},
    ),
    "acknowledged, and never posted": ("stuck", (*ONCE, shown(20, "n2", "a")), {"a": 15, "b": 20}),
    "forgotten in a crash": (
        "stuck",
        (*ONCE, shown(20, "n2", "a"), (30, "n2", "crash", ""), (31, "n2", "restart", "")),
        {"a": 15},
    ),
    "shown again after a crash": (
        "upheld",
        (*ONCE, shown(20, "n2", "a"), (30, "n2", "crash", ""), (31, "n2", "restart", ""), shown(31, "n2", "a")),
        {"a": 15},
    ),
    "shown in time, and forgotten after the bound": (
        "stuck",
        (*ONCE, shown(20, "n2", "a"), (200, "n2", "crash", ""), (201, "n2", "restart", "")),
        {"a": 15},
    ),
    "a node that is dead for ever owes nothing": ("upheld", (*ONCE, (30, "n2", "crash", "")), {"a": 15}),
    "a node that dies after the heal owes what it owed": ("stuck", (*ONCE, (120, "n2", "crash", "")), {"a": 15}),
    "a message that was posted twice is shown when one of the two is": (
        "upheld",
        (*ONCE, posted(11, "n1", "a"), shown(20, "n2", "a")),
        {"a": 15},
    ),
    "a trace without messages": ("undecided", (), {"a": 15}),
}


@pytest.mark.parametrize(("expected", "notes", "acknowledged"), CASES.values(), ids=CASES)
def test_delivery_within_the_bound(expected: str, notes: tuple[Told, ...], acknowledged: dict[str, int | None]) -> None:
    assert kind_of(JUDGE(evidence(*notes, acknowledged=acknowledged))) == expected


def test_without_a_heal_there_is_no_bound() -> None:
    verdict = JUDGE(evidence(*ONCE, acknowledged={"a": 15}, heal=None))
    assert isinstance(verdict, Undecided)
    assert "no phase 'heal'" in verdict.reason


def test_two_messages_of_one_text_cannot_be_told_apart() -> None:
    events = [
        Event(process=process, kind=kind, action="add", value="a" if kind is Kind.INVOKE else None, time=1)
        for process in (0, 1)
        for kind in (Kind.INVOKE, Kind.OK)
    ]
    heal = Event(process="phases", kind=Kind.INFO, action="heal", time=2)
    verdict = JUDGE(Evidence(History.of_events([*events, heal]), Trace([note_of(*ONCE[0])], nodes=("n1",))))
    assert isinstance(verdict, Undecided)
    assert "same text" in verdict.reason


def test_the_story_of_a_message_that_is_stuck() -> None:
    verdict = JUDGE(evidence(*ONCE, acknowledged={"a": 15}))
    assert isinstance(verdict, Refuted)
    assert verdict.anomaly.story == (
        'process 0: add("a") was acknowledged at 1.5e-05 ms',
        "Every node has to show it from 0.00015 ms on",
        "n2 does not show it when the record ends at 0.0003 ms",
        "Nothing has changed at any node since 1e-05 ms (n1 shows id-a)",
        "What is under way for 3e-05 ms has arrived, so nothing will come",
    )


def test_the_story_of_a_message_that_is_late() -> None:
    verdict = JUDGE(evidence(*ONCE, shown(160, "n2", "a"), acknowledged={"a": 15}))
    assert isinstance(verdict, Refuted)
    assert verdict.anomaly.story[-1] == "n2 shows it only from 0.00016 ms on, 1e-05 ms late"


def test_upheld_says_how_long_it_took() -> None:
    verdict = JUDGE(evidence(*ONCE, shown(140, "n2", "a"), acknowledged={"a": 15}))
    assert isinstance(verdict, Upheld)
    assert verdict.evidence == {"due": 2, "slowest_ns": 40}


@pytest.mark.parametrize(
    ("notes", "missing"),
    [
        (ONCE, 1),
        ((*ONCE, shown(99, "n2", "a")), 0),
        ((*ONCE, shown(101, "n2", "a")), 1),
        ((*ONCE, shown(20, "n2", "a"), (30, "n2", "crash", ""), (31, "n2", "restart", "")), 1),
    ],
)
def test_what_is_missing_at_the_heal(notes: tuple[Told, ...], missing: int) -> None:
    assert missing_at_heal(evidence(*notes, acknowledged={"a": 15}), ("add",)) == missing


@given(
    st.lists(st.tuples(st.integers(0, END), st.sampled_from(("n1", "n2")), st.sampled_from("ab")), max_size=6),
    st.dictionaries(st.sampled_from("ab"), st.integers(0, END), min_size=1),
)
def test_verdicts_are_those_of_the_definition(
    showings: list[tuple[int, str, str]], acknowledged: dict[str, int | None]
) -> None:
    notes = [posted(0, "n1", "a"), posted(0, "n2", "b"), *(shown(*showing) for showing in showings)]
    seen = evidence(*notes, acknowledged=acknowledged)
    dues = [(node, text, max(HEAL, at or 0) + BOUND) for text, at in acknowledged.items() for node in ("n1", "n2")]
    first = {
        (node, text): min([time for time, *place in showings if place == [node, text]], default=None)
        for node, text, _ in dues
    }
    late = any((first[node, text] or 0) > deadline for node, text, deadline in dues)
    missing = any(first[node, text] is None and deadline < END for node, text, deadline in dues)
    still = END - max([0, *(time for time, _, _ in showings)]) >= STILL
    nothing = all(first[node, text] is None and deadline >= END for node, text, deadline in dues)
    expected = "stuck" if missing and still else "late" if late else "undecided" if missing or nothing else "upheld"
    assert kind_of(JUDGE(seen)) == expected
