"""Who searches: the native core where it is there, or its twin; both give the same answer after the same steps."""

from __future__ import annotations

from collections.abc import Sequence
from types import ModuleType
from typing import Final, Protocol

import numpy as np

from ... import native
from ...histories.errors import UsageError
from .cells import DEEDS, Cells
from .prepare import Case, Forms, Integers, Shard
from .search import Found, search
from .transitions import START, Transitions

STEPS_MAX: Final = 10_000_000
"""Configurations that may be looked at per shard where nobody says otherwise; more only for very long shards."""


class Engine(Protocol):
    """Searches shards for linearizations.

    Attributes:
        transitions: the model as `search_from` knows it.
    """

    transitions: Transitions

    def search(self, shards: Sequence[Shard], *, steps_max: int | None = None) -> list[Found]:
        """What is found for each shard, in at most `steps_max` configurations each."""
        ...

    def search_from(self, starts: Sequence[int], shard: Shard, *, steps_max: int) -> Found:
        """What is found from any of some states; they, and those that are found, are known by the codes of `transitions`."""
        ...


class Pure:
    """The search in Python."""

    def __init__(self, forms: Forms) -> None:
        self._forms, self.transitions = forms, Transitions(forms)

    def search(self, shards: Sequence[Shard], *, steps_max: int | None = None) -> list[Found]:
        """What is found for each shard, in at most `steps_max` configurations each."""
        pure, step = self._forms.pure, Transitions(self._forms)
        return [search(shard, pure, step, START, steps_max=budget(shard, steps_max)) for shard in shards]

    def search_from(self, starts: Sequence[int], shard: Shard, *, steps_max: int) -> Found:
        """What is found from any of some states."""
        return search(shard, self._forms.pure, self.transitions, starts, steps_max=steps_max)


class Native:
    """The search in the native core; shipped models run there too, any other is asked once per distinct question."""

    def __init__(self, core: ModuleType, forms: Forms) -> None:
        self._core, self._forms = core, forms
        self._cells = Cells(forms) if type(forms.model) in DEEDS else None
        self.transitions = Transitions(forms)

    def search(self, shards: Sequence[Shard], *, steps_max: int | None = None) -> list[Found]:
        """What is found for each shard, in at most `steps_max` configurations each."""
        columns = [(shard.form, shard.began, shard.ended, budget(shard, steps_max)) for shard in shards]
        if self._cells is None:
            return self._by_model(Transitions(self._forms), START, columns)
        forms = self._cells.forms()
        answers = self._core.search_cells(columns, self._forms.pure, forms, self._cells.cell, self._cells.texts())
        return [_found(*answer) for answer in answers]

    def search_from(self, starts: Sequence[int], shard: Shard, *, steps_max: int) -> Found:
        """What is found from any of some states."""
        return self._by_model(self.transitions, starts, [(shard.form, shard.began, shard.ended, steps_max)])[0]

    def _by_model(
        self, step: Transitions, starts: Sequence[int], columns: Sequence[tuple[Integers, Integers, Integers, int]]
    ) -> list[Found]:
        answers = self._core.search_model(columns, self._forms.pure, starts, step)
        return [_found(*answer) for answer in answers]


def _found(order: bytes | None, steps: int, stuck: int | None, decided: bool, ends: list[int]) -> Found:  # noqa: FBT001  # as the core says it
    return Found(None if order is None else np.frombuffer(order, dtype=np.int32), steps, stuck, decided, ends)


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
