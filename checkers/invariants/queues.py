"""Queues: what comes out has been put in, at most as often, and all of it in the end."""

from __future__ import annotations

from bisect import bisect_right
from collections import Counter
from collections.abc import Hashable, Iterator, Sequence
from dataclasses import dataclass
from typing import ClassVar, NamedTuple

from ...histories.event import Kind, Operation
from ...histories.history import History
from ...histories.values import Value, identity, to_json
from ..verdict import Anomaly
from .invariant import Invariant, Look, by_key, by_session, malformed, moments, place_of, result_of


class _Taken(NamedTuple):
    """An element that came out, and the operation that took it."""

    element: Value
    by: Operation


@dataclass(frozen=True, kw_only=True)
class _OfQueues(Invariant):
    """What judges of queues share.

    Attributes:
        enqueue: the action that puts its argument in.
        dequeue: the action that answers with the element that it took, or with null, where it found none.
        drain: the action that takes all there is, and answers with an array.
    """

    enqueue: str = "enqueue"
    dequeue: str = "dequeue"
    drain: str = "drain"

    judges: ClassVar[str] = "element that was dequeued"

    def _queues(self, history: History) -> Iterator[tuple[list[Operation], list[_Taken], list[Operation]]]:
        """Of each queue: what may have been put in, what was taken, and all operations that take."""
        for mine in by_key(history.operations).values():
            put = [each for each in mine if each.action == self.enqueue and each.outcome is not Kind.FAIL]
            takes = [each for each in mine if each.action in {self.dequeue, self.drain}]
            taken = [_Taken(element, each) for each in takes for element in self._elements(each, history)]
            if put or takes:
                yield put, taken, takes

    def _elements(self, operation: Operation, history: History) -> Sequence[Value]:
        if operation.outcome is not Kind.OK:
            return ()
        result = result_of(operation, history, "what it took")
        if operation.action == self.dequeue:
            return () if result is None else (result,)
        if not isinstance(result, tuple):
            raise malformed(operation, history, "does not answer with an array of elements")
        return result


@dataclass(frozen=True, kw_only=True)
class Queue(_OfQueues):
    """Every element that was dequeued had been enqueued before, and comes out at most as often. O(n log n).

    Attributes:
        fifo: whether, besides, elements of one session leave in the order in which it enqueued them: one is not dequeued
            before another begins to be that was put in earlier. Elements that were enqueued more than once are left aside.
    """

    fifo: bool = False

    name: ClassVar[str] = "queue"
    rule: ClassVar[str] = "What is dequeued was enqueued before, and leaves the queue once."

    def look(self, history: History) -> Look:
        """What one pass over the history finds."""
        judged = compared = 0
        for put, taken, _ in self._queues(history):
            judged += len(taken)
            lines = list(_in_order(put, taken)) if self.fifo else []
            compared += sum(len(line) for line in lines)
            anomaly = next((found for line in lines if (found := self._overtaken(line))), None)
            anomaly = anomaly or next(self._unexplained(put, taken), None)
            if anomaly is not None:
                return Look(anomaly=anomaly, judged=judged)
        return Look(judged=judged, evidence={"ordered": compared} if self.fifo else {})

    def shows(self, history: History, kind: str) -> bool:
        """Whether the history has an anomaly of that kind: a drain may show several."""
        found = (each.kind for put, taken, _ in self._queues(history) for each in self._unexplained(put, taken))
        return super().shows(history, kind) or kind in found

    def _unexplained(self, put: Sequence[Operation], taken: Sequence[_Taken]) -> Iterator[Anomaly]:
        """The elements that leave more often, when a dequeue ends, than their enqueues had begun."""
        begun: Counter[Hashable] = Counter()
        left: dict[Hashable, list[Operation]] = {}
        elements: dict[int, list[Value]] = {}
        for element, by in taken:
            elements.setdefault(by.invocation, []).append(element)
        takers = {by.invocation: by for _, by in taken}
        for begins, operation in moments([*put, *takers.values()]):
            if operation.action == self.enqueue:
                begun[identity(operation.argument)] += begins
                continue
            for element in () if begins else elements[operation.invocation]:
                name = identity(element)
                before = left.setdefault(name, [])
                before.append(operation)
                if len(before) > begun[name]:
                    yield self._too_often(element, put, before)

    def _too_often(self, element: Value, put: Sequence[Operation], takers: Sequence[Operation]) -> Anomaly:
        sources = [each for each in put if identity(each.argument) == identity(element)]
        where = place_of(takers[-1])
        told = tuple(dict.fromkeys(each.invocation for each in takers))
        shown = [next(each for each in takers if each.invocation == number) for number in told]
        if not sources:
            headline = f"{to_json(element)} is taken out{where}, and nobody may have put it in:"
            return self.breach("unexpected-element", headline, shown[-1])
        early = [each for each in sources if takers[-1].precedes(each)]
        if len(sources) >= len(takers):
            headline = f"{to_json(element)} has been taken out{where} before it was put in:"
            return self.breach("dequeued-before-enqueue", headline, *shown, *early)
        often = f"{len(takers)} times" if len(takers) > 2 else "twice"
        headline = f"{to_json(element)} is taken out{where} {often}, and was put in {_times(len(sources))}:"
        return self.breach("dequeued-twice", headline, *sources, *shown)

    def _overtaken(self, line: Sequence[tuple[Operation, Operation]]) -> Anomaly | None:
        """An element of one session that left before one that was put in earlier began to."""
        earliest: list[tuple[Operation, Operation]] = []
        for pair in reversed(line):
            earliest.append(min([pair, *earliest[-1:]], key=lambda each: _ended(each[1])))
        earliest.reverse()
        begins = [put.began for put, _ in line]
        for put, by in line:
            later = len(line) if put.ended is None else bisect_right(begins, put.ended)
            if later < len(line) and earliest[later][1].precedes(by):
                other, taker = earliest[later]
                headline = f"{to_json(other.argument)} was put in after {to_json(put.argument)}, and leaves before it:"
                return self.breach("out-of-order", headline, put, other, taker, by)
        return None


@dataclass(frozen=True, kw_only=True)
class TotalQueue(_OfQueues):
    """What was enqueued comes out, and nothing else; it may come out twice. O(n log n).

    A queue is drained when, after all its enqueues had ended or for ever pending, a drain was answered, or a dequeue found
    it empty. Only then can something be lost; a pending dequeue may have taken one element, a pending drain any number.
    """

    name: ClassVar[str] = "total-queue"
    rule: ClassVar[str] = "What was acknowledged as enqueued is dequeued by the time that the queue is drained."

    def look(self, history: History) -> Look:
        """What one pass over the history finds."""
        counted: Counter[str] = Counter()
        judged, full = 0, ""
        for put, taken, takes in self._queues(history):
            judged += len(taken)
            attempts = Counter(identity(each.argument) for each in put)
            missing = _missing(put, taken)
            counted += _counted(put, taken, attempts, len(missing))
            drained = self._drained(put, takes, history)
            if drained is not None:
                judged += sum(each.outcome is Kind.OK for each in put)
                lost = self._lost(missing, takes, drained)
                if lost is not None:
                    return Look(anomaly=lost, judged=judged, evidence=dict(counted))
                counted["perhaps_taken"] += len(missing)
            elif put and not full:
                full = f"nobody knows what is left in the queue{place_of(put[0])}: nothing shows that it was drained"
            strange = next((each for each in taken if identity(each.element) not in attempts), None)
            if strange is not None:
                element, where = to_json(strange.element), place_of(strange.by)
                headline = f"{element} is taken out{where}, and nobody may have put it in:"
                return Look(anomaly=self.breach("unexpected-element", headline, strange.by), judged=judged)
        return Look(judged=judged, doubt=full, evidence=dict(counted))

    def _drained(self, put: Sequence[Operation], takes: Sequence[Operation], history: History) -> Operation | None:
        """What showed that nothing was left."""
        last = max((each.ended for each in put if each.ended is not None), default=-1)
        for each in takes:
            if (
                each.outcome is Kind.OK
                and each.began > last
                and (each.action == self.drain or not self._elements(each, history))
            ):
                return each
        return None

    def _lost(self, missing: Sequence[Operation], takes: Sequence[Operation], drained: Operation) -> Anomaly | None:
        """As few of those missing as no pending operation can have taken, if there are so many."""
        pending = [each for each in takes if each.outcome is Kind.INFO]
        least = missing[: len(pending) + 1]
        if len(least) <= len(pending) or any(each.action == self.drain for each in pending):
            return None
        names = ", ".join(to_json(each.argument) for each in least)
        perhaps = f", and of these only {len(pending)} may have been taken" if pending else ""
        headline = f"{names} never came out{place_of(drained)}, and the queue was drained{perhaps}:"
        return self.breach("lost-element", headline, *least, *pending, drained)


def _ended(operation: Operation) -> int:
    assert operation.ended is not None, "what was taken was answered"
    return operation.ended


def _times(count: int) -> str:
    return "once" if count == 1 else f"{count} times"


def _missing(put: Sequence[Operation], taken: Sequence[_Taken]) -> list[Operation]:
    """The acknowledged enqueues for which nothing came out, the latest ones of an element that came out less often.

    What a pending enqueue may have put in counts last: each of them explains one that came out beyond those acknowledged.
    """
    out = Counter(identity(each.element) for each in taken)
    missing = []
    for operation in put:
        if operation.outcome is Kind.OK:
            out[identity(operation.argument)] -= 1
            if out[identity(operation.argument)] < 0:
                missing.append(operation)
    return missing


def _counted(
    put: Sequence[Operation], taken: Sequence[_Taken], attempts: Counter[Hashable], missing: int
) -> Counter[str]:
    """How many elements were acknowledged, came out, came out too often, though pending, or not at all."""
    acknowledged = Counter(identity(each.argument) for each in put if each.outcome is Kind.OK)
    out = Counter(identity(each.element) for each in taken)
    return Counter(
        {
            "acknowledged": acknowledged.total(),
            "taken": out.total(),
            "duplicated": (out - attempts).total(),
            "recovered": ((out & attempts) - acknowledged).total(),
            "lost": missing,
        }
    )


def _in_order(put: Sequence[Operation], taken: Sequence[_Taken]) -> Iterator[list[tuple[Operation, Operation]]]:
    """By session: what it enqueued once and was dequeued once, with the dequeue."""
    often = Counter(identity(each.argument) for each in put)
    out = Counter(identity(element) for element, _ in taken)
    by = {identity(element): operation for element, operation in taken if out[identity(element)] == 1}
    for mine in by_session(put):
        names = [(each, identity(each.argument)) for each in mine]
        yield [(each, by[name]) for each, name in names if often[name] == 1 and name in by]
