"""For each key and session, the writes of that key that the session made or read, in its order; and what reads see of them.

What a read sees of such a list is always a beginning of it, so that a number for each list says what a read sees.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Final, NamedTuple

import numpy as np

from ..causality.order import prefix_clocks
from ..reads_from import INITIAL, Numbers
from .guarantees import Guarantees
from .steps import Edges, Steps


class PassedOver(NamedTuple):
    """What reads saw and did not return, each a read and a place in the lists: a single one, or with all before it."""

    single_read: Numbers
    single: Numbers
    prefix_read: Numbers
    prefix: Numbers


class TooMany(Exception):
    """There are more pairs of writes to look at than the limit allows."""


@dataclass(frozen=True, eq=False)
class Lists:
    """Flat, group by group, a group for each key and chain.

    Attributes:
        group: of each element, its group.
        begin: of each group, where it begins.
        at: of each element, the place in its session of who wrote or first read it.
        member: the transaction that wrote it.
        key, chain: of each group.
        is_ordered: of each group, whether arbitration has to order its writes as the list does.
    """

    group: Numbers
    begin: Numbers
    at: Numbers
    member: Numbers
    key: Numbers
    chain: Numbers
    is_ordered: bool

    @cached_property
    def size(self) -> int:
        """How many elements there are."""
        return len(self.member)

    @cached_property
    def _by_cell(self) -> tuple[Numbers, Numbers]:
        """The group and member of each element as one number, sorted, and where each of these stands."""
        cells = self.group * self._stride + self.member
        by_cell = np.argsort(cells)
        return cells[by_cell], by_cell

    @cached_property
    def _stride(self) -> int:
        return int(self.member.max(initial=0)) + 1

    def place(self, group: Numbers, row: Numbers) -> Numbers:
        """Where each group holds a row; beyond everything where it does not."""
        cells, by_cell = self._by_cell
        sought = group * self._stride + row
        at = np.minimum(np.searchsorted(cells, sought), self.size - 1)
        is_there = (cells[at] == sought) & (row >= 0) & (row < self._stride)
        return np.where(is_there, by_cell[at], self.size)


class Sight:
    """What every read sees: how far into each chain, a chain being what a session has read, or what it has written.

    Attributes:
        limits: of each reader (by its node) and chain, the place in the session before which everything is seen.
    """

    def __init__(self, steps: Steps, wanted: Guarantees, visible: Edges, order: Numbers) -> None:
        traced = steps.traced
        self.steps, self.traced, self.wanted = steps, traced, wanted
        names = np.unique(traced.session[traced.is_definite])
        self.sessions: Final = len(names)
        column = np.searchsorted(names, traced.session)
        chain, place = np.full(steps.size, 2 * self.sessions), np.zeros(steps.size, dtype=np.int64)
        for first, kept in ((0, steps.readers), (self.sessions, steps.writers)):
            chain[kept.sums] = first + column[kept.sum_rows]
            place[kept.sums] = traced.position[kept.sum_rows]
        if wanted.together:  # who sees a write sees those of its session before it: the write itself says how far
            rows = steps.writers.sum_rows
            nodes = steps.writers.node[rows]
            chain[nodes], place[nodes] = self.sessions + column[rows], traced.position[rows]
        self._column = column
        clocks = prefix_clocks(order, visible.before, visible.after, chain, place)
        readers = len(steps.readers.rows)
        self.limits = clocks[:readers] if readers else np.zeros((0, 2 * self.sessions), dtype=np.int32)

    def lists(self) -> tuple[Lists, Lists]:
        """What sessions wrote, and what they read."""
        traced = self.traced
        writer, key = traced.writes.T
        of = traced.is_definite[writer]
        written = _lists(
            key[of], self.sessions + self._column[writer[of]], traced.position[writer[of]], writer[of],
            is_ordered=self.wanted.ordered,
        )  # fmt: skip
        reader, _, source = traced.reads.T
        used = (source != INITIAL) & traced.is_definite[reader]
        if self.wanted.together:  # definite ones are seen by what was written
            used &= ~traced.is_definite[source]
        read, keys = self._keys_of(np.flatnonzero(used))
        seen = _lists(
            keys, self._column[reader[read]], traced.position[reader[read]], source[read], is_ordered=False
        )  # fmt: skip
        return written, seen

    def _keys_of(self, reads: Numbers) -> tuple[Numbers, Numbers]:
        """Each of these reads with each key that its source wrote."""
        writer, key = self.traced.writes.T
        by_writer = np.argsort(writer, kind="stable")
        source = self.traced.reads[reads, 2]
        first, beyond = (np.searchsorted(writer[by_writer], source, side=side) for side in ("left", "right"))
        at, owner = _spans(first, beyond)
        return reads[owner], key[by_writer[at]]

    def beside(self) -> tuple[Numbers, Numbers]:
        """Reads of transactions, each with another source of the same transaction that wrote the key as well."""
        reader, key, source = self.traced.reads.T
        counts = np.bincount(reader, minlength=len(self.traced))
        several = np.flatnonzero((counts[reader] > 1) & (source != INITIAL))
        other, keys = self._keys_of(several)
        rank = len(self.traced.keys) + 1
        sought = reader[other] * rank + keys
        by_cell = np.argsort(sought, kind="stable")
        mine = np.flatnonzero(counts[reader] > 1)
        cell = reader[mine] * rank + key[mine]
        first, beyond = (np.searchsorted(sought[by_cell], cell, side=side) for side in ("left", "right"))
        at, owner = _spans(first, beyond)
        read, member = mine[owner], source[other[by_cell[at]]]
        kept = (member != source[read]) & (member != reader[read])
        return read[kept], member[kept]

    def passed_over(self, lists: Lists, limit: int) -> PassedOver:
        """What the lists hold that reads saw and did not return. O(reads sessions log n), and single ones up to a limit.

        Raises:
            TooMany: more single ones than the limit allows.
        """
        reader, key, _ = self.traced.reads.T
        first, beyond = (np.searchsorted(lists.key, key, side=side) for side in ("left", "right"))
        stride = int(self.traced.position.max(initial=0)) + 2
        sought = lists.group * stride + lists.at
        found: list[PassedOver] = []
        for step in range(int((beyond - first).max(initial=0))):
            read = np.flatnonzero(first + step < beyond)
            group = first[read] + step
            seen = self.limits[self.steps.readers.node[reader[read]], lists.chain[group]]
            end = np.searchsorted(sought, group * stride + seen)
            some = end > lists.begin[group]
            pick = self._last if lists.is_ordered else self._all
            found.append(pick(lists, read[some], group[some], end[some], limit))
            limit -= len(found[-1].single)
        nothing = np.zeros(0, dtype=np.int64)
        return PassedOver(*(np.concatenate([nothing, *parts]) for parts in zip(*found, strict=True))) if found else (
            PassedOver(nothing, nothing, nothing, nothing)
        )  # fmt: skip

    def _last(self, lists: Lists, read: Numbers, group: Numbers, end: Numbers, limit: int) -> PassedOver:  # noqa: ARG002  # as _all
        """Of ordered ones the last: the others come before it."""
        reader, _, source = self.traced.reads[read].T
        at = end - 1
        at -= lists.member[at] == reader  # nobody sees its own write
        nothing = np.zeros(0, dtype=np.int64)
        kept = at >= lists.begin[group]
        kept &= lists.member[np.maximum(at, 0)] != source
        return PassedOver(read[kept], at[kept], nothing, nothing)

    def _all(self, lists: Lists, read: Numbers, group: Numbers, end: Numbers, limit: int) -> PassedOver:
        """All but what was returned, and the reader's own: a beginning of the list, and what is left between these."""
        reader, _, source = self.traced.reads[read].T
        begin = lists.begin[group]
        places = np.sort(np.stack([lists.place(group, row) for row in (source, reader)]), axis=0)
        low, high = np.minimum(places, end)
        has_prefix = low > begin
        _, kept = np.unique(  # what others found of the same writes adds nothing
            np.stack((low, source, self.traced.session[reader]))[:, has_prefix], axis=1, return_index=True
        )
        prefix = np.flatnonzero(has_prefix)[kept]
        middle, last = (np.minimum(low + 1, end), high), (np.minimum(high + 1, end), end)
        counted = int(np.maximum(middle[1] - middle[0], 0).sum() + np.maximum(last[1] - last[0], 0).sum())
        if counted > limit:
            raise TooMany(f"more than {limit} pairs of writes that no session orders")
        single, owner = (
            np.concatenate(pair) for pair in zip(_spans(*middle), _spans(*last), strict=True)
        )  # fmt: skip
        return PassedOver(read[owner], single, read[prefix], low[prefix] - 1)


def _lists(key: Numbers, chain: Numbers, at: Numbers, member: Numbers, *, is_ordered: bool) -> Lists:
    """Each write once, where it stands first."""
    order = np.lexsort((at, member, chain, key))
    key, chain, at, member = key[order], chain[order], at[order], member[order]
    is_new = np.append(True, (key[1:] != key[:-1]) | (chain[1:] != chain[:-1]) | (member[1:] != member[:-1]))[
        : len(key)
    ]
    key, chain, at, member = key[is_new], chain[is_new], at[is_new], member[is_new]
    order = np.lexsort((at, chain, key))
    key, chain, at, member = key[order], chain[order], at[order], member[order]
    starts = np.append(True, (key[1:] != key[:-1]) | (chain[1:] != chain[:-1]))[: len(key)]
    begin = np.flatnonzero(starts)
    return Lists(np.cumsum(starts) - 1, begin, at, member, key[begin], chain[begin], is_ordered)


def _spans(first: Numbers, beyond: Numbers) -> tuple[Numbers, Numbers]:
    """All numbers from each first one up to the one beyond, and for each of these whose span it is."""
    lengths = np.maximum(beyond - first, 0)
    owner = np.repeat(np.arange(len(first)), lengths)
    offset = np.arange(len(owner)) - np.repeat(np.cumsum(lengths) - lengths, lengths)
    return first[owner] + offset, owner
