"""The clock condition: traces of known verdict, the story, and the definition."""

from __future__ import annotations

from importlib import import_module

import pytest
from hypothesis import given

from upheld.checkers.causality.clocks import COUNTING, PAIRWISE, ClockCondition, clock_of
from upheld.checkers.causality.happens_before import HappensBefore
from upheld.checkers.verdict import Refuted, Undecided, Upheld
from upheld.histories.errors import MalformedHistory
from upheld.histories.trace import Note, Trace

small = import_module("small_traces")

UPHELD = {
    "nothing happened": "",
    "a cause has the lesser clock": "n1 posted a {n1:1}\nn2 delivered a\nn2 posted b {n1:1,n2:1}",
    "concurrent messages have clocks that cannot be compared": "n1 posted a {n1:1}\nn2 posted b {n2:1}",
    "zeros may stand or not": "n1 posted a {n1:1,n2:0}\nn2 posted b {n1:0,n2:1}",
    "clocks that count more than messages": "n1 posted a {n1:5}\nn2 delivered a\nn2 posted b {n1:5,n2:9}",
    "concurrent messages may even have the same clock": "n1 posted a {x:1}\nn2 posted b {x:1}",
}

REFUTED = {
    "a clock that was not merged": ("causality-lost", "n1 posted a {n1:1}\nn2 delivered a\nn2 posted b {n2:1}"),
    "a clock that was not counted on": ("causality-lost", "n1 posted a {n1:1}\nn1 posted b {n1:1}"),
    "a clock that was lost in a crash": (
        "causality-lost",
        "n1 posted a {n1:1}\nn1 posted b {n1:2}\nn1 crash\nn1 restart\nn1 posted c {n1:1}",
    ),
    "a scalar clock orders what is concurrent": ("causality-invented", "n1 posted a {t:1}\nn2 posted b {t:2}"),
    "a clock that was merged before its message was taken in": (
        "causality-invented",
        "n1 posted a {n1:1}\nn2 posted b {n1:1,n2:1}",
    ),
    "the later message has the lesser clock": ("causality-lost", "n1 posted a {n1:2}\nn1 posted b {n1:1}"),
}


@pytest.mark.parametrize("text", UPHELD.values(), ids=UPHELD)
def test_it_upholds(text: str) -> None:
    assert isinstance(ClockCondition().check(small.trace_of(text)), Upheld)


@pytest.mark.parametrize(("kind", "text"), REFUTED.values(), ids=REFUTED)
def test_it_refutes(kind: str, text: str) -> None:
    verdict = ClockCondition().check(small.trace_of(text))
    assert isinstance(verdict, Refuted)
    assert verdict.anomaly.kind == kind


@given(small.traces(clocks=True))
def test_it_agrees_with_the_definition(trace: Trace) -> None:
    verdict = ClockCondition().check(trace)
    assert isinstance(verdict, Upheld) == small.meets_the_clock_condition(trace)
    assert not isinstance(verdict, Undecided)


@given(small.traces(clocks=True))
def test_a_refutation_names_two_messages_whose_clocks_are_wrong_about_them(trace: Trace) -> None:
    match ClockCondition().check(trace):
        case Refuted(anomaly):
            one, two = anomaly.facts
            is_before = (one.facts[0], two.facts[0]) in small.happened_before(trace)
            clocks = [dict(clock_of(post)) for post in HappensBefore(trace).posts if post.note in anomaly.facts]
            match anomaly.kind:
                case "causality-lost":
                    assert is_before
                    assert not small.is_less(*clocks)
                case "causality-invented":
                    assert small.is_less(*clocks) or small.is_less(*reversed(clocks))
                    assert not (is_before and small.is_less(*clocks))


def test_clocks_that_count_messages_need_no_comparison_of_pairs() -> None:
    assert ClockCondition().check(small.trace_of("n1 posted a {n1:1}\nn1 posted b {n1:2}")).method == COUNTING
    assert ClockCondition().check(small.trace_of("n1 posted a {n1:1}\nn1 posted b {n1:3}")).method == PAIRWISE


def test_the_story_of_a_lost_cause_says_how_it_came_about() -> None:
    verdict = ClockCondition().check(small.trace_of("n1 posted a {n1:1}\nn2 delivered a\nn2 posted b {n2:1}"))
    assert isinstance(verdict, Refuted)
    assert verdict.anomaly.story == (
        'n1 posts a ("a") at 0 ms',
        "n2 takes in a at 1e-06 ms",
        'n2 posts b ("b") at 2e-06 ms',
        "So a happened before b",
        "Yet the clock {n1: 1} is not less than {n2: 1}",
    )


def test_the_story_of_an_invented_cause_says_what_had_come_by_then() -> None:
    text = "n1 posted a {n1:1}\nn2 delivered a\nn1 posted b {n1:2}\nn2 posted c {n1:2,n2:1}"
    verdict = ClockCondition().check(small.trace_of(text))
    assert isinstance(verdict, Refuted)
    assert verdict.anomaly.story == (
        'n1 posts b ("b") at 2e-06 ms',
        'n2 posts c ("c") at 3e-06 ms',
        "The clock {n1: 2} is less than {n1: 2, n2: 1}, as if b had happened before c",
        "Yet no message of n1 after a had come to n2 by then",
    )


def test_upheld_carries_counts() -> None:
    verdict = ClockCondition().check(small.trace_of("n1 posted a {n1:1}\nn1 posted b {n1:2}\nn2 posted c {n2:1}"))
    assert verdict.evidence == {"messages": 3, "deliveries": 0, "ordered_pairs": 1, "concurrent_pairs": 2}


def test_numbers_of_any_size_are_compared() -> None:
    huge = 10**40
    assert isinstance(
        ClockCondition().check(small.trace_of(f"n1 posted a {{n1:{huge}}}\nn1 posted b {{n1:{huge + 1}}}")), Upheld
    )


@pytest.mark.parametrize("clock", [3, "n1", (("n1",),), (("n1", "one"),), ((1, 1),), (("n1", True),), None])
def test_what_is_no_clock_is_malformed(clock: object) -> None:
    trace = Trace([Note(0, "n1", "posted", ("a", clock, None, "a"))], nodes=("n1",))  # type: ignore[arg-type]  # a clock that is none is the point
    with pytest.raises(MalformedHistory, match="pairs of a node and a number"):
        ClockCondition().check(trace)
