"""One order of concurrent messages: traces of known verdict, and the definition."""

from __future__ import annotations

from importlib import import_module

import pytest
from hypothesis import given

from upheld.checkers.causality.total_order import OneOrder
from upheld.checkers.verdict import Refuted, Undecided, Upheld
from upheld.histories.trace import Trace

small = import_module("small_traces")

SWAPPED = "n1 posted a\nn2 posted b\nn1 shown a\nn1 shown b\nn2 shown b\nn2 shown a"
UPHELD = {
    "nothing happened": "",
    "the same order everywhere": "n1 posted a\nn2 posted b\nn1 shown a\nn1 shown b\nn2 shown a\nn2 shown b",
    "a cause and its effect, swapped: another question": "n1 posted a\nn1 posted b\nn1 shown a\nn1 shown b\nn2 shown b\nn2 shown a",
    "no two nodes show both": "n1 posted a\nn2 posted b\nn1 shown a\nn2 shown b",
    "a copy that is shown later": "n1 posted a\nn2 posted b\nn1 shown a\nn1 shown b\nn1 shown a\nn2 shown a\nn2 shown b",
}


@pytest.mark.parametrize("text", UPHELD.values(), ids=UPHELD)
def test_it_upholds(text: str) -> None:
    assert isinstance(OneOrder().check(small.trace_of(text)), Upheld)


def test_two_nodes_with_two_orders_refute_it() -> None:
    verdict = OneOrder().check(small.trace_of(SWAPPED))
    assert isinstance(verdict, Refuted)
    assert verdict.anomaly.story == (
        'n1 posts a ("a") at 0 ms',
        'n2 posts b ("b") at 1e-06 ms',
        "Neither a nor b happened before the other",
        "n1 shows a at 2e-06 ms and then b at 3e-06 ms",
        "n2 shows b at 4e-06 ms and then a at 5e-06 ms",
    )


@given(small.traces() | small.showings())
def test_it_agrees_with_the_definition(trace: Trace) -> None:
    assert isinstance(OneOrder().check(trace), Upheld) == small.is_in_one_order(trace)


def test_a_message_that_nobody_posted_has_no_order() -> None:
    assert isinstance(OneOrder().check(small.trace_of("n1 shown a")), Undecided)
