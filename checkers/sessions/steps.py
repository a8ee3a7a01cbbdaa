"""Sessions as a graph: each guarantee is a kind of edge, and what a read sees are the writes that lead to it.

The least visibility that a set of guarantees demands is reachability. A transaction is two nodes, what it reads and what it
writes; beside these stand, for each session, all its reads so far and all its writes so far. Then

- who read from whom leads from a write to the read;
- read-your-writes leads from the session's writes so far to a read, monotonic writes from there to a write;
- monotonic reads leads from the session's reads so far to a read, writes-follow-reads from there to a write.

A transaction that nobody completed comes before nothing in its session, so it is never among these so far.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal, NamedTuple, TypeAlias

import numpy as np

from ..reads_from import INITIAL, Numbers, ReadsFrom
from .guarantees import Guarantees

Why: TypeAlias = Literal["wr", "own", "together", "carry", "joined", "gather", "conflict"]
"""Why something comes before: it was read, one of four guarantees, it is among those so far, or a read passed it over."""

WHYS: Final[tuple[Why, ...]] = ("wr", "own", "together", "carry", "joined", "gather", "conflict")


class Edges(NamedTuple):
    """Edges between nodes. `why` numbers WHYS, `read` is a row of the reads that they are there because of, or -1."""

    before: Numbers
    after: Numbers
    why: Numbers
    read: Numbers


def edges(before: Numbers, after: Numbers, why: Why, read: Numbers | None = None) -> Edges:
    """Edges for one reason; those that begin nowhere (below 0) are left out."""
    has = before >= 0
    cause = np.full(len(before), -1) if read is None else read
    return Edges(before[has], after[has], np.full(int(has.sum()), WHYS.index(why)), cause[has])


def joined(*parts: Edges) -> Edges:
    """All of them."""
    return Edges(*(np.concatenate(column) for column in zip(*parts, strict=True)))


@dataclass(frozen=True, eq=False)
class Kept:
    """The rows of one kind, readers or writers: their nodes, and the nodes that stand for those of the session so far.

    Attributes:
        rows: transactions in the order of sessions.
        node: of every transaction, its node; -1 where it is not of this kind.
        so_far: of every transaction, the node of all that are definite, of this kind, and before it in its session; or -1.
        sums: nodes of those so far, each with the row that it adds.
        sum_rows: these rows.
    """

    rows: Numbers
    node: Numbers
    so_far: Numbers
    sums: Numbers
    sum_rows: Numbers


class Steps:
    """The nodes of a traced history and the edges of every guarantee. O(n)."""

    def __init__(self, traced: ReadsFrom) -> None:
        self.traced = traced
        self._by_session = np.lexsort((traced.position, traced.session))
        self.readers = self._kept(traced.reads[:, 0], 0)
        first = len(self.readers.rows) + len(self.readers.sums)
        self.writers = self._kept(traced.writes[:, 0], first)
        self.size = first + len(self.writers.rows) + len(self.writers.sums)
        self.row = self._rows()

    def _kept(self, of_kind: Numbers, first: int) -> Kept:
        traced, by_session = self.traced, self._by_session
        is_kept = np.zeros(len(traced), dtype=np.bool_)
        is_kept[of_kind] = True
        rows = by_session[is_kept[by_session]]
        node = np.full(len(traced), -1)
        node[rows] = first + np.arange(len(rows))
        adds = is_kept[by_session] & traced.is_definite[by_session]
        sum_rows = by_session[adds]
        begin = first + len(rows)
        before: Numbers = np.cumsum(adds) - adds  # how many sums there are before each
        session = traced.session[by_session]
        starts = np.append(True, session[1:] != session[:-1])[: len(session)]
        sums_at_start = np.maximum.accumulate(np.where(starts, before, 0))
        so_far = np.full(len(traced), -1)
        so_far[by_session] = np.where(before > sums_at_start, begin + before - 1, -1)
        return Kept(rows, node, so_far, begin + np.arange(len(sum_rows)), sum_rows)

    def _rows(self) -> Numbers:
        row = np.full(self.size, -1)
        for kept in (self.readers, self.writers):
            row[kept.node[kept.rows]] = kept.rows
            row[kept.sums] = kept.sum_rows
        return row

    # --- edges

    def visible(self, wanted: Guarantees) -> Edges:
        """The edges of which the paths from writes to reads are the least visibility."""
        readers, writers = self.readers, self.writers
        reader, _, source = self.traced.reads.T
        read = np.flatnonzero(source != INITIAL)
        parts = [
            edges(writers.node[source[read]], readers.node[reader[read]], "wr", read),
            *(self._gathered(kept) for kept in (readers, writers)),
        ]
        if wanted.own:
            parts.append(edges(writers.so_far[readers.rows], readers.node[readers.rows], "own"))
        if wanted.carry:
            parts.append(edges(readers.so_far[readers.rows], readers.node[readers.rows], "carry"))
        if wanted.together:
            parts.append(self._ordered())
        if wanted.joined:
            parts.append(self._following())
        return joined(*parts)

    def arbitrated(self, wanted: Guarantees) -> Edges:
        """What arbitration demands besides, in the weak forms: it has to contain all paths among writes."""
        nothing = np.zeros(0, dtype=np.int64)
        parts = [edges(nothing, nothing, "gather")]
        if wanted.ordered and not wanted.together:
            parts.append(self._ordered())
        if wanted.following and not wanted.joined:
            parts.append(self._following())
        return joined(*parts)

    def _gathered(self, kept: Kept) -> Edges:
        """From each one, and from those so far, to those so far with it."""
        before = np.concatenate((kept.node[kept.sum_rows], kept.so_far[kept.sum_rows]))
        return edges(before, np.concatenate((kept.sums, kept.sums)), "gather")

    def _ordered(self) -> Edges:
        return edges(self.writers.so_far[self.writers.rows], self.writers.node[self.writers.rows], "together")

    def _following(self) -> Edges:
        return edges(self.readers.so_far[self.writers.rows], self.writers.node[self.writers.rows], "joined")
