"""From a history that cannot be to the smallest part of it that cannot be either.

*The first impossible event* is the first one with which the history so far is not linearizable; what is open then may
have any answer. That is monotone (a linearizable history has only linearizable prefixes), so bisection finds it.

*Leaving out* must not lie. An operation that is left out is not struck from the history: it becomes optional, that is, it
may take effect within its own time or not at all, with any answer; only pure operations are struck (both are sound: if
the whole were linearizable, so would be the rest). So what remains is impossible by itself, whatever the operations that
were left out did, and proves that the whole is. Two more rules keep the reason that a reader looks for: without its last
event the rest is possible, and if the last answer could be had from the operations before it in some order, it still can.

What remains is 1-minimal in this sense: no single operation more can be left out. The scheme of halves is that of Zeller
and Hildebrandt, "Simplifying and isolating failure-inducing input" (2002), section 3.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence
from typing import Final

import msgspec
import numpy as np

from ...histories.event import Kind, Operation
from .engine import Engine
from .prepare import NEVER, Forms, Shard
from .search import Found

STEPS_MAX: Final = 2_000_000
"""Configurations that may be looked at to reduce one counter-example."""


class Part(msgspec.Struct, frozen=True):
    """An operation that may be part of a counter-example.

    Attributes:
        operation: as it stands in the history.
        form: the code of its form; that of the pending form where it is not ok.
    """

    operation: Operation
    form: int

    def ended_by(self, place: int) -> bool:
        """Whether its outcome is known at that place of the real-time order."""
        return self.operation.ended is not None and self.operation.ended <= place


Row = tuple[int, int, int, int]
"""The form, beginning, end and invocation of an operation, as a shard has them."""


def shard_of_rows(rows: Iterable[Row]) -> Shard:
    """These operations as a shard, in the order in which they begin."""
    columns = np.array(sorted(rows, key=lambda row: row[1]), dtype=np.int64).reshape(-1, 4)
    return Shard(None, *columns.T)


class Prefix:
    """The operations of one object up to an event.

    Attributes:
        parts: those that had begun, in order; the failed ones, too.
        place: the place of the event in real-time order.
    """

    def __init__(self, parts: Iterable[Part], place: int, forms: Forms) -> None:
        self.parts = [part for part in parts if part.operation.began <= place]
        self.place, self._forms = place, forms

    def shard(
        self, kept: Collection[Part] | None = None, *, others: bool = False, without: Part | None = None
    ) -> Shard:
        """The operations `kept` (by default all), and the `others` as optional ones; `without` is not completed."""
        chosen = None if kept is None else {part.operation.invocation for part in kept}
        rows: list[Row] = []
        for part in self.parts:
            if chosen is None or part.operation.invocation in chosen:
                rows += self._row(part, completed=part is not without)
            elif others:
                rows += self._optional(part)
        return shard_of_rows(rows)

    def unordered(self, kept: Collection[Part], last: Part) -> Shard:
        """The operation `last`, when all that is kept had begun before it and may or may not have taken effect."""
        before = [
            (self._forms.pending(part.form), -1, NEVER, part.operation.invocation)
            for part in kept
            if part is not last and not (part.operation.outcome is Kind.FAIL and part.ended_by(self.place))
        ]
        return shard_of_rows([*before, (last.form, 0, 1, last.operation.invocation)])

    def _row(self, part: Part, *, completed: bool) -> list[Row]:
        operation = part.operation
        if not (completed and part.ended_by(self.place)):
            return [(self._forms.pending(part.form), operation.began, NEVER, operation.invocation)]
        if operation.outcome is Kind.FAIL:
            return []
        return [(part.form, operation.began, _end(operation), operation.invocation)]

    def _optional(self, part: Part) -> list[Row]:
        if not part.ended_by(self.place):
            return self._row(part, completed=False)
        operation = part.operation
        if operation.outcome is Kind.FAIL or self._forms.pure[part.form]:
            return []
        return [(self._forms.optional(part.form), operation.began, _end(operation), operation.invocation)]


def _end(operation: Operation) -> int:
    return NEVER if operation.ended is None else operation.ended


class Counterexample(msgspec.Struct, frozen=True):
    """The smallest part that was found.

    Attributes:
        prefix: what it is a part of.
        last: the operation that completes at the first impossible event.
        kept: its operations, `last` among them, in order.
        minimal: whether no single one can be left out; if not, the steps ran out.
    """

    prefix: Prefix
    last: Part
    kept: tuple[Part, ...]
    minimal: bool


class Reducer:
    """Reduces the history of one object that is not linearizable, within a budget of steps."""

    def __init__(self, parts: Sequence[Part], forms: Forms, engine: Engine, *, steps_max: int = STEPS_MAX) -> None:
        self._parts, self._forms, self._engine = parts, forms, engine
        self._remaining = steps_max

    def first_impossible(self, from_place: int) -> int:
        """The place of the first completion, from this one on, by which the history is not linearizable.

        Where the steps run out it is a completion by which it is not, and perhaps not the first.
        """
        ends = sorted(end for part in self._parts if (end := part.operation.ended) is not None and end >= from_place)
        low, high = 0, len(ends) - 1
        middle = 0
        while low < high:
            if self._refuted(Prefix(self._parts, ends[middle], self._forms).shard()):
                high = middle
            else:
                low = middle + 1
            middle = (low + high) // 2
        return ends[low]

    def reduced(self, place: int) -> Counterexample:
        """The smallest part of the history up to a place, which is that of a first impossible event."""
        prefix = Prefix(self._parts, place, self._forms)
        last = next(part for part in prefix.parts if part.operation.ended == place)
        explicable = last.operation.outcome is Kind.OK and self._possible(prefix.unordered(prefix.parts, last))

        def will_do(rest: Sequence[Part]) -> bool:
            kept = [*rest, last]
            return (
                (not explicable or self._possible(prefix.unordered(kept, last)))
                and self._possible(prefix.shard(kept, without=last))
                and self._refuted(prefix.shard(kept, others=True))
            )

        rest = [part for part in prefix.parts if part is not last]
        size = len(rest)
        while size:
            smaller = self._without_chunks(rest, size, will_do)
            size = 1 if size == 1 and len(smaller) < len(rest) else size // 2
            rest = smaller
        kept = sorted([*rest, last], key=lambda part: part.operation.began)
        return Counterexample(prefix, last, tuple(kept), minimal=self._remaining > 0)

    @staticmethod
    def _without_chunks(rest: Sequence[Part], size: int, will_do: Callable[[Sequence[Part]], bool]) -> list[Part]:
        """Leave out every run of `size` operations that can be, the oldest first."""
        left, at = list(rest), 0
        while at < len(left):
            shorter = left[:at] + left[at + size :]
            if will_do(shorter):
                left = shorter
            else:
                at += size
        return left

    def _refuted(self, shard: Shard) -> bool:
        return self._search(shard).refuted

    def _possible(self, shard: Shard) -> bool:
        return self._search(shard).order is not None

    def _search(self, shard: Shard) -> Found:
        found = self._engine.search([shard], steps_max=max(self._remaining, 0))[0]
        self._remaining -= found.steps if found.decided else self._remaining
        return found
