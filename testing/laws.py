"""Conformance laws: what any model, any checker of linearizability and any node must keep, as functions for test suites.

    def test_my_queue_is_a_model() -> None:
        check_model(MyQueue(), calls)

Each law is a Hypothesis property and raises `AssertionError` with the smallest case that breaks it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from hypothesis import given
from hypothesis import strategies as st

from ..checkers.linearizability import Linearizable, Witness, fault_in
from ..checkers.verdict import Checker, Refuted, Upheld, describe, word
from ..harness.messages import require_immutable
from ..histories.errors import MalformedHistory, UsageError
from ..histories.history import History
from ..histories.trace import FACTS
from ..histories.values import Value, freeze, same, to_json
from ..impl.node import Context, Effect, Message, Node
from ..specs.model import Call, Model, acknowledgements, is_pure
from .rehearsal import Rehearsal, Step
from .strategies import histories

# --- models


def check_model(model: Model[Any], calls: st.SearchStrategy[Call]) -> None:
    """Assert that a model is a sequential specification that judges can rely on.

    In every state that calls lead to: `step` is deterministic and changes nothing in place, states are hashable, results
    are immutable JSON values, `is_pure` is right, `accepts` (where there is one) agrees with `step`, and `explain` speaks.

    Args:
        model: the model.
        calls: what may be asked of it, all actions among them.
    """
    strangers = set(acknowledgements(model)) - model.actions
    assert not strangers, f"it acknowledges {sorted(strangers)}, which are none of its actions"

    @given(st.lists(st.tuples(calls, st.integers(0, 3)), max_size=12))
    def keeps_the_contract(walk: Sequence[tuple[Call, int]]) -> None:
        state = model.initial()
        assert state == model.initial(), "it begins in two different states"
        for call, choice in walk:
            assert call.action in model.actions, f"it was asked for {call.action}, which is none of its actions"
            possible = _possible(model, state, call)
            _check_results(model, state, call, possible)
            state = possible[choice % len(possible)][0] if possible else state

    keeps_the_contract()


def _possible(model: Model[Any], state: Any, call: Call) -> list[tuple[Any, Value]]:
    before = hash(state)
    possible = list(model.step(state, call))
    again = list(model.step(state, call))
    assert possible == again, f"asked twice for {call} in {state!r}, it answers {possible} and then {again}"
    assert hash(state) == before, f"{call} changed the state {state!r} in place"
    return possible


def _check_results(model: Model[Any], state: Any, call: Call, possible: Sequence[tuple[Any, Value]]) -> None:
    for after, result in possible:
        hash(after)
        assert _is_value(result), f"{call} in {state!r} answers {result!r}, which is no immutable JSON value"
        if is_pure(model, call, result):
            assert after == state, (
                f"is_pure({call}, {to_json(result)}) is said, and it leads from {state!r} to {after!r}"
            )
        if hasattr(model, "accepts"):
            expected = {after for after, answer in possible if same(answer, result)}
            found = set(model.accepts(state, call, result))
            assert found == expected, (
                f"accepts({state!r}, {call}, {to_json(result)}) gives {found}, and step {expected}"
            )
    if hasattr(model, "explain"):
        assert isinstance(model.explain(state, call), str), f"explain({state!r}, {call}) is no text"


def _is_value(result: Any) -> bool:
    try:
        return same(freeze(result), result)
    except MalformedHistory:
        return False


# --- engines


def check_engine(
    engine: Checker, model: Model[Any], calls: st.SearchStrategy[Call], *, reference: Checker | None = None
) -> None:
    """Assert that a checker of linearizability agrees with the reference, and that what it shows for it holds.

    On generated histories: the same verdict as the reference, twice the same; a witness that the linear-time check
    accepts; and a counter-example that the reference refutes, too.

    Args:
        engine: the checker on trial; it judges against `model`.
        model: the object.
        calls: what is asked of it.
        reference: by default the pure Python search.
    """
    judge = Linearizable(model, engine="pure") if reference is None else reference

    @given(histories(model, calls))
    def agrees(history: History) -> None:
        expected, verdict = judge.check(history), engine.check(history)
        assert word(verdict) == word(expected), f"the reference says {word(expected)}, and it says {word(verdict)}"
        assert describe(engine.check(history)) == describe(verdict), "asked twice, it says two things"
        if isinstance(verdict, Upheld) and isinstance(verdict.witness, Witness):
            fault = fault_in(verdict.witness, history, model)
            assert fault is None, f"its witness is none: {fault}"
        if isinstance(verdict, Refuted) and verdict.anomaly.history is not None:
            part = judge.check(verdict.anomaly.history)
            assert isinstance(part, Refuted), f"the reference says {word(part)} of its counter-example"

    agrees()


# --- nodes

NO_REQUESTS: Final[st.SearchStrategy[Message]] = st.nothing()


def check_node(
    factory: Callable[[Context], Node],
    *,
    nodes: int = 3,
    settings: Mapping[str, Any] | None = None,
    requests: st.SearchStrategy[Message] = NO_REQUESTS,
) -> None:
    """Assert that nodes answer, and never act.

    A small cluster goes through schedules of messages, timers, and crashes at the edges of steps and within them. The
    same schedule gives the same effects, effect by effect; a node whose outbox has become inert in the middle of a
    handler writes the same effects before that, and raises nothing; messages are immutable, by their types and in fact;
    and notes of the kinds that judges know have the facts that judges expect.

    Args:
        factory: makes a node.
        nodes: how many there are.
        settings: the system's parameters.
        requests: what a client may send, each to every node.
    """
    told = dict(settings or {})
    asked = st.just(()) if requests.is_empty else st.lists(requests, max_size=3).map(tuple)

    @given(asked, st.lists(st.integers(0, 1000), max_size=20), st.integers(0, 12))
    def answers(sent: tuple[Message, ...], schedule: Sequence[int], cut_after: int) -> None:
        def rehearse(cut: int | None = None) -> Sequence[Step]:
            rehearsal = Rehearsal(factory, nodes=nodes, settings=told, requests=sent)
            for number in schedule[:-1]:
                rehearsal.go_on(number)
            for number in schedule[-1:]:
                rehearsal.go_on(number, cut_after=cut)
            return rehearsal.steps

        steps = rehearse()
        _check_same(steps, rehearse())
        _check_cut(steps, rehearse(cut_after), cut_after if schedule else None)
        for step in steps:
            _check_effects(step)

    answers()


def _check_same(first: Sequence[Step], second: Sequence[Step]) -> None:
    for one, other in zip(first, second, strict=True):
        assert one.name == other.name, f"the same schedule leads to '{one.name}' and to '{other.name}'"
        assert one.effects == other.effects, (
            f"'{one.name}' has two outcomes: {_difference(one.effects, other.effects)}. Does the node read a clock, use "
            "`random`, iterate over a set, or keep state outside itself?"
        )


def _difference(one: Sequence[Effect], other: Sequence[Effect]) -> str:
    for at, (mine, theirs) in enumerate(zip(one, other, strict=False)):
        if mine != theirs:
            return f"effect {at} is {mine} and {theirs}"
    return f"{len(one)} effects and {len(other)}"


def _check_cut(whole: Sequence[Step], cut: Sequence[Step], effects_max: int | None) -> None:
    if effects_max is not None:
        expected, found = tuple(whole[-1].effects)[:effects_max], tuple(cut[-1].effects)
        assert expected == found, (
            f"'{whole[-1].name}', cut off after {effects_max} effects, has others before: {_difference(expected, found)}"
        )


def _check_effects(step: Step) -> None:
    for effect, as_sent in zip(step.effects, step.sent_as, strict=True):
        if effect.name == "send":
            _check_immutable(effect.arguments[1])
        if effect.name == "note":
            kind, *facts = effect.arguments
            names = FACTS.get(kind)
            assert names is None or len(names) == len(facts), f"'{kind}' is noted with {facts}; its facts are {names}"
        assert repr(effect.arguments) == as_sent, f"{as_sent} was changed after '{step.name}' wrote it"


def _check_immutable(message: Any) -> None:
    try:
        require_immutable(type(message))
    except UsageError as error:
        raise AssertionError(str(error)) from error
