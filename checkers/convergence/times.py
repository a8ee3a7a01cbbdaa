"""How long updates took to be seen everywhere, as far as clients looked.

An update *has come* to a place with the first read from which on every read there shows it (an add) or does not show it
(a remove). That took from its acknowledgement to the beginning of that read; nothing, when the read began before. What
had not come when the place was last read is *censored*: it took longer than that, nobody knows how much. Reads of a place
stand in the order in which they began.

Elements with several updates of one kind, or added again after a remove, tell nothing: nobody knows which one was seen.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Sequence
from dataclasses import dataclass, field
from math import ceil
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

from ...histories.event import Kind, Operation
from ...histories.history import History
from ...histories.values import identity
from ..causality.tell import ms
from .collection import Read, Record, often

QUANTILES: Final = {"p50_ns": 0.5, "p90_ns": 0.9, "p99_ns": 0.99, "max_ns": 1.0}


@dataclass(frozen=True)
class Wait:
    """One update at one place.

    Attributes:
        update: the operation.
        place: the node, or the session where no node is named.
        took_ns: from the acknowledgement to the read with which it had come, or, censored, to the last read.
        is_censored: whether it had not come by the last read.
        story: what clients saw of it there, in sentences.
    """

    update: Operation
    place: Hashable
    took_ns: int
    is_censored: bool
    story: tuple[str, ...]


@dataclass(frozen=True)
class Times:
    """How long each update took to come to each place.

    Attributes:
        came_ns: of those that came, sorted.
        censored_ns: of those that had not come with the last read, from the acknowledgement to it, sorted.
        worst: the longest wait: of the censored, where there are any.
        inapplicable: why there are none; "" when there are.
    """

    came_ns: npt.NDArray[np.int64] = field(default_factory=lambda: np.zeros(0, np.int64))
    censored_ns: npt.NDArray[np.int64] = field(default_factory=lambda: np.zeros(0, np.int64))
    worst: Wait | None = None
    inapplicable: str = ""

    def quantile_ns(self, share: float) -> int | None:
        """The least time in which that share of the waits was over; None when so many never were, or there are none."""
        place = max(0, ceil(share * (len(self.came_ns) + len(self.censored_ns))) - 1)
        return int(self.came_ns[place]) if place < len(self.came_ns) else None

    def evidence(self) -> dict[str, int | None]:
        """The counts and quantiles, for a verdict; nothing where there are none."""
        if self.inapplicable:
            return {}
        told = {name: self.quantile_ns(share) for name, share in QUANTILES.items()}
        return {"waits": len(self.came_ns) + len(self.censored_ns), "censored": len(self.censored_ns), **told}


def times_to_converge(
    history: History, *, adds: Sequence[str] = ("add",), removes: Sequence[str] = ("remove",), read: str = "read"
) -> Times:
    """The time that each update took to come to each place. O(updates times places + size of the reads).

    Raises:
        MalformedHistory: a read shows no array.
    """
    return times_of(Record(history, adds=adds, removes=removes, read=read))


def times_of(record: Record) -> Times:
    """The same of a record."""
    updates: dict[Hashable, list[_Update]] = {}
    for update in _told_apart(record):
        if update.operation.completed_ns is None:
            return Times(inapplicable=f"{update.operation} has no time")
        updates.setdefault(identity(update.operation.key), []).append(update)
    came: list[int] = []
    censored: list[int] = []
    worst: tuple[bool, int, _Update, _Seen] | None = None
    for key, place, reads in record.by_place():
        timeless = next((read for read in reads if read.operation.invoked_ns is None), None)
        if timeless is not None:
            return Times(inapplicable=f"{timeless.operation} has no time")
        seen = _changes(place, reads)
        for update in updates.get(key, ()):
            waited = seen.wait_ns(update)
            if waited is None:
                continue
            is_censored, took_ns = waited
            (censored if is_censored else came).append(took_ns)
            if worst is None or waited > worst[:2]:
                worst = (is_censored, took_ns, update, seen)
    if worst is None:
        return Times(inapplicable="no acknowledged update was looked for after it")
    return Times(np.sort(np.array(came, np.int64)), np.sort(np.array(censored, np.int64)), _tell(*worst))


class _Update(NamedTuple):
    """An update, and what a read has to say about it."""

    acknowledged_ns: int
    element: Hashable
    is_add: bool
    operation: Operation


class _Seen(NamedTuple):
    """What was read at one place.

    Attributes:
        place: which.
        reads: in the order in which they began.
        there, gone: when the read began since which each element is there, or is there no more.
    """

    place: Hashable
    reads: list[Read]
    there: dict[Hashable, int]
    gone: dict[Hashable, int]

    def wait_ns(self, update: _Update) -> tuple[bool, int] | None:
        """Whether it is censored, and how long it took; None when nobody looked after it."""
        acknowledged_ns, element, is_add, _ = update
        last_ns = self.reads[-1].operation.invoked_ns or 0
        if acknowledged_ns > last_ns:
            return None
        if is_add:
            since = self.there.get(element)
        else:
            since = None if element in self.there else self.gone.get(element, acknowledged_ns)
        return (True, last_ns - acknowledged_ns) if since is None else (False, max(0, since - acknowledged_ns))


def _changes(place: Hashable, reads: Sequence[Read]) -> _Seen:
    seen = _Seen(place, sorted(reads, key=lambda each: each.operation.began), {}, {})
    there, gone = seen.there, seen.gone
    for read in seen.reads:
        began_ns = read.operation.invoked_ns or 0
        for element in there.keys() - read.shown:
            del there[element]
            gone[element] = began_ns
        for element in read.shown - there.keys():
            there[element] = began_ns
            gone.pop(element, None)
    return seen


def _told_apart(record: Record) -> Iterator[_Update]:
    """The acknowledged updates of which a read says whether they had come."""
    for at, (operation, *others) in record.attempts.items():
        if not others and operation.outcome is Kind.OK and at not in record.removals:
            yield _Update(operation.completed_ns or 0, at[1], True, operation)
    for at, (operation, *others) in record.removals.items():
        before = all(add.precedes(operation) for add in record.attempts.get(at, ()))
        if not others and operation.outcome is Kind.OK and before:
            yield _Update(operation.completed_ns or 0, at[1], False, operation)


def _tell(is_censored: bool, took_ns: int, update: _Update, seen: _Seen) -> Wait:  # noqa: FBT001  # the parts of `worst`
    """The wait, with what clients saw of it."""
    acknowledged_ns, came_ns = update.acknowledged_ns, update.acknowledged_ns + took_ns
    where = seen.place if isinstance(seen.place, str) else "the replica of its readers"
    begun = [read.operation.invoked_ns or 0 for read in seen.reads]
    looked = [began_ns for began_ns in begun if began_ns >= acknowledged_ns]
    lines = [f"{update.operation} was acknowledged at {ms(acknowledged_ns)}"]
    if is_censored:
        lines.append(f"{where} was read {often(len(looked))} from then on, the last time at {ms(looked[-1])}")
        lines.append("That read " + ("does not show it" if update.is_add else "still shows it"))
    else:
        before = sum(began_ns < came_ns for began_ns in looked)
        shows = "shows it" if update.is_add else "does not show it"
        lines.append(f"{where} was read {often(before)} before it had come there")
        lines.append(f"Every read there from {ms(came_ns)} on {shows}: that is {ms(took_ns)} later")
    return Wait(update.operation, seen.place, took_ns, is_censored, tuple(lines))
