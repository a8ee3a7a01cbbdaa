"""Causal delivery: recorded traces of known verdict, the story, and the definition."""

from __future__ import annotations

from importlib import import_module

import pytest
from hypothesis import given

from upheld.checkers.causality.delivery import CausallyDelivered
from upheld.checkers.verdict import Refuted, Undecided, Upheld
from upheld.histories.trace import Trace

small = import_module("small_traces")

QUESTION = """
    n1 posted q
    n1 shown q
    n2 delivered q
    n2 shown q
    n2 posted a {} answers q
    n2 shown a
"""

UPHELD = {
    "nothing happened": "",
    "an answer is shown after its question": QUESTION + "n3 delivered q\nn3 shown q\nn3 delivered a\nn3 shown a",
    "an answer that came first waits": QUESTION + "n3 delivered q\nn3 delivered a\nn3 shown q\nn3 shown a",
    "concurrent messages come in two orders": """
        n1 posted a
        n2 posted b
        n1 shown a
        n2 shown b
        n1 delivered b
        n1 shown b
        n2 delivered a
        n2 shown a
    """,
    "a message is shown twice": "n1 posted a\nn1 shown a\nn2 delivered a\nn2 shown a\nn2 shown a",
    "a node shows again what it got back": QUESTION + "n2 crash\nn2 restart\nn2 shown q\nn2 shown a",
    "a node forgets a question, and shows the answer": QUESTION
    + "n3 delivered q\nn3 shown q\nn3 crash\nn3 restart\nn3 delivered a\nn3 shown a",
    "a node crashes between taking in and showing": QUESTION
    + "n3 delivered q\nn3 crash\nn3 restart\nn3 delivered a\nn3 shown a",
    "a node shows nothing": "n1 posted a\nn1 shown a\nn1 posted b\nn1 shown b\nn2 delivered b",
}

REFUTED = {
    "an answer before its question": QUESTION + "n3 shown a\nn3 shown q",
    "an answer, and never its question": QUESTION + "n3 delivered a\nn3 shown a",
    "two messages of one node, swapped": "n1 posted a\nn1 shown a\nn1 posted b\nn1 shown b\nn2 shown b\nn2 shown a",
    "a cause by way of a third node": """
        n1 posted a
        n1 shown a
        n2 delivered a
        n2 shown a
        n2 posted b
        n2 shown b
        n3 delivered b
        n3 posted c
        n1 delivered c
        n1 shown c
    """,
    "a crash of another node excuses nobody": QUESTION + "n2 crash\nn2 restart\nn3 delivered a\nn3 shown a",
    "taken in and never shown": QUESTION + "n3 delivered q\nn3 delivered a\nn3 shown a",
}


@pytest.mark.parametrize("text", UPHELD.values(), ids=UPHELD)
def test_it_upholds(text: str) -> None:
    assert isinstance(CausallyDelivered().check(small.trace_of(text)), Upheld)


@pytest.mark.parametrize("text", REFUTED.values(), ids=REFUTED)
def test_it_refutes(text: str) -> None:
    assert isinstance(CausallyDelivered().check(small.trace_of(text)), Refuted)


@given(small.traces() | small.showings())
def test_it_agrees_with_the_definition(trace: Trace) -> None:
    verdict = CausallyDelivered().check(trace)
    assert isinstance(verdict, Upheld) == small.is_causally_delivered(trace)
    assert not isinstance(verdict, Undecided)


@given(small.traces())
def test_a_refutation_names_a_message_that_did_happen_before_the_other(trace: Trace) -> None:
    match CausallyDelivered().check(trace):
        case Refuted(anomaly):
            cause, effect, shown = anomaly.facts
            assert (cause.facts[0], effect.facts[0]) in small.happened_before(trace)
            assert shown.facts[0] == effect.facts[0]
            earlier = trace[: list(trace).index(shown)]
            assert all(n.facts[0] != cause.facts[0] for n in earlier.of_kind("shown") if n.node == shown.node)


def test_the_story_can_be_checked_note_by_note() -> None:
    verdict = CausallyDelivered().check(
        small.trace_of(QUESTION + "n3 delivered a\nn3 shown a\nn3 delivered q\nn3 shown q")
    )
    assert isinstance(verdict, Refuted)
    assert verdict.anomaly.kind == "shown-before-its-cause"
    assert verdict.anomaly.story == (
        'n1 posts q ("q") at 0 ms',
        "n2 takes in q at 2e-06 ms",
        'n2 posts a ("a"), in answer to q at 4e-06 ms',
        "So q happened before a",
        "Yet n3 shows a at 7e-06 ms, and shows q only at 9e-06 ms",
    )


def test_the_graph_is_a_cycle_with_a_reason_on_each_edge() -> None:
    verdict = CausallyDelivered().check(
        small.trace_of(QUESTION + "n3 delivered a\nn3 shown a\nn3 delivered q\nn3 shown q")
    )
    assert isinstance(verdict, Refuted)
    assert verdict.anomaly.graph is not None
    assert list(verdict.anomaly.graph.edges(data="reason")) == [
        ('n1 posts q ("q")', "n2 takes in q", "its message"),
        ("n2 takes in q", 'n2 posts a ("a"), in answer to q', "earlier at n2"),
        ('n2 posts a ("a"), in answer to q', "n3 shows a", "its message"),
        ("n3 shows a", "n3 shows q", "earlier at n3"),
    ]


def test_it_speaks_of_the_message_that_is_answered_before_any_other_cause() -> None:
    text = "n1 posted x\nn1 posted q\nn2 delivered q\nn2 posted a {} answers q\nn3 delivered a\nn3 shown a"
    verdict = CausallyDelivered().check(small.trace_of(text))
    assert isinstance(verdict, Refuted)
    assert verdict.anomaly.facts[0].facts[0] == "q"


def test_upheld_carries_counts_and_the_clocks_of_the_judge() -> None:
    verdict = CausallyDelivered().check(small.trace_of(QUESTION))
    assert isinstance(verdict, Upheld)
    assert verdict.evidence == {"messages": 2, "deliveries": 1, "shown": 3, "ordered_pairs": 1}
    assert verdict.witness == {"q": (1, 0, 0), "a": (1, 1, 0)}


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("n2 delivered a", 'n2 takes in "a", which nobody has posted'),
        ("n2 shown a", "n2 shows a, which nobody has posted"),
        ("n1 posted a\nn2 posted a", 'two messages are called "a"'),
        ("n1 posted a {n1:1}\nn1 posted a {n1:2}", 'two messages are called "a"'),
    ],
)
def test_without_an_order_there_is_no_verdict(text: str, reason: str) -> None:
    verdict = CausallyDelivered().check(small.trace_of(text))
    assert isinstance(verdict, Undecided)
    assert verdict.reason == f"not applicable: {reason}"
