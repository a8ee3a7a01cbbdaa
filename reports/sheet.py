"""The sheet that a timeline is drawn on: columns for processes, and one line after the other."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, TypeAlias

from rich.text import Text

from ..histories.event import Event, Kind, Missing, Operation, Process, repeats
from ..histories.values import to_json
from .words import counted, plain, shortened

LIGHT: Final = "┌│└"
HEAVY: Final = "┏┃┗"
"""How an operation of an anomaly is drawn: from, through, to."""

RETRIES: Final = "retries"
"""The process whose events say that a client has sent a request again; each belongs to the process in its value."""

FACTS: Final = "facts"
"""The process under which notes of a trace are drawn among the events of a history."""

TEXT_MAX: Final = 36
"""The width of an event's own text; longer values are cut off here, and whole in the file."""

Owners: TypeAlias = dict[int, Operation]
"""The operations that events belong to, by the indices of the events."""


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
        if event.process == RETRIES:
            told = "again" if event.node is None else f"again, to {event.node}"
        elif event.kind is Kind.INVOKE:
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


def _columns(shown: Sequence[Event], owners: Owners) -> dict[Process, Column]:
    """The column of each process that is seen: one that an `info` has freed, its session's rather than others', or new."""
    columns: list[Column] = []
    free: list[Column] = []
    places: dict[Process, Column] = {}
    of_session: dict[Process, Column] = {}
    for event in shown:
        owner = owners[event.index]
        if owner.process not in places:
            own = [each for each in free if each is of_session.get(owner.session)]
            column = next(iter(own or free), None) or Column()
            columns += [] if column in columns else [column]
            free = [each for each in free if each is not column]
            column.processes.append(owner.process)
            places[owner.process] = of_session[owner.session] = column
        if event.index == owner.completion and event.kind is Kind.INFO:
            free.append(places[owner.process])
    return places


class Sheet:
    """Draws line after line, and knows which operations are open."""

    def __init__(self, owners: Owners, marked: frozenset[int], shown: Sequence[Event]) -> None:
        self._owners, self._marked = owners, marked
        seen = [event for event in shown if event.index in owners]
        self._of = _columns(seen, owners)
        self._columns = sorted(set(self._of.values()), key=lambda column: str(column.processes[0]).zfill(20))
        self._open: dict[Column, Operation] = {}
        self._timed = any(event.time is not None for event in shown)
        for event in seen:
            column = self._of[owners[event.index].process]
            width = max(len(column.name), len(column.text(event, owners[event.index])) + 2)
            column.width = max(column.width, width)

    def heading(self) -> Text:
        """The names of the columns."""
        names = "  ".join(column.name.ljust(column.width) for column in self._columns)
        return Text(f"{'event':>7}" + (f"{'time':>14}" if self._timed else "") + f"  {names}".rstrip(), style="bold")

    def line(self, event: Event) -> Text:
        """One event, with whatever is open beside it."""
        if event.index not in self._owners:
            return self._gutter(event).append(
                _across(event), style="bold red" if event.process == FACTS else "bold magenta"
            )
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
        owner = self._owners.get(event.index)
        column = self._of.get(owner.process) if owner else None
        if owner is None or column is None:
            return
        if event.index == owner.invocation:
            self._open[column] = owner
        elif event.index == owner.completion:
            self._open.pop(column, None)

    def _gutter(self, event: Event) -> Text:
        time = "" if event.time is None else f"{event.time / 1e6:,.3f} ms"
        index = "" if event.process == FACTS else event.index
        return Text(f"{index:>7}" + (f"{time:>14}" if self._timed else "") + "  ")

    def _cell(self, column: Column, event: Event) -> Text:
        owner = self._owners[event.index]
        is_mine = self._of[owner.process] is column
        operation = owner if is_mine else self._open.get(column)
        if operation is None:
            return Text(" " * column.width)
        is_marked = operation.invocation in self._marked
        begin, through, end = HEAVY if is_marked else LIGHT
        told = through
        if is_mine:
            line = {owner.invocation: begin, owner.completion: end}.get(event.index, through)
            told = f"{line} {column.text(event, operation)}"
        return Text(told.ljust(column.width), style="bold red" if is_marked else "")


def _across(event: Event) -> str:
    """What crosses all columns: a fault, a phase, or a note of the trace."""
    if event.process == FACTS:
        return plain(f"▶ {event.action}")
    told = "" if isinstance(event.value, Missing) or event.value is None else f" {to_json(event.value)}"
    return plain(f"═ {event.action}{told}")
