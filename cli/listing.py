"""`upheld list`: what there is, printed from the registries."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Annotated, Any, Final, TypeAlias

import typer

from .face import Face, one_of
from .status import Status

Rows: TypeAlias = list[dict[str, Any]]


def list_known(
    face: Face,
    what: Annotated[
        str,
        typer.Argument(help="systems, claims, models, consistency, faults, profiles, workloads, mutants or formats."),
    ],
    modules: Annotated[
        list[str] | None, typer.Argument(metavar="[MODULE]...", help="Plug-ins to look into as well.")
    ] = None,
) -> Status:
    """List what there is."""
    from ..reports.tables import rows_table

    rows = LISTS[one_of("list", what, LISTS)](modules or [])
    headings = list(rows[0]) if rows else [what]
    face.show(lambda: rows_table(headings, [[_cell(row[name]) for name in headings] for row in rows]))
    face.tell({what: rows})
    return Status.UPHELD


def _cell(value: Any) -> str:
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)


def _docket(modules: list[str]) -> Any:
    from ..claims import registry

    return registry.docket(modules)


def _systems(modules: list[str]) -> Rows:
    return [
        {
            "system": system.name,
            "variants": list(system.variants),
            "faults": sorted(system.budget.faults),
            "sizes": list(system.sizes),
        }
        for system in _docket(modules).systems.values()
    ]


def _claims(modules: list[str]) -> Rows:
    return [
        {"claim": claim.id, "kind": claim.kind, "variants": list(claim.variants), "statement": claim.statement}
        for claim in _docket(modules).claims.values()
    ]


def _workloads(modules: list[str]) -> Rows:
    return [
        {"system": system.name, "variant": variant, "workload": name, "minimum": _summary(workload.minimum)}
        for system in _docket(modules).systems.values()
        for variant, built in system.variants.items()
        for name, workload in built.workloads.items()
    ]


def _mutants(modules: list[str]) -> Rows:
    from ..harness.system import kebab

    return [
        {"system": system.name, "variant": variant, "mutant": kebab(mutant.__name__), "breaks": _first_line(mutant)}
        for system in _docket(modules).systems.values()
        for variant, built in system.variants.items()
        for mutant in built.mutants
    ]


def _models(_modules: list[str]) -> Rows:
    from ..specs.objects.registry import MODELS

    return [
        {"model": name, "actions": sorted(model.actions), "what": _first_line(model)} for name, model in MODELS.items()
    ]


def _consistency(_modules: list[str]) -> Rows:
    from ..specs.consistency import MODELS

    return [
        {
            "consistency": model.id,
            "promises": model.words,
            "implies": list(model.implies),
            "decided by": model.judge or "no judge yet",
        }
        for model in MODELS.values()
    ]


def _faults(_modules: list[str]) -> Rows:
    from ..harness.faults import FAULTS
    from ..harness.faults.partitions import SHAPES

    kinds = [{"fault": kind.name, "does": kind.does, "ends when": kind.inverse} for kind in FAULTS.values()]
    shapes = [{"fault": f"partition: {shape.name}", "does": shape.does, "ends when": ""} for shape in SHAPES]
    after = 1 + list(FAULTS).index("partition")
    return [*kinds[:after], *shapes, *kinds[after:]]


def _profiles(_modules: list[str]) -> Rows:
    from ..harness.faults import PROFILES

    return [{"profile": name, "faults": list(kinds)} for name, kinds in PROFILES.items()]


def _formats(_modules: list[str]) -> Rows:
    from ..histories.files import CODECS, WRITERS

    written = {codec.NAME for codec in WRITERS}
    return [{"format": codec.NAME, "written": codec.NAME in written, "what": _first_line(codec)} for codec in CODECS]


def _summary(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{name} {count}" for name, count in sorted(counts.items()))


def _first_line(documented: Any) -> str:
    return (documented.__doc__ or "").strip().partition("\n")[0]


LISTS: Final[Mapping[str, Callable[[list[str]], Rows]]] = {
    "systems": _systems,
    "claims": _claims,
    "models": _models,
    "consistency": _consistency,
    "faults": _faults,
    "profiles": _profiles,
    "workloads": _workloads,
    "mutants": _mutants,
    "formats": _formats,
}
