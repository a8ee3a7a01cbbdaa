"""Native core, Python twin and definition agree about every history; what they show for it can be checked.

First small worlds that histories come from, then linearizability as it is defined (try every order; it shares no code with
the engines that it judges), then the laws.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Hashable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from math import inf
from typing import Any, Final, Literal
from unittest import mock

from hypothesis import given
from hypothesis import strategies as st

from upheld import native
from upheld.checkers.linearizability import Linearizable, fault_in, reduce
from upheld.checkers.verdict import Refuted, Undecided, Upheld, Verdict, describe
from upheld.histories.event import MISSING, Event, Kind, Missing, Operation
from upheld.histories.history import History
from upheld.specs.model import Call
from upheld.specs.objects import CasRegister, KeyValue, Register

# --- worlds

PROCESSES = 5


class Mutex:
    """Free, or held by one process; whoever cannot have it, or does not hold it, is told so."""

    actions = frozenset({"acquire", "release"})
    by_process = True

    def initial(self) -> Any:
        return None

    def step(self, holder: Any, call: Call) -> Iterator[tuple[Any, bool]]:
        if call.action == "acquire":
            yield (call.process, True) if holder is None else (holder, False)
        else:
            yield (None, True) if holder == call.process else (holder, False)

    def is_pure(self, call: Call, result: Any) -> bool:
        return result is False


class Forgetful:
    """A register that may forget what it is told, and says nothing about it."""

    actions = frozenset({"read", "write"})

    def initial(self) -> int:
        return 0

    def step(self, state: Any, call: Call) -> Iterator[tuple[Any, Any]]:
        if call.action == "read":
            yield state, state
        else:
            yield call.argument, None
            yield state, None

    def is_pure(self, call: Call, result: Any) -> bool:
        return call.action == "read"


class Bag:
    """Takes things in, and gives any of them back."""

    actions = frozenset({"add", "take"})

    def initial(self) -> tuple[Any, ...]:
        return ()

    def step(self, state: tuple[Any, ...], call: Call) -> Iterator[tuple[tuple[Any, ...], Any]]:
        if call.action == "add":
            yield tuple(sorted((*state, call.argument))), None
        for at, thing in enumerate(state):
            if call.action == "take":
                yield state[:at] + state[at + 1 :], thing
        if call.action == "take" and not state:
            yield state, None

    def is_pure(self, call: Call, result: Any) -> bool:
        return call.action == "take" and result is None


class Adder:
    """A sum, by the optional member that is asked with the result."""

    actions = frozenset({"add", "read"})

    def initial(self) -> int:
        return 0

    def step(self, state: Any, call: Call) -> Iterator[tuple[Any, Any]]:
        yield (state + call.argument, None) if call.action == "add" else (state, state)

    def accepts(self, state: Any, call: Call, result: Any) -> Iterator[Any]:
        for after, answer in self.step(state, call):
            if result is MISSING or answer == result:
                yield after


@dataclass(frozen=True)
class World:
    """An object, what is asked of it, and what a liar may answer."""

    make: Callable[[], Any]
    calls: Sequence[tuple[str, Any, Any]]
    lies: Sequence[Any]


VALUES = (1, True, 2)
PAIRS = tuple((old, new) for old in (None, *VALUES) for new in VALUES)
TRUTHS = (True, False)

WORLDS = {
    "register": World(
        Register, [("read", None, None)] * 3 + [("write", None, each) for each in VALUES], (None, *VALUES)
    ),
    "cas-register": World(
        CasRegister,
        [("read", None, None)] * 6
        + [("write", None, each) for each in VALUES] * 2
        + [("cas", None, each) for each in PAIRS],
        (None, *VALUES, False),
    ),
    "initial": World(
        lambda: CasRegister(2),
        [("read", None, None)] * 3 + [("write", None, 1)] + [("cas", None, each) for each in ((1, 2), (2, 1))],
        (1, 2, True, False),
    ),
    "kv": World(
        lambda: KeyValue(""),
        [("get", key, None) for key in "xyx"]
        + [("append", key, letter) for key in "xy" for letter in "ab"]
        + [("put", "x", "a"), ("delete", "x", None), ("cas", "x", ("a", "b")), ("put", "x", 1)],
        ("", "a", "b", "ab", "ba", 1, None, True, False),
    ),
    "mutex": World(Mutex, [("acquire", None, None), ("release", None, None)], (True, False)),
    "forgetful": World(Forgetful, [("read", None, None)] * 3 + [("write", None, each) for each in (1, 2)], (0, 1, 2)),
    "bag": World(Bag, [("take", None, None)] * 2 + [("add", None, each) for each in (1, 2)], (None, 1, 2)),
    "adder": World(Adder, [("read", None, None)] * 2 + [("add", None, each) for each in (1, 2)], (0, 1, 2, 3, 4)),
}


@dataclass
class Busy:
    """What a process is doing; `answer` is None until the operation takes effect."""

    action: str
    key: Any
    argument: Any
    answer: tuple[Any] | None = None


class Execution:
    """Processes that use an object at once; each operation takes effect at one moment while it is open, or never."""

    def __init__(self, world: World, width: int) -> None:
        self.world, self.model = world, world.make()
        self.names = list(range(width))
        self.states: dict[Any, Any] = {}
        self.busy: dict[int, Busy] = {}
        self.events: list[Event] = []

    def move(self, number: int) -> None:
        """One process goes on: it begins, takes effect, or ends."""
        slot, choice = number % len(self.names), number // len(self.names)
        process = self.names[slot]
        if process not in self.busy:
            self.begin(process, choice)
        elif self.busy[process].answer is None and choice % 16 in {0, 1}:
            self.end(slot, Kind.FAIL if choice % 16 else Kind.INFO)
        else:
            self.take_effect(process, choice)
            if self.busy[process].answer is not None and choice % 16 > 6:
                self.end(slot, Kind.OK)
            elif choice % 16 == 2:
                self.end(slot, Kind.INFO)

    def begin(self, process: int, choice: int) -> None:
        action, key, argument = self.world.calls[choice % len(self.world.calls)]
        self.busy[process] = Busy(action, key, argument)
        self.events.append(Event(process=process, kind=Kind.INVOKE, action=action, key=key, value=argument))

    def take_effect(self, process: int, choice: int) -> None:
        doing = self.busy[process]
        call = Call(doing.action, doing.key, doing.argument, process if hasattr(self.model, "by_process") else None)
        possible = list(self.model.step(self.states.get(doing.key, self.model.initial()), call))
        if doing.answer is None and possible:
            self.states[doing.key], answer = possible[choice % len(possible)]
            doing.answer = (answer,)

    def end(self, slot: int, kind: Kind) -> None:
        """A process whose outcome is not known ends, and another one takes its place."""
        process = self.names[slot]
        doing = self.busy.pop(process)
        value: Any = MISSING
        if kind is Kind.OK and doing.answer is not None:
            acknowledged = doing.action in getattr(self.model, "acknowledgements", {})
            value = MISSING if acknowledged and doing.answer[0] in {None, True} else doing.answer[0]
        self.events.append(Event(process=process, kind=kind, action=doing.action, key=doing.key, value=value))
        if kind is Kind.INFO:
            self.names[slot] += PROCESSES


def history_of(world: World, moves: Sequence[int], lies: Sequence[int]) -> History:
    """The history of an execution that `moves` decide, in which `lies` change answers and the order of events."""
    execution = Execution(world, 1 + moves[0] % PROCESSES)
    for number in moves[1:]:
        execution.move(number)
    for lie in lies:
        tell(lie, world, execution.events)
    return History.of_events(execution.events)


def tell(lie: int, world: World, events: list[Event]) -> None:
    """Change an answer, or the order of two events of different processes."""
    told = [at for at, event in enumerate(events) if event.kind is Kind.OK and event.value is not MISSING]
    if lie % 4 == 0 or not told:
        at = lie // 4 % len(events)
        if at and events[at - 1].process != events[at].process:
            events[at - 1 : at + 1] = [events[at], events[at - 1]]
        return
    at, choice = told[lie // 4 % len(told)], lie // 4 // len(told)
    event, value = events[at], world.lies[choice % len(world.lies)]
    events[at] = Event(process=event.process, kind=Kind.OK, action=event.action, key=event.key, value=value)


# --- linearizability by its definition

ANYTHING = "anything"
"""Stands for the answer that nobody knows. No model of these tests answers so."""


@dataclass(frozen=True)
class Deed:
    """An operation that must or may take effect between two places, with an answer."""

    call: Call
    answer: Any
    began: float
    ended: float
    must: bool


def deed(operation: Operation, model: Any) -> Deed:
    process = operation.process if getattr(model, "by_process", False) else None
    call = Call(operation.action, operation.key, operation.argument, process)
    if operation.outcome is Kind.INFO:
        return Deed(call, ANYTHING, operation.invocation, inf, must=False)
    answer = operation.result
    if isinstance(answer, Missing):
        answer = model.acknowledgements[operation.action]
    assert operation.completion is not None
    return Deed(call, answer, operation.invocation, operation.completion, must=True)


def deeds(history: History, model: Any) -> list[Deed]:
    return [deed(operation, model) for operation in history.operations if operation.outcome is not Kind.FAIL]


def is_linearizable(history: History, model: Any) -> bool:
    return has_an_order(deeds(history, model), model)


def has_an_order(every: Sequence[Deed], model: Any) -> bool:
    """Whether some of the deeds, all that must among them, can be done one after the other in their windows."""
    objects: dict[Any, list[Deed]] = {}
    for each in every:
        objects.setdefault(repr(each.call.key), []).append(each)
    return all(_has_an_order(mine, model) for mine in objects.values())


def _has_an_order(every: Sequence[Deed], model: Any) -> bool:
    tried: set[tuple[frozenset[int], Hashable]] = set()

    def goes_on(done: frozenset[int], state: Any) -> bool:
        if all(number in done for number, each in enumerate(every) if each.must):
            return True
        if (done, repr(state)) in tried:
            return False
        tried.add((done, repr(state)))
        latest = max((every[number].began for number in done), default=-inf)
        for number, each in enumerate(every):
            if number not in done and each.ended > latest:
                for after in _effects(model, state, each):
                    if goes_on(done | {number}, after):
                        return True
        return False

    return goes_on(frozenset(), model.initial())


def _effects(model: Any, state: Any, each: Deed) -> Iterable[Any]:
    for after, answer in model.step(state, each.call):
        if each.answer is ANYTHING or repr(answer) == repr(each.answer):
            yield after


def first_impossible_event(history: History, model: Any) -> int:
    """The index of the first event with which the history so far has no order."""
    for events in range(1, len(history) + 1):
        if not is_linearizable(history[:events], model):
            return int(history[events - 1].index)
    raise AssertionError("the history is linearizable")


def can_be_left_out(history: History, kept: Sequence[Operation], one: Operation, last: Operation, model: Any) -> bool:
    """Whether a counter-example of `history`, whose last event is the last of `last`, says the same without `one`.

    It does when it is still impossible whatever the operations that are left out did in their time, possible without its
    last event, and when an answer that could be had before in some order can still be.
    """
    end = last.completion
    assert end is not None
    prefix = history.filter(lambda event: event.index <= end)
    rest = [each for each in prefix.operations if any(same(each, other) for other in kept if not same(other, one))]
    others = [each for each in prefix.operations if not any(same(each, other) for other in rest)]
    return (
        not has_an_order(_with_optional(rest, others, model), model)
        and is_linearizable(prefix.only(rest)[:-1], model)
        and (_explains(rest, last, model) or not _explains(prefix.operations, last, model))
    )


def same(one: Operation, other: Operation) -> bool:
    return one.invocation == other.invocation


def _with_optional(rest: Sequence[Operation], others: Sequence[Operation], model: Any) -> list[Deed]:
    optional = [
        replace(deed(each, model), answer=ANYTHING, must=False) for each in others if each.outcome is not Kind.FAIL
    ]
    return [deed(each, model) for each in rest if each.outcome is not Kind.FAIL] + optional


def _explains(operations: Sequence[Operation], last: Operation, model: Any) -> bool:
    """Whether the answer of `last` could be had if all others took effect before it in some order, or not at all."""
    if last.outcome is Kind.FAIL:
        return True
    anytime = [
        replace(deed(each, model), began=-1, ended=inf, must=False)
        for each in operations
        if not same(each, last) and each.outcome is not Kind.FAIL
    ]
    return has_an_order([*anytime, replace(deed(last, model), began=0, ended=1)], model)


# --- the laws

ENGINES: Final[tuple[Literal["native", "pure"], ...]] = ("native", "pure") if native.core is not None else ("pure",)

numbers = st.integers(0, 2**16 - 1)
moves = st.lists(numbers, min_size=15, max_size=30)
lies = st.lists(numbers, max_size=3)


def verdicts(history: History, model: Any, **options: Any) -> list[Verdict]:
    return [Linearizable(model, engine=engine, **options).check(history) for engine in ENGINES]


def test_engines_and_definition_agree_and_their_evidence_holds() -> None:
    seen: Counter[tuple[str, type]] = Counter()

    @given(st.sampled_from(sorted(WORLDS)), moves, lies)
    def agree(name: str, moves: list[int], lies: list[int]) -> None:
        world = WORLDS[name]
        history, model = history_of(world, moves, lies), world.make()
        first, *others = verdicts(history, model)
        assert isinstance(first, Upheld) == is_linearizable(history, model)
        assert not isinstance(first, Undecided)
        assert all(describe(other) == describe(first) for other in others)
        if isinstance(first, Upheld):
            assert fault_in(first.witness, history, model) is None
            assert all(isinstance(other, Upheld) and other.witness == first.witness for other in others)
        elif isinstance(first, Refuted):
            holds(first, history, model)
        seen[name, type(first)] += 1

    agree()
    for name in ("all", *WORLDS):
        both = [sum(seen[each, kind] for each in WORLDS if name in {"all", each}) for kind in (Upheld, Refuted)]
        assert sum(both) < 200 or min(both) * 10 >= sum(both), f"{name}: {both} upheld and refuted"


def holds(verdict: Refuted, history: History, model: Any) -> None:
    """The counter-example is impossible, begins to be so with its last event, and needs all of its operations."""
    anomaly = verdict.anomaly
    assert anomaly.history is not None
    assert not is_linearizable(anomaly.history, model)
    assert is_linearizable(anomaly.history[:-1], model)
    event = anomaly.history[-1].index
    assert event == verdict.evidence["first_impossible_event"] == first_impossible_event(history, model)
    last = next(each for each in anomaly.operations if each.completion == event)
    for one in anomaly.operations:
        if not same(one, last):
            assert not can_be_left_out(history, anomaly.operations, one, last, model), f"{one} can be left out"


@given(st.sampled_from(sorted(WORLDS)), moves, lies, st.integers(0, 12))
def test_a_budget_ends_both_engines_at_the_same_step(
    name: str, moves: list[int], lies: list[int], steps_max: int
) -> None:
    world = WORLDS[name]
    history = history_of(world, moves, lies)
    first, *others = verdicts(history, world.make(), steps_max=steps_max)
    assert all(describe(other) == describe(first) for other in others)
    if isinstance(first, Undecided):
        verified = first.evidence["verified_before"]
        assert is_linearizable(history.filter(lambda event: event.index < verified), world.make())


@given(st.sampled_from(sorted(WORLDS)), moves, lies)
def test_counter_examples_from_the_end_of_long_histories_stand_by_themselves(
    name: str, moves: list[int], lies: list[int]
) -> None:
    """With so narrow a window these histories are long."""
    world = WORLDS[name]
    history, model = history_of(world, moves, lies), world.make()
    with mock.patch.object(reduce, "WINDOW", 2):
        first, *others = verdicts(history, model)
    assert all(describe(other) == describe(first) for other in others)
    if isinstance(first, Refuted):
        smallest = first.anomaly.history
        assert smallest is not None
        assert smallest[-1].index == first_impossible_event(history, model)
        assert not is_linearizable(smallest, model)
        assert is_linearizable(smallest[:-1], model)
