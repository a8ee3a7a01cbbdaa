"""Consensus as clients see it: one value, and a proposed one."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from upheld.checkers.consensus import OneAnswer
from upheld.checkers.verdict import Refuted
from upheld.histories.event import Event, Kind
from upheld.histories.history import History
from upheld.testing.traces import outcome, story

Operations = list[tuple[str, int | None, int | None]]


def history(operations: Operations) -> History:
    """Operations one after the other: action, argument and result; a negative result leaves it open."""
    events = []
    for process, (action, argument, result) in enumerate(operations):
        events.append(Event(process=process, kind=Kind.INVOKE, action=action, value=argument))
        if result is None or result >= 0:
            events.append(Event(process=process, kind=Kind.OK, action=action, value=result))
    return History.of_events(events)


@pytest.mark.parametrize(
    ("operations", "expected"),
    [
        ([], "undecided"),
        ([("learn", None, None), ("propose", 7, -1)], "undecided"),
        ([("propose", 7, 7), ("learn", None, 7), ("propose", 8, 7)], "upheld"),
        ([("propose", 8, -1), ("propose", 7, 8)], "upheld"),
        ([("propose", 7, 7), ("propose", 8, 8)], "two-answers"),
        ([("learn", None, 7)], "not-proposed"),
        ([("learn", None, 7), ("propose", 7, 7)], "not-proposed"),
    ],
)
def test_clients_are_told_one_value_that_was_proposed(operations: Operations, expected: str) -> None:
    assert outcome(OneAnswer().check(history(operations))) == expected


def test_the_story_shows_the_answers() -> None:
    assert (
        story(OneAnswer().check(history([("propose", 7, 7), ("propose", 8, 8)]))).splitlines()[0]
        == "Two answers differ:"
    )


@given(
    st.lists(
        st.one_of(
            st.tuples(st.just("propose"), st.integers(1, 2), st.integers(-1, 2)),
            st.tuples(st.just("learn"), st.none(), st.sampled_from((None, 1, 2))),
        ),
        max_size=5,
    )
)
def test_it_refutes_exactly_what_the_definition_calls_broken(operations: Operations) -> None:
    told = [(at, result) for at, (_, _, result) in enumerate(operations) if result is not None and result >= 0]
    broken = len({value for _, value in told}) > 1 or any(
        value not in {argument for action, argument, _ in operations[: at + 1] if action == "propose"}
        for at, value in told
    )
    assert isinstance(OneAnswer().check(history(operations)), Refuted) == broken
