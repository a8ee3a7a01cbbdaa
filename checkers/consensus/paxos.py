"""Paxos, judged from what its acceptors and learners noted (Lamport, "Paxos Made Simple", section 2).

An acceptor notes a promise and an acceptance when they are durable. When it starts again, it notes once more what it has
accepted and still has, then `restored` with its promise: the ballot as term and candidate (0 and null: none). So the same
acceptance noted twice is no second one, and what a node does not note again before `restored` is lost.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple, TypeAlias

from ...histories.errors import MalformedHistory
from ...histories.trace import LIFECYCLE, TRANSPORT, Note
from ...histories.values import identity, to_json
from ..monitor import SafetyProperty
from ..notes import number, tell
from ..verdict import Anomaly

Ballot: TypeAlias = tuple[int, str]


def ballot_of(note: Note) -> Ballot:
    """The ballot that the note speaks of.

    Raises:
        MalformedHistory: it is no pair of a number and a node.
    """
    told = (note.fact("term"), note.fact("voted") or "") if note.kind == "restored" else note.fact("ballot")
    match told:
        case (int(count), str(node)) if not isinstance(count, bool):
            return count, node
    raise MalformedHistory(
        f"in the note '{note}' the ballot is no number with a node",
        field="ballot",
        hint="Note a ballot as [number, node]; ballots are compared in that order",
    )


def called(ballot: Ballot) -> str:
    """A ballot as stories name it."""
    return f"({ballot[0]}, {ballot[1]})" if ballot[1] else f"({ballot[0]})"


class _Bound(NamedTuple):
    ballot: Ballot
    note: Note


class PromisesKept(SafetyProperty):
    """An acceptor accepts nothing below what it has promised, and its promises never go back, crash or no crash (P1a).

    An acceptance binds like a promise, as in Lamport's own specification.
    """

    name = "promises-kept"
    looks_at = ("promised", "accepted")

    def __init__(self, *, nodes: Sequence[str] = ()) -> None:
        super().__init__(nodes=nodes)
        self._bounds: dict[str, _Bound] = {}
        self._accepted: set[tuple[str, int, Ballot]] = set()

    def observe(self, note: Note, /) -> Anomaly | None:
        """Take in a note; what binds an acceptor is held against what bound it before."""
        if note.kind not in {"promised", "accepted", "restored"}:
            return None
        ballot = ballot_of(note)
        if note.kind == "accepted" and self._is_told_again(note, ballot):
            return None
        bound = self._bounds.get(note.node)
        if bound is None or ballot >= bound.ballot:
            self._bounds[note.node] = _Bound(ballot, note)
            self.judged += bound is not None
            return None
        self.judged += 1
        return _broken(bound, ballot, note)

    def _is_told_again(self, note: Note, ballot: Ballot) -> bool:
        place = (note.node, number(note, "slot"), ballot)
        is_known = place in self._accepted
        self._accepted.add(place)
        return is_known


def _broken(bound: _Bound, ballot: Ballot, note: Note) -> Anomaly:
    did, kind = {
        "promised": ("promises", "promise-went-back"),
        "accepted": ("accepts at", "accepted-below-promise"),
        "restored": ("comes back with a promise of", "promise-lost"),
    }[note.kind]
    headline = f"{note.node} {did} {called(ballot)} when it was bound by {called(bound.ballot)}:"
    return tell(kind, headline, bound.note, note, because="Below what it has promised, an acceptor does nothing.")


class _Votes:
    """Who accepted what in one slot: by ballot, then by value, then by node."""

    def __init__(self) -> None:
        self.by_ballot: dict[Ballot, dict[Any, dict[str, Note]]] = {}

    def add(self, note: Note) -> tuple[Ballot, dict[str, Note]]:
        """Count an acceptance; answers its ballot, and all that are like it."""
        ballot = ballot_of(note)
        alike = self.by_ballot.setdefault(ballot, {}).setdefault(identity(note.fact("value")), {})
        alike.setdefault(note.node, note)
        return ballot, alike


class _Cluster(SafetyProperty):
    """What judges share that count acceptances."""

    def __init__(self, *, nodes: Sequence[str] = ()) -> None:
        super().__init__(nodes=nodes)
        self._votes: dict[int, _Votes] = {}
        self._seen: dict[str, None] = {}

    def _add(self, note: Note) -> tuple[Ballot, dict[str, Note]]:
        self._seen[note.node] = None
        return self._votes.setdefault(number(note, "slot"), _Votes()).add(note)

    @property
    def _size(self) -> int:
        return len(self.nodes or self._seen)

    def _is_majority(self, voters: Iterable[str]) -> bool:
        return 2 * len(tuple(voters)) > self._size


class OneValuePerBallot(_Cluster):
    """What is accepted in a slot at one ballot is one value (B1: a ballot belongs to one proposer, which proposes once)."""

    name = "one-value-per-ballot"
    looks_at = ("accepted",)

    def observe(self, note: Note, /) -> Anomaly | None:
        """Take in a note; an acceptance is held against the first one of its slot and ballot."""
        if note.kind != "accepted":
            return None
        ballot, _ = self._add(note)
        values = list(self._votes[number(note, "slot")].by_ballot[ballot].values())
        self.judged += 1
        if len(values) == 1:
            return None
        first = next(iter(values[0].values()))
        headline = f"In slot {number(note, 'slot')}, two values are accepted at ballot {called(ballot)}:"
        return tell("two-values", headline, first, note, because="All that is accepted at a ballot is one value.")


class ChosenByQuorum(_Cluster):
    """What is decided was accepted by a majority at one ballot."""

    name = "chosen-by-quorum"
    looks_at = ("decided", "accepted")

    def observe(self, note: Note, /) -> Anomaly | None:
        """Take in a note; a decision is held against the acceptances so far."""
        match note.kind:
            case "accepted":
                self._add(note)
            case "decided":
                return self._decide(note)
        return None

    def _decide(self, note: Note) -> Anomaly | None:
        self.judged += 1
        slot, wanted = number(note, "slot"), identity(note.fact("value"))
        ballots = self._votes[slot].by_ballot if slot in self._votes else {}
        voters = {ballot: values[wanted] for ballot, values in ballots.items() if wanted in values}
        if any(self._is_majority(each) for each in voters.values()):
            return None
        most = max(voters.values(), key=len, default={})
        headline = (
            f"{note.node} decides {to_json(note.fact('value'))} for slot {slot}, which {len(most)} of {self._size} nodes "
            "had accepted at one ballot, not more:"
        )
        rule = "A value is chosen when a majority has accepted it at one ballot."
        return tell("no-quorum", headline, *most.values(), note, because=rule)


class _Chosen(NamedTuple):
    ballot: Ballot
    value: Any
    notes: tuple[Note, ...]


class ChosenStays(_Cluster):
    """Once a value is chosen in a slot, all that is accepted there at higher ballots is that value (P2, P2a).

    Whatever the order in which they happen: an acceptance at a higher ballot keeps another value from being chosen below.
    """

    name = "chosen-stays"
    looks_at = ("accepted",)

    def __init__(self, *, nodes: Sequence[str] = ()) -> None:
        super().__init__(nodes=nodes)
        self._chosen: dict[int, _Chosen] = {}

    def observe(self, note: Note, /) -> Anomaly | None:
        """Take in a note; an acceptance is held against what is chosen, and may itself make something chosen."""
        if note.kind != "accepted":
            return None
        slot, value = number(note, "slot"), identity(note.fact("value"))
        ballot, alike = self._add(note)
        chosen = self._chosen.get(slot)
        if chosen is not None:
            self.judged += 1
        if chosen is not None and ballot > chosen.ballot and value != chosen.value:
            return _overruled(slot, chosen, ballot, note)
        if self._is_majority(alike) and (chosen is None or ballot < chosen.ballot):
            self.judged += 1
            self._chosen[slot] = _Chosen(ballot, value, tuple(alike.values()))
            return self._look_above(slot, self._chosen[slot])
        return None

    def _look_above(self, slot: int, chosen: _Chosen) -> Anomaly | None:
        """What was accepted at higher ballots before this was chosen."""
        for ballot, values in self._votes[slot].by_ballot.items():
            other = next((voters for value, voters in values.items() if value != chosen.value), None)
            if ballot > chosen.ballot and other is not None:
                return _overruled(slot, chosen, ballot, next(iter(other.values())))
        return None


def _overruled(slot: int, chosen: _Chosen, ballot: Ballot, note: Note) -> Anomaly:
    value = to_json(chosen.notes[0].fact("value"))
    headline = (
        f"In slot {slot}, a majority accepts {value} at ballot {called(chosen.ballot)}, and {note.node} accepts "
        f"{to_json(note.fact('value'))} at the higher ballot {called(ballot)}:"
    )
    rule = "Once a value is chosen, every higher ballot has that value."
    return tell("chosen-overruled", headline, *chosen.notes, note, because=rule)


class _Disk:
    """What an acceptor's disk holds: acceptances by slot, and a snapshot that stands for all up to a slot."""

    def __init__(self) -> None:
        self.held: dict[int, Note] = {}
        self.snapshot = 0
        self.told_again: dict[int, Note] | None = None

    def observe(self, note: Note) -> bool:
        """Take in a note of its node; answers whether something may have gone."""
        if note.kind in LIFECYCLE:
            self.told_again = {}
        elif note.kind in TRANSPORT:
            return False
        elif note.kind == "accepted":
            self.held[number(note, "slot")] = note
            if self.told_again is not None:
                self.told_again[number(note, "slot")] = note
        elif self.told_again is not None:
            self.held, self.told_again = self.told_again, None
            self.snapshot = number(note, "snapshot_index") if note.kind == "restored" else 0
            return True
        elif note.kind in {"compacted", "installed"}:
            self.snapshot = max(self.snapshot, number(note, "index"))
            for slot in [slot for slot in self.held if slot <= self.snapshot]:
                del self.held[slot]
        return False


class DecreesDurable(SafetyProperty):
    """The slot of an acknowledged command is on a majority of disks when it is acknowledged, and ever after.

    A disk holds a slot by an acceptance, or by a snapshot that covers it; those that hold acceptances must hold one value.
    A node that is down, or has not said yet what it restored, counts as holding what it held.
    """

    name = "decrees-durable"
    looks_at = ("acknowledged", "accepted")

    def __init__(self, *, nodes: Sequence[str] = ()) -> None:
        super().__init__(nodes=nodes)
        self._disks: dict[str, _Disk] = {node: _Disk() for node in nodes}
        self._acknowledged: dict[int, Note] = {}

    def observe(self, note: Note, /) -> Anomaly | None:
        """Take in a note; an acknowledgement is judged now, and again whenever a disk loses something."""
        has_lost = self._disks.setdefault(note.node, _Disk()).observe(note)
        if note.kind == "acknowledged":
            self.judged += 1
            slot = number(note, "index")
            self._acknowledged.setdefault(slot, note)
            return None if self._is_durable(slot) else self._tell("too-few-disks", slot, note)
        if has_lost:
            lost = next((slot for slot in self._acknowledged if not self._is_durable(slot)), None)
            return None if lost is None else self._tell("acknowledged-lost", lost, self._acknowledged[lost], note)
        return None

    def _acceptances(self, slot: int) -> dict[Any, list[Note]]:
        found: dict[Any, list[Note]] = {}
        for disk in self._disks.values():
            if slot > disk.snapshot and slot in disk.held:
                found.setdefault(identity(disk.held[slot].fact("value")), []).append(disk.held[slot])
        return found

    def _is_durable(self, slot: int) -> bool:
        covered = sum(slot <= disk.snapshot for disk in self._disks.values())
        most = max(map(len, self._acceptances(slot).values()), default=0)
        return 2 * (covered + most) > len(self._disks)

    def _tell(self, kind: str, slot: int, *notes: Note) -> Anomaly:
        most = max(self._acceptances(slot).values(), key=len, default=[])
        holders = [note.node for note in most]
        holders += [node for node, disk in self._disks.items() if slot <= disk.snapshot]
        who = ", ".join(sorted(holders)) or "none"
        headline = f"Slot {slot} was acknowledged; of {len(self._disks)} disks these hold it: {who}:"
        rule = "An acknowledged command is on a majority of disks, and no restart loses it."
        return tell(kind, headline, *most, *notes, because=rule)
