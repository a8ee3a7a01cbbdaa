"""The faults: each does one thing to a world, and gives back its inverse.

A fault of a plan is data (`plan.Fault`); its kind says here what it does with that. What a fault does to messages is a
`rules.Rule`. A new kind is one entry of `FAULTS`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Final, TypeAlias

import msgspec

from ..histories.errors import UsageError
from .plan import Fault
from .rules import DUPLICATE, LATE, LOSS, Delaying, Duplication, Loss, Parcel, Partition, Rule

if TYPE_CHECKING:
    from .world import World

Undo: TypeAlias = Callable[[], None]


class FaultKind(msgspec.Struct, frozen=True, kw_only=True):
    """A kind of fault.

    Attributes:
        name: in plans, budgets and reports.
        does: what it does, in a sentence.
        inverse: what ends it, in a sentence.
        reads: which fields of `plan.Fault` it reads, besides those of when it begins and ends.
        begin: does it, and answers how to undo it. `nodes` are never empty there: nobody named means all.
    """

    name: str
    does: str
    inverse: str
    reads: tuple[str, ...]
    begin: Callable[[World, Fault], Undo]


# --- messages


def _lose(world: World, fault: Fault) -> Undo:
    return _in_force(world, Loss(fault.fault, fault.nodes, LOSS, fault.rate), [])


def _duplicate(world: World, fault: Fault) -> Undo:
    return _in_force(world, Duplication(fault.fault, fault.nodes, DUPLICATE, fault.rate, fault.amount_ns), [])


def _delay(world: World, fault: Fault) -> Undo:
    return _in_force(world, Delaying(fault.fault, fault.nodes, LATE, fault.rate, fault.amount_ns), [])


def _cut(world: World, fault: Fault) -> Undo:
    partition = Partition(fault, world.plan.node_ids)
    return _in_force(world, partition, partition.held)


def _in_force(world: World, rule: Rule, held: list[Parcel]) -> Undo:
    world.network.add(rule)
    return lambda: world.network.remove(rule, held)


# --- nodes


def _crash(world: World, fault: Fault) -> Undo:
    machines = [world.machines[name] for name in fault.nodes]
    for machine in machines:
        if machine.crash():
            world.fire(fault.fault)

    def restart() -> None:
        for machine in machines:
            machine.restart()

    return restart


def _tear(world: World, fault: Fault) -> Undo:
    def change(by: int) -> None:
        for name in fault.nodes:
            world.machines[name].torn += by

    change(1)
    return lambda: change(-1)


# --- clocks


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


FAULTS: Final[Mapping[str, FaultKind]] = {
    kind.name: kind
    for kind in (
        FaultKind(
            name="loss",
            does="each message to or from these nodes is lost with probability `rate`",
            inverse="no message is lost any more",
            reads=("nodes", "rate"),
            begin=_lose,
        ),
        FaultKind(
            name="duplication",
            does="with probability `rate` a message to or from these nodes arrives once more, up to `amount_ns` later",
            inverse="each message arrives once",
            reads=("nodes", "rate", "amount_ns"),
            begin=_duplicate,
        ),
        FaultKind(
            name="delay",
            does="with probability `rate` a message to or from these nodes is up to `amount_ns` late, and overtaken",
            inverse="messages take as long as their link says",
            reads=("nodes", "rate", "amount_ns"),
            begin=_delay,
        ),
        FaultKind(
            name="partition",
            does="no message crosses between the sides: it is dropped, or held until the partition ends",
            inverse="the network is whole, and what was held is sent on its way",
            reads=("sides", "mode", "one_way"),
            begin=_cut,
        ),
        FaultKind(
            name="crash",
            does="these nodes lose their memory and every write that no sync has made durable",
            inverse="they start again with what is on their disks",
            reads=("nodes",),
            begin=_crash,
        ),
        FaultKind(
            name="torn",
            does="a crash of these nodes leaves a prefix of the unsynced writes, and damages the key of the next one",
            inverse="a crash loses unsynced writes whole",
            reads=("nodes",),
            begin=_tear,
        ),
        FaultKind(
            name="clock-offset",
            does="the wall clocks of these nodes are off by `amount_ns`",
            inverse="they jump back",
            reads=("nodes", "amount_ns"),
            begin=_set_off,
        ),
        FaultKind(
            name="clock-drift",
            does="the clocks of these nodes, and so their timers, run `rate` times as fast as time",
            inverse="they run at their old rate; what they show meanwhile stays",
            reads=("nodes", "rate"),
            begin=_drift,
        ),
    )
}
"""Every kind of fault, by name."""

PROFILES: Final[Mapping[str, tuple[str, ...]]] = {
    "calm": (),
    "crashes": ("crash", "torn"),
    "partitions": ("partition",),
    "lossy": ("loss", "duplication", "delay"),
    "clocks": ("clock-offset", "clock-drift"),
    "storm": tuple(FAULTS),
}
"""Named sets of kinds; a system gets those that its budget allows."""


def kinds_of(profile: str) -> tuple[str, ...]:
    """The kinds of fault of a profile, or of a list such as "crash,partition", in the order of `FAULTS`.

    Raises:
        UsageError: there is no such profile or kind; the text lists those that there are.
    """
    if profile in PROFILES:
        return PROFILES[profile]
    names = profile.split(",")
    for name in names:
        if name not in FAULTS:
            raise UsageError(
                f"there is no fault {name!r}; there are the profiles {', '.join(PROFILES)} "
                f"and the faults {', '.join(FAULTS)}"
            )
    return tuple(name for name in FAULTS if name in names)
