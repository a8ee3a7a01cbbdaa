"""What judges of staleness look at: registers, the clusters of operations on them, and when everything was open.

A *cluster* is a write and the reads that returned what it wrote (Gibbons and Korach, Testing Shared Memories, 1997). The
initial value of a register heads a cluster, too, written before everything. All that real time says of a cluster is when its
write began and ended, when the first of its operations ended, and when the last of its reads began.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from ...histories.columns import NO_TIME
from ...histories.history import History
from ..reads_from import INITIAL, NEVER, NotApplicable, Numbers, ReadsFrom

START: Final = -(2**61)
"""Before everything; a number that arithmetic with times cannot overflow."""
END: Final = 2**61
"""After everything."""
READS: Final = frozenset({"read", "get"})
WRITES: Final = frozenset({"write", "put"})

NO_CLOCK: Final = (
    "the times come from several clocks of unknown error, so nobody knows what came first. "
    "Say in the header how far the clocks may be apart (clock_error_ns)"
)


@dataclass(frozen=True, eq=False)
class Spans:
    """When each transaction was open: places in real-time order, or times in ns. `ended` is END for what is not definite."""

    began: Numbers
    ended: Numbers


def places(traced: ReadsFrom) -> Spans:
    """When transactions were open, as places in real-time order.

    Raises:
        NotApplicable: the clocks do not tell real time.
    """
    if not traced.history.header.tells_real_time:
        raise NotApplicable(NO_CLOCK)
    return Spans(
        np.where(traced.numbers < 0, START + 1, traced.began), np.where(traced.ended == NEVER, END, traced.ended)
    )


def times(traced: ReadsFrom) -> Spans:
    """When transactions were open, in ns, widened by the error of the clocks on both sides.

    Raises:
        NotApplicable: an event has no time, the clocks do not tell real time, or times go back in the order of lines.
    """
    history = traced.history
    header, columns, pairing = history.header, history.columns, history.pairing
    if header.clocks > 1 and header.clock_error_ns is None:
        raise NotApplicable(NO_CLOCK)
    inside = traced.numbers >= 0
    numbers = traced.numbers[inside]
    definite = traced.is_definite[inside]
    begins, ends = columns.time[pairing.invocation[numbers]], columns.time[pairing.completion[numbers]]
    if np.any(begins == NO_TIME) or np.any(ends[definite] == NO_TIME):
        raise NotApplicable("bounds are measured in ns, and there are events without a time")
    if header.order == "lines" and _go_back(history):
        raise NotApplicable(
            'bounds are measured in ns, and times go back; say that times tell the order ("order":"time"), if they do'
        )
    error = header.clock_error_ns or 0
    began, ended = np.full(len(traced), START + 1), np.full(len(traced), END)
    began[inside] = begins - error
    ended[np.flatnonzero(inside)[definite]] = ends[definite] + error
    return Spans(began, ended)


def _go_back(history: History) -> bool:
    columns = history.columns
    told = columns.time[columns.is_client() & (columns.time != NO_TIME)]
    return bool(np.any(np.diff(told) < 0))


def must_be_registers(traced: ReadsFrom, *, plain: bool) -> None:
    """Refuse what is no operation on one register; with `plain`, also what both reads and writes.

    Raises:
        NotApplicable: naming such an operation.
    """
    touched = np.concatenate((traced.reads[:, :2], traced.writes))
    touched = touched[traced.numbers[touched[:, 0]] >= 0]
    first_key = np.full(len(traced), -1)
    first_key[touched[::-1, 0]] = touched[::-1, 1]
    several = touched[first_key[touched[:, 0]] != touched[:, 1], 0]
    if len(several):
        raise NotApplicable("a transaction touches several keys", (traced.operation(int(several.min())),))
    readers, counts = np.unique(traced.reads[:, 0], return_counts=True)
    if np.any(counts > 1):
        raise NotApplicable("a transaction reads several times", (traced.operation(int(readers[counts > 1][0])),))
    both = np.intersect1d(traced.reads[:, 0], traced.writes[:, 0])
    if plain and len(both):
        raise NotApplicable("an operation both reads and writes", (traced.operation(int(both[0])),))


@dataclass(frozen=True, eq=False)
class Clusters:
    """The clusters of one register, or of several; each member has a number for each cluster.

    Attributes:
        write: the transaction that wrote; INITIAL for what was there at first.
        key: the number of the register.
        began, ended: of the write.
        first_end: when the first operation of the cluster ended.
        last_read: when the last of its reads began; START where nobody read.
        first_read_end: when the first of its reads ended; END where nobody read.
    """

    write: Numbers
    key: Numbers
    began: Numbers
    ended: Numbers
    first_end: Numbers
    last_read: Numbers
    first_read_end: Numbers

    def __len__(self) -> int:
        return len(self.write)

    def take(self, chosen: Numbers) -> Clusters:
        """The chosen ones, in this order."""
        return replace(self, **{name: getattr(self, name)[chosen] for name in self.__dataclass_fields__})

    def registers(self) -> Iterator[Clusters]:
        """Those of each register by itself."""
        edges = np.flatnonzero(np.diff(self.key)) + 1
        for part in np.split(np.arange(len(self)), edges):
            if len(part):
                yield self.take(part)


def clusters(traced: ReadsFrom, spans: Spans) -> Clusters:
    """All clusters, by register and then by the end of their first operation. O(n log n)."""
    writers, keys = traced.writes[:, 0], traced.writes[:, 1]
    size = len(traced) + len(traced.keys)
    first_read_end, last_read = np.full(size, END), np.full(size, START)
    reader, key, source = traced.reads.T
    of = np.where(source == INITIAL, len(traced) + key, source)
    np.minimum.at(first_read_end, of, spans.ended[reader])
    np.maximum.at(last_read, of, spans.began[reader])
    initial = np.flatnonzero(last_read[len(traced) :] > START)
    chosen = np.concatenate((writers, len(traced) + initial))
    before = np.full(len(initial), START)
    ended = np.concatenate((spans.ended[writers], before))
    found = Clusters(
        write=np.concatenate((writers, np.full(len(initial), INITIAL))),
        key=np.concatenate((keys, initial)),
        began=np.concatenate((spans.began[writers], before)),
        ended=ended,
        first_end=np.minimum(ended, first_read_end[chosen]),
        last_read=last_read[chosen],
        first_read_end=first_read_end[chosen],
    )
    return found.take(np.lexsort((found.first_end, found.key)))
