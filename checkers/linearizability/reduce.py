"""From a history that cannot be to the smallest part of it that cannot be either.

*The first impossible event* is the first one with which the history so far is not linearizable; what is open then may
have any answer. That is monotone (a linearizable history has only linearizable prefixes), so bisection finds it.

*Leaving out* must not lie. An operation that is left out is not struck from the history: it becomes optional, that is, it
may take effect within its own time or not at all, with any answer; only pure operations are struck (both are sound: if
the whole were linearizable, so would be the rest). So what remains is impossible by itself, whatever the operations that
were left out did, and proves that the whole is. Two more rules keep the reason that a reader looks for: without its last
event the rest is possible, and if the last answer could be had from the operations before it in some order, it still can.

What remains is 1-minimal in this sense: no single operation more can be left out. The scheme of halves is that of Zeller
and Hildebrandt, "Simplifying and isolating failure-inducing input" (2002), section 3. In a long history only the last
operations are looked at where they suffice: from every state in which those before them can have left the object.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence
from functools import partial
from typing import Final, TypeAlias

import msgspec
import numpy as np

from ...histories.event import Kind, Operation
from .engine import Engine
from .prepare import BARRIER, NEVER, Forms, Shard
from .search import Found
from .transitions import START

STEPS_MAX: Final = 2_000_000
"""Configurations that may be looked at to reduce one counter-example, unless it took many to find it."""


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


WINDOW: Final = 64
"""How many operations are looked at first, before the event that is impossible."""

SOURCES_MAX: Final = 2_000
"""In so long a history the operations that explain the last answer are looked for everywhere, in a longer one nearby."""

EXPLAIN_STEPS_MAX: Final = 20_000
"""Configurations that may be looked at to find out whether an answer could be had in any order."""

WillDo: TypeAlias = Callable[[Sequence["Part"]], bool]
"""Whether these operations, with the last one, are a counter-example."""

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

    def before(self, place: int) -> Shard:
        """What began before a place, and then a barrier."""
        earlier = Prefix(self.parts, place - 1, self._forms)
        rows = [row for part in earlier.parts for row in earlier._row(part)]
        return shard_of_rows([*rows, (self._forms.code(BARRIER), place, place + 1, -1)])

    def since(self, place: int) -> Prefix:
        """The part of it that had not ended at a place."""
        return Prefix((part for part in self.parts if not part.ended_by(place)), self.place, self._forms)

    def unordered(self, kept: Collection[Part], last: Part) -> Shard:
        """The operation `last`, when all that is kept had begun before it and may or may not have taken effect."""
        before = [
            (self._forms.pending(part.form), -1, NEVER, part.operation.invocation)
            for part in kept
            if part is not last and not (part.operation.outcome is Kind.FAIL and part.ended_by(self.place))
        ]
        return shard_of_rows([*before, (last.form, 0, 1, last.operation.invocation)])

    def _row(self, part: Part, *, completed: bool = True) -> list[Row]:
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


class Question(msgspec.Struct, frozen=True):
    """What a counter-example must be one of.

    Attributes:
        prefix: the operations that it may have.
        last: the one that completes at the impossible event.
        starts: the codes of the states in which the object can be before them.
        explicable: whether the answer of `last` must be one that could be had in some order.
    """

    prefix: Prefix
    last: Part
    starts: Sequence[int]
    explicable: bool


class Reducer:
    """Reduces the history of one object that is not linearizable, which it took `steps` to find out."""

    def __init__(self, parts: Sequence[Part], forms: Forms, engine: Engine, *, steps: int) -> None:
        self._parts, self._forms, self._engine = parts, forms, engine
        self._remaining = max(STEPS_MAX, 4 * steps)

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
        rest, will_do = self._recent(prefix, last)
        size = len(rest)
        while size and self._remaining > 0:
            smaller = _without_chunks(rest, size, will_do)
            size = 1 if size == 1 and len(smaller) < len(rest) else size // 2
            rest = smaller
        kept = sorted([*rest, last], key=lambda part: part.operation.began)
        return Counterexample(prefix, last, tuple(kept), minimal=self._remaining > 0)

    def _recent(self, prefix: Prefix, last: Part) -> tuple[list[Part], WillDo]:
        """So many of the last operations that they are impossible by themselves, and what tells whether fewer still are."""
        rest = [part for part in prefix.parts if part is not last]
        sources = prefix.parts if len(prefix.parts) <= SOURCES_MAX else rest[-WINDOW:]
        explicable = last.operation.outcome is Kind.OK and self._explains(prefix, sources, last)
        size = WINDOW
        while size < len(rest) and self._remaining > 0:
            recent = rest[-size:]
            began = min(recent[0].operation.began, last.operation.began)
            states = self._search(prefix.before(began))
            question = Question(prefix.since(began), last, states.ends, explicable)
            will_do = partial(self._will_do, question)
            if states.decided and will_do(recent):
                return recent, will_do
            size *= 4
        return rest, partial(self._will_do, Question(prefix, last, START, explicable))

    def _will_do(self, question: Question, rest: Sequence[Part]) -> bool:
        """Whether the operations `rest` and the last one are a counter-example in the sense above."""
        prefix, last = question.prefix, question.last
        kept = [*rest, last]
        return (
            self._remaining > 0
            and (not question.explicable or self._explains(prefix, kept, last))
            and self._search(prefix.shard(kept, without=last)).order is not None
            and self._search(prefix.shard(kept, others=True), question.starts).refuted
            and (question.starts == START or self._search(prefix.shard(kept)).refuted)
        )

    def _explains(self, prefix: Prefix, kept: Collection[Part], last: Part) -> bool:
        """Whether the answer of `last` could be had if what is kept took effect before it in some order, or not at all."""
        return self._search(prefix.unordered(kept, last), steps_max=EXPLAIN_STEPS_MAX).order is not None

    def _refuted(self, shard: Shard) -> bool:
        return self._search(shard).refuted

    def _search(self, shard: Shard, starts: Sequence[int] = START, *, steps_max: int | None = None) -> Found:
        remaining = max(self._remaining, 0)
        steps_max = remaining if steps_max is None else min(steps_max, remaining)
        found = self._engine.search_from(starts, shard, steps_max=steps_max)
        self._remaining -= found.steps
        return found


def _without_chunks(rest: Sequence[Part], size: int, will_do: WillDo) -> list[Part]:
    """Leave out every run of `size` operations that can be, the oldest first."""
    left, at = list(rest), 0
    while at < len(left):
        shorter = left[:at] + left[at + size :]
        if will_do(shorter):
            left = shorter
        else:
            at += size
    return left
