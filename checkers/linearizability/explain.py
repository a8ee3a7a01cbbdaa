"""Why a history is not linearizable, in sentences that a reader can check by hand."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import msgspec
import numpy as np

from ...histories.event import MISSING, Kind
from ...histories.history import History
from ...histories.values import identity, to_json
from ...specs.model import Call, Model, shard_of
from ..verdict import Anomaly
from .engine import Engine
from .prefix import Part
from .prepare import Case, Form, answer_of, call_of
from .reduce import Counterexample, Reducer
from .search import Found, Watch, search
from .transitions import START, Transitions

LINES_MAX: Final = 40
"""How many operations a story tells one by one."""

STEPS_MAX: Final = 50_000
"""Configurations that may be looked at to tell how far a correct system could have come."""

OTHERS_MAX: Final = 3
"""How many other states, in which the operation is not possible either, a story names."""


class Explanation(msgspec.Struct, frozen=True):
    """What there is to say.

    Attributes:
        anomaly: the counter-example and its story.
        event: the index of the first impossible event.
        left_out: how many operations that had begun by then are not part of the counter-example.
    """

    anomaly: Anomaly
    event: int
    left_out: int


def explain(history: History, case: Case, found: Sequence[Found], engine: Engine) -> Explanation:
    """The first impossible event of all, and the smallest part of the history that shows why."""
    first: tuple[int, Reducer] | None = None
    for place, at in sorted(_bounds(case, found)):
        if first is not None and first[0] <= place:
            break
        reducer = Reducer(parts_of(history, case, at), case.forms, engine, steps=found[at].steps)
        impossible = reducer.first_impossible(place)
        if first is None or impossible < first[0]:
            first = impossible, reducer
    assert first is not None, "nothing is refuted"
    place, reducer = first
    return _told(history, case, reducer.reduced(place))


def _bounds(case: Case, found: Sequence[Found]) -> list[tuple[int, int]]:
    """Of every refuted shard: the place before which nothing is impossible, and which it is."""
    return [
        (int(shard.ended[each.stuck]), at)
        for at, (shard, each) in enumerate(zip(case.shards, found, strict=True))
        if each.refuted and each.stuck is not None
    ]


def parts_of(history: History, case: Case, at: int) -> list[Part]:
    """The operations of a shard, the failed ones too, in the order in which they began."""
    name = identity(case.shards[at].name)
    parts = []
    for operation in history.operations:
        call = call_of(case.model, operation)
        if identity(shard_of(case.model, call)) == name:
            parts.append(Part(operation, case.forms.code(Form(call, answer_of(history, case.model, operation)))))
    return parts


def _told(history: History, case: Case, example: Counterexample) -> Explanation:
    operations = tuple(part.operation for part in example.kept)
    begun = sum(operation.began <= example.prefix.place for operation in history.operations)
    left_out = begun - len(operations)
    anomaly = Anomaly(
        kind="not-linearizable",
        story=(*_Story(history, case, example).lines(), *_remarks(example, begun, left_out)),
        operations=operations,
        history=_excerpt(history, example),
    )
    assert example.last.operation.completion is not None
    return Explanation(anomaly, example.last.operation.completion, left_out)


def _excerpt(history: History, example: Counterexample) -> History:
    """The events of the counter-example, up to the first impossible one."""
    wanted, unknown = set(), set()
    for part in example.kept:
        operation = part.operation
        wanted.add(operation.invocation)
        if operation.completion is not None and part.ended_by(example.prefix.place):
            wanted.add(operation.completion)
        elif operation.completion is not None and operation.is_pending:
            unknown.add(operation.completion)
    wanted.update([index for index in unknown if index < max(wanted)])
    return history.filter(lambda event: event.index in wanted)


def _remarks(example: Counterexample, begun: int, left_out: int) -> list[str]:
    remarks = []
    elsewhere = begun - len(example.prefix.parts)
    here = left_out - elsewhere
    if here:
        remarks.append(f"Left out: {_count(here)} that {'makes' if here == 1 else 'make'} no difference")
    if elsewhere:
        remarks.append(f"Left out: {_count(elsewhere)} on other objects")
    if not example.minimal:
        remarks.append("Perhaps more can be left out: the steps for reducing it ran out")
    return remarks


def _count(number: int) -> str:
    return "1 operation" if number == 1 else f"{number} operations"


class _Story:
    """How far a correct system could have come with the operations of a counter-example, and why no farther."""

    def __init__(self, history: History, case: Case, example: Counterexample) -> None:
        self.history, self.case, self.example = history, case, example
        self.transitions = Transitions(case.forms)
        self.shard = example.prefix.shard(example.kept)
        self.ends: dict[int, tuple[int, ...]] = {}
        """By state in which the operations are stuck: the longest order that ends in it."""

    def lines(self) -> list[str]:
        found = self.search()
        if not found.decided or found.stuck is None:
            return self.too_long()
        ends = sorted(self.ends.items(), key=lambda end: (-len(end[1]), end[1]))
        order = [self.shown(int(self.shard.invocation[place])) for place in ends[0][1]]
        stuck = self.part(int(self.shard.invocation[found.stuck]))
        return [
            *(["not linearizable. After", *_shortened(order), "nothing can come next:"] if order else [BEGINNING]),
            f"{self.shown(stuck.operation.invocation)}, but {self.reason(ends[0][0], stuck, at_start=not order)}",
            *self.other_ends(stuck, [state for state, _ in ends]),
            *self.turning_point(stuck),
        ]

    def too_long(self) -> list[str]:
        """What to say where nobody could follow."""
        last = self.shown(self.example.last.operation.invocation)
        return [
            f"not linearizable. No order explains these {len(self.example.kept)} operations, of which the last is",
            last,
        ]

    def search(self) -> Found:
        """Find out where everything is stuck, and by which orders that is reached."""
        found = self._search()
        if found.decided and found.stuck is not None:
            place = self.shard.ended[found.stuck]
            level = int(np.count_nonzero(self.shard.ended < place))
            self._search(lambda at, order: self.reach(at.state, order) if at.level == level else None)
        return found

    def _search(self, watch: Watch | None = None) -> Found:
        pure = self.case.forms.pure
        return search(self.shard, pure, self.transitions, START, steps_max=STEPS_MAX, watch=watch)

    def reach(self, state: int, order: Sequence[int]) -> None:
        """Keep the longest order that ends in each state."""
        if len(order) >= len(self.ends.get(state, ())):
            self.ends[state] = tuple(order)

    def part(self, invocation: int) -> Part:
        return next(part for part in self.example.kept if part.operation.invocation == invocation)

    def shown(self, invocation: int) -> str:
        """An operation as it stands at the first impossible event, with its acknowledgement spelt out."""
        part = self.part(invocation)
        operation = part.operation
        if not part.ended_by(self.example.prefix.place):
            operation = msgspec.structs.replace(operation, outcome=Kind.INFO, result=MISSING)
        elif operation.outcome is Kind.OK:
            operation = msgspec.structs.replace(operation, result=answer_of(self.history, self.case.model, operation))
        return f"  {operation}"

    def reason(self, state: int, stuck: Part, *, at_start: bool = False) -> str:
        call = call_of(self.case.model, stuck.operation)
        return ("at the start " if at_start else "") + why_not(self.case.model, self.transitions.state(state), call)

    def other_ends(self, stuck: Part, states: Sequence[int]) -> list[str]:
        """What is in the way in other orders, where it is something else."""
        reasons = list(dict.fromkeys(self.reason(state, stuck) for state in states))[1 : OTHERS_MAX + 1]
        return [f"nor in any other order of them: there {' or '.join(reasons)}"] if reasons else []

    def turning_point(self, stuck: Part) -> list[str]:
        """A completion that took the last way out, where that is another one than the operation that is stuck."""
        last = self.example.last
        if last is stuck:
            return []
        return [f"and no way out is left since{self.shown(last.operation.invocation)[1:]}"]


def _shortened(lines: Sequence[str]) -> list[str]:
    """The lines, or the last of them where there are too many to read."""
    left = len(lines) - LINES_MAX
    return list(lines) if left <= 0 else [f"  {_count(left)}, and then", *lines[left:]]


BEGINNING: Final = "not linearizable. Nothing can come first:"


def why_not(model: Model[Any], state: Any, call: Call) -> str:
    """What stands in the way of a call: the model's own words, or what it would have answered."""
    words = getattr(model, "explain", None)
    if words is not None:
        return str(words(state, call))
    answers = [] if hasattr(model, "accepts") else [to_json(answer) for _, answer in model.step(state, call)]
    if not answers:
        return "that is not possible"
    return f"it would have answered {' or '.join(dict.fromkeys(answers))}"
