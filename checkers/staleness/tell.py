"""Why reads are too stale, in sentences and edges that a reader can check against the history."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import permutations
from typing import TYPE_CHECKING, Any, Final, Literal, NamedTuple, TypeAlias

import numpy as np

from ...histories.event import Operation
from ...histories.values import to_json
from ..reads_from import INITIAL, Numbers, ReadsFrom
from ..verdict import Anomaly
from .measure import Tight, came
from .registers import Clusters, Spans
from .witness import tell

if TYPE_CHECKING:
    import networkx as nx

Bounded: TypeAlias = Literal["k", "delta", "t"]

WRITES_MAX: Final = 5
"""Of how many writes a story tells every order."""


class Edge(NamedTuple):
    """Why one comes before another; either is an invocation, or INITIAL for what was there at first."""

    before: int
    after: int
    kind: str
    reason: str


@dataclass
class Telling:
    """A story in the making."""

    story: list[str] = field(default_factory=list)
    edges: list[Edge] = field(default_factory=list)
    operations: dict[int, Operation] = field(default_factory=dict)

    def name(self, operation: Operation) -> str:
        """How the story calls an operation, which becomes part of the anomaly."""
        self.operations[operation.invocation] = operation
        return f"{operation} (event {operation.invocation})"

    def anomaly(self, kind: str) -> Anomaly:
        """What was told."""
        involved = tuple(self.operations[index] for index in sorted(self.operations))
        return Anomaly(kind=kind, story=tuple(self.story), operations=involved, graph=_graph(self.edges))


def _graph(edges: Sequence[Edge]) -> nx.MultiDiGraph[Any]:
    import networkx as nx  # noqa: PLC0415  # heavy, and only a refutation needs it

    graph: nx.MultiDiGraph[Any] = nx.MultiDiGraph()
    for edge in edges:
        graph.add_edge(edge.before, edge.after, kind=edge.kind, reason=edge.reason)
    return graph


def _took_effect(telling: Telling, traced: ReadsFrom, transaction: int) -> None:
    """Why a transaction that nobody completed counts: somebody read from it, directly or through others like it."""
    came_by: dict[int, int] = {transaction: transaction}
    reached = [transaction]
    for each in reached:
        if traced.is_definite[each]:
            while each != transaction:
                read, source = traced.operation(each), traced.operation(came_by[each])
                telling.story.append(
                    f"{telling.name(source)} took effect, since {telling.name(read)} read what it wrote"
                )
                each = came_by[each]  # noqa: PLW2901  # back along the way
            return
        for reader in traced.reads[traced.reads[:, 2] == each, 0].tolist():
            if reader not in came_by:
                came_by[reader] = each
                reached.append(reader)


def tell_future(traced: ReadsFrom, reader: int, writer: int) -> Anomaly:
    """A read that had ended before its write began."""
    telling, read, write = Telling(), traced.operation(reader), traced.operation(writer)
    telling.story += [
        f"{telling.name(read)} returned what {telling.name(write)} wrote",
        f"The read had ended at event {read.completion}, before the write began at event {write.invocation}",
        "So it returned what was written later",
    ]
    _took_effect(telling, traced, reader)
    telling.edges += [
        Edge(write.invocation, read.invocation, "wr", "was read"),
        Edge(read.invocation, write.invocation, "rb", "had ended before the other began"),
    ]
    return telling.anomaly("future-read")


def tell_stale(traced: ReadsFrom, reader: int, source: int, overwriter: int) -> Anomaly:
    """A read of what had been overwritten before it began."""
    telling, read, later = Telling(), traced.operation(reader), traced.operation(overwriter)
    if source == INITIAL:
        telling.story.append(f"{telling.name(read)} returned what was there at first")
        first = INITIAL
    else:
        write = traced.operation(source)
        telling.story += [
            f"{telling.name(read)} returned what {telling.name(write)} wrote",
            f"That write had ended at event {write.completion}, before {telling.name(later)} began",
        ]
        first = write.invocation
        telling.edges.append(Edge(first, later.invocation, "rb", "had ended before the other began"))
    telling.story += [
        f"{telling.name(later)} had ended at event {later.completion}, before the read began",
        "So what it returned had been overwritten",
    ]
    _took_effect(telling, traced, reader)
    telling.edges += [
        Edge(later.invocation, read.invocation, "rb", "had ended before the other began"),
        Edge(read.invocation, later.invocation, "rw", "returned what the other overwrote"),
        Edge(first, read.invocation, "wr", "was read"),
    ]
    return telling.anomaly("stale-read")


@dataclass(frozen=True, eq=False)
class Pair:
    """Tells of two clusters that come before each other, within a bound.

    Attributes:
        traced, spans: the history, and when transactions were open.
        tight: the two.
        measure: what is bounded.
        bound: how far reads may be moved back, in ns; 0 for k.
    """

    traced: ReadsFrom
    spans: Spans
    tight: Tight
    measure: Bounded
    bound: int

    def anomaly(self) -> Anomaly:
        """Both directions, and that they contradict each other."""
        one, other = self.tight.clusters
        telling = Telling()
        kinds = {self._before(telling, one, other), self._before(telling, other, one)}
        telling.story.append("Both cannot be")
        if self.measure != "t":
            return telling.anomaly("zone-overlap")
        order = ("overwritten-initial-read", "overwritten-read", "cyclic-arbitration")
        return telling.anomaly(next(kind for kind in order if kind in kinds))

    def _before(self, telling: Telling, one: int, other: int) -> str:
        """Why the value of the one comes first, and what a read that contradicts it is called where writes are ordered."""
        register = self.tight.register
        first, second = int(register.write[one]), int(register.write[other])
        so = f"{self._value(telling, first)} comes before {self._value(telling, second)}"
        if first == INITIAL:
            telling.story.append(so)
            telling.edges.append(Edge(INITIAL, self._node(second), "conflict", "was there at first"))
            return "overwritten-initial-read"
        end = int((register.ended if self.measure == "t" else register.first_end)[one])
        is_write = end < int(register.began[other])
        earlier = first if register.ended[one] == end else self._read(one, self.spans.ended, end)
        later = second if is_write else self._read(other, self.spans.began, int(register.last_read[other]))
        how = "had ended before"
        if self.measure != "k" and not is_write:
            how = f"had ended {int(self.spans.began[later]) - end} ns, more than {self.bound} ns, before"
        before, after = self.traced.operation(earlier), self.traced.operation(later)
        telling.story += [f"{telling.name(before)} {how} {telling.name(after)} began", f"So {so}"]
        telling.edges.append(Edge(before.invocation, after.invocation, "rb", f"{how} the other began"))
        if earlier != first:
            telling.edges.append(Edge(self._node(first), before.invocation, "wr", "was read"))
        if later != second:
            telling.edges.append(Edge(after.invocation, self._node(second), "conflict", "returned what this wrote"))
        return "overwritten-read" if is_write else "cyclic-arbitration"

    def _read(self, cluster: int, moments: Numbers, moment: int) -> int:
        """The read of a cluster that began, or ended, just then."""
        register, (reader, key, source) = self.tight.register, self.traced.reads.T
        mine = (key == register.key[cluster]) & (source == register.write[cluster]) & (moments[reader] == moment)
        return int(reader[mine][0])

    def _node(self, transaction: int) -> int:
        """The vertex of a transaction: its invocation, or a number below zero."""
        is_inside = transaction != INITIAL and self.traced.numbers[transaction] >= 0
        return self.traced.operation(transaction).invocation if is_inside else min(INITIAL, -1 - transaction)

    def _value(self, telling: Telling, transaction: int) -> str:
        if transaction == INITIAL:
            return "what was there at first"
        if self.traced.numbers[transaction] < 0:
            return to_json(came(self.traced, transaction))
        return f"what {telling.name(self.traced.operation(transaction))} wrote"


def tell_crowd(traced: ReadsFrom, register: Clusters, k: int) -> Anomaly:
    """Clusters of which no order puts the value of every read among the last k."""
    telling = Telling()
    for number in range(len(traced)):
        if traced.numbers[number] >= 0:
            telling.name(traced.operation(number))
    names = [_name(traced, int(write)) for write in register.write]
    orders = list(_orders(register)) if len(register) <= WRITES_MAX else []
    for order in orders:
        late, newer = _too_old(register, order, k)
        values = ", ".join(names[each] for each in order)
        newer_values = " and ".join(names[each] for each in newer)
        telling.story.append(
            f"In the order {values}: a read of {names[late]} began after operations of {newer_values}, which come later, had ended"
        )
    telling.story.append(
        f"So in every order of the values that real time allows, a read returns none of the last {k}"
        if orders
        else f"No order of these {len(names)} values has every read return one of the last {k}"
    )
    for reader, _, source in traced.reads.tolist():
        if source != INITIAL and traced.numbers[source] >= 0:
            ends = traced.operation(source).invocation, traced.operation(reader).invocation
            telling.edges.append(Edge(*ends, "wr", "was read"))
    inside = [traced.operation(number) for number in np.flatnonzero(traced.numbers >= 0).tolist()]
    telling.edges += [
        Edge(before.invocation, after.invocation, "rb", "had ended before the other began")
        for before in inside
        for after in inside
        if before.precedes(after)
    ]
    return telling.anomaly("zone-overlap")


def _name(traced: ReadsFrom, write: int) -> str:
    """The value that a transaction wrote."""
    if write == INITIAL:
        return "the value at first"
    if traced.numbers[write] < 0:
        return to_json(came(traced, write))
    return to_json(tell(traced.operation(write)).left[0])


def _orders(register: Clusters) -> Iterator[tuple[int, ...]]:
    """The orders of few clusters in which none stands before one that precedes its write."""
    for order in permutations(range(len(register))):
        if all(
            register.first_end[after] >= register.began[before]
            for at, before in enumerate(order)
            for after in order[at + 1 :]
        ):
            yield order


def _too_old(register: Clusters, order: Sequence[int], k: int) -> tuple[int, tuple[int, ...]]:
    """A cluster whose last read comes too late in this order, and those k or more places behind that precede the read."""
    for at, cluster in enumerate(order):
        newer = tuple(each for each in order[at + k :] if register.first_end[each] < register.last_read[cluster])
        if newer:
            return cluster, newer
    raise AssertionError("this order suits all reads")
