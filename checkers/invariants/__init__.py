"""Judges of invariants: what must be so of every answer, decided in one pass, with no search."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from .bank import Bank
from .counter import Counter
from .ids import UniqueIds
from .invariant import Invariant
from .logs import Logs
from .long_fork import LongFork
from .monotonic import MonotonicKeys
from .queues import Queue, TotalQueue
from .sets import Set, SetFull

__all__ = [
    "INVARIANTS",
    "Bank",
    "Counter",
    "Invariant",
    "Logs",
    "LongFork",
    "MonotonicKeys",
    "Queue",
    "Set",
    "SetFull",
    "TotalQueue",
    "UniqueIds",
]

INVARIANTS: Final[Mapping[str, Callable[[], Invariant]]] = {
    judge.name: judge
    for judge in (Bank, Counter, Logs, LongFork, MonotonicKeys, Queue, Set, SetFull, TotalQueue, UniqueIds)
}
"""By name, how to make each judge as it is by default."""
