"""Puts claims to the test: runs under faults, judged where they are made, the first failure of each claim made minimal."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import msgspec

from ..checkers.verdict import Verdict, describe
from ..harness.engines import Engine
from ..harness.engines import engine as engine_of
from ..harness.faults import kinds_of
from ..harness.journal import open_journal
from ..harness.plan import Fences, read_plan
from ..harness.store import Store, clear_running
from ..harness.swarm import kinds_within
from ..harness.system import System, Variant
from ..harness.trial import Run, run_plan
from ..histories.errors import UsageError
from .claim import Claim, Trials
from .groups import RunGroup, run_groups
from .inquiry import Inquiry, is_about, with_premises
from .outcomes import result_of_replay
from .proceedings import Proceedings, Report
from .provenance import campaign_of
from .registry import Docket
from .results import ClaimResult, SystemResult


class Replayed(msgspec.Struct, frozen=True, kw_only=True):
    """What a replay gave.

    Attributes:
        run: the run itself, with its plan, its evidence and a full trace.
        results: one for each claim that the plan names (or all of its system's), as `verify` tells them.
        verdicts: by claim, as its judge gave it; of a *sometimes* claim it is about the opposite.
        digest: of this run.
        expected: the digest that the plan expects; "" when it expects none.
    """

    run: Run
    results: list[ClaimResult]
    verdicts: dict[str, Verdict]
    digest: str
    expected: str


@dataclass(frozen=True, kw_only=True)
class Sweep:
    """How a campaign goes on after a failure, and what it has to give.

    Attributes:
        results: the file that gets what came of each seed (`harness.journal`), and that is gone on with when it is there;
            None keeps none.
        minimises: whether the first of each kind of failure is made minimal in the end.
        share_min: which share of runs has to complete the minimum of the workload while faults act, for anything to be
            upheld.
    """

    results: Path | None = None
    minimises: bool = True
    share_min: float = 0.0


def verify(
    claims: Sequence[Claim],
    *,
    docket: Docket,
    variants: Sequence[str] = ("reference",),
    runs: int | None = None,
    jobs: int = 1,
    engine: str | Engine = "local",
    seed: int = 0,
    fences: Fences = "strict",
    store: Store | None = None,
    budget_s: float | None = None,
    progress: Report | None = None,
) -> list[ClaimResult]:
    """Put claims to the test, each about each of these variants that it is said about.

    Args:
        claims: what to test; `docket.select(names)` chooses them.
        docket: where their systems are found.
        variants: `reference`, `as-written`, `as-meant`, `as-stated`.
        runs: how many judged runs a claim needs; None takes the fixed numbers of each run group.
        jobs: how many processes.
        engine: `local` (processes), `dask` (a cluster) or `inline` (this process); or an engine, which is stopped in the end.
        seed: the first seed of every run group.
        fences: `strict`, or `virtual` for code that has clocks and dice of its own (`harness.fences`).
        store: where minimal failures are kept; None keeps nothing.
        budget_s: stops early after this many seconds of wall time; claims that have too few runs are then undecided.
        progress: is told now and then.

    Returns:
        One result for each claim and variant, in the order of claims, then of variants; the same for the same arguments
        whatever the number of jobs (unless the budget ended it).

    Raises:
        UsageError: an engine that does not exist.
        NondeterministicRun: a system is not deterministic.
    """
    wanted = with_premises(claims, docket)
    streamed = store.root if store else None

    def groups_of(variant: str) -> list[RunGroup]:
        return run_groups(_about(wanted, variant, docket), docket, variant, fences=fences, store=streamed)

    with _proceedings(engine, jobs, store, budget_s, progress) as proceedings:
        inquiry = Inquiry(docket, proceedings, store, runs=runs, seed=seed)
        inquiry.examine(wanted)
        inquiry.verify([group for variant in variants for group in groups_of(variant)])
    return [
        inquiry.result(claim, variant) for claim in claims for variant in variants if is_about(claim, variant, docket)
    ]


def run_system(  # noqa: D417  # the others are those of `verify`
    name: str,
    *,
    docket: Docket,
    variant: str = "reference",
    mutants: Sequence[str] = (),
    workload: str | None = None,
    faults: str | None = None,
    nodes: int | None = None,
    beyond_budget: bool = False,
    claims: Sequence[Claim] = (),
    runs: int = 1000,
    jobs: int = 1,
    engine: str | Engine = "local",
    seed: int = 0,
    fences: Fences = "strict",
    store: Store | None = None,
    budget_s: float | None = None,
    progress: Report | None = None,
    sweep: Sweep | None = None,
) -> SystemResult:
    """Run one system until something fails; the first failure is made minimal and kept.

    Args:
        name: of the system, or the module that has it.
        docket: where it is found.
        variant: which way to build it.
        mutants: what to break, by the names of mutants of that variant.
        workload: the only workload to run; None runs those of the claims.
        faults: the profile of faults in place of the claims' own.
        nodes: how many; None lets plans draw.
        beyond_budget: leave the fault budget that the system declares.
        claims: the claims to judge; none means all of the system's that this variant is said to have.
        runs: how many runs each run group has at most; to be upheld, a claim needs as many judged ones as for `verify`, but
            not more than a quarter of these. The other arguments are those of `verify`, too.
        sweep: go through all runs whatever fails; None stops at the first failure.

    Returns:
        What came of each claim that was judged, and of the runs. Without a sweep at most one claim, that with the lowest
        seed, has a plan, a story and a replay line.

    Raises:
        UsageError: a system, variant, mutant, workload or profile that does not exist, or no claim to judge; or the file of
            results belongs to another campaign.
    """
    system = docket.system(name)
    system.variant(variant, mutants)
    about = _about(claims or docket.claims_of(system.name), variant, docket)
    judged = [claim for claim in about if isinstance(claim.by, Trials) and claim.by.system == system.name]
    if not judged:
        raise UsageError(f"nothing is said about {system.name} {variant}, so no run of it can be judged")
    if faults and not beyond_budget:
        _require_room(system, system.variant(variant, mutants), faults)
    groups = run_groups(
        judged,
        docket,
        variant,
        mutants=mutants,
        workload=workload,
        faults=faults,
        nodes=nodes,
        beyond_budget=beyond_budget,
        fences=fences,
        store=store.root if store else None,
    )
    with _proceedings(engine, jobs, store, budget_s, progress) as proceedings:
        share_min = sweep.share_min if sweep else 0.0
        inquiry = Inquiry(docket, proceedings, store, runs=None, seed=seed, share_min=share_min)
        if sweep is None:
            inquiry.run_until_first(groups, runs)
        else:
            _sweep(inquiry, groups, seed, runs, sweep)
    claims_judged = [inquiry.result(claim, variant) for claim in judged]
    return SystemResult(claims=claims_judged, groups=inquiry.groups())


def _sweep(inquiry: Inquiry, groups: Sequence[RunGroup], seed: int, runs: int, sweep: Sweep) -> None:
    if sweep.results is None:
        inquiry.sweep(groups, runs, None, minimises=sweep.minimises)
        return
    campaign = campaign_of(groups, seed=seed, runs=runs)
    with open_journal(sweep.results, campaign, range(seed, seed + runs)) as journal:
        inquiry.sweep(groups, runs, journal, minimises=sweep.minimises)


def replay(path: Path, *, docket: Docket, store: Store | None = None) -> Replayed:
    """Run a plan again, with a full trace, and judge it.

    Args:
        path: of the plan.
        docket: where its system is found.
        store: where the run is kept; None keeps nothing.

    Raises:
        UsageError: the file holds no plan, or one of a system that is not on the docket.
    """
    plan = read_plan(path)
    system = docket.system(plan.system)
    claims = [docket.claim(name) for name in plan.claims] or _about(docket.claims_of(system.name), plan.variant, docket)
    judged = [claim for claim in claims if isinstance(claim.by, Trials)]
    run = run_plan(plan, system, trace="full")
    groups = [opener() for opener in run_groups(judged, docket, plan.variant, mutants=plan.mutants)]
    verdicts = {case.claim: group.judge(case, run) for group in groups for case in group.cases}
    rows = [result_of_replay(docket.claim(name), plan, verdict, run.digest) for name, verdict in verdicts.items()]
    if store is not None:
        told = [{"claim": name, **describe(verdict)} for name, verdict in verdicts.items()]
        store.keep(f"replay-{run.digest[:12]}", run, told)
    return Replayed(run=run, results=rows, verdicts=verdicts, digest=run.digest, expected=plan.expect.digest)


def _require_room(system: System, variant: Variant, faults: str) -> None:
    """Some of the faults that were asked for must be within the budget.

    Raises:
        UsageError: none is.
    """
    asked = kinds_of(faults)
    if asked and not kinds_within(system.budget, variant, faults, beyond_budget=False):
        raise UsageError(
            f"{system.name} does not declare to survive {', '.join(asked)}; --beyond-budget does it nevertheless"
        )


def _about(claims: Sequence[Claim], variant: str, docket: Docket) -> list[Claim]:
    return [claim for claim in claims if is_about(claim, variant, docket)]


@contextmanager
def _proceedings(
    engine: str | Engine, jobs: int, store: Store | None, budget_s: float | None, report: Report | None
) -> Iterator[Proceedings]:
    """An engine at work; whatever happens, it is stopped, and nothing of runs in progress is left behind."""
    workers = engine_of(engine, jobs=jobs) if isinstance(engine, str) else engine
    try:
        yield Proceedings(workers, budget_s=budget_s, report=report)
    finally:
        workers.cancel()
        if store is not None:
            clear_running(store)
