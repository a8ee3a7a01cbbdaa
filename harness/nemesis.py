"""The nemesis: begins the faults of a plan, ends them, and heals what they have done."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import partial
from typing import TYPE_CHECKING

import msgspec

from ..histories.event import Kind
from ..histories.values import Value
from .faults import FAULTS
from .plan import LEADER, Fault
from .tallies import Tally

if TYPE_CHECKING:
    from .world import World


class Nemesis:
    """All faults of a run.

    Attributes:
        tallies: of what faults wait for, by node and event.
        hurt: how many faults are in force.
    """

    def __init__(self, world: World) -> None:
        self.tallies: dict[tuple[str, str], Tally] = {}
        self.hurt = 0
        self._world = world
        self._healed = False
        self._undo: dict[int, tuple[Fault, Callable[[], None]]] = {}
        for number, fault in enumerate(world.plan.faults):
            if fault.on is not None:
                tally = self.tallies.setdefault((fault.on.node, fault.on.event), Tally())
                tally.await_time(fault.on.k, partial(self._begin_at, number, fault))

    def prepare(self) -> None:
        """Put the faults that go by time on the agenda."""
        world = self._world
        for number, fault in enumerate(world.plan.faults):
            if fault.at_ns is not None and fault.at_ns < world.plan.phases.heal_ns:
                world.at(fault.at_ns, self._begin, number, fault)

    def _begin_at(self, number: int, fault: Fault, node: str) -> None:
        """What a fault waited for has happened at this node, which it hits if it names no other."""
        self._begin(number, fault if fault.nodes else msgspec.structs.replace(fault, nodes=(node,)))

    def _begin(self, number: int, fault: Fault) -> None:
        """A fault begins, unless all has healed, or whom it is to hit is not there."""
        if self._healed:
            return
        hit = self._resolved(fault)
        if hit is None:
            return
        self._tell(hit.fault, whom(hit))
        self.hurt += 1
        self._undo[number] = hit, FAULTS[hit.fault].begin(self._world, hit)
        if hit.undo_after_ns is not None:
            self._world.at(self._world.now + hit.undo_after_ns, self._end, number, None)

    def _end(self, number: int, _: None) -> None:
        found = self._undo.pop(number, None)
        if found is None:
            return
        fault, undo = found
        self.hurt -= 1
        if FAULTS[fault.fault].inverse and not fault.joins:
            self._tell(f"undo-{fault.fault}", whom(fault))
        undo()

    def heal(self) -> None:
        """All faults end, and all nodes run, but for those that the plan forsakes."""
        self._healed = True
        forsaken = self._world.plan.forsaken
        if forsaken:
            self._tell("forsake", forsaken)
        for name in forsaken:
            if name in self._world.machines:
                self._world.machines[name].retire("forsaken")
        for number in list(self._undo):
            self._end(number, None)
        for machine in self._world.machines.values():
            machine.restart()

    def _tell(self, action: str, value: tuple[Value, ...]) -> None:
        self._world.history.add("nemesis", Kind.INFO, action, value=value, time=self._world.now)

    def _resolved(self, fault: Fault) -> Fault | None:
        """With names in the place of "leader", and of nobody, which means all nodes; None when no such node is there."""
        present = self._world.present
        nodes: tuple[str, ...] = ()
        if "nodes" in FAULTS[fault.fault].reads:
            nodes = tuple(name for name in self._named(fault.nodes) if name in present) if fault.nodes else present
            if not nodes:
                return None
        return msgspec.structs.replace(fault, nodes=nodes, sides=tuple(self._named(side) for side in fault.sides))

    def _named(self, names: Iterable[str]) -> tuple[str, ...]:
        return tuple(self._leader() if name == LEADER else name for name in names)

    def _leader(self) -> str:
        """Whoever of those present led last, or the first node."""
        present = self._world.present
        led = (note.node for note in reversed(self._world.notes) if note.kind == "leads" and note.node in present)
        return next(led, (*present, *self._world.plan.node_ids)[0])


def whom(fault: Fault) -> tuple[Value, ...]:
    """Whom a fault hits, as the history tells it: the sides or links of a partition, the nodes, or who joins."""
    return fault.sides or fault.cut or fault.nodes or ((fault.joins,) if fault.joins else ())
