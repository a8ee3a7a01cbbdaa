"""The causal order of a history of reads and writes: session order and who read from whom."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Final, Literal, TypeAlias

import numpy as np
import numpy.typing as npt

from ..reads_from import INITIAL, NEVER, Numbers, ReadsFrom
from .order import Clocks, Conflicts, conflicts, precedes, prefix_clocks, topological

Why: TypeAlias = Literal["so", "wr", "conflict", "rb"]
"""The reason of an edge: session order, read-from, a read that passed over a write, real time."""


@dataclass(frozen=True, eq=False)
class Edges:
    """Edges between transactions. `cause` is a row of the reads, for those that are there because of a read; else -1."""

    before: Numbers
    after: Numbers
    why: Why
    cause: Numbers


class Relation:
    """Edges of several kinds together."""

    def __init__(self, rows: int, *parts: Edges) -> None:
        self.rows, self.parts = rows, parts
        self.before: Numbers = np.concatenate([part.before for part in parts])
        self.after: Numbers = np.concatenate([part.after for part in parts])

    @cached_property
    def order(self) -> Numbers:
        """All rows along the edges, without those behind a cycle."""
        return topological(self.rows, self.before, self.after)

    @property
    def is_cyclic(self) -> bool:
        """Whether there is a cycle."""
        return len(self.order) < self.rows


class CausalOrder:
    """What comes before what, as far as sessions and reads say.

    A transaction that is not definite comes before nothing of its session. So that the past of a transaction is a prefix of
    every chain, each such one that something follows is a chain of its own, and a session without these is a chain.
    """

    def __init__(self, traced: ReadsFrom) -> None:
        self.traced = traced
        self.rows: Final = len(traced)

    # --- edges

    @cached_property
    def session_edges(self) -> Edges:
        """From each definite transaction to the next of its session, and to those after it that are not definite."""
        traced = self.traced
        by_session = np.lexsort((traced.position, traced.session))
        definite = traced.is_definite[by_session]
        latest = np.maximum.accumulate(np.where(definite, np.arange(self.rows), -1))
        before = np.concatenate((np.full(min(self.rows, 1), -1), latest[:-1]))
        source = by_session[before]
        has = (before >= 0) & (traced.session[source] == traced.session[by_session])
        return Edges(source[has], by_session[has], "so", np.full(int(has.sum()), -1))

    @cached_property
    def read_edges(self) -> Edges:
        """From the write to the read."""
        reader, _, source = self.traced.reads.T
        cause = np.flatnonzero(source != INITIAL)
        return Edges(source[cause], reader[cause], "wr", cause)

    @cached_property
    def causes(self) -> Relation:
        """Both together: the causal order."""
        return Relation(self.rows, self.session_edges, self.read_edges)

    # --- chains and past

    @cached_property
    def _chains(self) -> tuple[Numbers, Numbers]:
        traced = self.traced
        last = np.full(len(traced.sessions), -1)
        np.maximum.at(last, traced.session, traced.position)
        stays = traced.is_definite | (traced.position == last[traced.session])
        chain = traced.session.copy()
        chain[~stays] = len(traced.sessions) + np.arange(int((~stays).sum()))
        by_session = np.lexsort((traced.position, chain))
        starts = np.concatenate((np.zeros(min(self.rows, 1), np.int64), np.flatnonzero(np.diff(chain[by_session])) + 1))
        place = np.empty(self.rows, np.int64)
        lengths = np.diff(np.append(starts, self.rows))
        place[by_session] = np.arange(self.rows) - np.repeat(starts, lengths)
        return np.unique(chain, return_inverse=True)[1].reshape(-1), place

    @property
    def chain(self) -> Numbers:
        """The chain of each transaction."""
        return self._chains[0]

    @property
    def place(self) -> Numbers:
        """Its place there, from 0."""
        return self._chains[1]

    @property
    def chains(self) -> int:
        """How many chains there are."""
        return int(self.chain.max(initial=-1)) + 1

    @cached_property
    def clocks(self) -> Clocks:
        """The past of each transaction, where nothing is its own cause."""
        return prefix_clocks(self.causes.order, self.causes.before, self.causes.after, self.chain, self.place)

    def precedes(self, one: Numbers, other: Numbers) -> npt.NDArray[np.bool_]:
        """Whether one transaction is in the past of the other, or is it."""
        return precedes(one, other, self.chain, self.place, self.clocks)

    # --- what reads say of writes

    @cached_property
    def conflicts(self) -> Conflicts:
        """The writes that reads passed over."""
        return conflicts(self.traced.reads, self.traced.writes, self.chain, self.place, self.clocks)

    @cached_property
    def is_overwritten(self) -> npt.NDArray[np.bool_]:
        """Of each conflict, whether the write that was read is in the past of the other one, as all initial values are."""
        source = self.traced.reads[self.conflicts.read, 2]
        came_first = self.precedes(np.maximum(source, 0), self.conflicts.overwriter)
        return np.where(source == INITIAL, True, came_first)

    @cached_property
    def conflict_edges(self) -> Edges:
        """From a write that a read passed over to the one that it returned."""
        chosen = np.flatnonzero(~self.is_overwritten)
        read, overwriter = self.conflicts.read[chosen], self.conflicts.overwriter[chosen]
        return Edges(overwriter, self.traced.reads[read, 2], "conflict", read)


def real_time_edges(traced: ReadsFrom) -> tuple[int, Edges]:
    """What had returned before what began, as paths; and how many rows there are with it. O(n log n).

    Rows behind the transactions are *barriers*: one for each return of a definite one, which leads to it. A barrier leads
    to the next one, and to all that began after it and not after the next one. That is O(n) edges for O(n^2) pairs.
    """
    returned = np.flatnonzero(traced.ended != NEVER)
    returned = returned[np.argsort(traced.ended[returned], kind="stable")]
    barriers = len(traced) + np.arange(len(returned))
    latest = np.searchsorted(traced.ended[returned], traced.began) - 1  # the last return before each began
    late = np.flatnonzero((latest >= 0) & (traced.numbers >= 0))
    before = np.concatenate((returned, barriers[:-1], barriers[latest[late]]))
    after = np.concatenate((barriers, barriers[1:], late))
    return len(traced) + len(returned), Edges(before, after, "rb", np.full(len(before), -1))
