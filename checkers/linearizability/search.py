"""The search for a linearization: clear, slow, and the definition of the fast one.

Wing and Gong (1993) try every operation that may come next. This is the just-in-time form of Lowe ("Testing for
linearizability", 2017): events in order, and operations take effect only when the next completion needs one of them. A
*level* is the number of completions passed. Five rules keep it small, and none of them changes the answer:

- *memory*: a configuration is (level, operations that took effect and have not completed, pending ones used, state), and
  none is looked at twice;
- *eager pure operations*: what changes no state in which it is possible takes effect as soon as it is possible. Being
  without effect in the present state alone would not do: a pending write of what is there already may be needed later;
- *symmetry*: of operations of the same form the one that completes first goes first, of pending ones the oldest;
- *dominance*: of two configurations alike but for the pending operations used, the one that used fewer of each can do
  whatever the other can;
- *useful crashes*: in a shortest linearization a pending operation changes the state, and makes a pure operation
  possible or leads the next operation to a state that it could not have led to without.

Among the operations that may come next the one that completes first is tried first: honest systems are nearly always right.
"""

from __future__ import annotations

from bisect import bisect_left, insort
from collections.abc import Callable, Iterator, Sequence
from typing import Final, NamedTuple, TypeAlias

import msgspec
import numpy as np
import numpy.typing as npt

from .prepare import NEVER, Shard

Step = Callable[[int, int], tuple[int, ...]]
"""From the codes of a state and a form to the codes of the states that may follow."""

REMEMBER_EVERY: Final = 16
"""Levels passed without a choice are remembered this rarely; it bounds both memory and what is walked twice."""


class Found(msgspec.Struct, frozen=True):
    """What came of a search.

    Attributes:
        order: a linearization, as places of operations in the shard; None where there is none, or none was found.
        steps: how many configurations were looked at.
        stuck: None where there is an order; else the operation whose completion no configuration could pass.
        decided: whether everything was looked at; if not, the events before the completion of `stuck` are verified.
        ends: the codes of the states in which configurations were stuck there, sorted; none where there is an order.
    """

    order: Sequence[int] | npt.NDArray[np.int32] | None
    steps: int
    stuck: int | None
    decided: bool
    ends: Sequence[int] = ()

    @property
    def refuted(self) -> bool:
        """Whether there certainly is no order."""
        return self.decided and self.order is None


Used: TypeAlias = tuple[tuple[int, int], ...]


class Configuration(NamedTuple):
    """Where a search stands: the levels passed, and what took effect.

    `done` are the operations that took effect and whose completion is still to come, `used` how many of the pending ones
    of each form took effect, sorted by form. `before` is the state before the last operation where that was a pending one that still
    has to prove useful, else None.
    """

    level: int
    done: frozenset[int]
    used: Used
    state: int
    before: int | None


Watch = Callable[[Configuration, Sequence[int]], None]
"""Is told of every configuration in which something must be chosen, with the operations that led there."""


def search(
    shard: Shard, pure: Sequence[bool], step: Step, starts: Sequence[int], *, steps_max: int, watch: Watch | None = None
) -> Found:
    """Look for a linearization from any of the states `starts`, in at most `steps_max` configurations."""
    return _Search(shard, pure, step, steps_max, watch).run(starts)


class _Window:
    """The operations that are open at a level: begun before its completion, and not completed before it."""

    def __init__(self, shard: Shard) -> None:
        began, ended = shard.began.tolist(), shard.ended.tolist()
        complete = [at for at in range(len(shard)) if ended[at] != NEVER]
        self.due = sorted(complete, key=lambda at: ended[at])
        """The operations by completion: `due[level]` is the one whose completion is next."""
        self.until: list[int] = [ended[at] for at in self.due]
        self._rank = {at: rank for rank, at in enumerate(self.due)}
        self._entering: list[list[int]] = [[] for _ in self.due]
        for at in complete:
            self._entering[bisect_left(self.until, began[at])].append(at)
        self.pending: dict[int, tuple[list[int], list[int]]] = {}
        """By form: the pending operations, oldest first, and where they began."""
        for at, form in enumerate(shard.form.tolist()):
            if ended[at] == NEVER:
                places, begins = self.pending.setdefault(form, ([], []))
                places.append(at)
                begins.append(began[at])
        self.level = 0
        self._open: list[tuple[int, int]] = []
        if self.due:
            self._enter()

    def at(self, level: int) -> list[int]:
        """The complete operations open at that level, the one that completes first at the front."""
        while self.level < level:
            del self._open[0]
            self.level += 1
            self._enter()
        while self.level > level:
            for at in self._entering[self.level]:
                self._open.remove((self._rank[at], at))
            self.level -= 1
            self._open.insert(0, (self.level, self.due[self.level]))
        return [at for _, at in self._open]

    def pending_at(self, level: int) -> Iterator[tuple[int, list[int]]]:
        """By form, the pending operations that began before the completion of that level."""
        for form, (places, begins) in self.pending.items():
            yield form, places[: bisect_left(begins, self.until[level])]

    def _enter(self) -> None:
        for at in self._entering[self.level]:
            insort(self._open, (self._rank[at], at))


class _OutOfSteps(Exception):
    pass


class _Search:
    def __init__(self, shard: Shard, pure: Sequence[bool], step: Step, steps_max: int, watch: Watch | None) -> None:
        self.form: list[int] = shard.form.tolist()
        self.pure, self.step, self.steps_max, self.watch = pure, step, steps_max, watch
        self.window = _Window(shard)
        self.steps = 0
        self.deepest = 0
        self.ends: set[int] = set()
        self.order: list[int] = []
        self.visited: dict[tuple[int, frozenset[int], int, int | None], list[Used]] = {}

    def run(self, starts: Sequence[int]) -> Found:
        try:
            found = any(self.walk(Configuration(0, frozenset(), (), state, None)) for state in starts)
        except _OutOfSteps:
            return self.not_found(decided=False)
        return Found(tuple(self.order), self.steps, None, decided=True) if found else self.not_found(decided=True)

    def not_found(self, *, decided: bool) -> Found:
        return Found(None, self.steps, self.window.due[self.deepest], decided, sorted(self.ends))

    def walk(self, root: Configuration) -> bool:
        """Depth first; whether the last completion was passed."""
        start: Iterator[tuple[Configuration, tuple[int, ...]]] = iter([(root, ())])
        choices = [(start, 0)]
        while choices:
            remaining, length = choices[-1]
            choice = next(remaining, None)
            if choice is None:
                choices.pop()
                continue
            configuration, taken = choice
            self.order[length:] = taken
            reached = self.advance(configuration)
            if reached is None:
                continue
            if reached.level == len(self.window.due):
                return True
            choices.append((self.choices(reached), len(self.order)))
        return False

    def advance(self, at: Configuration) -> Configuration | None:
        """Go on while there is nothing to choose; None where a configuration that can do as much was seen before."""
        while at.level < len(self.window.due):
            if at.level > self.deepest:
                self.deepest = at.level
                self.ends.clear()
            if self.steps == self.steps_max:
                raise _OutOfSteps
            self.steps += 1
            at = self.close(at)
            due = self.window.due[at.level]
            must_choose = due not in at.done
            if (must_choose or at.level % REMEMBER_EVERY == 0) and self.seen(at):
                return None
            if must_choose:
                if at.level == self.deepest:
                    self.ends.add(at.state)
                if self.watch is not None:
                    self.watch(at, self.order)
                return at
            at = at._replace(level=at.level + 1, done=at.done - {due}, before=None)
        return at

    def close(self, at: Configuration) -> Configuration:
        """Let every pure operation take effect that can."""
        ready = [
            operation
            for operation in self.window.at(at.level)
            if operation not in at.done
            and self.pure[self.form[operation]]
            and self.step(at.state, self.form[operation])
        ]
        if not ready:
            return at
        self.order += ready
        return at._replace(done=at.done.union(ready), before=None)

    def seen(self, at: Configuration) -> bool:
        """Whether a configuration was seen that can do as much; if not, remember this one."""
        for before in (None, at.before):
            for used in self.visited.get((at.level, at.done, at.state, before), ()):
                if _within(used, at.used):
                    return True
        self.visited.setdefault((at.level, at.done, at.state, at.before), []).append(at.used)
        return False

    def choices(self, at: Configuration) -> Iterator[tuple[Configuration, tuple[int, ...]]]:
        """The configurations that one more operation leads to, and that operation."""
        tried = set()
        for operation in self.window.at(at.level):
            form = self.form[operation]
            if operation in at.done or self.pure[form] or form in tried:
                continue
            tried.add(form)
            for state in self.useful(at, form):
                yield at._replace(done=at.done | {operation}, state=state, before=None), (operation,)
        for form, available in self.window.pending_at(at.level):
            counts = dict(at.used)
            count = counts.get(form, 0)
            if count == len(available):
                continue
            used = tuple(sorted({**counts, form: count + 1}.items()))
            for state in self.useful(at, form):
                if state != at.state:
                    yield at._replace(used=used, state=state, before=at.state), (available[count],)

    def useful(self, at: Configuration, form: int) -> Iterator[int]:
        """The states that an operation leads to, less those that it could lead to without the pending one before it."""
        without = () if at.before is None else self.step(at.before, form)
        return (state for state in self.step(at.state, form) if state not in without)


def _within(few: Used, many: Used) -> bool:
    """Whether the one holds no form more often than the other does."""
    counts = dict(many)
    return all(times <= counts.get(form, 0) for form, times in few)
