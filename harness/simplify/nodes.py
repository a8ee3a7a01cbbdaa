"""Fewer nodes."""

from __future__ import annotations

from .edits import without_nodes
from .failure import Failure, Proposals


def fewer_nodes(failure: Failure) -> Proposals:
    """The first few nodes only; then without this one or that."""
    plan = failure.plan
    for count in range(1, plan.nodes):
        if (yield without_nodes(plan, plan.node_ids[count:])):
            return
    for node in reversed(plan.node_ids[:-1]):
        if plan.nodes > 1 and (yield (smaller := without_nodes(plan, (node,)))):
            plan = smaller
