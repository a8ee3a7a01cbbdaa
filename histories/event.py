"""Events and operations: what a client saw, one line and one request at a time."""

from __future__ import annotations

from enum import StrEnum
from typing import Final, TypeAlias

import msgspec

from .values import Map, Value, same, to_json

Process: TypeAlias = int | str


class Kind(StrEnum):
    """What an event says."""

    INVOKE = "invoke"
    OK = "ok"  # it took effect, with this result
    FAIL = "fail"  # it certainly took no effect, and says nothing about the state
    INFO = "info"  # nobody knows: it may take effect at any later time, or never


class Missing(msgspec.Struct, frozen=True):
    """There is no value here; that is another thing than `null`."""

    def __repr__(self) -> str:
        return "MISSING"

    def __reduce__(self) -> str:
        return "MISSING"  # there is only one, on the other side of a pickle too


MISSING: Final = Missing()
NOTHING: Final = Map()


class Event(msgspec.Struct, frozen=True, kw_only=True):
    """One line of a history.

    Attributes:
        index: its place in the history that was recorded, from 0; slices keep it.
        process: who; integers are clients, anything else is exempt from pairing (a nemesis, a phase).
        kind: what it says.
        action: what was asked for (`f` in files).
        key: on which object, or None for the only one.
        value: the argument of an invocation, the result of a completion; MISSING where the line has none.
        time: nanoseconds since the run began, or None.
        session: whose; by default the process is its own session.
        node: which participant was asked, or answered.
        error: what a `fail` or an `info` says about itself.
        extra: whatever else the line held; it survives a round trip.
    """

    index: int = -1
    process: Process
    kind: Kind
    action: str
    key: Value = None
    value: Value | Missing = MISSING
    time: int | None = None
    session: Process | None = None
    node: str | None = None
    error: Value = None
    extra: Map = NOTHING

    @property
    def is_client(self) -> bool:
        """Whether a client did this; the others (nemesis, phases) are exempt from pairing."""
        return type(self.process) is int


class Operation(msgspec.Struct, frozen=True, kw_only=True):
    """One request, from its invocation to its completion.

    Attributes:
        action, key, process, session, node: as in its invocation; `node` is the answering one where that is known.
        argument: the value of the invocation, None where it had none.
        result: the value of an ok completion; MISSING where the line had none, or where there is no ok.
        outcome: OK, FAIL or INFO; an operation that nobody completed is INFO.
        invocation: index of the event that began it.
        completion: index of the event that ended it, an `info` too; None when there is none.
        began: its place in real-time order; the same as `invocation` unless the header orders by time.
        ended: likewise for its completion; None while pending, since it may take effect at any later time.
        invoked_ns, completed_ns: their times, where they have one.
        error: what its `fail` or `info` said.
    """

    process: Process
    action: str
    key: Value = None
    argument: Value = None
    result: Value | Missing = MISSING
    outcome: Kind
    invocation: int
    completion: int | None = None
    began: int
    ended: int | None = None
    session: Process
    node: str | None = None
    invoked_ns: int | None = None
    completed_ns: int | None = None
    error: Value = None

    @property
    def is_pending(self) -> bool:
        """Whether its outcome is unknown: it may take effect at any later time, or never."""
        return self.outcome is Kind.INFO

    def precedes(self, other: Operation) -> bool:
        """Whether it had ended when the other began; otherwise neither does, or the other does."""
        return self.ended is not None and self.ended < other.began

    def __str__(self) -> str:
        """`process 3: cas(x, [1,2]) -> true`, as stories quote it; `-> ?` while pending, `-> fail` when it failed."""
        arguments = [to_json(part) for part in (self.key, self.argument) if part is not None]
        match self.outcome:
            case Kind.OK:
                answer = "" if isinstance(self.result, Missing) else f" -> {to_json(self.result)}"
            case Kind.FAIL:
                answer = " -> fail"
            case _:
                answer = " -> ?"
        return f"process {self.process}: {self.action}({', '.join(arguments)}){answer}"


def repeats(operation: Operation) -> bool:
    """Whether an ok completion says nothing of its own: it has no value, or only repeats the argument."""
    return isinstance(operation.result, Missing) or same(operation.result, operation.argument)
