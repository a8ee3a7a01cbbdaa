"""When partitions hit the network, and which links: as the history of a run tells it.

A partition is an event `partition` of the process "nemesis". Its value lists links, each in one direction ("n1>n2"), or
sides; whoever is on none of them is on one more. `undo-partition` with the same value ends it, and so does the heal. Whether
sides are cut in one direction only is not told: links in both directions count as hit, those within a side never.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from itertools import combinations, permutations
from typing import Any, NamedTuple

from ..histories.event import Event
from ..histories.history import History


class Cut(NamedTuple):
    """A time in which partitions hit the same links.

    Attributes:
        begin_ns, end_ns: from when to when.
        links: the links between nodes that they hit, each in one direction.
    """

    begin_ns: int
    end_ns: int
    links: frozenset[tuple[str, str]]

    def connected_majority(self, nodes: Sequence[str]) -> tuple[str, ...]:
        """More than half of the nodes, with no link between them hit; nobody where there is no such set."""
        smallest = len(nodes) // 2 + 1
        return next((found for found in combinations(nodes, smallest) if self._is_connected(found)), ())

    def is_in_touch(self, node: str, nodes: Sequence[str]) -> bool:
        """Whether nothing hits the links between this node and so many others that they are more than half with it."""
        near = sum((node, other) not in self.links and (other, node) not in self.links for other in nodes)
        return 2 * near > len(nodes)

    def _is_connected(self, nodes: Collection[str]) -> bool:
        return not any(sender in nodes and receiver in nodes for sender, receiver in self.links)


def cuts(history: History, nodes: Collection[str]) -> Iterator[Cut]:
    """The times in which partitions hit links between these nodes, before the heal."""
    in_force: list[Any] = []
    begin_ns = 0
    for event in _changes(history):
        links = frozenset(link for value in in_force for link in _links(value, nodes))
        if links and event.time is not None and event.time > begin_ns:
            yield Cut(begin_ns, event.time, links)
        begin_ns = event.time or 0
        if event.action == "partition":
            in_force.append(event.value)
        elif event.action == "undo-partition" and event.value in in_force:
            in_force.remove(event.value)
        elif event.action == "heal":
            return


def _changes(history: History) -> Iterable[Event]:
    """The events at which what is hit may change."""
    actions = {"partition", "undo-partition", "heal"}
    return (event for event in history.of("nemesis", "phases") if event.action in actions)


def _links(value: Any, nodes: Collection[str]) -> Iterable[tuple[str, str]]:
    """The links between nodes that a partition of that value hits."""
    listed = {tuple(link.split(">")) for link in value if isinstance(link, str)}
    side_of = {name: number for number, side in enumerate(value) if isinstance(side, tuple) for name in side}
    rest = len(value)
    for sender, receiver in permutations(nodes, 2):
        is_across = side_of and side_of.get(sender, rest) != side_of.get(receiver, rest)
        if is_across or (sender, receiver) in listed:
            yield sender, receiver
