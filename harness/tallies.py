"""Faults that wait: for the k-th time that something happens at a node."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from .node_life import NodeLife

INPUTS: Final = {"message": "receive", "timer": "ring"}
EFFECTS: Final = ("send", "set_timer", "cancel_timer", "store", "erase", "sync", "note")
"""What can be counted in a life: inputs by the methods that handle them, and effects."""


class Tally:
    """How often something has happened, and what is to be done at which time of it, there and then."""

    def __init__(self) -> None:
        self._waiting: dict[int, list[Callable[[str], None]]] = {}
        self._count = 0

    def await_time(self, k: int, act: Callable[[str], None]) -> None:
        """Call `act` with the node where it happens for the k-th time."""
        self._waiting.setdefault(k, []).append(act)

    def tell(self, node: str) -> None:
        """It has happened once more, at this node."""
        self._count += 1
        for act in self._waiting.get(self._count, ()):
            act(node)


def count(life: NodeLife, event: str, tell: Callable[[], None]) -> None:
    """Call `tell` whenever this happens in a life: an effect, `message`, `timer`, or `note:` and a kind.

    An effect is counted when it has been carried out, an input before it is handled; what waits for the disk is counted
    when its time has come. So whatever a fault does, it does there and then: a crash at a message loses the message, a
    pause at a message handles it first when the node goes on, a crash at a `store` leaves a write that was never synced.
    """
    name, _, kind = event.partition(":")
    method = INPUTS.get(name, name)
    original: Callable[..., None] = getattr(life, method)

    def counted_before(*arguments: Any) -> None:
        if life.busy:
            life.wait(counted_before, *arguments)
            return
        tell()
        if life.busy:
            life.wait_first(original, *arguments)
        else:
            original(*arguments)

    def counted_after(*arguments: Any) -> None:
        takes_place = not life.busy and (not kind or arguments[0] == kind)
        original(*arguments)
        if takes_place:
            tell()

    setattr(life, method, counted_before if name in INPUTS else counted_after)
