"""Replicated registers in miniature, each with one thing wrong, and clients that bring it to light.

Every session has a replica of its own. A write goes to the others by message; a *delivery* says which messages may be taken
in already, and a *merge* what becomes of what a replica holds. Operations follow one another, so real time is total.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import TypeAlias

from upheld.histories.event import MISSING, Event, Kind, Missing
from upheld.histories.history import History

Stamp: TypeAlias = tuple[int, int]
Step: TypeAlias = tuple[str, str]
"""An action, read or write, and its key."""


@dataclass(frozen=True)
class Message:
    """A write on its way to a replica.

    Attributes:
        past: how many writes of each session the sender's replica had taken in, this one included.
        stamp: of Lamport's clock, and the sender.
    """

    receiver: int
    sender: int
    key: str
    value: int
    past: tuple[int, ...]
    stamp: Stamp


@dataclass
class Replica:
    """What one session sees."""

    held: dict[str, tuple[int, Stamp]] = field(default_factory=dict)
    taken: dict[int, int] = field(default_factory=dict)
    clock: int = 0


Delivery: TypeAlias = Callable[[Message, Replica, list[Message]], bool]
"""Whether a message may be taken in by a replica, for which others are under way, too."""


def at_any_time(_message: Message, _replica: Replica, _others: list[Message]) -> bool:
    return True


def by_sender(message: Message, _replica: Replica, others: list[Message]) -> bool:
    return all(message.stamp <= other.stamp for other in others if other.sender == message.sender)


def by_causality(message: Message, replica: Replica, _others: list[Message]) -> bool:
    needed = {sender: count - (sender == message.sender) for sender, count in enumerate(message.past)}
    return all(replica.taken.get(sender, 0) >= count for sender, count in needed.items())


def overwrites(_held: Stamp, _coming: Stamp) -> bool:
    return True


def last_stamp_wins(held: Stamp, coming: Stamp) -> bool:
    return coming > held


@dataclass(frozen=True)
class Store:
    """Which messages are taken in when, and whether what comes replaces what is held.

    Attributes:
        at_once: how many sessions take steps at a time; the others wait until one of these has ended.
        haste: how likely a message that may be taken in is, before the next step.
    """

    delivery: Delivery
    replaces: Callable[[Stamp, Stamp], bool] = overwrites
    at_once: int = 9
    haste: float = 0.5

    def run(self, steps: Mapping[int, Iterator[Step]], seed: int) -> History:
        """Sessions take their steps, in any order, until there are none; messages come in between."""
        dice, events, values = random.Random(seed), list[Event](), iter(range(1, 1000))
        replicas = [Replica() for _ in steps]
        under_way: list[Message] = []
        waiting = dict(steps)
        while waiting:
            ready = [message for message in under_way if self._is_ready(message, replicas, under_way)]
            if ready and dice.random() < self.haste:
                message = dice.choice(ready)
                under_way.remove(message)
                self._take_in(replicas[message.receiver], message)
                continue
            session = dice.choice(sorted(waiting)[: self.at_once])
            step = next(waiting[session], None)
            if step is None:
                del waiting[session]
            elif step[0] == "write":
                value = next(values)
                under_way += self._write(replicas, session, step[1], value)
                events += _done(session, step, argument=value)
            else:
                held = replicas[session].held.get(step[1])
                events += _done(session, step, result=held[0] if held else None)
        return History.of_events(events)

    def _is_ready(self, message: Message, replicas: list[Replica], under_way: list[Message]) -> bool:
        others = [other for other in under_way if other.receiver == message.receiver and other is not message]
        return self.delivery(message, replicas[message.receiver], others)

    def _write(self, replicas: list[Replica], session: int, key: str, value: int) -> list[Message]:
        replica = replicas[session]
        replica.clock += 1
        taken = {**replica.taken, session: replica.taken.get(session, 0) + 1}
        past = tuple(taken.get(each, 0) for each in range(len(replicas)))
        messages = [
            Message(receiver, session, key, value, past, (replica.clock, session)) for receiver in range(len(replicas))
        ]
        self._take_in(replica, messages.pop(session))
        return messages

    def _take_in(self, replica: Replica, message: Message) -> None:
        replica.taken[message.sender] = replica.taken.get(message.sender, 0) + 1
        replica.clock = max(replica.clock, message.stamp[0])
        held = replica.held.get(message.key)
        if held is None or self.replaces(held[1], message.stamp):
            replica.held[message.key] = message.value, message.stamp


def _done(
    session: int, step: Step, *, argument: int | Missing = MISSING, result: int | Missing | None = MISSING
) -> list[Event]:
    action, key = step
    return [
        Event(index=0, process=session, kind=Kind.INVOKE, action=action, key=key, value=argument),
        Event(index=0, process=session, kind=Kind.OK, action=action, key=key, value=result),
    ]


# --- what clients do


def anything(seed: int) -> dict[int, Iterator[Step]]:
    """Three sessions that read and write three keys."""
    dice = random.Random(f"anything {seed}")
    steps = [[(dice.choice(("read", "write")), dice.choice("xyz")) for _ in range(10)] for _ in range(3)]
    return {session: iter(each) for session, each in enumerate(steps)}


WAIT: list[Step] = [("read", "v")] * 2
WRITES_X_READS_Z_Y_X: list[Step] = [
    *(("write", "v"), ("write", "v"), ("write", "x"), ("read", "z")),
    *WAIT * 6,
    *(("read", "y"), ("read", "x")),
]
"""The stamp of its x is high; it reads slowly."""


def in_a_row(_seed: int) -> dict[int, Iterator[Step]]:
    """One writes z, x and y; one writes x, too, and reads z, y and x."""
    first: list[Step] = [*WAIT, ("write", "z"), ("write", "x"), ("write", "y")]
    return {0: iter(first), 1: iter(WRITES_X_READS_Z_Y_X)}


def passed_on_to_a_writer(_seed: int) -> dict[int, Iterator[Step]]:
    """One writes z, one reads it and writes x, one reads that and writes y; one writes x, too, and reads z, y and x."""
    steps: list[list[Step]] = [
        [("write", "z")],
        [*WAIT, ("read", "z"), ("write", "x")],
        [*WAIT * 2, ("read", "x"), ("write", "y")],
        WRITES_X_READS_Z_Y_X,
    ]
    return {session: iter(each) for session, each in enumerate(steps)}


def passed_on(_seed: int) -> dict[int, Iterator[Step]]:
    """One writes x; one reads x and writes y; one reads y and then x."""
    return {
        0: iter([("write", "x")]),
        1: iter([("read", "x"), ("write", "y")]),
        2: iter([("read", "y"), ("read", "x")]),
    }


def relayed(_seed: int) -> dict[int, Iterator[Step]]:
    """Two write x; two read x and write y; two read y and then x."""
    steps: list[list[Step]] = (
        [[("write", "x")]] * 2 + [[("read", "x"), ("write", "y")]] * 2 + [[("read", "y"), ("read", "x")]] * 2
    )
    return {session: iter(each) for session, each in enumerate(steps)}
