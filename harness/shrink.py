"""Makes the plan of a failure minimal: the fewest operations and faults, the simplest ones, the roundest numbers.

A step is taken only if the smaller plan fails in the same way. What is tried, and in which order, stands in
`harness.simplify`; here it is done, counted, and confirmed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Final, TypeAlias

from ..histories.errors import NondeterministicRun, UsageError
from ..histories.trace import LIFECYCLE
from .plan import Plan, write_plan
from .simplify import STAGES, Failure, Simplify, Stage
from .trial import Run

REPLAYS_MAX: Final = 3_000
DETOUR_REPLAYS_MAX: Final = 800
DEAD_ENDS_MAX: Final = 3
"""A detour is given up after so many replays, or so many ways that led to nothing smaller."""

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
    for stage in STAGES:
        search.settle(stage)
        while search.detour(stage):
            search.settle(stage)
    plan = search.failure.plan
    return Shrunk(plan, _confirmed(plan, reproduce), search.replays + 2)


def weight(plan: Plan) -> int:
    """How much there is to read in a plan: its size, a fault for two operations."""
    operations, faults = plan.size
    return operations + 2 * faults


def severity(run: Run) -> int:
    """How many of the nodes that a run began with were down at once: 0 none, 1 a minority at most, 2 more."""
    nodes, down, most = run.evidence.trace.nodes, set[str](), 0
    for note in run.evidence.trace.of_kind(*LIFECYCLE):
        if note.node in nodes:
            (down.add if note.kind == "crash" else down.discard)(note.node)
            most = max(most, len(down))
    return 0 if not most else 1 if 2 * most < len(nodes) else 2


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
        self._severity = severity(failure.run)
        self._visited = {write_plan(failure.plan)}
        self._harmless: set[bytes] = set()

    @property
    def is_spent(self) -> bool:
        return self.replays >= self._replays_max

    def settle(self, stage: Stage) -> None:
        """Follow the passes until none of them helps."""
        before = None
        while before != self.failure.plan and not self.is_spent:
            before = self.failure.plan
            for simplify in stage.passes:
                for _ in self._accepted(simplify):
                    pass

    def detour(self, stage: Stage) -> bool:
        """Whether a detour has led to a smaller failure; of nothing there is none."""
        return self.failure.plan.size != (0, 0) and any(self._leads_on(detour, stage) for detour in stage.detours)

    def _leads_on(self, detour: Simplify, stage: Stage) -> bool:
        """Go on from what the detour proposes, back to where it began each time, until that is smaller."""
        begun, visited = self.failure, set(self._visited)
        budget, self._replays_max = self._replays_max, min(self._replays_max, self.replays + DETOUR_REPLAYS_MAX)
        for _ in islice(self._accepted(detour), DEAD_ENDS_MAX):
            self.settle(stage)
            if weight(self.failure.plan) < weight(begun.plan):
                break
            self.failure, self._visited = begun, set(visited)
        self._replays_max = budget
        return self.failure is not begun

    def _accepted(self, simplify: Simplify) -> Iterator[Plan]:
        """Try all that a pass proposes, and tell it what came of each; yields those that fail in the same way."""
        proposals = simplify(self.failure)
        candidate = next(proposals, None)
        while candidate is not None and not self.is_spent:
            fails = self._attempt(candidate)
            if fails:
                yield candidate
            try:
                candidate = proposals.send(fails)
            except StopIteration:
                return

    def _attempt(self, candidate: Plan) -> bool:
        """Whether the candidate fails in the same way; then the search goes on from it. One that makes no sense does not.

        A system that survives the loss of a minority must not be shown to fail by the loss of a majority.
        """
        text = write_plan(candidate)
        if text in self._visited or text in self._harmless:
            return False
        self.replays += 1
        try:
            failure = self._reproduce(candidate)
        except UsageError:
            failure = None
        if failure is None or severity(failure.run) > self._severity:
            self._harmless.add(text)
        else:
            self.failure = failure
            self._visited.add(text)
        return text in self._visited
