"""Why the view of a session has no order, in sentences that a reader can check against the history, and as a graph."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from itertools import pairwise
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

import numpy as np

from ..naming import Naming
from ..reading import operations_of
from ..reads_from import INITIAL, ReadsFrom
from ..verdict import Anomaly
from .order import by_row
from .past import CausalOrder
from .views_search import Pair, View

if TYPE_CHECKING:
    import networkx as nx


class Link(NamedTuple):
    """One transaction before another in a view. `why` is so, wr, or conflict: a write before the one that was read.

    `read` is the row of the reads that is the reason, -1 where it is session order.
    """

    before: int
    after: int
    why: str
    read: int = -1


class Proof(NamedTuple):
    """What shows that a view has no order: links, each pair after what it rests on; `closing` are those of the cycle."""

    links: tuple[Link, ...]
    closing: tuple[Link, ...]


def prove(past: CausalOrder, view: View, *, is_causal: bool) -> Proof:
    """The links that lead to the clash of a view, which has one. O(rows) for each pair that they rest on."""
    if view.clash is None:
        raise ValueError("a view that has an order has no clash")
    ways = _Ways(past, view, is_causal=is_causal)
    links: dict[Link, None] = {}
    row, source, read = view.clash
    reader = int(past.traced.reads[read, 0])
    seen = ways.path(row, reader)
    ways.support(seen, links)
    if source == INITIAL:
        return Proof(tuple(links), (*_links(seen), Link(reader, row, "rw", read)))
    back = ways.path(source, row)
    ways.support(back, links)
    last = Link(row, source, "conflict", read)
    if row == reader:
        last = Link(source, row, "wr", read)
        back = ways.path(row, source)
        ways.support(back, links)
    links[last] = None
    return Proof(tuple(links), (*_links(back), last))


_Way: TypeAlias = tuple[tuple[Link, int], ...]
"""A path: its links, each with its number among the pairs, -1 for one that the model gives."""


def _links(way: _Way) -> tuple[Link, ...]:
    return tuple(link for link, _ in way)


class _Ways:
    """Shortest paths in a view; the pairs come last among the edges, in the order in which they were found."""

    def __init__(self, past: CausalOrder, view: View, *, is_causal: bool) -> None:
        traced = past.traced
        own = np.isin(past.read_edges.after, view.reader)
        if view.key is not None:
            own &= traced.reads[past.read_edges.cause, 1] == view.key
        chosen = np.flatnonzero(own | is_causal)
        edges, given = past.session_edges, past.read_edges
        self.view, self.traced = view, traced
        self.links = [
            *(Link(before, after, "so") for before, after in _pairs(edges.before, edges.after)),
            *(
                Link(before, after, "wr", read)
                for (before, after), read in zip(
                    _pairs(given.before[chosen], given.after[chosen]), given.cause[chosen].tolist(), strict=True
                )
            ),
        ]
        self.given = len(self.links)
        self.links += [Link(pair.before, pair.after, "conflict", pair.read) for pair in view.pairs]
        starts, numbers = by_row(len(traced), np.array([link.after for link in self.links], np.int64))
        self.starts, self.edges = starts.tolist(), numbers.tolist()

    def path(self, begin: int, end: int, pairs: int | None = None) -> _Way:
        """A shortest path that needs the first so many pairs alone; none where the ends are one."""
        limit = len(self.links) if pairs is None else self.given + pairs
        via: dict[int, int] = {}
        todo = deque([end])
        while begin not in via and begin != end:
            row = todo.popleft()
            for edge in self.edges[self.starts[row] : self.starts[row + 1]]:
                earlier = self.links[edge].before
                if edge < limit and earlier not in via:
                    via[earlier] = edge
                    todo.append(earlier)
        found: list[int] = []
        while begin != end:
            found.append(via[begin])
            begin = self.links[found[-1]].after
        return self._merged(found)

    def _merged(self, edges: Sequence[int]) -> _Way:
        """With each run of session order as one link."""
        merged: list[tuple[Link, int]] = []
        for edge in edges:
            link, pair = self.links[edge], edge - self.given
            if merged and link.why == merged[-1][0].why == "so":
                merged[-1] = Link(merged[-1][0].before, link.after, "so"), -1
            else:
                merged.append((link, max(pair, -1)))
        return tuple(merged)

    def support(self, way: _Way, links: dict[Link, None]) -> None:
        """Add the links of a path, each pair after the links that it rests on."""
        todo: list[tuple[Link, int, bool]] = [(link, pair, False) for link, pair in reversed(way)]
        while todo:
            link, pair, is_ready = todo.pop()
            if link in links:
                continue
            if pair < 0 or is_ready:
                links[link] = None
                continue
            todo.append((link, pair, True))
            found: Pair = self.view.pairs[pair]
            reader = int(self.traced.reads[found.read, 0])
            todo += [(each, number, False) for each, number in reversed(self.path(found.before, reader, pair))]


def _pairs(before: Any, after: Any) -> list[tuple[int, int]]:
    return list(zip(before.tolist(), after.tolist(), strict=True))


def involved(traced: ReadsFrom, proof: Proof) -> list[int]:
    """The transactions that show it by themselves."""
    links = (*proof.links, *proof.closing)
    rows = {row for link in links for row in (link.before, link.after)}
    reads = [link.read for link in links if link.read >= 0]
    rows |= {int(row) for row in traced.reads[reads][:, (0, 2)].reshape(-1)}
    return sorted(rows - {INITIAL})


def tell(traced: ReadsFrom, view: View, proof: Proof) -> Anomaly:
    """The anomaly. Its story names operations by the number of the event that began them."""
    import networkx as nx  # noqa: PLC0415  # heavy, and only a refutation needs it

    teller = _Teller(traced, view)
    rows = involved(traced, proof)
    lines = teller.introduction(rows)
    lines += [teller.link(link) for link in proof.links]
    last = proof.closing[-1]
    is_initial = last.why == "rw"
    end = f"But {teller.link(last)}" if is_initial else teller.circle(proof.closing)
    graph: nx.MultiDiGraph[Any] = nx.MultiDiGraph()
    for link in dict.fromkeys((*proof.links, *proof.closing)):
        graph.add_edge(teller.node(link.before), teller.node(link.after), kind=link.why, reason=teller.link(link))
    kind = "view-initial-read" if is_initial else "cyclic-view"
    return Anomaly(kind=kind, story=(*lines, end), operations=operations_of(traced, rows), graph=graph)


class _Teller(Naming):
    def __init__(self, traced: ReadsFrom, view: View) -> None:
        super().__init__(traced)
        self.reader = self.session(view.reader[0])

    def link(self, link: Link) -> str:
        before, after = self.name(link.before), self.name(link.after)
        match link.why:
            case "so":
                return self.follows(link.before, link.after)
            case "wr":
                return self.returned(link.before, link.after, link.read)
            case "rw":
                return (
                    f"{before} read what was there at first{self.key(link.read)}, before any write, {after} among them"
                )
        reader = self.name(int(self.traced.reads[link.read, 0]))
        return (
            f"Session {self.reader} must take {before} before {after}, because its read {reader} returned "
            f"the value{self.key(link.read)} that {after} wrote, and {before} comes before {reader}"
        )

    def circle(self, closing: Sequence[Link]) -> str:
        rows = [closing[0].before, *(link.after for link in closing)]
        if any(before.after != after.before for before, after in pairwise(closing)):
            raise ValueError("the links of a cycle follow each other")
        told = ", ".join(f"{self.name(row)} before {self.name(after)}" for row, after in pairwise(rows))
        return f"So no order suits session {self.reader}: {told}"
