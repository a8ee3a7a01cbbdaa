"""Merges and updates that keep the laws, and those that break one each, with the smallest states that show it."""

from __future__ import annotations

from collections.abc import Callable
from itertools import product
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from upheld.checkers.crdt import concurrent_steps_commute, merge_is_a_join, updates_inflate
from upheld.checkers.crdt.laws import _chosen
from upheld.checkers.verdict import Refuted, Undecided, Upheld

SETS = [frozenset(chosen) for chosen in ("", "a", "b", "ab", "bc", "abc")]


def test_union_keeps_all_laws() -> None:
    verdict = merge_is_a_join(SETS, frozenset.union)
    assert isinstance(verdict, Upheld)
    assert verdict.evidence["tried"] == {
        "idempotent": "6 of 6",
        "commutative": "36 of 36",
        "inflationary": "36 of 36",
        "associative": "216 of 216",
    }


def first_of(one: str, _: str) -> str:
    return one


def rock_paper_scissors(one: str, other: str) -> str:
    beats = {("rock", "scissors"), ("scissors", "paper"), ("paper", "rock")}
    return one if one == other or (one, other) in beats else other


BROKEN: dict[str, tuple[list[Any], Callable[[Any, Any], Any], str]] = {
    "a sum is not idempotent": ([0, 1, 2], lambda a, b: a + b, "not-idempotent"),
    "the first one is not commutative": (["x", "y"], first_of, "not-commutative"),
    "an average forgets": ([0.0, 1.0], lambda a, b: (a + b) / 2, "not-inflationary"),
    "rock, paper and scissors are not associative": (
        ["paper", "rock", "scissors"],
        rock_paper_scissors,
        "not-associative",
    ),
}


@pytest.mark.parametrize(("states", "merge", "kind"), BROKEN.values(), ids=BROKEN)
def test_a_law_that_is_broken(states: list[Any], merge: Callable[[Any, Any], Any], kind: str) -> None:
    verdict = merge_is_a_join(states, merge)
    assert isinstance(verdict, Refuted)
    assert verdict.anomaly.kind == kind


def test_the_story_shows_the_smallest_states_that_break_the_law() -> None:
    verdict = merge_is_a_join(["xxxx", "yyy", "x", "y"], first_of)
    assert isinstance(verdict, Refuted)
    assert verdict.anomaly.story == (
        "commutative: merge(a, b) = merge(b, a)",
        "a = 'x'",
        "b = 'y'",
        "On the left comes 'x'",
        "On the right comes 'y'",
    )


def test_a_merge_that_changes_its_argument_is_given_copies() -> None:
    def greedy(one: list[int], other: list[int]) -> list[int]:
        one.extend(each for each in other if each not in one)
        return sorted(one)

    states = [[1], [2], [1, 2]]
    assert isinstance(merge_is_a_join(states, greedy), Upheld)
    assert states == [[1], [2], [1, 2]]


def test_no_states_prove_nothing() -> None:
    verdict = merge_is_a_join([], first_of)
    assert isinstance(verdict, Undecided)
    assert verdict.is_vacuous


def test_every_update_goes_up() -> None:
    up, down = (frozenset("a"), frozenset("ab")), (frozenset("ab"), frozenset("a"))
    assert isinstance(updates_inflate([up], frozenset.union), Upheld)
    verdict = updates_inflate([up, down], frozenset.union)
    assert isinstance(verdict, Refuted)
    assert verdict.anomaly.kind == "not-inflationary-update"


def test_concurrent_updates_commute_or_two_of_them_show_that_they_do_not() -> None:
    def apply(state: tuple[str, ...], letter: str) -> tuple[str, ...]:
        return (*state, letter)

    states = [(), ("z",)]
    pairs = [("a", "b")]
    assert isinstance(concurrent_steps_commute(states, pairs, apply, equal=lambda a, b: sorted(a) == sorted(b)), Upheld)
    verdict = concurrent_steps_commute(states, pairs, apply)
    assert isinstance(verdict, Refuted)
    assert verdict.anomaly.story[1:3] == ("a = ()", "b = ('a', 'b')")


@given(st.lists(st.integers(1, 6), min_size=1, max_size=3), st.integers(1, 40))
def test_samples_are_different_combinations_and_all_of_them_where_they_are_few(sizes: list[int], tries: int) -> None:
    everything = list(product(*map(range, sizes)))
    found = list(_chosen(sizes, tries))
    assert len(set(found)) == len(found) == min(tries, len(everything))
    assert set(found) <= set(everything)
