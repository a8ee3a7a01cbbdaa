"""Strong convergence: replicas that have taken in the same updates have the same state (Shapiro et al. 2011, 2.2).

Judged from the notes `merged` and `state`. What a replica has taken in since it started is summed up in one number, the
sum of the hashes of its updates modulo 2^128, so that a note costs the same however many there are: O(1) for each update
and each state. Two sets of one sum are compared element by element before anything is refuted.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from hashlib import blake2b
from itertools import islice
from typing import Final, NamedTuple

from ...histories.errors import MalformedHistory
from ...histories.trace import LIFECYCLE, Note
from ...histories.values import Map, Value, identity, to_json
from ..monitor import SafetyProperty
from ..notes import tell
from ..verdict import Anomaly

_MODULUS: Final = 2**128


class Taken:
    """The updates that a replica has taken in since it started, in order, and their sum."""

    __slots__ = ("total", "updates")

    def __init__(self) -> None:
        self.total = 0
        self.updates: dict[Hashable, Value] = {}


class Sums:
    """Follows what each replica has taken in; a replica that starts has nothing, until it notes what it got back."""

    def __init__(self) -> None:
        self.of_node: dict[str, Taken] = {}
        self._hashes: dict[Hashable, int] = {}

    def observe(self, note: Note) -> None:
        """Take in a note; all but `merged` and those of lives say nothing here."""
        if note.kind in LIFECYCLE:
            self.of_node[note.node] = Taken()
        elif note.kind == "merged":
            taken = self.at(note.node)
            for update in merged_updates(note):
                name = identity(update)
                if name not in taken.updates:
                    taken.updates[name] = update
                    taken.total = (taken.total + self._hash(name, update)) % _MODULUS

    def at(self, node: str) -> Taken:
        """What a replica has taken in."""
        return self.of_node.setdefault(node, Taken())

    def _hash(self, name: Hashable, update: Value) -> int:
        """A hash that is the same in every process; worked out once for each update."""
        known = self._hashes.get(name)
        if known is None:
            digest = blake2b(to_json(update).encode(), digest_size=16).digest()
            known = self._hashes[name] = int.from_bytes(digest, "big")
        return known


def merged_updates(note: Note) -> tuple[Value, ...]:
    """The updates that a note `merged` names.

    Raises:
        MalformedHistory: they are no array.
    """
    updates = note.fact("updates")
    if isinstance(updates, tuple):
        return updates
    raise MalformedHistory(
        f"in the note '{note}' the updates are no array",
        field="updates",
        hint="Note the ids of all updates that the state has taken in, as an array",
    )


class _State(NamedTuple):
    """A state as it was noted, and what its replica had taken in: the first `size` of these updates."""

    note: Note
    updates: Mapping[Hashable, Value]
    size: int


class StronglyConvergent(SafetyProperty):
    """Replicas that have taken in the same updates have the same state, whenever they note it."""

    name = "strongly-convergent"
    looks_at = ("merged", "state")
    heeds = frozenset({"merged", "state", *LIFECYCLE})

    def __init__(self, *, nodes: Sequence[str] = ()) -> None:
        super().__init__(nodes=nodes)
        self._sums = Sums()
        self._states: dict[tuple[int, int], _State] = {}

    def observe(self, note: Note, /) -> Anomaly | None:
        """Take in a note; a state is held against the first one of the same updates."""
        if note.kind != "state":
            self._sums.observe(note)
            return None
        taken = self._sums.at(note.node)
        here = _State(note, taken.updates, len(taken.updates))
        known = self._states.setdefault((taken.total, here.size), here)
        if known is here:
            return None
        self.judged += 1
        if identity(known.note.fact("digest")) == identity(note.fact("digest")) or not _same_updates(known, here):
            return None
        return _differ(known, here)


def _same_updates(one: _State, other: _State) -> bool:
    return set(islice(one.updates, one.size)) == set(islice(other.updates, other.size))


def _differ(one: _State, other: _State) -> Anomaly:
    earlier, later = one.note, other.note
    updates = list(islice(other.updates.values(), other.size))
    told = ", ".join(map(to_json, updates[:5])) + (f" and {len(updates) - 5} more" if len(updates) > 5 else "")
    headline = (
        f"{earlier.node} and {later.node} have taken in the same updates ({told or 'none'}) and are in two states"
    )
    return tell("divergent-states", headline, earlier, later, because=_first_difference(earlier, later))


def _first_difference(one: Note, other: Note) -> str:
    """The first field in which two states differ, in the order in which the first of them tells its fields."""
    mine, theirs = _fields(one), _fields(other)
    for name in dict.fromkeys([*mine, *theirs]):
        told = [to_json(fields[name]) if name in fields else "nothing" for fields in (mine, theirs)]
        if told[0] != told[1]:
            return f"The first field in which they differ is {name}: {told[0]} at {one.node}, {told[1]} at {other.node}"
    return "Their digests differ; no field that they tell does"


def _fields(note: Note) -> Mapping[str, Value]:
    fields = note.fact("fields")
    return fields if isinstance(fields, Map) else {}
