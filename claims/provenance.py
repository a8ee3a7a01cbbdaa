"""Where results come from: all that decides what a campaign finds, told so that two campaigns can be compared."""

from __future__ import annotations

import importlib.util
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import fields
from hashlib import blake2b
from pathlib import Path
from typing import Any, Final

from .groups import RunGroup

ROOMS: Final = ("impl", "histories", "specs", "checkers", "harness", "claims")
"""Where upheld keeps what runs and judges."""

NOWHERE: Final = frozenset({"origin", "store"})
"""What of a run group says where things lie on this machine, and nothing about its runs."""


def campaign_of(groups: Sequence[RunGroup], *, seed: int, runs: int) -> dict[str, Any]:
    """The campaign over these groups, as JSON can say it: the seeds, the groups with their claims, and the code."""
    origins = [origin for group in groups for origin in (group.origin, *(origin for origin, _ in group.claims))]
    return {"seed": seed, "runs": runs, "groups": [_group(group) for group in groups], "code": code_digest(origins)}


def _group(group: RunGroup) -> dict[str, Any]:
    told = {field.name: getattr(group, field.name) for field in fields(group) if field.name not in NOWHERE}
    return {**told, "claims": [name for _, name in group.claims]}


def code_digest(origins: Iterable[str]) -> str:
    """blake2b, in hex, over the source of upheld and of these modules; results of different code do not belong together."""
    digest = blake2b(digest_size=16)
    for name, path in _sources(sorted(set(origins))):
        content = path.read_bytes()
        digest.update(f"{name} {len(content)} ".encode() + content)
    return digest.hexdigest()


def _sources(origins: Sequence[str]) -> Iterator[tuple[str, Path]]:
    """Each source file, under a name that does not depend on where it lies."""
    package = Path(__file__).parents[1]
    for room in ROOMS:
        for path in sorted((package / room).rglob("*.py")):
            yield path.relative_to(package).as_posix(), path
    for origin in origins:
        if origin.endswith(".py"):
            yield Path(origin).name, Path(origin)
        elif (spec := importlib.util.find_spec(origin)) is not None and spec.origin is not None:
            yield origin, Path(spec.origin)
