"""Transactions as arrays of small steps: `["r", key, value]`, `["w", key, value]`, as Jepsen's workloads record them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from ...histories.event import Kind, Operation
from ...histories.history import History
from ...histories.values import Value
from .invariant import malformed, result_of


class Step(NamedTuple):
    """One step of a transaction: `r` or `w` (or `read`, `write`), on a key; a read's value is what it returned."""

    action: str
    key: Value
    value: Value


def transactions(history: History) -> Iterator[tuple[Operation, Sequence[Step]]]:
    """Each operation whose argument is an array of steps, with its steps: as answered, or else as asked for.

    Raises:
        MalformedHistory: a step is no step.
    """
    for operation in history.operations:
        if not isinstance(operation.argument, tuple):
            continue
        answered = operation.outcome is Kind.OK
        steps = result_of(operation, history, "what its steps did") if answered else operation.argument
        yield operation, [_step(each, operation, history) for each in (steps if isinstance(steps, tuple) else (None,))]


def _step(told: Value, operation: Operation, history: History) -> Step:
    match told:
        case ("r" | "read", key, value):
            return Step("r", key, value)
        case ("w" | "write", key, value):
            return Step("w", key, value)
    hint = 'A transaction is an array of steps such as ["r","x",null] and ["w","x",1]'
    raise malformed(operation, history, "is no transaction of reads and writes", hint=hint)
