"""Reads that no regular register gives, for any number of writers.

A read may return w unless another write stands completely between them (w returned before it began, and it returned before
the read began), or the read had returned before w began. That is the condition MWR-weak of Shao, Pierce and Welch (Multi-writer
Consistency Conditions for Shared Memory Objects, 2003): for each read by itself there is one order of the writes and it, in
real time, in which it returns the last write. In axioms: return-value, rb|w->r in vis, rb|w->w in ar, with an ar of its own
for each read. With one writer it is Lamport's regular register (On Interprocess Communication, 1986).

A safe register promises the same for reads that overlap no write, and nothing for others. A write that nobody saw, and of
which nobody knows the outcome, may be going on for ever, so it excuses the reads that end after it began.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from ...histories.columns import ABSENT, CODES
from ...histories.event import Kind
from ...histories.pairing import operations
from ...histories.values import Value, identity
from ..reads_from import INITIAL, Numbers, ReadsFrom
from .registers import END, READS, START, Spans

NOBODY: Final = -1


@dataclass(frozen=True, eq=False)
class Reads:
    """What real time says of each read, in the order of `ReadsFrom.reads`.

    Attributes:
        is_future: whether it had ended before its write began.
        overwriter: of the writes that began when its write had ended, the one that ended first, where that was before the
            read began; else NOBODY.
    """

    is_future: npt.NDArray[np.bool_]
    overwriter: Numbers


def judged_reads(traced: ReadsFrom, spans: Spans) -> Reads:
    """What real time says of each read. O(n log n)."""
    reader, key, source = traced.reads.T
    is_initial = source == INITIAL
    moments = _Moments(spans)
    writers, keys = traced.writes[:, 0], traced.writes[:, 1]
    order = np.argsort(moments.of(keys, spans.began[writers]), kind="stable")
    writers, keys = writers[order], keys[order]
    begun = moments.of(keys, spans.began[writers])
    ended = np.append(moments.of(keys, spans.ended[writers]), END)
    earliest = np.minimum.accumulate(ended[::-1])[::-1]
    at = np.searchsorted(begun, moments.of(key, np.where(is_initial, START, spans.ended[source])), side="right")
    is_stale = earliest[at] < moments.of(key, spans.began[reader])
    own = np.minimum.accumulate(np.where(ended == earliest, np.arange(len(ended)), len(ended))[::-1])[::-1]
    overwriter = np.append(writers, NOBODY)[np.where(is_stale, own[at], len(writers))]
    return Reads(
        is_future=~is_initial & (spans.ended[reader] < spans.began[source]),
        overwriter=overwriter,
    )


class _Moments:
    """Moments of several registers as numbers that are ordered by register, then by time."""

    def __init__(self, spans: Spans) -> None:
        self.times = np.unique(np.concatenate((spans.began, spans.ended, [START])))

    def of(self, key: Numbers, time: Numbers) -> Numbers:
        """The numbers of times, all of which are of the spans or START."""
        found: Numbers = key * len(self.times) + np.searchsorted(self.times, time)
        return found


def overlaps_a_write(
    traced: ReadsFrom, spans: Spans, names: Sequence[Value], keys: Numbers, readers: Numbers
) -> npt.NDArray[np.bool_]:
    """Whether each of these reads overlaps a write of another operation. O(n log n).

    A read overlaps the writes that have begun when it ends, but for those that had ended when it began.

    Args:
        traced: the history.
        spans: when transactions were open.
        names: the registers: those of `traced`, and perhaps more.
        keys: the number of the register of each read.
        readers: whose reads they are.
    """
    moments = _Moments(spans)
    writers, written = traced.writes[:, 0], traced.writes[:, 1]
    begun = np.sort(moments.of(written, spans.began[writers]))
    ended = np.sort(moments.of(written, spans.ended[writers]))
    over = np.searchsorted(begun, moments.of(keys, spans.ended[readers]), side="right")
    past = np.searchsorted(ended, moments.of(keys, spans.began[readers]))
    itself = np.isin(readers, writers)
    left_open = np.append(_open_since(traced, names), END)
    found: npt.NDArray[np.bool_] = (over - past - itself > 0) | (left_open[keys] < spans.ended[readers])
    return found


def _open_since(traced: ReadsFrom, names: Sequence[Value]) -> Numbers:
    """When the first of the writes of each register that nobody saw, and that may go on for ever, began; or END."""
    pairing, columns = traced.history.pairing, traced.history.columns
    ends = pairing.completion
    unknown = (ends == ABSENT) | (columns.kind[ends] == CODES[Kind.INFO])
    unknown[traced.numbers[traced.numbers >= 0]] = False
    numbers = {identity(name): number for number, name in enumerate(names)}
    found = np.full(len(names), END)
    for operation in operations(columns, pairing.take(unknown)):
        for key in _written(operation.action, operation.key, operation.argument):
            number = numbers.get(identity(key))
            if number is not None:
                found[number] = min(found[number], operation.began)
    return found


def _written(action: str, key: Value, argument: Any) -> list[Value]:
    """The keys that an operation writes."""
    if action != "txn":
        return [] if action in READS else [key]
    return [step[1] for step in argument if step[0] in {"w", ":w"}] if isinstance(argument, tuple) else []
