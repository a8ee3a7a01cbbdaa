"""The verdicts on how stale reads are."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

import numpy as np

from ...histories.errors import UsageError
from ...histories.history import History
from ...histories.values import Value
from ..minimal import minimal_history
from ..reads_from import NotApplicable, Outside, ReadsFrom
from ..verdict import Anomaly, Refuted, Undecided, Upheld, Verdict
from .case import Case
from .measure import Measured, Tight, least_delta, least_k, least_t, order_of_operations, order_of_writes
from .registers import Clusters, Spans
from .tell import Bounded, Pair, tell_crowd
from .witness import Arbitration, Entry, Orders

MODEL_OF: Final[Mapping[Bounded, str]] = {
    "k": "register.k-atomic",
    "delta": "register.delta-atomic",
    "t": "register.t-visible",
}
UNITS: Final[Mapping[Bounded, str]] = {"k": "k", "delta": "delta_ns", "t": "t_ns"}


def decide(history: History, ids: Sequence[str], *, outside: Outside = "nothing") -> dict[str, Verdict]:
    """The verdicts of models of registers, by id.

    A model with a bound holds when some bound makes it hold: the least one is the evidence, and it is Undecided where that
    is not known. What refutes such a model is what no bound allows, such as a value that nobody wrote; a given bound is a
    question for `NoStalerThan`.
    """
    case = Case(history, outside)
    return {each: _answered(case, each, _JUDGES[each]) for each in ids}


class NoStalerThan:
    """Whether reads are no staler than a bound.

    Args:
        k: reads return one of the last k values, in one order of all operations in real time (k-atomic; 1: linearizable).
        delta_ns: reads are those of a linearizable register if each of them may have begun so much earlier (delta-atomic).
        t_ns: reads see all writes that returned more than this before they began, and return the last that they see, with
            writes in real time (t-visible). All operations see what returned so long before they began, and no two see
            each other, so that a read may not return what was written more than this after it, either.
        outside: what a value may be that nobody wrote; see `reads_from`.
        steps_max: of the search for an order for k > 1, for each register and k.

    Raises:
        UsageError: not exactly one of the bounds is given, or it is too low to mean anything.
    """

    def __init__(
        self,
        *,
        k: int | None = None,
        delta_ns: int | None = None,
        t_ns: int | None = None,
        outside: Outside = "nothing",
        steps_max: int | None = None,
    ) -> None:
        given: dict[Bounded, int | None] = {"k": k, "delta": delta_ns, "t": t_ns}
        bounds = [(measure, bound) for measure, bound in given.items() if bound is not None]
        if len(bounds) != 1:
            raise UsageError("give one bound: k, delta_ns or t_ns")
        self.measure, self.bound = bounds[0]
        if self.bound < (self.measure == "k"):
            raise UsageError(
                f"{UNITS[self.measure]} is {self.bound}, and the least that means anything is {int(self.measure == 'k')}"
            )
        self.outside, self.steps_max = outside, steps_max

    def check(self, history: History, /) -> Verdict:
        """The verdict; the same for the same history, everywhere.

        Raises:
            MalformedHistory: it is no history.
        """
        case = Case(history, self.outside)
        return _answered(case, MODEL_OF[self.measure], self._judge)

    def _judge(self, case: Case) -> Verdict:
        anomaly = case.odd() or (None if self.measure == "t" else case.future())
        if anomaly is not None:
            return Refuted(anomaly, method="zones")
        measured = measure(case, self.measure, self.steps_max)
        evidence = {**_evidence(self.measure, measured), "bound": self.bound}
        method = "search" if measured.steps else "zones"
        if measured.lower > self.bound:
            return Refuted(self._anomaly(case, measured), method=method, evidence=evidence)
        if measured.upper > self.bound:
            return Undecided(_open(measured), method=method, evidence=evidence)
        return Upheld(witness=_witness(case, self.measure, measured), method=method, evidence=evidence)

    def _anomaly(self, case: Case, measured: Measured) -> Anomaly:
        """Told of the smallest part that is too stale by itself."""
        assert measured.tight is not None, "more than the least bound there is has a reason"
        begin_with = _involved(case.traced, measured.tight)
        smallest = minimal_history(
            case.history, lambda history: self._fails(history, case.assumed), begin_with=begin_with
        )
        return replace(self._told(Case(smallest, self.outside)), history=smallest)

    def _fails(self, history: History, assumed: frozenset[Any]) -> bool:
        """Whether it is too stale, and not for taking a write that was left out for one outside."""
        case = Case(history, self.outside)
        try:
            return case.odd() is None and case.assumed <= assumed and self._exceeds(case)
        except NotApplicable:
            return False

    def _exceeds(self, case: Case) -> bool:
        if self.measure != "t" and case.future() is not None:
            return False
        return measure(case, self.measure, self.steps_max).lower > self.bound

    def _told(self, case: Case) -> Anomaly:
        tight = measure(case, self.measure, self.steps_max).tight
        assert tight is not None, "what is left is still too stale"
        if self.measure == "k" and self.bound > 1:
            return tell_crowd(case.traced, tight.register, self.bound)
        if len(tight.clusters) == 1:
            found = case.future()
            assert found is not None, "a single cluster is too stale by a read from the future"
            return found
        spans = case.places if self.measure == "k" else case.times
        return Pair(case.traced, spans, tight, self.measure, 0 if self.measure == "k" else self.bound).anomaly()


def measure(case: Case, what: Bounded, steps_max: int | None = None) -> Measured:
    """The least bound of a history without reads that no bound allows."""
    if what == "k":
        return least_k(case.placed, steps_max)
    return least_delta(case.timed) if what == "delta" else least_t(case.timed)


def _answered(case: Case, model: str, judge: Callable[[Case], Verdict]) -> Verdict:
    try:
        return replace(judge(case), consistency=model, **case.common)
    except NotApplicable as failure:
        named = "".join(f"; {operation} (event {operation.invocation})" for operation in failure.operations)
        return Undecided(
            f"not applicable: {failure}{named}",
            checker="staleness",
            consistency=model,
            operations=len(case.history.pairing),
            notes=case.history.remarks,
        )


def _involved(traced: ReadsFrom, tight: Tight) -> list[Any]:
    """The operations of clusters."""
    register = tight.register
    members = set(register.write[np.asarray(tight.clusters, dtype=np.int64)].tolist())
    key = int(register.key[0])
    mine = traced.reads[traced.reads[:, 1] == key]
    chosen = members | set(mine[np.isin(mine[:, 2], list(members)), 0].tolist())
    return [traced.operation(each) for each in sorted(chosen) if each >= 0 and traced.numbers[each] >= 0]


# --- models


def _safe(case: Case) -> Verdict:
    owed = case.owed()
    verdict = _of_single_reads(owed, owed.alone(), owed.odd())
    return replace(verdict, evidence={**verdict.evidence, "reads": len(case.traced.reads)})


def _regular(case: Case) -> Verdict:
    return _of_single_reads(case, np.arange(len(case.traced.reads)), case.odd())


def _of_single_reads(case: Case, rows: Any, anomaly: Anomaly | None) -> Verdict:
    evidence = {"reads": len(case.traced.reads), "judged": len(rows)}
    anomaly = anomaly or case.future(rows) or case.stale(rows)
    if anomaly is not None:
        return Refuted(anomaly, method="intervals", evidence=evidence)
    return Upheld(witness=case.sources(rows), method="intervals", evidence=evidence)


def _measured(what: Bounded) -> Callable[[Case], Verdict]:
    """Holds with the least bound that makes it hold."""

    def judge(case: Case) -> Verdict:
        anomaly = case.odd() or (None if what == "t" else case.future())
        if anomaly is not None:
            return Refuted(anomaly, method="zones")
        measured = measure(case, what)
        evidence, method = _evidence(what, measured), "search" if measured.steps else "zones"
        if measured.lower < measured.upper:
            return Undecided(_open(measured), method=method, evidence=evidence)
        return Upheld(witness=_witness(case, what, measured), method=method, evidence=evidence)

    return judge


_JUDGES: Final[Mapping[str, Callable[[Case], Verdict]]] = {
    "register.safe": _safe,
    "register.regular": _regular,
    **{model: _measured(what) for what, model in MODEL_OF.items()},
}


def _open(measured: Measured) -> str:
    return f"the steps ran out: the least k lies between {measured.lower} and {measured.upper}"


def _evidence(what: Bounded, measured: Measured) -> dict[str, Value]:
    if measured.lower < measured.upper:
        return {"lower": measured.lower, "upper": measured.upper, "steps": measured.steps}
    found: dict[str, Value] = {UNITS[what]: measured.upper}
    return found | ({"steps": measured.steps} if what == "k" else {})


def _witness(case: Case, what: Bounded, measured: Measured) -> Orders | Arbitration:
    """The orders that suit the least bound."""
    traced = case.traced
    if what == "t":
        orders = [
            (_key(traced, register), order_of_writes(traced, register, order)) for register, order in measured.orders
        ]
        return Arbitration(tuple(orders), measured.upper, traced.started_as)
    if what == "k":
        return Orders(_full(case, case.places, measured), measured.upper, None, traced.started_as)
    spans = case.times
    moved = np.isin(np.arange(len(traced)), traced.reads[:, 0]) * measured.upper
    return Orders(
        _full(case, replace(spans, began=spans.began - moved), measured), 1, measured.upper, traced.started_as
    )


def _full(case: Case, spans: Spans, measured: Measured) -> tuple[tuple[Value, tuple[Entry, ...]], ...]:
    none = np.empty((0, 3), dtype=np.int64)
    return tuple(
        (
            _key(case.traced, register),
            order_of_operations(case.traced, spans, case.read_rows.get(int(register.key[0]), none), register, order),
        )
        for register, order in measured.orders
    )


def _key(traced: ReadsFrom, register: Clusters) -> Value:
    return traced.keys[int(register.key[0])]
