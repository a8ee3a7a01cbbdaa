"""Raft nodes on a test bench: with disks that a test may fill."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from typing import Any

from upheld.impl.consensus.messages import Command
from upheld.impl.consensus.raft.messages import Ballot, Entry, PreVote, Vote
from upheld.impl.consensus.raft.reference import Raft
from upheld.impl.node import Context, Key, NodeId, RecordingOutbox

bench = import_module("bench")
names, notes, timed_out, told = bench.names, bench.notes, bench.timed_out, bench.told

SETTINGS: Mapping[str, Any] = {
    "election_min_ns": 150,
    "election_max_ns": 300,
    "heartbeat_ns": 50,
    "retry_ns": 200,
    "sessions_max": 100,
}


def context(name: str = "n1", nodes: int = 3, stored: Mapping[Key, Any] | None = None, **settings: Any) -> Context:
    made: Context = bench.context(name, nodes, stored, {**SETTINGS, **settings})
    return made


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
