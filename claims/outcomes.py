"""From what happened to what is said: the rules by which runs become the verdict of a claim.

An *always* or *eventually* claim is refuted by one run. It is upheld when enough runs were judged in which it was at risk
and every kind of fault of its profile has fired; otherwise nobody knows. A *sometimes* claim is upheld by one run that
shows it, and undecided without one.
"""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import msgspec
from msgspec.structs import replace

from ..checkers.verdict import Anomaly, Refuted, Undecided, Upheld, Verdict, word
from ..harness.campaign import Campaign, Tally
from ..harness.faults import kinds_of
from ..harness.plan import Plan
from .claim import Claim
from .groups import Minimal, RunGroup
from .results import ClaimResult, FailureResult, GroupResult


@dataclass(frozen=True)
class Outcome:
    """What came of the runs of one claim.

    Attributes:
        campaign: of its group.
        kept: whether failing plans came from the corpus.
        minimal: its failures that were made minimal, by kind of anomaly.
        needed: how many judged runs it takes to be upheld.
        share_min: which share of runs has to complete the minimum of the workload while faults act.
        is_cut_short: the budget of wall time has run out.
        module: what a replay has to name, where the system is not installed.
    """

    campaign: Campaign
    kept: bool = False
    minimal: Mapping[str, Minimal] = field(default_factory=dict)
    needed: int = 1
    share_min: float = 0.0
    is_cut_short: bool = False
    module: str = ""


def result_of_runs(claim: Claim, system: str, variant: str, outcome: Outcome) -> ClaimResult:
    """The row of a claim that was put to the test by runs."""
    tally = outcome.campaign.tallies.get(claim.id) or Tally()
    decided, reason = _decided(claim, tally, outcome)
    failures = _failures(tally, outcome)
    sure = claim.kind == "always" and decided == "upheld"
    return _row(
        claim,
        system,
        variant,
        verdict=decided,
        reason=reason,
        runs=tally.runs,
        runs_undecided=tally.undecided,
        runs_vacuous=tally.vacuous,
        at_risk=tally.at_risk,
        operations=tally.operations,
        faults=dict(sorted(outcome.campaign.fired.items())),
        failure_rate_below=1 - 0.05 ** (1 / tally.runs) if sure else None,
        evidence=_evidence(outcome, tally, failures),
        **{"digest": outcome.campaign.first_digest or None, **_told(failures)},
        failures=failures,
    )


def result_of_group(group: RunGroup, campaign: Campaign, kinds: Sequence[str]) -> GroupResult:
    """What came of the runs of a group that may have these kinds of fault."""
    return GroupResult(
        system=group.system,
        variant=group.variant,
        mutants=group.mutants,
        workload=group.workload,
        profile=group.profile,
        settings=dict(group.settings),
        runs=campaign.taken,
        completed=campaign.completed,
        unproven=dict(sorted(campaign.unproven.items())),
        faults=dict(sorted({**dict.fromkeys(kinds, 0), **campaign.fired}.items())),
        spared=tuple(kind for kind in kinds_of(group.profile) if kind not in kinds),
        findings=dict(sorted(campaign.findings.items())),
    )


def result_of_verdict(claim: Claim, system: str, variant: str, verdict: Verdict) -> ClaimResult:
    """The row of a claim that was put to the test in another way."""
    anomaly = verdict.anomaly if isinstance(verdict, Refuted) else None
    reason = verdict.reason if isinstance(verdict, Undecided) else verdict.method
    return _row(
        claim,
        system,
        variant,
        verdict=word(verdict),
        reason=reason,
        operations=verdict.operations,
        anomaly=anomaly.kind if anomaly else None,
        story=anomaly.story if anomaly else (),
        evidence=dict(verdict.evidence),
    )


def result_of_replay(claim: Claim, plan: Plan, verdict: Verdict, digest: str) -> ClaimResult:
    """The row of a claim after one run: a *sometimes* is upheld when its judge refutes the opposite."""
    row = result_of_verdict(claim, plan.system, plan.variant, verdict)
    shown = {"refuted": "upheld", "upheld": "undecided"}.get(row.verdict, row.verdict)
    operations, faults = plan.size
    return replace(
        row,
        verdict=shown if claim.kind == "sometimes" else row.verdict,
        runs=1,
        seed=plan.seed,
        plan_operations=operations,
        plan_faults=faults,
        digest=digest,
    )


def verdict_of(result: ClaimResult) -> Verdict:
    """A row as a verdict, for claims that are derived from it."""
    match result.verdict:
        case "upheld":
            return Upheld(operations=result.operations, evidence={"runs": result.runs})
        case "refuted":
            return Refuted(Anomaly(kind=result.anomaly or "refuted", story=result.story))
    return Undecided(reason=f"{result.id}: {result.reason}")


def _decided(claim: Claim, tally: Tally, outcome: Outcome) -> tuple[str, str]:
    """The verdict of the claim as it is stated, and what it rests on."""
    failed = tally.refuted.total()
    origin = "a plan of the corpus" if outcome.kept else "a run" if failed == 1 else f"{failed:,} runs"
    ending = "s" if failed == 1 or outcome.kept else ""
    if claim.kind == "sometimes":
        if failed:
            return "upheld", f"{origin} show{ending} it"
        return "undecided", f"{tally.runs} judged runs do not show it{_why(tally)}"
    if failed:
        return "refuted", f"{origin} refute{ending} it"
    if tally.runs < outcome.needed:
        cut = ", and the time was up" if outcome.is_cut_short else ""
        return "undecided", f"{tally.runs} judged runs, of {outcome.needed} that it needs{cut}{_why(tally)}"
    campaign = outcome.campaign
    if campaign.quiet_kinds:
        return "undecided", f"no {' and no '.join(campaign.quiet_kinds)} changed anything in any run"
    if campaign.completed < outcome.share_min * campaign.taken:
        share = f"{100 * campaign.completed / campaign.taken:.1f} % of {campaign.taken:,} runs"
        return (
            "undecided",
            f"only {share} completed the workload's minimum while faults acted, not {100 * outcome.share_min:g} %",
        )
    return "upheld", f"{tally.runs} judged runs"


def _why(tally: Tally) -> str:
    """The most frequent reason for which runs prove nothing."""
    if not tally.reasons:
        return ""
    reason, count = min(tally.reasons.items(), key=lambda item: (-item[1], item[0]))
    return f" ({count} runs prove nothing: {reason})"


def _evidence(outcome: Outcome, tally: Tally, failures: Sequence[FailureResult]) -> dict[str, Any]:
    told: dict[str, Any] = {"seeds": outcome.campaign.taken}
    if failures and (minimal := outcome.minimal.get(failures[0].anomaly)):
        told["replays"] = minimal.replays
    if outcome.campaign.findings:
        told["findings"] = dict(sorted(outcome.campaign.findings.items())[:5])
    if tally.reasons:
        told["unproven"] = dict(sorted(tally.reasons.items())[:5])
    return told


def _failures(tally: Tally, outcome: Outcome) -> tuple[FailureResult, ...]:
    """Every kind of failure (or of run that shows a *sometimes*), lowest seed first."""
    return tuple(
        _failure(kind, tally.refuted[kind], number, outcome)
        for kind, number in sorted(tally.failures.items(), key=lambda item: item[1])
    )


def _failure(kind: str, runs: int, number: int, outcome: Outcome) -> FailureResult:
    minimal = outcome.minimal.get(kind)
    if minimal is None:
        return FailureResult(anomaly=kind, runs=runs, seed=None if outcome.kept else number)
    folder = minimal.folder
    plan = None if folder is None else str(folder / "plan.json")
    return FailureResult(
        anomaly=kind,
        runs=runs,
        seed=minimal.seed,
        story=minimal.story,
        plan_operations=minimal.operations,
        plan_faults=minimal.faults,
        digest=minimal.digest,
        history=None if folder is None else str(folder / "history.jsonl"),
        plan=plan,
        replay=None if plan is None else shlex.join(["upheld", "replay", plan, *filter(None, [outcome.module])]),
    )


def _told(failures: Sequence[FailureResult]) -> dict[str, Any]:
    """What a row tells of the first failure."""
    told = msgspec.structs.asdict(failures[0]) if failures else {}
    return {name: value for name, value in told.items() if name != "runs" and value is not None}


def _row(claim: Claim, system: str, variant: str, **told: Any) -> ClaimResult:
    return ClaimResult(
        id=claim.id,
        chapter=claim.chapter,
        system=system,
        variant=variant,
        kind=claim.kind,
        statement=claim.statement,
        required=claim.required,
        **told,
    )
