"""The ways in which a failing plan can become simpler: small passes that propose plans, and are told which still fail.

A pass is a generator: it yields a candidate, is sent whether that one fails in the same way, and goes on from there. It
makes no run itself. All that a pass proposes is simpler than what it was given.

A detour is a pass that may propose what is not simpler. Where one of its plans fails, the passes go on from there, and the
search keeps what they find only if it is smaller than what it had.
"""

from __future__ import annotations

from typing import Final

from .events import at_events, at_times, earlier_events
from .failure import Failure, Proposals, Simplify
from .faults import fewer_faults, merged_faults, simpler_faults
from .links import calmer_world, fewer_deliveries
from .luck import other_luck, smaller_with_luck
from .nodes import fewer_nodes
from .operations import fewer_clients, fewer_operations, numbered_clients, one_key
from .schedule import fixed_fates, rounder_fates
from .times import cut_time, less_waiting, rounder_times

__all__ = ["DETOURS", "PASSES", "Failure", "Proposals", "Simplify"]

PASSES: Final[tuple[Simplify, ...]] = (
    cut_time,
    fewer_faults,
    fewer_deliveries,
    fewer_clients,
    fewer_operations,
    less_waiting,
    calmer_world,
    fewer_nodes,
    merged_faults,
    simpler_faults,
    at_events,
    earlier_events,
    one_key,
    rounder_times,
    rounder_fates,
    numbered_clients,
)
"""In this order, again and again until none of them helps: what makes runs short comes first."""

DETOURS: Final[tuple[Simplify, ...]] = (smaller_with_luck, fixed_fates, other_luck, at_times)
"""In this order, when the passes are stuck; from the first again when one has helped."""
