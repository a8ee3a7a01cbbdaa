"""The history of a run: events in order, kept in columns, paired into operations when somebody looks."""

from __future__ import annotations

from array import array
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import cached_property
from typing import Any, Final, overload

import msgspec
import numpy as np
import numpy.typing as npt

from .errors import MalformedHistory
from .event import MISSING, NOTHING, Event, Kind, Missing, Operation, Process
from .values import Map, Value, identity, same, to_json

KINDS: Final = (Kind.INVOKE, Kind.OK, Kind.FAIL, Kind.INFO)
"""The kinds in the order of their codes in the column `kind`."""

NO_TIME: Final = -(2**63)
CODES: Final = {kind: code for code, kind in enumerate(KINDS)}
ABSENT: Final = -1
"""The code of a MISSING value, of a None key, session or node."""


class Header(msgspec.Struct, frozen=True, kw_only=True):
    """What is said about a history as a whole, once.

    Attributes:
        system, variant, workload, seed: where it came from.
        model: the model that it is meant for.
        initial: the state of every cell at first; MISSING means absent.
        order: `lines` (real-time order is the order of lines) or `time` (sort by time, invocations first at ties).
        clock_error_ns: with `time`: how far the clocks may be apart; intervals are widened by it on both sides.
        note: where it came from and why its verdict is what it is, for people.
    """

    system: str | None = None
    variant: str | None = None
    workload: str | None = None
    model: str | None = None
    seed: int | None = None
    initial: Value | Missing = MISSING
    order: str = "lines"
    clock_error_ns: int = 0
    note: str | None = None
    extra: Map = NOTHING


EMPTY_HEADER: Final = Header()


class Columns(msgspec.Struct, frozen=True, kw_only=True):
    """Events as arrays of one length, and the tables that their codes point into.

    `process`, `action`, `key`, `value`, `session` and `node` are codes (int32) into the tables; ABSENT (-1) in `value` is
    MISSING, in `key`, `session` and `node` it is None. `kind` is a code (int8) into KINDS. `time` is int64 nanoseconds,
    NO_TIME where the event has none. `index` is the place in the recorded history. Sparse members are dicts by index.
    Values are interned by `identity`: two codes are equal exactly when the values are the same as JSON.
    """

    index: npt.NDArray[np.int64]
    process: npt.NDArray[np.int32]
    kind: npt.NDArray[np.int8]
    action: npt.NDArray[np.int32]
    key: npt.NDArray[np.int32]
    value: npt.NDArray[np.int32]
    time: npt.NDArray[np.int64]
    session: npt.NDArray[np.int32]
    node: npt.NDArray[np.int32]
    processes: Sequence[Process]
    actions: Sequence[str]
    values: Sequence[Value]
    """Keys and values share one table."""
    sessions: Sequence[Process]
    nodes: Sequence[str]
    errors: dict[int, Value]
    extras: dict[int, Map]

    def take(self, chosen: Any) -> Columns:
        """The chosen rows (a slice, a mask or places), with the same tables."""
        return msgspec.structs.replace(
            self,
            **{
                name: getattr(self, name)[chosen]
                for name in ("index", "process", "kind", "action", "key", "value", "time", "session", "node")
            },
        )


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
        return self._select(at) if isinstance(at, slice) else self._event(range(len(self))[at])

    def __iter__(self) -> Iterator[Event]:
        return (self._event(row) for row in range(len(self)))

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

    def _event(self, row: int) -> Event:
        columns = self.columns
        index = int(columns.index[row])
        value, key, time = int(columns.value[row]), int(columns.key[row]), int(columns.time[row])
        session, node = int(columns.session[row]), int(columns.node[row])
        return Event(
            index=index,
            process=columns.processes[columns.process[row]],
            kind=KINDS[columns.kind[row]],
            action=columns.actions[columns.action[row]],
            key=None if key == ABSENT else columns.values[key],
            value=MISSING if value == ABSENT else columns.values[value],
            time=None if time == NO_TIME else time,
            session=None if session == ABSENT else columns.sessions[session],
            node=None if node == ABSENT else columns.nodes[node],
            error=columns.errors.get(index),
            extra=columns.extras.get(index, NOTHING),
        )

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

    def by_key(self) -> dict[Value, History]:
        """The client events of each key, keys in the order of their first event.

        A completion without a key belongs to its invocation's.
        """
        client = self.client()
        operations = client.operations
        rows: dict[int, list[int]] = {}
        row_of = {int(index): row for row, index in enumerate(client.columns.index)}
        names: dict[int, Value] = {}
        codes = {identity(value): code for code, value in enumerate(client.columns.values)}
        for operation in operations:
            code = ABSENT if operation.key is None else codes[identity(operation.key)]
            names.setdefault(code, operation.key)
            mine = rows.setdefault(code, [])
            mine.append(row_of[operation.invocation])
            if operation.completion is not None:
                mine.append(row_of[operation.completion])
        return {names[code]: client.at_rows(mine) for code, mine in rows.items()}

    def only(self, operations: Iterable[Operation]) -> History:
        """The events of these operations alone, in order, with their indices."""
        wanted: set[int] = set()
        for operation in operations:
            wanted.add(operation.invocation)
            if operation.completion is not None:
                wanted.add(operation.completion)
        return self._select(np.isin(self.columns.index, np.fromiter(wanted, dtype=np.int64, count=len(wanted))))

    @cached_property
    def _clients(self) -> npt.NDArray[np.bool_]:
        codes = [code for code, process in enumerate(self.columns.processes) if type(process) is int]
        return np.isin(self.columns.process, codes)

    # --- operations

    @property
    def operations(self) -> tuple[Operation, ...]:
        """The operations of clients, in the order in which they began.

        Raises:
            MalformedHistory: a completion without an invocation, or two open operations of one process.
        """
        return self._paired[0]

    @property
    def remarks(self) -> tuple[str, ...]:
        """`notes`, and what pairing found: answers after an info, times that go back."""
        return (*self.notes, *self._paired[1])

    @cached_property
    def _paired(self) -> tuple[tuple[Operation, ...], tuple[str, ...]]:
        return _pair(self)

    def where(self, index: int) -> dict[str, Any]:
        """The path and line of an event, as keyword arguments of `MalformedHistory`."""
        line = self.lines[index] if 0 <= index < len(self.lines) else index + 1
        return {"path": self.path, "line": line}

    # --- for others

    def to_pandas(self) -> Any:
        """The events as a pandas frame, one row each.

        Raises:
            ImportError: pandas is not installed (`pip install upheld[pandas]`).
        """
        import pandas as pd  # noqa: PLC0415  # an extra, imported when used

        return pd.DataFrame([msgspec.structs.asdict(event) for event in self])

    def to_arrow(self) -> Any:
        """The events as an Arrow table; values are JSON text.

        Raises:
            ImportError: pyarrow is not installed (`pip install upheld[pandas]`).
        """
        import pyarrow as pa  # noqa: PLC0415  # an extra, imported when used

        rows = []
        for event in self:
            row = msgspec.structs.asdict(event)
            for name in ("process", "key", "value", "session", "error", "extra"):
                row[name] = None if isinstance(row[name], Missing) else to_json(row[name])
            rows.append(row)
        return pa.Table.from_pylist(rows)

    def _repr_html_(self) -> str:
        from html import escape  # noqa: PLC0415  # only notebooks ask for it

        shown = [
            "".join(
                f"<td>{escape(str(part))}</td>"
                for part in (
                    event.index,
                    event.process,
                    event.kind,
                    event.action,
                    "" if event.key is None else to_json(event.key),
                    "" if isinstance(event.value, Missing) else to_json(event.value),
                )
            )
            for event in self[:200]
        ]
        more = f"<p>{len(self) - 200} more events</p>" if len(self) > 200 else ""
        head = "".join(f"<th>{name}</th>" for name in ("index", "process", "kind", "action", "key", "value"))
        return f"<table><tr>{head}</tr>" + "".join(f"<tr>{row}</tr>" for row in shown) + f"</table>{more}"


class HistoryBuilder:
    """Collects events into columns; what readers, the recorder and the simulator write into."""

    def __init__(self) -> None:
        self._rows = {name: array("i") for name in ("process", "action", "key", "value", "session", "node")}
        self._kind = array("b")
        self._time = array("q")
        self._tables: dict[str, dict[Any, int]] = {
            name: {} for name in ("process", "action", "value", "session", "node")
        }
        self._originals: dict[str, list[Any]] = {name: [] for name in self._tables}
        self._errors: dict[int, Value] = {}
        self._extras: dict[int, Map] = {}

    def __len__(self) -> int:
        return len(self._kind)

    def _code(self, table: str, value: Any) -> int:
        key = identity(value)
        codes = self._tables[table]
        code = codes.get(key)
        if code is None:
            code = codes[key] = len(codes)
            self._originals[table].append(value)
        return code

    def add(
        self,
        process: Process,
        kind: Kind,
        action: str,
        *,
        key: Value = None,
        value: Value | Missing = MISSING,
        time: int | None = None,
        session: Process | None = None,
        node: str | None = None,
        error: Value = None,
        extra: Map = NOTHING,
    ) -> int:
        """Append one event; answers its index."""
        index = len(self._kind)
        rows = self._rows
        rows["process"].append(self._code("process", process))
        self._kind.append(CODES[kind])
        rows["action"].append(self._code("action", action))
        rows["key"].append(ABSENT if key is None else self._code("value", key))
        rows["value"].append(ABSENT if isinstance(value, Missing) else self._code("value", value))
        self._time.append(NO_TIME if time is None else time)
        rows["session"].append(ABSENT if session is None else self._code("session", session))
        rows["node"].append(ABSENT if node is None else self._code("node", node))
        if error is not None:
            self._errors[index] = error
        if extra:
            self._extras[index] = extra
        return index

    def add_event(self, event: Event) -> int:
        """Append one event, whatever its index was; answers its index here."""
        return self.add(
            event.process,
            event.kind,
            event.action,
            key=event.key,
            value=event.value,
            time=event.time,
            session=event.session,
            node=event.node,
            error=event.error,
            extra=event.extra,
        )

    def build(
        self,
        *,
        header: Header = EMPTY_HEADER,
        notes: Sequence[str] = (),
        path: str | None = None,
        lines: Sequence[int] = (),
    ) -> History:
        """The history of all that was added so far."""
        columns = Columns(
            index=np.arange(len(self._kind), dtype=np.int64),
            kind=np.array(self._kind, dtype=np.int8),
            time=np.array(self._time, dtype=np.int64),
            **{name: np.array(rows, dtype=np.int32) for name, rows in self._rows.items()},
            processes=tuple(self._originals["process"]),
            actions=tuple(self._originals["action"]),
            values=tuple(self._originals["value"]),
            sessions=tuple(self._originals["session"]),
            nodes=tuple(self._originals["node"]),
            errors=dict(self._errors),
            extras=dict(self._extras),
        )
        return History(columns, header=header, notes=notes, path=path, lines=lines)


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


def _pair(history: History) -> tuple[tuple[Operation, ...], tuple[str, ...]]:
    """Operations in the order in which they began, and remarks. A process is read in the order of its lines."""
    remarks: list[str] = []
    opened: dict[Process, Event] = {}
    ended_by_info: set[Process] = set()
    finished: list[tuple[Event, Event | None]] = []
    for event in history:
        if not event.is_client:
            continue
        waiting = opened.get(event.process)
        if event.kind is Kind.INVOKE:
            if waiting is not None:
                raise MalformedHistory(
                    f"process {event.process} invokes {event.action} while its {waiting.action} is open",
                    field="process",
                    hint="A process does one thing at a time; give concurrent operations processes of their own",
                    **history.where(event.index),
                )
            if event.process in ended_by_info:
                remarks.append(f"process {event.process} goes on after its info at event {event.index}")
            opened[event.process] = event
        elif waiting is not None:
            _must_match(history, waiting, event)
            del opened[event.process]
            finished.append((waiting, event))
            if event.kind is Kind.INFO:
                ended_by_info.add(event.process)
        elif event.process in ended_by_info:
            remarks.append(f"process {event.process} answers after its info at event {event.index}; it stays pending")
        else:
            raise MalformedHistory(
                f"process {event.process} completes {event.action} without an invocation",
                field="process",
                hint="Record the invocation before the request is sent, or leave the line out with --lenient",
                **history.where(event.index),
            )
    finished += [(event, None) for event in opened.values()]
    places = _places(history, remarks)
    operations = (_operation(begin, end, places) for begin, end in finished)
    return tuple(sorted(operations, key=lambda operation: operation.began)), tuple(remarks)


def _must_match(history: History, invocation: Event, completion: Event) -> None:
    """A completion repeats the action of its invocation, and its key or none."""
    if completion.action != invocation.action:
        raise MalformedHistory(
            f"process {completion.process} invoked {invocation.action} and completes {completion.action}",
            field="f",
            hint="A completion repeats the action of its invocation",
            **history.where(completion.index),
        )
    if completion.key is not None and not same(completion.key, invocation.key):
        raise MalformedHistory(
            f"process {completion.process} asked for key {to_json(invocation.key)} "
            f"and completes {to_json(completion.key)}",
            field="key",
            hint="A completion repeats the key of its invocation, or leaves it out",
            **history.where(completion.index),
        )


def _operation(begin: Event, end: Event | None, places: Mapping[int, int] | None) -> Operation:
    def place(event: Event) -> int:
        return event.index if places is None else places[event.index]

    return Operation(
        process=begin.process,
        action=begin.action,
        key=begin.key,
        argument=None if isinstance(begin.value, Missing) else begin.value,
        result=end.value if end is not None and end.kind is Kind.OK else MISSING,
        outcome=end.kind if end is not None else Kind.INFO,
        invocation=begin.index,
        completion=end.index if end is not None else None,
        began=place(begin),
        ended=place(end) if end is not None and end.kind is not Kind.INFO else None,
        session=begin.session if begin.session is not None else begin.process,
        node=(end.node if end is not None else None) or begin.node,
        invoked_ns=begin.time,
        completed_ns=end.time if end is not None else None,
        error=end.error if end is not None else None,
    )


def _places(history: History, remarks: list[str]) -> Mapping[int, int] | None:
    """The place of each event in real-time order, by index; None where that is the order of lines."""
    times = history.columns.time
    if history.header.order != "time":
        known = times[times != NO_TIME]
        if len(known) > 1 and bool(np.any(np.diff(known) < 0)):
            remarks.append("times go back; real-time order is the order of lines")
        return None
    missing = np.flatnonzero(times == NO_TIME)
    if len(missing):
        raise MalformedHistory(
            "the header orders by time, and this event has none",
            field="time",
            **history.where(int(history.columns.index[missing[0]])),
        )
    invoked = history.columns.kind == CODES[Kind.INVOKE]
    error_ns = history.header.clock_error_ns
    widened = np.where(invoked, times - error_ns, times + error_ns)
    order = np.lexsort((np.arange(len(times)), ~invoked, widened))
    return {int(history.columns.index[row]): place for place, row in enumerate(order)}
