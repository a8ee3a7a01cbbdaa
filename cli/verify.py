"""`upheld verify`: puts claims to the test, and prints the table."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Final

import typer

from .face import Face, one_of
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

if TYPE_CHECKING:
    from ..claims.results import ClaimResult

VARIANTS: Final = ("reference", "as-written", "as-meant", "as-stated")


def verify(
    face: Face,
    names: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[CLAIM | SYSTEM | CHAPTER | MODULE]...", help="What to verify; the whole guide by default."
        ),
    ] = None,
    *,
    variant: Annotated[str, typer.Option(help=f"Whom to test: {', '.join(VARIANTS)}, or all.")] = "all",
    runs: Annotated[int | None, typer.Option(min=1, help="Judged runs per claim; fixed numbers by default.")] = None,
    jobs: JobsOption = None,
    engine: EngineOption = "local",
    scheduler: SchedulerOption = None,
    memory: MemoryOption = MEMORY,
    budget: Annotated[str | None, typer.Option(metavar="2m", help="Stop early after this time.")] = None,
    fences: FencesOption = "strict",
    store: StoreOption = STORE,
) -> Status:
    """Put claims to the test, and print what came of it.

    The exit status concerns reference systems only: a refuted claim about the guide's code is a finding, not a failure.
    """
    from ..claims import registry, verification
    from ..harness.store import Store
    from ..reports.tables import claims_table

    one_of("--variant", variant, (*VARIANTS, "all"))
    docket = registry.docket(names or ())
    with face.progress("verifying") as line:
        results = verification.verify(
            docket.select(names or ()),
            docket=docket,
            variants=VARIANTS if variant == "all" else (variant,),
            runs=runs,
            engine=workers(engine, jobs, scheduler, memory),
            seed=face.seed or 0,
            fences=fences_named(fences),
            store=Store(store),
            budget_s=seconds(budget, "--budget"),
            progress=reporting(line),
        )
    face.show(lambda: claims_table(results))
    face.tell({"claims": results})
    return reference_status(results)


def reference_status(results: list[ClaimResult]) -> Status:
    """The gravest verdict of what references must have."""
    return gravest(status_of(row.verdict) for row in results if row.variant == "reference" and row.required)
