"""When the network was cut, and which links: as the history of a run tells it.

A cut of links is an event `partition` of the process "nemesis" with the links as its value, each in one direction
("n1>n2"); one between sides has the sides there. `undo-partition` with the same value ends it, and so does the heal.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from itertools import combinations
from typing import Any, NamedTuple

from ..histories.event import Event
from ..histories.history import History
from ..histories.values import Value


class PartialCut(NamedTuple):
    """A time in which the same links were cut, and nothing else was.

    Attributes:
        begin_ns, end_ns: from when to when.
        links: the links between nodes that were cut, each in one direction.
    """

    begin_ns: int
    end_ns: int
    links: frozenset[tuple[str, str]]

    def connected_majority(self, nodes: Sequence[str]) -> tuple[str, ...]:
        """More than half of the nodes that could all talk with each other; nobody where there is no such set."""
        smallest = len(nodes) // 2 + 1
        return next((found for found in combinations(nodes, smallest) if self._is_connected(found)), ())

    def _is_connected(self, nodes: Collection[str]) -> bool:
        return not any(sender in nodes and receiver in nodes for sender, receiver in self.links)


def partial_cuts(history: History, nodes: Collection[str]) -> Iterator[PartialCut]:
    """The times in which links between these nodes were cut one by one, before the heal."""
    in_force: list[Any] = []
    begin_ns = 0
    for event in _changes(history):
        links = _links(in_force, nodes)
        if links and event.time is not None and event.time > begin_ns:
            yield PartialCut(begin_ns, event.time, links)
        begin_ns = event.time or 0
        if event.action == "partition":
            in_force.append(event.value)
        elif event.action == "undo-partition" and event.value in in_force:
            in_force.remove(event.value)
        elif event.action == "heal":
            return


def _changes(history: History) -> Iterable[Event]:
    """The events at which what is cut may change."""
    actions = {"partition", "undo-partition", "heal"}
    return (event for event in history.of("nemesis", "phases") if event.action in actions)


def _links(in_force: Iterable[Value], nodes: Collection[str]) -> frozenset[tuple[str, str]]:
    """The links between nodes that are cut; none where there is a cut between sides, too."""
    found: set[tuple[str, str]] = set()
    for value in in_force:
        for link in value if isinstance(value, tuple) else ():
            if not isinstance(link, str) or ">" not in link:
                return frozenset()
            sender, _, receiver = link.partition(">")
            if sender in nodes and receiver in nodes:
                found.add((sender, receiver))
    return frozenset(found)
