"""A run group over many seeds: each run is made once, and every claim of the group judges it where it was made.

A worker answers with words and counts only; a history is made again when somebody wants to see it. Results are taken in
the order of the seeds, so that the lowest failing seed of a claim does not depend on how many workers there were.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import TypeAlias

import msgspec
from msgspec.structs import replace

from ..checkers.verdict import Judge, Refuted, Undecided, Verdict, word
from ..histories.evidence import Evidence
from .engines import Done
from .faults import kinds_of
from .plan import Fences, Plan
from .simplify import Failure
from .system import System
from .trial import Run

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
        system, variant, mutants, workload, profile: what is run.
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
    fences: Fences = "strict"
    cases: tuple[Case, ...]
    generate: Callable[[int], Plan]
    run: Execute

    @property
    def kinds(self) -> tuple[str, ...]:
        """The kinds of fault that plans of this group may have."""
        return tuple(kind for kind in kinds_of(self.profile) if kind in self.system.budget.faults)

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


class Judged(msgspec.Struct, frozen=True):
    """What a judge said about one run.

    Attributes:
        word: `upheld`, `refuted` or `undecided`.
        kind: of the anomaly.
        reason: why it is undecided.
        operations: how many operations the history of the run holds.
        at_risk: how often the claim was at risk.
    """

    word: str
    kind: str = ""
    reason: str = ""
    operations: int = 0
    at_risk: int = 1


class Heard(msgspec.Struct, frozen=True, kw_only=True):
    """What came of one run.

    Attributes:
        seed: the seed of its plan, or the place of the plan in the corpus.
        judged: by claim.
        fired: by kind of fault.
        lacking: why the run proves nothing; "" when it may.
        digest: of the run.
        findings: exceptions in handlers.
    """

    seed: int
    judged: dict[str, Judged] = {}
    fired: dict[str, int] = {}
    lacking: str = ""
    digest: str = ""
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
            seed=seed,
            judged={case.claim: _judged(group, case, run) for case in group.cases if case.claim in self.claims},
            fired=dict(run.fired),
            lacking=group.lacking(run),
            digest=run.digest,
            findings=run.findings,
        )


def _judged(group: Group, case: Case, run: Run) -> Judged:
    at_risk = 1 if case.antecedent is None else case.antecedent(run.evidence)
    verdict = group.judge(case, run)
    return Judged(
        word=word(verdict),
        kind=verdict.anomaly.kind if isinstance(verdict, Refuted) else "",
        reason=verdict.reason if isinstance(verdict, Undecided) else "",
        operations=len(run.evidence.history.operations),
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
            return Failure(run, _shown_at(verdict, run))
        return None

    return reproduce


def _shown_at(verdict: Refuted, run: Run) -> int:
    """When all that the anomaly shows had happened."""
    times = [note.time for note in verdict.anomaly.facts]
    times += [at for op in verdict.anomaly.operations for at in (op.invoked_ns, op.completed_ns) if at is not None]
    return max(times, default=run.ended_ns)


@dataclass
class Tally:
    """What came of the runs of one claim.

    Attributes:
        runs: judged upheld, with the claim at risk and enough operations under faults; refuted ones, too.
        undecided, vacuous: runs that prove nothing.
        at_risk, operations: sums over `runs`.
        failures: by kind of anomaly, the lowest seed.
        reasons: why runs were undecided or vacuous, with how often.
    """

    runs: int = 0
    undecided: int = 0
    vacuous: int = 0
    at_risk: int = 0
    operations: int = 0
    failures: dict[str, int] = field(default_factory=dict)
    reasons: Counter[str] = field(default_factory=Counter)

    def add(self, seed: int, judged: Judged, lacking: str) -> None:
        """Count one run; a refutation counts whatever the run lacks."""
        if judged.word == "undecided":
            self.undecided += 1
            self.reasons[judged.reason] += 1
        elif judged.word == "upheld" and (lacking or not judged.at_risk):
            self.vacuous += 1
            self.reasons[lacking or "the claim was never at risk"] += 1
        else:
            self.runs += 1
            self.at_risk += judged.at_risk
            self.operations += judged.operations
        if judged.word == "refuted":
            self.failures.setdefault(judged.kind, seed)


class Campaign:
    """Takes the results of one group in the order of its seeds.

    A claim is closed at its first failure. The campaign is over when its claims are closed or have the runs they need,
    and every kind of fault has fired; whatever arrives later is left aside, so that results do not depend on the engine.

    Attributes:
        seeds: all that it may need.
        needed: how many judged runs content a claim.
        tallies: by claim.
        fired: by kind of fault.
        taken: how many results were taken.
        first_digest: of the first seed's run.
        is_over: nothing more will be taken.
    """

    def __init__(
        self, claims: Mapping[str, bool], seeds: Sequence[int], *, needed: int, kinds: Sequence[str] = ()
    ) -> None:
        """`claims` says whether a claim is content with `needed` runs; otherwise only a failure or the last seed ends it."""
        self.seeds, self.taken, self.first_digest, self.is_over = seeds, 0, "", not claims
        self.tallies = {claim: Tally() for claim in claims}
        self.fired: Counter[str] = Counter()
        self.findings: Counter[str] = Counter()
        self.needed = needed
        self._content, self._kinds = claims, tuple(kinds)
        self._early: dict[int, Heard] = {}

    @property
    def open_claims(self) -> tuple[str, ...]:
        """The claims that have no failure yet."""
        return tuple(claim for claim, tally in self.tallies.items() if not tally.failures)

    @property
    def quiet_kinds(self) -> tuple[str, ...]:
        """The kinds of fault that have not fired."""
        return tuple(kind for kind in self._kinds if not self.fired[kind])

    def take(self, done: Done) -> Iterator[tuple[str, str, int]]:
        """Take a result, and those that waited for it; yields the first failure of each claim: claim, kind, seed."""
        heard = done.result if not done.lost else _lost(done, self.tallies)
        self._early[done.seed] = heard
        while not self.is_over and (due := self._early.pop(self.seeds[self.taken], None)) is not None:
            self.taken += 1
            yield from self._count(due)
            self.is_over = self.taken == len(self.seeds) or self._is_content()

    def _count(self, heard: Heard) -> Iterator[tuple[str, str, int]]:
        self.first_digest = self.first_digest or heard.digest
        self.fired.update(heard.fired)
        self.findings.update(heard.findings)
        for claim in self.open_claims:
            judged = heard.judged[claim]
            self.tallies[claim].add(heard.seed, judged, heard.lacking)
            if judged.word == "refuted":
                yield claim, judged.kind, heard.seed

    def _is_content(self) -> bool:
        def is_content(claim: str) -> bool:
            return self._content[claim] and self.tallies[claim].runs >= self.needed

        is_quiet = bool(self.open_claims and self.quiet_kinds)
        return not is_quiet and all(is_content(claim) for claim in self.open_claims)


def _lost(done: Done, claims: Mapping[str, Tally]) -> Heard:
    return Heard(seed=done.seed, judged={claim: Judged("undecided", reason=done.lost) for claim in claims})
