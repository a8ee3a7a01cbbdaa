"""Paxos nodes on a test bench: fixed luck, and a disk that keeps what was synced."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, TypeVar

from upheld.impl.consensus.paxos.multi import MultiPaxos
from upheld.impl.consensus.paxos.reference import Paxos
from upheld.impl.node import Context, Key, Message, NodeId, RecordingOutbox

T = TypeVar("T")
N = TypeVar("N", Paxos, MultiPaxos)

SETTINGS: Mapping[str, Any] = {
    "retransmit_ns": 20,
    "back_off_ns": 10,
    "back_off_max_ns": 100,
    "election_min_ns": 150,
    "election_max_ns": 300,
    "heartbeat_ns": 50,
    "retry_ns": 200,
    "sessions_max": 100,
    "snapshot_every": 1000,
}


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


def context(name: str = "n1", nodes: int = 3, stored: Mapping[Key, Any] | None = None, **settings: Any) -> Context:
    peers = tuple(f"n{number}" for number in range(1, nodes + 1))
    return Context(name, peers, Standstill(), NoLuck(), stored or {}, frozenset(), {**SETTINGS, **settings})


def told(node: Paxos | MultiPaxos, sender: NodeId, *messages: Message) -> RecordingOutbox:
    """What the node does when these messages arrive."""
    out = RecordingOutbox()
    for message in messages:
        node.on_message(sender, message, out)
    return out


def timed_out(node: Paxos | MultiPaxos, name: str) -> RecordingOutbox:
    """What the node does when this timer runs out."""
    out = RecordingOutbox()
    node.on_timer(name, out)
    return out


def synced(stored: Mapping[Key, Any], out: RecordingOutbox) -> dict[Key, Any]:
    """What the disk holds after these effects and a crash: what was written before the last sync."""
    durable, pending = dict(stored), dict(stored)
    for effect in out.effects:
        match effect.name:
            case "store":
                pending[effect.arguments[0]] = effect.arguments[1]
            case "erase":
                pending.pop(effect.arguments[0], None)
            case "sync":
                durable = dict(pending)
    return durable


def restarted(node: N, out: RecordingOutbox, stored: Mapping[Key, Any] | None = None, **settings: Any) -> N:
    """The node after a crash at the end of these effects."""
    return type(node)(context(node.id, 3, synced(stored or {}, out), **settings))


def names(out: RecordingOutbox) -> list[str]:
    """The effects in order, by name; a note by its kind, a message by its type."""
    shown = []
    for effect in out.effects:
        match effect.name:
            case "note":
                shown.append(f"note {effect.arguments[0]}")
            case "send":
                shown.append(type(effect.arguments[1]).__name__)
            case name:
                shown.append(name)
    return shown


def notes(out: RecordingOutbox, kind: str) -> list[tuple[Any, ...]]:
    """The facts of each note of this kind."""
    return [effect.arguments[1:] for effect in out.effects if effect.name == "note" and effect.arguments[0] == kind]
