"""What is done to clocks."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from ...impl.node import MS
from ..plan import Fault
from .kind import FaultKind, Undo

if TYPE_CHECKING:
    from ..storm import Storm
    from ..world import World


def _set_off(world: World, fault: Fault) -> Undo:
    def change(sign: int) -> None:
        for name in fault.nodes:
            world.machines[name].clock.set_off(sign * fault.amount_ns, sign)

    change(1)
    return lambda: change(-1)


def _drift(world: World, fault: Fault) -> Undo:
    rate_ppm = max(1, round(fault.rate * 1_000_000))
    undoings = [world.machines[name].let_drift(rate_ppm) for name in fault.nodes]

    def undo() -> None:
        for one in undoings:
            one()

    return undo


def _draw_offset(storm: Storm) -> list[Fault]:
    sign = 1 if storm.draw.happens(1, 2) else -1
    return [
        Fault(
            fault="clock-offset",
            at_ns=storm.begin_ns(),
            undo_after_ns=storm.lasts_ns(),
            nodes=(storm.draw.luck.choice(storm.names),),
            amount_ns=sign * storm.draw.logarithmic(1, 10_000) * MS,
        )
    ]


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
        begin=_set_off,
        draw=_draw_offset,
    ),
    FaultKind(
        name="clock-drift",
        does="the clocks of these nodes, and so their timers, run `rate` times as fast as time",
        inverse="they run at their old rate; what they show meanwhile stays",
        reads=("nodes", "rate"),
        begin=_drift,
        draw=_draw_drift,
    ),
)
