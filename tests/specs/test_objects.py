"""The shipped models do what their objects do, and what they say about purity is true in every state."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from upheld.histories.errors import MalformedHistory, UsageError
from upheld.histories.notation import parse
from upheld.histories.values import same
from upheld.specs.model import Call, is_pure
from upheld.specs.objects import MODELS, CasRegister, KeyValue, Register, guess_model, model_named

VALUES = st.sampled_from([None, 0, 1, True, 1.0, "", "a", "ab"])


def calls(action: str) -> st.SearchStrategy[Call]:
    arguments: st.SearchStrategy[Any] = VALUES
    if action == "cas":
        arguments = st.tuples(VALUES, VALUES)
    elif action == "append":
        arguments = st.sampled_from(["", "a", "b"])
    return arguments.map(lambda argument: Call(action=action, argument=argument))


@st.composite
def steps(draw: st.DrawFn) -> tuple[Any, Any, Call]:
    """A model, one of its states, and a call."""
    model = MODELS[draw(st.sampled_from(sorted(MODELS)))]()
    return model, draw(VALUES), draw(calls(draw(st.sampled_from(sorted(model.actions)))))


@given(steps())
def test_a_pure_call_changes_no_state(step: tuple[Any, Any, Call]) -> None:
    model, state, call = step
    for after, result in model.step(state, call):
        if is_pure(model, call, result):
            assert same(after, state)


@given(steps())
def test_only_an_append_to_what_is_no_string_is_impossible(step: tuple[Any, Any, Call]) -> None:
    model, state, call = step
    possible = len(list(model.step(state, call)))
    assert possible == (0 if call.action == "append" and state is not None and not isinstance(state, str) else 1)


TABLE: list[tuple[Any, Any, Call, list[tuple[Any, Any]]]] = [
    (Register(), 1, Call("read"), [(1, 1)]),
    (Register(), 1, Call("write", argument=2), [(2, None)]),
    (CasRegister(), 1, Call("cas", argument=(1, 2)), [(2, True)]),
    (CasRegister(), 1, Call("cas", argument=(True, 2)), [(1, False)]),
    (KeyValue(), None, Call("get", "x"), [(None, None)]),
    (KeyValue(""), None, Call("get", "x"), [(None, "")]),
    (KeyValue(), None, Call("append", "x", "a"), [("a", None)]),
    (KeyValue(), "a", Call("append", "x", "b"), [("ab", None)]),
    (KeyValue(), "a", Call("delete", "x"), [(None, None)]),
    (KeyValue(), None, Call("cas", "x", (None, "a")), [("a", True)]),
    (KeyValue("a"), None, Call("cas", "x", ("a", "b")), [("b", True)]),
]


@pytest.mark.parametrize(("model", "state", "call", "outcomes"), TABLE)
def test_an_object_does_what_it_is_told(model: Any, state: Any, call: Call, outcomes: list[tuple[Any, Any]]) -> None:
    assert list(model.step(state, call)) == outcomes


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("0 invoke read", "register"),
        ("0 invoke cas [1,2]\n1 invoke read", "cas-register"),
        ("0 invoke get x:", "kv"),
    ],
)
def test_the_simplest_model_that_fits_is_guessed_and_said_to_be(text: str, name: str) -> None:
    guess = guess_model(parse(text))
    assert type(guess.model) is MODELS[name]
    assert "was guessed from the actions" in guess.note


@pytest.mark.parametrize("text", ["", "0 invoke enqueue 1"])
def test_what_fits_no_model_says_which_there_are(text: str) -> None:
    with pytest.raises(UsageError, match="cas-register"):
        guess_model(parse(text))


def test_a_model_that_does_not_exist_is_answered_with_those_that_do() -> None:
    with pytest.raises(UsageError, match="there are cas-register, kv, register"):
        model_named("registre")


@pytest.mark.parametrize("argument", [None, 1, (1,), (1, 2, 3)])
def test_a_cas_takes_a_pair(argument: Any) -> None:
    with pytest.raises(MalformedHistory):
        list(CasRegister().step(1, Call("cas", argument=argument)))
