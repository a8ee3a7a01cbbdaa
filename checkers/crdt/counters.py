"""Counters: the sum of the increments that a read saw, where some of them may not have taken effect."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from ..verdict import Anomaly
from .execution import Execution, Step
from .judging import Finding, OfReads

SUMS_MAX: Final = 10_000
"""How many different sums of pending increments are told apart; beyond, only the interval is known."""


@dataclass(frozen=True, kw_only=True)
class Counter(OfReads):
    """Reads return the sum of the increments (decrements are negative) that they saw; each pending one counts or not.

    The sums of pending increments are known exactly while there are at most `SUMS_MAX` different ones; beyond that a value
    within their interval is undecided. O(n + pending times `SUMS_MAX`) for each read, whatever the size of the numbers.
    """

    increment: str = "add"
    name = "counter"

    def look(self, execution: Execution, read: Step) -> Finding:
        """What there is to say against a read."""
        seen = execution.seen_by(read, self.increment)
        strange = next((step for step in (*seen, read) if type(_number(step, read)) is not int), None)
        if strange is not None:
            return f"not applicable: {strange} is about no integer"
        settled = sum(_amount(step) for step in seen if not step.is_pending)
        pending = [_amount(step) for step in seen if step.is_pending]
        rest = _amount_of(read) - settled
        low, high = sum(min(0, each) for each in pending), sum(max(0, each) for each in pending)
        sums = sums_of(pending)
        if sums is None and low <= rest <= high:
            return f"{read}: too many pending increments to tell whether some of them have this sum"
        if low <= rest <= high and sums is not None and rest in sums:
            return None
        bounds = f"{settled + low}" if low == high else f"between {settled + low} and {settled + high}"
        gap = ", and no choice of the pending ones gives the value" if low <= rest <= high else ""
        return Anomaly(
            kind="wrong-sum",
            story=(
                f"{read}",
                f"The {len(seen) - len(pending)} increments that it saw add up to {settled}",
                f"{len(pending)} more that it saw may count or not" if pending else "None that it saw is pending",
                f"So it has to be {bounds}{gap}",
            ),
        )


def sums_of(amounts: Sequence[int]) -> frozenset[int] | None:
    """The sums of all choices from these numbers; None when there are more than `SUMS_MAX`."""
    sums = {0}
    for amount in amounts:
        sums |= {each + amount for each in sums}
        if len(sums) > SUMS_MAX:
            return None
    return frozenset(sums)


def _number(step: Step, read: Step) -> object:
    return step.result if step is read else step.argument


def _amount(step: Step) -> int:
    return step.argument if isinstance(step.argument, int) else 0


def _amount_of(read: Step) -> int:
    return read.result if isinstance(read.result, int) else 0
