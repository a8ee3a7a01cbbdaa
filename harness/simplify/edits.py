"""Changes to a whole plan that keep its parts consistent with each other."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, TypeVar

from msgspec.structs import replace

from ..plan import Fault, Occurrence, Phases, Plan

T = TypeVar("T")
Rename = Callable[[str], str | None]
"""What a node is called from now on; None: it is gone. Other names (a client, the leader, "*") stay as they are."""


def with_operations(plan: Plan, **changes: Callable[[Any], Any]) -> Plan:
    """The plan with these fields of each operation mapped."""

    def changed(operation: Any) -> Any:
        return replace(operation, **{name: change(getattr(operation, name)) for name, change in changes.items()})

    return replace(plan, operations=tuple(changed(operation) for operation in plan.operations))


def with_faults(plan: Plan, faults: Iterable[Fault]) -> Plan:
    """The plan with these faults instead; whoever would have joined by one that is gone is not mentioned any more."""
    kept = tuple(faults)
    gone = {fault.joins for fault in plan.faults} - {fault.joins for fault in kept}
    if not gone:
        return replace(plan, faults=kept)

    def present(name: str) -> str | None:
        return None if name in gone else name

    return replace(
        with_operations(plan, node=lambda node: present(node) or ""),
        faults=tuple(hit for fault in kept if (hit := among(fault, present)) is not None),
        forsaken=tuple(node for node in plan.forsaken if node not in gone),
        deliveries={
            name: fate for name, fate in plan.deliveries.items() if not gone.intersection(name.split("#")[0].split(">"))
        },
    )


def with_fault(plan: Plan, at: int, *faults: Fault) -> Plan:
    """The plan with these in the place of one fault; nothing instead leaves it out."""
    return with_faults(plan, (*plan.faults[:at], *faults, *plan.faults[at + 1 :]))


def among(fault: Fault, rename: Rename) -> Fault | None:
    """The fault, hitting only nodes that are there; None where it hits nobody any more."""
    nodes = _renamed(fault.nodes, rename)
    sides = tuple(side for side in (_renamed(side, rename) for side in fault.sides) if side)
    cut = tuple(new for link in fault.cut if (new := renamed_link(link, rename)) is not None)
    on = fault.on
    if on is not None:
        where = rename(on.node)
        if where is None:
            return None
        on = Occurrence(where, on.event, on.k)
    if (fault.nodes and not nodes) or (fault.sides and not sides) or (fault.cut and not cut):
        return None
    return replace(fault, nodes=nodes, sides=sides, cut=cut, on=on)


def renamed_link(link: str, rename: Rename) -> str | None:
    """n1>n2 in new names; None where one of the two is gone."""
    ends = [rename(name) for name in link.split(">")]
    return None if None in ends else ">".join(map(str, ends))


def _renamed(names: Iterable[str], rename: Rename) -> tuple[str, ...]:
    return tuple(new for name in names if (new := rename(name)) is not None)


def moved(plan: Plan, move: Callable[[int], int]) -> Plan:
    """The plan with every point in time mapped; how long a fault lasts follows from where it began and ended."""
    told = plan.phases
    return replace(
        with_operations(plan, at_ns=move),
        faults=tuple(_fault_moved(fault, move) for fault in plan.faults),
        phases=Phases(move(told.heal_ns), move(told.quiet_ns), move(told.final_ns), max(1, move(told.end_ns))),
    )


def _fault_moved(fault: Fault, move: Callable[[int], int]) -> Fault:
    if fault.at_ns is None:
        return fault
    at_ns = move(fault.at_ns)
    if fault.undo_after_ns is None:
        return replace(fault, at_ns=at_ns)
    return replace(fault, at_ns=at_ns, undo_after_ns=move(fault.at_ns + fault.undo_after_ns) - at_ns)


def ended(plan: Plan, end_ns: int) -> Plan:
    """The plan without all that begins at that time or later."""
    end_ns = max(1, end_ns)
    told = plan.phases
    return with_faults(
        replace(
            plan,
            operations=tuple(operation for operation in plan.operations if operation.at_ns < end_ns),
            phases=Phases(*(min(at, end_ns) for at in (told.heal_ns, told.quiet_ns, told.final_ns, told.end_ns))),
        ),
        (fault for fault in plan.faults if (fault.at_ns or 0) < end_ns),
    )


def without_nodes(plan: Plan, gone: Iterable[str]) -> Plan:
    """The plan without these nodes; the others close ranks, and operations go to whoever is left."""
    lost = set(gone)
    left = [node for node in plan.node_ids if node not in lost]
    names = dict(zip(left, plan.node_ids, strict=False))
    lost_in_order = [node for node in plan.node_ids if node in lost]
    heirs = {node: plan.node_ids[at % len(left)] for at, node in enumerate(lost_in_order)} | names

    def rename(name: str) -> str | None:
        return None if name in lost else names.get(name, name)

    faults = [hit for fault in plan.faults if (hit := among(fault, rename)) is not None]
    return replace(
        with_faults(with_operations(plan, node=lambda node: heirs.get(node, node)), faults),
        nodes=len(left),
        forsaken=_renamed(plan.forsaken, rename),
        links=_by_new_name(plan.links, lambda link: renamed_link(link, rename)),
        disks=_by_new_name(plan.disks, rename),
        clocks=_by_new_name(plan.clocks, rename),
        deliveries=_by_new_name(plan.deliveries, lambda message: _renamed_message(message, rename)),
    )


def _renamed_message(message: str, rename: Rename) -> str | None:
    link, _, number = message.partition("#")
    new = renamed_link(link, rename)
    return new and f"{new}#{number}"


def _by_new_name(items: dict[str, T], rename: Rename) -> dict[str, T]:
    return {new: item for name, item in items.items() if (new := rename(name)) is not None}
