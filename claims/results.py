"""What came of putting claims to the test, as data: the table, the JSON and the report are made from it."""

from __future__ import annotations

from typing import Any

import msgspec


class FailureResult(msgspec.Struct, frozen=True, kw_only=True):
    """One way in which a claim failed (or, for a *sometimes*, in which it was shown).

    Attributes:
        anomaly: its kind.
        runs: how many runs failed so; only a campaign that keeps going counts beyond the first.
        seed: the lowest seed that did; None for a plan of the corpus that was not made minimal.
        story, plan_operations, plan_faults, history, plan, digest, replay: of its minimal run, as in `ClaimResult`; nothing
            where it was not made minimal.
    """

    anomaly: str
    runs: int = 1
    seed: int | None = None
    story: tuple[str, ...] = ()
    plan_operations: int | None = None
    plan_faults: int | None = None
    history: str | None = None
    plan: str | None = None
    digest: str | None = None
    replay: str | None = None


class ClaimResult(msgspec.Struct, frozen=True, kw_only=True):
    """One row: a claim about one variant of a system.

    Attributes:
        id, chapter, system, variant, kind, statement: as in the claim.
        verdict: `upheld`, `refuted` or `undecided`, of the claim as it is stated (a *sometimes* that was shown is upheld).
        reason: why it is undecided, or what the verdict rests on.
        runs: judged runs in which the claim was at risk.
        runs_undecided, runs_vacuous: runs that were made and prove nothing.
        at_risk: how often the antecedent happened in all of them.
        operations: operations judged.
        faults: how often each kind fired.
        failure_rate_below: with 95 % confidence, under this distribution of plans; None unless *always* and upheld.
        mutants_killed: names of the mutants that the same budget refutes through this claim; None: not measured.
        anomaly: its kind.
        story: the sentences of the anomaly (or of the witness of a *sometimes*).
        seed: the lowest seed that showed it.
        plan_operations, plan_faults: the size of the minimal plan.
        history, plan: absolute paths in the store.
        digest: of the minimal run, or of the first seed's.
        replay: the command that replays it.
        required: whether the reference must have it.
        failures: every way in which it failed, that with the lowest seed first: the row tells of that one.
    """

    id: str
    chapter: str
    system: str
    variant: str
    kind: str
    statement: str
    verdict: str
    reason: str = ""
    runs: int = 0
    runs_undecided: int = 0
    runs_vacuous: int = 0
    at_risk: int = 0
    operations: int = 0
    faults: dict[str, int] = {}
    failure_rate_below: float | None = None
    mutants_killed: tuple[str, ...] | None = None
    anomaly: str | None = None
    story: tuple[str, ...] = ()
    seed: int | None = None
    plan_operations: int | None = None
    plan_faults: int | None = None
    history: str | None = None
    plan: str | None = None
    digest: str | None = None
    replay: str | None = None
    required: bool = True
    evidence: dict[str, Any] = {}
    failures: tuple[FailureResult, ...] = ()


class GroupResult(msgspec.Struct, frozen=True, kw_only=True):
    """The runs of one group, whatever its claims say of them.

    Attributes:
        system, variant, mutants, workload, profile, settings: what was run.
        runs: how many.
        completed: those that completed the minimum of the workload while faults acted.
        unproven: why the others prove nothing, with how many of them; lost seeds, too, by name.
        faults: how often each kind fired; 0 for those of the budget that never did.
        spared: kinds that were asked for and that the budget leaves out.
        findings: exceptions in handlers, with how often.
    """

    system: str
    variant: str
    mutants: tuple[str, ...] = ()
    workload: str
    profile: str
    settings: dict[str, Any] = {}
    runs: int
    completed: int
    unproven: dict[str, int] = {}
    faults: dict[str, int] = {}
    spared: tuple[str, ...] = ()
    findings: dict[str, int] = {}


class SystemResult(msgspec.Struct, frozen=True, kw_only=True):
    """What came of running one system.

    Attributes:
        claims: one for each claim that was judged.
        groups: one for each group of runs.
    """

    claims: list[ClaimResult]
    groups: list[GroupResult]
