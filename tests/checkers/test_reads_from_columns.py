"""The fast way of tracing reads and the general one find the same."""

from __future__ import annotations

from dataclasses import fields

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from upheld.checkers.reads_from import Outside, ReadsFrom
from upheld.checkers.reads_from.columns import trace_columns
from upheld.checkers.reads_from.tracing import trace_operations
from upheld.histories.event import MISSING, Event, Kind, Missing
from upheld.histories.history import Header, History, NilRead
from upheld.histories.values import Value

KEYS, SESSIONS = ("x", "y", None), ("s", 1, None)


@st.composite
def histories(draw: st.DrawFn) -> History:
    """Clients that read, write and delete; most values are unique, and most reads return what somebody wrote."""
    events: list[Event] = []
    doing: dict[int, tuple[str, Value]] = {}
    written: dict[Value, list[Value]] = {key: [None] for key in KEYS}
    for step in range(draw(st.integers(0, 20))):
        process = draw(st.integers(0, 3))
        value: Value | Missing = MISSING
        if process in doing:
            action, key = doing.pop(process)
            kind = draw(st.sampled_from((Kind.OK, Kind.OK, Kind.OK, Kind.FAIL, Kind.INFO)))
            if action == "read" and kind is Kind.OK:
                value = draw(st.sampled_from([*written[key], *written[key], 1]))
        else:
            action, key = (
                draw(st.sampled_from(("read", "read", "write", "write", "delete"))),
                draw(st.sampled_from(KEYS)),
            )
            doing[process], kind = (action, key), Kind.INVOKE
            if action == "write":
                value = step if draw(st.integers(0, 15)) else 1
                written[key].append(value)
        session = SESSIONS[process % 3]
        events.append(Event(index=0, process=process, kind=kind, action=action, key=key, value=value, session=session))
    nil_read: NilRead = draw(st.sampled_from(("absent", "unknown")))
    initial = draw(st.sampled_from((MISSING, None, 1, "never")))
    return History.of_events(events, header=Header(nil_read=nil_read, initial=initial))


def plain(found: ReadsFrom) -> dict[str, object]:
    """What was found, comparable."""
    told = {field.name: getattr(found, field.name) for field in fields(found)}
    return {name: value.tolist() if isinstance(value, np.ndarray) else value for name, value in told.items()}


@given(histories(), st.sampled_from(("nothing", "start", "anything")))
def test_what_the_fast_way_finds_the_general_one_finds_too(history: History, outside: Outside) -> None:
    found = trace_columns(history, outside)
    if found is not None:
        assert plain(found) == plain(trace_operations(history, outside))


@given(st.lists(st.sampled_from(("read", "write")), max_size=12))
def test_the_fast_way_is_taken_where_every_read_has_its_write(actions: list[str]) -> None:
    events: list[Event] = []
    held: Value = None
    for number, action in enumerate(actions):
        held = number if action == "write" else held
        asked, told = (number, MISSING) if action == "write" else (MISSING, held)
        events.append(Event(index=0, process=number % 2, kind=Kind.INVOKE, action=action, value=asked))
        events.append(Event(index=0, process=number % 2, kind=Kind.OK, action=action, value=told))
    assert trace_columns(History.of_events(events), "nothing") is not None
