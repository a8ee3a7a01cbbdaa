"""What is done to disks."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from ..plan import Fault
from .kind import FaultKind, Undo

if TYPE_CHECKING:
    from ..storm import Storm
    from ..world import World


def _tear(world: World, fault: Fault) -> Undo:
    def change(by: int) -> None:
        for name in fault.nodes:
            world.machines[name].torn += by

    change(1)
    return lambda: change(-1)


def _draw_torn(storm: Storm) -> list[Fault]:
    return [Fault(fault="torn", at_ns=0, nodes=storm.some())]


KINDS: Final = (
    FaultKind(
        name="torn",
        does="a crash of these nodes leaves a prefix of the unsynced writes, and damages the key of the next one",
        inverse="a crash loses unsynced writes whole",
        reads=("nodes",),
        begin=_tear,
        draw=_draw_torn,
        most=1,
    ),
)
