"""Other dice: what a fault did to the timing of a run, luck may do, too.

A candidate rarely fails with another seed, and at the very moment hardly ever: so all get twice the time, which is cut
again when one of them fails. In each round of seeds the smaller ones come first.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations
from typing import Final

from msgspec.structs import astuple, replace

from ..plan import Phases, Plan
from .edits import with_faults, without_nodes
from .failure import Failure, Proposals

LUCKS: Final = 24
"""How many seeds are tried in place of the plan's own."""
PAIRS_MAX: Final = 10
"""Of two faults at once there are so many candidates at most."""


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
    """Without two faults or one, half of the operations, a quarter of them, the last node."""
    faults, operations = plan.faults, plan.operations
    for size in (2, 1):
        for gone in list(combinations(range(len(faults)), size))[:PAIRS_MAX]:
            yield with_faults(plan, [fault for at, fault in enumerate(faults) if at not in gone])
    for parts in (1, 2, 4):
        part = -(-len(operations) // parts)
        for at in range(0, len(operations) if len(operations) >= parts else 0, part or 1):
            yield replace(plan, operations=operations[:at] + operations[at + part :])
    if plan.nodes > 1:
        yield without_nodes(plan, plan.node_ids[-1:])
