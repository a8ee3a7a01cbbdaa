"""`upheld explain`: what a consistency model demands and how it hangs together with others, or what an anomaly is."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from .face import Face
from .status import Status


def explain(
    face: Face,
    name: Annotated[
        str,
        typer.Argument(help="A consistency model, such as causal.convergence, or a kind of anomaly, such as G-single."),
    ],
) -> Status:
    """Explain a consistency model or a kind of anomaly."""
    from ..reports.tables import facts_table
    from ..specs.consistency import ANOMALIES

    told = _anomaly(name) if name in ANOMALIES else _model(name)
    face.show(lambda: facts_table({heading: _lines(value) for heading, value in told.items() if value}))
    face.tell(told)
    return Status.UPHELD


def _model(name: str) -> dict[str, Any]:
    from ..specs.consistency import AXIOMS, MODELS, consistency, refuting, stronger, weaker

    model = consistency(name)
    return {
        "consistency": model.id,
        "promises": model.words,
        "demands": [f"{axiom}: {AXIOMS[axiom].words} [{AXIOMS[axiom].formula}]" for axiom in model.axioms],
        "implies": [other for other in MODELS if other in weaker(name)],
        "is implied by": [other for other in MODELS if other in stronger(name)],
        "is refuted by": list(refuting(name)),
        "decided by": model.judge or "no judge yet",
        "cost": model.cost,
        "assumes": list(model.assumes),
        "source": model.source,
    }


def _anomaly(name: str) -> dict[str, Any]:
    from ..specs.consistency import ANOMALIES, MODELS, refuting

    kind = ANOMALIES[name]
    return {
        "anomaly": kind.name,
        "means": kind.words,
        "shape": kind.shape,
        "refutes": [model for model in MODELS if name in refuting(model)],
    }


def _lines(value: Any) -> list[str]:
    return value if isinstance(value, list) else [value]
