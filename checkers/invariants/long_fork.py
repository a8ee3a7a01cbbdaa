"""Two observers that disagree about which of two writes came first."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Hashable, Mapping
from dataclasses import dataclass
from itertools import combinations
from typing import ClassVar, NamedTuple

from ...histories.event import Kind, Operation
from ...histories.history import History
from ...histories.values import Value, identity, to_json
from .invariant import Invariant, Look, quote
from .transactions import transactions


class _View(NamedTuple):
    """What a transaction read: each key, and whether its write shows. Keys that it wrote itself are left out."""

    read: Operation
    shows: Mapping[Hashable, bool]
    names: Mapping[Hashable, Value]


@dataclass(frozen=True, kw_only=True)
class LongFork(Invariant):
    """No two reads see two writes in opposite orders: one that of x and not that of y, the other that of y and not x's.

    Histories are made for it: each key is written once, and its value before that is null; a history that writes a key
    twice is not applicable. Reads that have two keys in common are compared. O(n + v k^2) for v different views of at most
    k keys. Parallel snapshot isolation allows long forks; snapshot isolation and prefix consistency forbid them.
    """

    name: ClassVar[str] = "long-fork"
    rule: ClassVar[str] = "All observers see two writes in the same order."
    judges: ClassVar[str] = "two reads of the same two keys"

    @property
    def needs_real_time(self) -> bool:
        """It does not: each rule is about what was seen, in whatever order."""
        return False

    def look(self, history: History) -> Look:
        """What one pass over the history finds."""
        writers: dict[Hashable, Operation] = {}
        views: dict[Hashable, _View] = {}
        often: Counter[frozenset[Hashable]] = Counter()
        for operation, steps in transactions(history):
            if operation.outcome is Kind.FAIL:
                continue
            wrote = dict.fromkeys(identity(step.key) for step in steps if step.action == "w")
            for name in wrote:
                known = writers.setdefault(name, operation)
                if known is not operation:
                    return Look(
                        doubt=f"not applicable: a key is written twice, by {quote(known)}, and {quote(operation)}"
                    )
            if operation.outcome is not Kind.OK:
                continue
            shows = {
                identity(step.key): step.value is not None
                for step in steps
                if step.action == "r" and identity(step.key) not in wrote
            }
            if len(shows) > 1:
                view = frozenset(shows.items())
                views.setdefault(view, _View(operation, shows, {identity(step.key): step.key for step in steps}))
                often[frozenset(shows)] += 1
        return self._compare(tuple(views.values()), writers, _comparable(often))

    def _compare(self, views: Collection[_View], writers: Mapping[Hashable, Operation], judged: int) -> Look:
        """The first two views of two keys that are opposite."""
        order: dict[tuple[Hashable, Hashable], _View] = {}
        for view in views:
            shown = [key for key, shows in view.shows.items() if shows]
            hidden = [key for key, shows in view.shows.items() if not shows]
            for first in shown:
                for second in hidden:
                    order.setdefault((first, second), view)
                    other = order.get((second, first))
                    if other is not None:
                        x, y = to_json(other.names[second]), to_json(other.names[first])
                        headline = f"One read shows the write of {x} and not that of {y}, the other that of {y} and not that of {x}:"
                        wrote = [writers[key] for key in (second, first) if key in writers]
                        return Look(
                            anomaly=self.breach("long-fork", headline, *wrote, other.read, view.read), judged=judged
                        )
        return Look(judged=judged, evidence={"views": len(views)})


def _comparable(often: Counter[frozenset[Hashable]]) -> int:
    """How many reads have two keys in common with another one, given how often each group of keys was read."""
    pairs: Counter[frozenset[Hashable]] = Counter()
    for group, count in often.items():
        for pair in combinations(group, 2):
            pairs[frozenset(pair)] += count
    return sum(
        count for group, count in often.items() if any(pairs[frozenset(pair)] > 1 for pair in combinations(group, 2))
    )
