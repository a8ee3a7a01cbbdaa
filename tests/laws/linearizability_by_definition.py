"""Linearizability as it is defined: try every order. It shares no code with the engines that it judges."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass, replace
from math import inf
from typing import Any

from upheld.histories.event import Kind, Missing, Operation
from upheld.histories.history import History
from upheld.specs.model import Call

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
        replace(deed(each, model), answer=ANYTHING, began=-1, ended=inf, must=False)
        for each in operations
        if not same(each, last) and each.outcome is not Kind.FAIL
    ]
    return has_an_order([*anytime, replace(deed(last, model), began=0, ended=1)], model)
