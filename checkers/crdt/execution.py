"""Operations on a replicated object with what each of them saw: the visibility of an abstract execution (Burckhardt 2014, 3.2).

A specification of a replicated data type says what a read returns, given the updates that are visible to it and their
timestamps (Burckhardt, Gotsman, Yang and Zawirski, Replicated Data Types: Specification, Verification, Optimality, 2014).
So where visibility was recorded, each read is judged by itself, without a search.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Hashable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from itertools import combinations
from typing import Final

from ...histories.errors import MalformedHistory
from ...histories.event import MISSING, Missing
from ...histories.trace import LIFECYCLE, Note, Trace
from ...histories.values import Value, identity, to_json
from ..convergence.states import merged_updates

NOTHING: Final[frozenset[Hashable]] = frozenset()


@dataclass(frozen=True, kw_only=True)
class Step:
    """One operation of an execution.

    Attributes:
        id: unique in its execution.
        action, argument: what was asked for.
        result: what a read returned; MISSING for an update.
        visible: the ids of the updates that it saw.
        timestamp: of an update; larger ones come later where an order decides. None: it has none.
        is_pending: whether nobody knows if the update took effect.
    """

    id: Hashable
    action: str
    argument: Value = None
    result: Value | Missing = MISSING
    visible: frozenset[Hashable] = NOTHING
    timestamp: Value = None
    is_pending: bool = False

    def __str__(self) -> str:
        argument = "" if self.argument is None else to_json(self.argument)
        answer = "" if isinstance(self.result, Missing) else f" -> {to_json(self.result)}"
        return f"{self.id}: {self.action}({argument}){answer}"


@dataclass(frozen=True)
class Execution:
    """The operations of one object.

    Raises:
        MalformedHistory: two have one id, one sees what there is not, or some see each other in a circle.
    """

    steps: tuple[Step, ...]

    def __post_init__(self) -> None:
        if len(self.by_id) < len(self.steps):
            raise MalformedHistory(
                "two operations have one id", field="id", hint="Give each operation an id of its own"
            )
        for step in self.steps:
            if not step.visible <= self.by_id.keys():
                raise MalformedHistory(
                    f"{step} sees what is no operation",
                    field="visible",
                    hint="`visible` holds the ids of other operations of the same execution",
                )
        circle = self._circle()
        if circle is not None:
            raise MalformedHistory(
                f"{circle} sees itself, or what sees it in turn",
                field="visible",
                hint="`visible` holds what an operation had seen when it was made",
            )

    def _circle(self) -> Step | None:
        """An operation that stands on a circle, or sees one; O(size of all `visible`)."""
        waits = {step.id: len(step.visible) for step in self.steps}
        seen_by: dict[Hashable, list[Step]] = {}
        for step in self.steps:
            for seen in step.visible:
                seen_by.setdefault(seen, []).append(step)
        ready = deque(step for step in self.steps if not step.visible)
        done = 0
        while ready:
            done += 1
            for step in seen_by.get(ready.popleft().id, ()):
                waits[step.id] -= 1
                if not waits[step.id]:
                    ready.append(step)
        return None if done == len(self.steps) else next(step for step in self.steps if waits[step.id])

    @cached_property
    def by_id(self) -> Mapping[Hashable, Step]:
        """Every operation by its id."""
        return {step.id: step for step in self.steps}

    def reads(self, action: str) -> Iterator[Step]:
        """The operations that returned something, by their action."""
        return (step for step in self.steps if step.action == action and not isinstance(step.result, Missing))

    def seen_by(self, read: Step, *actions: str) -> list[Step]:
        """The updates of these actions that an operation saw, in the order of the execution."""
        return [step for step in self._updates(actions) if step.id in read.visible]

    def _updates(self, actions: tuple[str, ...]) -> tuple[Step, ...]:
        if actions not in self._by_actions:
            self._by_actions[actions] = tuple(step for step in self.steps if step.action in actions)
        return self._by_actions[actions]

    @cached_property
    def _by_actions(self) -> dict[tuple[str, ...], tuple[Step, ...]]:
        return {}

    def concurrent_pairs(self, *actions: str) -> Iterator[tuple[Step, Step]]:
        """Each two updates of these actions of which neither saw the other. O(updates squared), as one asks for them."""
        for one, other in combinations(self._updates(actions), 2):
            if one.id not in other.visible and other.id not in one.visible:
                yield one, other


def execution_of(trace: Trace, updates: Mapping[Hashable, Step], result: Callable[[Note], Value]) -> Execution:
    """What replicas noted, as an execution: `merged` gives visibility, and every `state` is a read. O(notes times updates).

    An update saw what its replica had taken in when it was first noted as `merged`.

    Args:
        trace: has notes `merged` and `state`.
        updates: the operation of each id; what it saw is filled in.
        result: what a reader of such a state would be told.

    Raises:
        MalformedHistory: an update is noted that is not among `updates`.
    """
    taken: dict[str, dict[Hashable, None]] = {}
    steps: dict[Hashable, Step] = {}
    for at, note in enumerate(trace):
        here = taken.setdefault(note.node, {})
        if note.kind in LIFECYCLE:
            here.clear()
        elif note.kind == "merged":
            for update in merged_updates(note):
                name = identity(update)
                if name not in updates:
                    raise MalformedHistory(f"{note.node} takes in {to_json(update)}, which is no known update")
                told = updates[name]
                steps.setdefault(name, _seeing(told, frozenset(here), name))
                here[name] = None
        elif note.kind == "state":
            read = Step(id=("read", at), action="read", result=result(note), visible=frozenset(here))
            steps[read.id] = read
    return Execution(tuple(steps.values()))


def _seeing(step: Step, visible: frozenset[Hashable], name: Hashable) -> Step:
    return Step(
        id=name,
        action=step.action,
        argument=step.argument,
        visible=visible,
        timestamp=step.timestamp,
        is_pending=step.is_pending,
    )
