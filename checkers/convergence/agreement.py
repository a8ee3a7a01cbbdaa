"""In the end: final reads agree (`Convergent`) and show every acknowledged update (`Lossless`).

Both are judged once the history has declared that the system had fallen quiet and the declaration holds.

Of an element that was added and removed, only what every replicated set agrees about is owed. An update *covers* another
when it began after that had been acknowledged at the same place: whatever the semantics (add wins, remove wins, last
writer wins), it knew of it. A remove also covers the only add of an element that was shown at its place before. So an
acknowledged add must show when it covers every remove of its element, an acknowledged remove when it covers every add.
What remains is contested: replicas have to agree about it, and no more.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Sequence
from itertools import pairwise
from typing import NamedTuple

from ...histories.event import Kind, Operation
from ...histories.values import identity, to_json
from ..verdict import Anomaly
from .collection import Read, Record, place_of, some
from .judging import Finding, OfCollections


class Convergent(OfCollections):
    """All final reads of a collection show the same elements, each as often; the order may differ. O(size of the reads)."""

    name = "convergent"
    subjects = 2

    def look(self, record: Record) -> Finding:
        """What there is to say against it."""
        restless = record.restless()
        if restless:
            return restless
        pairs = [pair for reads in record.finals.values() for pair in pairwise(reads)]
        for one, other in pairs:
            if not one.shows_the_same(other):
                return self._differ(one, other)
        return record.unread() or (None if pairs else "no collection has two final reads to compare")

    @staticmethod
    def _differ(one: Read, other: Read) -> Anomaly:
        def only(here: Read, there: Read) -> str:
            mine, theirs = here.counts, there.counts
            more = [
                value
                for value, element in zip(here.elements, here.identities, strict=True)
                if mine[element] > theirs[element]
            ]
            return f"Shown more often by {here}: {some(more)}" if more else ""

        lines = (
            "The system was quiet when these two final reads began, and they differ",
            only(one, other),
            only(other, one),
        )
        return Anomaly(
            kind="divergent-finals",
            story=tuple(line for line in lines if line),
            operations=(one.operation, other.operation),
        )


class Owed(NamedTuple):
    """An acknowledged update that has to show in every final read of its collection.

    `because`: the updates of the same element that it covers, and what shows that it does.
    """

    update: Operation
    is_add: bool
    because: tuple[Operation, ...] = ()


class Lossless(OfCollections):
    """Every acknowledged update shows in every final read of its collection. O(updates + size of the reads)."""

    name = "lossless"

    def look(self, record: Record) -> Finding:
        """What there is to say against it."""
        restless = record.restless()
        if restless:
            return restless
        if not record.final_reads:
            return "no final read was answered"
        for owed in owed_updates(record):
            update, finals = owed.update, record.finals.get(identity(owed.update.key), [])
            if not finals:
                return f"no final read shows the collection of {update}"
            element = identity(update.argument)
            without = next((read for read in finals if (element in read.shown) is not owed.is_add), None)
            if without is not None:
                return self._lost(owed, without, [read for read in finals if (element in read.shown) is owed.is_add])
        return record.unread() or None

    @staticmethod
    def _lost(owed: Owed, without: Read, others: Sequence[Read]) -> Anomaly:
        update, element = owed.update, to_json(owed.update.argument)
        does, does_not = ("does", "does not show") if owed.is_add else ("does not", "shows")
        nobody = f"No final read shows {element}" if owed.is_add else f"Every final read shows {element}"
        return Anomaly(
            kind="missing-update",
            story=(
                *(f"{each} was over at event {each.completion}" for each in owed.because),
                f"{update} was acknowledged at event {update.completion}",
                f"{without.sentence()} is final and {does_not} {element}",
                f"{others[0].sentence()} is final and {does}" if others else nobody,
            ),
            operations=(update, *owed.because, without.operation, *(read.operation for read in others[:1])),
        )


def owed_updates(record: Record) -> Iterator[Owed]:
    """The acknowledged updates that every final read of their collection has to show; see above."""
    initial = {identity(element) for element in record.initial}
    for add in record.adds:
        removals = record.removals.get(_element(add), [])
        if add.outcome is Kind.OK and all(_covers(add, remove) for remove in removals):
            yield Owed(add, True, tuple(removals))
    shown_by = _readers(record) if record.removes else {}
    for remove in record.removes:
        key, element = _element(remove)
        adds = record.attempts.get((key, element), [])
        if remove.outcome is not Kind.OK or not (adds or element in initial):
            continue
        seen = shown_by.get((key, place_of(remove), element))
        if all(_covers(remove, add) for add in adds):
            yield Owed(remove, False, tuple(adds))
        elif len(adds) == 1 and element not in initial and seen is not None and seen.precedes(remove):
            yield Owed(remove, False, (adds[0], seen))


def _readers(record: Record) -> dict[tuple[Hashable, Hashable, Hashable], Operation]:
    """By collection, place and element that somebody tried to remove: the first read that showed it to end."""
    removed: dict[Hashable, set[Hashable]] = {}
    for key, element in record.removals:
        removed.setdefault(key, set()).add(element)
    found: dict[tuple[Hashable, Hashable, Hashable], Operation] = {}
    for key, place, reads in record.by_place():
        for read in reads:
            for element in removed.get(key, set()) & read.shown:
                found.setdefault((key, place, element), read.operation)
    return found


def _covers(later: Operation, earlier: Operation) -> bool:
    """Whether the later update knew of the earlier one, whatever replicas do."""
    return earlier.outcome is Kind.OK and earlier.precedes(later) and place_of(earlier) == place_of(later)


def _element(update: Operation) -> tuple[Hashable, Hashable]:
    return identity(update.key), identity(update.argument)


def contested(record: Record) -> int:
    """How many elements were added and removed such that replicas may keep or drop them, as long as they agree."""
    owed = {_element(each.update) for each in owed_updates(record)}
    return sum(element in record.removals and element not in owed for element in record.attempts)
