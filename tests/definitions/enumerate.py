"""Histories of a few operations: every one up to symmetry, and seeded random ones that are somewhat larger.

Up to 3 sessions, 5 operations, 2 keys and 2 values of each key there are `COUNTS` of them, by their number of operations:
names of sessions, keys and values tell nothing, a value that is read is the initial one or written somewhere, and no
value of a key is written twice.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import pairwise, permutations
from random import Random
from typing import Final, NamedTuple

from .small import NEVER, Op, Small

COUNTS: Final = {1: 2, 2: 17, 3: 130, 4: 1145, 5: 10308}

SESSIONS_MAX: Final = 3
KEYS_MAX: Final = 2
VALUES_MAX: Final = 2
STEP: Final = 10
"""Between two events there is room for others."""


class Deed(NamedTuple):
    """What an operation does, whenever it does it."""

    is_write: bool
    key: int
    value: int


Sessions = tuple[tuple[Deed, ...], ...]


# --- every one


def every_history(operations: int) -> Iterator[Sessions]:
    """Every history of so many operations, each once up to symmetry, as the deeds of each session."""
    for lengths in _lengths(operations, SESSIONS_MAX, operations):
        for deeds in _words(operations, (), _Named()):
            sessions = _cut(deeds, lengths)
            if sessions == canonical(sessions):
                yield sessions


def _lengths(operations: int, sessions: int, longest: int) -> Iterator[tuple[int, ...]]:
    """The ways to cut so many operations into sessions, longer ones first."""
    if operations == 0:
        yield ()
    elif sessions:
        for first in range(min(operations, longest), 0, -1):
            for rest in _lengths(operations - first, sessions - 1, first):
                yield (first, *rest)


def _cut(deeds: tuple[Deed, ...], lengths: tuple[int, ...]) -> Sessions:
    ends = [sum(lengths[:number]) for number in range(len(lengths) + 1)]
    return tuple(deeds[begin:end] for begin, end in pairwise(ends))


@dataclass(frozen=True, slots=True)
class _Named:
    """Keys and values that were mentioned so far, and the values that were written, as (key, value)."""

    values: tuple[int, ...] = ()
    written: frozenset[tuple[int, int]] = frozenset()


def _words(left: int, so_far: tuple[Deed, ...], named: _Named) -> Iterator[tuple[Deed, ...]]:
    """All lists of deeds in which keys and values are numbered in the order in which they are mentioned."""
    unwritten = sum(named.values) - len(named.written)
    if unwritten > left:
        return
    if left == 0:
        yield so_far
        return
    for key in range(min(len(named.values) + 1, KEYS_MAX)):
        known = named.values[key] if key < len(named.values) else 0
        for value in range(min(known + 1, VALUES_MAX) + 1):
            values = (*named.values[:key], max(known, value), *named.values[key + 1 :])
            yield from _words(left - 1, (*so_far, Deed(False, key, value)), _Named(values, named.written))
            if value and (key, value) not in named.written:
                after = _Named(values, named.written | {(key, value)})
                yield from _words(left - 1, (*so_far, Deed(True, key, value)), after)


def canonical(sessions: Sessions) -> Sessions:
    """The least of all histories that differ from this one by names only, longer sessions first."""
    by_length = sorted(sessions, key=len, reverse=True)
    orders = permutations(by_length)
    lengths = tuple(map(len, by_length))
    return min(_renumbered(order) for order in orders if tuple(map(len, order)) == lengths)


def _renumbered(sessions: Sessions) -> Sessions:
    keys: dict[int, int] = {}
    values: dict[int, dict[int, int]] = {}
    found = []
    for deeds in sessions:
        mine = []
        for is_write, key, value in deeds:
            number = keys.setdefault(key, len(keys))
            names = values.setdefault(key, {0: 0})
            mine.append(Deed(is_write, number, names.setdefault(value, len(names))))
        found.append(tuple(mine))
    return tuple(found)


def at_some_time(sessions: Sessions) -> Small:
    """The history with the operations of different sessions in turns: for models that know of no real time."""
    turns = sorted((turn, session) for session, deeds in enumerate(sessions) for turn in range(len(deeds)))
    ops = [
        Op(session, *sessions[session][turn], STEP * (2 * place), STEP * (2 * place + 1))
        for place, (turn, session) in enumerate(turns)
    ]
    return tuple(ops)


def at_every_time(sessions: Sessions) -> Iterator[Small]:
    """The history in every real-time order that its sessions allow, each once."""
    known = set()
    for ops in _interleavings(sessions):
        names = [(op.session, sum(other.session == op.session for other in ops[:n])) for n, op in enumerate(ops)]
        order = frozenset(
            (names[a], names[b]) for a, one in enumerate(ops) for b, two in enumerate(ops) if one.ended < two.began
        )
        if order not in known:
            known.add(order)
            yield ops


def _interleavings(sessions: Sessions) -> Iterator[Small]:
    began: dict[tuple[int, int], int] = {}
    ended: dict[tuple[int, int], int] = {}

    def go_on(events: tuple[int, ...], place: int) -> Iterator[Small]:
        if all(done == 2 * len(deeds) for done, deeds in zip(events, sessions, strict=True)):
            ops = [Op(s, *sessions[s][turn], began[s, turn], ended[s, turn]) for s, turn in began]
            yield tuple(sorted(ops, key=lambda op: op.began))
            return
        for session, done in enumerate(events):
            if done < 2 * len(sessions[session]):
                (ended if done % 2 else began)[session, done // 2] = STEP * place
                yield from go_on((*events[:session], done + 1, *events[session + 1 :]), place + 1)

    yield from go_on((0,) * len(sessions), 0)


def with_pending(ops: Small) -> Iterator[Small]:
    """The history with every choice of writes that are pending, but for none."""
    writes = [number for number, op in enumerate(ops) if op.is_write]
    for choice in range(1, 1 << len(writes)):
        chosen = {number for bit, number in enumerate(writes) if choice >> bit & 1}
        yield tuple(op._replace(ended=NEVER) if number in chosen else op for number, op in enumerate(ops))


# --- random ones


@dataclass(slots=True)
class _Replica:
    """What a session sees: the values, and the writes that it has got."""

    values: dict[int, int] = field(default_factory=dict)
    got: set[int] = field(default_factory=set)


def random_history(random: Random) -> Small:
    """Up to 4 sessions, 3 keys and 9 operations, of which a fifth is pending, mostly as some weak system answers.

    Each session has a replica. How writes come to it differs: in order or not, with their causes or not, the last one
    wins or the latest to come; and in most histories some reads return anything that was
    written before, in a few anything that is ever written.
    """
    sessions, keys = random.randint(2, 4), random.randint(1, 3)
    in_order, newest_wins = random.random() < 0.5, random.random() < 0.5
    lies, pulls = random.choice((0.0, 0.2, 0.5, 1.0)), random.choice((0.1, 0.3, 0.5))
    of_the_future = random.random() < 0.1
    pending, writing = random.choice((0.0, 0.2, 0.4)), random.choice((0.4, 0.6))
    replicas = [_Replica() for _ in range(sessions)]
    log: list[tuple[int, int, int]] = []
    ops: list[Op] = []
    open_ops: dict[int, int] = {}
    place, wanted = 0, random.choice((5, 7, 8, 9, 9))
    while len(ops) < wanted or open_ops:
        session, place = random.randrange(sessions), place + 1
        if session in open_ops:
            number = open_ops.pop(session)
            ended = NEVER if random.random() < pending else STEP * place
            ops[number] = ops[number]._replace(ended=ended)
        elif len(ops) < wanted:
            replica = replicas[session]
            _receive(random, replica, log, in_order=in_order, newest_wins=newest_wins, share=pulls)
            key = random.randrange(keys)
            open_ops[session] = len(ops)
            if random.random() < writing:
                value = 1 + sum(other == key for _, other, _ in log)
                replica.got.add(len(log))
                log.append((session, key, value))
                replica.values[key] = value
                ops.append(Op(session, True, key, value, STEP * place, NEVER))
            else:
                value = replica.values.get(key, 0)
                if random.random() < lies and not of_the_future:
                    value = _anything(random, log, key)
                ops.append(Op(session, False, key, value, STEP * place, NEVER))
    if of_the_future:
        ops = [op if op.is_write else op._replace(value=_anything(random, log, op.key)) for op in ops]
    return tuple(ops)


def _receive(
    random: Random,
    replica: _Replica,
    log: list[tuple[int, int, int]],
    *,
    in_order: bool,
    newest_wins: bool,
    share: float,
) -> None:
    for number, (_, key, value) in enumerate(log):
        if number in replica.got:
            continue
        if random.random() < share:
            replica.got.add(number)
            if not newest_wins or value > replica.values.get(key, 0):
                replica.values[key] = value
        elif in_order:
            return


def _anything(random: Random, log: list[tuple[int, int, int]], key: int) -> int:
    return random.choice([0, *(value for _, other, value in log if other == key)])


# --- histories that say the same


def renamed(random: Random, ops: Small) -> Small:
    """The same history with other names of sessions, keys and values."""
    sessions, keys = list(range(8)), list(range(5))
    values = [[0, *random.sample(range(1, 40), 12)] for _ in keys]
    random.shuffle(sessions)
    random.shuffle(keys)
    return tuple(
        op._replace(session=sessions[op.session], key=keys[op.key], value=values[op.key][op.value]) for op in ops
    )


def with_unread_write(random: Random, ops: Small) -> Small:
    """The same history with one more write that is pending and that nobody read, in a session of its own or at an end."""
    places = {op.began for op in ops} | {op.ended for op in ops if not op.is_pending}
    key = random.choice(ops).key
    if random.random() < 0.5:
        session, began = 9, random.choice(sorted(places)) + STEP // 2
    else:
        session, began = random.choice(ops).session, max(places) + STEP
    return tuple(sorted([*ops, Op(session, True, key, 99, began, NEVER)], key=lambda op: op.began))
