"""Who searches: the native core where it is there, or its twin; both give the same answer after the same steps."""

from __future__ import annotations

from collections.abc import Sequence
from types import ModuleType
from typing import Final, Protocol

import numpy as np

from ... import native
from ...histories.errors import UsageError
from .cells import DEEDS, Cells
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


class Native:
    """The search in the native core; shipped models run there too, any other is asked once per distinct question."""

    def __init__(self, core: ModuleType, forms: Forms) -> None:
        self._core, self._forms = core, forms
        self._cells = Cells(forms) if type(forms.model) in DEEDS else None
        self._transitions = Transitions(forms)

    def search(self, shards: Sequence[Shard], *, steps_max: int | None = None) -> list[Found]:
        """What is found for each shard, in at most `steps_max` configurations each."""
        columns = [(shard.form, shard.began, shard.ended, budget(shard, steps_max)) for shard in shards]
        pure = self._forms.pure
        if self._cells is None:
            answers = self._core.search_model(columns, pure, self._transitions.initial, self._transitions)
        else:
            forms = self._cells.forms()
            answers = self._core.search_cells(columns, pure, forms, self._cells.cell, self._cells.texts())
        return [_found(*answer) for answer in answers]


def _found(order: bytes | None, steps: int, stuck: int | None, decided: bool) -> Found:  # noqa: FBT001  # as the core says it
    return Found(None if order is None else np.frombuffer(order, dtype=np.int32), steps, stuck, decided)


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
    if name == "pure":
        return Pure(case.forms)
    if native.core is None:
        raise UsageError(
            "the native core is not there, or UPHELD_ENGINE says pure; build it, or ask for the pure engine"
        )
    return Native(native.core, case.forms)
