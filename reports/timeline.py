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

from collections.abc import Collection, Iterable, Sequence
from itertools import groupby
from typing import Final, TypeAlias

import msgspec
from rich.text import Text

from ..histories.event import Event, Kind, Missing, Operation, Process, repeats
from ..histories.history import History
from ..histories.values import to_json
from .words import counted, plain, shortened

LIGHT: Final = "┌│└"
HEAVY: Final = "┏┃┗"
"""How an operation of an anomaly is drawn: from, through, to."""

TEXT_MAX: Final = 36
"""The width of an event's own text; longer values are cut off here, and whole in the file."""

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

Ends: TypeAlias = dict[int, Operation]
"""The operations that are drawn, by the indices of their events."""


def timeline(history: History, *, marked: Collection[int] = (), view: View = EVERYTHING) -> Text:
    """The history, drawn.

    Args:
        history: what to draw.
        marked: the operations of the anomaly, by the indices of their invocations.
        view: what to leave out.

    Raises:
        MalformedHistory: its events cannot be paired.
    """
    ends = _ends(operation for operation in history.operations if view.admits(operation))
    events = [event for event in history if event.index in ends or not event.is_client]
    near = _near(events, ends, marked, view)
    sheet = _Sheet(ends, frozenset(marked), [event for event in events if event.index in near])
    lines = [sheet.heading()]
    for is_shown, group in groupby(events, key=lambda event: event.index in near):
        together = list(group)
        lines += [sheet.line(event) for event in together] if is_shown else [sheet.gap(together)]
    return Text("\n").join(lines)


def _ends(operations: Iterable[Operation]) -> Ends:
    found: Ends = {}
    for operation in operations:
        found[operation.invocation] = operation
        if operation.completion is not None:
            found[operation.completion] = operation
    return found


def _near(events: Sequence[Event], ends: Ends, marked: Collection[int], view: View) -> set[int]:
    """The indices of the events to draw: near what was asked for, near the anomaly in a long history, otherwise all."""
    if view.around is not None:
        centers, reach = [place for place, event in enumerate(events) if event.index >= view.around][:1], NEAR_EVENT
    elif marked and len(events) > WHOLE_MAX:
        wanted = {index for index, operation in ends.items() if operation.invocation in marked}
        centers, reach = [place for place, event in enumerate(events) if event.index in wanted], NEAR_ANOMALY
    else:
        return {event.index for event in events}
    return {event.index for center in centers for event in events[max(0, center - reach) : center + reach + 1]}


class Column:
    """A place for processes, one after the other.

    Attributes:
        processes: who stands here, in order.
        width: of the widest text.
    """

    def __init__(self) -> None:
        self.processes: list[Process] = []
        self.width = 0

    @property
    def name(self) -> str:
        """Who stands here."""
        return shortened(plain(", ".join(map(str, self.processes))), TEXT_MAX)

    def text(self, event: Event, operation: Operation) -> str:
        """What an event says here; where several processes stand, an invocation says whose it is."""
        if event.kind is Kind.INVOKE:
            who = f"{operation.process}: " if len(self.processes) > 1 else ""
            parts = ", ".join(to_json(part) for part in (operation.key, operation.argument) if part is not None)
            told = f"{who}{event.action}({parts})"
        elif event.kind is not Kind.OK:
            told = str(event.kind) + ("" if event.error is None else f" {to_json(event.error)}")
        elif isinstance(event.value, Missing) or (operation.argument is not None and repeats(operation)):
            told = "ok"
        else:
            told = f"ok {to_json(event.value)}"
        return shortened(plain(told), TEXT_MAX)


def _columns(shown: Sequence[Event], ends: Ends) -> dict[Process, Column]:
    """The column of each process that is seen: one that an `info` has freed, its session's rather than others', or new."""
    columns: list[Column] = []
    free: list[Column] = []
    places: dict[Process, Column] = {}
    of_session: dict[Process, Column] = {}
    for event in shown:
        session = ends[event.index].session
        if event.process not in places:
            own = [each for each in free if each is of_session.get(session)]
            column = next(iter(own or free), None) or Column()
            columns += [] if column in columns else [column]
            free = [each for each in free if each is not column]
            column.processes.append(event.process)
            places[event.process] = of_session[session] = column
        if event.kind is Kind.INFO:
            free.append(places[event.process])
    return places


class _Sheet:
    """Draws line after line, and knows which operations are open."""

    def __init__(self, ends: Ends, marked: frozenset[int], shown: Sequence[Event]) -> None:
        self._ends, self._marked = ends, marked
        seen = [event for event in shown if event.is_client]
        self._of = _columns(seen, ends)
        self._columns = sorted(set(self._of.values()), key=lambda column: str(column.processes[0]).zfill(20))
        self._open: dict[Column, Operation] = {}
        self._timed = any(event.time is not None for event in shown)
        for event in seen:
            column = self._of[event.process]
            width = max(len(column.name), len(column.text(event, ends[event.index])) + 2)
            column.width = max(column.width, width)

    def heading(self) -> Text:
        """The names of the columns."""
        names = "  ".join(column.name.ljust(column.width) for column in self._columns)
        return Text(f"{'event':>7}" + (f"{'time':>14}" if self._timed else "") + f"  {names}".rstrip(), style="bold")

    def line(self, event: Event) -> Text:
        """One event, with whatever is open beside it."""
        if not event.is_client:
            return self._gutter(event).append(_fault(event), style="bold magenta")
        cells = [self._cell(column, event) for column in self._columns]
        line = self._gutter(event).append_text(Text("  ").join(cells))
        line.rstrip()
        self._pass(event)
        return line

    def gap(self, events: Sequence[Event]) -> Text:
        """A line in place of these events."""
        for event in events:
            self._pass(event)
        return Text(f"⋮ {counted(len(events), 'event')} left out", style="dim")

    def _pass(self, event: Event) -> None:
        column = self._of.get(event.process)
        if column is None:
            return
        self._open.pop(column, None)
        if event.kind is Kind.INVOKE:
            self._open[column] = self._ends[event.index]

    def _gutter(self, event: Event) -> Text:
        time = "" if event.time is None else f"{event.time / 1e6:,.3f} ms"
        return Text(f"{event.index:>7}" + (f"{time:>14}" if self._timed else "") + "  ")

    def _cell(self, column: Column, event: Event) -> Text:
        is_mine = self._of[event.process] is column
        operation = self._ends[event.index] if is_mine else self._open.get(column)
        if operation is None:
            return Text(" " * column.width)
        is_marked = operation.invocation in self._marked
        begin, through, end = HEAVY if is_marked else LIGHT
        told = through
        if is_mine:
            told = f"{begin if event.kind is Kind.INVOKE else end} {column.text(event, operation)}"
        return Text(told.ljust(column.width), style="bold red" if is_marked else "")


def _fault(event: Event) -> str:
    told = "" if isinstance(event.value, Missing) or event.value is None else f" {to_json(event.value)}"
    return plain(f"═ {event.action}{told}")
