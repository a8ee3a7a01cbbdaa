"""Sets of different semantics, run on two replicas that exchange what they know: none of them is ever refuted."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TypeAlias

import pytest
from hypothesis import given
from hypothesis import strategies as st

from upheld.checkers.convergence import Convergent, DuplicateFree, Lossless, PhantomFree, Unresurrected, decide
from upheld.checkers.verdict import Refuted, Upheld, word
from upheld.histories.event import Event, Kind
from upheld.histories.history import History


@dataclass(frozen=True)
class Update:
    """What was asked for, what its replica had seen then, and a Lamport clock."""

    number: int
    is_add: bool
    element: int
    seen: frozenset[int]
    clock: tuple[int, str]


Semantics: TypeAlias = Callable[[list[Update]], bool]
"""Whether an element is there, given the updates of it that a replica has."""


def add_wins(updates: list[Update]) -> bool:
    removes = [update for update in updates if not update.is_add]
    return any(add.is_add and not any(add.number in remove.seen for remove in removes) for add in updates)


def remove_wins(updates: list[Update]) -> bool:
    adds = [update for update in updates if update.is_add]
    removes = [update for update in updates if not update.is_add]
    return bool(adds) and all(any(remove.number in add.seen for add in adds) for remove in removes)


def last_writer_wins(updates: list[Update]) -> bool:
    last = max(updates, key=lambda update: update.clock, default=None)
    return last is not None and last.is_add


@dataclass
class Replicas:
    """Two replicas, and the history of their clients."""

    semantics: Semantics
    has: dict[str, dict[int, Update]] = field(default_factory=lambda: {"a": {}, "b": {}})
    events: list[Event] = field(default_factory=list)

    def update(self, node: str, element: int, *, is_add: bool) -> None:
        here = self.has[node]
        clock = 1 + max((update.clock[0] for update in here.values()), default=0)
        action = "add" if is_add else "remove"
        here[len(self.events)] = Update(len(self.events), is_add, element, frozenset(here), (clock, node))
        self._exchange(node, action, element, None)

    def read(self, node: str) -> None:
        here = self.has[node].values()
        shown = [e for e in range(2) if self.semantics([update for update in here if update.element == e])]
        self._exchange(node, "read", None, tuple(shown))

    def sync(self, node: str) -> None:
        other = "b" if node == "a" else "a"
        self.has[node].update(self.has[other])

    def end(self) -> History:
        self.sync("a")
        self.sync("b")
        self.events += [Event(process="phases", kind=Kind.INFO, action=phase) for phase in ("heal", "quiet", "final")]
        self.read("a")
        self.read("b")
        return History.of_events(self.events)

    def _exchange(self, node: str, action: str, argument: int | None, result: tuple[int, ...] | None) -> None:
        process = len(self.events)
        begin = Event(process=process, kind=Kind.INVOKE, action=action, node=node, value=argument)
        end = Event(process=process, kind=Kind.OK, action=action, node=node, value=result)
        self.events += [begin, end]


STEP = st.tuples(
    st.sampled_from(("add", "add", "remove", "read", "read", "sync")), st.sampled_from("ab"), st.integers(0, 1)
)


def run(semantics: Semantics, steps: list[tuple[str, str, int]]) -> History:
    replicas = Replicas(semantics)
    for action, node, element in steps:
        match action:
            case "read":
                replicas.read(node)
            case "sync":
                replicas.sync(node)
            case _:
                replicas.update(node, element, is_add=action == "add")
    return replicas.end()


@pytest.mark.parametrize("semantics", [add_wins, remove_wins, last_writer_wins], ids=lambda each: each.__name__)
@given(st.lists(STEP, max_size=12))
def test_no_sound_semantics_is_refuted(semantics: Semantics, steps: list[tuple[str, str, int]]) -> None:
    history = run(semantics, steps)
    for checker in (Convergent(), Lossless(), PhantomFree(), DuplicateFree(), Unresurrected()):
        assert isinstance(checker.check(history), Upheld), checker


def test_the_three_differ_about_what_is_contested() -> None:
    steps = [("add", "a", 0), ("sync", "b", 0), ("add", "a", 0), ("remove", "b", 0)]
    shown = {
        each.__name__: run(each, steps).operations[-1].result for each in (add_wins, remove_wins, last_writer_wins)
    }
    assert shown == {"add_wins": (0,), "remove_wins": (), "last_writer_wins": ()}


def never_removes(updates: list[Update]) -> bool:
    return any(update.is_add for update in updates)


def forgets_an_add_for_good(updates: list[Update]) -> bool:
    return add_wins(updates) and len(updates) != 3


@pytest.mark.parametrize(
    ("semantics", "steps"),
    [
        (never_removes, [("add", "a", 0), ("remove", "a", 0)]),
        (forgets_an_add_for_good, [("add", "a", 0), ("remove", "a", 0), ("add", "a", 0)]),
    ],
    ids=["never removes", "forgets an add"],
)
def test_an_unsound_one_is_refuted(semantics: Semantics, steps: list[tuple[str, str, int]]) -> None:
    verdict = decide(run(semantics, steps), ["eventual.visibility"])["eventual.visibility"]
    assert isinstance(verdict, Refuted), word(verdict)
    assert verdict.anomaly.kind == "missing-update"
