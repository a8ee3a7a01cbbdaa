"""Durability, judged from the trace: what was acknowledged stays on a majority of disks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final, NamedTuple

from ..histories.trace import Note
from .change import Change, Log, Quorum
from .configurations import Configuration
from .consensus.changes import LogProperty
from .entries import Held
from .notes import number, tell
from .verdict import Anomaly

RULE: Final = "An acknowledged entry is on a majority of disks, and no restart loses it."


class _Acknowledged(NamedTuple):
    """The first acknowledgement of an entry, and the configurations that its node went by."""

    note: Note
    in_force: Sequence[Configuration]


class Durable(LogProperty):
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
        self._acknowledged: dict[tuple[int, int], _Acknowledged] = {}
        self._settled: Configuration | None = None

    def judge(self, note: Note, change: Change) -> Anomaly | None:
        """Take in a note; an acknowledgement is judged now, and again whenever a disk loses it or the members change."""
        if note.kind == "acknowledged" and change.quorum is not None:
            return self._acknowledge(note, change.quorum)
        if change.all_logs is None:
            return None
        self._settled = change.settled or self._settled
        if change.settled is not None:
            return self._judge_again(note, change.all_logs, 1, "is not on a majority of the members now")
        return self._judge_again(note, change.all_logs, change.lost_from or 1, f"{note.node} has lost it")

    def _acknowledge(self, note: Note, quorum: Quorum) -> Anomaly | None:
        self.judged += 1
        index, term = number(note, "index"), number(note, "term")
        self._acknowledged.setdefault((index, term), _Acknowledged(note, quorum.in_force))
        if any(configuration.has_majority(quorum.holders) for configuration in quorum.in_force):
            return None
        count = _count(quorum.holders, quorum.in_force)
        headline = f"{note.node} acknowledges index {index} of term {term}; {count}:"
        return tell("too-few-disks", headline, *_testimony(quorum.holders, quorum.in_force), note, because=RULE)

    def _judge_again(self, note: Note, logs: Mapping[str, Log], lost_from: int, why: str) -> Anomaly | None:
        """Judge what was acknowledged at this index or above."""
        for (index, term), acknowledged in self._acknowledged.items():
            if index < lost_from:
                continue
            in_force = self._now_in_force(acknowledged)
            holders = {node: log.known.get(index) for node, log in logs.items() if log.may_hold(index, term)}
            if not any(configuration.has_majority(holders) for configuration in in_force):
                headline = f"Index {index} of term {term} was acknowledged, and {why}; {_count(holders, in_force)}:"
                told = (acknowledged.note, *_testimony(holders, in_force), note)
                return tell("acknowledged-lost", headline, *told, because=RULE)
        return None

    def _now_in_force(self, acknowledged: _Acknowledged) -> Sequence[Configuration]:
        settled = self._settled
        is_superseded = settled is not None and settled.index >= acknowledged.in_force[-1].index
        return [settled] if settled is not None and is_superseded else acknowledged.in_force


def _count(holders: Mapping[str, Held | None], in_force: Sequence[Configuration]) -> str:
    members = in_force[-1].members
    found = [node for node in members if node in holders]
    who = f"at most {', '.join(found)}" if found else "none"
    return f"of {len(members)} disks {who} can hold it"


def _testimony(holders: Mapping[str, Held | None], in_force: Sequence[Configuration]) -> list[Note]:
    """The notes by which those that hold the entry say so."""
    return [held.note for node in in_force[-1].members if (held := holders.get(node)) is not None]
