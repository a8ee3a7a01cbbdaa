"""Who searches: the native core where it is there, or its twin; both give the same answer after the same steps."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, Protocol

from ... import native
from ...histories.errors import UsageError
from .prepare import Case, Forms, Shard
from .search import Found, search
from .transitions import Transitions

STEPS_MAX: Final = 5_000_000
"""Configurations that may be looked at per shard where nobody says otherwise; more only for very long shards."""


class Engine(Protocol):
    """Searches shards for linearizations."""

    def search(self, shards: Sequence[Shard], *, steps_max: int | None = None) -> list[Found]:
        """What is found for each shard, in at most `steps_max` configurations each."""
        ...


class Pure:
    """The search in Python."""

    def __init__(self, forms: Forms) -> None:
        self._forms, self._transitions = forms, Transitions(forms)

    def search(self, shards: Sequence[Shard], *, steps_max: int | None = None) -> list[Found]:
        """What is found for each shard, in at most `steps_max` configurations each."""
        return [
            search(
                shard,
                self._forms.pure,
                self._transitions,
                self._transitions.initial,
                steps_max=budget(shard, steps_max),
            )
            for shard in shards
        ]


def budget(shard: Shard, steps_max: int | None) -> int:
    """How many configurations a search of this shard may look at."""
    return max(STEPS_MAX, 8 * len(shard)) if steps_max is None else steps_max


def engine_for(case: Case, name: str | None) -> Engine:
    """The engine of that name; None: whichever serves.

    Raises:
        UsageError: there is none of that name, or it is not there.
    """
    name = native.ENGINE if name is None else name
    if name not in {"native", "pure"}:
        raise UsageError(f"the engine is native or pure, not {name!r}")
    if name == "native":
        raise UsageError("the native core is not there; build it, or say pure")
    return Pure(case.forms)
