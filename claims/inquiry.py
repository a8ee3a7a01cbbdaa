"""An inquiry into some claims: opens their run groups, runs kept failures and seeds, and draws up the rows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Final

from ..checkers.verdict import Verdict
from ..harness.campaign import Campaign
from ..harness.hearing import Plans
from ..harness.journal import Journal
from ..harness.plan import Plan, read_plan
from ..harness.store import Store
from ..histories.errors import UsageError
from .claim import Claim, Derived, Examination, Trials
from .groups import Doublecheck, Examining, Minimal, Minimising, RunGroup
from .outcomes import Outcome, result_of_group, result_of_runs, result_of_verdict, verdict_of
from .proceedings import Course, Proceedings
from .registry import Docket
from .results import ClaimResult, GroupResult

RUNS: Final[Mapping[tuple[str, str], int]] = {
    ("raft-kv", "reference"): 200,
    ("paxos", "reference"): 100,
    ("multipaxos", "reference"): 100,
    ("chat", "reference"): 60,
}
"""How many judged runs a claim needs, by system and variant."""
RUNS_OF_OTHERS: Final = 60
SEEDS_PER_RUN: Final = 4
"""How many seeds a claim may use up for each run that it needs, since some runs prove nothing."""

MINIMISED_MAX: Final = 5
"""How many failures a campaign that keeps going makes minimal: the first of each claim and kind of anomaly."""

CORPUS: Final = Path(__file__).parents[1] / "histories" / "corpus"
"""Plans of failures that were made minimal, by system: they are run and judged again before any seed."""


class Inquiry:
    """Claims on their way to a verdict."""

    def __init__(
        self,
        docket: Docket,
        proceedings: Proceedings,
        store: Store | None,
        *,
        runs: int | None,
        seed: int,
        share_min: float = 0.0,
    ) -> None:
        self._docket, self._proceedings, self._store, self._runs, self._seed = docket, proceedings, store, runs, seed
        self._share_min = share_min
        self._seeds_max: int | None = None
        self._courses: list[Course] = []
        self._verdicts: dict[str, Verdict] = {}
        self._minimal: dict[tuple[str, str], dict[str, Minimal]] = {}

    def examine(self, claims: Sequence[Claim]) -> None:
        """Look at everything there is, for the claims that are put to the test so."""
        for claim in claims:
            if isinstance(claim.by, Examination):
                work = Examining(self._docket.origin_of_claim(claim.id), claim.id)
                self._proceedings.also(f"examine {claim.id}", work, 0, partial(self._verdicts.__setitem__, claim.id))

    def verify(self, groups: Sequence[RunGroup]) -> None:
        """Run each group: the failures that were kept, then seeds until its claims have their verdicts."""
        for group in groups:
            self._doublecheck(group, {})
        corpus = {group.system: _corpus(group.system) for group in groups}
        kept = [
            self._exhausting(group, Plans(group, plans), range(len(plans)))
            for group in groups
            if (plans := tuple(plan for plan in corpus[group.system] if _concerns(plan, group)))
        ]
        self._proceedings.hold(kept, self._minimise)
        refuted = {(course.group.name, claim) for course in kept for claim in course.found}
        seeds = [
            self._sufficing(group, [name for _, name in group.claims if (group.name, name) not in refuted])
            for group in groups
        ]
        self._proceedings.hold(seeds, self._minimise)
        self._proceedings.round((), self._minimise)

    def run_until_first(self, groups: Sequence[RunGroup], runs: int) -> None:
        """Run that many seeds of each group, or until something fails; the failure with the lowest seed is made minimal."""
        self._seeds_max = runs
        for group in groups:
            self._doublecheck(group, {})
        courses = [self._exhausting(group, Plans(group), range(self._seed, self._seed + runs)) for group in groups]
        while not self._failures(courses) and any(not course.campaign.is_over for course in courses):
            self._proceedings.round(courses, lambda _course, _claim: None)
            if self._proceedings.is_cut_short:
                break
        for _, course, claim in self._failures(courses)[:1]:
            self._minimise(course, claim)
        self._proceedings.round((), self._minimise)

    def sweep(self, groups: Sequence[RunGroup], runs: int, journal: Journal | None, *, minimises: bool) -> None:
        """Run that many seeds of each group, whatever fails; then make the first of each kind of failure minimal.

        Raises:
            UsageError: the journal was begun by a system that ran differently.
        """
        self._seeds_max = runs
        seeds = range(self._seed, self._seed + runs)
        courses = [self._exhausting(group, Plans(group), seeds, keeps_going=True) for group in groups]
        digests: dict[str, str] = {}
        for group in groups:
            self._doublecheck(group, digests)
        self._proceedings.round((), self._minimise)
        if journal is not None:
            self._proceedings.resume(courses, journal)
            _check_first(courses, digests, journal)
        self._proceedings.sweep(courses, journal)
        found = [
            (seed, course, claim, kind)
            for course in courses
            for claim, tally in course.campaign.tallies.items()
            for kind, seed in tally.failures.items()
            if claim not in course.shown
        ]
        found.sort(key=lambda failure: failure[0])
        for _, course, claim, kind in found[:MINIMISED_MAX] if minimises else ():
            self._minimise_kind(course, claim, kind)
        self._proceedings.round((), self._minimise)

    def groups(self) -> list[GroupResult]:
        """What came of the runs of each campaign."""
        return [result_of_group(each.group, each.campaign, each.plans.group.kinds) for each in self._courses]

    def result(self, claim: Claim, variant: str) -> ClaimResult:
        """The row of a claim about a variant."""
        system = self._docket.system_of(claim)
        match claim.by:
            case Examination():
                return result_of_verdict(claim, system, variant, self._verdicts[claim.id])
            case Derived(claims=names, judge=judge):
                found = {name: verdict_of(self.result(self._docket.claim(name), variant)) for name in names}
                return result_of_verdict(claim, system, variant, judge(found))
        course = self._course_of(claim, variant)
        return result_of_runs(
            claim,
            system,
            variant,
            Outcome(
                campaign=course.campaign,
                kept=bool(course.plans.kept),
                minimal=self._minimal.get((course.group.name, claim.id), {}),
                needed=self._needed(course.group),
                share_min=self._share_min,
                is_cut_short=self._proceedings.is_cut_short,
                module=self._docket.named_by_user(system),
            ),
        )

    def _course_of(self, claim: Claim, variant: str) -> Course:
        """Where the claim failed, or else the last campaign that it was in: the one over seeds."""
        mine = [
            course
            for course in self._courses
            if course.group.variant == variant and claim.id in course.campaign.tallies
        ]
        return next((course for course in mine if claim.id in course.found), mine[-1])

    def _needed(self, group: RunGroup) -> int:
        """How many judged runs a claim needs: what was asked for, or our own number; of few seeds, not more than a part."""
        asked = self._runs or RUNS.get((group.system, group.variant), RUNS_OF_OTHERS)
        return asked if self._seeds_max is None else min(asked, -(-self._seeds_max // SEEDS_PER_RUN))

    def _sufficing(self, group: RunGroup, claims: Sequence[str]) -> Course:
        """A campaign over seeds, until these claims have all that they need."""
        needed = self._needed(group)
        seeds = range(self._seed, self._seed + needed * SEEDS_PER_RUN)
        content = {name: self._docket.claim(name).kind != "sometimes" for name in claims}
        return self._under_way(group, Plans(group), Campaign(content, seeds, needed=needed, kinds=group().kinds))

    def _exhausting(
        self, group: RunGroup, plans: Plans, numbers: Sequence[int], *, keeps_going: bool = False
    ) -> Course:
        """A campaign over all of these plans, whatever its claims need; if it keeps going, also whatever fails."""
        content = dict.fromkeys((name for _, name in group.claims), False)
        kinds = plans.group.kinds if keeps_going else ()
        campaign = Campaign(content, numbers, needed=len(numbers), kinds=kinds, keeps_going=keeps_going)
        return self._under_way(group, plans, campaign)

    def _under_way(self, group: RunGroup, plans: Plans, campaign: Campaign) -> Course:
        shown = frozenset(name for name in campaign.tallies if self._docket.claim(name).kind == "sometimes")
        course = Course(group, plans, campaign, shown)
        self._courses.append(course)
        return course

    def _doublecheck(self, group: RunGroup, digests: dict[str, str]) -> None:
        """Make sure that the first seed gives the same run every time, before anything rests on that; keep its digest."""
        key = f"the first seed of {group.name}, again and again"
        self._proceedings.also(
            key, Doublecheck(Plans(group), group.origin), self._seed, partial(digests.__setitem__, group.name)
        )

    def _minimise(self, course: Course, claim: str) -> None:
        self._minimise_kind(course, claim, course.found[claim][0])

    def _minimise_kind(self, course: Course, claim: str, kind: str) -> None:
        """Make the first failure of that kind minimal."""
        unwatched = Plans(replace(course.group, store=None), course.plans.kept)  # many runs, and only the last is kept
        work = Minimising(unwatched, claim, kind, self._store)
        minimal = self._minimal.setdefault((course.group.name, claim), {})
        key = f"making {kind} of {claim} of {course.group.name} minimal"
        number = course.campaign.tallies[claim].failures[kind]
        self._proceedings.also(key, work, number, partial(minimal.__setitem__, kind))

    def _failures(self, courses: Sequence[Course]) -> list[tuple[int, Course, str]]:
        """What failed, lowest seed first, then in the order of claims; a *sometimes* that was shown is no failure."""
        found = [
            (course.found[claim][1], course, claim)
            for course in courses
            for claim in course.campaign.tallies
            if claim in course.found and claim not in course.shown
        ]
        return sorted(found, key=lambda failure: failure[0])


def _check_first(courses: Sequence[Course], digests: Mapping[str, str], journal: Journal) -> None:
    """Whether the journal was begun by a system that runs as this one does."""
    for course in courses:
        if course.campaign.first_digest not in {"", digests[course.group.name]}:
            raise UsageError(
                f"{journal.path}: was begun by another system: the first run of {course.group.name} is not what it was. "
                "Name another file, or remove this one"
            )


def _corpus(system: str) -> tuple[Plan, ...]:
    """The plans that were kept of failures of this system, by name."""
    return tuple(read_plan(path) for path in sorted((CORPUS / system).rglob("*.plan.json")))


def _concerns(plan: Plan, group: RunGroup) -> bool:
    """Whether a kept plan is run again for a group: its own variant's, and for the reference those of all variants.

    A plan that was made minimal for a mutant may end before a sound system has recovered: it belongs to the mutant alone.
    """
    return not plan.mutants and group.variant in {"reference", plan.variant}


def with_premises(claims: Sequence[Claim], docket: Docket) -> list[Claim]:
    """These claims, and those that they are derived from."""
    found: dict[str, Claim] = {}
    for claim in claims:
        if isinstance(claim.by, Derived):
            found |= {each.id: each for each in with_premises([docket.claim(name) for name in claim.by.claims], docket)}
        found[claim.id] = claim
    return list(found.values())


def is_about(claim: Claim, variant: str, docket: Docket) -> bool:
    """Whether the claim says something about that variant, and its system has it."""
    if variant not in claim.variants:
        return False
    return not isinstance(claim.by, Trials) or variant in docket.system(claim.by.system).variants
