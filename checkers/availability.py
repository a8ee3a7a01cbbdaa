"""The C and the A of CAP, measured: who was answered, on which side of which partition, and how soon.

Available is Gilbert and Lynch's word ("Brewer's conjecture and the feasibility of consistent, available, partition-tolerant
web services", 2002, section 2.2): every request that a node receives which does not fail is answered. A finite record needs
a bound for that. An answer is `ok`: a refusal that depends on the state is one, "not the leader" is none.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal, TypeAlias

from ..histories.evidence import Evidence
from ..histories.history import History
from ..specs.model import Model
from .answered import Answered, Request, answered
from .linearizability import check_linearizability
from .notes import milliseconds
from .verdict import Anomaly, Refuted, Undecided, Upheld, Verdict

RULE: Final = "Every request to a node that is up is answered within the bound, whatever the network does."


@dataclass(frozen=True, kw_only=True)
class Availability:
    """Every request to a node that is up is answered ok within the bound.

    An operation is a request to the node that it names; what names none, or has no time, is left aside. A request to a node
    that crashes, pauses or is forsaken while it waits owes nothing unless it is answered. When a client gave up before the
    bound with an unknown outcome, or the record ended, nobody knows. Times count as they stand, a known error of clocks too.

    Attributes:
        bound_ns: how long an answer may take.
        partitioned: whether only requests count that were made while a partition acted.
        nodes: all nodes; by default those that the history names.
    """

    bound_ns: int
    partitioned: bool = False
    nodes: tuple[str, ...] = ()

    def check(self, history: History, /) -> Verdict:
        """The verdict; the same for the same history, everywhere."""
        if history.header.clocks > 1 and history.header.clock_error_ns is None:
            reason = (
                "not applicable: the times come from several clocks of unknown error, so nobody knows which partition "
                "acted when. Say in the header how far the clocks may be apart (clock_error_ns)"
            )
            return Undecided(reason, checker="availability", operations=len(history.pairing), notes=history.remarks)
        return self.judge(answered(history, bound_ns=self.bound_ns, nodes=self.nodes))

    def __call__(self, evidence: Evidence, /) -> Verdict:
        """The verdict on what clients saw."""
        return self.check(evidence.history)

    def judge(self, table: Answered) -> Verdict:
        """The verdict on who was answered; of those who were not, the one that shows most: silence before refusal."""
        counted = [each for each in table.requests if each.cut is not None or not self.partitioned]
        about: dict[str, Any] = {
            "checker": "availability",
            "method": "times of answers",
            "operations": len(counted),
            "evidence": {"bound_ns": self.bound_ns, "rows": [row.to_json() for row in table.rows]},
            "notes": (f"{table.unplaced} operations name no node or no time",) if table.unplaced else (),
        }
        for fate in ("unanswered", "refused", "late"):
            denied = next((request for request in counted if request.fate == fate), None)
            if denied is not None:
                return Refuted(self._denied(denied, table), **about)
        open_ended = [request for request in counted if request.fate in {"given-up", "not-due"}]
        if open_ended:
            first = open_ended[0]
            why = "its client gave up" if first.fate == "given-up" else "the record ended"
            many = f"{len(open_ended)} requests were" if len(open_ended) > 1 else "1 request was"
            reason = (
                f"{many} not answered, and nobody waited for {milliseconds(self.bound_ns)}: "
                f"{why} {milliseconds(first.waited_ns)} after {first.operation} was sent to {first.node}"
            )
            return Undecided(reason, **about)
        if not any(request.fate == "answered" for request in counted):
            when = " while a partition acted" if self.partitioned else ""
            reason = f"nothing to judge: no request to a node that was up was due{when}"
            return Undecided(reason, is_vacuous=True, **about)
        return Upheld(**about)

    def _denied(self, request: Request, table: Answered) -> Anomaly:
        operation = request.operation
        sent = milliseconds(operation.invoked_ns or 0)
        took_ns = (operation.completed_ns or 0) - (operation.invoked_ns or 0)
        became = {
            "unanswered": f"It waited for {milliseconds(request.waited_ns)}, as long as an answer may take, and got none.",
            "refused": f"It was refused after {milliseconds(request.waited_ns)}; a refusal that the state does not call for is no answer.",
            "late": f"It was answered after {milliseconds(took_ns)}, and an answer may take {milliseconds(self.bound_ns)}.",
        }
        story = (
            f"This request was sent to {request.node} at {sent}, and {request.node} was up:",
            f"  {operation}",
            became[request.fate],
            self._where(request, table),
            RULE,
        )
        return Anomaly(request.fate, story, operations=(operation,))

    @staticmethod
    def _where(request: Request, table: Answered) -> str:
        if request.cut is None:
            return "No partition acted when it was sent."
        cut = table.cuts[request.cut]
        return (
            f"A partition acted from {milliseconds(cut.begin_ns)} to {milliseconds(cut.end_ns)}, "
            f"with {', '.join(request.side)} on the side of {request.node}."
        )


Kept: TypeAlias = Literal["consistency", "availability", "both", "neither", "undecided"]


@dataclass(frozen=True, kw_only=True)
class Cap:
    """What a system kept of CAP in a history.

    Attributes:
        kept: `consistency`, `availability` (when a partition acted: CP and AP), `neither`, `both`, which only a history
            without a partition can show, or `undecided`.
        reason: why it is undecided, if it is.
        consistency: whether the history is linearizable.
        availability: whether everybody was answered: while a partition acted, where one did.
        answered: who was, side by side.
    """

    kept: Kept
    reason: str
    consistency: Verdict
    availability: Verdict
    answered: Answered

    @property
    def name(self) -> str:
        """`CP`, `AP`, or `kept`, where no partition acted, or the system kept neither or nobody knows."""
        short = {"consistency": "CP", "availability": "AP"}
        return short.get(self.kept, self.kept) if self.answered.cuts else self.kept


def cap(history: History, model: Model[Any] | str | None = None, *, bound_ns: int, nodes: Sequence[str] = ()) -> Cap:
    """Which of consistency and availability a system kept, as far as this history tells.

    No system keeps both when a partition separates two nodes that are both asked (Gilbert and Lynch, theorem 1), so that a
    history that seems to show it shows too little: nobody asked both sides for the same, or wrote on one of them.

    Args:
        history: with the partitions as events of the process `nemesis`.
        model: what the object does, as in `linearizability.Linearizable`.
        bound_ns: how long an answer may take.
        nodes: all nodes; by default those that the history names.
    """
    table = answered(history, bound_ns=bound_ns, nodes=nodes)
    consistency = check_linearizability(history, model)
    availability = Availability(bound_ns=bound_ns, partitioned=bool(table.cuts)).judge(table)
    is_cut = any(event.action == "partition" for event in history.of("nemesis"))
    kept, reason = _kept(consistency, availability, is_cut=is_cut, is_known=bool(table.cuts))
    return Cap(kept=kept, reason=reason, consistency=consistency, availability=availability, answered=table)


def _kept(consistency: Verdict, availability: Verdict, *, is_cut: bool, is_known: bool) -> tuple[Kept, str]:
    match consistency, availability:
        case (Undecided(reason=reason), _):
            return "undecided", f"consistency: {reason}"
        case (_, Undecided(reason=reason)):
            return "undecided", f"availability: {reason}"
        case (Upheld(), Upheld()) if is_cut and not is_known:
            return "undecided", "a partition is told of, and no two nodes that it separates: say which nodes there are"
        case (Upheld(), Upheld()) if is_cut:
            reason = "a partition acted, and the history shows neither a stale answer nor a missing one"
            return "undecided", f"the experiment was defective: {reason}"
        case (Upheld(), Upheld()):
            return "both", ""
        case (Upheld(), _):
            return "consistency", ""
        case (_, Upheld()):
            return "availability", ""
    return "neither", ""
