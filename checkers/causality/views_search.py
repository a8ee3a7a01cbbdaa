"""The order that the reads of one session impose on its view: saturation with clocks that only grow.

A view belongs to a *reader*: transactions of one session, one after the other. Its order is the least that contains what
the model gives and, for every read of the reader, has each other write of that key that comes before the read come before
the write that it returned. One order of the view explains all reads of the reader exactly when that order has no cycle and
puts no write before a read of the initial value: take the reader's transactions in turn, each after what comes before it
(Bouajjani, Enea, Guerraoui and Hamza, On Verifying Causal Consistency, 2017, HB_o in section 3.3).
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from heapq import heappop, heappush
from itertools import starmap
from types import ModuleType
from typing import NamedTuple

import numpy as np

from ... import native
from ..reads_from import INITIAL, Numbers
from .order import contiguous
from .past import CausalOrder
from .views_layout import Layout


class Pair(NamedTuple):
    """A write that comes before another in a view, since the read, a row of the reads, comes after both and returned that."""

    before: int
    after: int
    read: int


class Clash(NamedTuple):
    """Why a view has no order: `before` comes before the read, which returned `after`, and after that as well.

    `after` is INITIAL where the read returned what was there at first. `before` is the reader where it is itself that comes
    before the write that it read.
    """

    before: int
    after: int
    read: int


@dataclass(frozen=True, eq=False)
class View:
    """What was found out about a view.

    Attributes:
        reader: the transactions whose reads are explained, in their order.
        key: the number of the key that the view is about; None for all.
        pairs: in the order in which they were found, each from what comes before.
        clash: None where the view has an order.
    """

    reader: tuple[int, ...]
    key: int | None
    pairs: tuple[Pair, ...]
    clash: Clash | None


def views(past: CausalOrder, *, is_causal: bool, by_key: bool) -> Iterator[View]:
    """The views of a history, one after the other, up to the first that has no order.

    Args:
        past: what comes before what.
        is_causal: whether a view keeps the causal order, and not that of sessions alone.
        by_key: whether each key has views of its own.
    """
    layout = Layout(past, is_causal=is_causal)
    readers = list(layout.readers_by_key()) if by_key else [(None, reader) for reader in layout.readers()]
    if native.core is not None:
        yield from _searched(native.core, layout, readers)
        return
    for key, reader in readers:
        view = Search(layout, reader, key).run()
        yield view
        if view.clash is not None:
            return


def _searched(
    core: ModuleType, layout: Layout, readers: Sequence[tuple[int | None, tuple[int, ...]]]
) -> Iterator[View]:
    """The views, as the native core finds them: what `Search` finds."""
    past, traced = layout.past, layout.traced
    rows = len(traced)
    by_reader = np.argsort(traced.reads[:, 0], kind="stable")
    reads = traced.reads[by_reader]
    members = np.fromiter((row for _, reader in readers for row in reader), np.int64)
    found = core.causal_views(
        (*map(contiguous, (past.chain, past.place)), layout.chains),
        contiguous(layout.previous_rows),
        layout.clocks,
        (contiguous(reads[:, 1:]), contiguous(np.searchsorted(reads[:, 0], np.arange(rows + 1)))),
        contiguous(traced.writes),
        (
            members,
            np.cumsum([0, *(len(reader) for _, reader in readers)], dtype=np.int64),
            np.array([-1 if key is None else key for key, _ in readers], dtype=np.int64),
        ),
    )
    for (key, reader), (pairs, clash) in zip(readers, found, strict=False):
        shown = np.frombuffer(pairs, np.int64).reshape(-1, 3)
        shown = np.column_stack((shown[:, :2], by_reader[shown[:, 2]]))
        stopped = None if clash is None else Clash(clash[0], clash[1], int(by_reader[clash[2]]))
        yield View(reader, key, tuple(starmap(Pair, shown.tolist())), stopped)


class _Heads(NamedTuple):
    """The writes of a chain that others were found to come before: their places, and the clocks of all that precedes."""

    places: list[int]
    clocks: list[Numbers]


class Search:
    """Saturates the view of one reader.

    The clock of a row says how many rows of each chain come before it or are it. Only the clocks of the reader's
    transactions and of *heads*, the writes that pairs lead to, are kept; each holds the clock of every head in it, so that
    that of any other row is what the model gives, joined with those of the last head of each chain in that.
    """

    def __init__(self, layout: Layout, reader: tuple[int, ...], key: int | None = None) -> None:
        self.layout, self.reader, self.key = layout, reader, key
        self.own: Numbers = np.zeros((len(reader), layout.chains), np.int64)
        self.number = {row: at for at, row in enumerate(reader)}
        self.done = 0
        self.heads: dict[int, _Heads] = {}
        self.pairs: list[Pair] = []
        self.returned: dict[int, int] = {}
        self.dirty: list[int] = []
        self.is_dirty = [False] * len(reader)

    def run(self) -> View:
        """The pairs, and the clash at which it stopped. Near O(m k) for m reads of k chains while reads agree."""
        clash = next((found for found in self._clashes() if found is not None), None)
        return View(self.reader, self.key, tuple(self.pairs), clash)

    def _clashes(self) -> Iterator[Clash | None]:
        for at in range(len(self.reader)):
            yield self._advance(at)
            self._soil(at)
            while self.dirty:
                again = heappop(self.dirty)
                self.is_dirty[again] = False
                yield self._check(again)

    # --- clocks

    def _given(self, row: int) -> Numbers:
        """The clock that the model gives a row: its causes, or what its session did before."""
        layout = self.layout
        clock: Numbers = np.zeros(layout.chains, np.int64)
        if layout.clocks is not None:
            clock[:] = layout.clocks[row]
            return clock
        for each in (layout.previous[row], row):
            if each >= 0:
                clock[layout.chain[each]] = layout.place[each] + 1
        return clock

    def _clock(self, row: int) -> Numbers:
        at = self.number.get(row)
        if at is not None and at < self.done:
            mine: Numbers = self.own[at]
            return mine
        return self._joined(self._given(row))

    def _joined(self, clock: Numbers) -> Numbers:
        """With what comes before the heads in it."""
        counts = clock.tolist()
        for chain, (places, clocks) in self.heads.items():
            if not counts[chain]:
                continue
            last = bisect_left(places, counts[chain]) - 1
            if last >= 0:
                np.maximum(clock, clocks[last], out=clock)
        return clock

    def _holds(self, clock: Numbers, row: int) -> bool:
        return bool(clock[self.layout.chain[row]] > self.layout.place[row])

    def _reads(self, row: int) -> Iterator[tuple[int, int, int]]:
        return (each for each in self.layout.reads.get(row, ()) if self.key is None or each[1] == self.key)

    def _advance(self, at: int) -> Clash | None:
        """The next transaction of the reader: after the last one, and after the writes that it read."""
        row, mine = self.reader[at], self.own[at]
        if at:
            mine[:] = self.own[at - 1]
        for read, _, source in self._reads(row):
            if source != INITIAL:
                clock = self._clock(source)
                if self._holds(clock, row):
                    return Clash(row, source, read)
                np.maximum(mine, clock, out=mine)
        np.maximum(mine, self._joined(self._given(row)), out=mine)
        self.done = at + 1
        return None

    # --- reads

    def _check(self, at: int) -> Clash | None:
        """Each write that comes before a read comes before the one that the read returned."""
        row = self.reader[at]
        counts = self.own[at].tolist()
        counts[self.layout.chain[row]] = self.layout.place[row]
        for read, key, source in self._reads(row):
            known = self._clock(source) if source != INITIAL else None
            for before in self._candidates(key, counts):
                if before == source or (known is not None and self._holds(known, before)):
                    continue
                clock = self._clock(before)
                if known is None or self._holds(clock, source):
                    return Clash(before, source, read)
                known = np.maximum(known, clock)
                self._add(Pair(before, source, read), known)
            self.returned[key] = source
        return None

    def _candidates(self, key: int, counts: Sequence[int]) -> Iterator[int]:
        """The last writers of a key in each chain, and first of all what the last read returned: it often settles the rest."""
        latest = self.returned.get(key, INITIAL)
        if latest != INITIAL and self.layout.place[latest] < counts[self.layout.chain[latest]]:
            yield latest
        for chain, places, rows in self.layout.writers.get(key, ()):
            last = bisect_left(places, counts[chain]) - 1
            if last >= 0:
                yield rows[last]

    def _add(self, pair: Pair, clock: Numbers) -> None:
        """Raise the clock of the later write to this one, and those of all that it comes before."""
        self.pairs.append(pair)
        chain, place = self.layout.chain[pair.after], self.layout.place[pair.after]
        places, clocks = self.heads.setdefault(chain, _Heads([], []))
        slot = bisect_left(places, place)
        if slot == len(places) or places[slot] != place:
            places.insert(slot, place)
            clocks.insert(slot, clock)
        clocks[slot] = clock
        for others in self.heads.values():
            if others.clocks[-1][chain] <= place:
                continue
            first = bisect_right(others.clocks, place, key=_component(chain))
            for each in range(first, len(others.clocks)):
                raised = np.maximum(others.clocks[each], clock)
                if others.clocks[each] is not clock and np.array_equal(raised, others.clocks[each]):
                    break  # and so do the later ones of the chain: clocks grow along it
                others.clocks[each] = raised
        self._raise_own(bisect_right(self.own[: self.done, chain], place), clock)

    def _raise_own(self, first: int, clock: Numbers) -> None:
        """The reader's transactions from this one on that lack something of a clock; their reads are to be checked again."""
        for at in range(first, self.done):
            if not np.any(self.own[at] < clock):
                break
            np.maximum(self.own[at], clock, out=self.own[at])
            self._soil(at)

    def _soil(self, at: int) -> None:
        """Have the reads of a transaction checked."""
        if not self.is_dirty[at]:
            self.is_dirty[at] = True
            heappush(self.dirty, at)


def _component(chain: int) -> Callable[[Numbers], int]:
    return lambda clock: int(clock[chain])
