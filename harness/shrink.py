"""Makes the plan of a failure minimal: the fewest operations and faults, the simplest ones, the roundest numbers.

A step is taken only if the smaller plan fails in the same way. What is tried, and in which order, stands in
`harness.simplify`; here it is done, counted, never twice, and confirmed.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, TypeAlias

from ..histories.errors import NondeterministicRun
from .plan import Plan, write_plan
from .simplify import PASSES, Failure, Simplify
from .trial import Run

REPLAYS_MAX: Final = 1_000

Reproduce: TypeAlias = Callable[[Plan], Failure | None]
"""Runs a plan and judges it: the failure, if the same claim fails with the same kind of anomaly."""


@dataclass(frozen=True)
class Shrunk:
    """The smallest plan that was found, its run, and how many replays it took."""

    plan: Plan
    run: Run
    replays: int


def shrink(failure: Failure, reproduce: Reproduce, *, replays_max: int = REPLAYS_MAX) -> Shrunk:
    """The smallest plan that fails in the same way, found within a budget of replays; two more confirm it.

    Raises:
        NondeterministicRun: the minimal plan gave two different runs.
    """
    search = _Search(failure, reproduce, replays_max)
    before = None
    while before != search.failure.plan and not search.is_spent:
        before = search.failure.plan
        for simplify in PASSES:
            search.follow(simplify)
    plan = search.failure.plan
    return Shrunk(plan, _confirmed(plan, reproduce), search.replays + 2)


def _confirmed(plan: Plan, reproduce: Reproduce) -> Run:
    """The run of that plan, after two replays that agree."""
    first, second = reproduce(plan), reproduce(plan)
    if first is None or second is None or first.run.digest != second.run.digest:
        raise NondeterministicRun(plan.system, "two replays of its minimal failure differ")
    return first.run


class _Search:
    """The smallest failure so far, and the replays that are left."""

    def __init__(self, failure: Failure, reproduce: Reproduce, replays_max: int) -> None:
        self.failure, self.replays = failure, 0
        self._reproduce, self._replays_max = reproduce, replays_max
        self._tried = {write_plan(failure.plan)}

    @property
    def is_spent(self) -> bool:
        return self.replays >= self._replays_max

    def follow(self, simplify: Simplify) -> None:
        """Try all that a pass proposes, and tell it what came of each."""
        proposals = simplify(self.failure)
        candidate = next(proposals, None)
        while candidate is not None and not self.is_spent:
            try:
                candidate = proposals.send(self._attempt(candidate))
            except StopIteration:
                return

    def _attempt(self, candidate: Plan) -> bool:
        """Whether the candidate fails in the same way; then it is the smallest so far."""
        text = write_plan(candidate)
        if text in self._tried:
            return False
        self._tried.add(text)
        self.replays += 1
        failure = self._reproduce(candidate)
        if failure is not None:
            self.failure = failure
        return failure is not None
