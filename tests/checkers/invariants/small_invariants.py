"""Small histories, drawn at random, and what every refutation must show."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from hypothesis import strategies as st

from upheld.checkers.invariants import Invariant
from upheld.checkers.verdict import Refuted, Verdict
from upheld.histories.event import MISSING, Event, Kind, Operation
from upheld.histories.history import History
from upheld.histories.notation import render
from upheld.testing.traces import outcome

Request = tuple[str, Any, Any]
"""An action, its key and its argument."""


@st.composite
def histories(
    draw: st.DrawFn,
    requests: st.SearchStrategy[Request],
    answer: Callable[[Request], st.SearchStrategy[Any]],
    size: int = 12,
) -> History:
    """Histories of three clients, of whom each does one thing at a time; some operations fail or stay pending."""
    events: list[Event] = []
    process, busy = [0, 1, 2], [None, None, None]
    for _ in range(draw(st.integers(0, size))):
        client = draw(st.integers(0, 2))
        about: dict[str, Any] = {"process": process[client], "session": client, "node": f"n{client}"}
        request: Any = busy[client]
        if request is None:
            request = draw(requests)
            busy[client] = request
            events.append(_event(Kind.INVOKE, request, request[2], about))
            continue
        kind = draw(st.sampled_from((Kind.OK, Kind.OK, Kind.OK, Kind.FAIL, Kind.INFO)))
        events.append(_event(kind, request, draw(answer(request)) if kind is Kind.OK else MISSING, about))
        busy[client] = None
        process[client] += 3 * (kind is Kind.INFO)
    return History.of_events(events)


def _event(kind: Kind, request: Request, value: Any, about: dict[str, Any]) -> Event:
    return Event(kind=kind, action=request[0], key=request[1], value=value, **about)


def judged(judge: Invariant, history: History) -> str:
    """`upheld`, `undecided`, or the kind of the anomaly, whose evidence is looked at, too."""
    verdict = judge.check(history)
    if isinstance(verdict, Refuted):
        shows_its_evidence(judge, verdict, history)
    return outcome(verdict)


def shows_its_evidence(judge: Invariant, verdict: Verdict, history: History) -> None:
    """A refutation quotes its operations, and they alone, or fewer, are refuted; of its history none can be left out."""
    assert isinstance(verdict, Refuted)
    anomaly = verdict.anomaly
    assert set(anomaly.operations) <= set(history.operations)
    assert all(str(operation) in str(anomaly) for operation in anomaly.operations)
    assert str(anomaly).endswith(judge.rule)
    smaller = anomaly.history
    assert smaller is not None, str(anomaly)
    assert judge.shows(smaller, anomaly.kind), render(smaller)
    for operation in smaller.operations if len(smaller.operations) > 1 else ():
        assert not judge.shows(smaller.without([operation]), anomaly.kind), render(smaller)


def ok(history: History, action: str) -> Sequence[Operation]:
    """The answered operations of an action."""
    return [each for each in history.operations if each.action == action and each.outcome is Kind.OK]


def possible(history: History, action: str) -> Sequence[Operation]:
    """The operations of an action that may have taken effect."""
    return [each for each in history.operations if each.action == action and each.outcome is not Kind.FAIL]


def may_precede(first: Operation, second: Operation) -> bool:
    """Whether the first may have taken effect when the second had not ended."""
    return not second.precedes(first)
