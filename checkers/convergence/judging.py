"""What judges of collections share: their options, and how a finding becomes a verdict."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, ClassVar, TypeAlias

from ...histories.history import History
from ..minimal import minimal_history
from ..verdict import Anomaly, Refuted, Undecided, Upheld, Verdict
from .collection import Record

Finding: TypeAlias = "Anomaly | str | None"
"""An anomaly; why nothing can be said; or nothing to say against it."""


@dataclass(frozen=True, kw_only=True)
class OfCollections:
    """Decides one question about a collection.

    Attributes:
        adds: the actions that add their argument.
        removes: the actions that remove it.
        read: the action that shows the whole collection.
    """

    adds: tuple[str, ...] = ("add",)
    removes: tuple[str, ...] = ("remove",)
    read: str = "read"
    name: ClassVar[str]
    subjects: ClassVar[int] = 1
    """How many operations, the first of an anomaly, it is about; shrinking keeps them."""

    def check(self, history: History, /) -> Verdict:
        """The verdict.

        Raises:
            MalformedHistory: a read shows no array.
        """
        record = self.record(history)
        found = self.look(record)
        about: dict[str, Any] = {
            "checker": self.name,
            "operations": len(record.adds) + len(record.removes) + len(record.reads),
            "evidence": counts(record),
            "notes": history.remarks,
        }
        match found:
            case Anomaly():
                return Refuted(self.minimal(found, history), **about)
            case str():
                return Undecided(found, **about)
        return Upheld(**about)

    def record(self, history: History) -> Record:
        """The history as a collection."""
        return Record(history, adds=self.adds, removes=self.removes, read=self.read)

    def look(self, record: Record) -> Finding:
        """What there is to say against it."""
        raise NotImplementedError

    def minimal(self, anomaly: Anomaly, history: History) -> Anomaly:
        """The anomaly with the fewest operations that show it: of its kind, and about the same operations."""
        involved = {operation.invocation for operation in anomaly.operations}
        excerpt = history.without(each for each in history.operations if each.invocation not in involved)

        def fails(part: History) -> bool:
            found = self.look(self.record(part))
            return isinstance(found, Anomaly) and self._about(found) == self._about(anomaly)

        return replace(anomaly, history=minimal_history(excerpt, fails))

    def _about(self, anomaly: Anomaly) -> tuple[str, list[int]]:
        return anomaly.kind, [operation.invocation for operation in anomaly.operations[: self.subjects]]


def counts(record: Record) -> dict[str, int]:
    """What a verdict about a collection rests on."""
    removes = {"removes": len(record.removes)} if record.removes else {}
    return {
        "adds": len(record.adds),
        **removes,
        "reads": len(record.reads),
        "final_reads": len(record.final_reads),
    }
