"""Stores that keep one copy, or one order of writes, and show it wrongly; registers that flicker; sets that forget."""

from __future__ import annotations

import random
from collections.abc import Iterator

from upheld.histories.event import MISSING, Event, Kind, Missing
from upheld.histories.history import History

SESSIONS, OPERATIONS = 3, 14


def _event(session: int, kind: Kind, action: str, value: int | Missing | None, key: str | None = None) -> Event:
    return Event(index=0, process=session, kind=kind, action=action, key=key, value=value)


def _one_by_one(operations: Iterator[tuple[int, str, str, int | None]]) -> History:
    """Operations (session, action, key, value written or read), each over before the next begins."""
    events: list[Event] = []
    for session, action, key, value in operations:
        argument, result = (value, MISSING) if action == "write" else (MISSING, value)
        events += [_event(session, Kind.INVOKE, action, argument, key), _event(session, Kind.OK, action, result, key)]
    return History.of_events(events)


# --- one log of writes, read up to some place


def reads_behind_own_writes(seed: int) -> History:
    """Every session reads the log up to a place that only grows, but that may lie before its own writes."""
    dice, log = random.Random(seed), [0]
    seen = [0] * SESSIONS

    def run() -> Iterator[tuple[int, str, str, int | None]]:
        for _ in range(OPERATIONS):
            session = dice.randrange(SESSIONS)
            if dice.random() < 0.4:
                log.append(len(log))
                yield session, "write", "x", log[-1]
            else:
                seen[session] = dice.randrange(seen[session], len(log))
                yield session, "read", "x", log[seen[session]] or None

    return _one_by_one(run())


def reads_that_go_back(seed: int) -> History:
    """Every read sees the log up to any place behind the last write of its session."""
    dice, log = random.Random(seed), [0]
    written = [0] * SESSIONS

    def run() -> Iterator[tuple[int, str, str, int | None]]:
        for _ in range(OPERATIONS):
            session = dice.randrange(SESSIONS)
            if dice.random() < 0.4:
                written[session] = len(log)
                log.append(len(log))
                yield session, "write", "x", log[-1]
            else:
                yield session, "read", "x", log[dice.randrange(written[session], len(log))] or None

    return _one_by_one(run())


def writes_overtake_each_other(seed: int) -> History:
    """One session writes; its writes come to the one copy in any order; the others read that."""
    dice = random.Random(seed)
    arriving = dice.sample(range(1, 5), 4)
    held: list[int | None] = [None]

    def run() -> Iterator[tuple[int, str, str, int | None]]:
        for value in sorted(arriving):
            yield 0, "write", "x", value
        for _ in range(OPERATIONS):
            if arriving and dice.random() < 0.4:
                held[0] = arriving.pop()
            yield dice.randrange(1, SESSIONS), "read", "x", held[0]

    return _one_by_one(run())


def shards_that_order_for_themselves(seed: int) -> History:
    """Two sessions write x and y, which are kept apart: each takes the writes in an order of its own. Others read one key."""
    dice = random.Random(seed)
    writes = [(0, "x", 1), (0, "y", 2), (1, "y", 3), (1, "x", 4)]

    def run() -> Iterator[tuple[int, str, str, int | None]]:
        for session, key, value in writes:
            yield session, "write", key, value
        for reader, key in enumerate("xy", 2):
            for value in dice.sample([value for _, its, value in writes if its == key], 2):
                yield reader, "read", key, value

    return _one_by_one(run())


def tells_what_will_be(seed: int) -> History:
    """A read may return what somebody is only about to write."""
    dice = random.Random(seed)
    first, second = dice.sample([("x", 1), ("y", 2)], 2)

    def run() -> Iterator[tuple[int, str, str, int | None]]:
        yield 0, "read", first[0], first[1] if dice.random() < 0.5 else None
        yield 0, "write", *second
        yield 1, "read", *second
        yield 1, "write", *first

    return _one_by_one(run())


# --- a register with one writer, whose reads may overlap its writes


def _overlapping(seed: int, old: int, *, flickers: int) -> History:
    """Reads that overlap no write are `old` writes behind; others may return one of the last `flickers` values, or the new one."""
    dice, events = random.Random(seed), list[Event]()
    for value in range(1, 6):
        if dice.random() < 0.7:
            stale = max(0, value - 1 - dice.randrange(old + 1)) or None
            events += [_event(1, Kind.INVOKE, "read", MISSING), _event(1, Kind.OK, "read", stale)]
        events.append(_event(0, Kind.INVOKE, "write", value))
        for reader in dice.sample((1, 2), 2):
            seen = max(0, value - dice.randrange(flickers + 1)) or None
            events += [_event(reader, Kind.INVOKE, "read", MISSING), _event(reader, Kind.OK, "read", seen)]
        events.append(_event(0, Kind.OK, "write", MISSING))
    return History.of_events(events)


def reads_behind_the_last_write(seed: int) -> History:
    return _overlapping(seed, 1, flickers=0)


def flickers_to_old_values(seed: int) -> History:
    return _overlapping(seed, 0, flickers=2)


def flickers_to_the_value_before(seed: int) -> History:
    return _overlapping(seed, 0, flickers=1)


# --- a set


def forgets_an_element(seed: int) -> History:
    """Three nodes keep a set; what is added at one reaches each of the others, most of the time."""
    dice, events = random.Random(seed), list[Event]()
    held: list[list[int]] = [[] for _ in range(SESSIONS)]

    def done(node: int, action: str, argument: int | Missing, result: tuple[int, ...] | Missing) -> None:
        for kind, value in ((Kind.INVOKE, argument), (Kind.OK, result)):
            events.append(Event(index=0, process=node, kind=kind, action=action, value=value, node=f"n{node}"))

    for element in range(4):
        node = dice.randrange(SESSIONS)
        for other, elements in enumerate(held):
            if other == node or dice.random() < 0.8:
                elements.append(element)
        done(node, "add", element, MISSING)
    events += [Event(index=0, process="phases", kind=Kind.INFO, action=phase) for phase in ("heal", "quiet", "final")]
    for node, elements in enumerate(held):
        done(node, "read", MISSING, tuple(elements))
    return History.of_events(events)
