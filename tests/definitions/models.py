"""The definition of each model by its id in the lattice, and the definition's slower form that enumerates more."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from itertools import product
from typing import Final

from . import executions, serialisations, staleness
from .executions import Guarantees
from .small import Facts, Op, Small, settled

ANY_NS: Final = 10**5
ANY_K: Final = 20
UNWRITTEN: Final = 10**6
"""A value that nobody writes."""

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
    "register.t-visible": partial(executions.t_visible, bound=ANY_NS),
    "register.k-atomic": partial(staleness.k_atomic, k=ANY_K),
    "register.delta-atomic": partial(staleness.delta_atomic, bound=ANY_NS),
    "sequential.per-key": serialisations.sequential_per_key,
    "sequential": serialisations.sequential,
    "linearizable": serialisations.linearizable,
}
"""How each model is decided quickly; where there is a slower form, by a reduction that is compared with it.

A model with a bound holds when it does for some bound.
"""

BOUNDED: Final[dict[str, tuple[str, int, Callable[[Facts, int], bool]]]] = {
    "register.t-visible": ("t_ns", 0, executions.t_visible),
    "register.k-atomic": ("k", 1, staleness.k_atomic),
    "register.delta-atomic": ("delta_ns", 0, staleness.delta_atomic),
}
"""Of each model with a bound, its name in evidence, the least that there is, and the definition."""

BY_EVERYTHING: Final[dict[str, Definition]] = {
    **{
        name: partial(executions.by_every_execution, wanted=wanted, each_session=each_session)
        for name, (wanted, each_session) in _SESSIONS.items()
    },
    "causal.weak": serialisations.weak_by_every_order,
    "causal.memory": serialisations.memory_by_every_order,
    "causal.convergence": serialisations.convergence_by_every_order,
    "causal.real-time": executions.real_time_causal_by_every_execution,
    "register.t-visible": partial(executions.t_visible_by_every_execution, bound=ANY_NS),
}
"""The same models with every visibility, causal order and arbitration tried."""


def holds(name: str, facts: Facts, definition: Definition | None = None) -> bool:
    """Whether a settled history is one of the model, by this definition or by that of `DEFINITIONS`.

    What is read was written by somebody, but in a safe register: there a read that overlaps a write may return anything.
    """
    return (facts.is_explained or name == "register.safe") and (definition or DEFINITIONS[name])(facts)


def allowed(ops: Small, names: list[str]) -> dict[str, bool]:
    """Whether a history is one of each of these models: for some choice of the pending writes that happened."""
    choices = list(settled(ops))
    return {name: any(holds(name, facts) for facts in choices) for name in names}


def begun_somehow(ops: Small) -> list[Small]:
    """The histories that this one is when nobody knows what keys begin with: each with values that they may begin with.

    A key begins with null or with a value that was read and that nobody wrote; that is the 0 of the history then, and
    whatever else nobody wrote stays so.
    """
    written = {(op.key, op.value) for op in ops if op.is_write}
    began = {op.key: {0} for op in ops}
    for op in ops:
        if not op.is_write and (op.key, op.value) not in written:
            began[op.key].add(op.value)
    return [
        tuple(_begun(op, dict(zip(began, chosen, strict=True))[op.key]) for op in ops)
        for chosen in product(*map(sorted, began.values()))
    ]


def _begun(op: Op, initial: int) -> Op:
    if op.is_write:
        return op
    return op._replace(value=0 if op.value == initial else op.value or UNWRITTEN)
