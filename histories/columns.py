"""Events as arrays of numbers and tables of what the numbers mean: small in memory, and readable by native code."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import msgspec
import numpy as np
import numpy.typing as npt

from .event import MISSING, NOTHING, Event, Kind, Process
from .values import Map, Value

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
