"""Sets of integers as ranges: the sums that some of several numbers can make."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from heapq import merge
from typing import Final

RANGES_MAX: Final = 256
"""More ranges than this are taken as one, from the smallest number to the largest."""


@dataclass(frozen=True, slots=True)
class Ranges:
    """A set of integers.

    Attributes:
        parts: pairs of the least and the greatest number of each range, in order and with gaps between them.
        is_exact: False when numbers were let in that may be no such sum.
    """

    parts: tuple[tuple[int, int], ...]
    is_exact: bool = True

    @property
    def least(self) -> int:
        """The smallest number in it."""
        return self.parts[0][0]

    @property
    def greatest(self) -> int:
        """The largest number in it."""
        return self.parts[-1][1]

    def __contains__(self, number: int) -> bool:
        return any(least <= number <= greatest for least, greatest in self.parts)

    def or_plus(self, number: int) -> Ranges:
        """These numbers, and each of them with this one added."""
        moved = ((least + number, greatest + number) for least, greatest in self.parts)
        parts = _joined(merge(self.parts, moved))
        if len(parts) > RANGES_MAX:
            return Ranges(((parts[0][0], parts[-1][1]),), is_exact=False)
        return Ranges(tuple(parts), self.is_exact)

    def plus(self, number: int) -> Ranges:
        """Each of these numbers with this one added."""
        return Ranges(tuple((least + number, greatest + number) for least, greatest in self.parts), self.is_exact)


def _joined(parts: Iterable[tuple[int, int]]) -> list[tuple[int, int]]:
    """Ranges that overlap or touch made into one; they come in order."""
    joined: list[tuple[int, int]] = []
    for least, greatest in parts:
        if joined and least <= joined[-1][1] + 1:
            joined[-1] = joined[-1][0], max(joined[-1][1], greatest)
        else:
            joined.append((least, greatest))
    return joined
