"""One traced history held against sets of session guarantees, sharing what one verdict says of another."""

from __future__ import annotations

from functools import cached_property

from ..causality.oddities import odd
from ..reading import minimal_anomaly
from ..reads_from import Outside, ReadsFrom
from ..verdict import Anomaly
from .execution import LIMIT, Contradiction, Explanation, Outcome, explain
from .guarantees import Guarantees, Scope, combinations
from .lists import TooMany
from .steps import Steps
from .telling import involved, tell


class Judging:
    """What is known of one history.

    What explains the reads with more guarantees explains them with fewer, and one order of writes for everybody is one for
    each session.

    Attributes:
        limit: how many pairs of writes that no session orders are looked at.
    """

    def __init__(self, traced: ReadsFrom, *, outside: Outside, limit: int = LIMIT) -> None:
        self.traced, self.outside, self.limit = traced, outside, limit
        self._told: dict[tuple[Guarantees, Scope], Anomaly] = {}
        self._known: dict[tuple[Guarantees, Scope], Outcome | TooMany] = {}

    @cached_property
    def steps(self) -> Steps:
        """The history as a graph."""
        return Steps(self.traced)

    @cached_property
    def oddity(self) -> Anomaly | None:
        """A read that no write explains, which no guarantee is needed to refute."""
        return odd(self.traced)

    def outcome(self, wanted: Guarantees, scope: Scope) -> Outcome | TooMany:
        """Whether the guarantees hold, worked out or known already; of reads without oddities."""
        for (known, where), found in self._known.items():
            if isinstance(found, Explanation) and where in {scope, "global"} and wanted <= known:
                return found
            if isinstance(found, Contradiction) and where == scope and known <= wanted:
                return found
        try:
            found = explain(self.steps, wanted, scope, limit=self.limit)
        except TooMany as problem:
            found = problem
        self._known[wanted, scope] = found
        return found

    def fewest(self, wanted: Guarantees, scope: Scope, found: Contradiction) -> tuple[Guarantees, Contradiction]:
        """The fewest of the guarantees that are refuted already, and why; `found` is why all of them are."""
        for fewer in combinations(weak=not (wanted.together or wanted.joined)):
            if fewer <= wanted and fewer != wanted:
                outcome = self.outcome(fewer, scope)
                if isinstance(outcome, Contradiction):
                    return fewer, outcome
        return wanted, found

    def anomaly(self, wanted: Guarantees, scope: Scope, found: Contradiction) -> Anomaly:
        """The contradiction as the fewest operations show it."""

        def find(part: ReadsFrom) -> Anomaly | None:
            if part.oddities:
                return None
            outcome = explain(Steps(part), wanted, scope, limit=self.limit)
            return tell(part, outcome, wanted) if isinstance(outcome, Contradiction) else None

        if (wanted, scope) not in self._told:
            rows = involved(self.traced, found)
            self._told[wanted, scope] = minimal_anomaly(self.traced, rows, find, outside=self.outside)
        return self._told[wanted, scope]
