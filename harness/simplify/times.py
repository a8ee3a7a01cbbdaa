"""Shorter runs, less waiting, rounder times."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import pairwise

from msgspec.structs import replace

from ...impl.node import MS, SECOND
from ..plan import Plan
from .edits import ended, moved
from .failure import Failure, Proposals


def cut_time(failure: Failure) -> Proposals:
    """End the run in the millisecond in which the failure happens; where that does not help, at a half or three quarters."""
    end_ns = failure.plan.phases.end_ns
    for at_ns in map(_rounded_up(MS), (failure.at_ns + 1, end_ns // 2, end_ns * 3 // 4)):
        if at_ns < end_ns and (yield ended(failure.plan, at_ns)):
            return


def less_waiting(failure: Failure) -> Proposals:
    """Take out time in which nothing begins, the longest gaps first, all of a gap or half; what is later moves up."""
    plan, shorter = failure.plan, True
    while shorter:
        shorter = False
        for squeezed in _squeezed(plan):
            if (yield squeezed):
                plan, shorter = squeezed, True
                break


def rounder_times(failure: Failure) -> Proposals:
    """Operations and faults begin at whole seconds, or tenths, or hundredths, or milliseconds; the run is as long as it was."""
    for unit_ns in (SECOND, 100 * MS, 10 * MS, MS):
        if (yield replace(moved(failure.plan, _rounded_up(unit_ns)), phases=failure.plan.phases)):
            return


def _gaps(plan: Plan) -> Iterator[tuple[int, int]]:
    """From each moment at which something begins or ends to the next one."""
    told = plan.phases
    moments = {0, told.heal_ns, told.quiet_ns, told.final_ns, told.end_ns}
    moments.update(operation.at_ns for operation in plan.operations)
    for fault in plan.faults:
        if fault.at_ns is not None:
            moments.update((fault.at_ns, fault.at_ns + (fault.undo_after_ns or 0)))
    yield from pairwise(sorted(moments))


def _squeezed(plan: Plan) -> Iterator[Plan]:
    """The plan with one of its longest gaps taken out, or made half as long."""
    for after_ns, before_ns in sorted(_gaps(plan), key=lambda gap: gap[0] - gap[1])[:4]:
        for by_ns in (before_ns - after_ns, (before_ns - after_ns) // 2):
            if by_ns >= MS:
                yield moved(plan, _earlier(after_ns, by_ns))


def _rounded_up(unit_ns: int) -> Callable[[int], int]:
    return lambda at: -(-at // unit_ns) * unit_ns


def _earlier(after_ns: int, by_ns: int) -> Callable[[int], int]:
    """Whatever is later than `after_ns` happens that much earlier, and not before it."""
    return lambda at: at if at <= after_ns else max(after_ns, at - by_ns)
