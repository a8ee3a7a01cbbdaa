"""The definition of each model by its id in the lattice, and the definition's slower form that enumerates more."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Final

from . import executions, serialisations
from .executions import Guarantees
from .small import Facts, Small, settled

Definition = Callable[[Facts], bool]

_SESSIONS: Final = {
    "session.read-your-writes": (Guarantees(own=True), False),
    "session.monotonic-reads": (Guarantees(monotonic=True), False),
    "session.monotonic-writes.weak": (Guarantees(ordered=True), False),
    "session.monotonic-writes": (Guarantees(ordered=True, together=True), False),
    "session.writes-follow-reads.weak": (Guarantees(following=True), False),
    "session.writes-follow-reads": (Guarantees(following=True, carried=True), False),
    "session.three.global": (Guarantees(own=True, monotonic=True, ordered=True, together=True), False),
    "session.three.local": (Guarantees(own=True, monotonic=True, ordered=True, together=True), True),
    "session.four.local": (Guarantees(*[True] * 6), True),
}

DEFINITIONS: Final[dict[str, Definition]] = {
    **{
        name: partial(executions.by_least_constraints, wanted=wanted, each_session=each_session)
        for name, (wanted, each_session) in _SESSIONS.items()
    },
    "fifo.slow": serialisations.slow,
    "fifo.pram": serialisations.pram,
    "causal.no-circularity": serialisations.no_circularity,
    "causal.weak": serialisations.weak,
    "causal.memory": serialisations.memory,
    "causal.convergence": serialisations.convergence,
    "causal.real-time": executions.real_time_causal,
    "register.safe": serialisations.safe,
    "register.regular": serialisations.regular,
    "sequential.per-key": serialisations.sequential_per_key,
    "sequential": serialisations.sequential,
    "linearizable": serialisations.linearizable,
}
"""How each model is decided quickly; where there is a slower form, by a reduction that is compared with it."""

BY_EVERYTHING: Final[dict[str, Definition]] = {
    **{
        name: partial(executions.by_every_execution, wanted=wanted, each_session=each_session)
        for name, (wanted, each_session) in _SESSIONS.items()
    },
    "causal.weak": serialisations.weak_by_every_order,
    "causal.memory": serialisations.memory_by_every_order,
    "causal.convergence": serialisations.convergence_by_every_order,
    "causal.real-time": executions.real_time_causal_by_every_execution,
}
"""The same models with every visibility, causal order and arbitration tried."""


def allows(definition: Definition, ops: Small) -> bool:
    """Whether a history is one of the model: for some choice of the pending writes that happened."""
    return any(map(definition, settled(ops)))


def allowed(ops: Small, names: list[str]) -> dict[str, bool]:
    """What `allows` says of each of these models."""
    choices = list(settled(ops))
    return {name: any(map(DEFINITIONS[name], choices)) for name in names}
