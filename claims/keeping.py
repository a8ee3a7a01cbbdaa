"""The corpus of minimal failures: which there should be, and how they are found, made minimal and written.

Of each mutant of a reference one failure is kept, the first that seeds show; of each other variant, one for each of its
claims. A failure is two files: the plan, and the history of its run.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import msgspec
from msgspec.structs import replace

from ..harness.engines import Engine, Job
from ..harness.plan import Plan, read_plan, write_plan
from ..harness.store import Store, write_atomically
from ..harness.trial import Run, run_plan
from ..histories.codecs import jsonl
from ..histories.history import History
from .groups import run_groups
from .registry import Docket, load
from .zoo import SEEDS_MAX, STARTS, Report, Search, groups_of, mutations, refutable, work_off

OTHERS_MAX: Final = 200
"""How many seeds a claim may take that another variant refutes, or does not: nobody has said that it must."""


class Files(msgspec.Struct, frozen=True):
    """The two files of a failure, as bytes."""

    plan: bytes
    history: bytes


@dataclass(frozen=True)
class Keeping:
    """The work of finding a failure and making it minimal."""

    search: Search

    def __call__(self, begin: int) -> Files | None:
        """The files of the first failure from that seed on; None: there is none."""
        found = self.search(begin)
        if found.seed is None:
            return None
        group = self.search.groups[found.group]
        with tempfile.TemporaryDirectory() as folder:
            kept = self.search.minimising(found, Store(Path(folder)))(found.seed)
            assert kept.folder is not None, "a store keeps what it is given"
            plan = read_plan(kept.folder / "plan.json")
        system = load(group.origin).system
        assert system is not None, f"{group.origin} exported a system when it was loaded first"
        return Files(write_plan(plan), history_of(run_plan(plan, system), found.seed))


def history_of(run: Run, seed: int) -> bytes:
    """The history of a minimal failure, with a header that says where it came from."""
    history = run.evidence.history
    header = replace(history.header, note=_origin(run.plan, seed))
    return b"".join(jsonl.write(History(history.columns, header=header)))


def _origin(plan: Plan, seed: int) -> str:
    built = "+".join((plan.variant, *plan.mutants))
    ((claim, kind),) = plan.expect.anomaly.items()
    return f"the minimal failure of {claim} in {plan.system} {built} ({kind}), first shown by the plan of seed {seed}"


def expected(known: Docket, system: str, seeds_max: int = SEEDS_MAX) -> Iterator[tuple[str, Search]]:
    """What should be kept of a system: the name of each failure, and the search that finds it."""
    for variant in known.system(system).variants:
        if variant == "reference":
            for mutation in mutations(known.system(system).variants[variant]):
                yield "+".join(mutation.names), Search(groups_of(known, system, mutation.names), seeds_max)
        else:
            for claim in refutable(known, system, variant):
                groups = tuple(run_groups([claim], known, variant))
                yield f"{variant}-{claim.id}", Search(groups, min(seeds_max, OTHERS_MAX))


def keep(
    known: Docket,
    systems: Sequence[str],
    corpus: Path,
    *,
    engine: Engine,
    seeds_max: int = SEEDS_MAX,
    report: Report = lambda _: None,
) -> tuple[list[Path], list[Path]]:
    """Find the failures of these systems, and write them over those that the corpus has; the same ones every time.

    Args:
        known: where systems and claims are found.
        systems: their names.
        corpus: the folder; the files go to `<system>/refuted/`.
        engine: does the work.
        seeds_max: how many seeds a failure may take.
        report: is told what has been done.

    Returns:
        The plans that were written; and those that were in the corpus and were not found again, which are left there.

    Raises:
        RuntimeError: a search killed its worker, or hung.
    """
    jobs, paths = [], {}
    for system in systems:
        for name, search in expected(known, system, seeds_max):
            key = f"{system} {name}"
            paths[key] = corpus / system / "refuted" / f"{name}.plan.json"
            jobs.append(Job(key, Keeping(search), STARTS[:1]))
    found = set()

    def write(key: str, files: Files | None) -> None:
        if files is not None:
            paths[key].parent.mkdir(parents=True, exist_ok=True)
            write_atomically(paths[key], files.plan)
            write_atomically(history_beside(paths[key]), files.history)
            found.add(key)

    work_off(engine, jobs, report, write)
    written = [path for key, path in paths.items() if key in found]
    before = {path for system in systems for path in (corpus / system).rglob("*.plan.json")}
    return written, sorted(before - set(written))


def history_beside(plan: Path) -> Path:
    """Where the history of a kept plan is."""
    return plan.with_name(plan.name.removesuffix(".plan.json") + ".jsonl")
