"""Which guarantees no observation of a history could have refuted.

A guarantee is vacuous in a history if it would hold whatever its reads had returned: any write of the key of those that are
known to have taken effect, or what was there at first. Only single operations are asked about: of transactions of several
reads or writes none is called vacuous.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from ..causality.order import topological
from ..reads_from import Numbers, ReadsFrom
from .guarantees import Guarantees
from .steps import WHYS, Steps

_PAIR: Final = 2


def is_vacuous(steps: Steps, wanted: Guarantees) -> bool:
    """Whether guarantees, of which one alone is demanded, could not be refuted by these reads. O(n log n).

    - Read-your-writes can when a session writes a key and then reads it.
    - Monotonic reads can when a session reads a key twice, and somebody else writes it.
    - Monotonic writes cannot: a read sees what it returned, and what its writer wrote before.
    - Writes-follow-reads can when writes could have been read that are there because of these reads: that is when keys have
      a cycle, where a key leads to another one if some session reads the one and then writes the other.
    """
    traced = steps.traced
    if len(wanted.names) != 1 or _has_several(traced):
        return False
    if wanted.own:
        return not _sessions_reread(traced, _cells(traced, traced.writes), _cells(traced, traced.reads))
    if wanted.carry:
        return not _reads_twice(traced)
    return wanted.ordered or not _keys_have_cycle(steps)


def _has_several(traced: ReadsFrom) -> bool:
    return any(len(np.unique(table[:, 0])) < len(table) for table in (traced.reads, traced.writes))


def _cells(traced: ReadsFrom, table: Numbers) -> Numbers:
    """Of each row of a table, its session and key as one number."""
    return traced.session[table[:, 0]] * (len(traced.keys) + 1) + table[:, 1]


def _first(traced: ReadsFrom, table: Numbers, cells: Numbers) -> tuple[Numbers, Numbers]:
    """The distinct cells of rows whose transaction is definite, and for each the place in its session of the first one."""
    row = np.flatnonzero(traced.is_definite[table[:, 0]])
    row = row[np.argsort(traced.position[table[row, 0]], kind="stable")]
    distinct, first = np.unique(cells[row], return_index=True)
    return distinct, traced.position[table[row[first], 0]]


def _sessions_reread(traced: ReadsFrom, written: Numbers, read: Numbers) -> bool:
    """Whether some read is of a key that its session had written before."""
    distinct, first = _first(traced, traced.writes, written)
    if not len(distinct):
        return False
    at = np.minimum(np.searchsorted(distinct, read), len(distinct) - 1)
    return bool(np.any((distinct[at] == read) & (first[at] < traced.position[traced.reads[:, 0]])))


def _reads_twice(traced: ReadsFrom) -> bool:
    """Whether a session reads a key twice, and a write of neither of the two transactions is of that key."""
    cells = _cells(traced, traced.reads)
    order = np.lexsort((traced.position[traced.reads[:, 0]], cells))
    writers: dict[int, set[int]] = {}
    for writer, key in traced.writes.tolist():
        few = writers.setdefault(key, set())
        if len(few) <= _PAIR:  # one of these is neither of two readers
            few.add(writer)
    earlier: dict[int, list[int]] = {}
    for cell, (reader, key, _) in zip(cells[order].tolist(), traced.reads[order].tolist(), strict=True):
        known = earlier.setdefault(cell, [])
        if any(writers.get(key, set()) - {reader, other} for other in known):
            return True
        if traced.is_definite[reader] and len(known) < _PAIR:  # of three readers, some pair leaves every writer out
            known.append(reader)
    return False


def _keys_have_cycle(steps: Steps) -> bool:
    """Whether a key leads to itself, by sessions that read a key and then write the next one."""
    traced = steps.traced
    following = steps.visible(Guarantees(following=True, joined=True))
    kept = following.why != WHYS.index("wr")
    writer, key = traced.writes.T
    reader, read_key, _ = traced.reads.T
    before = (following.before[kept], steps.writers.node[writer], steps.size + read_key)
    after = (following.after[kept], steps.size + key, steps.readers.node[reader])
    nodes = steps.size + len(traced.keys)
    return len(topological(nodes, np.concatenate(before), np.concatenate(after))) < nodes
