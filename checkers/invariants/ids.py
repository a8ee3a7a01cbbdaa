"""Identifiers that are given out: no two alike, and in order where that is claimed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar, Literal

from ...histories.event import Operation
from ...histories.history import History
from ...histories.values import identity, to_json
from ..verdict import Anomaly
from .invariant import Invariant, Look, answered, by_key, by_session, quote, result_of, with_largest_before


@dataclass(frozen=True, kw_only=True)
class UniqueIds(Invariant):
    """No identifier is given out twice. O(n), or O(n log n) where order is claimed.

    Attributes:
        order: what is claimed besides: `none`; `session`, that the identifiers of a session grow; or `real-time`, that one
            which was asked for after another was given out is larger.
        generate: the action that asks for one.
    """

    order: Literal["none", "session", "real-time"] = "none"
    generate: str = "generate"

    name: ClassVar[str] = "unique-ids"
    rule: ClassVar[str] = "An identifier is given out once."
    judges: ClassVar[str] = "two answered requests for an identifier"

    @property
    def needs_real_time(self) -> bool:
        """It does where order is claimed."""
        return self.order != "none"

    def look(self, history: History) -> Look:
        """What one pass over the history finds."""
        given = answered(history, self.generate)
        judged = 0
        for mine in by_key(given).values():
            judged += len(mine) - 1
            anomaly = self._twice(mine, history) or (None if self.order == "none" else self._backwards(mine))
            if isinstance(anomaly, str):
                return Look(doubt=anomaly, judged=judged)
            if anomaly is not None:
                return Look(anomaly=anomaly, judged=judged)
        return Look(judged=judged, evidence={"identifiers": len(given)})

    def _twice(self, given: list[Operation], history: History) -> Anomaly | None:
        first: dict[Any, Operation] = {}
        for operation in given:
            known = first.setdefault(identity(result_of(operation, history, "which identifier it got")), operation)
            if known is not operation:
                headline = f"{to_json(operation.result)} is given out twice:"
                return self.breach("duplicate-id", headline, known, operation)
        return None

    def _backwards(self, given: list[Operation]) -> Anomaly | str | None:
        """The first identifier that is smaller than one before it; why they cannot be compared, if so."""
        kinds = {type(operation.result) for operation in given}
        if len(kinds) > 1 or not kinds <= {int, str}:
            return f"not applicable: identifiers have no order, such as that of {quote(given[0])}"
        lines = by_session(given) if self.order == "session" else [given]
        for line in lines:
            for before, operation in with_largest_before(line, lambda each: each.result):
                if operation.result <= before.result:  # type: ignore[operator]  # all of one kind, integers or strings
                    headline = f"{to_json(operation.result)} is given out after {to_json(before.result)}:"
                    return self.breach("id-out-of-order", headline, before, operation)
        return None
