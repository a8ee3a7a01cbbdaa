"""Puts claims to the test: runs under faults, judged in the worker, the first failure of each claim made minimal."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TypeAlias

import msgspec

from ..harness.store import Store
from ..harness.trial import Run
from .claim import Claim
from .registry import Docket
from .results import ClaimResult


class Progress(msgspec.Struct, frozen=True):
    """How far a verification has come.

    Attributes:
        done, planned: runs; the plan may be cut short when every claim of a group has its verdict.
        doing: what is being worked on, in a few words.
        refuted: how many claims have been refuted, or shown, so far.
    """

    done: int
    planned: int
    doing: str
    refuted: int = 0


Report: TypeAlias = Callable[[Progress], None]


class Replayed(msgspec.Struct, frozen=True, kw_only=True):
    """What a replay gave.

    Attributes:
        run: the run itself, with its plan, its evidence and a full trace.
        results: one for each claim that the plan names (or all of its system's), as `verify` tells them.
        digest: of this run.
        expected: the digest that the plan expects; "" when it expects none.
    """

    run: Run
    results: list[ClaimResult]
    digest: str
    expected: str


def verify(
    claims: Sequence[Claim],
    *,
    docket: Docket,
    variants: Sequence[str] = ("reference",),
    runs: int | None = None,
    jobs: int = 1,
    engine: str = "local",
    seed: int = 0,
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
        engine: `local` (processes) or `inline` (this one).
        seed: the first seed of every run group.
        store: where minimal failures are kept; None keeps nothing.
        budget_s: stops early after this many seconds of wall time; claims that have too few runs are then undecided.
        progress: is told now and then.

    Returns:
        One result for each claim and variant, in the order of claims, then of variants; the same for the same arguments
        whatever the number of jobs (unless the budget ended it).

    Raises:
        UsageError: a variant or an engine that does not exist.
    """
    raise NotImplementedError


def run_system(
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
    engine: str = "local",
    seed: int = 0,
    store: Store | None = None,
    budget_s: float | None = None,
    progress: Report | None = None,
) -> list[ClaimResult]:
    """Run one system until something fails; the first failure is made minimal and kept.

    Args:
        name: of the system.
        mutants: what to break, by the names of mutants of that variant.
        workload: the only workload to run; None runs those of the claims.
        faults: the profile of faults in place of the claims' own.
        nodes: how many; None lets plans draw.
        beyond_budget: leave the fault budget that the system declares.
        claims: the claims to judge; none means all of the system's that this variant is said to have.
        runs: how many runs each run group has at most.

    Returns:
        One result for each claim that was judged; at most one of them, that with the lowest seed, has a plan, a story and
        a replay line.

    Raises:
        UsageError: a system, variant, mutant, workload or profile that does not exist.
    """
    raise NotImplementedError


def replay(path: Path, *, docket: Docket, store: Store | None = None) -> Replayed:
    """Run a plan again, with a full trace, and judge it.

    Raises:
        UsageError: the file holds no plan, or one of a system that is not on the docket.
    """
    raise NotImplementedError
