"""What is done to messages all the way along some links."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from ...impl.node import MS
from ..plan import Fault
from ..rules import DUPLICATE, LATE, LOSS, Delaying, Duplication, Loss
from .kind import FaultKind, Undo

if TYPE_CHECKING:
    from ..storm import Storm
    from ..world import World


def _lose(world: World, fault: Fault) -> Undo:
    return world.network.put_in_force(Loss(fault.fault, fault.nodes, LOSS, fault.rate))


def _duplicate(world: World, fault: Fault) -> Undo:
    return world.network.put_in_force(Duplication(fault.fault, fault.nodes, DUPLICATE, fault.rate, fault.amount_ns))


def _delay(world: World, fault: Fault) -> Undo:
    return world.network.put_in_force(Delaying(fault.fault, fault.nodes, LATE, fault.rate, fault.amount_ns))


def _draw_loss(storm: Storm) -> list[Fault]:
    return _on_messages(storm, "loss", ("0.005", "0.4"))


def _draw_duplication(storm: Storm) -> list[Fault]:
    return _on_messages(storm, "duplication", ("0.01", "0.5"))


def _draw_delay(storm: Storm) -> list[Fault]:
    return _on_messages(storm, "delay", ("0.02", "1"))


def _on_messages(storm: Storm, kind: str, rates: tuple[str, str]) -> list[Fault]:
    throughout = storm.draw.happens(1, 3)
    amount_ns = 0 if kind == "loss" else storm.draw.logarithmic(2, 1_000) * MS
    rate = storm.draw.rate(*rates)
    return [
        Fault(
            fault=kind,
            at_ns=0 if throughout else storm.begin_ns(),
            undo_after_ns=None if throughout else storm.lasts_ns(),
            nodes=storm.some(),
            rate=rate,
            amount_ns=amount_ns,
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
        most=3,
    ),
    FaultKind(
        name="duplication",
        does="with probability `rate` a message to or from these nodes arrives once more, up to `amount_ns` later",
        inverse="each message arrives once",
        reads=("nodes", "rate", "amount_ns"),
        begin=_duplicate,
        draw=_draw_duplication,
        most=3,
    ),
    FaultKind(
        name="delay",
        does="with probability `rate` a message to or from these nodes is up to `amount_ns` late, and overtaken",
        inverse="messages take as long as their link says",
        reads=("nodes", "rate", "amount_ns"),
        begin=_delay,
        draw=_draw_delay,
        most=3,
    ),
)
