"""The contract of a sequential specification: what an object may answer, one call at a time.

A model is the smallest honest program. It never sees a result: it yields every next state with the result that goes with
it, and the judge compares. So a model written without a thought for crashes is right about them.

    class Counter:
        actions = frozenset({"add", "read"})

        def initial(self) -> int:
            return 0

        def step(self, state: int, call: Call) -> Iterable[tuple[int, Value]]:
            match call.action:
                case "add":
                    yield state + call.argument, None
                case "read":
                    yield state, state
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping
from typing import Any, Protocol, TypeVar

import msgspec

from ..histories.event import Missing, Process
from ..histories.history import History
from ..histories.values import Value

S = TypeVar("S", bound=Hashable)


class Call(msgspec.Struct, frozen=True):
    """What a client asked for.

    Attributes:
        action: one of the model's actions.
        key: the object, or None where there is only one.
        argument: as the client sent it.
        process: the caller, for models that set `by_process`; None otherwise.
    """

    action: str
    key: Value = None
    argument: Value = None
    process: Process | None = None


class Model(Protocol[S]):
    """A sequential specification.

    `actions` are all that it understands; any other action is a `UsageError`. `step` yields every next state together
    with its result, and nothing where the call is impossible. States are hashable; a state that holds values of a
    history should compare them with `histories.values.same`.

    Optional members, looked up by name:

    - `accepts(state, call, result) -> Iterable[S]`: in place of `step` where results cannot be enumerated; `result` is
      MISSING for an operation whose result nobody knows: every state that some result leads to;
    - `is_pure(call, result) -> bool`: with this result there is no state in which the call is possible and changes it
      (reads, a cas that failed, a dequeue that found nothing). It must hold for *every* state;
    - `shard(call) -> Value`: calls of different shards never touch each other's state; by default `call.key`;
    - `acknowledgements: Mapping[str, Value]`: the result that an ok completion stands for when it says nothing, or only
      repeats its argument (Jepsen writes down an ok write so); an action that is not in it must say its result;
    - `explain(state, call) -> str`: `would have answered R`, for a reader's eyes;
    - `examine(call)`: raises `MalformedHistory` where the argument is none that the action takes;
    - `by_process = True`: `call.process` is needed (a mutex knows its holder);
    - `name: str`: what it is called; by default the name of its class;
    - `starting(value) -> Model`: the same model with `value` for the `initial` of a history's header, or itself where it
      was told how to start.
    """

    @property
    def actions(self) -> frozenset[str]:
        """All actions that this model understands."""
        ...

    def initial(self) -> S:
        """The state before anything happened."""
        ...

    def step(self, state: S, call: Call) -> Iterable[tuple[S, Value]]:
        """Every next state with its result; none: not possible here."""
        ...


def acknowledgements(model: Model[Any]) -> Mapping[str, Value]:
    """What this model reads into an ok completion that says nothing of its own, by action."""
    found: Mapping[str, Value] = getattr(model, "acknowledgements", {})
    return found


def is_pure(model: Model[Any], call: Call, result: Value) -> bool:
    """Whether, with this result, no state in which the call is possible changes; False where the model does not say."""
    rule = getattr(model, "is_pure", None)
    return bool(rule(call, result)) if rule is not None else False


def model_name(model: Model[Any]) -> str:
    """What the model is called."""
    found: str = getattr(model, "name", type(model).__name__)
    return found


def started(model: Model[Any], history: History) -> Model[Any]:
    """The model with what the header of the history says about the start, where it says so and the model listens."""
    initial = history.header.initial
    listens = getattr(model, "starting", None)
    found: Model[Any] = model if listens is None or isinstance(initial, Missing) else listens(initial)
    return found


def shard_of(model: Model[Any], call: Call) -> Value:
    """The independent object that this call belongs to."""
    rule = getattr(model, "shard", None)
    found: Value = rule(call) if rule is not None else call.key
    return found
