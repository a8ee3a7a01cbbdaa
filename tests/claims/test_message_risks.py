"""When claims about messages are at risk, on traces by hand."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from upheld.claims.convergence.risks import caused_messages, copies, overtaking_arrivals
from upheld.histories.event import Event, Kind
from upheld.histories.evidence import Evidence
from upheld.histories.history import History
from upheld.histories.trace import Note, Trace


def evidence(text: str, *, retries: int = 0) -> Evidence:
    """Notes such as `n1 posted a`, one to a line."""
    notes = []
    for at, line in enumerate(text.strip().splitlines()):
        node, kind, message = line.split()
        notes.append(Note(at, node, kind, (message, (), None, message) if kind == "posted" else (message,)))
    again = [Event(process="retries", kind=Kind.INFO, action="send") for _ in range(retries)]
    return Evidence(History.of_events(again), Trace(notes, nodes=("n1", "n2", "n3")))


QUESTION = "n1 posted q\nn2 arrived q\nn2 delivered q\nn2 posted a\n"

CASES = {
    "a message of its own": (caused_messages, "n1 posted a\nn1 posted b", 0),
    "a message after another node's": (caused_messages, QUESTION, 1),
    "a message after an arrival that was not taken in": (caused_messages, "n1 posted q\nn2 arrived q\nn2 posted a", 0),
    "an answer after its question": (overtaking_arrivals, QUESTION + "n3 arrived q\nn3 arrived a", 0),
    "an answer before its question": (overtaking_arrivals, QUESTION + "n3 arrived a\nn3 arrived q", 1),
    "the same answer twice before its question": (overtaking_arrivals, QUESTION + "n3 arrived a\nn3 arrived a", 1),
    "a question that the node posted itself": (overtaking_arrivals, QUESTION + "n1 arrived a", 0),
    "one arrival": (copies, QUESTION + "n3 arrived q", 0),
    "two arrivals": (copies, QUESTION + "n3 arrived q\nn3 arrived q", 1),
    "an arrival where it was posted": (copies, QUESTION + "n1 arrived q", 1),
    "what a restart notes again": (copies, QUESTION + "n2 delivered q\nn2 posted a", 0),
}


@pytest.mark.parametrize(("risk", "text", "count"), CASES.values(), ids=CASES)
def test_the_risk_is_counted(risk: Callable[[Evidence], int], text: str, count: int) -> None:
    assert risk(evidence(text)) == count


def test_a_request_that_a_client_sent_again_is_a_copy_too() -> None:
    assert copies(evidence(QUESTION, retries=2)) == 2
