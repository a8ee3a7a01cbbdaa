"""Who was answered, on which side of which partition, and how soon: a table of all requests of a history."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal, NamedTuple, TypeAlias

from ..histories.event import Event, Kind, Operation
from ..histories.history import History
from .cuts import Cut, cuts

DOWN: Final = frozenset({"crash", "crash-loop", "pause"})
"""Faults in which a node handles nothing; who is hit owes no answer."""

FOR_EVER: Final = 2**63

Fate: TypeAlias = Literal["answered", "late", "refused", "unanswered", "given-up", "not-due", "down"]
"""What became of a request.

`answered` ok within the bound; `late`: answered ok after it; `refused`: failed; `unanswered`: nothing but silence until the
bound had passed. Three fates owe nothing, or not yet: `given-up`, nobody waited until the bound; `not-due`, the record ended
before; `down`, the node was down for a part of the time.
"""

DENIED: Final = frozenset({"late", "refused", "unanswered"})
"""The fates that an available system never lets a request have."""


class Request(NamedTuple):
    """An operation as a request to a node.

    Attributes:
        operation: that operation.
        node: whom it was sent to.
        fate: what became of it.
        waited_ns: for how long, until its end or the bound.
        cut: the number of the partition, from 0, in which it was invoked, if there was one.
        side: the nodes that its node could talk with, itself included; all of them where there was none.
    """

    operation: Operation
    node: str
    fate: Fate
    waited_ns: int
    cut: int | None
    side: tuple[str, ...]


class Row(NamedTuple):
    """How the requests to one side of one partition fared, or, with `cut` None, those outside of partitions.

    Attributes:
        cut, side: as in `Request`.
        begin_ns, end_ns: from when to when the partition acted; 0 and 0 outside.
        asked: how many requests were owed an answer: those with the fates answered, late, refused and unanswered.
        answered: how many of them got it.
        fates: how many requests had each fate.
        median_ns, longest_ns: how long the answered ones waited; None where there is none.
    """

    cut: int | None
    side: tuple[str, ...]
    begin_ns: int
    end_ns: int
    asked: int
    answered: int
    fates: Mapping[Fate, int]
    median_ns: int | None
    longest_ns: int | None

    @property
    def share(self) -> float | None:
        """The part of those asked that was answered, from 0 to 1."""
        return self.answered / self.asked if self.asked else None

    def to_json(self) -> dict[str, Any]:
        """The row as JSON values."""
        return {**self._asdict(), "side": list(self.side), "fates": dict(self.fates), "share": self.share}


@dataclass(frozen=True)
class Answered:
    """Who was answered: the requests of a history, and a row for each side of each partition.

    Attributes:
        requests: all operations that say which node they were sent to and when, in order.
        cuts: the partitions.
        unplaced: how many operations do not say.
    """

    requests: Sequence[Request]
    cuts: Sequence[Cut]
    unplaced: int = 0

    @property
    def rows(self) -> tuple[Row, ...]:
        """Outside of partitions first, then partition by partition, side by side."""
        groups: dict[tuple[int, tuple[str, ...]], list[Request]] = {}
        for request in self.requests:
            groups.setdefault((-1 if request.cut is None else request.cut, request.side), []).append(request)
        return tuple(self._row(groups[place]) for place in sorted(groups))

    def _row(self, requests: Sequence[Request]) -> Row:
        first = requests[0]
        cut = None if first.cut is None else self.cuts[first.cut]
        fates: dict[Fate, int] = {}
        for request in requests:
            fates[request.fate] = fates.get(request.fate, 0) + 1
        waits = sorted(request.waited_ns for request in requests if request.fate == "answered")
        return Row(
            cut=first.cut,
            side=first.side,
            begin_ns=0 if cut is None else cut.begin_ns,
            end_ns=0 if cut is None else cut.end_ns,
            asked=len(waits) + sum(request.fate in DENIED for request in requests),
            answered=len(waits),
            fates=dict(sorted(fates.items())),
            median_ns=waits[(len(waits) - 1) // 2] if waits else None,
            longest_ns=waits[-1] if waits else None,
        )


def answered(history: History, *, bound_ns: int, nodes: Sequence[str] = ()) -> Answered:
    """Who was answered within the bound. O(n log n) for n events, and n times the number of partitions' sides.

    Args:
        history: operations that name their node and have times; faults as events of the process `nemesis`.
        bound_ns: how long an answer may take.
        nodes: all nodes; by default those that operations and partitions name.
    """
    everyone = tuple(nodes) or _nodes(history)
    times = history.columns.time
    end_ns = max(0, int(times.max())) if len(times) else 0
    found = _cuts(history, everyone, end_ns)
    sides = [_sides(cut, everyone) for cut in found]
    down = _down(history)
    requests: list[Request] = []
    unplaced, at = 0, 0
    operations = [each for each in history.operations if each.invoked_ns is not None]
    for operation in sorted(operations, key=lambda each: each.invoked_ns or 0):
        began, node = operation.invoked_ns or 0, operation.node
        if node is None:
            unplaced += 1
            continue
        while at < len(found) and found[at].end_ns <= began:
            at += 1
        inside = at < len(found) and found[at].begin_ns <= began
        fate, waited_ns = _fate(operation, bound_ns, end_ns, down.get(node, ()))
        side = sides[at].get(node, (node,)) if inside else everyone
        requests.append(Request(operation, node, fate, waited_ns, at if inside else None, side))
    return Answered(requests, found, unplaced + len(history.operations) - len(operations))


def _fate(operation: Operation, bound_ns: int, end_ns: int, down: Sequence[tuple[int, int]]) -> tuple[Fate, int]:
    """What became of a request, and how long it waited."""
    began = operation.invoked_ns or 0
    ended = FOR_EVER if operation.completed_ns is None else operation.completed_ns
    waited_ns = min(ended - began, bound_ns, max(0, end_ns - began))
    if operation.outcome is Kind.OK and ended - began <= bound_ns:
        return "answered", waited_ns
    if any(begin <= min(ended, began + bound_ns) and began < end for begin, end in down):
        return "down", waited_ns
    if operation.outcome is Kind.FAIL:
        return "refused", waited_ns
    if min(ended, end_ns) < began + bound_ns:
        return ("not-due" if ended > end_ns else "given-up"), waited_ns
    return ("late" if operation.outcome is Kind.OK else "unanswered"), waited_ns


def _cuts(history: History, nodes: Sequence[str], end_ns: int) -> Sequence[Cut]:
    """The times in which partitions act; one that nothing heals acts until the record ends, that moment included."""
    end = Event(process="phases", kind=Kind.INFO, action="heal", time=end_ns + 1)
    return [*cuts(History.of_events([*history.of("nemesis", "phases"), end]), nodes)]


def _nodes(history: History) -> tuple[str, ...]:
    """Those that operations and the sides or links of partitions name."""
    named = {operation.node for operation in history.operations if operation.node is not None}
    for event in history.of("nemesis"):
        if event.action == "partition" and isinstance(event.value, tuple):
            for part in event.value:
                named |= _strings(part.split(">") if isinstance(part, str) else part)
    return tuple(sorted(named))


def _strings(part: Any) -> set[str]:
    return {name for name in part if isinstance(name, str)} if isinstance(part, tuple | list) else set()


def _sides(cut: Cut, nodes: Sequence[str]) -> dict[str, tuple[str, ...]]:
    """By node: those that it can reach, over links that are hit in neither direction."""
    side_of: dict[str, tuple[str, ...]] = {}
    for node in nodes:
        if node not in side_of:
            reached, frontier = {node}, [node]
            while frontier:
                near = frontier.pop()
                fresh = [other for other in nodes if other not in reached and _can_talk(cut, near, other)]
                reached.update(fresh)
                frontier += fresh
            side = tuple(other for other in nodes if other in reached)
            side_of |= dict.fromkeys(side, side)
    return side_of


def _can_talk(cut: Cut, one: str, other: str) -> bool:
    return (one, other) not in cut.links and (other, one) not in cut.links


def _down(history: History) -> Mapping[str, Sequence[tuple[int, int]]]:
    """When faults kept each node from handling anything, as pairs of begin and end; the heal ends all but a farewell."""
    down: dict[str, list[tuple[int, int]]] = {}
    in_force: dict[tuple[str, str], int] = {}
    for event in history.of("nemesis", "phases"):
        now = event.time or 0
        fault = event.action.removeprefix("undo-")
        hit = _named(event.value)
        if event.action == "forsake":
            for node in hit:
                down.setdefault(node, []).append((now, FOR_EVER))
        elif event.action in DOWN:
            in_force |= {(fault, node): now for node in hit if (fault, node) not in in_force}
        elif event.action == "heal" or fault in DOWN:
            ended = [each for each in in_force if event.action == "heal" or (each[0] == fault and each[1] in hit)]
            for kind, node in ended:
                down.setdefault(node, []).append((in_force.pop((kind, node)), now))
    for (_, node), began in in_force.items():
        down.setdefault(node, []).append((began, FOR_EVER))
    return down


def _named(value: Any) -> tuple[str, ...]:
    return tuple(name for name in value if isinstance(name, str)) if isinstance(value, tuple) else ()
