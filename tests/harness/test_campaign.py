"""What a campaign makes of the results of runs does not depend on the order in which they arrive."""

from __future__ import annotations

from itertools import permutations

import pytest

from upheld.harness.campaign import Campaign
from upheld.harness.engines import Done
from upheld.harness.hearing import Heard, Judged


def heard(seed: int, word: str = "upheld", *, kind: str = "", at_risk: int = 1, lacking: str = "") -> Done:
    judged = Judged(word, kind=kind, reason="out of steps" if word == "undecided" else "", at_risk=at_risk)
    return Done("key", seed, Heard(operations=5, judged={"a": judged}, fired={"crash": seed}, lacking=lacking))


def campaign(
    needed: int = 2, seeds: int = 6, kinds: tuple[str, ...] = (), *, content: bool = True, keeps_going: bool = False
) -> Campaign:
    return Campaign({"a": content}, range(seeds), needed=needed, kinds=kinds, keeps_going=keeps_going)


RUNS = [heard(0), heard(1, "refuted", kind="x"), heard(2, "refuted", kind="y"), heard(3)]


@pytest.mark.parametrize("order", list(permutations(range(4))), ids=str)
def test_the_lowest_failing_seed_is_the_first_failure_in_any_order_of_arrival(order: tuple[int, ...]) -> None:
    group = campaign(needed=10)
    found = [failure for number in order for failure in group.take(RUNS[number])]
    assert found == [("a", "x", 1)]
    assert group.is_over
    assert group.tallies["a"].runs == 2


def test_it_is_over_when_its_claims_have_the_runs_that_they_need() -> None:
    group = campaign(needed=2)
    assert list(group.take(heard(0))) == []
    assert not group.is_over
    assert list(group.take(heard(1))) == []
    assert group.is_over


@pytest.mark.parametrize(
    ("run", "counted"),
    [
        (heard(0), (1, 0, 0)),
        (heard(0, "undecided"), (0, 1, 0)),
        (heard(0, at_risk=0), (0, 0, 1)),
        (heard(0, lacking="only 0 of 1 read completed while faults acted"), (0, 0, 1)),
        (heard(0, "refuted", kind="x", lacking="only 0 of 1 read completed while faults acted"), (1, 0, 0)),
        (Done("key", 0, None, lost="seed 0 killed its worker"), (0, 1, 0)),
    ],
    ids=["judged", "undecided", "never at risk", "too little done", "refuted although little was done", "lost"],
)
def test_runs_that_prove_nothing_are_counted_apart(run: Done, counted: tuple[int, int, int]) -> None:
    group = campaign()
    list(group.take(run))
    tally = group.tallies["a"]
    assert (tally.runs, tally.undecided, tally.vacuous) == counted


def test_it_goes_on_until_every_kind_of_fault_has_fired() -> None:
    group = campaign(needed=1, kinds=("crash",))
    list(group.take(heard(0)))
    assert group.quiet_kinds == ("crash",)
    assert not group.is_over
    list(group.take(heard(1)))
    assert group.is_over


FAILING = [
    heard(0, "refuted", kind="x"),
    heard(1, lacking="only 0 of 1 read completed while faults acted"),
    heard(2, "refuted", kind="y"),
    heard(3, "refuted", kind="x"),
    Done("key", 4, None, lost="seed 4 hung for more than 1 s"),
]


@pytest.mark.parametrize("order", list(permutations(range(5)))[::7], ids=str)
def test_one_that_keeps_going_counts_every_seed_and_tells_the_first_of_each_kind(order: tuple[int, ...]) -> None:
    group = campaign(seeds=5, content=False, keeps_going=True)
    found = [failure for number in order for failure in group.take(FAILING[number])]
    assert found == [("a", "x", 0), ("a", "y", 2)]
    assert group.is_over
    tally = group.tallies["a"]
    assert (tally.failures, tally.refuted) == ({"x": 0, "y": 2}, {"x": 2, "y": 1})
    assert (tally.runs, tally.vacuous, tally.undecided) == (3, 1, 1)


def test_what_proves_nothing_is_told_with_its_reasons_and_the_rest_completed_its_minimum() -> None:
    group = campaign(seeds=5, content=False, keeps_going=True)
    for run in FAILING:
        list(group.take(run))
    assert group.unproven == {"only 0 of 1 read completed while faults acted": 1, "seed 4 hung for more than 1 s": 1}
    assert (group.completed, group.taken) == (3, 5)
