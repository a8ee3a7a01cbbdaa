"""What came of putting claims to the test, as data: the table, the JSON and the report are made from it."""

from __future__ import annotations

from typing import Any

import msgspec


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
