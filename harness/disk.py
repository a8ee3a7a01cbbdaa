"""A node's disk: a map, what was written to it since the last sync, and what is damaged."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from enum import Enum
from types import MappingProxyType
from typing import Any, Protocol

from ..histories.errors import UsageError
from ..histories.values import freeze
from ..impl.node import Dice, Key, Message

SCALARS = frozenset({type(None), bool, int, float, str})


class Removed(Enum):
    """Stands in the place of a value that was erased."""

    REMOVED = "removed"


class DiskAsSeen(Protocol):
    """A disk as the node that runs on it sees it: itself, or what a fault makes of it."""

    @property
    def sync_ns(self) -> int:
        """How long a sync takes."""
        ...

    def store(self, key: Key, value: Any, /) -> None:
        """Write; lost in a crash until `flush`."""
        ...

    def erase(self, key: Key, /) -> None:
        """Remove; undone by a crash until `flush`."""
        ...

    def flush(self) -> None:
        """Make all writes so far durable."""
        ...


class NodeDisk:
    """What outlives a crash, and what does not yet.

    Attributes:
        sync_ns: how long a sync takes.
    """

    __slots__ = ("_damaged", "_durable", "_pending", "sync_ns")

    def __init__(self, sync_ns: int) -> None:
        self.sync_ns = sync_ns
        self._durable: dict[Key, Any] = {}
        self._pending: list[tuple[Key, Any]] = []
        self._damaged: dict[Key, None] = {}

    @property
    def stored(self) -> Mapping[Key, Any]:
        """What is durable, as a node that starts finds it; a copy."""
        return MappingProxyType(dict(self._durable))

    @property
    def damaged(self) -> frozenset[Key]:
        """The keys whose value cannot be read any more."""
        return frozenset(self._damaged)

    def store(self, key: Key, value: Any, /) -> None:
        """Write; lost in a crash until `flush`.

        Raises:
            UsageError: the value could change later, behind the disk's back.
        """
        if value.__class__ not in SCALARS and not isinstance(value, Message):
            if not isinstance(value, (tuple, Mapping)):
                raise UsageError(f"a node stores {type(value).__name__} under {key!r}; store JSON values or messages")
            value = _frozen(value)
        self._pending.append((key, value))

    def erase(self, key: Key, /) -> None:
        """Remove; undone by a crash until `flush`."""
        self._pending.append((key, Removed.REMOVED))

    def flush(self) -> None:
        """Make all writes so far durable."""
        for key, value in self._pending:
            self._write(key, value)
        self._pending.clear()

    def crash(self) -> None:
        """Lose what was not flushed."""
        self._pending.clear()

    def tear(self, dice: Dice) -> bool:
        """Lose what was not flushed, but for a prefix of it, and damage the key that was being written.

        Answers whether that made a difference.
        """
        survive = dice.below(len(self._pending) + 1)
        torn = bool(self._pending)
        for key, value in self._pending[:survive]:
            self._write(key, value)
        for key, _ in self._pending[survive : survive + 1]:
            self._damage(key)
        self._pending.clear()
        return torn

    def rot(self, rate: float, dice: Dice) -> bool:
        """Damage each key with this probability; answers whether any was."""
        rotten = [key for key in self._durable if dice.random() < rate]
        for key in rotten:
            self._damage(key)
        return bool(rotten)

    def _write(self, key: Key, value: Any) -> None:
        self._damaged.pop(key, None)
        if value is Removed.REMOVED:
            self._durable.pop(key, None)
        else:
            self._durable[key] = value

    def _damage(self, key: Key) -> None:
        self._durable.pop(key, None)
        self._damaged[key] = None


class RememberingDisk(NodeDisk):
    """A disk that can be rolled back. It keeps what each change replaced, so a plan without rollbacks does not use it."""

    __slots__ = ("_now", "_replaced")

    def __init__(self, sync_ns: int, now: Callable[[], int]) -> None:
        super().__init__(sync_ns)
        self._now = now
        self._replaced: list[tuple[int, Key, Any, bool]] = []

    def roll_back(self, to_ns: int) -> None:
        """Be again as it was then, after whatever became durable at that time."""
        while self._replaced and self._replaced[-1][0] > to_ns:
            _, key, value, was_damaged = self._replaced.pop()
            super()._write(key, value)
            if was_damaged:
                super()._damage(key)

    def _write(self, key: Key, value: Any) -> None:
        self._remember(key)
        super()._write(key, value)

    def _damage(self, key: Key) -> None:
        self._remember(key)
        super()._damage(key)

    def _remember(self, key: Key) -> None:
        was = self._durable.get(key, Removed.REMOVED)
        self._replaced.append((self._now(), key, was, key in self._damaged))


def _frozen(value: Any) -> Any:
    """A copy that nobody can change: messages inside stay what they are."""
    if isinstance(value, Message):
        return value
    if isinstance(value, tuple):
        return tuple(_frozen(item) for item in value)
    return freeze(value)
