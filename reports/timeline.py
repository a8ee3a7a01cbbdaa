"""A history as a timeline: time runs down, processes are columns, faults cross the page.

    event        time  0            1
        0    0.000 ms  ┌ write(7)
        1    1.200 ms  │            ┏ read()
        2    2.000 ms  ═ partition {"sides":[["n1"],["n2","n3"]]}
        3    2.500 ms  │            ┗ ok null

An operation stands in its column from its invocation to its completion; those of an anomaly have heavy lines. A
process that ends with an `info` leaves its column to a new one; where several stand, each operation names its own.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from itertools import groupby
from typing import Any, Final

import msgspec
from rich.text import Text

from ..histories.event import Event, Kind, Operation
from ..histories.history import History
from ..histories.trace import Note
from ..histories.values import to_json
from .sheet import FACTS, RETRIES, Owners, Sheet

WHOLE_MAX: Final = 200
"""A history of at most so many events is drawn whole."""

NEAR_ANOMALY: Final = 5
NEAR_EVENT: Final = 20
"""How many events are drawn before and after an end of a marked operation, and the event that somebody asked for."""


class View(msgspec.Struct, frozen=True, kw_only=True):
    """What to look at.

    Attributes:
        processes: only these processes or sessions; none means all.
        key: only operations on this key, as JSON or as its bare text; None means all.
        around: only what is near the event with this index; None means all.
    """

    processes: tuple[str, ...] = ()
    key: str | None = None
    around: int | None = None

    def admits(self, operation: Operation) -> bool:
        """Whether this operation is to be drawn."""
        mine = {str(operation.process), str(operation.session)}
        if self.processes and not mine & set(self.processes):
            return False
        return self.key is None or self.key in {to_json(operation.key), str(operation.key)}


EVERYTHING: Final = View()


def timeline(
    history: History, *, marked: Collection[int] = (), facts: Sequence[Note] = (), view: View = EVERYTHING
) -> Text:
    """The history, drawn.

    Args:
        history: what to draw.
        marked: the operations of the anomaly, by the indices of their invocations.
        facts: the notes of the trace that the anomaly is about.
        view: what to leave out.

    Raises:
        MalformedHistory: its events cannot be paired.
    """
    owners = _owners(history, view)
    seen = [event for event in history if event.index in owners or not (event.is_client or event.process == RETRIES)]
    events = _with_facts(seen, facts)
    near = _near(events, owners, marked, view)
    sheet = Sheet(owners, frozenset(marked), [event for event in events if event.index in near])
    lines = [sheet.heading()]
    for is_shown, group in groupby(events, key=lambda event: event.index in near):
        together = list(group)
        lines += [sheet.line(event) for event in together] if is_shown else [sheet.gap(together)]
    return Text("\n").join(lines)


def _owners(history: History, view: View) -> Owners:
    """The operations to draw, by the indices of their ends, and of the retries in between."""
    found: Owners = {}
    for operation in history.operations:
        if view.admits(operation):
            found[operation.invocation] = operation
            if operation.completion is not None:
                found[operation.completion] = operation
    last: dict[Any, Operation] = {}
    for event in history:
        if event.index in found:
            last[event.process] = found[event.index]
        elif event.process == RETRIES and event.value in last:
            found[event.index] = last[event.value]
    return found


def _with_facts(events: Sequence[Event], facts: Sequence[Note]) -> list[Event]:
    """The events with the notes among them, each before the first event that is later."""
    noted = [
        Event(index=-1 - number, process=FACTS, kind=Kind.INFO, action=str(note), time=note.time)
        for number, note in enumerate(sorted(facts, key=lambda note: note.time))
    ]
    merged: list[Event] = []
    for event in events:
        while noted and event.time is not None and noted[0].time is not None and noted[0].time < event.time:
            merged.append(noted.pop(0))
        merged.append(event)
    return [*merged, *noted]


def _near(events: Sequence[Event], owners: Owners, marked: Collection[int], view: View) -> set[int]:
    """The indices of the events to draw: near what was asked for, near the anomaly in a long history, otherwise all."""
    if view.around is not None:
        centers, reach = [place for place, event in enumerate(events) if event.index >= view.around][:1], NEAR_EVENT
    elif len(events) > WHOLE_MAX and (marked or any(event.process == FACTS for event in events)):
        wanted = {index for index, operation in owners.items() if operation.invocation in marked}
        centers = [place for place, event in enumerate(events) if event.index in wanted or event.process == FACTS]
        reach = NEAR_ANOMALY
    else:
        return {event.index for event in events}
    return {event.index for center in centers for event in events[max(0, center - reach) : center + reach + 1]}
