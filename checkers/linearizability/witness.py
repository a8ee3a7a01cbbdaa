"""A linearization, and the linear-time proof that it is one. It shares nothing with the search."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from ...histories.event import Kind, Operation, repeats
from ...histories.history import History
from ...histories.values import Value, identity, same
from ...specs.model import Call, Model, acknowledgements, shard_of, started
from .prepare import judged


class Witness(Sequence[Operation]):
    """The operations of a history in an order that explains every answer, one object after the other.

    Pending operations are in it where they took effect, and are not where they did not.

    Attributes:
        history: what it is a witness for.
        orders: by object: the indices of the invocations, in the order in which the operations took effect.
    """

    def __init__(self, history: History, orders: Iterable[tuple[Value, npt.NDArray[np.int64]]]) -> None:
        self.history, self.orders = history, tuple(orders)

    def __len__(self) -> int:
        return sum(len(order) for _, order in self.orders)

    def __getitem__(self, at: Any) -> Any:
        """The operation at a place, or the tuple of those in a slice."""
        return tuple(self)[at]

    def __iter__(self) -> Iterator[Operation]:
        begun_at = {operation.invocation: operation for operation in self.history.operations}
        return (begun_at[index] for _, order in self.orders for index in order.tolist())

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Witness) and self._told() == other._told()

    def __hash__(self) -> int:
        return hash(self._told())

    def __repr__(self) -> str:
        return f"Witness({len(self)} operations on {len(self.orders)} objects)"

    def _told(self) -> tuple[Any, ...]:
        return tuple((identity(name), order.tobytes()) for name, order in self.orders)


def is_a_linearization(witness: Witness, history: History, model: Model[Any]) -> bool:
    """Whether the witness explains the history; `fault_in` says why not."""
    return fault_in(witness, history, model) is None


def fault_in(witness: Witness, history: History, model: Model[Any]) -> str | None:
    """Why the witness does not explain the history, or None where it does, in time linear in its length.

    It does when it holds every complete operation once and every pending one at most once, object by object, each
    possible by the model where it stands, and none after an operation that began only when it had ended.
    """
    model, history = started(model, history), judged(history)
    orders = {identity(name): order.tolist() for name, order in witness.orders}
    if len(orders) < len(witness.orders):
        return "an object is in it twice"
    for shard, operations in _by_shard(history, model).items():
        fault = _fault(orders.pop(shard, []), operations, model)
        if fault is not None:
            return fault
    return f"it orders objects that the history does not have: {sorted(map(str, orders))}" if orders else None


def _by_shard(history: History, model: Model[Any]) -> Mapping[Any, dict[int, Operation]]:
    shards: dict[Any, dict[int, Operation]] = {}
    for operation in history.operations:
        if operation.outcome is not Kind.FAIL:
            shard = identity(shard_of(model, _call(model, operation)))
            shards.setdefault(shard, {})[operation.invocation] = operation
    return shards


def _call(model: Model[Any], operation: Operation) -> Call:
    process = operation.process if getattr(model, "by_process", False) else None
    return Call(operation.action, operation.key, operation.argument, process)


def _fault(order: list[int], operations: Mapping[int, Operation], model: Model[Any]) -> str | None:
    placed = set(order)
    if len(placed) < len(order):
        return "an operation is in it twice"
    for index, operation in operations.items():
        if not operation.is_pending and index not in placed:
            return f"it leaves out {operation}"
    states: dict[Any, Any] = {identity(model.initial()): model.initial()}
    latest: Operation | None = None
    for index in order:
        if index not in operations:
            return f"event {index} begins no operation of this object"
        operation = operations[index]
        if latest is not None and operation.precedes(latest):
            return f"{operation} had ended before {latest} began"
        if latest is None or latest.began < operation.began:
            latest = operation
        states = _after(states, operation, model)
        if not states:
            return f"{operation} is not possible where it stands"
    return None


def _after(states: Mapping[Any, Any], operation: Operation, model: Model[Any]) -> dict[Any, Any]:
    """Every state that the operation may leave, by identity."""
    call = _call(model, operation)
    answers: Any = operation.result
    known = acknowledgements(model)
    if operation.outcome is Kind.OK and operation.action in known and repeats(operation):
        answers = known[operation.action]
    if hasattr(model, "accepts"):
        reached = [after for state in states.values() for after in model.accepts(state, call, answers)]
    else:
        reached = [
            after
            for state in states.values()
            for after, answer in model.step(state, call)
            if operation.is_pending or same(answer, answers)
        ]
    return {identity(state): state for state in reached}
