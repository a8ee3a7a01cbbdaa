"""A node's clocks: virtual time, as far as faults let it be seen."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, TypeAlias

from .plan import ClockSkew

EPOCH_NS: Final = 1_600_000_000_000_000_000
"""What a wall clock without an offset shows when a run begins; far from zero, so that no offset makes it negative."""

MILLION: Final = 1_000_000

Now: TypeAlias = Callable[[], int]
Fired: TypeAlias = Callable[[str], None]
Off: TypeAlias = Callable[[int], int]
"""By how much a wall clock is off at this virtual time."""


class NodeClock:
    """The wall clock and the monotonic clock of one node (see `impl.node.Clock`).

    Both drift; only the wall clock is off, and jumps, and may go back.

    Attributes:
        rate_ppm: how many nanoseconds it counts in a virtual millisecond.
    """

    __slots__ = (
        "_anchor",
        "_base_ppm",
        "_counted",
        "_drifts_ppm",
        "_fired",
        "_now",
        "_off",
        "_offset_ns",
        "rate_ppm",
    )

    def __init__(self, now: Now, skew: ClockSkew, fired: Fired) -> None:
        self._now, self._fired = now, fired
        self.rate_ppm = self._base_ppm = MILLION + skew.drift_ppm
        self._offset_ns = EPOCH_NS + skew.offset_ns
        self._anchor = self._counted = 0
        self._off: list[tuple[str, Off]] = []
        self._drifts_ppm: list[int] = []

    def monotonic_ns(self) -> int:
        """Time since the run began, as far as this clock can tell."""
        if self.rate_ppm != self._base_ppm:
            self._fired("clock-drift")
        return self._count()

    def wall_ns(self) -> int:
        """What the node believes the time to be."""
        reading = self.monotonic_ns() + self._offset_ns
        for kind, off in self._off:
            off_ns = off(self._now())
            if off_ns:
                self._fired(kind)
                reading += off_ns
        return reading

    def lasts(self, delay_ns: int) -> int:
        """How long, in virtual time, this clock takes to count that far."""
        if self.rate_ppm != self._base_ppm:
            self._fired("clock-drift")
        return delay_ns * MILLION // self.rate_ppm

    def put_off(self, kind: str, off: Off) -> Callable[[], None]:
        """Let the wall clock be off, because of a fault of this kind; answers how to end that."""
        entry = (kind, off)
        self._off.append(entry)
        return lambda: self._off.remove(entry)

    def let_drift(self, rate_ppm: int) -> None:
        """Run at this rate too, from now on: the rates of all faults in force are multiplied."""
        self._drifts_ppm.append(rate_ppm)
        self._change_rate()

    def end_drift(self, rate_ppm: int) -> None:
        """Do not run at this rate any more."""
        self._drifts_ppm.remove(rate_ppm)
        self._change_rate()

    def _change_rate(self) -> None:
        """The clocks do not jump, they only go on at another rate."""
        self._counted, self._anchor = self._count(), self._now()
        rate = self._base_ppm
        for factor in self._drifts_ppm:
            rate = rate * factor // MILLION
        self.rate_ppm = max(1, rate)

    def _count(self) -> int:
        return self._counted + (self._now() - self._anchor) * self.rate_ppm // MILLION
