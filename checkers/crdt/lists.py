"""Lists that many people edit: the strong list specification.

Attiya et al., Specification and Complexity of Collaborative Text Editing, 2016, section 3. A read shows the
elements inserted among what it saw, but for those deleted among it, and all reads together fit into one order of all
elements, deleted ones included.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Hashable
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import TYPE_CHECKING, Any, TypeAlias

from ...histories.values import Value, identity, to_json
from ..verdict import Anomaly, Refuted, Undecided, Verdict
from .execution import Execution, Step
from .judging import Finding, OfReads

if TYPE_CHECKING:
    import networkx as nx

Edges: TypeAlias = dict[Hashable, dict[Hashable, Step]]
"""From an element to those that stand right after it in a read, with the first such read."""


@dataclass(frozen=True, kw_only=True)
class StrongList(OfReads):
    """Every element is inserted once, and has a value of its own. O(updates for each read + size of all reads).

    Attributes:
        insert, delete: the actions; their argument is the element, whatever says where it goes.
    """

    insert: str = "insert"
    delete: str = "delete"
    name = "strong-list"

    def doubt(self, execution: Execution) -> str:
        """Elements have to be told apart."""
        inserted: dict[Hashable, Step] = {}
        for step in (each for each in execution.steps if each.action == self.insert):
            other = inserted.setdefault(identity(step.argument), step)
            if other is not step:
                return f"not applicable: {other} and {step} insert the same element"
        return ""

    def check(self, execution: Execution, /) -> Verdict:
        """The verdict: first what each read shows, then whether one order suits all of them."""
        verdict = super().check(execution)
        if isinstance(verdict, Refuted | Undecided):
            return verdict
        edges = _edges(execution, self.read)
        cycle = _shortest_cycle(edges)
        if not cycle:
            return replace(verdict, witness=_order(edges))
        return Refuted(
            _cyclic(cycle, edges),
            checker=verdict.checker,
            method=verdict.method,
            operations=verdict.operations,
            evidence=verdict.evidence,
        )

    def look(self, execution: Execution, read: Step) -> Finding:
        """What there is to say against the elements of a read."""
        inserted = {identity(step.argument): step for step in execution.seen_by(read, self.insert)}
        deleted = {identity(step.argument): step for step in execution.seen_by(read, self.delete)}
        shown: dict[Hashable, Value] = {}
        for value in read.result if isinstance(read.result, tuple) else ():
            element = identity(value)
            if element in shown:
                return _wrong("repeated-element", read, f"It shows {to_json(value)} twice")
            shown[element] = value
            if element not in inserted:
                return _wrong("extra-element", read, f"It shows {to_json(value)}, and saw no insertion of it")
            if element in deleted:
                return _wrong("extra-element", read, f"It shows {to_json(value)}, and saw {deleted[element]}")
        missing = next((step for each, step in inserted.items() if each not in shown and each not in deleted), None)
        if missing is None:
            return None
        return _wrong("missing-element", read, f"It saw {missing}", "It saw no deletion of that, and does not show it")


def _wrong(kind: str, read: Step, *lines: str) -> Anomaly:
    return Anomaly(kind=kind, story=(f"{read}", *lines))


def _edges(execution: Execution, read: str) -> Edges:
    edges: Edges = {}
    for step in execution.reads(read):
        elements = [identity(value) for value in (step.result if isinstance(step.result, tuple) else ())]
        for element in elements:
            edges.setdefault(element, {})
        for one, other in pairwise(elements):
            edges[one].setdefault(other, step)
    return edges


def _order(edges: Edges) -> tuple[Hashable, ...]:
    """All elements such that every edge goes forward; those on cycles, and behind them, are left out."""
    incoming = dict.fromkeys(edges, 0)
    for others in edges.values():
        for other in others:
            incoming[other] += 1
    ready = deque(element for element, count in incoming.items() if not count)
    order = []
    while ready:
        element = ready.popleft()
        order.append(element)
        for other in edges[element]:
            incoming[other] -= 1
            if not incoming[other]:
                ready.append(other)
    return tuple(order)


def _shortest_cycle(edges: Edges) -> list[Hashable]:
    """A shortest cycle through the first element that stands on one; empty when there is none."""
    free = set(_order(edges))
    left = {one: [other for other in others if other not in free] for one, others in edges.items() if one not in free}
    for start in left:
        came: dict[Hashable, Hashable] = {}
        queue = deque([start])
        while queue and start not in came:
            element = queue.popleft()
            for other in left[element]:
                if other not in came:
                    came[other] = element
                    queue.append(other)
        if start in came:
            cycle = [start]
            while came[cycle[-1]] != start:
                cycle.append(came[cycle[-1]])
            return [start, *reversed(cycle[1:])]
    return []


def _cyclic(cycle: list[Hashable], edges: Edges) -> Anomaly:
    import networkx as nx  # noqa: PLC0415  # heavy, and only a refutation needs it

    graph: nx.MultiDiGraph[Any] = nx.MultiDiGraph()
    lines = []
    for one, other in zip(cycle, [*cycle[1:], cycle[0]], strict=True):
        read = edges[one][other]
        first, second = (_value(element, read) for element in (one, other))
        reason = f"{first} stands before {second} in {read}"
        graph.add_edge(one, other, reason=reason, kind="before")
        lines.append(reason[0].upper() + reason[1:])
    return Anomaly(kind="cyclic-order", story=(*lines, "No order of the elements suits these reads"), graph=graph)


def _value(element: Hashable, read: Step) -> str:
    """An element as a read showed it."""
    shown = read.result if isinstance(read.result, tuple) else ()
    return next(to_json(value) for value in shown if identity(value) == element)
