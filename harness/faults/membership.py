"""Nodes that come and go.

The cluster itself decides who is a member of it: whoever comes or goes, the operator asks for that (see `Variant.operator`).
A fault without an inverse counts as in force until its `undo_after_ns`, or the heal.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from msgspec.structs import replace

from ...impl.node import MS
from ..plan import Fault
from .kind import FaultKind, Undo
from .nodes import machines_of, needs_amount

if TYPE_CHECKING:
    from ..machine import Machine
    from ..storm import Storm
    from ..world import World


def needs_operator(fault: Fault) -> bool:
    """Whether it changes who is a member."""
    return bool(fault.joins) or fault.fault in {"join", "leave"}


# --- done


def _join(world: World, fault: Fault) -> Undo:
    world.admit(fault.joins)
    world.operator.ask("join", fault.joins)
    world.fire(fault.fault)
    return _nothing


def _leave(world: World, fault: Fault) -> Undo:
    (machine,) = machines_of(world, fault)

    def stop() -> None:
        machine.retire(fault.fault)
        world.fire(fault.fault)

    world.operator.ask("leave", machine.name, stop)
    return _nothing


def _wipe(world: World, fault: Fault) -> Undo:
    (machine,) = machines_of(world, fault)
    machine.crash(fault.fault)
    world.fire(fault.fault)
    if fault.joins:
        world.admit(fault.joins)
        return _replaced(world, machine, fault.joins)
    machine.wipe()
    return lambda: _start(machine)


def _roll_back(world: World, fault: Fault) -> Undo:
    (machine,) = machines_of(world, fault)
    machine.crash(fault.fault)
    machine.roll_back(world.now - fault.amount_ns)
    world.fire(fault.fault)
    if fault.joins:
        world.admit(fault.joins, machine.disk)
        return _replaced(world, machine, fault.joins)
    return lambda: _start(machine)


def _replaced(world: World, machine: Machine, joins: str) -> Undo:
    """A node is gone for ever, and another one is to be a member in its place."""
    machine.retire("replaced")
    world.operator.ask("leave", machine.name)
    world.operator.ask("join", joins)
    return _nothing


def _start(machine: Machine) -> None:
    machine.restart()


def _nothing() -> None:
    pass


# --- what makes no sense


def _no_newcomer(fault: Fault) -> str:
    return "" if fault.joins else "needs the name of the node that `joins`"


def _not_one_node(fault: Fault) -> str:
    here = fault.on is not None and not fault.nodes
    return "" if len(fault.nodes) == 1 or here else "names exactly one node"


def _no_rollback(fault: Fault) -> str:
    return _not_one_node(fault) or needs_amount(fault)


# --- drawn


def _draw_join(storm: Storm) -> list[Fault]:
    if not storm.bounds.is_operated:
        return []
    return [Fault(fault="join", at_ns=storm.begin_ns(), undo_after_ns=storm.lasts_ns(), joins=storm.newcomer())]


def _draw_leave(storm: Storm) -> list[Fault]:
    """One node, or as many at once as the budget lets go."""
    if not storm.bounds.is_operated:
        return []
    at_ns, lasts_ns = storm.begin_ns(), storm.lasts_ns()
    wanted = storm.draw.luck.shuffled(storm.names)[: 1 if storm.draw.happens(1, 2) else len(storm.names)]
    going = [node for node in wanted if storm.may_go(node, at_ns)]
    return [Fault(fault="leave", at_ns=at_ns, undo_after_ns=lasts_ns, nodes=(node,)) for node in going]


def _draw_wipe(storm: Storm) -> list[Fault]:
    return _draw_lost_disk(storm, "wipe", 0)


def _draw_rollback(storm: Storm) -> list[Fault]:
    return _draw_lost_disk(storm, "rollback", storm.draw.logarithmic(10, 2_000) * MS)


def _draw_lost_disk(storm: Storm, kind: str, amount_ns: int) -> list[Fault]:
    """Beyond the budget a node may come back in its own name, as if nothing had happened."""
    node, at_ns = storm.draw.luck.choice(storm.names), storm.begin_ns()
    lost = Fault(fault=kind, at_ns=at_ns, undo_after_ns=storm.lasts_ns(), nodes=(node,), amount_ns=amount_ns)
    if storm.bounds.is_unbounded and (not storm.bounds.is_operated or storm.draw.happens(1, 2)):
        return [lost]
    if not storm.bounds.is_operated or not storm.may_go(node, at_ns):
        return []
    return [replace(lost, joins=storm.newcomer())]


KINDS: Final = (
    FaultKind(
        name="join",
        does="the node that `joins` starts with an empty disk, and the operator asks to take it in",
        inverse="",
        reads=("joins",),
        begin=_join,
        draw=_draw_join,
        amiss=_no_newcomer,
        most=2,
        weight=2,
    ),
    FaultKind(
        name="leave",
        does="the operator asks to let this node go, which stops for ever when that is answered",
        inverse="",
        reads=("nodes",),
        begin=_leave,
        draw=_draw_leave,
        amiss=_not_one_node,
        most=2,
        weight=2,
    ),
    FaultKind(
        name="wipe",
        does="this node crashes and loses its disk for ever; it is gone, and the operator asks to take in the one that "
        "`joins` in its place",
        inverse="where none joins, the same node starts again, with an empty disk",
        reads=("nodes", "joins"),
        begin=_wipe,
        draw=_draw_wipe,
        amiss=_not_one_node,
        weight=2,
    ),
    FaultKind(
        name="rollback",
        does="this node crashes, and its disk is again as it was `amount_ns` before; it is gone, and the operator asks to "
        "take in the one that `joins` with that disk in its place",
        inverse="where none joins, the same node starts again, with that disk",
        reads=("nodes", "joins", "amount_ns"),
        begin=_roll_back,
        draw=_draw_rollback,
        amiss=_no_rollback,
    ),
)
