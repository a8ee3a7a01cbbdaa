"""The ways in which a failing plan can become simpler: small passes that propose plans, and are told which still fail.

A pass is a generator: it yields a candidate, is sent whether that one fails in the same way, and goes on from there. It
makes no run itself. Lists are minimised by delta debugging (Zeller and Hildebrandt, "Simplifying and isolating
failure-inducing input", 2002, section 3), big cuts first.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Final, TypeAlias, TypeVar

from msgspec.structs import replace

from ..impl.node import MS, SECOND
from .plan import Delay, Fault, Link, Phases, Plan
from .trial import Run

T = TypeVar("T")

Proposals: TypeAlias = Generator[Plan, bool, None]
Simplify: TypeAlias = "Callable[[Failure], Proposals]"

LUCKS: Final = 8
"""How many seeds are tried in place of the plan's own."""

CALM: Final = Link(delay=Delay(shape="constant", min_ns=MS, max_ns=MS), fifo=True)


@dataclass(frozen=True)
class Failure:
    """A run that fails in the way that is being shrunk.

    Attributes:
        run: what was run.
        at_ns: when all that shows it had happened; the run need not go on after it.
    """

    run: Run
    at_ns: int

    @property
    def plan(self) -> Plan:
        """What was run."""
        return self.run.plan


def ddmin(items: Sequence[T], plan_of: Callable[[tuple[T, ...]], Plan]) -> Generator[Plan, bool, tuple[T, ...]]:
    """A shortest sub-sequence of which no single item can be left out: all are left out first, then halves, and so on."""
    kept, size = tuple(items), len(items)
    while size >= 1:
        at = 0
        while at < len(kept):
            rest = kept[:at] + kept[at + size :]
            if (yield plan_of(rest)):
                kept = rest
            else:
                at += size
        size = min(size // 2, len(kept))
    return kept


def cut_time(failure: Failure) -> Proposals:
    """End the run when the failure has happened; where that does not help, at a half or three quarters of it."""
    end_ns = failure.plan.phases.end_ns
    for at_ns in (failure.at_ns + 1, end_ns // 2, end_ns * 3 // 4):
        if at_ns < end_ns and (yield _ended(failure.plan, at_ns)):
            return


def fewer_faults(failure: Failure) -> Proposals:
    """Leave faults out."""
    yield from ddmin(failure.plan.faults, lambda faults: replace(failure.plan, faults=faults))


def fewer_operations(failure: Failure) -> Proposals:
    """Leave operations out."""
    yield from ddmin(failure.plan.operations, lambda operations: replace(failure.plan, operations=operations))


def fewer_clients(failure: Failure) -> Proposals:
    """Leave out all that some clients do, then let the first client do what another did."""
    plan = failure.plan
    kept = yield from ddmin(_clients(plan), lambda clients: _of_clients(plan, clients))
    plan = _of_clients(plan, kept)
    for client in kept[1:]:
        merged = _with_operations(plan, client=_in_place_of(client, kept[0]))
        if (yield merged):
            plan = merged


def fewer_nodes(failure: Failure) -> Proposals:
    """The first few nodes only; then without this one or that."""
    plan = failure.plan
    for count in range(1, plan.nodes):
        if (yield _without(plan, plan.node_ids[count:])):
            return
    for node in reversed(plan.node_ids[:-1]):
        if plan.nodes > 1 and (yield (smaller := _without(plan, (node,)))):
            plan = smaller


def calmer_world(failure: Failure) -> Proposals:
    """A constant delay, messages in order, none lost or repeated; ordinary disks and clocks: at once, or part by part."""
    plan = failure.plan
    if (yield replace(plan, links={"*": CALM}, disks={}, clocks={}, deliveries={})):
        return
    ordinary: Mapping[str, Any] = {
        "disks": {},
        "clocks": {},
        "deliveries": {},
        "links": {"*": plan.links.get("*", CALM)},
    }
    for part, value in ordinary.items():
        if (yield (calmer := replace(plan, **{part: value}))):
            plan = calmer
    for part in ("loss", "duplicate", "delay", "fifo"):
        links = {name: replace(link, **{part: getattr(CALM, part)}) for name, link in plan.links.items()}
        if (yield (calmer := replace(plan, links=links))):
            plan = calmer


def simpler_faults(failure: Failure) -> Proposals:
    """Each fault for itself: never undone, both ways, dropping, hitting one node."""
    plan = failure.plan
    for at in range(len(plan.faults)):
        for change in _simplifications(plan.faults[at], plan.node_ids):
            faults = (*plan.faults[:at], replace(plan.faults[at], **change), *plan.faults[at + 1 :])
            if (yield (simpler := replace(plan, faults=faults))):
                plan = simpler


def one_key(failure: Failure) -> Proposals:
    """All operations on the same key."""
    keys = [operation.key for operation in failure.plan.operations if operation.key is not None]
    if keys:
        yield _with_operations(failure.plan, key=lambda key: key if key is None else keys[0])


def less_waiting(failure: Failure) -> Proposals:
    """Take out time in which nothing begins, the longest gaps first, all of a gap or half; what is later moves up."""
    plan, shorter = failure.plan, True
    while shorter:
        shorter = False
        for moved in _squeezed(plan):
            if (yield moved):
                plan, shorter = moved, True
                break


def rounder_numbers(failure: Failure) -> Proposals:
    """Times in whole seconds, or tenths, or hundredths, or milliseconds."""
    for unit_ns in (SECOND, 100 * MS, 10 * MS, MS):
        if (yield _moved(failure.plan, _rounded_up(unit_ns))):
            return


def numbered_clients(failure: Failure) -> Proposals:
    """Clients are called 0, 1, 2, ..."""
    numbers = {client: number for number, client in enumerate(_clients(failure.plan))}
    yield _with_operations(failure.plan, client=numbers.__getitem__)


def other_luck(failure: Failure) -> Proposals:
    """Leave something out and roll the dice again: what a fault did to the timing of a run, luck may do, too."""
    plan = failure.plan
    half = len(plan.operations) // 2
    smaller = [replace(plan, faults=plan.faults[:at] + plan.faults[at + 1 :]) for at in range(len(plan.faults))]
    if half:
        smaller += [replace(plan, operations=kept) for kept in (plan.operations[:half], plan.operations[half:])]
    for candidate in smaller:
        for seed in range(LUCKS):
            if (yield replace(candidate, seed=seed)):
                return


PASSES: Final[tuple[Simplify, ...]] = (
    cut_time,
    fewer_faults,
    fewer_clients,
    fewer_operations,
    less_waiting,
    calmer_world,
    fewer_nodes,
    simpler_faults,
    one_key,
    rounder_numbers,
    numbered_clients,
    other_luck,
)
"""In this order, again and again until none of them helps: what makes runs short comes first."""


def _clients(plan: Plan) -> tuple[int, ...]:
    return tuple(dict.fromkeys(operation.client for operation in plan.operations))


def _of_clients(plan: Plan, clients: Sequence[int]) -> Plan:
    return replace(plan, operations=tuple(op for op in plan.operations if op.client in clients))


def _with_operations(plan: Plan, **changes: Callable[[Any], Any]) -> Plan:
    """The plan with these fields of each operation mapped."""

    def changed(operation: Any) -> Any:
        return replace(operation, **{name: change(getattr(operation, name)) for name, change in changes.items()})

    return replace(plan, operations=tuple(changed(operation) for operation in plan.operations))


def _moved(plan: Plan, move: Callable[[int], int]) -> Plan:
    """The plan with every point in time mapped; how long a fault lasts follows from where it began and ended."""
    told = plan.phases
    return replace(
        _with_operations(plan, at_ns=move),
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


def _ended(plan: Plan, end_ns: int) -> Plan:
    """The plan without all that begins at that time or later."""
    end_ns = max(1, end_ns)
    told = plan.phases
    return replace(
        plan,
        operations=tuple(operation for operation in plan.operations if operation.at_ns < end_ns),
        faults=tuple(fault for fault in plan.faults if (fault.at_ns or 0) < end_ns),
        phases=Phases(*(min(at, end_ns) for at in (told.heal_ns, told.quiet_ns, told.final_ns, told.end_ns))),
    )


def _gaps(plan: Plan) -> Iterator[tuple[int, int]]:
    """From each moment at which something begins or ends to the next one."""
    told = plan.phases
    moments = {0, told.heal_ns, told.quiet_ns, told.final_ns, told.end_ns}
    moments.update(operation.at_ns for operation in plan.operations)
    for fault in plan.faults:
        if fault.at_ns is not None:
            moments.update((fault.at_ns, fault.at_ns + (fault.undo_after_ns or 0)))
    ordered = sorted(moments)
    yield from pairwise(ordered)


def _squeezed(plan: Plan) -> Iterator[Plan]:
    """The plan with one of its longest gaps taken out, or made half as long."""
    for after_ns, before_ns in sorted(_gaps(plan), key=lambda gap: gap[0] - gap[1])[:4]:
        for by_ns in (before_ns - after_ns, (before_ns - after_ns) // 2):
            if by_ns >= MS:
                yield _moved(plan, _earlier(after_ns, by_ns))


def _without(plan: Plan, gone: Sequence[str]) -> Plan:
    """The plan without these nodes; the others close ranks, and operations go to whoever is left."""
    left = [node for node in plan.node_ids if node not in gone]
    names = dict(zip(left, plan.node_ids, strict=False))
    heirs = {node: plan.node_ids[at % len(left)] for at, node in enumerate(gone)} | names
    faults = tuple(hit for fault in plan.faults if (hit := _among(fault, names, plan.node_ids)) is not None)
    return replace(
        _with_operations(plan, node=lambda node: heirs.get(node, node)),
        nodes=len(left),
        faults=faults,
        links={"*": plan.links["*"]} if "*" in plan.links else {},
        disks={names.get(node, node): disk for node, disk in plan.disks.items() if node not in gone},
        clocks={names.get(node, node): clock for node, clock in plan.clocks.items() if node not in gone},
        deliveries={},
    )


def _among(fault: Fault, names: Mapping[str, str], known: Sequence[str]) -> Fault | None:
    """The fault, hitting only nodes that have a name; None where it hits nobody any more."""

    def renamed(nodes: Sequence[str]) -> tuple[str, ...]:
        return tuple(names.get(node, node) for node in nodes if node in names or node not in known)

    nodes, sides = renamed(fault.nodes), tuple(side for side in map(renamed, fault.sides) if side)
    on = fault.on
    if on is not None and on.node in known:
        if on.node not in names:
            return None
        on = replace(on, node=names[on.node])
    if (fault.nodes and not nodes) or (fault.sides and not sides):
        return None
    return replace(fault, nodes=nodes, sides=sides, on=on)


def _simplifications(fault: Fault, nodes: Sequence[str]) -> Iterator[dict[str, Any]]:
    if fault.undo_after_ns is not None:
        yield {"undo_after_ns": None}
    if fault.one_way:
        yield {"one_way": False}
    if fault.mode != "drop":
        yield {"mode": "drop"}
    if len(fault.nodes) > 1:
        yield from ({"nodes": (node,)} for node in fault.nodes)
    if len(fault.sides) > 1 and min(map(len, fault.sides)) > 1:
        yield from ({"sides": ((node,), tuple(other for other in nodes if other != node))} for node in nodes)


def _in_place_of(gone: int, stays: int) -> Callable[[int], int]:
    return lambda client: stays if client == gone else client


def _rounded_up(unit_ns: int) -> Callable[[int], int]:
    return lambda at: -(-at // unit_ns) * unit_ns


def _earlier(after_ns: int, by_ns: int) -> Callable[[int], int]:
    """Whatever is later than `after_ns` happens that much earlier, and not before it."""
    return lambda at: at if at <= after_ns else max(after_ns, at - by_ns)
