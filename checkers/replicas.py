"""What the logs of all nodes hold, as far as their own notes testify.

The rules of testimony:

- `appended`, `truncated`, `term` and `voted` are noted when they are durable, that is, after the sync;
- `restored` is the first note of a node that starts with something on its disk. Entries beyond its last index are lost;
  entries up to it that nobody noted (the crash came between sync and note) are there, and nobody knows what they are;
- a node that notes anything else first after a start came back with nothing;
- a node that is down, or has started and said nothing yet, still holds what it held.

Log indices start at 1.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

from ..histories.trace import LIFECYCLE, TRANSPORT, Note
from ..histories.values import Value, identity
from .monitor import number

NOTHING: Final = range(0)


@dataclass(frozen=True, slots=True, eq=False)
class Prefix:
    """A log up to and including one entry. Two logs are the same up to there exactly when they share this object."""

    below: Prefix | None
    index: int
    term: int
    command: Value


@dataclass(frozen=True, slots=True)
class Held:
    """An entry in the log of a node.

    `note` is the node's own `appended`; `prefix` is None where something below the entry is unknown.
    """

    index: int
    term: int
    command: Value
    note: Note
    prefix: Prefix | None

    def is_same_entry(self, other: Held) -> bool:
        """Whether both are the same entry: index, term and command."""
        return self.entry == other.entry

    @property
    def entry(self) -> tuple[int, int, Any]:
        """The entry as a hashable key."""
        return self.index, self.term, identity(self.command)


def _index(held: Held) -> int:
    return held.index


class Change(NamedTuple):
    """What a note did to the log of its node.

    `placed` are the entries that it put there (and those above, whose prefixes may have changed), `lost` the known entries
    that went away, and `lost_from` the index from which on something may have gone, known or not; None when nothing did.
    `committed` are the known entries of which the node says for the first time since it started that they are committed.
    """

    placed: tuple[Held, ...] = ()
    lost: tuple[Held, ...] = ()
    lost_from: int | None = None
    committed: tuple[Held, ...] = ()


UNCHANGED: Final = Change()


class Replica:
    """One node: its log, and its current term as far as this incarnation has noted it.

    Attributes:
        log: the known entries by index.
        unknown: indices of entries that are there, and of which nobody knows what they are (those in `log` excepted).
        is_silent: whether it has said nothing since it crashed: down, or started and not heard of yet.
        term: its current term; None where this incarnation has not said.
    """

    def __init__(self, prefixes: dict[Any, Prefix]) -> None:
        self._prefixes = prefixes
        self._held: list[Held] = []
        self.log: dict[int, Held] = {}
        self.unknown = NOTHING
        self.is_silent = False
        self.term: int | None = None
        self._committed = 0

    @property
    def last_index(self) -> int:
        """The last index of its log, 0 when that is empty."""
        known = self._held[-1].index if self._held else 0
        return max(known, self.unknown.stop - 1) if self.unknown else known

    def may_hold(self, index: int, term: int) -> bool:
        """Whether nothing rules out that the entry of this term is at this index of its disk."""
        held = self.log.get(index)
        if held is not None:
            return held.term == term
        return index in self.unknown or (self.is_silent and index > self.last_index)

    def append(self, note: Note) -> Change:
        """Put the entry of an `appended` note in its place, and nothing else: whoever deletes what is above, notes it."""
        index, term, command = number(note, "index"), number(note, "term"), note.fact("command")
        there = self.log.get(index)
        if there is not None and there.entry == (index, term, identity(command)):
            return UNCHANGED
        above = [held for held in self._take(index) if held is not there]
        placed = [self._put(index, term, command, note)]
        placed += [self._put(held.index, held.term, held.command, held.note) for held in above]
        self._committed = min(self._committed, index - 1)
        if there is None:
            return Change(placed=tuple(placed))
        return Change(placed=tuple(placed), lost=(there,), lost_from=index)

    def commit(self, last: int) -> Change:
        """Take in that everything up to this index is committed."""
        begin = bisect_right(self._held, self._committed, key=_index)
        end = bisect_right(self._held, last, key=_index)
        self._committed = max(self._committed, last)
        return Change(committed=tuple(self._held[begin:end]))

    def enter(self, term: int) -> None:
        """Take in its current term; in a term that went back, everything is said anew."""
        if self.term is not None and term < self.term:
            self._committed = 0
        self.term = term

    def start(self) -> None:
        """Forget what an incarnation knows, and not what is on the disk."""
        self.term, self._committed = None, 0

    def truncate(self, first: int) -> Change:
        """Take away everything from this index on."""
        had = self.last_index
        self.unknown = range(self.unknown.start, max(self.unknown.start, min(self.unknown.stop, first)))
        lost = self._take(first)
        self._committed = min(self._committed, first - 1)
        return Change(lost=tuple(lost), lost_from=first) if lost or had >= first else UNCHANGED

    def restore(self, last_index: int) -> Change:
        """Keep everything up to this index; what is missing below it is unknown."""
        change = self.truncate(last_index + 1)
        had = self.last_index
        if had < last_index:
            self.unknown = range(self.unknown.start if self.unknown else had + 1, last_index + 1)
        return change

    def _take(self, first: int) -> list[Held]:
        at = bisect_left(self._held, first, key=_index)
        taken = self._held[at:]
        del self._held[at:]
        for held in taken:
            del self.log[held.index]
        return taken

    def _put(self, index: int, term: int, command: Value, note: Note) -> Held:
        held = Held(index, term, command, note, self._prefix(index, term, command))
        self._held.append(held)
        self.log[index] = held
        return held

    def _prefix(self, index: int, term: int, command: Value) -> Prefix | None:
        below = self._held[-1] if self._held else None
        after = below.index if below else 0
        if (below and below.prefix is None) or max(self.unknown.start, after + 1) < min(self.unknown.stop, index):
            return None
        prefix = below.prefix if below else None
        key = prefix, index, term, identity(command)
        found = self._prefixes.get(key)
        if found is None:
            found = self._prefixes[key] = Prefix(prefix, index, term, command)
        return found


class Replicas:
    """All nodes of a trace; `observe` every note, and ask about any node at any moment."""

    def __init__(self) -> None:
        self._prefixes: dict[Any, Prefix] = {}
        self._replicas: dict[str, Replica] = {}

    def __getitem__(self, node: str) -> Replica:
        if node not in self._replicas:
            self._replicas[node] = Replica(self._prefixes)
        return self._replicas[node]

    @property
    def known(self) -> Mapping[str, Replica]:
        """The nodes that have noted anything, by name."""
        return self._replicas

    def observe(self, note: Note) -> Change:
        """Take in a note; answers what it did to the log of its node."""
        replica = self[note.node]
        if note.kind in LIFECYCLE:
            replica.is_silent = replica.is_silent or note.kind == "crash" or bool(replica.last_index)
            replica.start()
            return UNCHANGED
        if note.kind in TRANSPORT:
            return UNCHANGED
        settled = _settle(replica, note) if replica.is_silent else UNCHANGED
        change = _apply(replica, note)
        return change if settled is UNCHANGED else settled._replace(placed=change.placed, committed=change.committed)


def _settle(replica: Replica, note: Note) -> Change:
    """The first word of a node after its crash says what it came back with."""
    replica.is_silent = False
    kept = number(note, "last_index") if note.kind == "restored" else 0
    return replica.restore(kept)._replace(lost_from=kept + 1)


def _apply(replica: Replica, note: Note) -> Change:
    match note.kind:
        case "term" | "leads" | "voted":
            replica.enter(number(note, "term"))
        case "restored":
            replica.enter(number(note, "term"))
            return replica.restore(number(note, "last_index"))
        case "committed":
            return replica.commit(number(note, "index"))
        case "appended":
            return replica.append(note)
        case "truncated":
            return replica.truncate(number(note, "first_index"))
    return UNCHANGED
