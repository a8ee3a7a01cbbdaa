"""What is done to disks.

A node that a fault of its disk has stopped stays down until that fault ends, or until something else starts it, such as
the end of a crash.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from msgspec.structs import replace

from ...impl.node import MS, Key
from ..disk import DiskAsSeen
from ..plan import Fault, Occurrence
from ..randomness import Luck, stream
from .kind import FaultKind, Undo
from .nodes import machines_of, needs_amount, needs_rate

if TYPE_CHECKING:
    from ..machine import Machine
    from ..storm import Storm
    from ..world import World

Begin: TypeAlias = "Callable[[World, Fault], Undo]"


def _tear(world: World, fault: Fault) -> Undo:
    def change(by: int) -> None:
        for machine in machines_of(world, fault):
            machine.torn += by

    change(1)
    return lambda: change(-1)


# --- disks that nodes see otherwise


class Acting:
    """A disk that a fault acts on, as the node sees it; here it does nothing."""

    def __init__(self, world: World, machine: Machine, fault: Fault, luck: Luck, disk: DiskAsSeen) -> None:
        self.world, self.machine, self.fault, self.luck, self.disk = world, machine, fault, luck, disk

    @property
    def sync_ns(self) -> int:
        """As without the fault."""
        return self.disk.sync_ns

    def store(self, key: Key, value: Any, /) -> None:
        """As without the fault."""
        self.disk.store(key, value)

    def erase(self, key: Key, /) -> None:
        """As without the fault."""
        self.disk.erase(key)

    def flush(self) -> None:
        """As without the fault."""
        self.disk.flush()


class Slow(Acting):
    """A sync takes longer."""

    @property
    def sync_ns(self) -> int:
        """Longer."""
        self.world.fire(self.fault.fault)
        return self.disk.sync_ns + self.fault.amount_ns


class Full(Acting):
    """There is no room for another write."""

    def store(self, key: Key, value: Any, /) -> None:  # noqa: ARG002  # they find no place
        """Stop the node."""
        self.machine.stop(self.fault.fault)


class Failing(Acting):
    """A sync may fail."""

    def flush(self) -> None:
        """Do it, or lose all that it was to make durable, and stop the node."""
        if self.luck.random() < self.fault.rate:
            self.machine.disk.crash()
            self.machine.stop(self.fault.fault)
        else:
            self.disk.flush()


def _seen_as(kind: type[Acting]) -> Begin:
    """Nodes see their disks like that until the fault ends."""

    def begin(world: World, fault: Fault) -> Undo:
        machines = machines_of(world, fault)
        undoings = [
            machine.change_disk(partial(kind, world, machine, fault, _luck(world, fault, machine)))
            for machine in machines
        ]

        def undo() -> None:
            for one in undoings:
                one()
            for machine in machines:
                machine.recover(fault.fault)

        return undo

    return begin


# --- what nodes meet with when they start


def _cannot_read(machine: Machine, fault: Fault, _: Luck) -> None:
    machine.stop(fault.fault)


def _rot(machine: Machine, fault: Fault, luck: Luck) -> None:
    if machine.disk.rot(fault.rate, luck):
        machine.world.fire(fault.fault)


def _at_start(do: Callable[[Machine, Fault, Luck], None]) -> Begin:
    """This happens whenever a node starts, until the fault ends."""

    def begin(world: World, fault: Fault) -> Undo:
        machines = machines_of(world, fault)
        hooks = [partial(do, machine, fault, _luck(world, fault, machine)) for machine in machines]
        for machine, hook in zip(machines, hooks, strict=True):
            machine.at_start.append(hook)

        def undo() -> None:
            for machine, hook in zip(machines, hooks, strict=True):
                machine.at_start.remove(hook)
                machine.recover(fault.fault)

        return undo

    return begin


def _luck(world: World, fault: Fault, machine: Machine) -> Luck:
    """Of one fault on one disk, so that no other fault shifts it."""
    return Luck(stream(world.plan.seed, fault.fault, f"{machine.name}@{world.now}"))


# --- drawn


def _draw_torn(storm: Storm) -> list[Fault]:
    nodes = storm.some()
    return [Fault(fault="torn", at_ns=0, nodes=nodes), *_crash_at_a_write(storm, nodes or storm.names)]


def _crash_at_a_write(storm: Storm, nodes: tuple[str, ...]) -> list[Fault]:
    """A write is torn only when a crash meets with it."""
    node = storm.draw.luck.choice(nodes)
    if "crash" not in storm.kinds or not storm.may_be_down(1, 0, storm.heal_ns):
        return []
    on = Occurrence(node, storm.draw.luck.choice(("store", "sync")), storm.draw.logarithmic(1, 200))
    return [Fault(fault="crash", on=on, undo_after_ns=storm.draw.logarithmic(1, 500) * MS)]


def _draw_stopping(kind: str) -> Callable[[Storm], list[Fault]]:
    """Of a kind that stops a node until it ends."""

    def draw(storm: Storm) -> list[Fault]:
        at_ns, lasts_ns = storm.begin_ns(), storm.lasts_ns()
        node = storm.one_or_leader()
        rate = storm.draw.rate("0.02", "1") if kind == "fsync-error" else 0.0
        if not storm.may_be_down(1, at_ns, at_ns + lasts_ns):
            return []
        return [Fault(fault=kind, at_ns=at_ns, undo_after_ns=lasts_ns, nodes=(node,), rate=rate)]

    return draw


def _draw_slow(storm: Storm) -> list[Fault]:
    return [
        Fault(
            fault="disk-slow",
            at_ns=storm.begin_ns(),
            undo_after_ns=storm.lasts_ns(),
            nodes=storm.some(),
            amount_ns=storm.draw.logarithmic(1, 500) * MS,
        )
    ]


def _draw_read_error(storm: Storm) -> list[Fault]:
    return _with_a_crash(storm, Fault(fault="read-error", nodes=(storm.draw.luck.choice(storm.names),)))


def _draw_rot(storm: Storm) -> list[Fault]:
    node = storm.draw.luck.choice(storm.names)
    if not storm.may_spoil(node):
        return []
    return _with_a_crash(storm, Fault(fault="rot", nodes=(node,), rate=storm.draw.rate("0.02", "1")))


def _with_a_crash(storm: Storm, fault: Fault) -> list[Fault]:
    """Of a kind that a node meets with when it starts: it is in force when a crash of that node ends."""
    at_ns, lasts_ns = storm.begin_ns(), storm.lasts_ns()
    if "crash" not in storm.kinds or not storm.may_be_down(1, at_ns, at_ns + lasts_ns):
        return []
    crash = Fault(fault="crash", at_ns=at_ns, undo_after_ns=lasts_ns // 2, nodes=fault.nodes)
    return [replace(fault, at_ns=at_ns, undo_after_ns=lasts_ns), crash]


KINDS: Final = (
    FaultKind(
        name="torn",
        does="a crash of these nodes leaves a prefix of the unsynced writes, and damages the key of the next one",
        inverse="a crash loses unsynced writes whole",
        reads=("nodes",),
        begin=_tear,
        draw=_draw_torn,
        most=1,
        weight=2,
    ),
    FaultKind(
        name="fsync-error",
        does="with probability `rate` a sync of these nodes fails: what it was to make durable is lost, and the node crashes "
        "at that line",
        inverse="syncs succeed, and nodes that crashed so start again",
        reads=("nodes", "rate"),
        begin=_seen_as(Failing),
        draw=_draw_stopping("fsync-error"),
        amiss=needs_rate,
    ),
    FaultKind(
        name="disk-full",
        does="the next `store` of these nodes crashes them at that line",
        inverse="there is room, and nodes that crashed so start again",
        reads=("nodes",),
        begin=_seen_as(Full),
        draw=_draw_stopping("disk-full"),
    ),
    FaultKind(
        name="disk-slow",
        does="syncs of these nodes take `amount_ns` longer",
        inverse="they take as long as the disk does",
        reads=("nodes", "amount_ns"),
        begin=_seen_as(Slow),
        draw=_draw_slow,
        amiss=needs_amount,
    ),
    FaultKind(
        name="read-error",
        does="one of these nodes that starts cannot read its disk, and crashes at once",
        inverse="disks can be read, and nodes that crashed so start again",
        reads=("nodes",),
        begin=_at_start(_cannot_read),
        draw=_draw_read_error,
    ),
    FaultKind(
        name="rot",
        does="when one of these nodes starts, each key on its disk is damaged with probability `rate`",
        inverse="what is on a disk stays there; what was damaged stays so until it is written anew",
        reads=("nodes", "rate"),
        begin=_at_start(_rot),
        draw=_draw_rot,
        amiss=needs_rate,
    ),
)
