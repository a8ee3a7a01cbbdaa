"""Histories of a few reads and writes, and what is given in them: orders of sessions, real time, who read from whom.

Sets of operations are bit masks: bit i stands for operation i.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Final, NamedTuple

from upheld.histories.history import History
from upheld.histories.notation import parse

INITIAL: Final = -1
NOWHERE: Final = -2
NEVER: Final = 10**6
KEYS: Final = "xyzuv"


class Op(NamedTuple):
    """A read or a write of one key; 0 is the initial value, and every write of a key has a value of its own.

    `began` and `ended` are its places in real time, all different; a pending one ends never.
    """

    session: int
    is_write: bool
    key: int
    value: int
    began: int
    ended: int

    @property
    def is_pending(self) -> bool:
        return self.ended == NEVER


Small = tuple[Op, ...]
"""A history: operations in the order in which they began; a session's do not overlap, but for pending ones."""


def told(ops: Small) -> str:
    """The history in the notation of the product; whoever had an operation that is pending goes on as another process."""
    lines = []
    for number, op in enumerate(ops):
        process = op.session + 10 * sum(other.is_pending and other.session == op.session for other in ops[:number])
        action = f"{'write' if op.is_write else 'read'} {KEYS[op.key]}:"
        begin = f"{process} invoke {action} {op.value if op.is_write else ''} session={op.session} time={op.began}"
        lines.append((op.began, begin))
        if not op.is_pending:
            answer = "" if op.is_write else str(op.value or "null")
            lines.append((op.ended, f"{process} ok {action} {answer} session={op.session} time={op.ended}"))
    return "".join(f"{line}\n" for _, line in sorted(lines))


def history_of(ops: Small) -> History:
    """The history that judges are given; times are those of the small one, in nanoseconds."""
    return parse(told(ops))


def small_of(history: History) -> Small:
    """The small one that such a history, or a part of it, was made from."""
    return tuple(
        Op(
            int(each.session),
            each.action == "write",
            KEYS.index(str(each.key)),
            int(str((each.argument if each.action == "write" or each.is_pending else each.result) or 0)),
            each.invoked_ns or 0,
            NEVER if each.is_pending or each.completed_ns is None else each.completed_ns,
        )
        for each in history.operations
    )


@dataclass(frozen=True, slots=True)
class Facts:
    """What a history tells once it is settled which of its pending writes happened.

    Attributes:
        ops: the operations that happened.
        so: of each, those before it in its session.
        rb: of each, those that had returned before it began.
        source: of each read, the write that it read from, INITIAL, or NOWHERE; INITIAL for writes.
        writes, reads: which are which.
        others: of each operation, the writes of its key, itself excluded.
    """

    ops: Small
    so: tuple[int, ...]
    rb: tuple[int, ...]
    source: tuple[int, ...]
    writes: int
    reads: int
    others: tuple[int, ...]

    @property
    def every(self) -> int:
        return (1 << len(self.ops)) - 1

    @property
    def is_explained(self) -> bool:
        """Whether everything that was read was also written."""
        return NOWHERE not in self.source


def settled(ops: Small) -> Iterator[Facts]:
    """For every choice of the pending writes that happened: what the history tells then.

    A pending write that happened may have done so at any time after it began, so after all that its session had done, and
    before nothing that its session did later: it stands in a session of its own behind its predecessors. A pending read
    tells nothing.
    """
    certain = [op for op in ops if not op.is_pending]
    pending = [op for op in ops if op.is_pending and op.is_write]
    for count in range(len(pending) + 1):
        for happened in combinations(pending, count):
            yield _facts(tuple(sorted([*certain, *happened], key=lambda op: op.began)))


def _facts(ops: Small) -> Facts:
    writer = {(op.key, op.value): number for number, op in enumerate(ops) if op.is_write}
    source = [INITIAL] * len(ops)
    for number, op in enumerate(ops):
        if not op.is_write and op.value:
            source[number] = writer.get((op.key, op.value), NOWHERE)
    return Facts(
        ops,
        so=tuple(
            mask(n for n, other in enumerate(ops[:number]) if other.session == op.session and not other.is_pending)
            for number, op in enumerate(ops)
        ),
        rb=tuple(mask(n for n, other in enumerate(ops) if other.ended < op.began) for op in ops),
        source=tuple(source),
        writes=mask(number for number, op in enumerate(ops) if op.is_write),
        reads=mask(number for number, op in enumerate(ops) if not op.is_write),
        others=tuple(
            mask(n for n, other in enumerate(ops) if other.is_write and other.key == op.key and n != number)
            for number, op in enumerate(ops)
        ),
    )


def mask(numbers: Iterator[int] | Sequence[int]) -> int:
    """The set of these."""
    found = 0
    for number in numbers:
        found |= 1 << number
    return found


def members(numbers: int) -> Iterator[int]:
    """What is in a set, ascending."""
    while numbers:
        lowest = numbers & -numbers
        yield lowest.bit_length() - 1
        numbers ^= lowest


def closed(before: Sequence[int]) -> tuple[int, ...]:
    """The transitive closure of a relation, given and returned as the predecessors of each."""
    found = list(before)
    for middle in range(len(found)):
        behind = found[middle]
        for each in range(len(found)):
            if found[each] >> middle & 1:
                found[each] |= behind
    return tuple(found)


def is_acyclic(before: Sequence[int]) -> bool:
    """Whether some total order respects this relation (Szpilrajn: exactly those without a cycle)."""
    left = (1 << len(before)) - 1
    while left:
        free = mask(each for each in members(left) if not before[each] & left)
        if not free:
            return False
        left &= ~free
    return True


def union(*relations: Sequence[int]) -> tuple[int, ...]:
    """What any of these relations says."""
    found = list(relations[0])
    for relation in relations[1:]:
        for each, before in enumerate(relation):
            found[each] |= before
    return tuple(found)


def reads_from(facts: Facts) -> tuple[int, ...]:
    """The relation from each write to the reads that returned its value."""
    return tuple(0 if source < 0 else 1 << source for source in facts.source)


def causal_order(facts: Facts) -> tuple[int, ...]:
    """The closure of the order of sessions and of who read from whom."""
    return closed(union(facts.so, reads_from(facts)))


def total_orders(before: Sequence[int]) -> Iterator[tuple[int, ...]]:
    """Every total order that respects this relation."""
    placed: list[int] = []

    def go_on(left: int) -> Iterator[tuple[int, ...]]:
        if not left:
            yield tuple(placed)
        for each in members(left):
            if not before[each] & left:
                placed.append(each)
                yield from go_on(left & ~(1 << each))
                placed.pop()

    yield from go_on((1 << len(before)) - 1)


def partial_orders(within: Sequence[int]) -> Iterator[tuple[int, ...]]:
    """Every strict partial order that contains this relation, which itself is acyclic; each once.

    Operations are taken in a fixed order, and each is related to those before it in every way that keeps the relation
    transitive and without a cycle.
    """
    yield from _partial_orders(tuple(closed(within)))


def _partial_orders(within: tuple[int, ...]) -> Iterator[tuple[int, ...]]:
    size = len(within)
    if size == 0:
        yield ()
        return
    last = size - 1
    rest = (1 << last) - 1
    behind_last = mask(each for each in range(last) if within[each] >> last & 1)
    for smaller in _partial_orders(tuple(before & rest for before in within[:last])):
        for below in range(1 << last):
            if within[last] & ~below or any(smaller[each] & ~below for each in members(below)):
                continue
            # the new one's successors: closed upwards, apart from what is below, and behind all of it
            for above in range(1 << last):
                if above & below or behind_last & ~above:
                    continue
                if any(smaller[each] & above and not above >> each & 1 for each in range(last)):
                    continue
                if any(below & ~smaller[each] for each in members(above)):
                    continue
                grown = [before | (1 << last if above >> each & 1 else 0) for each, before in enumerate(smaller)]
                yield (*grown, below)
