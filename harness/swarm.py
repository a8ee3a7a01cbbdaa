"""From a seed to a plan: what happens to a system from outside, drawn swarm-fashion.

Each seed switches whole kinds of fault and of operation on or off and draws rates on a logarithmic scale, so that rare
combinations do occur (Groce et al., Swarm Testing, ISSTA 2012).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from msgspec.structs import replace

from ..histories.errors import UsageError
from ..impl.node import MS, SECOND
from .draws import Draw
from .faults import kinds_of
from .plan import Delay, Disk, Link, Phases, Plan, PlannedOperation
from .randomness import QUANTILES, Luck, delays, stream
from .storm import Bounds, Storm
from .system import Budget, Stage, System, Variant, Workload

STORM_NS: Final = (2 * SECOND, 4 * SECOND)
RECOVERY_NS: Final = 2 * SECOND
"""From the heal to the quiet, unless the settings of the system say `recovery_ns`."""
END_NS: Final = 8 * SECOND
DELAY_MAX_NS: Final = SECOND // 2
"""No link takes longer, when no fault delays its messages; the bounds of claims are made of it."""

SIZE_WEIGHTS: Final[Mapping[int, int]] = {1: 1, 2: 1, 3: 7, 4: 2, 5: 4, 6: 1, 7: 1}


def generate_plan(
    system: System,
    *,
    variant: str = "reference",
    mutants: Sequence[str] = (),
    workload: str,
    profile: str = "storm",
    seed: int,
    nodes: int | None = None,
    beyond_budget: bool = False,
    claims: Sequence[str] = (),
    settings: Mapping[str, Any] | None = None,
) -> Plan:
    """The plan of this seed; the same for the same arguments, everywhere.

    Args:
        system: whose budget says which faults there may be, and how many nodes.
        variant: what is on trial.
        mutants: in place of its own parts.
        workload: one of the variant's.
        profile: one of `faults.PROFILES`, or kinds of fault such as "crash,partition".
        seed: of the plan, and of all luck in its run.
        nodes: how many; None draws one of the system's sizes.
        beyond_budget: whether faults may leave the budget.
        claims: what a replay is to judge.
        settings: parameters of the system in place of its own and of drawn ones.

    Raises:
        UsageError: there is no such variant, mutant, workload, profile or size.
    """
    built = system.variant(variant, mutants)
    if workload not in built.workloads:
        raise UsageError(
            f"{system.name} {variant} has no workload {workload!r}; it has {', '.join(built.workloads) or 'none'}"
        )
    if nodes is not None and nodes < 1:
        raise UsageError(f"a plan of {nodes} nodes; there must be one at least")
    draw = Draw(Luck(stream(seed, "swarm", "cluster")))
    size = nodes or draw.weighted({size: SIZE_WEIGHTS.get(size, 1) for size in system.sizes})
    settings = {**built.settings, **_scaled(built, seed), **(settings or {})}
    delay = _delay(draw)
    timeout_ns = _client_timeout(draw, settings, delay)
    phases = _phases(draw, settings, timeout_ns)
    names = tuple(f"n{number}" for number in range(1, size + 1))
    clients = draw.weighted({1: 1, 2: 3, 3: 4, 4: 3, 5: 3, 6: 1})
    stage = Stage(
        nodes=names,
        clients=clients,
        begin_ns=draw.between(0, 200) * MS,
        heal_ns=phases.heal_ns,
        quiet_ns=phases.quiet_ns,
        final_ns=phases.final_ns,
        settings=settings,
        intensity=draw.logarithmic(40, 150) // clients,
    )
    storm = Storm(
        Draw(Luck(stream(seed, "swarm", "faults"))),
        kinds_within(system.budget, built, profile, beyond_budget=beyond_budget),
        _bounds(system.budget, built, size, beyond_budget=beyond_budget),
        names=names,
        clients=tuple(f"c{number}" for number in range(clients)),
        heal_ns=phases.heal_ns,
        timeout_ns=timeout_ns,
    )
    faults = storm.faults()
    forsaken = storm.forsaken() if system.budget.forsaken and "crash" in storm.kinds else ()
    operations = _operations(built.workloads[workload], stage, seed, pinned=system.clients_pinned)
    return Plan(
        system=system.name,
        variant=variant,
        mutants=tuple(mutants),
        claims=tuple(claims),
        workload=workload,
        profile=profile,
        seed=seed,
        nodes=size,
        client_timeout_ns=timeout_ns,
        settings=settings,
        operations=_without(storm.gone, operations, stage, pinned=system.clients_pinned),
        faults=faults,
        forsaken=forsaken,
        links={"*": _link(Draw(Luck(stream(seed, "swarm", "links"))), delay)},
        disks={"*": Disk(sync_ns=draw.logarithmic(20, 5_000) * 1_000)},
        phases=phases,
    )


# --- the cluster


def _scaled(variant: Variant, seed: int) -> dict[str, Any]:
    """The parameters that plans scale, each from luck of its own."""
    return {name: drawn(Luck(stream(seed, "setting", name))) for name, drawn in variant.ranges.items()}


def _delay(draw: Draw) -> Delay:
    """A third of a millisecond to twenty-five on average, in any shape."""
    mean_ns = draw.logarithmic(300, 25_000) * 1_000
    shape = draw.weighted({"uniform": 4, "exponential": 3, "lognormal": 2, "heavy_tail": 1, "constant": 1})
    if shape == "uniform":
        return Delay(min_ns=mean_ns // 4, max_ns=2 * mean_ns)
    if shape == "constant":
        return Delay(shape=shape, min_ns=mean_ns, max_ns=mean_ns)
    return Delay(shape=shape, min_ns=mean_ns // 10, mean_ns=mean_ns, max_ns=min(DELAY_MAX_NS, 50 * mean_ns))


def _link(draw: Draw, delay: Delay) -> Link:
    """One in four keeps the order of sending. None is narrow or loses anything all along: the heal must end what hurts."""
    return Link(delay=delay, fifo=draw.happens(1, 4))


def _client_timeout(draw: Draw, settings: Mapping[str, Any], delay: Delay) -> int:
    """Ten median round trips at least; and what the system asks for by `client_timeout_ns`, or 0.3 to 1 s."""
    asked = int(settings.get("client_timeout_ns") or draw.logarithmic(300, 1_000) * MS)
    return max(asked, 20 * delays(delay)[QUANTILES // 2])


def _phases(draw: Draw, settings: Mapping[str, Any], timeout_ns: int) -> Phases:
    heal_ns = draw.between(*(bound // MS for bound in STORM_NS)) * MS
    quiet_ns = heal_ns + int(settings.get("recovery_ns", RECOVERY_NS))
    final_ns = quiet_ns + timeout_ns // 2
    end_ns = max(END_NS, final_ns + timeout_ns) if "recovery_ns" in settings else min(END_NS, final_ns + 2 * timeout_ns)
    return Phases(heal_ns=heal_ns, quiet_ns=quiet_ns, final_ns=final_ns, end_ns=max(end_ns, final_ns))


def _operations(workload: Workload, stage: Stage, seed: int, *, pinned: bool) -> tuple[PlannedOperation, ...]:
    """What the workload asks for, but for the kinds of operation that this seed leaves out of the storm.

    Kinds without which a run would prove nothing stay.
    """
    planned = workload.operations(stage, Luck(stream(seed, "swarm", "operations")))
    draw = Draw(Luck(stream(seed, "swarm", "actions")))
    actions = dict.fromkeys(operation.action for operation in planned if operation.at_ns < stage.heal_ns)
    left_out = {action for action in actions if action not in workload.minimum and draw.happens(1, 4)}
    kept = [operation for operation in planned if operation.action not in left_out or operation.at_ns >= stage.heal_ns]
    return _pinned(kept, stage) if pinned else tuple(kept)


def _pinned(planned: Sequence[PlannedOperation], stage: Stage) -> tuple[PlannedOperation, ...]:
    """Each client stays, until the final reads, with the first node that it is to turn to."""
    homes: dict[int, str] = {}
    for operation in planned:
        homes.setdefault(operation.client, operation.node or stage.nodes[operation.client % len(stage.nodes)])
    return tuple(
        replace(operation, node=homes[operation.client]) if operation.at_ns < stage.final_ns else operation
        for operation in planned
    )


def _without(
    gone: Sequence[str], planned: Sequence[PlannedOperation], stage: Stage, *, pinned: bool
) -> tuple[PlannedOperation, ...]:
    """After the heal nobody is to turn to nodes that are not there any more, and final reads are of the others only."""
    found = []
    for operation in planned:
        if operation.at_ns < stage.heal_ns or operation.node not in gone:
            found.append(operation)
        elif operation.at_ns < stage.final_ns and not pinned:
            found.append(replace(operation, node=""))
    return tuple(found)


# --- the budget


def kinds_within(budget: Budget, variant: Variant, profile: str, *, beyond_budget: bool) -> tuple[str, ...]:
    """The kinds of fault of a profile that there may be; members cannot change where nobody changes them."""
    beyond_it = {"join", "leave"} if variant.operator is None else set()
    return tuple(
        kind for kind in kinds_of(profile) if kind not in beyond_it and (beyond_budget or _allowed(budget, kind))
    )


def _bounds(budget: Budget, variant: Variant, size: int, *, beyond_budget: bool) -> Bounds:
    """How far the faults may go; a minority of the nodes at most is ever lost, since each takes one from the quorum."""
    minority = (size - 1) // 2
    return Bounds(
        down_max=size if beyond_budget else {"none": 0, "minority": minority, "all": size}[budget.crashed_max],
        lost_max=size if beyond_budget else minority,
        is_operated=variant.operator is not None,
        is_unbounded=beyond_budget,
    )


def _allowed(budget: Budget, kind: str) -> bool:
    if kind == "torn":
        return budget.torn and "crash" in budget.faults
    return kind in budget.faults and not (kind == "crash" and budget.crashed_max == "none")
