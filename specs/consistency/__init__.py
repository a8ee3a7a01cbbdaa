"""The lattice of consistency models, as data: axioms, anomalies, models, and what follows from what."""

from __future__ import annotations

from .anomalies import ANOMALIES, AnomalyKind
from .axioms import AXIOMS, Axiom
from .lattice import (
    Conclusion,
    Contradiction,
    Frontier,
    consistency,
    family,
    frontier,
    refuting,
    spread,
    stronger,
    weaker,
)
from .models import MODELS, Consistency

__all__ = [
    "ANOMALIES",
    "AXIOMS",
    "MODELS",
    "AnomalyKind",
    "Axiom",
    "Conclusion",
    "Consistency",
    "Contradiction",
    "Frontier",
    "consistency",
    "family",
    "frontier",
    "refuting",
    "spread",
    "stronger",
    "weaker",
]
