"""Counter: each read is a sum that the additions around it can make."""

from __future__ import annotations

from importlib import import_module
from itertools import chain, combinations
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from upheld.checkers.invariants import Counter
from upheld.checkers.invariants.ranges import RANGES_MAX, Ranges
from upheld.checkers.verdict import Upheld
from upheld.histories.errors import MalformedHistory
from upheld.histories.history import Header, History
from upheld.histories.notation import parse
from upheld.testing.traces import cases, outcome, story

small = import_module("small_invariants")


@pytest.mark.parametrize(
    ("text", "expected"),
    cases(
        ("all of them", "0 invoke add 3; 0 ok add; 1 invoke read; 1 ok read 3", "upheld"),
        ("too few", "0 invoke add 3; 0 ok add; 1 invoke read; 1 ok read 2", "too-low"),
        ("too many", "0 invoke add 3; 0 ok add; 1 invoke read; 1 ok read 4", "too-high"),
        ("one under way is counted", "0 invoke add 3; 1 invoke read; 1 ok read 3; 0 ok add", "upheld"),
        ("one under way is not counted", "0 invoke add 3; 1 invoke read; 1 ok read 0; 0 ok add", "upheld"),
        ("half of it is counted", "0 invoke add 3; 1 invoke read; 1 ok read 2; 0 ok add", "impossible-sum"),
        ("one that began later", "1 invoke read; 1 ok read 3; 0 invoke add 3; 0 ok add", "too-high"),
        ("one that failed", "0 invoke add 3; 0 fail add; 1 invoke read; 1 ok read 3", "too-high"),
        ("a pending one shows", "0 invoke add 3; 0 info add; 1 invoke read; 1 ok read 3", "upheld"),
        ("a pending one does not show", "0 invoke add 3; 0 info add; 1 invoke read; 1 ok read 0", "upheld"),
        (
            "it goes down, too",
            "0 invoke add 3; 0 ok add; 0 invoke decrement; 0 ok decrement; 1 invoke read; 1 ok read 2",
            "upheld",
        ),
        ("too far down", "0 invoke subtract 3; 0 ok subtract; 1 invoke read; 1 ok read -4", "too-low"),
        ("not down", "0 invoke subtract 3; 0 ok subtract; 1 invoke read; 1 ok read 0", "too-high"),
        ("a negative addition", "0 invoke add -3; 0 ok add; 1 invoke read; 1 ok read -3", "upheld"),
        ("another counter", "0 invoke add x: 3; 0 ok add x:; 1 invoke read y:; 1 ok read y: 3", "too-high"),
        ("nothing is read", "0 invoke add 3; 0 ok add", "undecided"),
        ("the read is pending", "0 invoke add 3; 0 ok add; 1 invoke read; 1 info read", "undecided"),
    ),
)
def test_a_read_is_a_sum_that_can_be(text: str, expected: str) -> None:
    assert small.judged(Counter(), parse(text.replace(";", "\n"))) == expected


def test_the_story_needs_no_more_additions_than_prove_it() -> None:
    text = "".join(f"0 invoke add {delta}\n0 ok add\n" for delta in (1, 5, 2)) + "1 invoke read\n1 ok read 4\n"
    assert story(Counter().check(parse(text))) == (
        "4 is read, where only 8 could be:\n"
        "  events 2 to 3, process 0: add(5)\n"
        "  events 6 to 7, process 1: read() -> 4\n"
        "A read counts each addition that had ended before it, none that began after it or failed, and any others or not."
    )


def test_a_counter_begins_where_the_header_says() -> None:
    text = "1 invoke read\n1 ok read 7\n"
    assert outcome(Counter().check(parse(text, header=Header(initial=7)))) == "upheld"
    assert outcome(Counter().check(parse("1 invoke read\n1 ok read null\n", header=Header(initial=7)))) == "upheld"


def test_a_read_of_null_may_be_said_to_tell_nothing() -> None:
    text = "0 invoke add 1\n0 ok add\n1 invoke read\n1 ok read null\n"
    assert outcome(Counter().check(parse(text))) == "too-low"
    assert outcome(Counter().check(parse(text, header=Header(nil_read="unknown")))) == "undecided"


@pytest.mark.parametrize("text", ["0 invoke add x\n0 ok add\n", "0 invoke read\n0 ok read 1.5\n"])
def test_counters_count_in_integers(text: str) -> None:
    with pytest.raises(MalformedHistory, match="as an integer"):
        Counter().check(parse(text))


def test_when_too_many_sums_are_possible_only_bounds_are_judged() -> None:
    pending = "".join(f"{at} invoke add {3**at}\n{at} info add\n" for at in range(12))
    total = sum(3**at for at in range(12))

    def read(value: int) -> str:
        return outcome(Counter().check(parse(f"{pending}50 invoke read\n50 ok read {value}\n")))

    assert RANGES_MAX < 2**12
    assert (read(2), read(total), read(-1)) == ("undecided", "undecided", "too-low")
    assert read(total + 1) == "too-high"


def test_a_few_large_numbers_cost_no_more_than_small_ones() -> None:
    text = "0 invoke add 1000000000000\n0 info add\n1 invoke add 2000000000000\n1 info add\n2 invoke read\n2 ok read 2000000000000\n"
    assert isinstance(Counter().check(parse(text)), Upheld)


REQUESTS = st.one_of(
    st.tuples(st.just("add"), st.none(), st.integers(-2, 4)),
    st.just(("read", None, None)),
    st.just(("decrement", None, None)),
)


def sums(deltas: list[int]) -> set[int]:
    """The sums of every part of these."""
    parts = chain.from_iterable(combinations(deltas, size) for size in range(len(deltas) + 1))
    return {sum(part) for part in parts}


@given(small.histories(REQUESTS, lambda request: st.integers(-3, 6) if request[0] == "read" else st.none()))
def test_a_read_is_the_sum_of_what_counts_and_of_any_part_of_what_may(history: History) -> None:
    def delta(operation: Any) -> int:
        return -1 if operation.action == "decrement" else int(operation.argument)

    updates = [*small.possible(history, "add"), *small.possible(history, "decrement")]
    explained = []
    for read in small.ok(history, "read"):
        certain = [delta(each) for each in updates if each.precedes(read) and not each.is_pending]
        optional = [
            delta(each)
            for each in updates
            if small.may_precede(each, read) and (each.is_pending or not each.precedes(read))
        ]
        explained.append(read.result - sum(certain) in sums(optional))
    expected = {"upheld"} if explained else {"undecided"}
    assert small.judged(Counter(), history) in (
        expected if all(explained) else {"too-low", "too-high", "impossible-sum"}
    )


@given(st.lists(st.integers(-6, 6), max_size=6))
def test_ranges_hold_the_sums_and_nothing_else(deltas: list[int]) -> None:
    ranges = Ranges(((0, 0),))
    for delta in deltas:
        ranges = ranges.or_plus(delta)
    assert {number for number in range(-40, 41) if number in ranges} == sums(deltas)
    assert (ranges.least, ranges.greatest) == (min(sums(deltas)), max(sums(deltas)))
