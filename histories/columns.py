"""Events as arrays of numbers and tables of what the numbers mean: small in memory, and readable by native code."""

from __future__ import annotations

from array import array
from collections.abc import Sequence
from typing import Any, Final

import msgspec
import numpy as np
import numpy.typing as npt

from .event import MISSING, NOTHING, Event, Kind, Missing, Process
from .values import Map, Value, identity

KINDS: Final = (Kind.INVOKE, Kind.OK, Kind.FAIL, Kind.INFO)
"""The kinds in the order of their codes in the column `kind`."""

CODES: Final = {kind: code for code, kind in enumerate(KINDS)}
NO_TIME: Final = -(2**63)
ABSENT: Final = -1
"""The code of a MISSING value, of a None key, session or node."""

ARRAYS: Final = ("index", "process", "kind", "action", "key", "value", "time", "session", "node")
"""The members that have one element to each event."""


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

    def __post_init__(self) -> None:
        for name in ARRAYS:
            getattr(self, name).flags.writeable = False

    def take(self, chosen: Any) -> Columns:
        """The chosen rows (a slice, a mask or places), with the same tables."""
        return msgspec.structs.replace(self, **{name: getattr(self, name)[chosen] for name in ARRAYS})

    def event(self, row: int) -> Event:
        """The event in this row."""
        index = int(self.index[row])
        value, key, time = int(self.value[row]), int(self.key[row]), int(self.time[row])
        session, node = int(self.session[row]), int(self.node[row])
        return Event(
            index=index,
            process=self.processes[self.process[row]],
            kind=KINDS[self.kind[row]],
            action=self.actions[self.action[row]],
            key=None if key == ABSENT else self.values[key],
            value=MISSING if value == ABSENT else self.values[value],
            time=None if time == NO_TIME else time,
            session=None if session == ABSENT else self.sessions[session],
            node=None if node == ABSENT else self.nodes[node],
            error=self.errors.get(index),
            extra=self.extras.get(index, NOTHING),
        )

    def is_client(self) -> npt.NDArray[np.bool_]:
        """Which rows are events of clients."""
        integers = np.fromiter((type(process) is int for process in self.processes), np.bool_, len(self.processes))
        return integers[self.process] if len(integers) else np.zeros(len(self.process), np.bool_)


PLAIN: Final = frozenset({int, str})
"""Types whose values are their own `identity`; asking here first makes writing an event down a fifth cheaper."""


class Table:
    """Distinct values, each with a code; values meet under one code exactly when they are the same as JSON."""

    __slots__ = ("_codes", "values")

    def __init__(self) -> None:
        self.values: list[Any] = []
        self._codes: dict[Any, int] = {}

    def code(self, value: Any) -> int:
        """The code of this value, a new one if it was never seen."""
        key = value if type(value) in PLAIN else identity(value)
        code = self._codes.get(key)
        if code is None:
            code = self._codes[key] = len(self.values)
            self.values.append(value)
        return code


class ColumnsBuilder:
    """Collects events into columns."""

    def __init__(self) -> None:
        self._kind, self._time = array("b"), array("q")
        self._process, self._action, self._key = array("i"), array("i"), array("i")
        self._value, self._session, self._node = array("i"), array("i"), array("i")
        self._processes, self._actions, self._values = Table(), Table(), Table()
        self._sessions, self._nodes = Table(), Table()
        self._errors: dict[int, Value] = {}
        self._extras: dict[int, Map] = {}

    def __len__(self) -> int:
        return len(self._kind)

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
        self._process.append(self._processes.code(process))
        self._kind.append(CODES[kind])
        self._action.append(self._actions.code(action))
        self._key.append(ABSENT if key is None else self._values.code(key))
        self._value.append(ABSENT if isinstance(value, Missing) else self._values.code(value))
        self._time.append(NO_TIME if time is None else time)
        self._session.append(ABSENT if session is None else self._sessions.code(session))
        self._node.append(ABSENT if node is None else self._nodes.code(node))
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

    def columns(self) -> Columns:
        """All that was added so far."""
        return Columns(
            index=np.arange(len(self), dtype=np.int64),
            kind=np.array(self._kind, dtype=np.int8),
            time=np.array(self._time, dtype=np.int64),
            process=np.array(self._process, dtype=np.int32),
            action=np.array(self._action, dtype=np.int32),
            key=np.array(self._key, dtype=np.int32),
            value=np.array(self._value, dtype=np.int32),
            session=np.array(self._session, dtype=np.int32),
            node=np.array(self._node, dtype=np.int32),
            processes=tuple(self._processes.values),
            actions=tuple(self._actions.values),
            values=tuple(self._values.values),
            sessions=tuple(self._sessions.values),
            nodes=tuple(self._nodes.values),
            errors=dict(self._errors),
            extras=dict(self._extras),
        )
