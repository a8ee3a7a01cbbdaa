"""The operations of one object up to an event, put to the search in part, in other order, or as optional ones."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import TypeAlias

import msgspec
import numpy as np

from ...histories.event import Kind, Operation
from .prepare import BARRIER, NEVER, Forms, Shard


class Part(msgspec.Struct, frozen=True):
    """An operation that may be part of a counter-example.

    Attributes:
        operation: as it stands in the history.
        form: the code of its form; that of the pending form where it is not ok.
    """

    operation: Operation
    form: int

    def ended_by(self, place: int) -> bool:
        """Whether its outcome is known at that place of the real-time order."""
        return self.operation.ended is not None and self.operation.ended <= place


Row: TypeAlias = tuple[int, int, int, int]
"""The form, beginning, end and invocation of an operation, as a shard has them."""


def shard_of_rows(rows: Iterable[Row]) -> Shard:
    """These operations as a shard, in the order in which they begin."""
    columns = np.array(sorted(rows, key=lambda row: row[1]), dtype=np.int64).reshape(-1, 4)
    return Shard(None, *columns.T)


class Prefix:
    """The operations of one object up to an event.

    Attributes:
        parts: those that had begun, in order; the failed ones, too.
        place: the place of the event in real-time order.
    """

    def __init__(self, parts: Iterable[Part], place: int, forms: Forms) -> None:
        self.parts = [part for part in parts if part.operation.began <= place]
        self.place, self._forms = place, forms

    def shard(
        self, kept: Collection[Part] | None = None, *, others_since: int | None = None, without: Part | None = None
    ) -> Shard:
        """The operations `kept` (by default all); `without` is not completed.

        With `others_since` only what had not ended at that place, and the other operations as optional ones.
        """
        chosen = None if kept is None else {part.operation.invocation for part in kept}
        rows: list[Row] = []
        for part in self.parts:
            if others_since is not None and part.ended_by(others_since):
                continue
            if chosen is None or part.operation.invocation in chosen:
                rows += self._row(part, completed=part is not without)
            elif others_since is not None:
                rows += self._optional(part)
        return shard_of_rows(rows)

    def before(self, place: int) -> Shard:
        """What began before a place, and then a barrier."""
        earlier = Prefix(self.parts, place - 1, self._forms)
        rows = [row for part in earlier.parts for row in earlier._row(part)]
        return shard_of_rows([*rows, (self._forms.code(BARRIER), place, place + 1, -1)])

    def unordered(self, kept: Collection[Part], last: Part) -> Shard:
        """The operation `last`, when all that is kept had begun before it and may or may not have taken effect."""
        before = [
            (form, -1, NEVER, invocation)
            for part in kept
            if part is not last
            for form, _, _, invocation in self._row(part)
        ]
        return shard_of_rows([*before, (last.form, 0, 1, last.operation.invocation)])

    def _row(self, part: Part, *, completed: bool = True) -> list[Row]:
        operation = part.operation
        if not (completed and part.ended_by(self.place)):
            return [(self._forms.pending(part.form), operation.began, NEVER, operation.invocation)]
        if operation.outcome is Kind.FAIL:
            return []
        return [(part.form, operation.began, _end(operation), operation.invocation)]

    def _optional(self, part: Part) -> list[Row]:
        if not part.ended_by(self.place):
            return self._row(part, completed=False)
        operation = part.operation
        if operation.outcome is Kind.FAIL or self._forms.pure[part.form]:
            return []
        return [(self._forms.optional(part.form), operation.began, _end(operation), operation.invocation)]


def _end(operation: Operation) -> int:
    return NEVER if operation.ended is None else operation.ended
