"""One node, as far as its own notes testify: its log, its term, and whom it goes by."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from typing import Final

from ..histories.trace import Note
from ..histories.values import Value
from .change import UNCHANGED, Change, Log
from .configurations import Configurations
from .entries import Held, Prefix, Prefixes, is_same
from .notes import number

NOTHING: Final = range(0)


class Replica:
    """One node: its log, and its current term as far as this incarnation has noted it.

    Attributes:
        log: the known entries by index, those that a snapshot stands for included.
        unknown: indices of entries that are there, and of which nobody knows what they are (those in `log` excepted).
        snapshot_index: up to which a snapshot stands for the log; 0 when there is none.
        is_silent: whether it has said nothing since it crashed: down, or started and not heard of yet.
        term: its current term; None where this incarnation has not said.
        leads: its own `leads`, from then until it notes a higher term, or its incarnation ends.
        configurations: whom it goes by.
    """

    def __init__(self, prefixes: Prefixes) -> None:
        self._prefixes = prefixes
        self._held: list[Held] = []
        self._indices: list[int] = []
        self.log: dict[int, Held] = {}
        self.unknown = NOTHING
        self.snapshot_index = 0
        self.is_silent = False
        self.term: int | None = None
        self.leads: Note | None = None
        self.configurations = Configurations()
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

    def at_present(self) -> Log:
        """Its log as it is now."""
        return Log(dict(self.log), self.unknown, self.last_index + 1 if self.is_silent else None)

    # --- what its notes say

    def append(self, note: Note) -> Change:
        """Put the entry of an `appended` note in its place, and nothing else: whoever deletes what is above, notes it."""
        index, term, command = number(note, "index"), number(note, "term"), note.facts[2]
        there = self.log.get(index)
        if there is not None and there.term == term and is_same(there.command, command):
            return UNCHANGED
        if self._committed >= index:
            self._committed = index - 1
        if not self._indices or index > self._indices[-1]:
            return Change((self._put(index, term, command, note),))
        above = [held for held in self._take(index) if held is not there]
        placed = [self._put(index, term, command, note)]
        placed += [self._put(held.index, held.term, held.command, held.note) for held in above]
        if there is None:
            return Change(tuple(placed))
        return Change(placed=tuple(placed), lost=(there,), lost_from=index)

    def truncate(self, first: int) -> Change:
        """Take away everything from this index on."""
        had = self.last_index
        self.unknown = range(self.unknown.start, max(self.unknown.start, min(self.unknown.stop, first)))
        lost = self._take(first)
        self._committed, self.snapshot_index = min(self._committed, first - 1), min(self.snapshot_index, first - 1)
        self.configurations.unsettle(first)
        return Change(lost=tuple(lost), lost_from=first) if lost or had >= first else UNCHANGED

    def commit(self, last: int) -> Change:
        """Take in that everything up to this index is committed."""
        if last <= self._committed:
            return UNCHANGED
        begin, end = bisect_right(self._indices, self._committed), bisect_right(self._indices, last)
        self._committed = last
        self.configurations.settle(last)
        return Change((), (), None, tuple(self._held[begin:end]), self.term) if begin < end else UNCHANGED

    def compact(self, index: int) -> Change:
        """Take in that a snapshot stands for the log up to this index; what nobody had noted there is there, too."""
        self._stand_up_to(index)
        self._fill(index)
        return UNCHANGED

    def install(self, note: Note) -> Change:
        """Take in a snapshot from elsewhere: the log goes on above its last entry, or, where it has another one, is gone.

        Where nobody knows which entry it has there, nobody knows what is above it either.
        """
        index, term = number(note, "index"), number(note, "term")
        there, had, was_unknown = self.log.get(index), self.last_index, index in self.unknown
        self._stand_up_to(index)
        if there is not None and there.term == term:
            return UNCHANGED
        lost = self._replace(index, self._prefixes.of(index, term), note)
        if there is None and was_unknown:
            self._fill(had)
            return UNCHANGED
        if not lost and had <= index:
            return UNCHANGED
        lost_from = min([index + 1, *(held.index for held in lost)])
        self._committed = min(self._committed, lost_from - 1)
        return Change(lost=tuple(lost), lost_from=lost_from)

    def restore(self, last_index: int, snapshot_index: int = 0) -> Change:
        """Keep everything up to this index; what is missing below it is unknown.

        So is what a snapshot stands for that nobody has noted: it may have come from elsewhere.
        """
        last = max(last_index, snapshot_index)
        change = self.truncate(last + 1)
        if last == snapshot_index > self.snapshot_index:
            first = self.snapshot_index + 1
            self._take(first)
            self.unknown = range(min(first, self.unknown.start) if self.unknown else first, last + 1)
        self._fill(last)
        self.snapshot_index = snapshot_index
        self.configurations.settle(snapshot_index)
        return change

    def enter(self, term: int) -> None:
        """Take in its current term; in a term that went back, everything is said anew."""
        if self.term is not None and term < self.term:
            self._committed = 0
        if self.leads is not None and term > number(self.leads, "term"):
            self.leads = None
        self.term = term

    def lead(self, note: Note) -> Change:
        """Take in that it leads."""
        self.enter(number(note, "term"))
        self.leads = note
        return Change(elected=self.at_present())

    def start(self) -> None:
        """Forget what an incarnation knows, and not what is on the disk."""
        self.term, self.leads, self._committed = None, None, 0

    # --- its log

    def _stand_up_to(self, index: int) -> None:
        self.snapshot_index = max(self.snapshot_index, index)
        self.configurations.settle(index)

    def _fill(self, last: int) -> None:
        """Something is there up to this index."""
        had = self.last_index
        if had < last:
            self.unknown = range(self.unknown.start if self.unknown else had + 1, last + 1)

    def _replace(self, last: int, prefix: Prefix | None, note: Note) -> list[Held]:
        """Hold this prefix, or (None) something unknown up to an index, and nothing else; answers what was lost.

        The entry that was at that index is lost for certain: the new one there has another term.
        """
        fresh: list[Prefix] = []
        self.unknown = NOTHING if prefix else range(1, last + 1)
        while prefix is not None and not ((held := self.log.get(prefix.index)) and held.prefix is prefix):
            fresh.append(prefix)
            prefix = prefix.below
        taken = self._take(prefix.index + 1 if prefix else 1)
        for each in reversed(fresh):
            self._hold(Held(each.index, each.term, each.command, note, each))
        return [held for held in taken if held.index == last or not self.may_hold(held.index, held.term)]

    def _take(self, first: int) -> list[Held]:
        if not self._held or self._indices[-1] < first:
            return []
        at = bisect_left(self._indices, first)
        taken = self._held[at:]
        del self._held[at:], self._indices[at:]
        for held in taken:
            del self.log[held.index]
        return taken

    def _put(self, index: int, term: int, command: Value, note: Note) -> Held:
        return self._hold(Held(index, term, command, note, self._prefix(index, term, command)))

    def _hold(self, held: Held) -> Held:
        self._held.append(held)
        self._indices.append(held.index)
        self.log[held.index] = held
        return held

    def _prefix(self, index: int, term: int, command: Value) -> Prefix | None:
        below = self._held[-1] if self._held else None
        if below is not None and below.prefix is None:
            return None
        after = below.index if below is not None else 0
        if self.unknown and max(self.unknown.start, after + 1) < min(self.unknown.stop, index):
            return None
        return self._prefixes.above(below.prefix if below is not None else None, index, term, command)
