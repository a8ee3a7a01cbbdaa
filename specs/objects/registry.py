"""The models that upheld knows by name, and a guess for a history that names none."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, TypeAlias

import msgspec

from ...histories.errors import UsageError
from ...histories.event import MISSING, Missing
from ...histories.history import History
from ...histories.values import Value
from ..model import Model
from .cas_register import CasRegister
from .kv import KeyValue
from .register import Register

ModelClass: TypeAlias = type[Register | CasRegister | KeyValue]

MODELS: Final[Mapping[str, ModelClass]] = {model.name: model for model in (Register, CasRegister, KeyValue)}
"""Every shipped model by name; of two that understand the same actions, the simpler one comes first."""


class Guess(msgspec.Struct, frozen=True):
    """A model that fits a history which was not declared to be about any.

    Attributes:
        model: the model.
        note: a sentence that says that, and from what, it was guessed; it belongs beside every verdict that rests on it.
    """

    model: Model[Any]
    note: str


def model_named(name: str, *, initial: Value | Missing = MISSING) -> Model[Any]:
    """The shipped model of that name.

    Args:
        name: a key of `MODELS`.
        initial: what its objects hold at first; MISSING leaves that to the header of the history.

    Raises:
        UsageError: there is none; the text lists those that there are.
    """
    if name not in MODELS:
        raise UsageError(f"no model is called {name!r}; there are {', '.join(sorted(MODELS))}")
    return MODELS[name](initial)


def guess_model(history: History, *, initial: Value | Missing = MISSING) -> Guess:
    """The first of `MODELS` that understands every action of the history's clients.

    Raises:
        UsageError: none does, or there is no action to guess from.
    """
    actions = sorted({operation.action for operation in history.operations})
    if not actions:
        raise UsageError(
            "the history holds no operation to guess a model from; name one of " + ", ".join(sorted(MODELS))
        )
    for name, model in MODELS.items():
        if model.actions.issuperset(actions):
            return Guess(model(initial), f"the model {name} was guessed from the actions {', '.join(actions)}")
    raise UsageError(
        f"no model understands all of the actions {', '.join(actions)}; there are "
        + "; ".join(f"{name} ({', '.join(sorted(model.actions))})" for name, model in MODELS.items())
    )
