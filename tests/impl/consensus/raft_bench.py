"""Raft nodes on a test bench: fixed luck, no clock, and disks that a test may fill."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, TypeVar

from upheld.impl.consensus.messages import Command
from upheld.impl.consensus.raft.messages import Ballot, Entry, PreVote, Vote
from upheld.impl.consensus.raft.reference import Raft
from upheld.impl.node import Context, Key, Message, NodeId, RecordingOutbox

T = TypeVar("T")

SETTINGS: Mapping[str, Any] = {
    "election_min_ns": 150,
    "election_max_ns": 300,
    "heartbeat_ns": 50,
    "retry_ns": 200,
    "sessions_max": 100,
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


def put(key: str, value: int, *, client: str = "c0", msg_id: int = 1) -> Command:
    return Command(client, msg_id, "put", key, value)


def log_of(*terms: int, term: int = 0, voted: NodeId | None = None) -> dict[Key, Any]:
    """A disk with a log whose entries have these terms; the node's own term is at least the last one."""
    entries: dict[Key, Any] = {
        ("log", index): Entry(term, put("x", index, msg_id=index)) for index, term in enumerate(terms, 1)
    }
    return {**entries, ("ballot", 1): Ballot(1, max((term, *terms)), voted)}


def started(name: str = "n1", nodes: int = 3, stored: Mapping[Key, Any] | None = None, **settings: Any) -> Raft:
    """A node that has just started from its disk."""
    raft = Raft(context(name, nodes, stored, **settings))
    raft.on_start(RecordingOutbox())
    return raft


def standing(nodes: int = 3, stored: Mapping[Key, Any] | None = None, **settings: Any) -> Raft:
    """n1, a candidate whom nobody has answered yet; alone it leads at once."""
    raft, out = started("n1", nodes, stored, **settings), RecordingOutbox()
    raft.on_timer("election", out)
    for peer in raft.others:
        if raft.role == "pre-candidate":
            raft.on_message(peer, PreVote(raft.term, raft.term + 1, True), out)
    assert raft.role == ("candidate" if raft.others else "leader")
    return raft


def elected(nodes: int = 3, stored: Mapping[Key, Any] | None = None, **settings: Any) -> Raft:
    """n1, elected by all others; its no-op is the last entry of its log, and nobody has answered yet."""
    raft = standing(nodes, stored, **settings)
    for peer in raft.others:
        raft.on_message(peer, Vote(raft.term, True), RecordingOutbox())
    assert raft.role == "leader"
    return raft


def told(raft: Raft, sender: NodeId, *messages: Message) -> RecordingOutbox:
    """What the node does when these messages arrive."""
    out = RecordingOutbox()
    for message in messages:
        raft.on_message(sender, message, out)
    return out


def timed_out(raft: Raft, name: str) -> RecordingOutbox:
    """What the node does when this timer runs out."""
    out = RecordingOutbox()
    raft.on_timer(name, out)
    return out


def names(out: RecordingOutbox) -> list[str]:
    """The effects in order, by name; a note by its kind."""
    return [f"note {effect.arguments[0]}" if effect.name == "note" else effect.name for effect in out.effects]


def notes(out: RecordingOutbox, kind: str) -> list[tuple[Any, ...]]:
    """The facts of each note of this kind."""
    return [effect.arguments[1:] for effect in out.effects if effect.name == "note" and effect.arguments[0] == kind]
