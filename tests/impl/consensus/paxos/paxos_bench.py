"""Paxos nodes on a test bench: with a disk that keeps what was synced."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from typing import Any, TypeVar

from upheld.impl.consensus.paxos.multi import MultiPaxos
from upheld.impl.consensus.paxos.reference import Paxos
from upheld.impl.node import Context, Key, RecordingOutbox

N = TypeVar("N", Paxos, MultiPaxos)

bench = import_module("bench")
notes, timed_out, told = bench.notes, bench.timed_out, bench.told

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


def context(name: str = "n1", nodes: int = 3, stored: Mapping[Key, Any] | None = None, **settings: Any) -> Context:
    made: Context = bench.context(name, nodes, stored, {**SETTINGS, **settings})
    return made


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
