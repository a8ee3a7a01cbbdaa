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

In a long history only the last operations are looked at where they suffice: from every state in which those before them
can have left the object. To what remains of them come the earlier operations that their answers rest on.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from functools import partial
from operator import eq
from typing import Final, TypeAlias

import msgspec

from ...histories.event import Kind
from .engine import Engine
from .prefix import Part, Prefix
from .prepare import Forms, Shard
from .search import Found
from .sources import way_to
from .transitions import START

STEPS_MAX: Final = 2_000_000
"""Configurations that may be looked at to reduce one counter-example, unless it took many to find it."""


WINDOW: Final = 64
"""How many operations are looked at first, before the event that is impossible."""

EXPLAIN_STEPS_MAX: Final = 20_000
"""Configurations that may be looked at to find out whether an answer could be had in any order."""

WillDo: TypeAlias = Callable[[Sequence[Part]], bool]
"""Whether these operations, with the last one, are a counter-example."""


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
        since: the place from which on operations that are left out are looked at; -1 for all.
        starts: the codes of the states in which the object can be by then.
        explicable: whether the last answer must be one that could be had in some order.
    """

    prefix: Prefix
    last: Part
    since: int = -1
    starts: Sequence[int] = START
    explicable: bool = False


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
        rest = [part for part in prefix.parts if part is not last]
        size, kept = WINDOW, None
        while kept is None and size < len(rest) and self._remaining > 0:
            kept = self._from_recent(prefix, last, rest[-size:])
            size *= 4
        if kept is None:
            kept = self._minimal(self._question(Question(prefix, last), prefix.parts), rest)
        in_order = sorted([*kept, last], key=lambda part: part.operation.began)
        return Counterexample(prefix, last, tuple(in_order), minimal=self._remaining > 0)

    def _from_recent(self, prefix: Prefix, last: Part, recent: Sequence[Part]) -> list[Part] | None:
        """A counter-example from the last operations and those that their answers rest on; None where they do not suffice."""
        since = min(recent[0].operation.began, last.operation.began)
        before = self._search(prefix.before(since))
        if not before.decided:
            return None
        for sources in self._sources(Question(prefix, last, since, before.ends)):
            rest = [*sources, *recent]
            question = self._question(Question(prefix, last, since, before.ends), [*rest, last])
            if self._will_do(question, rest):
                return self._minimal(question, rest)
        return None

    def _sources(self, question: Question) -> Iterator[Sequence[Part]]:
        """Earlier operations that the last answer may rest on, and that lead to a state of `starts`; the fullest sets first."""
        last, transitions = question.last, self._engine.transitions
        earlier = [part for part in question.prefix.parts if part.ended_by(question.since)]
        ways: list[Sequence[Part]] = [
            (),
            *(way_to(partial(eq, start), START[0], earlier, transitions) for start in question.starts),
        ]
        for way in ways:
            place = min((part.operation.began for part in way), default=question.since)
            before = [part for part in earlier if part.ended_by(place)]
            yield [*way_to(lambda state: bool(transitions(state, last.form)), START[0], before, transitions), *way]
        yield from ways

    def _question(self, question: Question, parts: Sequence[Part]) -> Question:
        """The question with whether the last answer could be had by these operations in some order."""
        last = question.last
        explicable = last.operation.outcome is Kind.OK and self._explains(question.prefix, parts, last)
        return msgspec.structs.replace(question, explicable=explicable)

    def _minimal(self, question: Question, rest: Sequence[Part]) -> list[Part]:
        """So many of these operations that no single one more can be left out."""
        left, size = list(rest), len(rest)
        while size and self._remaining > 0:
            smaller = _without_chunks(left, size, partial(self._will_do, question))
            size = 1 if size == 1 and len(smaller) < len(left) else size // 2
            left = smaller
        return left

    def _will_do(self, question: Question, rest: Sequence[Part]) -> bool:
        """Whether the operations `rest` and the last one are a counter-example in the sense above."""
        prefix, last = question.prefix, question.last
        kept = [*rest, last]
        return (
            self._remaining > 0
            and (not question.explicable or self._explains(prefix, kept, last))
            and self._search(prefix.shard(kept, without=last)).order is not None
            and self._search(prefix.shard(kept, others_since=question.since), question.starts).refuted
            and (question.since < 0 or self._search(prefix.shard(kept)).refuted)
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
