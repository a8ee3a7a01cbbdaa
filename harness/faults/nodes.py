"""What is done to nodes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from msgspec.structs import replace

from ...impl.node import MS
from ..plan import LEADER, Fault
from .kind import FaultKind, Undo

if TYPE_CHECKING:
    from ..machine import Machine
    from ..storm import Storm
    from ..world import World


def machines_of(world: World, fault: Fault) -> list[Machine]:
    """The machines of the nodes that a fault hits."""
    return [world.machines[name] for name in fault.nodes]


def needs_amount(fault: Fault) -> str:
    """What is wrong with a fault that has to last."""
    return "" if fault.amount_ns else "needs an `amount_ns` above 0"


def needs_rate(fault: Fault) -> str:
    """What is wrong with a fault that is a matter of chance."""
    return "" if 0 <= fault.rate <= 1 else "needs a `rate` between 0 and 1"


# --- done


def _crash(world: World, fault: Fault) -> Undo:
    machines = machines_of(world, fault)
    for machine in machines:
        if machine.crash():
            world.fire(fault.fault)

    def restart() -> None:
        for machine in machines:
            machine.restart()

    return restart


def _crash_loop(world: World, fault: Fault) -> Undo:
    machines = machines_of(world, fault)
    left = fault.count or -1
    looping = True

    def crash(_: None = None, __: None = None) -> None:
        nonlocal left
        if looping and left:
            left -= 1
            for machine in machines:
                if machine.crash():
                    world.fire(fault.fault)
            world.at(world.now + fault.amount_ns, restart, None, None)

    def restart(_: None, __: None) -> None:
        if looping:
            for machine in machines:
                machine.restart()
            world.at(world.now + fault.amount_ns, crash, None, None)

    def undo() -> None:
        nonlocal looping
        looping = False
        for machine in machines:
            machine.restart()

    crash()
    return undo


def _pause(world: World, fault: Fault) -> Undo:
    machines = machines_of(world, fault)
    for machine in machines:
        machine.pause()

    def go_on() -> None:
        for machine in machines:
            machine.resume()

    return go_on


def _slow_node(world: World, fault: Fault) -> Undo:
    def change(by_ns: int) -> None:
        for machine in machines:
            machine.slow_down(by_ns)

    machines = machines_of(world, fault)
    change(fault.amount_ns)
    return lambda: change(-fault.amount_ns)


# --- drawn


def _draw_crash(storm: Storm) -> list[Fault]:
    if storm.is_lasting:
        return _within_budget(storm, (storm.draw.luck.choice(storm.names),), storm.begin_ns(), storm.lasts_ns())
    shape = storm.draw.weighted({"event": 6, "one": 1, "leader": 3, "all": 1, "some": 1})
    if shape == "event":
        return _crash_on_event(storm)
    lasts_ns = _restart_ns(storm)
    at_ns = storm.begin_ns()
    if shape == "leader":
        return _within_budget(storm, (LEADER,), at_ns, lasts_ns)
    many = {"one": 1, "some": storm.draw.between(1, len(storm.names)), "all": len(storm.names)}[shape]
    many = max(1, min(many, storm.bounds.down_max))
    nodes = storm.in_order(storm.draw.luck.shuffled(storm.names)[:many])
    return _within_budget(storm, nodes, at_ns, lasts_ns)


def _within_budget(storm: Storm, nodes: tuple[str, ...], at_ns: int, lasts_ns: int) -> list[Fault]:
    if not storm.may_be_down(len(nodes), at_ns, at_ns + lasts_ns):
        return []
    return [Fault(fault="crash", at_ns=at_ns, undo_after_ns=lasts_ns, nodes=nodes)]


def _crash_on_event(storm: Storm) -> list[Fault]:
    draw = storm.draw
    node = "*" if draw.happens(1, 4) else draw.luck.choice(storm.names)
    series = storm.series(node)
    restart_ns = draw.logarithmic(1, 20) * MS if draw.happens(1, 2) else _restart_ns(storm)
    if not storm.may_be_down(len(series) if node == "*" else 1, 0, storm.heal_ns):  # nobody knows when
        return []
    return [Fault(fault="crash", on=on, undo_after_ns=restart_ns) for on in series]


def _restart_ns(storm: Storm) -> int:
    """At once, or a millisecond to two seconds later."""
    return 0 if storm.draw.happens(1, 4) else storm.draw.logarithmic(1, 2_000) * MS


def _draw_crash_loop(storm: Storm) -> list[Fault]:
    at_ns, lasts_ns = storm.begin_ns(), storm.lasts_ns()
    if not storm.may_be_down(1, at_ns, at_ns + lasts_ns):
        return []
    return [
        Fault(
            fault="crash-loop",
            at_ns=at_ns,
            undo_after_ns=lasts_ns,
            nodes=(storm.one_or_leader(),),
            amount_ns=storm.draw.logarithmic(5, 500) * MS,
            count=storm.draw.between(2, 8) if storm.draw.happens(1, 2) else 0,
        )
    ]


def _draw_pause(storm: Storm) -> list[Fault]:
    draw = storm.draw
    if not storm.is_lasting and draw.happens(1, 2):
        node = "*" if draw.happens(1, 4) else draw.luck.choice(storm.names)
        lasts_ns = draw.logarithmic(10, 2_000) * MS
        return [Fault(fault="pause", on=on, undo_after_ns=lasts_ns) for on in storm.series(node)]
    pause = Fault(fault="pause", at_ns=storm.begin_ns(), undo_after_ns=storm.lasts_ns())
    if draw.happens(1, 4):
        many = draw.between(1, len(storm.names))
        return [replace(pause, nodes=storm.in_order(draw.luck.shuffled(storm.names)[:many]))]
    return [replace(pause, nodes=(storm.one_or_leader(),))]


def _draw_slow_node(storm: Storm) -> list[Fault]:
    return [
        Fault(
            fault="slow-node",
            at_ns=storm.begin_ns(),
            undo_after_ns=storm.lasts_ns(),
            nodes=() if storm.draw.happens(1, 4) else (storm.one_or_leader(),),
            amount_ns=storm.draw.logarithmic(100, 30_000) * MS // 1_000,
        )
    ]


KINDS: Final = (
    FaultKind(
        name="crash",
        does="these nodes lose their memory and every write that no sync has made durable",
        inverse="they start again with what is on their disks",
        reads=("nodes",),
        begin=_crash,
        draw=_draw_crash,
        most=16,
        weight=8,
    ),
    FaultKind(
        name="crash-loop",
        does="these nodes crash, start again after `amount_ns`, and crash once more after as long, "
        "`count` times, or until this ends when that is 0",
        inverse="they start again, and crash no more",
        reads=("nodes", "amount_ns", "count"),
        begin=_crash_loop,
        draw=_draw_crash_loop,
        amiss=needs_amount,
    ),
    FaultKind(
        name="pause",
        does="these nodes handle nothing: messages, timers and the end of syncs wait, also across a crash; clocks run on",
        inverse="they go on with what waited, in its order",
        reads=("nodes",),
        begin=_pause,
        draw=_draw_pause,
        most=12,
        weight=2,
    ),
    FaultKind(
        name="slow-node",
        does="each input that these nodes handle keeps them busy for `amount_ns`, and later ones wait in their order",
        inverse="they handle each input in no time",
        reads=("nodes", "amount_ns"),
        begin=_slow_node,
        draw=_draw_slow_node,
        amiss=needs_amount,
    ),
)
