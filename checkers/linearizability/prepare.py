"""From a history to what the search works on: operations as numbers, shard by shard."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

import msgspec
import numpy as np
import numpy.typing as npt

from ...histories.errors import MalformedHistory, UsageError
from ...histories.event import MISSING, Kind, Missing, Operation, repeats
from ...histories.history import History
from ...histories.values import Value, identity
from ...specs.model import Call, Model, acknowledgements, is_pure, model_name, shard_of

NEVER: Final = 2**63 - 1
"""Where a pending operation ends."""

Integers = npt.NDArray[np.int64]


class Form(msgspec.Struct, frozen=True):
    """What was asked and what came of it; two operations of one form are interchangeable.

    Attributes:
        call: what was asked.
        result: the answer; MISSING while pending, which is any answer.
        optional: whether it may as well have taken no effect, and nobody looks at its answer. No history has such an
            operation; they stand for what is left out when a counter-example is reduced.
    """

    call: Call
    result: Value | Missing
    optional: bool = False


class Forms:
    """The distinct forms of a history, numbered in the order in which they are met."""

    def __init__(self, model: Model[Any]) -> None:
        self.model = model
        self.pure: list[bool] = []
        self._forms: list[Form] = []
        self._codes: dict[Any, int] = {}

    def __len__(self) -> int:
        return len(self._forms)

    def __getitem__(self, code: int) -> Form:
        return self._forms[code]

    def code(self, form: Form) -> int:
        """The number of a form."""
        call = form.call
        answer = None if isinstance(form.result, Missing) else (identity(form.result),)
        key = (call.action, identity(call.key), identity(call.argument), call.process, answer, form.optional)
        code = self._codes.get(key)
        if code is None:
            code = self._codes[key] = len(self._forms)
            self._forms.append(form)
            self.pure.append(not isinstance(form.result, Missing) and is_pure(self.model, call, form.result))
        return code

    def pending(self, code: int) -> int:
        """The same call, with an unknown outcome."""
        return self.code(Form(self._forms[code].call, MISSING))

    def optional(self, code: int) -> int:
        """The same call, of which nobody knows or cares whether it took effect."""
        return self.code(Form(self._forms[code].call, MISSING, optional=True))


@dataclass(frozen=True, slots=True)
class Shard:
    """The operations of one independent object in the order in which they began; those that failed are left out.

    Attributes:
        name: the object.
        form: the code of each operation's form.
        began, ended: their places in real-time order; NEVER where pending. No two places are the same.
        invocation: the index of the event that began each.
    """

    name: Value
    form: Integers
    began: Integers
    ended: Integers
    invocation: Integers

    def __len__(self) -> int:
        return len(self.form)

    @property
    def pending(self) -> int:
        """How many of them have no known outcome."""
        return int(np.count_nonzero(self.ended == NEVER))


@dataclass(frozen=True, slots=True)
class Case:
    """A history, held against a model.

    Attributes:
        model: the model, with what the header says about the start.
        forms: what its operations ask and answer.
        shards: the independent parts, in the order of their first operation.
        failed: how many operations were left out because they certainly took no effect.
    """

    model: Model[Any]
    forms: Forms
    shards: tuple[Shard, ...]
    failed: int


def prepare(history: History, model: Model[Any]) -> Case:
    """The operations of clients as the search wants them.

    Raises:
        UsageError: an action that the model does not understand.
        MalformedHistory: an operation that must say its result and does not; or no history at all.
    """
    forms = Forms(model)
    rows: dict[Any, list[tuple[int, Operation]]] = {}
    names: dict[Any, Value] = {}
    failed = 0
    for operation in history.operations:
        form = _form(history, model, operation)
        if operation.outcome is Kind.FAIL:
            failed += 1
            continue
        shard = shard_of(model, form.call)
        names.setdefault(identity(shard), shard)
        rows.setdefault(identity(shard), []).append((forms.code(form), operation))
    return Case(model, forms, tuple(_shard(names[key], rows[key]) for key in rows), failed)


def _shard(name: Value, operations: list[tuple[int, Operation]]) -> Shard:
    def column(values: Iterator[int]) -> Integers:
        return np.fromiter(values, dtype=np.int64, count=len(operations))

    return Shard(
        name,
        form=column(code for code, _ in operations),
        began=column(operation.began for _, operation in operations),
        ended=column(NEVER if operation.ended is None else operation.ended for _, operation in operations),
        invocation=column(operation.invocation for _, operation in operations),
    )


def _form(history: History, model: Model[Any], operation: Operation) -> Form:
    if operation.action not in model.actions:
        raise UsageError(
            f"the model {model_name(model)} has no action {operation.action!r}, which process {operation.process} "
            f"invokes at event {operation.invocation}; it has {', '.join(sorted(model.actions))}"
        )
    return Form(call_of(model, operation), answer_of(history, model, operation))


def call_of(model: Model[Any], operation: Operation) -> Call:
    """What an operation asked, as the model wants to hear it."""
    process = operation.process if getattr(model, "by_process", False) else None
    return Call(operation.action, operation.key, operation.argument, process)


def answer_of(history: History, model: Model[Any], operation: Operation) -> Value | Missing:
    """What an operation answered, an acknowledgement included; MISSING unless it is ok."""
    if operation.outcome is not Kind.OK:
        return MISSING
    known = acknowledgements(model)
    if operation.action in known and repeats(operation):
        return known[operation.action]
    if isinstance(operation.result, Missing) and operation.completion is not None:
        raise MalformedHistory(
            f"an ok {operation.action} of process {operation.process} must say what it answered",
            field="value",
            hint="Write null where it found nothing, or info where the answer is not known",
            **history.where(operation.completion),
        )
    return operation.result
