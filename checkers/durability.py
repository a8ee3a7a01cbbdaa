"""Durability, judged from the trace: what was acknowledged stays on a majority of disks."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, NamedTuple

from ..histories.trace import Note
from .configurations import Configuration
from .monitor import SafetyProperty, number, tell
from .replicas import Replicas
from .verdict import Anomaly

RULE: Final = "An acknowledged entry is on a majority of disks, and no restart loses it."


class _Acknowledged(NamedTuple):
    """The first acknowledgement of an entry, and the configurations that its node went by."""

    note: Note
    in_force: Sequence[Configuration]


class Durable(SafetyProperty):
    """Each acknowledged entry is on a majority of synced disks when it is acknowledged, and ever after.

    A node's notes are the testimony (`checkers.replicas` has the rules): what it noted as appended was synced, and what it
    does not restore after a crash is lost. A node that is down, or has not said yet what it restored, counts as holding
    whatever it may hold. Whatever takes an acknowledged entry from a disk (a restart, a truncation) is judged at once, so
    at the end none is missing.

    The majority is that of the configuration in force where it is acknowledged; while that one is not committed, the one
    before it will do, by which the entry may have been committed. A later configuration counts once it is committed.
    """

    name = "durable"
    looks_at = ("acknowledged", "appended")

    def __init__(self, *, nodes: Sequence[str] = ()) -> None:
        super().__init__(nodes=nodes)
        self._replicas = Replicas(nodes)
        self._acknowledged: dict[tuple[int, int], _Acknowledged] = {}
        self._settled: Configuration | None = None

    def observe(self, note: Note, /) -> Anomaly | None:
        """Take in a note; an acknowledgement is judged now, and again whenever a disk loses it or the members change."""
        change = self._replicas.observe(note)
        if note.kind == "acknowledged" and note.facts[0] is not None:
            return self._acknowledge(note)
        if self._is_settled(note.node):
            return self._judge_again(note, 1, "is not on a majority of the members now")
        if change.lost_from is not None:
            return self._judge_again(note, change.lost_from, f"{note.node} has lost it")
        return None

    def _acknowledge(self, note: Note) -> Anomaly | None:
        self.judged += 1
        index, term = number(note, "index"), number(note, "term")
        in_force = self._replicas.in_force(note.node)
        self._acknowledged.setdefault((index, term), _Acknowledged(note, in_force))
        if self._is_durable(index, term, in_force):
            return None
        headline = f"{note.node} acknowledges index {index} of term {term}; {self._count(index, term, in_force)}:"
        return tell("too-few-disks", headline, *self._testimony(index, term, in_force), note, because=RULE)

    def _is_settled(self, node: str) -> bool:
        """Whether this node has just been the first to know that a configuration is committed."""
        settled = self._replicas[node].configurations.settled
        if settled is None or (self._settled is not None and settled.index <= self._settled.index):
            return False
        self._settled = settled
        return True

    def _judge_again(self, note: Note, lost_from: int, why: str) -> Anomaly | None:
        """Judge what was acknowledged at this index or above."""
        for (index, term), acknowledged in self._acknowledged.items():
            if index < lost_from:
                continue
            in_force = self._now_in_force(acknowledged)
            if not self._is_durable(index, term, in_force):
                count = self._count(index, term, in_force)
                headline = f"Index {index} of term {term} was acknowledged, and {why}; {count}:"
                told = (acknowledged.note, *self._testimony(index, term, in_force), note)
                return tell("acknowledged-lost", headline, *told, because=RULE)
        return None

    def _now_in_force(self, acknowledged: _Acknowledged) -> Sequence[Configuration]:
        settled = self._settled
        is_superseded = settled is not None and settled.index >= acknowledged.in_force[-1].index
        return [settled] if settled is not None and is_superseded else acknowledged.in_force

    def _holders(self, index: int, term: int) -> list[str]:
        return [node for node, replica in self._replicas.known.items() if replica.may_hold(index, term)]

    def _is_durable(self, index: int, term: int, in_force: Sequence[Configuration]) -> bool:
        holders = self._holders(index, term)
        return any(configuration.has_majority(holders) for configuration in in_force)

    def _count(self, index: int, term: int, in_force: Sequence[Configuration]) -> str:
        members = in_force[-1].members
        holders = [node for node in members if self._replicas[node].may_hold(index, term)]
        who = f"at most {', '.join(holders)}" if holders else "none"
        return f"of {len(members)} disks {who} can hold it"

    def _testimony(self, index: int, term: int, in_force: Sequence[Configuration]) -> list[Note]:
        """The notes by which those that hold the entry say so."""
        logs = [self._replicas[node].log for node in in_force[-1].members if self._replicas[node].may_hold(index, term)]
        return [log[index].note for log in logs if index in log]
