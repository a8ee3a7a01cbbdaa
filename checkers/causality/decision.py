"""The causal models: no circularity, weak causal consistency, causal convergence, also in real time or of transactions."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any, Final

import numpy as np

from ...histories.history import History
from ..reading import findings, minimal_anomaly, not_applicable
from ..reads_from import NotApplicable, Numbers, Outside, ReadsFrom, reads_from
from ..verdict import Anomaly, Refuted, Undecided, Upheld, Verdict
from .oddities import odd
from .order import too_large
from .patterns import Pattern, Patterns
from .telling import involved, tell
from .witness import CausalWitness, Demand

DEMANDS: Final[dict[str, Demand]] = {
    "causal.no-circularity": "causes",
    "causal.weak": "past",
    "causal.convergence": "arbitration",
    "isolation.causal": "arbitration",
    "causal.real-time": "real-time",
}
"""What an order of all operations must do for each model to hold."""

_METHODS: Final[dict[Demand, str]] = {
    "causes": "session order and reads-from have no cycle",
    "past": "the causal past of every read, as vector clocks",
    "arbitration": "vector clocks, and one order of the writes that all reads allow",
    "real-time": "vector clocks, and one order of all operations that reads and real time allow",
}
_NO_CLOCK: Final = (
    "the times come from several clocks of unknown error, so nobody knows what came first. "
    "Say in the header how far the clocks may be apart (clock_error_ns)"
)


def decide(history: History, ids: Sequence[str], *, outside: Outside = "nothing") -> dict[str, Verdict]:
    """The verdict on each of these models. O(n k) for n reads and writes of k sessions.

    A transaction counts as one operation.

    Raises:
        MalformedHistory: the history cannot be paired, or a transaction is no list of reads and writes.
    """
    try:
        judge = _Judge(reads_from(history, outside=outside), outside)
    except NotApplicable as problem:
        return {name: not_applicable(problem, history, **_about(name)) for name in ids}
    return {name: judge.verdict(name) for name in ids}


def _about(name: str) -> dict[str, str]:
    return {"checker": "causality", "consistency": name, "method": _METHODS[DEMANDS[name]]}


class _Judge:
    """One history, for all models."""

    def __init__(self, traced: ReadsFrom, outside: Outside) -> None:
        self.traced, self.outside = traced, outside
        self.patterns = Patterns(traced)
        self.minimal: dict[Pattern, Anomaly] = {}

    def verdict(self, name: str) -> Verdict:
        demand = DEMANDS[name]
        about: dict[str, Any] = findings(self.traced, **_about(name))
        if (unexplained := _unexplained(self.traced, demand)) is not None:
            return Refuted(unexplained, **about)
        if (size := self._too_large(demand)) is not None:
            return Undecided(size, **about)
        if (found := _pattern(self.patterns, demand)) is not None:
            return Refuted(self._anomaly(*found), **about)
        if self.traced.oddities:
            return Undecided("a read is explained by no write that stood, so that not all causes are known", **about)
        if demand == "real-time" and not self.traced.history.header.tells_real_time:
            return Undecided(f"not applicable: {_NO_CLOCK}", **about)
        about["evidence"] |= self._counts(demand)
        return Upheld(**about, witness=CausalWitness(self._order(demand), demand, self.outside))

    def _too_large(self, demand: Demand) -> str | None:
        """Why the clocks are not even begun with."""
        if demand == "causes" or self.patterns.causes.is_cyclic:
            return None
        return too_large(len(self.traced), self.patterns.past.chains)

    def _anomaly(self, demand: Demand, pattern: Pattern) -> Anomaly:
        if pattern not in self.minimal:
            rows = involved(self.traced, pattern)
            self.minimal[pattern] = minimal_anomaly(self.traced, rows, partial(_shown, demand), outside=self.outside)
        return self.minimal[pattern]

    def _order(self, demand: Demand) -> Numbers:
        """All transactions as the demand wants them."""
        match demand:
            case "causes" | "past":
                return self.patterns.causes.order
            case "arbitration":
                return self.patterns.arbitration.order
            case "real-time":
                order = self.patterns.in_real_time.order
                return order[order < len(self.traced)]

    def _counts(self, demand: Demand) -> dict[str, int]:
        past = self.patterns.past
        if demand == "causes":
            return {}
        passed_over = int(np.count_nonzero(past.conflicts.overwriter >= 0))
        return {"passed_over": passed_over} | (
            {} if demand == "past" else {"inferred": len(past.conflict_edges.before)}
        )


def _shown(demand: Demand, traced: ReadsFrom) -> Anomaly | None:
    """What the history shows against a demand."""
    if (unexplained := _unexplained(traced, demand)) is not None:
        return unexplained
    patterns = Patterns(traced)
    found = _pattern(patterns, demand)
    return None if found is None else tell(traced, found[1])


def _unexplained(traced: ReadsFrom, demand: Demand) -> Anomaly | None:
    """A read without a write. What a transaction read of itself, or overwrote, makes nothing its own cause."""
    return odd(traced, but=("internal", "intermediate") if demand == "causes" else ())


def _pattern(patterns: Patterns, demand: Demand) -> tuple[Demand, Pattern] | None:
    """The first pattern that the demand forbids, and the least demand that forbids it."""
    if patterns.circular is not None:
        return "causes", patterns.circular
    if demand == "causes":
        return None
    if patterns.overwritten is not None:
        return "past", patterns.overwritten
    if demand == "past":
        return None
    if patterns.disagreement is not None:
        return "arbitration", patterns.disagreement
    if demand == "real-time" and patterns.traced.history.header.tells_real_time:
        in_time = patterns.disagreement_in_time
        return None if in_time is None else ("real-time", in_time)
    return None
