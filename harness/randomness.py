"""All luck of a run: streams of their own for each purpose and place, and delays by table look-up.

A stream is keyed by (seed, purpose, place), so that taking one fault or one client away does not shift anybody else's luck.
Only `random()` and `getrandbits()` of `random.Random` are used, since their results are the same on any platform and in
any version; seeds are strings put through blake2b, never `hash()`.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal, localcontext
from functools import lru_cache
from hashlib import blake2b
from typing import Final, TypeVar

from ..histories.errors import UsageError
from .plan import Delay

QUANTILES: Final = 4096
"""How many equally likely values a delay may have; a draw is twelve bits."""

UNIT: Final = 10**9
"""The scale of unit quantiles: a distribution of mean 1 as integers."""

T = TypeVar("T")


def stream(seed: int, purpose: str, place: str = "") -> random.Random:
    """The stream of this purpose at this place (a link, a node); call only `random()` and `getrandbits()` on it."""
    key = blake2b(f"{seed}/{purpose}/{place}".encode(), digest_size=16).digest()
    return random.Random(int.from_bytes(key, "big"))  # noqa: S311  # reproducible on purpose


class Luck:
    """Dice (see `impl.node.Dice`) that draw from one stream."""

    __slots__ = ("_bits", "_random")

    def __init__(self, source: random.Random) -> None:
        self._random, self._bits = source.random, source.getrandbits

    def random(self) -> float:
        """A number in [0, 1)."""
        return self._random()

    def below(self, n: int, /) -> int:
        """An integer in [0, n), each equally likely."""
        if n < 1:
            raise ValueError(f"there is no integer in [0, {n})")
        width = (n - 1).bit_length()
        while (drawn := self._bits(width)) >= n:
            pass
        return drawn

    def choice(self, options: Sequence[T], /) -> T:
        """One of them."""
        return options[self.below(len(options))]

    def shuffled(self, options: Sequence[T], /) -> list[T]:
        """All of them, in a random order (Fisher and Yates)."""
        cards = list(options)
        for last in range(len(cards) - 1, 0, -1):
            other = self.below(last + 1)
            cards[last], cards[other] = cards[other], cards[last]
        return cards


@lru_cache(maxsize=256)
def delays(delay: Delay) -> tuple[int, ...]:
    """The quantiles of a distribution of delays, in nanoseconds, ascending.

    Raises:
        UsageError: there is no such shape, or a duration is negative, or `max_ns` lies below `min_ns`.
    """
    if delay.shape not in SHAPES:
        raise UsageError(f"there is no delay of shape {delay.shape!r}; there are {', '.join(SHAPES)}")
    if delay.min_ns < 0 or delay.mean_ns < 0:
        raise UsageError(f"a delay cannot be negative: {delay}")
    if delay.shape != "constant" and delay.max_ns < delay.min_ns:
        raise UsageError(f"a delay of at most {delay.max_ns} ns cannot be at least {delay.min_ns} ns")
    unit = _unit(delay.shape)
    if delay.shape in {"constant", "uniform"}:
        span = delay.max_ns - delay.min_ns
        return tuple(delay.min_ns + span * one // UNIT for one in unit)
    return tuple(min(delay.max_ns, delay.min_ns + delay.mean_ns * one // UNIT) for one in unit)


@lru_cache
def _unit(shape: str) -> tuple[int, ...]:
    """The unit quantiles of a shape; computed in decimal arithmetic, so that no platform's libm has a say."""
    with localcontext() as context:
        context.prec = 20
        return tuple(int(UNIT * one) for one in SHAPES[shape]())


def _midpoints() -> list[Decimal]:
    return [Decimal(2 * number + 1) / (2 * QUANTILES) for number in range(QUANTILES)]


def _constant() -> list[Decimal]:
    return [Decimal(0)] * QUANTILES


def _exponential() -> list[Decimal]:
    return [-(1 - u).ln() for u in _midpoints()]


def _lognormal() -> list[Decimal]:
    """The exponential of a standard normal, over its mean: a median of 0.6, and one in a thousand at 13."""
    return [(z - Decimal("0.5")).exp() for z in _normal()]


def _heavy_tail() -> list[Decimal]:
    """Pareto with exponent 3/2, over its mean: the variance has no bound."""
    return [(-(1 - u).ln() * 2 / 3).exp() / 3 for u in _midpoints()]


def _normal() -> list[Decimal]:
    """Quantiles of the standard normal: Newton's method on its distribution function, from one quantile to the next."""
    upper: list[Decimal] = []
    z = Decimal(0)
    for u in _midpoints()[QUANTILES // 2 :]:
        for _ in range(4):
            z -= (_from_median(z) - (u - Decimal("0.5"))) / _density(z)
        upper.append(z)
    return [-z for z in reversed(upper)] + upper


def _density(z: Decimal) -> Decimal:
    return (-z * z / 2).exp() / Decimal("2.5066282746310005024")


def _from_median(z: Decimal) -> Decimal:
    """The probability between 0 and z: density(z) times z + z^3/3 + z^5/(3*5) + ..."""
    term = total = z
    divisor = 3
    while abs(term) > Decimal("1e-14"):
        term = term * z * z / divisor
        total += term
        divisor += 2
    return total * _density(z)


SHAPES: Final[Mapping[str, Callable[[], list[Decimal]]]] = {
    "constant": _constant,
    "uniform": _midpoints,
    "exponential": _exponential,
    "lognormal": _lognormal,
    "heavy_tail": _heavy_tail,
}
"""The shapes of delay; `plan.Delay` says what they take."""
