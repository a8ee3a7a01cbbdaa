"""`upheld run`: runs one system until something fails, and shows the first failure made minimal."""

from __future__ import annotations

from typing import Annotated

import typer

from .face import Face
from .options import STORE, EngineOption, FencesOption, JobsOption, StoreOption, fences_named, processes, reporting, seconds
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
    beyond_budget: Annotated[bool, typer.Option(help="Leave the fault budget that it declares.")] = False,
    budget: Annotated[str | None, typer.Option(metavar="2m", help="Stop early after this time.")] = None,
    fences: FencesOption = "strict",
    store: StoreOption = STORE,
) -> Status:
    """Run one system, judge it, make the first failure minimal, and print its story and the line that replays it."""
    from msgspec.structs import replace

    from ..claims import registry, verification
    from ..harness.store import Store
    from ..reports.tables import claims_table

    mutants = mutant.split("+") if mutant else []
    docket = registry.docket([system])
    with face.progress(f"running {system}") as line:
        results = verification.run_system(
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
            jobs=processes(jobs),
            engine=engine,
            seed=face.seed or 0,
            fences=fences_named(fences),
            store=Store(store),
            budget_s=seconds(budget, "--budget"),
            progress=reporting(line),
        )
    built = "+".join((variant, *mutants))
    rows = [replace(row, variant=built) for row in results]
    face.show(lambda: claims_table([row for row in rows if row.verdict == "refuted"] or rows))
    face.tell({"claims": results})
    return gravest(status_of(row.verdict) for row in results if row.required)
