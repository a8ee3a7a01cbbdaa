"""Hypothesis strategies for what upheld works with."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from hypothesis import strategies as st

from ..histories.event import MISSING, Event, Kind, Missing
from ..histories.history import History
from ..histories.values import Value, identity
from ..specs.model import Call, Model, shard_of

T = TypeVar("T")


def built(kind: Callable[..., T], *fields: st.SearchStrategy[Any]) -> st.SearchStrategy[T]:
    """Calls and messages from strategies for their fields, in order.

    (`hypothesis.strategies.builds` reads annotations, and the recursive ones of JSON values are beyond it.)
    """
    return st.tuples(*fields).map(lambda told: kind(*told))


@dataclass
class _Open:
    """An operation that a process has begun, and its result once it has taken effect."""

    call: Call
    result: Value | Missing = MISSING


class _Execution:
    """Processes that use one object; each operation takes effect at one moment while it is open, or never."""

    def __init__(self, model: Model[Any], processes: int) -> None:
        self.model = model
        self.names = list(range(processes))
        self.states: dict[Any, Any] = {}
        self.open: dict[int, _Open] = {}
        self.events: list[Event] = []
        self.answers: list[Value] = [None]

    def begin(self, process: int, call: Call) -> None:
        self.open[process] = _Open(call)
        self._tell(process, Kind.INVOKE, call, call.argument)

    def take_effect(self, process: int, choice: int) -> None:
        doing = self.open[process]
        call = doing.call
        if getattr(self.model, "by_process", False):
            call = Call(call.action, call.key, call.argument, process)
        shard = identity(shard_of(self.model, call))
        possible = list(self.model.step(self.states.get(shard, self.model.initial()), call))
        if possible:
            self.states[shard], doing.result = possible[choice % len(possible)]
            self.answers.append(doing.result)

    def end(self, slot: int, kind: Kind, value: Value | Missing = MISSING) -> None:
        process = self.names[slot]
        self._tell(process, kind, self.open.pop(process).call, value)
        if kind is Kind.INFO:
            self.names[slot] += len(self.names)

    def _tell(self, process: int, kind: Kind, call: Call, value: Value | Missing) -> None:
        self.events.append(Event(process=process, kind=kind, action=call.action, key=call.key, value=value))


@st.composite
def histories(
    draw: st.DrawFn,
    model: Model[Any],
    calls: st.SearchStrategy[Call],
    *,
    processes_max: int = 4,
    moves_max: int = 24,
) -> History:
    """Histories of up to `processes_max` concurrent processes that use such an object.

    Most are linearizable; in some an answer was exchanged for one that another operation had. Operations may fail, end
    without a known outcome, or stay open at the end.

    Args:
        draw: given by Hypothesis.
        model: the object.
        calls: what is asked of it.
        processes_max: how many processes there may be at once.
        moves_max: how often some process goes on: begins an operation, or lets it take effect and perhaps end.
    """
    execution = _Execution(model, draw(st.integers(1, processes_max)))
    is_honest = draw(st.booleans())
    for _ in range(draw(st.integers(0, moves_max))):
        slot = draw(st.integers(0, len(execution.names) - 1))
        process = execution.names[slot]
        if process not in execution.open:
            execution.begin(process, draw(calls))
        else:
            _go_on(draw, execution, slot, is_honest=is_honest)
    return History.of_events(execution.events)


def _go_on(draw: st.DrawFn, execution: _Execution, slot: int, *, is_honest: bool) -> None:
    doing = execution.open[execution.names[slot]]
    if isinstance(doing.result, Missing):
        fate = draw(st.sampled_from((None, None, None, None, Kind.FAIL, Kind.INFO)))
        if fate is not None:
            execution.end(slot, fate)
            return
        execution.take_effect(execution.names[slot], draw(st.integers(0, 3)))
    if not isinstance(doing.result, Missing) and draw(st.integers(0, 3)):
        execution.end(slot, *draw(_completions(doing.result, () if is_honest else execution.answers)))


def _completions(result: Value, lies: Sequence[Value]) -> st.SearchStrategy[tuple[Kind, Value | Missing]]:
    honest = st.just((Kind.OK, result))
    lying = st.sampled_from(lies).map(lambda lie: (Kind.OK, lie)) if lies else honest
    return st.one_of(honest, honest, lying, st.just((Kind.INFO, MISSING)))
