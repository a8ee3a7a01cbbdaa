"""How hard each planted fault is to find: seeds and processor seconds until a claim refutes the mutant.

    python benchmarks/zoo.py [--jobs 2] [--seeds-max 400] [SYSTEM ...]
    python benchmarks/zoo.py --keep [SYSTEM ...]

Five searches for each mutant begin at seeds far apart. The seconds are processor time of making runs and judging them,
without shrinking; the last lines give medians over all mutants, and the worst of them. The exit status is 1 if a mutant
was not found in all of its searches.

With `--keep`, the corpus is written instead: the minimal failure of each mutant, and those of each variant that is not
the reference. The same code writes the same bytes.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator, Sequence
from statistics import median
from typing import Final

from rich.console import Console
from rich.table import Table

from upheld.claims.inquiry import CORPUS
from upheld.claims.keeping import keep
from upheld.claims.registry import Docket, docket
from upheld.claims.zoo import SEEDS_MAX, Calibration, calibrate
from upheld.harness.engines import Engine, Local
from upheld.histories.errors import UsageError
from upheld.reports.words import counted

HANG_S: Final = 3_600.0
"""A search takes minutes, where its mutant is hard to find."""

HEADINGS: Final = ("system", "mutant", "found", "seeds", "CPU s", "minimal", "refuted by")


def report(done: str) -> None:
    """Say on standard error what has been done."""
    print(done, file=sys.stderr)


def row(found: Calibration) -> tuple[str, ...]:
    """A line of the table."""
    told = ", ".join(found.claims)
    if found.alone:
        tried = sum(each.tried for each in found.alone)
        hits = sum(each.seed is not None for each in found.alone)
        alone = f"found in {hits} of {len(found.alone)}" if hits else f"not found in {tried:,} seeds"
        told = "; ".join(filter(None, (told, f"{found.mutation.mutant} alone: {alone}")))
    return (
        found.system,
        "+".join(found.mutation.names),
        f"{found.found} of {found.searches}",
        "-" if found.seeds is None else f"{found.seeds:g}",
        f"{found.cpu_s:.2f}",
        "-" if found.operations is None else size(found.operations, found.faults or 0),
        told,
    )


def size(operations: int, faults: int) -> str:
    """Of a plan."""
    return f"{counted(operations, 'operation')}, {counted(faults, 'fault')}"


def summary(found: Sequence[Calibration]) -> Iterator[str]:
    """Medians over all mutants, and the worst of them."""
    hits = [each for each in found if each.seeds is not None and each.operations is not None]
    missed = [f"{each.system} {'+'.join(each.mutation.names)}" for each in found if each.found < each.searches]
    yield f"{len(found) - len(missed)} of {len(found)} mutants found in every search" + (
        f"; not: {', '.join(missed)}" if missed else ""
    )
    if hits:
        hardest = max(hits, key=lambda each: (each.seeds or 0, each.cpu_s))
        yield (
            f"median: seeds {median(each.seeds or 0 for each in hits):g}, "
            f"CPU s {median(each.cpu_s for each in found):.2f}, "
            f"operations {median(each.operations or 0 for each in hits):g}, "
            f"faults {median(each.faults or 0 for each in hits):g}"
        )
        yield (
            f"worst: {hardest.system} {'+'.join(hardest.mutation.names)}, "
            f"seeds {hardest.seeds:g}, CPU s {hardest.cpu_s:.2f}"
        )


def show(found: Sequence[Calibration]) -> None:
    """Print the table, and what it comes to."""
    table = Table(*HEADINGS)
    for each in found:
        table.add_row(*row(each))
    console = Console(width=180)
    console.print(table)
    for line in summary(found):
        console.print(line, highlight=False, soft_wrap=True)


def keep_all(known: Docket, systems: Sequence[str], engine: Engine, seeds_max: int) -> int:
    """Write the corpus, and say what is in it that was not found again."""
    written, left = keep(known, systems, CORPUS, engine=engine, seeds_max=seeds_max, report=report)
    for path in written:
        print(f"written: {path.relative_to(CORPUS)}")
    for path in left:
        print(f"not found again: {path.relative_to(CORPUS)}")
    return 1 if left else 0


def main() -> int:
    """Do what the command line says; answers the exit status."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "systems", nargs="*", metavar="SYSTEM", help="a system, or a module that has one; all by default"
    )
    parser.add_argument("--jobs", type=int, default=2, help="processes")
    parser.add_argument("--seeds-max", type=int, default=SEEDS_MAX, help="seeds that one search may take")
    parser.add_argument("--keep", action="store_true", help="write the corpus of minimal failures")
    options = parser.parse_args()
    try:
        known = docket(options.systems)
        systems = [known.system(name).name for name in options.systems] or list(known.systems)
    except UsageError as error:
        parser.error(str(error))
    engine = Local(options.jobs, hang_s=HANG_S)
    try:
        if options.keep:
            return keep_all(known, systems, engine, options.seeds_max)
        found = calibrate(known, systems, engine=engine, seeds_max=options.seeds_max, report=report)
    finally:
        engine.cancel()
    show(found)
    return int(any(each.found < each.searches for each in found))


if __name__ == "__main__":
    sys.exit(main())
