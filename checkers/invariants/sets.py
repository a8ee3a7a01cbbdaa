"""A set that grows: what was added stays, what shows was added, and when each element was seen by whom."""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, NamedTuple

from ...histories.event import Kind, Operation
from ...histories.history import History
from ...histories.values import identity, to_json
from ..convergence.collection import Read, elements_of
from ..verdict import Anomaly
from .invariant import Invariant, Look, answered, by_key, moments, named, place_of


@dataclass(frozen=True, kw_only=True)
class _OfSets(Invariant):
    """What judges of sets share.

    Attributes:
        adds: the actions that add their argument.
        read: the action that shows the whole set.
    """

    adds: tuple[str, ...] = ("add",)
    read: str = "read"

    judges: ClassVar[str] = "read that was answered"

    def _sets(self, history: History) -> Iterator[_Set]:
        """Each set of which something was read, with its reads in the order in which they began."""
        reads: dict[Hashable, list[Read]] = {}
        for operation in answered(history, self.read):
            if operation.result is not None or history.header.nil_read == "absent":
                reads.setdefault(identity(operation.key), []).append(Read(operation, elements_of(operation, history)))
        adds = by_key(named(history, self.adds))
        declared = history.header.initial
        initial = frozenset(identity(element) for element in declared) if isinstance(declared, tuple) else frozenset()
        for key, mine in reads.items():
            yield _Set(initial, adds.get(key, []), mine)

    def _strange(self, mine: _Set) -> Anomaly | None:
        """A read of an element that, when the read ended, nobody may have added."""
        shown = {read.operation.invocation: read for read in mine.reads}
        begun = set(mine.initial)
        for begins, operation in moments([*mine.adds, *(read.operation for read in mine.reads)]):
            read = shown.get(operation.invocation)
            if read is None and begins:
                begun.add(identity(operation.argument))
            elif read is not None and not begins and not begun >= read.shown:
                element = next(each for each in read.elements if identity(each) not in begun)
                late = [each for each in mine.adds if identity(each.argument) == identity(element)]
                headline = f"{to_json(element)} is shown{place_of(operation)}, and nobody may have added it by then:"
                return self.breach("unexpected-element", headline, operation, *late)
        return None


class _Set(NamedTuple):
    """A set: what it held at first, adds that may have taken effect, and reads."""

    initial: frozenset[Hashable]
    adds: Sequence[Operation]
    reads: Sequence[Read]


@dataclass(frozen=True, kw_only=True)
class Set(_OfSets):
    """The last read shows what was acknowledged before it, and no read shows what was never added. O(n log n + e).

    e is the number of elements in all answers. Which read is the last: the answered one that began last.
    """

    name: ClassVar[str] = "set"
    rule: ClassVar[str] = (
        "The last read of a set shows each element whose add was acknowledged, and none that was not added."
    )

    def look(self, history: History) -> Look:
        """What one pass over the history finds."""
        counted: Counter[str] = Counter(acknowledged=0, recovered=0, after=0)
        judged = 0
        for mine in self._sets(history):
            last = mine.reads[-1]
            judged += 1
            for add in mine.adds:
                shown = identity(add.argument) in last.shown
                if add.precedes(last.operation) and add.outcome is Kind.OK and not shown:
                    headline = (
                        f"{to_json(add.argument)} was acknowledged before the last read{place_of(add)}, which lacks it:"
                    )
                    return Look(anomaly=self.breach("lost-element", headline, add, last.operation), judged=judged)
                counted["acknowledged"] += add.outcome is Kind.OK
                counted["recovered"] += add.outcome is not Kind.OK and shown
                counted["after"] += add.outcome is Kind.OK and not shown
            strange = self._strange(mine)
            if strange is not None:
                return Look(anomaly=strange, judged=judged)
        return Look(judged=judged, evidence=dict(counted))


class _Timeline(NamedTuple):
    """How one element fared at one place where the set is read.

    Attributes:
        add: its first add that was acknowledged, or else that may have taken effect.
        known: what first showed that it was in the set: the add or the read that ended first.
        absent: the last read that began after that and lacks it, if there is one.
        showing: a read at that place that shows it and began after `absent`, if there is one.
        seen: a read of any place that shows it, if there is one.
    """

    add: Operation
    known: Operation
    absent: Operation | None
    showing: Operation | None
    seen: Operation | None

    @property
    def fate(self) -> str:
        """`stable`, `stale` (lacking for a while), `lost`, `never-read`, or `unread`, where nobody looked afterwards."""
        if self.absent is None:
            return "unread" if self.showing is None else "stable"
        if self.showing is not None:
            return "stale"
        return "never-read" if self.seen is None else "lost"

    @property
    def lag_ns(self) -> int | None:
        """For how long after it was known it was still lacking, at least, where times are told."""
        if self.absent is None:
            return 0
        if self.known.completed_ns is None or self.absent.invoked_ns is None:
            return None
        return max(0, self.absent.invoked_ns - self.known.completed_ns)


@dataclass(frozen=True, kw_only=True)
class SetFull(_OfSets):
    """What becomes of each element at each place where the set is read: it stays once it shows, or is lost.

    A place is a node, where the history tells who answered; else all reads are of one place. An element is known from when
    its add was acknowledged, or a read showed it, whichever ended first. At each place it is `stable` (shown by all reads
    that began after that), `stale` (lacking at first, and shown from some read on), `lost` (lacking in the last read, though
    some read anywhere shows it), `never-read` (acknowledged, and no read shows it) or `unread` (nobody looked any more).

    Refuted by an element that is lost, shown twice by one read, or shown though nobody added it; with `linearizable` also by
    one that is stale or never read. Otherwise an element that was never read leaves it undecided: it may be late.
    O(n log n + e + k p) for e elements in all answers, k added ones and p places.

    Attributes:
        linearizable: whether what is known has to show at once.
    """

    linearizable: bool = False

    name: ClassVar[str] = "set-full"
    rule: ClassVar[str] = "An element that was added stays in the set, once, and shows wherever it is read."

    def look(self, history: History) -> Look:
        """What one pass over the history finds."""
        fates: Counter[str] = Counter()
        lags: list[int] = []
        late: _Timeline | None = None
        judged = 0
        for mine in self._sets(history):
            judged += len(mine.reads)
            for timeline in _timelines(mine):
                fates[timeline.fate] += 1
                lags += [lag for lag in (timeline.lag_ns,) if timeline.fate in {"stable", "stale"} and lag is not None]
                if timeline.fate == "lost" or (self.linearizable and timeline.fate in {"stale", "never-read"}):
                    return Look(anomaly=self._told(timeline), judged=judged, evidence=_counted(fates, lags))
                late = timeline if late is None and timeline.fate == "never-read" else late
            strange = self._twice(mine) or self._strange(mine)
            if strange is not None:
                return Look(anomaly=strange, judged=judged)
        doubt = "" if late is None else f"{to_json(late.add.argument)} was added and never read: it is lost, or late"
        return Look(judged=judged, doubt=doubt, evidence=_counted(fates, lags))

    def _twice(self, mine: _Set) -> Anomaly | None:
        for read in mine.reads:
            if len(read.shown) < len(read.elements):
                twice, times = read.counts.most_common(1)[0]
                headline = f"{to_json(read.value_of(twice))} is shown {times} times{place_of(read.operation)}:"
                return self.breach("duplicate-element", headline, read.operation)
        return None

    def _told(self, timeline: _Timeline) -> Anomaly:
        element, fate = to_json(timeline.add.argument), timeline.fate
        assert timeline.absent is not None, "what is lost, stale or never read is lacking somewhere"
        where = f" at {timeline.absent.node}" if timeline.absent.node else ""
        said = {
            "lost": f"{element} was in the set, and the last read{where} that began after that lacks it:",
            "stale": f"{element} was in the set, and a read{where} that began after that lacks it:",
            "never-read": f"{element} was acknowledged, and no read shows it:",
        }
        involved = (timeline.add, timeline.known, timeline.absent, timeline.showing, timeline.seen)
        told = {each.invocation: each for each in involved if each is not None}
        kind = {"lost": "lost-element", "stale": "stale-element"}.get(fate, fate)
        return self.breach(kind, said[fate], *(told[number] for number in sorted(told)))


def _counted(fates: Mapping[str, int], lags: Sequence[int]) -> dict[str, Any]:
    """Fates by (element, place), and for how long what was known was lacking."""
    ordered = sorted(lags)
    quantiles = {"lag_median_ns": 50, "lag_p99_ns": 99, "lag_max_ns": 100}
    told = {name: ordered[(len(ordered) - 1) * share // 100] for name, share in quantiles.items()} if ordered else {}
    return {**dict(sorted(fates.items())), **told}


def _timelines(mine: _Set) -> Iterator[_Timeline]:
    """How each element that was added fared at each place."""
    places: dict[str | None, list[Read]] = {}
    for read in mine.reads:
        places.setdefault(read.operation.node, []).append(read)
    first_seen: dict[Hashable, Operation] = {}
    for read in sorted(mine.reads, key=lambda read: _ended(read.operation)):
        for element in read.identities:
            first_seen.setdefault(element, read.operation)
    shown = {place: _rows(reads) for place, reads in places.items()}
    for element, add in _first_adds(mine.adds).items():
        seen = first_seen.get(element)
        witnesses = [each for each in (add if add.outcome is Kind.OK else None, seen) if each is not None]
        if witnesses:
            known = min(witnesses, key=_ended)
            for place, reads in places.items():
                absent, showing = _last_absent(reads, shown[place].get(element, []), known)
                yield _Timeline(add, known, absent, showing, seen)


def _rows(reads: Sequence[Read]) -> dict[Hashable, list[int]]:
    """In which of these reads each element shows."""
    rows: dict[Hashable, list[int]] = {}
    for row, read in enumerate(reads):
        for element in read.shown:
            rows.setdefault(element, []).append(row)
    return rows


def _last_absent(
    reads: Sequence[Read], rows: Sequence[int], known: Operation
) -> tuple[Operation | None, Operation | None]:
    """The last read that began after an element was known and lacks it, and the last that shows it after that one."""
    row, at = len(reads) - 1, len(rows) - 1
    while at >= 0 and rows[at] == row:
        row, at = row - 1, at - 1
    showing = reads[-1].operation if row < len(reads) - 1 else None
    absent = reads[row].operation if row >= 0 and known.precedes(reads[row].operation) else None
    return absent, showing


def _first_adds(adds: Sequence[Operation]) -> dict[Hashable, Operation]:
    """Of each element the acknowledged add that ended first, else the first that may have taken effect."""
    first: dict[Hashable, Operation] = {}
    for add in adds:
        name = identity(add.argument)
        known = first.setdefault(name, add)
        if add.outcome is Kind.OK and (known.outcome is not Kind.OK or _ended(add) < _ended(known)):
            first[name] = add
    return first


def _ended(operation: Operation) -> int:
    assert operation.ended is not None, "it was answered"
    return operation.ended
