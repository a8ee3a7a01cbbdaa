"""`upheld replay`: runs a plan again, judges it, and shows what happened."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from .face import Face
from .options import STORE, StoreOption
from .status import Status, gravest, status_of


def replay(
    face: Face,
    plan: Annotated[Path, typer.Argument(metavar="PLAN", help="The plan.json of a run.")],
    modules: Annotated[
        list[str] | None, typer.Argument(metavar="[MODULE]...", help="Where its system is found.")
    ] = None,
    *,
    store: StoreOption = STORE,
) -> Status:
    """Run a plan again, and judge it.

    Exit status: 1 when it refutes, whatever the variant; 2 when the run is not the one that the plan expects.
    """
    from ..checkers.verdict import Refuted
    from ..claims import registry, verification
    from ..harness.store import Store
    from ..reports.tables import claims_table
    from ..reports.timeline import timeline

    with face.progress(f"replaying {plan}"):
        replayed = verification.replay(plan, docket=registry.docket(modules or ()), store=Store(store))
    anomalies = [verdict.anomaly for verdict in replayed.verdicts.values() if isinstance(verdict, Refuted)]
    marked = {operation.invocation for anomaly in anomalies for operation in anomaly.operations}
    face.show(lambda: claims_table(replayed.results))
    facts = [note for anomaly in anomalies for note in anomaly.facts]
    face.show(lambda: timeline(replayed.run.evidence.history, marked=marked, facts=facts))
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
    face.complain(
        f"{plan}: this run is not the one that the plan expects: digest {replayed.digest}, expected {replayed.expected}. "
        "Has the system, or upheld, changed since the plan was written?"
    )
    return gravest([judged, Status.MISUSE])
