"""Shortest paths and cycles among rows, for explanations."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from typing import Final

from ..reads_from import Numbers
from .order import by_row

_TRIES: Final = 16
"""From how many edges of a cycle a shorter one is looked for."""


class Graph:
    """Edges by where they end; paths are lists of edge numbers. Every search is O(rows + edges)."""

    def __init__(self, rows: int, before: Numbers, after: Numbers) -> None:
        self.before, self.after = before.tolist(), after.tolist()
        starts, edges = by_row(rows, after)
        self._starts, self._edges = starts.tolist(), edges.tolist()
        self._rows = rows

    def path(self, begin: int, end: int, *, shorter_than: int | None = None) -> list[int] | None:
        """The edges of a shortest path, at least one; None where there is none, or none that is short enough."""
        via: dict[int, int] = {}
        todo = deque([(end, 0)])
        while todo:
            row, length = todo.popleft()
            if shorter_than is not None and length + 1 >= shorter_than:
                break
            for edge in self._edges[self._starts[row] : self._starts[row + 1]]:
                earlier = self.before[edge]
                if earlier == begin:
                    via[earlier] = edge
                    return self._along(via, begin, end)
                if earlier not in via:
                    via[earlier] = edge
                    todo.append((earlier, length + 1))
        return None

    def _along(self, via: dict[int, int], begin: int, end: int) -> list[int]:
        edges = [via[begin]]
        while self.after[edges[-1]] != end:
            edges.append(via[self.after[edges[-1]]])
        return edges

    def cycle(self, order: Numbers) -> list[int]:
        """The edges of a short cycle; `order` has all rows but those that are behind one."""
        behind = [True] * self._rows
        for row in order.tolist():
            behind[row] = False
        row, seen = behind.index(True), dict[int, int]()
        walked: list[int] = []
        while row not in seen:
            seen[row] = len(walked)
            edge = next(each for each in self._incoming(row) if behind[self.before[each]])
            walked.append(edge)
            row = self.before[edge]
        found = walked[seen[row] :][::-1]
        for edge in found[:_TRIES]:
            rest = self.path(self.after[edge], self.before[edge], shorter_than=len(found))
            if rest is not None and len(rest) + 1 < len(found):
                found = [edge, *rest]
        return found

    def _incoming(self, row: int) -> Sequence[int]:
        edges: list[int] = self._edges[self._starts[row] : self._starts[row + 1]]
        return edges

    def rows(self, path: Sequence[int]) -> list[int]:
        """The rows on a path, its ends included."""
        return [self.before[path[0]], *(self.after[edge] for edge in path)] if path else []
