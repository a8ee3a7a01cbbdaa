"""Cuts of the network."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from msgspec.structs import replace

from ..plan import LEADER, Fault
from ..rules import Partition
from .kind import FaultKind, Undo

if TYPE_CHECKING:
    from ..storm import Storm
    from ..world import World


def _cut(world: World, fault: Fault) -> Undo:
    partition = Partition(fault, world.plan.node_ids)
    return world.network.put_in_force(partition, partition.held)


def _draw(storm: Storm) -> list[Fault]:
    draw = storm.draw
    sides = _sides(storm)
    if draw.happens(1, 4):
        sides = _with_clients(storm, sides)
    cut = Fault(
        fault="partition",
        undo_after_ns=storm.lasts_ns(),
        sides=sides,
        mode="hold" if draw.happens(1, 3) else "drop",
        one_way=draw.happens(1, 4),
    )
    if draw.happens(1, 4):
        return [replace(cut, on=on) for on in storm.series("*")]
    return [replace(cut, at_ns=storm.begin_ns())]


def _sides(storm: Storm) -> tuple[tuple[str, ...], ...]:
    """Whoever leads alone, one node alone, or two parts of any size; whoever is not named is on one more side."""
    shape = storm.draw.weighted({"leader": 3, "one": 1, "halves": 2})
    if shape == "leader":
        return ((LEADER,),)
    mixed = storm.draw.luck.shuffled(storm.names)
    cut = 1 if shape == "one" else storm.draw.between(1, max(1, len(mixed) - 1))
    return (storm.in_order(mixed[:cut]), storm.in_order(mixed[cut:]))


def _with_clients(storm: Storm, sides: tuple[tuple[str, ...], ...]) -> tuple[tuple[str, ...], ...]:
    """Each client on a side of its own choice."""
    both = [list(side) for side in (*sides, ())][:2]
    for client in storm.clients:
        both[storm.draw.luck.below(2)].append(client)
    return tuple(tuple(side) for side in both)


KINDS: Final = (
    FaultKind(
        name="partition",
        does="no message crosses between the sides: it is dropped, or held until the partition ends",
        inverse="the network is whole, and what was held is sent on its way",
        reads=("sides", "mode", "one_way"),
        begin=_cut,
        draw=_draw,
        most=20,
    ),
)
