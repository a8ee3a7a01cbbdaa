"""`upheld replay`: runs a plan again, judges it, and shows what happened."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from .face import Face, complain
from .options import STORE, StoreOption
from .status import Status, gravest, status_of


def replay(
    face: Face,
    plan: Annotated[Path, typer.Argument(metavar="PLAN", help="The plan.json of a run.")],
    *,
    store: StoreOption = STORE,
) -> Status:
    """Run a plan again, and judge it.

    Exit status: 1 when it refutes, whatever the variant; 2 when the run is not the one that the plan expects.
    """
    from ..claims import registry, verification
    from ..harness.store import Store
    from ..reports.tables import claims_table
    from ..reports.timeline import timeline

    with face.progress(f"replaying {plan}"):
        replayed = verification.replay(plan, docket=registry.docket(), store=Store(store))
    face.show(lambda: claims_table(replayed.results))
    face.show(lambda: timeline(replayed.run.evidence.history))
    face.tell(
        {
            "plan": str(plan.absolute()),
            "digest": replayed.digest,
            "expected": replayed.expected,
            "claims": replayed.results,
        }
    )
    judged = gravest(status_of(row.verdict) for row in replayed.results)
    if replayed.expected in {"", replayed.digest}:
        return judged
    complain(
        f"{plan}: this run is not the one that the plan expects: digest {replayed.digest}, expected {replayed.expected}. "
        "Has the system, or upheld, changed since the plan was written?"
    )
    return gravest([judged, Status.MISUSE])
