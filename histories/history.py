"""The history of a run: events in order, kept in columns, paired into operations when somebody looks."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import cached_property
from typing import Any, Final, Literal, TypeAlias, overload

import msgspec
import numpy as np
import numpy.typing as npt

from . import views
from .columns import ABSENT, CODES, KINDS, NO_TIME, Columns, ColumnsBuilder
from .event import MISSING, NOTHING, Event, Missing, Operation, Process
from .pairing import Pairing, nil_reads, operations, pair, real_time_places, times_go_back
from .values import Map, Value, identity

__all__ = (
    "ABSENT",
    "CODES",
    "EMPTY_HEADER",
    "KINDS",
    "NO_TIME",
    "Columns",
    "Header",
    "History",
    "HistoryBuilder",
    "NilRead",
)

NilRead: TypeAlias = Literal["absent", "unknown"]


class Header(msgspec.Struct, frozen=True, kw_only=True):
    """What is said about a history as a whole, once.

    Attributes:
        system, variant, workload, seed: where it came from.
        model: the model that it is meant for.
        initial: the state of every cell at first; MISSING means absent.
        order: `lines` (real-time order is the order of lines) or `time` (sort by time, invocations first at ties).
        clocks: how many clocks the times come from.
        clock_error_ns: with `time`: how far the clocks may be apart; intervals are widened by it on both sides. None: not
            known, which only one clock can afford.
        nil_read: `absent`: an ok read of null observes absence; `unknown`: it observes nothing.
        note: where it came from and why its verdict is what it is, for people.
    """

    system: str | None = None
    variant: str | None = None
    workload: str | None = None
    model: str | None = None
    seed: int | None = None
    initial: Value | Missing = MISSING
    order: Literal["lines", "time"] = "lines"
    clocks: int = 1
    clock_error_ns: int | None = None
    nil_read: NilRead = "absent"
    note: str | None = None
    extra: Map = NOTHING

    @property
    def tells_real_time(self) -> bool:
        """Whether real-time order is known; it is not when several clocks of unknown error told the times."""
        return self.order == "lines" or self.clocks == 1 or self.clock_error_ns is not None


EMPTY_HEADER: Final = Header()


class History(Sequence[Event]):
    """What clients saw, in order. Immutable; events and operations are made when somebody looks at them.

    Attributes:
        header: what is said about it as a whole.
        notes: what a reader should know, and what was found on the way (lines left out, times that go back).
        lines: the line of the file that each event came from, by index; empty where there was no file.
        path: that file, or None.
    """

    def __init__(
        self,
        columns: Columns,
        *,
        header: Header = EMPTY_HEADER,
        notes: Sequence[str] = (),
        path: str | None = None,
        lines: Sequence[int] = (),
    ) -> None:
        self.columns, self.header, self.notes, self.path, self.lines = columns, header, tuple(notes), path, lines

    @classmethod
    def of_events(cls, events: Iterable[Event], *, header: Header = EMPTY_HEADER, notes: Sequence[str] = ()) -> History:
        """A history of these events, numbered in the order given."""
        builder = HistoryBuilder()
        for event in events:
            builder.add_event(event)
        return builder.build(header=header, notes=notes)

    # --- a sequence of events

    def __len__(self) -> int:
        return len(self.columns.index)

    @overload
    def __getitem__(self, at: int) -> Event: ...
    @overload
    def __getitem__(self, at: slice) -> History: ...
    def __getitem__(self, at: int | slice) -> Event | History:
        return self._select(at) if isinstance(at, slice) else self.columns.event(range(len(self))[at])

    def __iter__(self) -> Iterator[Event]:
        return map(self.columns.event, range(len(self)))

    def __eq__(self, other: object) -> bool:
        return (
            isinstance(other, History)
            and len(self) == len(other)
            and all(_told(mine) == _told(theirs) for mine, theirs in zip(self, other, strict=True))
        )

    def __hash__(self) -> int:
        return hash(tuple(_told(event) for event in self))

    def __repr__(self) -> str:
        return f"History({len(self)} events" + (f", {self.path}" if self.path else "") + ")"

    def at_rows(self, rows: Iterable[int]) -> History:
        """The events at these places of this history, in order; they keep their index."""
        return self._select(np.array(sorted(rows), dtype=np.int64))

    def _select(self, chosen: Any) -> History:
        return History(
            self.columns.take(chosen), header=self.header, notes=self.notes, path=self.path, lines=self.lines
        )

    # --- parts of it

    def filter(self, keep: Callable[[Event], bool]) -> History:
        """The events for which `keep` says yes; they keep their index."""
        return self._select(np.fromiter((keep(event) for event in self), dtype=np.bool_, count=len(self)))

    def client(self) -> History:
        """The events of clients."""
        return self._select(self._clients)

    def nemesis(self) -> History:
        """The events of everybody else: faults and phases."""
        return self._select(~self._clients)

    def of(self, *processes: Process) -> History:
        """The events of these processes."""
        codes = [code for code, process in enumerate(self.columns.processes) if process in processes]
        return self._select(np.isin(self.columns.process, codes))

    def by_key(self) -> tuple[tuple[Value, History], ...]:
        """Each key with the events of its operations, in the order in which the keys appear.

        Pairs and no dict, in which the keys 1 and true would be one. A completion without a key belongs to its
        invocation's.
        """
        columns, pairing = self.columns, self.pairing
        rows: dict[int, list[int]] = {}
        for begin, end in zip(pairing.invocation.tolist(), pairing.completion.tolist(), strict=True):
            mine = rows.setdefault(int(columns.key[begin]), [])
            mine += [begin] if end == ABSENT else [begin, end]
        return tuple((None if key == ABSENT else columns.values[key], self.at_rows(mine)) for key, mine in rows.items())

    def only(self, operations: Iterable[Operation]) -> History:
        """The events of these operations alone, in order, with their indices."""
        return self._select(np.isin(self.columns.index, _indices(operations)))

    @cached_property
    def _clients(self) -> npt.NDArray[np.bool_]:
        return self.columns.is_client()

    # --- operations

    @cached_property
    def operations(self) -> tuple[Operation, ...]:
        """The operations of clients, in the order in which they began.

        Raises:
            MalformedHistory: the events cannot be paired; see `pairing`.
        """
        return operations(self.columns, self.pairing)

    @cached_property
    def pairing(self) -> Pairing:
        """The operations of clients as rows of the columns, for those who need no objects.

        Raises:
            MalformedHistory: a completion without an invocation, or with another action or key; two open operations of
                one process; an ok read that does not say what it read; no time where the header orders by time.
        """
        return pair(self.columns, places=self._places, where=self.where)

    @property
    def remarks(self) -> tuple[str, ...]:
        """`notes`, and what pairing found: answers after an info, times that go back."""
        backwards = self.header.order == "lines" and times_go_back(self.columns)
        found = ("times go back; real-time order is the order of lines",) if backwards else ()
        return (*self.notes, *self.pairing.remarks, *found)

    @property
    def _places(self) -> npt.NDArray[np.int64]:
        """The place of each row in real-time order."""
        if self.header.order == "lines":
            return self.columns.index
        return real_time_places(self.columns, clock_error_ns=self.header.clock_error_ns or 0, where=self.where)

    @property
    def nil_reads(self) -> tuple[Operation, ...]:
        """The ok reads of null. A verdict that changes without them depends on how null is read, and has to say so."""
        return operations(self.columns, self.pairing.take(nil_reads(self.columns, self.pairing)))

    def without(self, operations: Iterable[Operation]) -> History:
        """All events but those of these operations."""
        return self._select(~np.isin(self.columns.index, _indices(operations)))

    def where(self, index: int) -> dict[str, Any]:
        """The path and line of an event, as keyword arguments of `MalformedHistory`."""
        line = self.lines[index] if 0 <= index < len(self.lines) else index + 1
        return {"path": self.path, "line": line}

    # --- for others

    def to_pandas(self) -> Any:
        """The events as a pandas frame, one row each.

        Raises:
            UsageError: pandas is not installed.
        """
        return views.to_pandas(self)

    def to_arrow(self) -> Any:
        """The events as an Arrow table; keys, values and other JSON are its text.

        Raises:
            UsageError: pyarrow is not installed.
        """
        return views.to_arrow(self)

    def _repr_html_(self) -> str:
        return views.to_html(self)


class HistoryBuilder(ColumnsBuilder):
    """Collects events into a history; what readers and the simulator write into."""

    def build(
        self,
        *,
        header: Header = EMPTY_HEADER,
        notes: Sequence[str] = (),
        path: str | None = None,
        lines: Sequence[int] = (),
    ) -> History:
        """The history of all that was added so far."""
        return History(self.columns(), header=header, notes=notes, path=path, lines=lines)


def _indices(operations: Iterable[Operation]) -> npt.NDArray[np.int64]:
    """The indices of all events of these operations."""
    ends = ((operation.invocation, operation.completion) for operation in operations)
    return np.array([index for pair in ends for index in pair if index is not None], dtype=np.int64)


def _told(event: Event) -> Any:
    """What an event says, apart from its number; compared as JSON, by type."""
    value = "MISSING" if isinstance(event.value, Missing) else (identity(event.value),)
    return (
        identity(event.process),
        event.kind,
        event.action,
        identity(event.key),
        value,
        event.time,
        identity(event.session),
        event.node,
        identity(event.error),
        identity(event.extra),
    )
