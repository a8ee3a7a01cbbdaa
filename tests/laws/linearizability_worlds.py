"""Small worlds that histories of tests come from: an object, some processes that use it at once, and a liar."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from upheld.histories.event import MISSING, Event, Kind
from upheld.histories.history import History
from upheld.specs.model import Call
from upheld.specs.objects import CasRegister, KeyValue, Register

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
