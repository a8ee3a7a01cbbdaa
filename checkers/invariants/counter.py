"""A counter: every read is a sum that the additions around it can make."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import ClassVar

from ...histories.event import Kind, Operation
from ...histories.history import History
from ..verdict import Anomaly
from .invariant import Invariant, Look, by_key, integer, moments, place_of, result_of
from .ranges import Ranges


@dataclass(frozen=True, kw_only=True)
class Counter(Invariant):
    """A read is the sum of the additions that ended before it began, and of some of those that began before it ended.

    The additions of which only some count are those that overlap the read, and pending ones. The sums that some of them
    make are kept as ranges of integers, as Maelstrom's counter checker does; that is exact until there are more than
    `ranges.RANGES_MAX` of them, from where on only reads outside of all ranges are decided. This judges each read by
    itself: that reads agree on an order is the question of linearizability. O(n log n + n p) for p clients.

    Attributes:
        adds: actions that add their argument, 1 where there is none.
        subtracts: actions that subtract it.
        read: the action that reads the counter.
    """

    adds: Sequence[str] = ("add", "increment")
    subtracts: Sequence[str] = ("subtract", "decrement")
    read: str = "read"

    name: ClassVar[str] = "counter"
    rule: ClassVar[str] = (
        "A read counts each addition that had ended before it, none that began after it or failed, and any others or not."
    )
    judges: ClassVar[str] = "answered read"

    def look(self, history: History) -> Look:
        """What one pass over the history finds."""
        judged, unsure = 0, 0
        wanted = {*self.adds, *self.subtracts, self.read}
        operations = [each for each in history.operations if each.action in wanted and self._counts(each, history)]
        for mine in by_key(operations).values():
            for reading in self._readings(mine, history):
                judged += 1
                value, sums = self._value(reading.read, history), reading.sums()
                if value not in sums:
                    return Look(anomaly=self._outside(reading, value, sums, mine, history), judged=judged)
                unsure += not sums.is_exact
        counted = {"reads": judged, "reads_between_bounds": unsure}
        doubt = (
            "" if not unsure else f"too many sums are possible: {unsure} reads lie between the least and the greatest"
        )
        return Look(judged=judged, doubt=doubt, evidence=counted)

    def _counts(self, operation: Operation, history: History) -> bool:
        if operation.action != self.read:
            return operation.outcome is not Kind.FAIL
        says_nothing = operation.result is None and history.header.nil_read == "unknown"
        return operation.outcome is Kind.OK and not says_nothing

    def _readings(self, operations: Sequence[Operation], history: History) -> Iterator[_Reading]:
        """Each read, when it ends, with what it may count."""
        certain = _start(history)
        pending = Ranges(((0, 0),))
        under_way: dict[int, int] = {}
        reading: dict[int, _Reading] = {}
        for begins, operation in moments(operations):
            number = operation.invocation
            if operation.action == self.read:
                if begins:
                    reading[number] = _Reading(operation, certain, list(under_way.values()))
                else:
                    done = reading.pop(number)
                    done.pending = pending
                    yield done
            elif not begins:
                certain += under_way.pop(number)
            else:
                delta = self._delta(operation, history)
                if operation.ended is None:
                    pending = pending.or_plus(delta)
                    continue
                under_way[number] = delta
                for each in reading.values():
                    each.optional.append(delta)

    def _delta(self, operation: Operation, history: History) -> int:
        amount = 1 if operation.argument is None else integer(operation.argument, operation, history, "what it adds")
        return -amount if operation.action in self.subtracts else amount

    @staticmethod
    def _value(read: Operation, history: History) -> int:
        result = result_of(read, history, "what it read")
        return _start(history) if result is None else integer(result, read, history, "the counter")

    def _outside(
        self, reading: _Reading, value: int, sums: Ranges, operations: Sequence[Operation], history: History
    ) -> Anomaly:
        read, least, greatest = reading.read, sums.least, sums.greatest
        begun = [each for each in operations if each.action != self.read and not read.precedes(each)]
        allowed = f"{least}" if least == greatest else f"{least} to {greatest}"
        headline = f"{value} is read{place_of(read)}, where only {allowed} could be:"
        if least < value < greatest:
            return self.breach("impossible-sum", f"{value} is read{place_of(read)}, and no sum is that:", *begun, read)
        sign = 1 if value < least else -1
        needed = _enough(
            [(sign * self._delta(each, history), each) for each in begun if each.precedes(read)],
            sign * (value - _start(history)),
        )
        return self.breach("too-low" if sign == 1 else "too-high", headline, *needed, read)


@dataclass(slots=True)
class _Reading:
    """A read, the sum of what it must count, what it may count, and the sums of what is pending."""

    read: Operation
    certain: int
    optional: list[int]
    pending: Ranges = field(default_factory=lambda: Ranges(((0, 0),)))

    def sums(self) -> Ranges:
        """What it may have read."""
        sums = self.pending.plus(self.certain)
        for delta in self.optional:
            sums = sums.or_plus(delta)
        return sums


def _start(history: History) -> int:
    initial = history.header.initial
    return initial if type(initial) is int else 0


def _enough(deltas: Sequence[tuple[int, Operation]], value: int) -> list[Operation]:
    """As few of these as have a sum above the value, the largest first; told in the order in which they began."""
    total, chosen = 0, []
    for delta, operation in sorted(deltas, key=lambda pair: (-pair[0], pair[1].began)):
        if total > value or delta <= 0:
            break
        total += delta
        chosen.append(operation)
    return sorted(chosen, key=lambda operation: operation.began)
