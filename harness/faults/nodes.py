"""What is done to nodes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from ...impl.node import MS
from ..plan import LEADER, Fault
from .kind import FaultKind, Undo

if TYPE_CHECKING:
    from ..storm import Storm
    from ..world import World


def _crash(world: World, fault: Fault) -> Undo:
    machines = [world.machines[name] for name in fault.nodes]
    for machine in machines:
        if machine.crash():
            world.fire(fault.fault)

    def restart() -> None:
        for machine in machines:
            machine.restart()

    return restart


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
    many = max(1, min(many, storm.down_max))
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


KINDS: Final = (
    FaultKind(
        name="crash",
        does="these nodes lose their memory and every write that no sync has made durable",
        inverse="they start again with what is on their disks",
        reads=("nodes",),
        begin=_crash,
        draw=_draw_crash,
        most=16,
    ),
)
