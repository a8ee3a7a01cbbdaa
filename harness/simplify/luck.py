"""Other dice: what a fault did to the timing of a run, luck may do, too.

A candidate rarely fails with another seed, and at the very moment hardly ever: so all get twice the time, which is cut
again when one of them fails. In each round of seeds the smaller ones come first.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final, TypeVar

from msgspec.structs import astuple, replace

from ..plan import Phases, Plan
from .edits import with_faults, without_nodes
from .failure import Failure, Proposals

T = TypeVar("T")

LUCKS: Final = 40
"""How many seeds are tried in place of the plan's own."""


def smaller_with_luck(failure: Failure) -> Proposals:
    """Leave something out and roll the dice again."""
    smaller = list(_smaller(_longer(failure.plan)))
    for seed in range(LUCKS):
        for candidate in smaller:
            yield replace(candidate, seed=seed)


def other_luck(failure: Failure) -> Proposals:
    """Roll the dice again."""
    longer = _longer(failure.plan)
    for seed in range(LUCKS):
        yield replace(longer, seed=seed)


def _longer(plan: Plan) -> Plan:
    """With twice the time, all of it before the heal."""
    by_ns = plan.phases.end_ns
    return replace(plan, phases=Phases(*(at + by_ns for at in astuple(plan.phases))))


def _smaller(plan: Plan) -> Iterator[Plan]:
    """Without all faults, half of them, a quarter, one; the same of the operations; without the last node."""
    for faults in _parts_left_out(plan.faults):
        yield with_faults(plan, faults)
    for operations in _parts_left_out(plan.operations):
        yield replace(plan, operations=operations)
    if plan.nodes > 1:
        yield without_nodes(plan, plan.node_ids[-1:])


def _parts_left_out(items: tuple[T, ...]) -> Iterator[tuple[T, ...]]:
    part = len(items)
    while part:
        for at in range(0, len(items), part):
            yield items[:at] + items[at + part :]
        part //= 2
