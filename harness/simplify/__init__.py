"""The ways in which a failing plan can become simpler: small passes that propose plans, and are told which still fail.

A pass is a generator: it yields a candidate, is sent whether that one fails in the same way, and goes on from there. It
makes no run itself. All that a pass proposes is simpler than what it was given.

A detour is a pass that may propose what is not simpler. Where one of its plans fails, the passes go on from there, and the
search keeps what they find only if it is smaller than what it had.
"""

from __future__ import annotations

from typing import Final, NamedTuple

from .events import at_events, at_times, earlier_events
from .failure import Failure, Proposals, Simplify
from .faults import fewer_faults, merged_faults, simpler_faults
from .links import calmer_world, fewer_deliveries
from .luck import other_luck, smaller_with_luck
from .nodes import fewer_nodes
from .operations import fewer_clients, fewer_operations, numbered_clients, one_key
from .schedule import fixed_fates, rounder_fates
from .times import cut_time, less_waiting, rounder_times

__all__ = ["STAGES", "Failure", "Proposals", "Simplify", "Stage"]


class Stage(NamedTuple):
    """Passes, followed again and again until none of them helps; then detours, from the first again when one has helped."""

    passes: tuple[Simplify, ...]
    detours: tuple[Simplify, ...]


FEWER: Final = (cut_time, fewer_faults, fewer_deliveries, fewer_clients, fewer_operations, fewer_nodes)
SIMPLER: Final = (
    less_waiting,
    calmer_world,
    merged_faults,
    simpler_faults,
    at_events,
    earlier_events,
    one_key,
    rounder_times,
    rounder_fates,
    numbered_clients,
)

STAGES: Final = (
    Stage(FEWER, (smaller_with_luck,)),
    Stage(FEWER + SIMPLER, (smaller_with_luck, fixed_fates, other_luck, at_times)),
)
"""What makes runs short comes first. A plan of simple parts depends more on the moment: so parts are left out before."""
