"""Consensus nodes on a test bench: fixed luck, clocks that stand still, and what a node does about what happens to it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, TypeVar

from upheld.impl.node import Context, Key, Message, Node, NodeId, RecordingOutbox

T = TypeVar("T")


class NoLuck:
    """Dice that always show the lowest side."""

    def random(self) -> float:
        return 0.0

    def below(self, n: int, /) -> int:
        return 0

    def choice(self, options: Sequence[T], /) -> T:
        return options[0]

    def shuffled(self, options: Sequence[T], /) -> list[T]:
        return list(options)


class Standstill:
    """Clocks that stand still."""

    def wall_ns(self) -> int:
        return 0

    def monotonic_ns(self) -> int:
        return 0


def context(name: str, nodes: int, stored: Mapping[Key, Any] | None, settings: Mapping[str, Any]) -> Context:
    peers = tuple(f"n{number}" for number in range(1, nodes + 1))
    return Context(name, peers, Standstill(), NoLuck(), stored or {}, frozenset(), settings)


def told(node: Node, sender: NodeId, *messages: Message) -> RecordingOutbox:
    """What the node does when these messages arrive."""
    out = RecordingOutbox()
    for message in messages:
        node.on_message(sender, message, out)
    return out


def timed_out(node: Node, name: str) -> RecordingOutbox:
    """What the node does when this timer runs out."""
    out = RecordingOutbox()
    node.on_timer(name, out)
    return out


def names(out: RecordingOutbox) -> list[str]:
    """The effects in order, by name; a note by its kind."""
    return [f"note {effect.arguments[0]}" if effect.name == "note" else effect.name for effect in out.effects]


def notes(out: RecordingOutbox, kind: str) -> list[tuple[Any, ...]]:
    """The facts of each note of this kind."""
    return [effect.arguments[1:] for effect in out.effects if effect.name == "note" and effect.arguments[0] == kind]
