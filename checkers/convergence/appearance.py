"""Never: what nobody added (`PhantomFree`), more than was added (`DuplicateFree`), what comes back (`Unresurrected`, `Flapless`).

Judged from every read, at any time. All take O(size of the reads), and what does not change from one read of a place to
the next costs a difference of sets and no more.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Sequence
from typing import NamedTuple

from ...histories.event import Operation
from ...histories.values import Value, identity, to_json
from ..verdict import Anomaly
from .collection import Read, Record, often
from .judging import Finding, OfCollections


class PhantomFree(OfCollections):
    """Every element that is read was added: its add began before the read ended, and did not fail."""

    name = "phantom-free"
    subjects = 2

    def look(self, record: Record) -> Finding:
        """What there is to say against it."""
        initial = frozenset(identity(element) for element in record.initial)
        explained: dict[Hashable, set[Hashable]] = {}
        for read in sorted(record.reads, key=lambda each: each.operation.ended or 0):
            known = explained.setdefault(read.key, set(initial))
            if read.shown <= known:
                continue
            for value, element in zip(read.elements, read.identities, strict=True):
                if element not in known:
                    tried = record.attempts.get((read.key, element), ())
                    if not begun(tried, read):
                        return self._phantom(read, value, tried)
                    known.add(element)
        return None

    @staticmethod
    def _phantom(read: Read, element: Value, tried: Sequence[Operation]) -> Anomaly:
        nobody = "Nobody added it, or all who did were told that they failed"
        return Anomaly(
            kind="phantom",
            story=(
                f"{read.sentence()} shows {to_json(element)}",
                f"{tried[0]} began only after it" if tried else nobody,
            ),
            operations=(read.operation, *tried[:1]),
        )


class DuplicateFree(OfCollections):
    """No read shows an element more often than it was added (adds that failed do not count)."""

    name = "duplicate-free"
    subjects = 2

    def look(self, record: Record) -> Finding:
        """What there is to say against it."""
        initial = [identity(element) for element in record.initial]
        for read in record.reads:
            if len(read.shown) == len(read.elements):
                continue
            for element, shown in read.counts.items():
                tried = begun(record.attempts.get((read.key, element), ()), read) if shown > 1 else []
                if shown > max(1, len(tried) + initial.count(element)):
                    return self._duplicate(read, element, shown, tried)
        return None

    @staticmethod
    def _duplicate(read: Read, element: Hashable, shown: int, tried: Sequence[Operation]) -> Anomaly:
        return Anomaly(
            kind="duplicate",
            story=(
                f"{to_json(read.value_of(element))} was added {often(len(tried))} before the read ended"
                + "".join(f": {add}" for add in tried[:1]),
                f"{read.sentence()} shows it {often(shown)}",
            ),
            operations=(read.operation, *tried),
        )


class Return(NamedTuple):
    """An element that came back at a place.

    Attributes:
        key, element: which.
        before, without, after: three reads of the place, one after another: it shows, it does not, it shows again.
        times: how often it had appeared there by then, the first time included.
    """

    key: Hashable
    element: Hashable
    before: Read
    without: Read
    after: Read
    times: int


class Unresurrected(OfCollections):
    """No element comes back at a place after a remove of it, unless there are as many adds as times that it appeared.

    Adds count from their beginning, whether acknowledged or not, and what the collection held at first counts as one. So
    another add that arrives late explains why the element is there again; one and the same add appears once.
    """

    name = "unresurrected"
    subjects = 2

    def look(self, record: Record) -> Finding:
        """What there is to say against it."""
        initial = {identity(element) for element in record.initial}
        for back in returns(record):
            at = (back.key, back.element)
            removals = begun(record.removals.get(at, ()), back.without)
            adds = begun(record.attempts.get(at, ()), back.after)
            if removals and back.times > len(adds) + (back.element in initial):
                return self._resurrected(back, removals[0], adds)
        return None

    @staticmethod
    def _resurrected(back: Return, remove: Operation, adds: Sequence[Operation]) -> Anomaly:
        added = f"It was added {often(len(adds))} before that: {adds[0]}" if adds else "Nobody had added it"
        return Anomaly(
            kind="resurrected",
            story=(
                f"{back.before.sentence()} shows {to_json(back.before.value_of(back.element))}",
                f"{remove} began at event {remove.invocation}",
                f"{back.without.sentence()}, later and at the same place, shows it no more",
                f"{back.after.sentence()}, still later, shows it again",
                added,
            ),
            operations=(remove, *adds, back.before.operation, back.without.operation, back.after.operation),
        )


class Flapless(OfCollections):
    """What a place has shown and nobody tried to remove, it does not hide and show again.

    A replica that lost an element and got it back converges none the less; this asks for more than convergence.
    """

    name = "flapless"

    def look(self, record: Record) -> Finding:
        """What there is to say against it."""
        for back in returns(record):
            if not begun(record.removals.get((back.key, back.element), ()), back.without):
                return Anomaly(
                    kind="flapping",
                    story=(
                        f"{back.before.sentence()} shows {to_json(back.before.value_of(back.element))}",
                        f"{back.without.sentence()}, later and at the same place, does not",
                        f"{back.after.sentence()}, still later, shows it again",
                        "Nobody had tried to remove it",
                    ),
                    operations=(back.before.operation, back.without.operation, back.after.operation),
                )
        return None


class _Last(NamedTuple):
    """The read at which an element last changed at a place, and how often it had appeared by then."""

    read: Read
    times: int
    before: Read | None = None


def returns(record: Record) -> Iterator[Return]:
    """Every return of an element at a place, in the order of places and of the ends of reads.

    Only reads that follow each other in real time count. Of reads of which one shows an element and another does not, the
    earliest to end is taken, which leaves room for the most changes.
    """
    for key, _, reads in record.by_place():
        yield from _returns_at(key, reads)


def _returns_at(key: Hashable, reads: Sequence[Read]) -> Iterator[Return]:
    there: dict[Hashable, _Last] = {}
    gone: dict[Hashable, _Last] = {}
    for read in reads:
        shown = read.shown
        for element in there.keys() - shown:
            last = there[element]
            if last.read.operation.precedes(read.operation):
                gone[element] = _Last(read, last.times, last.read)
                del there[element]
        if shown <= there.keys():
            continue
        for element in dict.fromkeys(read.identities):
            if element in there:
                continue
            last_gone = gone.get(element)
            if last_gone is None:
                there[element] = _Last(read, 1)
            elif last_gone.read.operation.precedes(read.operation):
                there[element] = _Last(read, last_gone.times + 1)
                del gone[element]
                assert last_gone.before is not None
                yield Return(key, element, last_gone.before, last_gone.read, read, last_gone.times + 1)


def begun(updates: Sequence[Operation], read: Read) -> list[Operation]:
    """Those updates that began before the read ended."""
    ended = read.operation.ended
    return [update for update in updates if ended is not None and update.began < ended]
