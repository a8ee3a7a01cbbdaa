"""How stale the reads of a history are: the least bounds that explain all of them, and how far behind each read is."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple, TypeAlias

import numpy as np

from ...histories.event import Operation
from ...histories.history import History
from ..reads_from import INITIAL, NotApplicable, Numbers, Outside
from ..verdict import Upheld, Verdict
from .case import Case
from .judge import MODEL_OF, UNITS, decide
from .registers import END, START, Spans
from .tell import Bounded

QUANTILES: Final = (0.5, 0.9, 0.99, 1.0)

Versions: TypeAlias = Callable[[Operation], int]
"""The version of what a write wrote, such as an offset in a log; of two writes of a key the higher one is newer."""


class Behind(NamedTuple):
    """A read of what was no longer the newest.

    Attributes:
        read: its transaction.
        versions: how many newer values were there for certain: written by what had ended before the read began.
        since: the transaction that wrote the first of these to be there.
    """

    read: int
    versions: int
    since: int


@dataclass(frozen=True)
class Staleness:
    """What there is to say.

    Attributes:
        verdicts: on the least bounds, by model.
        reads: how many reads returned something that some write, or the start, explains.
        versions_behind: how many of them missed that many newer values. Where versions are not known, only values that
            came later in real time for certain are newer, so that these are the least numbers.
        ns_behind: quantiles of how long ago, in ns, a newer value was there for the first time, over all reads, those that
            miss nothing with 0; empty where the events do not tell times, or nobody read.
    """

    verdicts: Mapping[str, Verdict]
    reads: int
    versions_behind: Mapping[int, int]
    ns_behind: Mapping[float, int]

    @property
    def k(self) -> int | None:
        """The least k of a k-atomic history; None where there is none, or nobody knows."""
        return self._bound("k")

    @property
    def delta_ns(self) -> int | None:
        """The least delta of a delta-atomic history, in ns; None as above."""
        return self._bound("delta")

    @property
    def t_ns(self) -> int | None:
        """The least t of a t-visible history, in ns; None as above."""
        return self._bound("t")

    def _bound(self, what: Bounded) -> int | None:
        verdict = self.verdicts[MODEL_OF[what]]
        return int(verdict.evidence[UNITS[what]]) if isinstance(verdict, Upheld) else None


def staleness(history: History, *, versions: Versions | None = None, outside: Outside = "nothing") -> Staleness:
    """Measure how stale reads are. O(n log n), and the cost of the least k.

    Args:
        history: of operations on registers.
        versions: tells the version of a write, where it is known. It has no say in the least bounds.
        outside: what a value may be that nobody wrote; see `reads_from`.

    Raises:
        NotApplicable: nobody can say who read from whom, or what came first.
        MalformedHistory: it is no history.
    """
    case = Case(history, outside)
    behind = list(_behind(case, versions))
    counts = Counter(each.versions for each in behind)
    count = len(case.traced.reads)
    counts[0] = count - len(behind)
    return Staleness(
        verdicts=decide(history, tuple(MODEL_OF.values()), outside=outside),
        reads=count,
        versions_behind=dict(sorted((+counts).items())),
        ns_behind=_quantiles(case, behind),
    )


def _quantiles(case: Case, behind: Sequence[Behind]) -> dict[float, int]:
    """The smallest times behind that so many of the reads do not exceed."""
    count = len(case.traced.reads)
    try:
        spans = case.times
    except NotApplicable:
        return {}
    if not count:
        return {}
    times = np.zeros(count, dtype=np.int64)
    times[: len(behind)] = [max(0, int(spans.began[each.read] - spans.ended[each.since])) for each in behind]
    times.sort()
    return {share: int(times[int(np.ceil(share * count)) - 1]) for share in QUANTILES}


def _behind(case: Case, versions: Versions | None) -> Iterator[Behind]:
    """The reads that missed something newer, register by register."""
    traced, spans = case.traced, case.places
    order = np.argsort(traced.writes[:, 1], kind="stable")
    writers, keys = traced.writes[order].T
    for key, reads in case.read_rows.items():
        mine = writers[np.searchsorted(keys, key) : np.searchsorted(keys, key, side="right")]
        source = reads[:, 2]
        if versions is None:
            rank, known = spans.began[mine], np.where(source == INITIAL, START, spans.ended[source])
        else:
            told = {each: versions(traced.operation(each)) for each in mine.tolist() if traced.numbers[each] >= 0}
            rank = np.array([told.get(each, START) for each in mine.tolist()], dtype=np.int64)
            known = np.array([told.get(each, START) for each in source.tolist()], dtype=np.int64)
        yield from _missed(spans, mine, rank, reads[:, 0], known)


def _missed(spans: Spans, writers: Numbers, rank: Numbers, readers: Numbers, known: Numbers) -> Iterator[Behind]:
    """Of each read, the writes of higher rank than what it returned that had ended before it began.

    Along real time: writes are counted as they end, in a tree of counts by rank (Fenwick, 1994).
    """
    by_rank = np.argsort(rank, kind="stable")
    ended = spans.ended[writers][by_rank]
    earliest = np.append(np.minimum.accumulate(ended[::-1])[::-1], END)
    above = np.searchsorted(rank[by_rank], known, side="right")
    late = np.flatnonzero(earliest[above] < spans.began[readers])
    if not len(late):
        return
    place_of = dict(zip(ended.tolist(), range(len(ended)), strict=True))
    by_end = np.argsort(ended, kind="stable").tolist()
    tree, done = [0] * (len(ended) + 1), 0
    for row in late[np.argsort(spans.began[readers[late]], kind="stable")].tolist():
        began = int(spans.began[readers[row]])
        while done < len(by_end) and ended[by_end[done]] < began:
            _add(tree, len(ended) - by_end[done])
            done += 1
        since = place_of[int(earliest[above[row]])]
        yield Behind(int(readers[row]), _sum(tree, len(ended) - int(above[row])), int(writers[by_rank[since]]))


def _add(tree: list[int], at: int) -> None:
    """One more at this place, from 1."""
    while at < len(tree):
        tree[at] += 1
        at += at & -at


def _sum(tree: Sequence[int], upto: int) -> int:
    """How many there are up to this place."""
    total = 0
    while upto:
        total += tree[upto]
        upto &= upto - 1
    return total
