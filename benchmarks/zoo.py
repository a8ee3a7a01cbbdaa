"""How hard each planted fault is to find: seeds and processor seconds until a claim refutes the mutant.

    python benchmarks/zoo.py [--repeats 5] [--seeds-max 400] [SYSTEM ...]

Each repetition begins at a seed of its own. The seconds are processor time of making runs and judging them, without
shrinking; `relative` sets them against a run of the reference, so that they can be compared between machines. A mutant
that was not found in all repetitions says in how many.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections import Counter
from collections.abc import Iterator, Sequence

import msgspec
from rich.console import Console
from rich.table import Table

from upheld.claims.groups import RunGroup, run_groups
from upheld.claims.registry import Docket, docket
from upheld.harness.hearing import Hearing, Plans
from upheld.harness.system import kebab

BEGIN_EVERY = 100_000


class Search(msgspec.Struct, frozen=True):
    """One repetition: how many seeds it took (None: not found), processor seconds, and the claims that refuted."""

    seeds: int | None
    seconds: float
    claims: tuple[str, ...]


def groups_of(known: Docket, system: str, mutants: Sequence[str]) -> list[RunGroup]:
    """The run groups of the claims that one run can refute."""
    claims = [claim for claim in known.claims_of(system) if claim.kind != "sometimes"]
    return run_groups(claims, known, "reference", mutants=mutants)


def search(groups: Sequence[RunGroup], begin: int, seeds_max: int) -> Search:
    """Seeds from `begin` on until a claim refutes."""
    hearings = [Hearing(Plans(group), tuple(name for _, name in group.claims)) for group in groups]
    for hearing in hearings:
        hearing.plans.group.cases  # noqa: B018  # opened before the clock starts
    started = time.process_time()
    for seed in range(begin, begin + seeds_max):
        refuted = [
            claim for hearing in hearings for claim, judged in hearing(seed).judged.items() if judged.word == "refuted"
        ]
        if refuted:
            return Search(seed - begin + 1, time.process_time() - started, tuple(refuted))
    return Search(None, time.process_time() - started, ())


def run_costs(groups: Sequence[RunGroup]) -> float:
    """Processor seconds of a run of the reference with its judges, the median of ten."""
    hearings = [Hearing(Plans(group), tuple(name for _, name in group.claims)) for group in groups]
    costs = []
    for seed in range(10):
        started = time.process_time()
        for hearing in hearings:
            hearing(seed)
        costs.append(time.process_time() - started)
    return statistics.median(costs)


def rows(known: Docket, system: str, repeats: int, seeds_max: int) -> Iterator[tuple[str, ...]]:
    """A row for each mutant."""
    reference = run_costs(groups_of(known, system, ()))
    for mutant in known.system(system).variants["reference"].mutants:
        groups = groups_of(known, system, [kebab(mutant.__name__)])
        found = [search(groups, BEGIN_EVERY * (number + 1), seeds_max) for number in range(repeats)]
        hits = [each for each in found if each.seeds is not None]
        kills = Counter(claim for each in hits for claim in each.claims)
        seconds = statistics.median(each.seconds for each in found)
        seeds = statistics.median(each.seeds for each in hits if each.seeds is not None) if hits else None
        yield (
            system,
            kebab(mutant.__name__),
            f"{len(hits)}/{repeats}",
            "-" if seeds is None else f"{seeds:g}",
            f"{seconds:.2f}",
            f"{seconds / reference:.1f}",
            ", ".join(name for name, _ in kills.most_common()),
        )


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("systems", nargs="*")
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--seeds-max", type=int, default=400)
    options = parser.parse_args()
    known = docket()
    table = Table("system", "mutant", "found", "median seeds", "median CPU s", "relative", "refuted by")
    for system in options.systems or known.systems:
        for row in rows(known, system, options.repeats, options.seeds_max):
            table.add_row(*row)
    Console(width=160).print(table)


if __name__ == "__main__":
    main()
