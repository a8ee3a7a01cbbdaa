"""From a history to what the search works on: operations as numbers, shard by shard."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

import msgspec
import numpy as np
import numpy.typing as npt

from ...histories.columns import ABSENT, CODES
from ...histories.errors import MalformedHistory, UsageError
from ...histories.event import MISSING, Kind, Missing, Operation, repeats
from ...histories.history import History
from ...histories.pairing import Pairing, operations
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


BARRIER: Final = Form(Call(""), MISSING)
"""An operation that is never possible; what a search meets before it is what can happen before it."""


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

    def __iter__(self) -> Iterator[Form]:
        return iter(self._forms)

    def code(self, form: Form) -> int:
        """The number of a form."""
        call = form.call
        answer = None if isinstance(form.result, Missing) else (identity(form.result),)
        key = (
            call.action,
            identity(call.key),
            identity(call.argument),
            call.process,
            answer,
            form.optional,
            form is BARRIER,
        )
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


def judged(history: History) -> History:
    """The history that there is to judge: reads of null are no part of it where its header says that they saw nothing."""
    return history.without(history.nil_reads) if history.header.nil_read == "unknown" else history


def prepare(history: History, model: Model[Any]) -> Case:
    """The operations of clients as the search wants them.

    Raises:
        UsageError: an action that the model does not understand.
        MalformedHistory: an argument that the action does not take, an operation that must say its result and does not; or
            no history at all.
    """
    forms = Forms(model)
    form, failed = _forms_of(history, model, forms)
    kept = np.flatnonzero(~failed)
    shards = _shards(history.pairing, history.columns.index, form, kept, forms)
    return Case(model, forms, tuple(shards), failed=len(form) - len(kept))


def _forms_of(history: History, model: Model[Any], forms: Forms) -> tuple[Integers, npt.NDArray[np.bool_]]:
    """The code of the form of each operation, and whether it failed. Objects are made for distinct ones only."""
    columns, pairing = history.columns, history.pairing
    kind = np.where(pairing.completion == ABSENT, CODES[Kind.INFO], columns.kind[pairing.completion])
    told = (
        columns.action[pairing.invocation],
        columns.key[pairing.invocation],
        columns.value[pairing.invocation],
        np.where(kind == CODES[Kind.OK], columns.value[pairing.completion], ABSENT),
        kind,
        columns.process[pairing.invocation] if getattr(model, "by_process", False) else np.zeros_like(kind),
    )
    first, which = _distinct(told)
    examples = operations(
        columns,
        Pairing(
            invocation=pairing.invocation[first],
            completion=pairing.completion[first],
            began=pairing.began[first],
            ended=pairing.ended[first],
            remarks=(),
        ),
    )
    codes = [forms.code(_form(history, model, example)) for example in examples]
    return np.array(codes, dtype=np.int64)[which], kind == CODES[Kind.FAIL]


def _distinct(told: Sequence[npt.NDArray[Any]]) -> tuple[Integers, Integers]:
    """Where each distinct row of these columns is met first, in that order; and for every row, which of them it is."""
    rows = np.zeros(len(told[0]), dtype=np.int64)
    for column in told:
        shifted = column.astype(np.int64) - int(column.min(initial=0))
        _, rows = np.unique(rows * (int(shifted.max(initial=0)) + 1) + shifted, return_inverse=True)
    _, first, which = np.unique(rows, return_index=True, return_inverse=True)
    order = np.argsort(first)
    rank = np.empty_like(order)
    rank[order] = np.arange(len(order))
    return first[order], rank[which]


def _shards(pairing: Pairing, index: Integers, form: Integers, kept: Integers, forms: Forms) -> Iterator[Shard]:
    """The operations that are kept, object by object, objects in the order of their first operation."""
    names: dict[Any, int] = {}
    shard_by_form = [shard_of(forms.model, each.call) for each in forms]
    object_by_form = np.array(
        [names.setdefault(identity(shard), len(names)) for shard in shard_by_form], dtype=np.int64
    )
    first, which = _distinct((object_by_form[form[kept]],))
    rows = kept[np.argsort(which, kind="stable")]
    ends = np.where(pairing.ended == ABSENT, NEVER, pairing.ended)
    bounds = np.cumsum(np.bincount(which, minlength=len(first)))[:-1]
    for mine in np.split(rows, bounds) if len(rows) else ():
        yield Shard(
            shard_by_form[form[mine[0]]],
            form=form[mine],
            began=pairing.began[mine],
            ended=ends[mine],
            invocation=index[pairing.invocation[mine]],
        )


def _form(history: History, model: Model[Any], operation: Operation) -> Form:
    if operation.action not in model.actions:
        raise UsageError(
            f"the model {model_name(model)} has no action {operation.action!r}, which process {operation.process} "
            f"invokes at event {operation.invocation}; it has {', '.join(sorted(model.actions))}"
        )
    call = call_of(model, operation)
    examine = getattr(model, "examine", None)
    if examine is not None:
        try:
            examine(call)
        except MalformedHistory as problem:
            raise problem.located(**history.where(operation.invocation)) from problem
    return Form(call, answer_of(history, model, operation))


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
