"""How stale reads are, straight from the definitions: over all orders of the operations on one small register."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from itertools import permutations
from typing import NamedTuple

from upheld.histories.event import Operation
from upheld.histories.history import History

NEVER = 10**18
IMPOSSIBLE = 10**9


class Op(NamedTuple):
    """A write of a value, or a read that returned one (null at first), and when it was open."""

    is_write: bool
    value: object
    began: int
    ended: int

    def moved_back(self, delta: int) -> Op:
        return self if self.is_write else self._replace(began=self.began - delta)

    def precedes(self, other: Op) -> bool:
        return self.ended < other.began


def ops(history: History, *, timed: bool) -> list[Op]:
    """What certainly happened, and pending writes that somebody read."""
    seen = {each.result for each in history.operations if each.action == "read" and not each.is_pending}
    kept = [
        each for each in history.operations if not each.is_pending or (each.action == "write" and each.argument in seen)
    ]
    return [_op(each, timed=timed) for each in kept]


def _op(each: Operation, *, timed: bool) -> Op:
    is_write = each.action == "write"
    began, ended = (each.invoked_ns, each.completed_ns) if timed else (each.began, each.ended)
    assert began is not None
    return Op(
        is_write,
        each.argument if is_write else each.result,
        began,
        NEVER if each.is_pending or ended is None else ended,
    )


def orders(operations: Sequence[Op]) -> Iterator[tuple[Op, ...]]:
    """All orders in real time."""
    for order in permutations(operations):
        if not any(later.precedes(each) for at, each in enumerate(order) for later in order[at + 1 :]):
            yield order


def least_k(operations: Sequence[Op]) -> int:
    return min((_k_of(order) for order in orders(operations)), default=IMPOSSIBLE)


def _k_of(order: Sequence[Op]) -> int:
    values: list[object] = [None]
    k = 1
    for each in order:
        if each.is_write:
            values.append(each.value)
        elif each.value in values:
            k = max(k, len(values) - values.index(each.value))
        else:
            return IMPOSSIBLE
    return k


def is_delta_atomic(operations: Sequence[Op], delta: int) -> bool:
    return least_k([each.moved_back(delta) for each in operations]) == 1


def is_t_visible(operations: Sequence[Op], t: int) -> bool:
    """Some real-time order of the writes is such that each read returns the last one that it sees.

    It sees what it returned, and must see what returned more than t before; two operations do not see each other.
    """
    writes = [each for each in operations if each.is_write]
    reads = [each for each in operations if not each.is_write]
    return any(all(_is_last_seen(read, order, t) for read in reads) for order in orders(writes))


def _is_last_seen(read: Op, order: Sequence[Op], t: int) -> bool:
    values = [None, *(each.value for each in order)]
    at = values.index(read.value)
    sees_each_other = at > 0 and read.ended + t < order[at - 1].began
    return not sees_each_other and not any(each.ended + t < read.began for each in order[at:])


def is_regular_read(read: Op, operations: Sequence[Op]) -> bool:
    """The writes and this read have an order in real time in which it returns the last value (MWR-weak)."""
    writes = [each for each in operations if each.is_write]
    return least_k([*writes, read]) == 1


def is_safe_read(read: Op, operations: Sequence[Op]) -> bool:
    overlaps = any(each.is_write and not each.precedes(read) and not read.precedes(each) for each in operations)
    return overlaps or is_regular_read(read, operations)


# --- small histories of one register


def random_history(dice: random.Random, size: int) -> str:
    """Text of three processes that write distinct values and read what was written, null, or what will be written."""
    lines: list[str] = []
    waiting: dict[int, int | None] = {}
    begun = written = time = 0
    while begun < size or waiting:
        time += dice.choice((0, 1, 1, 2, 5))
        process = dice.randrange(3)
        if process in waiting:
            lines.append(f"{_completion(dice, process, waiting.pop(process), written)} time={time}")
        elif begun < size:
            begun += 1
            written += (writes := dice.random() < 0.5)
            waiting[process] = written if writes else None
            lines.append(f"{process} invoke {f'write {written}' if writes else 'read'} time={time}")
    return "\n".join(lines) + "\n"


def _completion(dice: random.Random, process: int, value: int | None, written: int) -> str:
    if value is not None:
        return f"{process} {'ok' if dice.random() < 0.85 else 'info'} write"
    seen = dice.randrange(-1, written + (dice.random() < 0.05)) + 1
    return f"{process} ok read {seen or 'null'}"
