"""The zoo: systems that are broken on purpose, and how hard it is for the claims to find each of them.

A mutant breaks one rule of a reference. Where another rule makes up for that, the mutant alone does no harm that anybody
could see: it names, in a class attribute `masked_by`, the classes that switch such rules off, and is looked for together
with them.

What is found is a function of the seeds; only processor times differ.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Any, Final, TypeAlias

import msgspec

from ..checkers.verdict import Refuted
from ..harness.engines import Engine, Job
from ..harness.hearing import Plans
from ..harness.store import Store
from ..harness.system import Variant, kebab
from .claim import Claim, Trials
from .groups import Minimal, Minimising, RunGroup, run_groups
from .inquiry import is_about
from .registry import Docket

STARTS: Final = tuple(100_000 * number for number in range(5))
"""Where a search begins: far apart, so that no two see the same seeds. The first is where `upheld run` begins, too."""

SEEDS_MAX: Final = 4_000
"""How many seeds a search may take."""

ALONE_MAX: Final = 200
"""How many seeds are spent on showing that a mutant with masks is not seen without them."""


class Mutation(msgspec.Struct, frozen=True):
    """A mutant of a reference, and what has to be switched off for its fault to be seen; by their names.

    Attributes:
        mutant: its name.
        masks: the names of its masks.
    """

    mutant: str
    masks: tuple[str, ...] = ()

    @property
    def names(self) -> tuple[str, ...]:
        """All of them, as `System.variant` takes them."""
        return (self.mutant, *self.masks)


def mutations(variant: Variant) -> Iterator[Mutation]:
    """Every mutant of a variant, with its masks."""
    for mutant in variant.mutants:
        masks: Sequence[type[Any]] = getattr(mutant, "masked_by", ())
        yield Mutation(kebab(mutant.__name__), tuple(kebab(mask.__name__) for mask in masks))


# --- searching


class Found(msgspec.Struct, frozen=True):
    """What a search came to.

    Attributes:
        tried: how many seeds it took.
        cpu_s: processor time of making their runs and judging them, in seconds.
        seed: the one that was refuted; None: none was.
        failures: the kind of anomaly by claim, in the order of claims.
        group: which of the groups the first of the claims belongs to.
    """

    tried: int
    cpu_s: float
    seed: int | None = None
    failures: dict[str, str] = {}
    group: int = 0


@dataclass(frozen=True)
class Search:
    """The work of going through seeds until a claim of these groups is refuted."""

    groups: tuple[RunGroup, ...]
    seeds_max: int = SEEDS_MAX

    def __call__(self, begin: int) -> Found:
        """What the seeds from `begin` on show."""
        opened = [group() for group in self.groups]
        started = time.process_time()
        for seed in range(begin, begin + self.seeds_max):
            failures: dict[str, str] = {}
            first = 0
            for number, group in enumerate(opened):
                run = group.run(group.generate(seed))
                for case in group.cases:
                    verdict = group.judge(case, run)
                    if isinstance(verdict, Refuted):
                        first = first if failures else number
                        failures[case.claim] = verdict.anomaly.kind
            if failures:
                return Found(seed - begin + 1, time.process_time() - started, seed, failures, first)
        return Found(self.seeds_max, time.process_time() - started)

    def minimising(self, found: Found, store: Store | None = None) -> Minimising:
        """The work of making the first failure of the seed that was found minimal; call it with that seed."""
        claim, kind = next(iter(found.failures.items()))
        return Minimising(Plans(self.groups[found.group]), claim, kind, store)


def groups_of(known: Docket, system: str, mutants: Sequence[str]) -> tuple[RunGroup, ...]:
    """The run groups that are to find a mutant of a reference: of the claims that must refute it, or else of all that may."""
    claims = refutable(known, system, "reference")
    killed = [claim for claim in claims if set(claim.killers) & set(mutants)]
    return tuple(run_groups(killed or claims, known, "reference", mutants=mutants))


def refutable(known: Docket, system: str, variant: str) -> list[Claim]:
    """The claims about a variant that one run can refute."""
    return [
        claim
        for claim in known.claims_of(system)
        if claim.kind != "sometimes" and isinstance(claim.by, Trials) and is_about(claim, variant, known)
    ]


# --- how hard each mutant is to find


class Calibration(msgspec.Struct, frozen=True, kw_only=True):
    """How hard a mutant is to find.

    Attributes:
        system: whose.
        mutation: what was switched off.
        found, searches: in how many of them it was found.
        seeds: how many it took, the median of the searches that found it; None: none did.
        cpu_s: the same of processor seconds, over all searches.
        claims: those that refuted it, most often first.
        operations, faults: the size of the minimal plan of the first search that found it; None: none did.
        alone: of a mutant with masks: what came of the searches without them.
    """

    system: str
    mutation: Mutation
    found: int
    searches: int
    seeds: float | None
    cpu_s: float
    claims: tuple[str, ...]
    operations: int | None = None
    faults: int | None = None
    alone: tuple[Found, ...] = ()


Report: TypeAlias = Callable[[str], None]
"""Told what has been done."""


def calibrate(
    known: Docket,
    systems: Sequence[str],
    *,
    engine: Engine,
    starts: Sequence[int] = STARTS,
    seeds_max: int = SEEDS_MAX,
    report: Report = lambda _: None,
) -> list[Calibration]:
    """Search for each mutant of the references of these systems, from each of these starts.

    Args:
        known: where systems and claims are found.
        systems: their names.
        engine: does the work.
        starts: the first seeds of the searches.
        seeds_max: how many seeds a search may take.
        report: is told what has been done.

    Raises:
        RuntimeError: a search killed its worker, or hung.
    """
    bred = [(system, each) for system in systems for each in mutations(known.system(system).variants["reference"])]
    searches = {
        _key(system, names): Search(groups_of(known, system, names), most)
        for system, mutation in bred
        for names, most in ((mutation.names[:1], min(seeds_max, ALONE_MAX)), (mutation.names, seeds_max))
    }
    told = work_off(engine, [Job(key, search, starts) for key, search in searches.items()], report)
    found = {key: tuple(by_start[start] for start in starts) for key, by_start in told.items()}
    jobs = []
    for system, mutation in bred:
        key = _key(system, mutation.names)
        first = next((each for each in found[key] if each.seed is not None), None)
        if first is not None and first.seed is not None:
            jobs.append(Job(key, searches[key].minimising(first), (first.seed,)))
    minimal = {key: by_seed.popitem()[1] for key, by_seed in work_off(engine, jobs, report).items()}
    return [
        _calibration(system, mutation, found, minimal.get(_key(system, mutation.names))) for system, mutation in bred
    ]


def work_off(
    engine: Engine, jobs: Sequence[Job], report: Report, take: Callable[[str, Any], None] = lambda _key, _result: None
) -> dict[str, dict[int, Any]]:
    """The results of jobs, by key and seed; `take` gets each with its key as it comes.

    Raises:
        RuntimeError: one killed its worker, or hung.
    """
    results: dict[str, dict[int, Any]] = {}
    for job in jobs:
        engine.submit(job)
    for done in engine.completed():
        if done.lost:
            raise RuntimeError(f"{done.key}, from seed {done.seed} on: {done.lost}")
        results.setdefault(done.key, {})[done.seed] = done.result
        take(done.key, done.result)
        report(done.key)
    return results


def _key(system: str, names: Sequence[str]) -> str:
    return f"{system} {'+'.join(names)}"


def _calibration(
    system: str, mutation: Mutation, found: dict[str, tuple[Found, ...]], minimal: Minimal | None
) -> Calibration:
    mine = found[_key(system, mutation.names)]
    hits = [each for each in mine if each.seed is not None]
    kills = Counter(claim for each in hits for claim in each.failures)
    return Calibration(
        system=system,
        mutation=mutation,
        found=len(hits),
        searches=len(mine),
        seeds=median(each.tried for each in hits) if hits else None,
        cpu_s=median(each.cpu_s for each in mine),
        claims=tuple(claim for claim, _ in kills.most_common()),
        operations=minimal.operations if minimal else None,
        faults=minimal.faults if minimal else None,
        alone=found[_key(system, (mutation.mutant,))] if mutation.masks else (),
    )
