"""When a system fell quiet, as the history declares it, and whether the declaration holds.

Phases are events of the process "phases": `heal`, `quiet`, `final`, in this order. No verdict on what must be so in the end
is given without them: from the heal on nobody hurts the system, from the quiet on nobody updates, and what is read in the
final phase is final.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from ...histories.event import Event, Kind, Operation
from ...histories.history import History

PHASES: Final = ("heal", "quiet", "final")
"""The phases that a history declares before anybody can speak of convergence, in this order."""


class Phases:
    """The phases of a history: where they stand, by lines or by time, whichever gives the order."""

    def __init__(self, history: History) -> None:
        self._others = history.nemesis()
        self._by_time = history.header.order == "time"
        self._at = {
            event.action: self._place(event.index, event.time) for event in self._others if event.process == "phases"
        }

    def _place(self, index: int, time: int | None) -> int:
        return time if self._by_time and time is not None else index

    def _began(self, operation: Operation) -> int:
        return self._place(operation.invocation, operation.invoked_ns)

    def is_final(self, operation: Operation) -> bool:
        """Whether it began in the final phase."""
        return "final" in self._at and self._began(operation) > self._at["final"]

    def restless(self, updates: Sequence[Operation]) -> str:
        """Why replicas need not have converged when final reads began; "" when they had to."""
        places = [self._at.get(phase) for phase in PHASES]
        missing = [phase for phase, place in zip(PHASES, places, strict=True) if place is None]
        if missing:
            return f"quiescence is not declared: there is no phase {missing[0]!r}"
        heal, quiet, final = (place or 0 for place in places)
        if not heal <= quiet <= final:
            return "quiescence is not declared: the phases heal, quiet and final do not come in this order"
        fault = next((event for event in self._others if self._hurts_after(event, heal)), None)
        if fault is not None:
            return f"the declared quiescence does not hold: {fault.action} at event {fault.index} comes after the heal"
        busy = next((each for each in updates if self._is_open(each, quiet, final)), None)
        if busy is not None:
            return f"the declared quiescence does not hold: {busy} was not over when the quiet or final phase began"
        return ""

    def _hurts_after(self, event: Event, heal: int) -> bool:
        is_fault = event.process == "nemesis" and not event.action.startswith("undo-")
        return is_fault and self._place(event.index, event.time) > heal

    def _is_open(self, update: Operation, quiet: int, final: int) -> bool:
        """Whether it began in quiet times, or its client still waited for an answer at the end of them."""
        ended = None if update.completion is None else self._place(update.completion, update.completed_ns)
        return self._began(update) > quiet or ended is None or ended > final

    def unread(self, reads: Sequence[Operation], updates: Sequence[Operation]) -> str:
        """Which replica's end nobody knows: a final read without an answer, or a node without a final read; "" if none."""
        finals = [read for read in reads if self.is_final(read)]
        unanswered = next((read for read in finals if read.outcome is not Kind.OK), None)
        if unanswered is not None:
            return f"{unanswered}: a final read was not answered"
        seen = {read.node for read in finals}
        stranger = next((each for each in (*updates, *reads) if each.node is not None and each.node not in seen), None)
        return "" if stranger is None else f"{stranger.node} was not read in the final phase"
