"""What is done to messages all the way along some links."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from ...impl.node import MS
from ..plan import Fault
from ..rules import LOSS, Delaying, Duplication, HeavyTail, Loss
from ..traffic import Bandwidth, Queue, Reordering
from .kind import FaultKind, Undo

if TYPE_CHECKING:
    from ..storm import Storm
    from ..world import World


def _lose(world: World, fault: Fault) -> Undo:
    return world.network.put_in_force(Loss(fault.fault, fault.nodes, LOSS, fault.rate))


def _duplicate(world: World, fault: Fault) -> Undo:
    return world.network.put_in_force(Duplication(fault.fault, fault.nodes, fault.rate, fault.amount_ns))


def _delay(world: World, fault: Fault) -> Undo:
    return world.network.put_in_force(Delaying(fault.fault, fault.nodes, fault.rate, fault.amount_ns))


def _reorder(world: World, fault: Fault) -> Undo:
    network = world.network
    return network.put_in_force(Reordering(network, fault.fault, fault.nodes, fault.rate, fault.amount_ns))


def _stretch(world: World, fault: Fault) -> Undo:
    return world.network.put_in_force(HeavyTail(fault.fault, fault.nodes, fault.amount_ns))


def _narrow(world: World, fault: Fault) -> Undo:
    network = world.network
    return network.put_in_force(Bandwidth(network, fault.fault, fault.nodes, fault.count))


def _bound(world: World, fault: Fault) -> Undo:
    return world.network.put_in_force(Queue(fault.fault, fault.nodes, fault.count))


def _no_probability(fault: Fault) -> str:
    return "" if 0 <= fault.rate <= 1 else "has a probability, its `rate`, between 0 and 1"


def _nothing_passes(fault: Fault) -> str:
    return "" if fault.count > 0 else "lets something pass: its `count` is at least 1"


def _draw_loss(storm: Storm) -> list[Fault]:
    return _on_messages(storm, "loss", rate=storm.draw.rate("0.005", "0.4"))


def _draw_duplication(storm: Storm) -> list[Fault]:
    return _on_messages(storm, "duplication", rate=storm.draw.rate("0.01", "0.5"), amount_ns=_amount_ns(storm, 1_000))


def _draw_delay(storm: Storm) -> list[Fault]:
    return _on_messages(storm, "delay", rate=storm.draw.rate("0.02", "1"), amount_ns=_amount_ns(storm, 1_000))


def _draw_reordering(storm: Storm) -> list[Fault]:
    return _on_messages(storm, "reordering", rate=storm.draw.rate("0.02", "1"), amount_ns=_amount_ns(storm, 1_000))


def _draw_heavy_tail(storm: Storm) -> list[Fault]:
    return _on_messages(storm, "heavy-tail", amount_ns=_amount_ns(storm, 50))


def _draw_bandwidth(storm: Storm) -> list[Fault]:
    return _on_messages(storm, "bandwidth", count=storm.draw.logarithmic(1_000, 1_000_000))


def _draw_queue(storm: Storm) -> list[Fault]:
    return _on_messages(storm, "queue", count=storm.draw.logarithmic(1, 16))


def _amount_ns(storm: Storm, most_ms: int) -> int:
    return storm.draw.logarithmic(2, most_ms) * MS


def _on_messages(storm: Storm, kind: str, *, rate: float = 0.0, amount_ns: int = 0, count: int = 0) -> list[Fault]:
    throughout = storm.draw.happens(1, 3)
    return [
        Fault(
            fault=kind,
            at_ns=0 if throughout else storm.begin_ns(),
            undo_after_ns=None if throughout else storm.lasts_ns(),
            nodes=storm.some(),
            rate=rate,
            amount_ns=amount_ns,
            count=count,
        )
    ]


KINDS: Final = (
    FaultKind(
        name="loss",
        does="each message to or from these nodes is lost with probability `rate`",
        inverse="no message is lost any more",
        reads=("nodes", "rate"),
        begin=_lose,
        draw=_draw_loss,
        amiss=_no_probability,
        most=3,
        weight=3,
    ),
    FaultKind(
        name="duplication",
        does="with probability `rate` a message to or from these nodes arrives once more, up to `amount_ns` later",
        inverse="each message arrives once",
        reads=("nodes", "rate", "amount_ns"),
        begin=_duplicate,
        draw=_draw_duplication,
        amiss=_no_probability,
        most=3,
        weight=2,
    ),
    FaultKind(
        name="delay",
        does="with probability `rate` a message to or from these nodes is up to `amount_ns` late, and overtaken",
        inverse="messages take as long as their link says",
        reads=("nodes", "rate", "amount_ns"),
        begin=_delay,
        draw=_draw_delay,
        amiss=_no_probability,
        most=3,
        weight=3,
    ),
    FaultKind(
        name="reordering",
        does=(
            "with probability `rate` a message to or from these nodes waits until a later one of its link has overtaken "
            "it, or `amount_ns` have passed; never on a link that keeps the order of sending"
        ),
        inverse="what waits arrives, and no message waits any more",
        reads=("nodes", "rate", "amount_ns"),
        begin=_reorder,
        draw=_draw_reordering,
        amiss=_no_probability,
        most=3,
        weight=2,
    ),
    FaultKind(
        name="heavy-tail",
        does=(
            "each message to or from these nodes is later by about `amount_ns` on average: every second one by about half "
            "of that, one in a thousand by thirty times that, none by more than fifty times"
        ),
        inverse="messages take as long as their link says",
        reads=("nodes", "amount_ns"),
        begin=_stretch,
        draw=_draw_heavy_tail,
        most=2,
    ),
    FaultKind(
        name="bandwidth",
        does="on each link to or from these nodes messages go one behind the other, `count` bytes of JSON a second",
        inverse="what waits is under way at once, and messages wait for each other no more",
        reads=("nodes", "count"),
        begin=_narrow,
        draw=_draw_bandwidth,
        amiss=_nothing_passes,
        most=2,
    ),
    FaultKind(
        name="queue",
        does="on each link to or from these nodes at most `count` messages are on their way; what is sent beyond is lost",
        inverse="there is room for all messages",
        reads=("nodes", "count"),
        begin=_bound,
        draw=_draw_queue,
        amiss=_nothing_passes,
        most=2,
    ),
)
