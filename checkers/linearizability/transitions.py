"""A model as a table from numbers to numbers, filled in when somebody asks; the model runs once per distinct question."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

from ...histories.event import Missing
from ...histories.values import Value, identity, same
from ...specs.model import Model
from .prepare import BARRIER, Form, Forms

START: Final = (0,)
"""The code of the initial state, as the states that a search starts from."""


class Transitions:
    """`transitions(state, form)` are the states in which an operation of that form can leave that state.

    States are numbered in the order in which they are met; the initial one is 0. States meet by `identity`, so that a
    state that holds `true` is another one than a state that holds `1`.
    """

    def __init__(self, forms: Forms) -> None:
        self._forms = forms
        self._model: Model[Any] = forms.model
        self._states: list[Any] = []
        self._codes: dict[Any, int] = {}
        self._known: dict[tuple[int, int], tuple[int, ...]] = {}
        self._code(self._model.initial())

    def __call__(self, state: int, form: int) -> tuple[int, ...]:
        """Every state that may follow, none twice; none at all where the operation is impossible."""
        question = (state, form)
        found = self._known.get(question)
        if found is None:
            after = outcomes(self._model, self._states[state], self._forms[form])
            found = self._known[question] = tuple(dict.fromkeys(self._code(each) for each in after))
        return found

    def state(self, code: int) -> Any:
        """The state of that number."""
        return self._states[code]

    def _code(self, state: Any) -> int:
        key = identity(state)
        code = self._codes.get(key)
        if code is None:
            code = self._codes[key] = len(self._states)
            self._states.append(state)
        return code


def outcomes(model: Model[Any], state: Any, form: Form) -> Iterable[Any]:
    """The states that may follow when an operation of this form takes effect, in the order of the model."""
    if form is BARRIER:
        return
    if form.optional:
        yield state
    yield from _effects(model, state, form)


def _effects(model: Model[Any], state: Any, form: Form) -> Iterable[Any]:
    accepts = getattr(model, "accepts", None)
    if accepts is not None:
        yield from accepts(state, form.call, form.result)
        return
    yield from (after for after, answer in model.step(state, form.call) if _agree(answer, form.result))


def _agree(answer: Value, result: Value | Missing) -> bool:
    return isinstance(result, Missing) or same(answer, result)
