"""From what happened to what is said: the rules by which runs become the verdict of a claim.

An *always* or *eventually* claim is refuted by one run. It is upheld when enough runs were judged in which it was at risk
and every kind of fault of its profile has fired; otherwise nobody knows. A *sometimes* claim is upheld by one run that
shows it, and undecided without one.
"""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from msgspec.structs import replace

from ..checkers.verdict import Anomaly, Refuted, Undecided, Upheld, Verdict, word
from ..harness.campaign import Campaign, Tally
from ..harness.plan import Plan
from .claim import Claim
from .groups import Minimal
from .results import ClaimResult


@dataclass(frozen=True)
class Outcome:
    """What came of the runs of one claim.

    Attributes:
        campaign: of its group.
        failed: the kind of the first failure and the number of its plan; None without one.
        kept: whether the failing plan came from the corpus.
        minimal: that failure, made minimal.
        needed: how many judged runs it takes to be upheld.
        is_cut_short: the budget of wall time has run out.
        module: what a replay has to name, where the system is not installed.
    """

    campaign: Campaign
    failed: tuple[str, int] | None
    kept: bool = False
    minimal: Minimal | None = None
    needed: int = 1
    is_cut_short: bool = False
    module: str = ""


def result_of_runs(claim: Claim, system: str, variant: str, outcome: Outcome) -> ClaimResult:
    """The row of a claim that was put to the test by runs."""
    tally = outcome.campaign.tallies.get(claim.id) or Tally()
    decided, reason = _decided(claim, tally, outcome)
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
        evidence=_evidence(outcome, tally),
        **{"digest": outcome.campaign.first_digest or None, **_failure(outcome)},
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
    origin = "a plan of the corpus" if outcome.kept else "a run"
    if claim.kind == "sometimes":
        if outcome.failed:
            return "upheld", f"{origin} shows it"
        return "undecided", f"{tally.runs} judged runs do not show it{_why(tally)}"
    if outcome.failed:
        return "refuted", f"{origin} refutes it"
    if tally.runs < outcome.needed:
        cut = ", and the time was up" if outcome.is_cut_short else ""
        return "undecided", f"{tally.runs} judged runs, of {outcome.needed} that it needs{cut}{_why(tally)}"
    if outcome.campaign.quiet_kinds:
        return "undecided", f"no {' and no '.join(outcome.campaign.quiet_kinds)} changed anything in any run"
    return "upheld", f"{tally.runs} judged runs"


def _why(tally: Tally) -> str:
    """The most frequent reason for which runs prove nothing."""
    if not tally.reasons:
        return ""
    reason, count = min(tally.reasons.items(), key=lambda item: (-item[1], item[0]))
    return f" ({count} runs prove nothing: {reason})"


def _evidence(outcome: Outcome, tally: Tally) -> dict[str, Any]:
    told: dict[str, Any] = {"seeds": outcome.campaign.taken}
    if outcome.minimal is not None:
        told["replays"] = outcome.minimal.replays
    if outcome.campaign.findings:
        told["findings"] = dict(sorted(outcome.campaign.findings.items())[:5])
    if tally.reasons:
        told["unproven"] = dict(sorted(tally.reasons.items())[:5])
    return told


def _failure(outcome: Outcome) -> Mapping[str, Any]:
    """What is told about the failure, or about the run that shows a *sometimes*."""
    if outcome.failed is None:
        return {}
    kind, number = outcome.failed
    minimal = outcome.minimal
    if minimal is None:
        return {"anomaly": kind, "seed": None if outcome.kept else number}
    told: dict[str, Any] = {
        "anomaly": kind,
        "story": minimal.story,
        "seed": minimal.seed,
        "plan_operations": minimal.operations,
        "plan_faults": minimal.faults,
        "digest": minimal.digest,
    }
    if minimal.folder is not None:
        plan = minimal.folder / "plan.json"
        told |= {
            "history": str(minimal.folder / "history.jsonl"),
            "plan": str(plan),
            "replay": shlex.join(["upheld", "replay", str(plan), *filter(None, [outcome.module])]),
        }
    return told


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
