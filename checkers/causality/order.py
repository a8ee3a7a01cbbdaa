"""The hot loops of causality: a topological order, the causal past of every row, and the writes that a read passed over.

Each runs in the native core where it is there; its twin in Python is the definition, and answers the same.

Rows are operations or transactions. They lie in *chains*, each ordered as its places say, so that the causal past of a row
is a number for each chain: how many of its first rows are in that past. Everything here takes and gives arrays.
"""

from __future__ import annotations

from collections import deque
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

from ... import native
from ..reads_from import INITIAL, Numbers

Clocks = npt.NDArray[np.int32]


ENTRIES_MAX: Final = 2**28
"""How many entries the clocks of a history may have: a gibibyte of them."""


def too_large(rows: int, chains: int) -> str | None:
    """Why clocks of so many rows and chains are not even begun with; None where they are."""
    if rows * chains <= ENTRIES_MAX:
        return None
    return (
        f"the clocks of {rows} operations in {chains} sessions take {rows * chains} entries, more than {ENTRIES_MAX}; "
        "judge a part of the history, or name sessions that outlive a process"
    )


class Adjacency(NamedTuple):
    """Edges by one of their ends: those of row r are `edges[starts[r]:starts[r + 1]]`."""

    starts: Numbers
    edges: Numbers


def by_row(rows: int, ends: Numbers) -> Adjacency:
    """The numbers of the edges that end in each row. O(rows + edges log edges)."""
    starts = np.zeros(rows + 1, dtype=np.int64)
    np.cumsum(np.bincount(ends, minlength=rows), out=starts[1:])
    return Adjacency(starts, np.argsort(ends, kind="stable"))


def topological(rows: int, before: Numbers, after: Numbers) -> Numbers:
    """The rows in an order that goes along all edges, by number where these leave it open; without those behind a cycle.

    O(rows + edges).
    """
    if native.core is not None:
        return np.frombuffer(native.core.causal_order((rows, *map(contiguous, (before, after)))), dtype=np.int64)
    return topological_twin(rows, before, after)


def topological_twin(rows: int, before: Numbers, after: Numbers) -> Numbers:
    """`topological`, in Python."""
    starts, edges = by_row(rows, before)
    nexts, bounds = after[edges].tolist(), starts.tolist()
    missing = np.bincount(after, minlength=rows).tolist()
    order = [row for row, count in enumerate(missing) if count == 0]
    todo = deque(order)
    while todo:
        row = todo.popleft()
        for at in range(bounds[row], bounds[row + 1]):
            follower = nexts[at]
            missing[follower] -= 1
            if missing[follower] == 0:
                order.append(follower)
                todo.append(follower)
    return np.array(order, dtype=np.int64)


def prefix_clocks(order: Numbers, before: Numbers, after: Numbers, chain: Numbers, place: Numbers) -> Clocks:
    """Of every row, how many rows of each chain are in its causal past, itself included. O((rows + edges) chains).

    `order` holds all rows, along the edges; edges lead from each row of a chain to the next one.
    """
    if native.core is None:
        return prefix_clocks_twin(order, before, after, chain, place)
    edges, lanes = (len(chain), contiguous(before), contiguous(after)), _lanes(chain, place)
    found = np.frombuffer(native.core.causal_clocks(edges, lanes, contiguous(order)), dtype=np.int32)
    return found.reshape(len(chain), lanes[2])


def prefix_clocks_twin(order: Numbers, before: Numbers, after: Numbers, chain: Numbers, place: Numbers) -> Clocks:
    """`prefix_clocks`, in Python."""
    clocks = np.zeros((len(chain), int(chain.max(initial=-1)) + 1), dtype=np.int32)
    starts, edges = by_row(len(chain), after)
    earlier, bounds = before[edges].tolist(), starts.tolist()
    clocks[np.arange(len(chain)), chain] = place + 1
    views = list(clocks)
    for row in order.tolist():
        mine = views[row]
        for at in range(bounds[row], bounds[row + 1]):
            np.maximum(mine, views[earlier[at]], out=mine)
    return clocks


class Conflicts(NamedTuple):
    """Writes in the past of a read that returned another one: `overwriter[i]` is what the read `read[i]` passed over.

    `read` numbers the rows of the reads; of each chain only the last such write stands here, the others come before it.
    Writes in the past of the one that was returned do not stand here: that it is later is no news.
    """

    read: Numbers
    overwriter: Numbers


def conflicts(reads: Numbers, writes: Numbers, chain: Numbers, place: Numbers, clocks: Clocks) -> Conflicts:
    """The writes that reads passed over, by read and then by chain. O(reads chains log rows).

    Reads are (reader, key, source), the source a row or INITIAL; writes are (writer, key), each key once for a writer.
    """
    if native.core is None:
        return conflicts_twin(reads, writes, chain, place, clocks)
    found = native.core.causal_conflicts(*map(contiguous, (reads, writes)), _lanes(chain, place), clocks)
    return Conflicts(*(np.frombuffer(numbers, dtype=np.int64) for numbers in found))


def conflicts_twin(reads: Numbers, writes: Numbers, chain: Numbers, place: Numbers, clocks: Clocks) -> Conflicts:
    """`conflicts`, in Python."""
    if not len(reads) or not len(writes):
        return Conflicts(*np.zeros((2, 0), np.int64))
    writer, key = writes[:, 0], writes[:, 1]
    chains, length = clocks.shape[1], int(place.max()) + 1
    groups, group = np.unique(key * chains + chain[writer], return_inverse=True)  # the writes of a key in a chain
    sought = group * length + place[writer]
    by_place = np.argsort(sought)
    sought, writer = sought[by_place], writer[by_place]
    found: list[tuple[Numbers, Numbers]] = []
    first, beyond = (np.searchsorted(groups, (reads[:, 1] + step) * chains) for step in (0, 1))
    for step in range(int((beyond - first).max(initial=0))):
        read = np.flatnonzero(first + step < beyond)
        at = first[read] + step
        reader, source = reads[read, 0], reads[read, 2]
        its_chain = groups[at] % chains
        limit = clocks[reader, its_chain] - (
            chain[reader] == its_chain
        )  # a row is in its own past, and no cause of itself
        last = np.searchsorted(sought, at * length + limit) - 1
        is_there = (last >= 0) & (sought[last] >= at * length)
        overwriter = writer[last]
        is_news = (source == INITIAL) | ~precedes(overwriter, np.maximum(source, 0), chain, place, clocks)
        kept = is_there & is_news
        found.append((read[kept], overwriter[kept]))
    read, overwriter = np.concatenate(found, axis=1) if found else np.zeros((2, 0), np.int64)
    by_read = np.argsort(read, kind="stable")
    return Conflicts(read[by_read], overwriter[by_read])


def precedes(one: Numbers, other: Numbers, chain: Numbers, place: Numbers, clocks: Clocks) -> npt.NDArray[np.bool_]:
    """Whether one row is in the causal past of the other, for each pair; a row is in its own. O(pairs)."""
    inside: npt.NDArray[np.bool_] = clocks[other, chain[one]] > place[one]
    return inside


def _lanes(chain: Numbers, place: Numbers) -> tuple[Numbers, Numbers, int]:
    """The chains as the core takes them, with their number."""
    return contiguous(chain), contiguous(place), int(chain.max(initial=-1)) + 1


def contiguous(numbers: Numbers) -> Numbers:
    """As the core takes them."""
    return np.ascontiguousarray(numbers, dtype=np.int64)
