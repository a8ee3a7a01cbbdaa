"""Whether clusters fit into one order of values, and how far reads must be moved for that: a test on pairs.

A cluster comes before another where one of its operations had ended when one of the other began. With `end` the first end
in a cluster and `start` the last beginning, that is `end_a < start_b`, and relations of this form have a cycle only where
two have one: from a before b and c before d follows a before d or c before b. So clusters fit into one order exactly
where no two come before each other: two forward zones (end before start) that overlap, or a backward zone (all its
operations at once) inside a forward one (Gibbons and Korach, Testing Shared Memories, 1997; Golab, Li and Shah, Analyzing
Consistency Properties for Fun and Profit, 2011).

Moving reads back by a bound only lowers `start`, and never below the beginning of the write.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from ..reads_from import Numbers
from .registers import END, START


class Conflict(NamedTuple):
    """Two clusters that come before each other, and the least bound at which one of the two no longer does."""

    one: int
    other: int
    bound: int


class Zones:
    """The clusters of one register, for questions about bounds.

    Args:
        end: of each cluster, when what others must not have missed had ended.
        floor: below which its start cannot be moved.
        start: when the last of its reads began.
    """

    def __init__(self, end: Numbers, floor: Numbers, start: Numbers) -> None:
        self.by_end = np.argsort(end, kind="stable")
        self.end, self.floor, self.start = end[self.by_end], floor[self.by_end], start[self.by_end]

    def conflict(self, bound: int) -> Conflict | None:
        """Two that come before each other although reads are moved back by the bound; the worst of those that it sees.

        Of two forward zones that overlap it sees the latest start in front of the later end, and of a backward one the
        latest start of all that come before it. O(n log n).
        """
        start = np.maximum(self.floor, self.start - bound)
        place = np.arange(len(start))
        seen = np.where(self.end < start, place, np.searchsorted(self.end, start))
        latest = np.maximum.accumulate(start)
        of = np.maximum.accumulate(np.where(start == latest, place, 0))
        bad = np.flatnonzero(seen)
        bad = bad[latest[seen[bad] - 1] > self.end[bad]]
        if not len(bad):
            return None
        partner = of[seen[bad] - 1]
        least = np.minimum(self._parts(bad, partner), self._parts(partner, bad))
        worst = int(np.argmax(least))
        return Conflict(int(self.by_end[bad[worst]]), int(self.by_end[partner[worst]]), int(least[worst]))

    def _parts(self, before: Numbers, after: Numbers) -> Numbers:
        """The least bounds at which these no longer come before those; END where none does."""
        return np.where(self.end[before] < self.floor[after], END, self.start[after] - self.end[before])

    def least_bound(self, at_least: int = 0) -> tuple[int, Conflict | None]:
        """The least bound, and no less than the one given, without a conflict, and the conflict just below it.

        Every conflict rules out all bounds below its own, and half of what is left between there and a bound that
        suffices is ruled out each time: at most 62 times O(n log n), and mostly a few.
        """
        low, worst, high = at_least, None, self._suffices()
        while (conflict := self.conflict(low)) is not None:
            low, worst = conflict.bound, conflict
            middle = (low + high) // 2
            conflict = self.conflict(middle)
            if conflict is None:
                high = middle
            else:
                low, worst = conflict.bound, conflict
        return low, worst

    def _suffices(self) -> int:
        """A bound that moves every read before every end."""
        ends = self.end[self.end > START]
        return int(self.start.max() - ends.min()) if len(ends) else 0

    def order(self, bound: int) -> Numbers:
        """An order of clusters that suits them all at this bound, at which there is no conflict.

        A forward zone stands at its end, a backward one at its start, before a forward one at the same place.
        """
        start = np.maximum(self.floor, self.start - bound)
        place = np.minimum(self.end, start)
        return self.by_end[np.lexsort((self.end < start, place))]
