"""A growing collection as clients saw it: what they added, what they read, and when it fell quiet.

A collection is anything that elements are added to and that reads show whole: a set, a broadcast, a chat. A history
declares its phases by events of the process "phases": `heal`, `quiet`, `final`. Reads that begin after `final` are final.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Final

from ..histories.errors import MalformedHistory
from ..histories.event import Event, Kind, Operation
from ..histories.history import History
from ..histories.values import Value, identity

PHASES: Final = ("heal", "quiet", "final")
"""The phases that a history declares before anybody can speak of convergence, in this order."""


@dataclass(frozen=True)
class Read:
    """A read that was answered.

    Attributes:
        operation: the read.
        elements: what it showed, in its order.
    """

    operation: Operation
    elements: tuple[Value, ...]

    @property
    def key(self) -> Hashable:
        """The collection that was read."""
        key: Hashable = identity(self.operation.key)
        return key

    @cached_property
    def counts(self) -> Counter[Hashable]:
        """How often it showed each element."""
        return Counter(identity(element) for element in self.elements)

    def __str__(self) -> str:
        where = f" at {self.operation.node}" if self.operation.node else ""
        return f"the read of process {self.operation.process}{where} (event {self.operation.invocation})"


class Record:
    """The adds and reads of a history, and how its phases were declared."""

    def __init__(self, history: History, *, adds: Sequence[str], read: str) -> None:
        self.history = history
        self._by_time = history.header.order == "time"
        self.phases = {
            event.action: self._place(event.index, event.time) for event in history if event.process == "phases"
        }
        self.adds = [operation for operation in history.operations if operation.action in adds]
        asked = [operation for operation in history.operations if operation.action == read]
        self.reads = [Read(each, elements_of(each, history)) for each in asked if each.outcome is Kind.OK]
        self.final_reads = [each for each in self.reads if self.is_final(each.operation)]
        self.unanswered = [each for each in asked if self.is_final(each) and each.outcome is not Kind.OK]

    def _place(self, index: int, time: int | None) -> int:
        return time if self._by_time and time is not None else index

    def is_final(self, operation: Operation) -> bool:
        """Whether it began in the final phase."""
        return "final" in self.phases and self._began(operation) > self.phases["final"]

    def _began(self, operation: Operation) -> int:
        return self._place(operation.invocation, operation.invoked_ns)

    @property
    def initial(self) -> tuple[Value, ...]:
        """What every collection holds at first."""
        initial = self.history.header.initial
        return initial if isinstance(initial, tuple) else ()

    def attempts(self) -> dict[tuple[Hashable, Hashable], list[Operation]]:
        """By collection and element, the adds that may have taken effect, in the order in which they began."""
        found: dict[tuple[Hashable, Hashable], list[Operation]] = {}
        for operation in self.adds:
            if operation.outcome is not Kind.FAIL:
                found.setdefault((identity(operation.key), identity(operation.argument)), []).append(operation)
        return found

    def restless(self) -> str:
        """Why the collection need not have converged when final reads began; "" when it had to."""
        places = [self.phases.get(phase) for phase in PHASES]
        missing = [phase for phase, place in zip(PHASES, places, strict=True) if place is None]
        if missing:
            return f"quiescence is not declared: there is no phase {missing[0]!r}"
        heal, quiet, final = (place or 0 for place in places)
        if not heal <= quiet <= final:
            return "quiescence is not declared: the phases heal, quiet and final do not come in this order"
        fault = next((event for event in self.history.nemesis() if self._hurts_after(event, heal)), None)
        if fault is not None:
            return f"the declared quiescence does not hold: {fault.action} at event {fault.index} comes after the heal"
        busy = next((add for add in self.adds if self._is_open(add, quiet, final)), None)
        if busy is not None:
            return f"the declared quiescence does not hold: {busy} was not over when the quiet or final phase began"
        return ""

    def _hurts_after(self, event: Event, heal: int) -> bool:
        is_fault = event.process == "nemesis" and not event.action.startswith("undo-")
        return is_fault and self._place(event.index, event.time) > heal

    def _is_open(self, add: Operation, quiet: int, final: int) -> bool:
        """Whether an add began in quiet times, or its client still waited for an answer at the end of them."""
        ended = None if add.completion is None else self._place(add.completion, add.completed_ns)
        return self._began(add) > quiet or ended is None or ended > final

    def excerpt(self, *operations: Operation) -> History:
        """These operations alone, and the phases."""
        wanted = {operation.invocation for operation in operations} | {operation.completion for operation in operations}
        return self.history.filter(lambda event: event.process == "phases" or event.index in wanted)


def elements_of(read: Operation, history: History) -> tuple[Value, ...]:
    """What an answered read showed; null is an empty collection.

    Raises:
        MalformedHistory: it is no array.
    """
    match read.result:
        case None:
            return ()
        case tuple(elements):
            return elements
    raise MalformedHistory(
        f"{read} does not show a collection",
        field="value",
        hint="A read of a collection answers with an array of its elements",
        **history.where(read.completion if read.completion is not None else read.invocation),
    )
