"""Did replicas of a growing collection come together? Decided from what clients added and read.

What must be so in the end (`Convergent`, `Lossless`) is judged from final reads, once the history has declared that the
system had fallen quiet and the declaration holds. What must never be seen (`PhantomFree`, `DuplicateFree`) is judged from
every read.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, TypeAlias

from ..histories.event import Kind, Operation
from ..histories.history import History
from ..histories.values import Value, identity, to_json
from .collection import Read, Record
from .verdict import Anomaly, Refuted, Undecided, Upheld, Verdict

Finding: TypeAlias = "Anomaly | str | None"
"""An anomaly; why nothing can be said; or nothing to say against it."""


@dataclass(frozen=True, kw_only=True)
class _OfCollections:
    """What judges of collections share.

    Attributes:
        adds: the actions that add their argument.
        read: the action that shows the whole collection.
    """

    adds: tuple[str, ...] = ("add",)
    read: str = "read"

    def check(self, history: History, /) -> Verdict:
        """The verdict.

        Raises:
            MalformedHistory: a read shows no array.
        """
        record = Record(history, adds=self.adds, read=self.read)
        found = self._look(record)
        about: dict[str, Any] = {
            "checker": self._name,
            "operations": len(record.adds) + len(record.reads),
            "evidence": {
                "adds": len(record.adds),
                "reads": len(record.reads),
                "final_reads": len(record.final_reads),
            },
        }
        match found:
            case Anomaly():
                return Refuted(found, **about)
            case str():
                return Undecided(found, **about)
        return Upheld(**about)

    @property
    def _name(self) -> str:
        raise NotImplementedError

    def _look(self, record: Record) -> Finding:
        raise NotImplementedError


# --- in the end


class Convergent(_OfCollections):
    """All final reads of a collection show the same elements, each as often; the order may differ."""

    _name = "convergent"

    def _look(self, record: Record) -> Finding:
        restless = record.restless()
        if restless:
            return restless
        for one, other in _neighbours(record.final_reads):
            if one.counts != other.counts:
                return self._differ(record, one, other)
        if not any(_neighbours(record.final_reads)):
            return "no collection has two final reads to compare"
        return _unanswered(record)

    @staticmethod
    def _differ(record: Record, one: Read, other: Read) -> Anomaly:
        def only(here: Read, there: Read) -> str:
            more = [
                element for element in here.elements if here.counts[identity(element)] > there.counts[identity(element)]
            ]
            return f"Shown more often by {here}: {_some(more)}" if more else ""

        return Anomaly(
            kind="divergent-reads",
            story=tuple(
                line
                for line in (
                    "The system was quiet when these two final reads began, and they differ",
                    only(one, other),
                    only(other, one),
                )
                if line
            ),
            operations=(one.operation, other.operation),
            history=record.excerpt(one.operation, other.operation),
        )


class Lossless(_OfCollections):
    """Every element whose add was acknowledged is in every final read of its collection."""

    _name = "lossless"

    def _look(self, record: Record) -> Finding:
        restless = record.restless()
        if restless:
            return restless
        if not record.final_reads:
            return "no final read was answered"
        for add in record.adds:
            finals = [read for read in record.final_reads if read.key == identity(add.key)]
            without = [read for read in finals if identity(add.argument) not in read.counts]
            if add.outcome is Kind.OK and without:
                return self._lost(record, add, without, [read for read in finals if read not in without])
        return _unanswered(record)

    @staticmethod
    def _lost(record: Record, add: Operation, without: Sequence[Read], others: Sequence[Read]) -> Anomaly:
        involved = (add, without[0].operation, *(read.operation for read in others[:1]))
        return Anomaly(
            kind="missing" if others else "lost",
            story=(
                f"{add} was acknowledged at event {add.completion}",
                f"{_sentence(without[0])} is final and does not show {to_json(add.argument)}",
                f"{_sentence(others[0])} is final and does" if others else "No final read shows it",
            ),
            operations=involved,
            history=record.excerpt(*involved),
        )


def _neighbours(reads: Sequence[Read]) -> list[tuple[Read, Read]]:
    """Each two reads that follow each other, of the same collection."""
    by_key: dict[Any, list[Read]] = {}
    for read in reads:
        by_key.setdefault(read.key, []).append(read)
    return [pair for mine in by_key.values() for pair in pairwise(mine)]


def _unanswered(record: Record) -> str | None:
    """A replica that did not answer its final read may show anything."""
    return f"{record.unanswered[0]}: a final read was not answered" if record.unanswered else None


# --- never


class PhantomFree(_OfCollections):
    """Every element that is read was added: its add began before the read ended, and did not fail."""

    _name = "phantom-free"

    def _look(self, record: Record) -> Finding:
        attempts = record.attempts()
        initial = {identity(element) for element in record.initial}
        for read in record.reads:
            for element in read.elements:
                tried = attempts.get((read.key, identity(element)), ())
                if not _begun(tried, read) and identity(element) not in initial:
                    return self._phantom(record, read, element, tried)
        return None

    @staticmethod
    def _phantom(record: Record, read: Read, element: Value, tried: Sequence[Operation]) -> Anomaly:
        later = (
            f"{tried[0]} began only after it" if tried else "Nobody added it, or all who did were told that they failed"
        )
        involved = (read.operation, *tried[:1])
        return Anomaly(
            kind="phantom",
            story=(f"{_sentence(read)} shows {to_json(element)}", later),
            operations=involved,
            history=record.excerpt(*involved),
        )


class DuplicateFree(_OfCollections):
    """No read shows an element more often than it was added (adds that failed do not count)."""

    _name = "duplicate-free"

    def _look(self, record: Record) -> Finding:
        attempts = record.attempts()
        initial = [identity(element) for element in record.initial]
        for read in record.reads:
            for element in read.elements:
                often = read.counts[identity(element)]
                tried = _begun(attempts.get((read.key, identity(element)), ()), read) if often > 1 else []
                if often > max(1, len(tried) + initial.count(identity(element))):
                    return self._duplicate(record, read, element, tried)
        return None

    @staticmethod
    def _duplicate(record: Record, read: Read, element: Value, tried: Sequence[Operation]) -> Anomaly:
        involved = (*tried, read.operation)
        return Anomaly(
            kind="duplicate",
            story=(
                f"{to_json(element)} was added {_times(len(tried))} before the read ended"
                + "".join(f": {add}" for add in tried[:1]),
                f"{_sentence(read)} shows it {_times(read.counts[identity(element)])}",
            ),
            operations=involved,
            history=record.excerpt(*involved),
        )


def _begun(adds: Sequence[Operation], read: Read) -> list[Operation]:
    """Those adds that began before the read ended."""
    ended = read.operation.ended
    return [add for add in adds if ended is not None and add.began < ended]


def _times(count: int) -> str:
    return {0: "never", 1: "once", 2: "twice"}.get(count, f"{count} times")


def _sentence(read: Read) -> str:
    return str(read)[0].upper() + str(read)[1:]


def _some(elements: Sequence[Value]) -> str:
    """At most three different elements, in the order in which they are shown."""
    different = list({identity(element): element for element in elements}.values())
    more = f" and {len(different) - 3} more" if len(different) > 3 else ""
    return ", ".join(to_json(element) for element in different[:3]) + more
