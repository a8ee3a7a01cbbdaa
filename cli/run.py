"""`upheld run`: runs one system until something fails, or through all seeds, and shows failures made minimal."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from .face import Face
from .options import (
    MEMORY,
    STORE,
    EngineOption,
    FencesOption,
    JobsOption,
    MemoryOption,
    SchedulerOption,
    StoreOption,
    fences_named,
    reporting,
    seconds,
    workers,
)
from .status import Status, gravest, status_of


def run(
    face: Face,
    system: Annotated[str, typer.Argument(help="What to run; `upheld list systems` says what there is.")],
    *,
    variant: Annotated[str, typer.Option(help="Which way to build it.")] = "reference",
    mutant: Annotated[str | None, typer.Option(metavar="A+B", help="What to break in it.")] = None,
    workload: Annotated[str | None, typer.Option(help="The only workload; by default those of its claims.")] = None,
    faults: Annotated[str | None, typer.Option(help="A profile, or kinds of fault joined by commas.")] = None,
    nodes: Annotated[int | None, typer.Option(min=1, help="How many nodes; drawn by default.")] = None,
    claim: Annotated[list[str] | None, typer.Option(help="Judge only this claim; may be repeated.")] = None,
    runs: Annotated[int, typer.Option(min=1, help="Runs at most.")] = 1000,
    jobs: JobsOption = None,
    engine: EngineOption = "local",
    scheduler: SchedulerOption = None,
    memory: MemoryOption = MEMORY,
    keep_going: Annotated[bool, typer.Option("--keep-going", "-k", help="Judge every seed, whatever fails.")] = False,
    results: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="With --keep-going: what came of each seed; gone on with if it is there."),
    ] = None,
    shrink: Annotated[bool, typer.Option(help="With --keep-going: make the first of each failure minimal.")] = True,
    require_share: Annotated[
        float,
        typer.Option(
            min=0.0, max=1.0, metavar="0.8", help="With --keep-going: the share of runs that have to prove something."
        ),
    ] = 0.0,
    beyond_budget: Annotated[bool, typer.Option(help="Leave the fault budget that it declares.")] = False,
    budget: Annotated[str | None, typer.Option(metavar="2m", help="Stop early after this time.")] = None,
    fences: FencesOption = "strict",
    store: StoreOption = STORE,
) -> Status:
    """Run one system, judge it, make the first failure minimal, and print its story and the line that replays it.

    With --keep-going all runs are made. With --results, too, an interrupted campaign goes on where it stopped when the same
    command is given again, and the file is the same in the end, byte for byte.
    """
    from msgspec.structs import replace

    from ..claims import registry, verification
    from ..harness.store import Store
    from ..histories.errors import UsageError
    from ..reports.tables import claims_table, groups_table

    if not keep_going and (results or require_share or not shrink):
        raise UsageError("--results, --no-shrink and --require-share are for a campaign that goes on; add --keep-going")
    sweep = verification.Sweep(results=results, minimises=shrink, share_min=require_share) if keep_going else None
    mutants = mutant.split("+") if mutant else []
    docket = registry.docket([system])
    with face.progress(f"running {system}") as line:
        found = verification.run_system(
            system,
            docket=docket,
            variant=variant,
            mutants=mutants,
            workload=workload,
            faults=faults,
            nodes=nodes,
            beyond_budget=beyond_budget,
            claims=docket.select(claim) if claim else (),
            runs=runs,
            engine=workers(engine, jobs, scheduler, memory),
            seed=face.seed or 0,
            fences=fences_named(fences),
            store=Store(store),
            budget_s=seconds(budget, "--budget"),
            progress=reporting(line),
            sweep=sweep,
        )
    built = "+".join((variant, *mutants))
    rows = [replace(row, variant=built) for row in found.claims]
    face.show(lambda: claims_table([row for row in rows if row.verdict == "refuted"] or rows))
    face.show(lambda: groups_table(found.groups))
    face.tell({"claims": found.claims, "groups": found.groups})
    return gravest(status_of(row.verdict) for row in found.claims if row.required)
