"""Whether some visibility and some order of writes explain the reads of a history, with given session guarantees.

There is a least visibility that the guarantees force: it is reachability (see `steps`). It is the best one, since a read
that returned a write while it saw more would also return it if it saw less. So the history has the guarantees if and only
if (i) no read that returned what was there at first sees a write of its key, and (ii) what arbitration must contain has no
cycle: what the guarantees demand, and for each read every other write of its key that it saw before the one that it returned.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, TypeAlias

import numpy as np

from ..causality.order import topological
from ..causality.paths import Graph
from ..reads_from import INITIAL, Numbers
from .guarantees import Guarantees, Scope
from .lists import Lists, Sight
from .steps import WHYS, Edges, Steps, Why, edges, joined

LIMIT: Final = 4_000_000
"""How many pairs of writes that no session orders are looked at."""
_NOTHING: Final = np.zeros(0, dtype=np.int64)


@dataclass(frozen=True, slots=True)
class Hop:
    """One transaction before another; `read` is a row of the reads where one is the reason, or else -1."""

    before: int
    after: int
    why: Why
    read: int = -1


@dataclass(frozen=True, slots=True)
class Contradiction:
    """Why there is no explanation.

    Attributes:
        cycle: of what must come before what; () where a read of the initial value saw a write.
        initial: that read, a row of the reads, or -1.
        seen: for each read that saw a write and did not return it, the way from the write to the read.
    """

    cycle: tuple[Hop, ...]
    initial: int = -1
    seen: tuple[tuple[Hop, ...], ...] = ()


@dataclass(frozen=True, eq=False)
class Explanation:
    """How it holds: what each reader sees, and for each scope an order of the writes.

    Attributes:
        sight: what readers see; None where nobody needed it.
        orders: transactions that write, in the order of arbitration; one for each session in local scope.
    """

    sight: Sight
    orders: tuple[Numbers, ...]


Outcome: TypeAlias = Contradiction | Explanation


def explain(steps: Steps, wanted: Guarantees, scope: Scope, *, limit: int = LIMIT) -> Outcome:
    """An explanation of the reads, or why there is none. O(n k log n) for n reads and writes of k sessions.

    Raises:
        TooMany: writes that no session orders, in more pairs than the limit allows.
    """
    visible = steps.visible(wanted)
    order = topological(steps.size, visible.before, visible.after)
    if len(order) < steps.size:
        graph = Graph(steps.size, visible.before, visible.after)
        return Contradiction(tuple(_hops(steps, visible, graph.cycle(order), steps.row)))
    sight = Sight(steps, wanted, visible, order)
    found = _passed_over(sight, limit)
    return _arbitrate(sight, visible, found, scope)


@dataclass(frozen=True, eq=False)
class _Found:
    """Writes that reads passed over, and the nodes that stand for beginnings of lists."""

    conflicts: Edges
    beginnings: Edges
    row: Numbers


def _passed_over(sight: Sight, limit: int) -> _Found:
    steps = sight.steps
    node = steps.writers.node
    read, member = sight.beside()
    conflicts, beginnings, rows = [_to_source(sight, node[member], read)], list[Edges](), [steps.row]
    first = steps.size
    for lists in sight.lists():
        passed = sight.passed_over(lists, limit)
        conflicts.append(_to_source(sight, node[lists.member[passed.single]], passed.single_read))
        conflicts.append(_to_source(sight, first + passed.prefix, passed.prefix_read))
        if not lists.is_ordered:
            beginnings.append(_beginnings(lists, node, first))
            rows.append(lists.member)
            first += lists.size
    nothing = edges(_NOTHING, _NOTHING, "gather")
    return _Found(joined(*conflicts), joined(nothing, *beginnings), np.concatenate(rows))


def _to_source(sight: Sight, before: Numbers, read: Numbers) -> Edges:
    """From what a read passed over to what it returned; to -1 where that was there at first."""
    source = sight.traced.reads[read, 2]
    after = np.where(source == INITIAL, -1, sight.steps.writers.node[np.maximum(source, 0)])
    return edges(before, after, "conflict", read)


def _beginnings(lists: Lists, node: Numbers, first: int) -> Edges:
    here = first + np.arange(lists.size)
    goes_on = np.ones(lists.size, dtype=np.bool_)
    goes_on[lists.begin] = False
    return joined(
        edges(node[lists.member], here, "conflict"),
        edges(np.where(goes_on, here - 1, -1), here, "conflict"),
    )


def _arbitrate(sight: Sight, visible: Edges, found: _Found, scope: Scope) -> Outcome:
    """One order of writes that all conflicts allow, or one for those of each session."""
    steps, traced = sight.steps, sight.traced
    demanded = joined(visible, steps.arbitrated(sight.wanted), found.beginnings)
    is_initial = found.conflicts.after < 0
    if is_initial.any():
        at = int(np.flatnonzero(is_initial)[np.argmin(found.conflicts.read[is_initial])])
        read, row = int(found.conflicts.read[at]), int(found.row[found.conflicts.before[at]])
        ways = Graph(steps.size, visible.before, visible.after)
        return Contradiction((), read, (_way(steps, visible, ways, row, read),))
    session = traced.session[traced.reads[found.conflicts.read, 0]]
    parts = [np.ones(len(session), dtype=np.bool_)] if scope == "global" else [
        session == each for each in np.unique(traced.session[traced.reads[:, 0]])
    ] or [np.zeros(0, dtype=np.bool_)]  # fmt: skip
    orders = []
    for part in parts:
        chosen = joined(demanded, Edges(*(column[part] for column in found.conflicts)))
        order = topological(len(found.row), chosen.before, chosen.after)
        if len(order) < len(found.row):
            cycle = Graph(len(found.row), chosen.before, chosen.after).cycle(order)
            hops = tuple(_hops(steps, chosen, cycle, found.row))
            ways = Graph(steps.size, visible.before, visible.after)
            seen = (_way(steps, visible, ways, hop.before, hop.read) for hop in hops if hop.why == "conflict")
            return Contradiction(hops, seen=tuple(dict.fromkeys(seen)))
        nodes = order[np.isin(order, steps.writers.node[steps.writers.rows])]
        orders.append(steps.row[nodes])
    return Explanation(sight, tuple(orders))


def _way(steps: Steps, visible: Edges, ways: Graph, writer: int, read: int) -> tuple[Hop, ...]:
    """A shortest way on which a write came to be seen by a read that did not return it."""
    begin, end = int(steps.writers.node[writer]), int(steps.readers.node[steps.traced.reads[read, 0]])
    path = ways.path(begin, end)
    if path is None:
        raise ValueError("what a read passed over is seen by it")
    return tuple(_hops(steps, visible, path, steps.row))


def _hops(steps: Steps, chosen: Edges, path: list[int], row: Numbers) -> list[Hop]:
    """A path or a cycle of edges as steps from one transaction to another, without the nodes that stand for several."""
    is_own = np.zeros(len(row), dtype=np.bool_)
    for kept in (steps.readers, steps.writers):
        is_own[kept.node[kept.rows]] = True
    turn = next((at for at, edge in enumerate(path) if is_own[chosen.before[edge]]), 0)
    hops, begin = [], -1
    for edge in [*path[turn:], *path[:turn]]:
        before, after = int(chosen.before[edge]), int(chosen.after[edge])
        if is_own[before]:
            begin = int(row[before])
        if is_own[after]:
            why = WHYS[int(chosen.why[edge])]
            hops.append(Hop(begin, int(row[after]), why, int(chosen.read[edge])))
    return hops
