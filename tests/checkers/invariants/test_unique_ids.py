"""Identifiers: given out once, and in order where that is claimed."""

from __future__ import annotations

from importlib import import_module
from itertools import combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from upheld.checkers.invariants import UniqueIds
from upheld.checkers.verdict import Undecided
from upheld.histories.errors import MalformedHistory
from upheld.histories.history import Header, History
from upheld.histories.notation import parse
from upheld.testing.traces import outcome, story

small = import_module("small_invariants")


def given_out(*ids: str) -> History:
    """One after the other, by two clients in turn."""
    return parse("".join(f"{at % 2} invoke generate\n{at % 2} ok generate {each}\n" for at, each in enumerate(ids)))


@pytest.mark.parametrize(
    ("ids", "plain", "session", "real_time"),
    [
        (["1", "2", "3"], "upheld", "upheld", "upheld"),
        (["1", "2", "1"], "duplicate-id", "duplicate-id", "duplicate-id"),
        (["2", "1", "4", "3"], "upheld", "upheld", "id-out-of-order"),
        (["3", "2", "1"], "upheld", "id-out-of-order", "id-out-of-order"),
        (['"a"', '"b"'], "upheld", "upheld", "upheld"),
        (["1", '"1"'], "upheld", "undecided", "undecided"),
        (["1", "true", "1.0"], "upheld", "undecided", "undecided"),
        (["[1,2]", "[1,3]"], "upheld", "undecided", "undecided"),
        (["1"], "undecided", "undecided", "undecided"),
    ],
)
def test_identifiers_are_unique_and_ordered(ids: list[str], plain: str, session: str, real_time: str) -> None:
    history = given_out(*ids)
    assert small.judged(UniqueIds(), history) == plain
    assert small.judged(UniqueIds(order="session"), history) == session
    assert small.judged(UniqueIds(order="real-time"), history) == real_time


def test_requests_that_overlap_have_no_order() -> None:
    both = "0 invoke generate\n1 invoke generate\n1 ok generate 9\n0 ok generate 3\n"
    assert outcome(UniqueIds(order="real-time").check(parse(both))) == "upheld"


def test_identifiers_of_two_generators_may_be_alike() -> None:
    text = "".join(f"0 invoke generate {key}:\n0 ok generate {key}: 1\n" for key in "xy")
    assert outcome(UniqueIds().check(parse(text))) == "undecided"


def test_the_story_shows_both_requests() -> None:
    assert story(UniqueIds().check(given_out("7", "8", "7"))) == (
        "7 is given out twice:\n"
        "  events 0 to 1, process 0: generate() -> 7\n"
        "  events 4 to 5, process 0: generate() -> 7\n"
        "An identifier is given out once."
    )


def test_an_answer_without_an_identifier_is_malformed() -> None:
    with pytest.raises(MalformedHistory, match="which identifier"):
        UniqueIds().check(parse("0 invoke generate\n0 ok generate\n"))


def test_real_time_has_to_be_known() -> None:
    header = Header(order="time", clocks=2)
    text = "0 invoke generate time=1\n0 ok generate 1 time=2\n"
    verdict = UniqueIds(order="real-time").check(parse(text, header=header))
    assert isinstance(verdict, Undecided)
    assert "clocks" in verdict.reason
    assert not verdict.is_vacuous


REQUESTS = st.just(("generate", None, None))


@given(small.histories(REQUESTS, lambda _: st.integers(1, 6)))
def test_each_order_is_its_definition(history: History) -> None:
    given_out = small.ok(history, "generate")
    pairs = list(combinations(given_out, 2))
    alike = any(one.result == other.result for one, other in pairs)
    late = [(one, other) for one, other in pairs if one.precedes(other) and other.result < one.result]
    same = any(one.session == other.session for one, other in late)

    def expected(*, backwards: bool) -> str:
        return "duplicate-id" if alike else "id-out-of-order" if backwards else "upheld" if pairs else "undecided"

    assert small.judged(UniqueIds(), history) == expected(backwards=False)
    assert small.judged(UniqueIds(order="session"), history) == expected(backwards=same)
    assert small.judged(UniqueIds(order="real-time"), history) == expected(backwards=bool(late))
