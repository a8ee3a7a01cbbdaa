"""Fewer operations, of fewer clients, on one key."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from msgspec.structs import replace

from ..plan import Plan
from .ddmin import ddmin
from .edits import with_operations
from .failure import Failure, Proposals


def fewer_operations(failure: Failure) -> Proposals:
    """Leave operations out."""
    yield from ddmin(failure.plan.operations, lambda operations: replace(failure.plan, operations=operations))


def fewer_clients(failure: Failure) -> Proposals:
    """Leave out all that some clients do, then let the first client do what another did."""
    plan = failure.plan
    kept = yield from ddmin(_clients(plan), lambda clients: _of_clients(plan, clients))
    plan = _of_clients(plan, kept)
    for client in kept[1:]:
        merged = with_operations(plan, client=_in_place_of(client, kept[0]))
        if (yield merged):
            plan = merged


def one_key(failure: Failure) -> Proposals:
    """All operations on the same key."""
    keys = [operation.key for operation in failure.plan.operations if operation.key is not None]
    if keys:
        yield with_operations(failure.plan, key=lambda key: key if key is None else keys[0])


def numbered_clients(failure: Failure) -> Proposals:
    """Clients are called 0, 1, 2, ..."""
    numbers = {client: number for number, client in enumerate(_clients(failure.plan))}
    yield with_operations(failure.plan, client=numbers.__getitem__)


def _clients(plan: Plan) -> tuple[int, ...]:
    return tuple(dict.fromkeys(operation.client for operation in plan.operations))


def _of_clients(plan: Plan, clients: Sequence[int]) -> Plan:
    return replace(plan, operations=tuple(op for op in plan.operations if op.client in clients))


def _in_place_of(gone: int, stays: int) -> Callable[[int], int]:
    return lambda client: stays if client == gone else client
