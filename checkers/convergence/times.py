"""How long updates took to be seen everywhere, as far as clients looked.

An update *has come* to a place with the first read from which on every read there shows it (an add) or does not show it
(a remove). That took from its acknowledgement to the beginning of that read; nothing, when the read began before. What
had not come when the place was last read is *censored*: it took longer than that, nobody knows how much. Reads of a place
stand in the order in which they began.

Elements with several updates of one kind, or added again after a remove, tell nothing: nobody knows which one was seen.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Sequence
from dataclasses import dataclass
from math import ceil
from typing import Final, NamedTuple

from ...histories.event import Kind, Operation
from ...histories.history import History
from ...histories.values import identity
from ..causality.tell import ms
from .collection import Read, Record

QUANTILES: Final = {"p50_ns": 0.5, "p90_ns": 0.9, "p99_ns": 0.99}


class Wait(NamedTuple):
    """One update at one place.

    Attributes:
        took_ns: from the acknowledgement to the read with which it had come, or, censored, to the last read.
        is_censored: whether it had not come by the last read.
        update: the operation.
        place: the key and the node, or the session where no node is named.
    """

    took_ns: int
    is_censored: bool
    update: Operation
    place: tuple[Hashable, Hashable]


@dataclass(frozen=True)
class Times:
    """All waits of a history, the longest last; what is censored is longer than all others.

    `inapplicable`: why there are none; "" when there are.
    """

    waits: tuple[Wait, ...]
    inapplicable: str = ""
    story: tuple[str, ...] = ()

    @property
    def censored(self) -> int:
        """How many updates had not come to how many places when these were last read."""
        return sum(wait.is_censored for wait in self.waits)

    def quantile_ns(self, share: float) -> int | None:
        """The least time in which that share of the waits was over; None when so many never were, or there are none."""
        if not self.waits:
            return None
        wait = self.waits[max(0, ceil(share * len(self.waits)) - 1)]
        return None if wait.is_censored else wait.took_ns

    @property
    def worst(self) -> Wait | None:
        """The longest wait: of those that did not end, where there are any."""
        return self.waits[-1] if self.waits else None

    def evidence(self) -> dict[str, int | None]:
        """The counts and quantiles, for a verdict."""
        if not self.waits:
            return {}
        told = {name: self.quantile_ns(share) for name, share in QUANTILES.items()}
        return {"waits": len(self.waits), "censored": self.censored, **told, "max_ns": self.quantile_ns(1.0)}


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
    adds, removes = _told_apart(record)
    updates = [*adds, *removes]
    timeless = next((each for each in updates if each.completed_ns is None), None) or next(
        (read.operation for read in record.reads if read.operation.invoked_ns is None), None
    )
    if timeless is not None:
        return Times((), f"{timeless} has no time")
    places = {(key, place): _changes(reads) for key, place, reads in record.by_place()}
    waits = sorted(
        (
            wait
            for place, seen in places.items()
            for wait in (*_waits(adds, place, seen, are_adds=True), *_waits(removes, place, seen, are_adds=False))
        ),
        key=lambda wait: (wait.is_censored, wait.took_ns),
    )
    if not waits:
        return Times((), "no acknowledged update was looked for after it")
    return Times(tuple(waits), story=_timeline(waits[-1], places[waits[-1].place]))


class _Seen(NamedTuple):
    """The reads of a place as they began; since when each element is there, and since when it is gone again."""

    reads: list[Read]
    there: dict[Hashable, Read]
    gone: dict[Hashable, Read]


def _changes(reads: Sequence[Read]) -> _Seen:
    seen = _Seen(sorted(reads, key=lambda each: each.operation.began), {}, {})
    for read in seen.reads:
        for element in seen.there.keys() - read.shown:
            del seen.there[element]
            seen.gone[element] = read
        if not read.shown <= seen.there.keys():
            for element in read.shown - seen.there.keys():
                seen.there[element] = read
                seen.gone.pop(element, None)
    return seen


def _told_apart(record: Record) -> tuple[list[Operation], list[Operation]]:
    """The acknowledged adds and removes of which a read says whether they had come."""
    adds = [
        tried[0]
        for element, tried in record.attempts.items()
        if len(tried) == 1 and tried[0].outcome is Kind.OK and element not in record.removals
    ]
    removes = [
        tried[0]
        for element, tried in record.removals.items()
        if len(tried) == 1
        and tried[0].outcome is Kind.OK
        and all(add.precedes(tried[0]) for add in record.attempts.get(element, ()))
    ]
    return adds, removes


def _waits(
    updates: Sequence[Operation], place: tuple[Hashable, Hashable], seen: _Seen, *, are_adds: bool
) -> Iterator[Wait]:
    first, last = seen.reads[0], seen.reads[-1]
    began_last = last.operation.invoked_ns or 0
    there, gone = seen.there, seen.gone
    key = place[0]
    for update in updates:
        acknowledged = update.completed_ns or 0
        if identity(update.key) != key or acknowledged > began_last:
            continue
        element = identity(update.argument)
        absent_since = None if element in there else gone.get(element, first)
        came = there.get(element) if are_adds else absent_since
        if came is None:
            yield Wait(began_last - acknowledged, True, update, place)
        else:
            yield Wait(max(0, (came.operation.invoked_ns or 0) - acknowledged), False, update, place)


def _timeline(wait: Wait, seen: _Seen) -> tuple[str, ...]:
    """What clients saw of one update at one place, in sentences."""
    acknowledged = wait.update.completed_ns or 0
    looked = [read for read in seen.reads if (read.operation.invoked_ns or 0) >= acknowledged]
    lines = [f"{wait.update} was acknowledged at {ms(acknowledged)}"]
    if wait.is_censored:
        last = looked[-1]
        lines.append(
            f"It had not come to {_named(wait)} with the last read there, at {_began(last)} ({len(looked)} reads later)"
        )
        return tuple(lines)
    came_ns = acknowledged + wait.took_ns
    before = [read for read in looked if (read.operation.invoked_ns or 0) < came_ns]
    if before:
        lines.append(
            f"{len(before)} later reads at {_named(wait)} do without it or come before one that does, the last at {_began(before[-1])}"
        )
    lines.append(f"It is at {_named(wait)} in every read from {ms(came_ns)} on, {ms(wait.took_ns)} after that")
    return tuple(lines)


def _named(wait: Wait) -> str:
    place = wait.place[1]
    return (
        place
        if isinstance(place, str)
        else f"the replica of session {place[0]}"
        if isinstance(place, tuple)
        else str(place)
    )


def _began(read: Read) -> str:
    return ms(read.operation.invoked_ns or 0)
