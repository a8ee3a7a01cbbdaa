"""Draws that a swarm needs, from integers and decimal arithmetic alone, so that a seed gives the same plan everywhere."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal, localcontext
from typing import TypeVar

import msgspec

from .randomness import Luck

T = TypeVar("T")


class Draw(msgspec.Struct, frozen=True):
    """Draws that a swarm needs, from integers and decimal arithmetic alone."""

    luck: Luck

    def happens(self, of: int, among: int) -> bool:
        """Whether something with so many chances among that many does."""
        return self.luck.below(among) < of

    def between(self, low: int, high: int) -> int:
        """An integer in [low, high], each equally likely."""
        return low + self.luck.below(high - low + 1)

    def weighted(self, weights: Mapping[T, int]) -> T:
        """One of the keys, each with its weight."""
        drawn = self.luck.below(sum(weights.values()))
        for option, weight in weights.items():
            drawn -= weight
            if drawn < 0:
                return option
        raise AssertionError("weights do not add up")

    def logarithmic(self, low: int, high: int) -> int:
        """An integer in [low, high], each order of magnitude equally likely; rounded to two digits."""
        return int(self._between_logarithms(Decimal(max(1, low)), Decimal(max(1, high)))) if high > low else low

    def rate(self, low: str, high: str) -> float:
        """Likewise, for probabilities."""
        return float(self._between_logarithms(Decimal(low), Decimal(high)))

    def _between_logarithms(self, low: Decimal, high: Decimal) -> Decimal:
        part = Decimal(self.luck.below(1 << 16)) / (1 << 16)
        with localcontext() as context:
            context.prec = 12
            drawn = low * ((high / low).ln() * part).exp()
            context.prec = 2
            return min(high, max(low, +drawn))
