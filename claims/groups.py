"""Run groups by name, and what workers do with them: everything here is small, picklable, and opened where it is used."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, TypeAlias

import msgspec

from ..checkers.verdict import Refuted, Verdict, describe
from ..harness.determinism import check_determinism
from ..harness.hearing import Case, Group, Plans, reproduction
from ..harness.plan import Expectation, Fences, Plan
from ..harness.shrink import shrink
from ..harness.store import Store
from ..harness.swarm import generate_plan
from ..harness.system import System
from ..harness.trial import Run, run_plan
from ..histories.errors import NondeterministicRun
from .claim import Claim, Examination, Trials
from .registry import Docket, load

_Place: TypeAlias = tuple[str, str, str, tuple[tuple[str, Any], ...]]
"""System, workload, faults and settings: claims that have them in common share their runs."""


@dataclass(frozen=True, kw_only=True)
class RunGroup:
    """What the claims of one group have in common; calling it opens the group.

    Attributes:
        system: its name; `origin`: the module that puts it on trial.
        variant, mutants, workload, profile, nodes, beyond_budget, fences, settings: how its runs are made.
        claims: the claims' origins and ids.
        store: where histories in progress are written; None writes none.
    """

    system: str
    origin: str
    variant: str
    mutants: tuple[str, ...] = ()
    workload: str
    profile: str
    nodes: int | None = None
    beyond_budget: bool = False
    fences: Fences = "strict"
    settings: tuple[tuple[str, Any], ...] = ()
    claims: tuple[tuple[str, str], ...]
    store: Path | None = None

    @property
    def name(self) -> str:
        """For people, and for the keys of jobs."""
        built = "+".join((self.variant, *self.mutants))
        set_so = (f"{name}={value}" for name, value in self.settings)
        return " ".join((self.system, built, self.workload, self.profile, *set_so))

    def __call__(self) -> Group:
        """The group, opened in this process."""
        system = load(self.origin).system
        assert system is not None, f"{self.origin} exported a system when it was loaded first"
        return Group(
            system=system,
            variant=self.variant,
            mutants=self.mutants,
            workload=self.workload,
            profile=self.profile,
            beyond_budget=self.beyond_budget,
            fences=self.fences,
            cases=tuple(_case(origin, name) for origin, name in self.claims),
            generate=partial(self._generate, system),
            run=partial(self._run, system),
        )

    def _generate(self, system: System, seed: int) -> Plan:
        plan = generate_plan(
            system,
            variant=self.variant,
            mutants=self.mutants,
            workload=self.workload,
            profile=self.profile,
            seed=seed,
            nodes=self.nodes,
            beyond_budget=self.beyond_budget,
            settings=dict(self.settings),
        )
        return msgspec.structs.replace(plan, fences=self.fences)

    def _run(self, system: System, plan: Plan) -> Run:
        if self.store is None:
            return run_plan(plan, system)
        with Store(self.store).stream(plan) as history:
            return run_plan(plan, system, history=history)


def _case(origin: str, name: str) -> Case:
    claim = next(claim for claim in load(origin).claims if claim.id == name)
    assert isinstance(claim.by, Trials), f"{name} is put to the test by runs"
    return Case(claim=name, judge=claim.by.judge, antecedent=claim.antecedent, blames=claim.by.blames)


def run_groups(
    claims: Sequence[Claim],
    docket: Docket,
    variant: str,
    *,
    mutants: Sequence[str] = (),
    workload: str | None = None,
    faults: str | None = None,
    nodes: int | None = None,
    beyond_budget: bool = False,
    fences: Fences = "strict",
    store: Path | None = None,
) -> list[RunGroup]:
    """The groups that these claims form about one variant, in the order of their first claims."""
    members: dict[_Place, list[tuple[str, str]]] = {}
    for claim in claims:
        if isinstance(claim.by, Trials):
            settings = tuple(sorted(claim.by.settings.items()))
            place = (claim.by.system, workload or claim.by.workload, faults or claim.by.faults, settings)
            members.setdefault(place, []).append((docket.origin_of_claim(claim.id), claim.id))
    return [
        RunGroup(
            system=system,
            origin=docket.origin_of(system),
            variant=variant,
            mutants=tuple(mutants),
            workload=named,
            profile=profile,
            nodes=nodes,
            beyond_budget=beyond_budget,
            fences=fences,
            settings=settings,
            claims=tuple(found),
            store=store,
        )
        for (system, named, profile, settings), found in members.items()
    ]


class Minimal(msgspec.Struct, frozen=True, kw_only=True):
    """A failure made minimal.

    Attributes:
        kind, story: of its anomaly.
        seed: of the plan that it was found with.
        operations, faults: the size of its plan.
        replays: how many runs it took.
        digest: of its run.
        folder: where it is kept, if it is.
    """

    kind: str
    story: tuple[str, ...]
    seed: int
    operations: int
    faults: int
    replays: int
    digest: str
    folder: Path | None = None


@dataclass(frozen=True)
class Minimising:
    """The work of making one failure minimal, and keeping it."""

    plans: Plans
    claim: str
    kind: str
    store: Store | None

    def __call__(self, seed: int) -> Minimal:
        """The minimal failure that the plan of this seed leads to.

        Raises:
            NondeterministicRun: the plan does not fail again.
        """
        group, plan = self.plans.group, self.plans.plan(seed)
        case = next(case for case in group.cases if case.claim == self.claim)
        reproduce = reproduction(group, case, self.kind)
        failure = reproduce(plan)
        if failure is None:
            raise NondeterministicRun(plan.system, f"seed {plan.seed} refuted {self.claim} once, and then no more")
        shrunk = shrink(failure, reproduce)
        expect = Expectation(digest=shrunk.run.digest, anomaly={self.claim: self.kind})
        minimal = msgspec.structs.replace(shrunk.plan, claims=(self.claim,), expect=expect)
        run = run_plan(minimal, group.system, trace="full")
        verdict = group.judge(case, run)
        assert isinstance(verdict, Refuted), f"{self.claim}: the minimal plan is not refuted again"
        return Minimal(
            kind=self.kind,
            story=verdict.anomaly.story,
            seed=plan.seed,
            operations=minimal.size[0],
            faults=minimal.size[1],
            replays=shrunk.replays,
            digest=run.digest,
            folder=self._keep(run, verdict, plan.seed),
        )

    def _keep(self, run: Run, verdict: Verdict, seed: int) -> Path | None:
        """Keep it under the seed that it was found with, whichever its plan has now."""
        if self.store is None:
            return None
        built = "+".join((run.plan.variant, *run.plan.mutants))
        told = {"claim": self.claim, **describe(verdict)}
        return self.store.keep(f"{built}-{self.claim}-{seed}", run, [told])


@dataclass(frozen=True)
class Examining:
    """The work of an examination: a claim that needs no runs."""

    origin: str
    claim: str

    def __call__(self, _: int) -> Verdict:
        """Its verdict."""
        claim = next(claim for claim in load(self.origin).claims if claim.id == self.claim)
        assert isinstance(claim.by, Examination), f"{self.claim} is put to the test by looking at everything"
        return claim.by.examine()


@dataclass(frozen=True)
class Doublecheck:
    """The work of making sure that a group's runs are deterministic."""

    plans: Plans
    origin: str

    def __call__(self, seed: int) -> str:
        """Run the plan of that seed three times here, and once in a fresh process; answers the digest of all four.

        Raises:
            NondeterministicRun: the runs differ.
        """
        module = Path(self.origin).stem if self.origin.endswith(".py") else self.origin
        return check_determinism(self.plans.plan(seed), f"{module}:SYSTEM").digest
