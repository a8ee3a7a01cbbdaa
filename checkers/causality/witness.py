"""An order of transactions that shows that a history is causal, and its check, which shares nothing with the search."""

from __future__ import annotations

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal, TypeAlias

import numpy as np

from ...histories.history import History
from ..reads_from import INITIAL, NEVER, Numbers, Outside, ReadsFrom, reads_from

Demand: TypeAlias = Literal["causes", "past", "arbitration", "real-time"]
_Past: TypeAlias = dict[int, int]


class NoWitness(Exception):
    """The order does not show what it is a witness for; it says where."""


@dataclass(frozen=True, eq=False)
class CausalWitness:
    """One order of all transactions.

    Attributes:
        order: transactions of `reads_from(history, outside=outside)`.
        demand: what the order shows: `causes`: sessions and reads go along it, so that nothing is its own cause; `past`:
            and no read returns what a write in its causal past had overwritten; `arbitration`: and every read returns the
            last write of its key in its causal past, by this order; `real-time`: and it keeps real time.
    """

    order: Numbers
    demand: Demand
    outside: Outside = "nothing"

    def recheck(self, history: History) -> None:
        """Check the order by replaying it. O(n k log n) for n reads and writes of k sessions.

        Raises:
            NoWitness: the history does not do what the order is to show.
        """
        traced = reads_from(history, outside=self.outside)
        if sorted(self.order.tolist()) != list(range(len(traced))):
            raise NoWitness("the order is not one of all transactions")
        rank = [0] * len(traced)
        for at, row in enumerate(self.order.tolist()):
            rank[row] = at
        _Replay(traced, rank, self.demand).run(self.order.tolist())
        if self.demand == "real-time":
            _check_real_time(traced, self.order.tolist())


class _Replay:
    """The transactions one by one: each past is a count for each session, and one of its own for what is not definite."""

    def __init__(self, traced: ReadsFrom, rank: list[int], demand: Demand) -> None:
        if traced.oddities:
            raise NoWitness("no write explains one of the reads")
        self.rank, self.demand = rank, demand
        self.position = traced.position.tolist()
        self.thread = traced.session.tolist()
        for row in np.flatnonzero(~traced.is_definite).tolist():
            self.thread[row] = len(traced.sessions) + row
        self.previous = _previous(traced)
        self.reads: dict[int, list[tuple[int, int]]] = defaultdict(list)
        for reader, key, source in traced.reads.tolist():
            self.reads[reader].append((key, source))
        self.written: dict[int, dict[int, list[tuple[int, int]]]] = defaultdict(lambda: defaultdict(list))
        for writer, key in sorted(traced.writes.tolist(), key=lambda write: self.position[write[0]]):
            self.written[key][self.thread[writer]].append((self.position[writer], writer))
        self.pasts: dict[int, _Past] = {}

    def run(self, order: Iterable[int]) -> None:
        for row in order:
            past: _Past = {}
            if (previous := self.previous[row]) is not None:
                self._join(past, row, previous)
            for _, source in self.reads[row]:
                if source != INITIAL:
                    self._join(past, row, source)
            for key, source in self.reads[row] if self.demand != "causes" else ():
                self._check(row, key, source, past)
            past[self.thread[row]] = self.position[row] + 1
            self.pasts[row] = past

    def _join(self, past: _Past, row: int, cause: int) -> None:
        if cause not in self.pasts:
            raise NoWitness(f"{row} comes before its cause {cause}")
        for thread, count in self.pasts[cause].items():
            past[thread] = max(past.get(thread, 0), count)

    def _check(self, row: int, key: int, source: int, past: _Past) -> None:
        for thread, rows in self.written[key].items():
            count = bisect_left(rows, (past.get(thread, 0), -1))
            if not count or (last := rows[count - 1][1]) == source:
                continue
            if source == INITIAL:
                raise NoWitness(f"{row} reads the initial value, and {last} is in its past")
            if self.pasts[last].get(self.thread[source], 0) > self.position[source]:
                raise NoWitness(f"{row} reads {source}, which {last} in its past has overwritten")
            if self.demand != "past" and self.rank[last] > self.rank[source]:
                raise NoWitness(f"{row} reads {source}, and {last} in its past is arbitrated after it")


def _previous(traced: ReadsFrom) -> list[int | None]:
    """The last definite transaction before each in its session."""
    latest: dict[int, int] = {}
    previous: list[int | None] = [None] * len(traced)
    session, is_definite = traced.session.tolist(), traced.is_definite.tolist()
    for row in np.argsort(traced.position, kind="stable").tolist():
        previous[row] = latest.get(session[row])
        if is_definite[row]:
            latest[session[row]] = row
    return previous


def _check_real_time(traced: ReadsFrom, order: list[int]) -> None:
    """Nothing comes after what began when it had returned."""
    earliest = NEVER
    for row in reversed(order):
        if traced.numbers[row] >= 0 and earliest < traced.began[row]:
            raise NoWitness(f"{row} comes before something that had returned when it began")
        earliest = min(earliest, int(traced.ended[row]))
