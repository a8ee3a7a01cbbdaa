"""What judges of invariants share: rules that one pass over a history decides, with no search.

Each judge states its rule and its cost; n is the number of events. A pending operation may have taken effect at any time
after its invocation, or never; a failed one has not. A judge refutes only what no such choice explains.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Collection, Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, ClassVar, Final

from ...histories.errors import MalformedHistory
from ...histories.event import Kind, Missing, Operation
from ...histories.history import History
from ...histories.values import Value, identity, to_json
from ..minimal import minimal_history
from ..verdict import Anomaly, Refuted, Undecided, Upheld, Verdict

REDUCED_MAX: Final = 200
"""An anomaly of more operations is shown with no minimal history: finding one takes time in their square."""

QUOTED_MAX: Final = 12
"""A story quotes no more operations than this: the first ones, and the last."""


@dataclass(frozen=True, kw_only=True)
class Look:
    """What one pass over a history found.

    Attributes:
        anomaly: the first breach of the rule, if there is one.
        doubt: why nobody knows, if so.
        judged: how many observations could have been a breach; where there is none, the verdict is vacuous.
        evidence: counts.
        notes: what a reader must know.
    """

    anomaly: Anomaly | None = None
    doubt: str = ""
    judged: int = 0
    evidence: Mapping[str, Any] = field(default_factory=dict)
    notes: tuple[str, ...] = ()


class Invariant(ABC):
    """A judge that needs no search.

    Attributes:
        name: of the judge, in kebab case.
        rule: what it holds histories to; stories end with it.
        judges: what a history must have for it to judge anything.
    """

    name: ClassVar[str]
    rule: ClassVar[str]
    judges: ClassVar[str]

    @property
    def needs_real_time(self) -> bool:
        """Whether the rule speaks of what came first."""
        return True

    def check(self, history: History, /) -> Verdict:
        """The verdict; the same for the same history, everywhere.

        Raises:
            MalformedHistory: an operation does not say what an operation of its action says.
        """
        about: dict[str, Any] = {"checker": self.name, "method": "one pass", "notes": history.remarks}
        if self.needs_real_time and not history.header.tells_real_time:
            reason = (
                "not applicable: the times come from several clocks of unknown error, so nobody knows what came first"
            )
            return Undecided(reason, **about)
        look = self.look(history)
        about |= {
            "operations": len(history.pairing),
            "evidence": {"judged": look.judged, **look.evidence},
            "notes": (*history.remarks, *look.notes),
        }
        if look.anomaly is not None:
            return Refuted(self._minimal(history, look.anomaly), **about)
        if look.doubt or not look.judged:
            reason = look.doubt or f"nothing to judge: the history has no {self.judges}"
            return Undecided(reason, is_vacuous=not look.doubt, **about)
        return Upheld(**about)

    @abstractmethod
    def look(self, history: History) -> Look:
        """What one pass over the history finds."""

    def shows(self, history: History, kind: str) -> bool:
        """Whether the history has an anomaly of that kind."""
        found = self.look(history).anomaly
        return found is not None and found.kind == kind

    def _minimal(self, history: History, anomaly: Anomaly) -> Anomaly:
        """The anomaly, with the fewest of its operations that show it by themselves."""
        if len(anomaly.operations) > REDUCED_MAX:
            return anomaly

        def fails(smaller: History) -> bool:
            return self.shows(smaller, anomaly.kind)

        excerpt = history.only(anomaly.operations)
        return replace(anomaly, history=minimal_history(excerpt, fails)) if fails(excerpt) else anomaly

    def breach(self, kind: str, headline: str, *operations: Operation, more: Iterable[str] = ()) -> Anomaly:
        """An anomaly that is told by its operations."""
        quoted = [f"  {quote(operation)}" for operation in operations]
        if len(quoted) > QUOTED_MAX:
            quoted[QUOTED_MAX - 1 : -1] = [f"  and {len(quoted) - QUOTED_MAX} more"]
        story = (headline, *quoted, *more, self.rule)
        return Anomaly(kind, story, operations=operations)


def quote(operation: Operation) -> str:
    """An operation with the events that it is made of, so that a reader sees what came first."""
    until = f" to {operation.completion}" if operation.completion is not None else ""
    return f"event{'s' if until else ''} {operation.invocation}{until}, {operation}"


def by_key(operations: Iterable[Operation]) -> dict[Hashable, list[Operation]]:
    """The operations on each object, in the order in which they began."""
    found: dict[Hashable, list[Operation]] = {}
    for operation in operations:
        found.setdefault(identity(operation.key), []).append(operation)
    return found


def by_session(operations: Iterable[Operation]) -> Sequence[list[Operation]]:
    """The operations of each session, in the order in which they began."""
    found: dict[Hashable, list[Operation]] = {}
    for operation in operations:
        found.setdefault(identity(operation.session), []).append(operation)
    return tuple(found.values())


def named(history: History, actions: Collection[str]) -> list[Operation]:
    """The operations of these actions that may have taken effect."""
    return [each for each in history.operations if each.action in actions and each.outcome is not Kind.FAIL]


def answered(history: History, *actions: str) -> list[Operation]:
    """The operations of these actions that were answered."""
    return [each for each in history.operations if each.action in actions and each.outcome is Kind.OK]


def place_of(operation: Operation) -> str:
    """` of "x"`, or nothing where there is only one object."""
    return "" if operation.key is None else f" of {to_json(operation.key)}"


def result_of(operation: Operation, history: History, what: str) -> Value:
    """What an answered operation answered.

    Raises:
        MalformedHistory: it does not say.
    """
    if isinstance(operation.result, Missing):
        raise malformed(operation, history, f"does not say {what}")
    return operation.result


def integer(value: Value | Missing, operation: Operation, history: History, what: str) -> int:
    """A value that has to be an integer.

    Raises:
        MalformedHistory: it is none.
    """
    if type(value) is not int:
        raise malformed(operation, history, f"does not give {what} as an integer")
    return value


def malformed(operation: Operation, history: History, why: str, *, hint: str = "") -> MalformedHistory:
    """The complaint about an operation, with its place."""
    at = operation.invocation if operation.completion is None else operation.completion
    return MalformedHistory(f"{operation} {why}", field="value", hint=hint, **history.where(at))


def moments(operations: Sequence[Operation]) -> Iterator[tuple[bool, Operation]]:
    """Each beginning (True) and end (False) of these operations in real-time order, in O(n log n).

    Where one ends as another begins, the beginning comes first: neither precedes the other.
    """
    places = [(operation.began, 0, number) for number, operation in enumerate(operations)]
    places += [(each.ended, 1, number) for number, each in enumerate(operations) if each.ended is not None]
    places.sort()
    return ((is_end == 0, operations[number]) for _, is_end, number in places)


def with_largest_before(
    operations: Sequence[Operation], size: Callable[[Operation], Any]
) -> Iterator[tuple[Operation, Operation]]:
    """Pairs of the largest operation that had ended when another began, and that other one. O(n log n)."""
    largest: Operation | None = None
    for begins, operation in moments(operations):
        if not begins:
            largest = operation if largest is None or size(operation) > size(largest) else largest
        elif largest is not None:
            yield largest, operation
