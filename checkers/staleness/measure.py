"""The least bounds at which reads are fresh enough: k versions, delta and t in ns, each with what proves it on both sides."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from ...histories.values import Value
from ..reads_from import INITIAL, Numbers, ReadsFrom
from .orders import Search, StepsRanOut, Unplaced, upper_bound
from .registers import Clusters, Spans
from .witness import Assumed, Entry, tell
from .zones import Zones

STEPS_MAX: Final = 200_000
"""How many clusters of a register may be placed for each k, where it has no more than an eighth of that."""


@dataclass(frozen=True, eq=False)
class Tight:
    """Why one less is not enough: two clusters that come before each other, or several that have no order."""

    register: Clusters
    clusters: Sequence[int]


@dataclass(frozen=True, eq=False)
class Measured:
    """A least bound.

    Attributes:
        lower, upper: it is known to lie from here to there.
        orders: of each register, its clusters in an order that suits the upper bound.
        tight: why less than the lower bound is not enough; None where that is the least that there is.
        steps: how many clusters the search has placed.
    """

    lower: int
    upper: int
    orders: Sequence[tuple[Clusters, Sequence[int]]]
    tight: Tight | None
    steps: int = 0


def least_k(registers: Iterable[Clusters], steps_max: int | None = None) -> Measured:
    """The least k for which they are k-atomic. O(n log n) for k = 1; see `orders` for more."""
    found = [(register, _k_of(register, steps_max)) for register in registers]
    return Measured(
        lower=max((each.lower for _, each in found), default=1),
        upper=max((each.upper for _, each in found), default=1),
        orders=[(register, each.order) for register, each in found],
        tight=_tightest(found),
        steps=sum(each.steps for _, each in found),
    )


@dataclass(eq=False)
class _OfOne:
    """What is known of one register so far."""

    lower: int
    upper: int
    order: Sequence[int]
    tight: Sequence[int] | None = None
    steps: int = 0


def _tightest(found: Sequence[tuple[Clusters, _OfOne]]) -> Tight | None:
    if not found:
        return None
    register, worst = max(found, key=lambda each: each[1].lower)
    return None if worst.tight is None else Tight(register, worst.tight)


def _k_of(register: Clusters, steps_max: int | None) -> _OfOne:
    zones = atomic_zones(register)
    conflict = zones.conflict(0)
    if conflict is None:
        return _OfOne(1, 1, zones.order(0).tolist())
    by_end = np.argsort(register.first_end, kind="stable").tolist()
    known = _OfOne(
        2, max(2, upper_bound(register.first_end, register.last_read)), by_end, (conflict.one, conflict.other)
    )
    budget = steps_max if steps_max is not None else max(STEPS_MAX, 8 * len(register))
    k = 2
    while known.lower < known.upper:
        search = Search(register.began, register.first_end, register.last_read, k, steps_max=budget)
        try:
            answer = search.order()
        except StepsRanOut:
            break
        finally:
            known.steps += search.steps
        if isinstance(answer, Unplaced):
            known.lower, known.tight = k + 1, _cut(register, answer.clusters, k, budget)
        else:
            known.upper, known.order = k, answer
        k = (known.lower + known.upper) // 2
    return known


def _cut(register: Clusters, unplaced: Sequence[int], k: int, steps_max: int) -> Sequence[int]:
    """Clusters without an order, from the shortest stretch of ends that has none: O(log n) searches."""

    def fits(clusters: Sequence[int]) -> bool:
        part = register.take(np.asarray(clusters, dtype=np.int64))
        try:
            return not isinstance(
                Search(part.began, part.first_end, part.last_read, k, steps_max=steps_max).order(), Unplaced
            )
        except StepsRanOut:
            return True

    upto = bisect_left(range(len(unplaced)), True, key=lambda last: not fits(unplaced[: last + 1])) + 1
    since = bisect_left(range(upto), True, key=lambda first: fits(unplaced[first:upto])) - 1
    return unplaced[since:upto]


def atomic_zones(register: Clusters) -> Zones:
    """Everything that precedes anything comes before it."""
    return Zones(register.first_end, register.began, register.last_read)


def visible_zones(register: Clusters) -> Zones:
    """A write comes before those that began when it had ended, and before what a read returned that must see it."""
    return Zones(register.ended, register.began, register.last_read)


def least_delta(registers: Iterable[Clusters]) -> Measured:
    """How far reads must be moved back, in ns, so that they are those of a linearizable register.

    O(n log n) for each bound that is tried.
    """
    return _least([(register, atomic_zones(register)) for register in registers], 0)


def least_t(registers: Iterable[Clusters]) -> Measured:
    """How long after its end a write may go unseen, in ns. O(n log n) for each bound that is tried.

    A write that began after the end of a read that returned it must not see that read, in turn, lest both see each other.
    """
    kept = list(registers)
    least, tight = 0, None
    for register in kept:
        ahead = register.began - register.first_read_end
        first = int(np.argmax(ahead))
        if ahead[first] > least:
            least, tight = int(ahead[first]), Tight(register, (first,))
    found = _least([(register, visible_zones(register)) for register in kept], least)
    return found if found.tight is not None else Measured(found.lower, found.upper, found.orders, tight)


def _least(registers: Sequence[tuple[Clusters, Zones]], at_least: int) -> Measured:
    bound, tight = at_least, None
    for register, zones in registers:
        bound, conflict = zones.least_bound(bound)
        if conflict is not None:
            tight = Tight(register, (conflict.one, conflict.other))
    orders = [(register, zones.order(bound).tolist()) for register, zones in registers]
    return Measured(bound, bound, orders, tight)


# --- from clusters to operations


def order_of_writes(traced: ReadsFrom, register: Clusters, order: Sequence[int]) -> tuple[Entry, ...]:
    """The writes of clusters in this order, without what was there at first."""
    writes = register.write[np.asarray(order, dtype=np.int64)]
    return tuple(entry(traced, int(write)) for write in writes if write != INITIAL)


def order_of_operations(
    traced: ReadsFrom, spans: Spans, reads: Numbers, register: Clusters, order: Sequence[int]
) -> tuple[Entry, ...]:
    """All operations on a register: each read behind the last of its own write and of all that precedes it.

    Args:
        traced: the history.
        spans: when transactions were open, with reads moved back where that is the question.
        reads: the rows of `traced.reads` that are of this register.
        register: its clusters.
        order: of the clusters.
    """
    place = np.empty(len(register), dtype=np.int64)
    place[np.asarray(order, dtype=np.int64)] = np.arange(len(register))
    place_of = dict(zip(register.write.tolist(), place.tolist(), strict=True))
    by_end = np.argsort(register.first_end, kind="stable")
    last = np.concatenate(([0], np.maximum.accumulate(place[by_end])))
    readers = reads[:, 0]
    behind = last[np.searchsorted(register.first_end[by_end], spans.began[readers])]
    behind = np.maximum(behind, np.array([place_of[source] for source in reads[:, 2].tolist()], dtype=np.int64))
    rows = np.lexsort((spans.began[readers], behind))
    found = dict.fromkeys(_merged(register.write[np.argsort(place)], readers[rows], behind[rows]))
    return tuple(entry(traced, transaction) for transaction in found if transaction != INITIAL)


def _merged(writes: Numbers, readers: Numbers, behind: Numbers) -> Iterator[int]:
    """Writes in order, each with the reads behind it."""
    edges = np.searchsorted(behind, np.arange(len(writes) + 1)).tolist()
    told = readers.tolist()
    for at, write in enumerate(writes.tolist()):
        yield write
        yield from told[edges[at] : edges[at + 1]]


def entry(traced: ReadsFrom, transaction: int) -> Entry:
    """What a witness says of a transaction."""
    number = int(traced.numbers[transaction])
    if number < 0:
        return Assumed(came(traced, transaction))
    pairing, columns = traced.history.pairing, traced.history.columns
    return int(columns.index[pairing.invocation[number]])


def came(traced: ReadsFrom, transaction: int) -> Value:
    """What somebody read who read from a transaction from outside."""
    row = int(np.flatnonzero(traced.reads[:, 2] == transaction)[0])
    reader = int(traced.reads[row, 0])
    return tell(traced.operation(reader)).seen[row - int(np.flatnonzero(traced.reads[:, 0] == reader)[0])]
