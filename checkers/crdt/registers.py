"""Registers with concurrent writes: the last one by timestamp, or all that nobody has overwritten knowingly."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from ...histories.values import Value, identity, same, to_json
from ..verdict import Anomaly
from .execution import Execution, Step
from .judging import Finding, OfReads


@dataclass(frozen=True, kw_only=True)
class LastWriterWins(OfReads):
    """Reads return the write with the largest timestamp that they saw; the initial value where they saw none. O(n) each."""

    write: str = "write"
    initial: Value = None
    name = "last-writer-wins"

    def doubt(self, execution: Execution) -> str:
        """Timestamps have to be there, of one kind, and different."""
        stamps: dict[Any, Step] = {}
        first: Step | None = None
        for write in (step for step in execution.steps if step.action == self.write):
            first = first or write
            if _kind(write.timestamp) is None:
                return f"not applicable: {write} has no timestamp that can be put in order"
            if _kind(write.timestamp) != _kind(first.timestamp):
                return f"not applicable: {first} and {write} have timestamps of two kinds"
            other = stamps.setdefault(_order(write), write)
            if other is not write:
                return f"not applicable: {other} and {write} have the timestamp {to_json(write.timestamp)}"
        return ""

    def look(self, execution: Execution, read: Step) -> Finding:
        """What there is to say against a read."""
        last = max(execution.seen_by(read, self.write), key=_order, default=None)
        expected = self.initial if last is None else last.argument
        if same(expected, read.result):
            return None
        why = f"The last write that it saw is {last}, at {to_json(last.timestamp)}" if last else "It saw no write"
        return Anomaly(kind="not-the-last-write", story=(f"{read}", why, f"So it has to return {to_json(expected)}"))


def _order(write: Step) -> Any:
    return write.timestamp


def _kind(timestamp: Value) -> Any:
    """What timestamps must have in common to be compared: numbers, texts, or arrays of these, such as (time, node)."""
    match timestamp:
        case bool() | None:
            return None
        case int() | str():
            return type(timestamp)
        case tuple():
            kinds = tuple(map(_kind, timestamp))
            return None if None in kinds else kinds
    return None


@dataclass(frozen=True, kw_only=True)
class MultiValue(OfReads):
    """Reads return the values of all writes that they saw and that no other write that they saw had seen.

    Each value once or as often as it was written, in any order. O(n + what the writes seen had seen) for each read.
    """

    write: str = "write"
    name = "multi-value-register"

    def look(self, execution: Execution, read: Step) -> Finding:
        """What there is to say against a read."""
        writes = execution.seen_by(read, self.write)
        overwritten = frozenset[Any]().union(*(write.visible for write in writes))
        current = [write for write in writes if write.id not in overwritten]
        expected = {identity(write.argument): write for write in current}
        shown = {identity(value): value for value in (read.result if isinstance(read.result, tuple) else ())}
        missing = next((write for value, write in expected.items() if value not in shown), None)
        if missing is not None:
            return Anomaly(
                kind="missing-sibling",
                story=(f"{read}", f"It saw {missing}", "No other write that it saw had seen that one"),
            )
        extra = next((value for value in shown if value not in expected), None)
        if extra is None:
            return None
        return Anomaly(kind="stale-sibling", story=(f"{read}", *self._why_not(extra, writes)))

    @staticmethod
    def _why_not(value: Any, writes: list[Step]) -> tuple[str, ...]:
        mine = next((write for write in writes if identity(write.argument) == value), None)
        if mine is None:
            return ("It saw no write of one of its values",)
        later = next(write for write in writes if mine.id in write.visible)
        return (f"It saw {later}", f"That write had seen, and so has overwritten, {mine}")
