"""An order of clusters in which every read finds what it returned among the last k values, or that there is none.

With `began` of its write, `end`, the first end of an operation in it, and `read`, the last beginning of a read, an order of
the clusters of one register is that of a k-atomic history exactly where

- a stands before b if `end_a < began_b` (something of a precedes the write of b), and
- all b with `end_b < read_a` stand at most k - 1 places behind a (something of each precedes a read of a).

Operations then fit in: a read stands behind the last of its own write and of everything that precedes it.

A part of the order that is owed nothing (all that must follow soon has followed) never has to be taken back: what is left
of a solution without it is one of the rest. So the search builds such parts, and goes back inside of one only. For k = 2
there is no choice inside of one, and this is LBT (Golab, Hurwitz and Li, On the k-Atomicity-Verification Problem, 2013):
O(c n) where at most c writes are open at once, but for parts that fail late. For more it is exponential at worst.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import islice
from typing import Final, NamedTuple, TypeAlias

import numpy as np

from ..reads_from import Numbers

Owed: TypeAlias = tuple[tuple[int, int], ...]
"""Pairs: all that ends before the one must stand in the next so many places."""

NOTHING_OWED: Final[Owed] = ()


class StepsRanOut(Exception):
    """Nobody knows whether there is an order."""


class Unplaced(NamedTuple):
    """No order, since these clusters alone have none."""

    clusters: Sequence[int]


def upper_bound(end: Numbers, read: Numbers) -> int:
    """A k that suffices: that of the order by ends, which is always allowed. O(n log n)."""
    by_end = np.sort(end)
    place = np.empty(len(end), dtype=np.int64)
    place[np.argsort(end, kind="stable")] = np.arange(len(end))
    return max(1, int((np.searchsorted(by_end, read) - place).max(initial=1)))


class Search:
    """One question about one register.

    Args:
        began, end, read: of each cluster, as above.
        k: among how many values a read may find its own.
        steps_max: how many clusters may be tried at a place.
    """

    def __init__(self, began: Numbers, end: Numbers, read: Numbers, k: int, *, steps_max: int) -> None:
        self.began, self.end, self.read, self.k = began.tolist(), end.tolist(), read.tolist(), k
        self.steps, self.steps_max = 0, steps_max
        self.by_end = _List(np.argsort(end, kind="stable").tolist())
        self.by_began = _List(np.argsort(began, kind="stable").tolist())

    def order(self) -> list[int] | Unplaced:
        """The order, or clusters that have none.

        Raises:
            StepsRanOut: neither was found in time.
        """
        order: list[int] = []
        while len(order) < len(self.end):
            part = self._part()
            if part is None:
                return Unplaced(list(self.by_end))
            order += part
        return order

    def _part(self) -> list[int] | None:
        """The next clusters of the order, owed nothing in the end; None where there are none."""
        part: list[int] = []
        failed: set[tuple[frozenset[int], Owed]] = set()
        frames = [(iter(self._candidates(NOTHING_OWED)), NOTHING_OWED)]
        while frames:
            candidates, owed = frames[-1]
            candidate = next(candidates, None)
            if candidate is None:
                frames.pop()
                if part:
                    if self.k > 2:  # otherwise nothing can be come by in two ways
                        failed.add((frozenset(part), owed))
                    self._put_back(part.pop())
                continue
            self._place(candidate)
            now_owed = self._owed(owed, candidate)
            if now_owed is None or (self.k > 2 and (frozenset((*part, candidate)), now_owed) in failed):
                self._put_back(candidate)
                continue
            part.append(candidate)
            if not now_owed:
                return part
            frames.append((iter(self._candidates(now_owed)), now_owed))
        return None

    def _candidates(self, owed: Owed) -> list[int]:
        """What may stand next: nothing unplaced precedes its write, and no debt becomes too large."""
        first = self.by_end.first()
        tight = [before for before, places in owed if self._count(before, places) == places]
        if not tight:
            found = []
            for cluster in self.by_began:
                if self.began[cluster] > self.end[first]:
                    break
                found.append(cluster)
            return sorted(found, key=self.read.__getitem__)
        limit = min(tight)
        wanted = islice(self.by_end, self._count(limit, self.k))
        return [cluster for cluster in wanted if self.began[cluster] <= self.end[first]]

    def _owed(self, owed: Owed, placed: int) -> Owed | None:
        """What is owed when this has been placed; None where it can no longer be paid."""
        left = []
        for before, places in (*((before, places - 1) for before, places in owed), (self.read[placed], self.k - 1)):
            count = self._count(before, places)
            if count > places:
                return None
            if count:
                left.append((before, places))
        return tuple(left)

    def _count(self, before: int, at_most: int) -> int:
        """How many of those unplaced end before this; at most one more than asked for."""
        count = 0
        for cluster in islice(self.by_end, at_most + 1):
            if self.end[cluster] >= before:
                break
            count += 1
        return count

    def _place(self, cluster: int) -> None:
        self.steps += 1
        if self.steps > self.steps_max:
            raise StepsRanOut
        self.by_end.remove(cluster)
        self.by_began.remove(cluster)

    def _put_back(self, cluster: int) -> None:
        self.by_began.put_back(cluster)
        self.by_end.put_back(cluster)


class _List:
    """Numbers in an order, out of which any can be taken, and put back last out first in (Knuth, Dancing Links, 2000)."""

    def __init__(self, order: Sequence[int]) -> None:
        size = len(order)
        self.after, self.before = [0] * (size + 1), [0] * (size + 1)
        ring = [size, *order]
        for at, each in enumerate(ring):
            self.before[each] = ring[at - 1]
            self.after[ring[at - 1]] = each

    def __iter__(self) -> Iterator[int]:
        end = len(self.after) - 1
        at = self.after[end]
        while at != end:
            yield at
            at = self.after[at]

    def first(self) -> int:
        return self.after[-1]

    def remove(self, each: int) -> None:
        self.after[self.before[each]] = self.after[each]
        self.before[self.after[each]] = self.before[each]

    def put_back(self, each: int) -> None:
        self.after[self.before[each]] = each
        self.before[self.after[each]] = each
