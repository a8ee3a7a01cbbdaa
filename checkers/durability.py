"""Durability, judged from the trace: what was acknowledged stays on a majority of disks."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from ..histories.trace import Note
from .monitor import SafetyProperty, number, tell
from .replicas import Replicas
from .verdict import Anomaly

RULE: Final = "An acknowledged entry is on a majority of disks, and no restart loses it."


class Durable(SafetyProperty):
    """Each acknowledged entry is on a majority of synced disks when it is acknowledged, and ever after.

    A node's notes are the testimony (`checkers.replicas` has the rules): what it noted as appended was synced, and what it
    does not restore after a crash is lost. A node that is down, or has not said yet what it restored, counts as holding
    whatever it may hold. Whatever takes an acknowledged entry from a disk (a restart, a truncation) is judged at once, so
    at the end none is missing.
    """

    name = "durable"
    looks_at = ("acknowledged", "appended")

    def __init__(self, *, nodes: Sequence[str] = ()) -> None:
        super().__init__(nodes=nodes)
        self._replicas = Replicas()
        self._acknowledged: dict[tuple[int, int], Note] = {}

    def observe(self, note: Note, /) -> Anomaly | None:
        """Take in a note; an acknowledgement is judged now, and again whenever a disk loses the entry."""
        change = self._replicas.observe(note)
        if note.kind == "acknowledged" and note.fact("index") is not None:
            return self._acknowledge(note)
        return None if change.lost_from is None else self._lose(note, change.lost_from)

    def _acknowledge(self, note: Note) -> Anomaly | None:
        self.judged += 1
        index, term = number(note, "index"), number(note, "term")
        self._acknowledged.setdefault((index, term), note)
        if self._is_durable(index, term):
            return None
        headline = f"{note.node} acknowledges index {index} of term {term}; {self._count(index, term)}:"
        return tell("too-few-disks", headline, *self._testimony(index, term), note, because=RULE)

    def _lose(self, note: Note, lost_from: int) -> Anomaly | None:
        """Judge again what was acknowledged and may have gone from this node's disk."""
        for (index, term), acknowledged in self._acknowledged.items():
            if index >= lost_from and not self._is_durable(index, term):
                headline = (
                    f"Index {index} of term {term} was acknowledged, and {note.node} has lost it; "
                    f"{self._count(index, term)}:"
                )
                return tell(
                    "acknowledged-lost", headline, acknowledged, *self._testimony(index, term), note, because=RULE
                )
        return None

    @property
    def _cluster(self) -> Sequence[str]:
        return self.nodes or tuple(self._replicas.known)

    def _holders(self, index: int, term: int) -> list[str]:
        return [node for node in self._cluster if self._replicas[node].may_hold(index, term)]

    def _is_durable(self, index: int, term: int) -> bool:
        return 2 * len(self._holders(index, term)) > len(self._cluster)

    def _count(self, index: int, term: int) -> str:
        holders = self._holders(index, term)
        who = f"at most {', '.join(holders)}" if holders else "none"
        return f"of {len(self._cluster)} disks {who} can hold it"

    def _testimony(self, index: int, term: int) -> list[Note]:
        """The notes by which those that hold the entry say so."""
        logs = [self._replicas[node].log for node in self._holders(index, term)]
        return [log[index].note for log in logs if index in log]
