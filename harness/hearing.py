"""One run of a group of claims: it is made once, and every claim of the group judges it where it was made.

A worker answers with words and counts only; a history is made again when somebody wants to see it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property, partial
from typing import TypeAlias

import msgspec
from msgspec.structs import replace

from ..checkers.verdict import Judge, Refuted, Undecided, Verdict, word
from ..histories.evidence import Evidence
from .plan import Fences, Plan
from .simplify import Failure
from .swarm import kinds_within
from .system import System
from .trial import Run, run_plan

Execute: TypeAlias = Callable[[Plan], Run]


@dataclass(frozen=True, kw_only=True)
class Case:
    """One claim, as far as runs are concerned.

    Attributes:
        claim: its id.
        judge: decides from the evidence of one run.
        antecedent: how often the claim was at risk in a run; None: it always is.
        blames: kinds of fault without which the same plan must not be refuted.
    """

    claim: str
    judge: Judge
    antecedent: Callable[[Evidence], int] | None = None
    blames: frozenset[str] = frozenset()


@dataclass(frozen=True, kw_only=True)
class Group:
    """Claims that share their runs.

    Attributes:
        system, variant, mutants, workload, profile, beyond_budget: what is run, and under which faults.
        fences: how its plans answer what nodes must not ask (`harness.fences`).
        cases: what is judged.
        generate: makes the plan of a seed.
        run: runs a plan.
    """

    system: System
    variant: str
    mutants: tuple[str, ...] = ()
    workload: str
    profile: str
    beyond_budget: bool = False
    fences: Fences = "strict"
    cases: tuple[Case, ...]
    generate: Callable[[int], Plan]
    run: Execute

    @property
    def kinds(self) -> tuple[str, ...]:
        """The kinds of fault that plans of this group may have."""
        built = self.system.variant(self.variant)
        return kinds_within(self.system.budget, built, self.profile, beyond_budget=self.beyond_budget)

    def adopt(self, plan: Plan) -> Plan:
        """A plan that was made for another variant of the system, or for its mutants, as one for this group."""
        return replace(plan, variant=self.variant, mutants=self.mutants, fences=self.fences, claims=())

    def lacking(self, run: Run) -> str:
        """Which operations completed too rarely while faults acted, so that the run proves nothing; "" when none."""
        minimum = self.system.variant(self.variant).workloads[self.workload].minimum
        few = [f"{run.busy.get(action, 0)} of {least} {action}" for action, least in sorted(minimum.items())
               if run.busy.get(action, 0) < least]  # fmt: skip
        return f"only {', '.join(few)} completed while faults acted" if few else ""

    def judge(self, case: Case, run: Run) -> Verdict:
        """The verdict; a refutation that the blamed faults are not needed for is none."""
        verdict = case.judge(run.evidence)
        if isinstance(verdict, Refuted) and case.blames:
            spared = self.run(without(run.plan, case.blames))
            if isinstance(case.judge(spared.evidence), Refuted):
                names = ", ".join(sorted(case.blames))
                return Undecided(reason=f"the same plan shows it without {names}, too", checker=verdict.checker)
        return verdict


Opener: TypeAlias = Callable[[], Group]
"""Makes a group where it is needed; picklable, as a group is not."""


class Judged(msgspec.Struct, frozen=True, omit_defaults=True):
    """What a judge said about one run.

    Attributes:
        word: `upheld`, `refuted` or `undecided`; as JSON it is called `verdict`.
        kind: of the anomaly.
        reason: why it is undecided.
        at_risk: how often the claim was at risk.
    """

    word: str = msgspec.field(name="verdict")
    kind: str = ""
    reason: str = ""
    at_risk: int = 1


class Heard(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What came of one run.

    Attributes:
        digest: of the run.
        operations: how many operations its history holds.
        judged: by claim.
        fired: by kind of fault.
        lacking: why the run proves nothing; "" when it may.
        findings: exceptions in handlers.
    """

    digest: str = ""
    operations: int = 0
    judged: dict[str, Judged] = {}
    fired: dict[str, int] = {}
    lacking: str = ""
    findings: tuple[str, ...] = ()


@dataclass(frozen=True)
class Plans:
    """Where the plans of a campaign come from: seeds, or a list of plans that were kept."""

    opener: Opener
    kept: tuple[Plan, ...] = ()

    @cached_property
    def group(self) -> Group:
        """The group, opened."""
        return self.opener()

    def plan(self, number: int) -> Plan:
        """The plan of that seed, or at that place of the list."""
        return self.group.adopt(self.kept[number]) if self.kept else self.group.generate(number)

    def __reduce__(self) -> tuple[type[Plans], tuple[Opener, tuple[Plan, ...]]]:
        return (Plans, (self.opener, self.kept))


@dataclass(frozen=True)
class Hearing:
    """The work of a campaign: makes the run of a seed and lets these claims judge it."""

    plans: Plans
    claims: tuple[str, ...]

    def __call__(self, seed: int) -> Heard:
        """What came of that seed."""
        group = self.plans.group
        run = group.run(self.plans.plan(seed))
        return Heard(
            digest=run.digest,
            operations=len(run.evidence.history.operations),
            judged={case.claim: _judged(group, case, run) for case in group.cases if case.claim in self.claims},
            fired=dict(run.fired),
            lacking=group.lacking(run),
            findings=run.findings,
        )


@dataclass(frozen=True)
class Hearings:
    """The work of a campaign over several groups at once."""

    hearings: tuple[Hearing, ...]

    def __call__(self, seed: int) -> tuple[Heard, ...]:
        """What came of that seed, group by group."""
        return tuple(hearing(seed) for hearing in self.hearings)


def _judged(group: Group, case: Case, run: Run) -> Judged:
    at_risk = 1 if case.antecedent is None else case.antecedent(run.evidence)
    verdict = group.judge(case, run)
    return Judged(
        word=word(verdict),
        kind=verdict.anomaly.kind if isinstance(verdict, Refuted) else "",
        reason=verdict.reason if isinstance(verdict, Undecided) else "",
        at_risk=at_risk,
    )


def without(plan: Plan, kinds: frozenset[str]) -> Plan:
    """The plan without these kinds of fault, also where a link has them all along."""
    parts = {part: 0.0 for part, kind in (("loss", "loss"), ("duplicate", "duplication")) if kind in kinds}
    return replace(
        plan,
        faults=tuple(fault for fault in plan.faults if fault.fault not in kinds),
        links={name: replace(link, **parts) for name, link in plan.links.items()},
    )


def reproduction(group: Group, case: Case, kind: str) -> Callable[[Plan], Failure | None]:
    """Runs a plan, and answers the failure when this case is refuted by the same kind of anomaly."""

    def reproduce(plan: Plan) -> Failure | None:
        run = group.run(plan)
        verdict = group.judge(case, run)
        if isinstance(verdict, Refuted) and verdict.anomaly.kind == kind:
            return Failure(run, _shown_at(verdict, run), retrace=partial(run_plan, plan, group.system, trace="full"))
        return None

    return reproduce


def _shown_at(verdict: Refuted, run: Run) -> int:
    """When all that the anomaly shows had happened."""
    times = [note.time for note in verdict.anomaly.facts]
    times += [at for op in verdict.anomaly.operations for at in (op.invoked_ns, op.completed_ns) if at is not None]
    return max(times, default=run.ended_ns)
