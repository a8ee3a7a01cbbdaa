"""What upholds eventual visibility: what every final read showed, checked against the events alone."""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from ...histories.event import Event, Kind
from ...histories.history import History
from ...histories.values import identity


class WitnessFails(AssertionError):
    """The history does not end as the witness says."""


@dataclass(frozen=True)
class Ending:
    """How a history ends.

    Attributes:
        shown: by collection, how often every final read of it shows each element.
        adds, removes, read: the actions.
    """

    shown: Mapping[Hashable, Counter[Hashable]]
    adds: tuple[str, ...]
    removes: tuple[str, ...]
    read: str

    def recheck(self, history: History) -> None:
        """Walk the events once, O(size of the history), without what the judge has worked out.

        Raises:
            WitnessFails: final reads show something else, an acknowledged add that nobody tried to remove is not among it, or
                something is that nobody tried to add.
        """
        finals, tried, acknowledged, removed = 0, set(self._initial(history)), set[Any](), set[Any]()
        for begin, end in _exchanges(history):
            at = (identity(begin.key), identity(begin.value))
            failed = end is not None and end.kind is Kind.FAIL
            if begin.action in self.adds and not failed:
                tried.add(at)
                if end is not None and end.kind is Kind.OK:
                    acknowledged.add(at)
            elif begin.action in self.removes and not failed:
                removed.add(at)
        by_time = history.header.order == "time"
        final = next((event for event in history.nemesis() if event.action == "final"), None)
        for begin, end in _exchanges(history):
            if (
                begin.action == self.read
                and end is not None
                and end.kind is Kind.OK
                and _follows(final, begin, by_time)
            ):
                finals += 1
                elements = end.value if isinstance(end.value, tuple) else ()
                _must(Counter(map(identity, elements)) == self.shown[identity(begin.key)], f"event {begin.index}")
        _must(finals > 0, "there is no final read")
        _must(all(self.shown[key][element] > 0 for key, element in acknowledged - removed), "an add does not show")
        _must(
            all(
                (key, element) in tried or (None, element) in tried
                for key, counts in self.shown.items()
                for element in counts
            ),
            "an element comes from nowhere",
        )

    @staticmethod
    def _initial(history: History) -> Iterator[tuple[Hashable, Hashable]]:
        initial = history.header.initial
        for element in initial if isinstance(initial, tuple) else ():
            yield None, identity(element)


def _exchanges(history: History) -> Iterator[tuple[Event, Event | None]]:
    """Each invocation of a client with its completion, in the order in which they were over."""
    begun: dict[Any, Event] = {}
    for event in history:
        if event.is_client and event.kind is Kind.INVOKE:
            begun[event.process] = event
        elif event.is_client and event.process in begun:
            yield begun.pop(event.process), event
    for event in begun.values():
        yield event, None


def _follows(final: Event | None, begin: Event, by_time: bool) -> bool:  # noqa: FBT001  # private, one caller
    """Whether a read began after the final phase had."""
    if final is None:
        return False
    return (begin.time or 0) > (final.time or 0) if by_time else begin.index > final.index


def _must(holds: object, what: str) -> None:
    if not holds:
        raise WitnessFails(what)
