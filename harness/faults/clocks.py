"""What is done to clocks."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

from msgspec.structs import replace

from ...impl.node import MS, SECOND
from ..clock import Off
from ..plan import Fault
from .kind import FaultKind, Undo

if TYPE_CHECKING:
    from ..storm import Storm
    from ..world import World


def _offset(world: World, fault: Fault) -> Undo:
    return _all_off(world, fault, lambda _: fault.amount_ns)


def _step(world: World, fault: Fault) -> Undo:
    _all_off(world, fault, lambda _: fault.amount_ns)
    return lambda: None


def _strobe(world: World, fault: Fault) -> Undo:
    began = world.now

    def off(now: int) -> int:
        """Away after the first jump, back after the second, and so on."""
        jumps = 1 + (now - began) * fault.count // SECOND
        return fault.amount_ns * (jumps % 2)

    return _all_off(world, fault, off)


def _all_off(world: World, fault: Fault, off: Off) -> Undo:
    return _all([world.machines[name].clock.put_off(fault.fault, off) for name in fault.nodes])


def _all(undoings: Sequence[Undo]) -> Undo:
    def undo() -> None:
        for one in undoings:
            one()

    return undo


def _drift(world: World, fault: Fault) -> Undo:
    rate_ppm = max(1, round(fault.rate * 1_000_000))
    return _all([world.machines[name].let_drift(rate_ppm) for name in fault.nodes])


def _stands_still(fault: Fault) -> str:
    return "" if fault.amount_ns else "jumps by an `amount_ns`, forward or back; 0 is no jump"


def _never_jumps(fault: Fault) -> str:
    return _stands_still(fault) or ("" if fault.count > 0 else "jumps `count` times a second, at least once")


def _stops(fault: Fault) -> str:
    return "" if fault.rate > 0 else "runs at a `rate` above 0; a clock of rate 1 is right"


def _draw_offset(storm: Storm) -> list[Fault]:
    return [replace(_jump(storm, "clock-offset"), undo_after_ns=storm.lasts_ns())]


def _draw_step(storm: Storm) -> list[Fault]:
    return [_jump(storm, "clock-step")]


def _draw_strobe(storm: Storm) -> list[Fault]:
    count = storm.draw.logarithmic(1, 1_000)
    return [replace(_jump(storm, "clock-strobe"), undo_after_ns=storm.lasts_ns(), count=count)]


def _jump(storm: Storm, kind: str) -> Fault:
    """A millisecond to ten seconds, forward or back."""
    sign = 1 if storm.draw.happens(1, 2) else -1
    return Fault(
        fault=kind,
        at_ns=storm.begin_ns(),
        nodes=(storm.draw.luck.choice(storm.names),),
        amount_ns=sign * storm.draw.logarithmic(1, 10_000) * MS,
    )


def _draw_drift(storm: Storm) -> list[Fault]:
    faster = storm.draw.happens(1, 2)
    by = storm.draw.rate("0.0001", "0.5")
    return [
        Fault(
            fault="clock-drift",
            at_ns=storm.begin_ns(),
            undo_after_ns=storm.lasts_ns(),
            nodes=(storm.draw.luck.choice(storm.names),),
            rate=round(1 + by if faster else 1 - by, 6),
        )
    ]


KINDS: Final = (
    FaultKind(
        name="clock-offset",
        does="the wall clocks of these nodes are off by `amount_ns`",
        inverse="they jump back",
        reads=("nodes", "amount_ns"),
        begin=_offset,
        draw=_draw_offset,
        amiss=_stands_still,
    ),
    FaultKind(
        name="clock-drift",
        does="the clocks of these nodes, and so their timers, run `rate` times as fast as time",
        inverse="they run at their old rate; what they show meanwhile stays",
        reads=("nodes", "rate"),
        begin=_drift,
        draw=_draw_drift,
        amiss=_stops,
    ),
    FaultKind(
        name="clock-step",
        does="the wall clocks of these nodes jump by `amount_ns`, forward or back, and stay there",
        inverse="",
        reads=("nodes", "amount_ns"),
        begin=_step,
        draw=_draw_step,
        amiss=_stands_still,
    ),
    FaultKind(
        name="clock-strobe",
        does="the wall clocks of these nodes jump `count` times a second, in turn away by `amount_ns` and back",
        inverse="they are right again",
        reads=("nodes", "amount_ns", "count"),
        begin=_strobe,
        draw=_draw_strobe,
        amiss=_never_jumps,
    ),
)
