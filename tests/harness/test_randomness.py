"""Luck is the same everywhere, keyed by purpose and place, and fair."""

from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from upheld.harness.plan import Delay
from upheld.harness.randomness import QUANTILES, SHAPES, Luck, delays, stream
from upheld.histories.errors import UsageError

MEAN = 10_000_000


def test_a_stream_is_the_same_on_any_platform_and_in_any_version() -> None:
    drawn = stream(7, "link", "n1>n2")
    assert [drawn.getrandbits(64) for _ in range(3)] == [
        1476205695715066440,
        3642187432528733316,
        6642119117113857952,
    ]
    assert Luck(stream(7, "dice", "n1")).shuffled(range(8)) == [6, 2, 7, 3, 5, 1, 0, 4]


@pytest.mark.parametrize(
    ("shape", "quantiles"),
    [
        ("uniform", (123069, 333374689, 666626309, 999877929)),
        ("exponential", (2220, 4056261, 10985902, 90110133)),
        ("lognormal", (155781, 3944109, 9330677, 237678259)),
        ("heavy_tail", (3334604, 4369080, 6934048, 1000000000)),
    ],
)
def test_a_table_of_delays_is_the_same_on_any_platform_and_in_any_version(
    shape: str, quantiles: tuple[int, ...]
) -> None:
    assert delays(Delay(shape=shape, min_ns=1_000, max_ns=10**9, mean_ns=MEAN))[::1365] == quantiles


def test_streams_of_other_seeds_purposes_and_places_are_other_streams() -> None:
    keys = [(1, "a", "b"), (2, "a", "b"), (1, "b", "b"), (1, "a", "c"), (1, "a", "")]
    assert len({stream(*key).getrandbits(64) for key in keys}) == len(keys)


@given(st.integers(0, 10**6), st.integers(1, 10**12))
def test_an_integer_below_n_lies_below_n(seed: int, n: int) -> None:
    assert 0 <= Luck(stream(seed, "test")).below(n) < n


def test_dice_are_fair() -> None:
    luck = Luck(stream(1, "test"))
    counted = Counter(luck.below(6) for _ in range(6000))
    assert set(counted) == set(range(6))
    assert all(850 < count < 1150 for count in counted.values())
    assert len({tuple(luck.shuffled("abc")) for _ in range(200)}) == 6
    assert {luck.choice("xy") for _ in range(50)} == {"x", "y"}
    with pytest.raises(ValueError, match="no integer"):
        luck.below(0)


@pytest.mark.parametrize(
    ("shape", "mean", "median"),
    [
        ("exponential", 1.0, 0.693147),
        ("lognormal", 1.0, 0.606531),
        ("heavy_tail", 1.0, 0.529134),
    ],
)
def test_a_distribution_of_delays_has_its_mean_and_median(shape: str, mean: float, median: float) -> None:
    table = delays(Delay(shape=shape, min_ns=0, max_ns=10**12, mean_ns=MEAN))
    assert sum(table) / QUANTILES / MEAN == pytest.approx(mean, rel=0.03)
    assert table[QUANTILES // 2] / MEAN == pytest.approx(median, rel=0.001)


@pytest.mark.parametrize("shape", SHAPES)
def test_delays_ascend_between_their_bounds(shape: str) -> None:
    table = delays(Delay(shape=shape, min_ns=1_000, max_ns=5_000, mean_ns=2_000))
    assert len(table) == QUANTILES
    assert list(table) == sorted(table)
    assert table[0] >= 1_000
    assert table[-1] <= 5_000


@pytest.mark.parametrize(
    ("delay", "complaint"),
    [
        (Delay(shape="square"), "no delay of shape 'square'"),
        (Delay(min_ns=-1), "negative"),
        (Delay(min_ns=2, max_ns=1), "cannot be at least 2"),
    ],
)
def test_a_delay_that_makes_no_sense_is_a_usage_error(delay: Delay, complaint: str) -> None:
    with pytest.raises(UsageError, match=complaint):
        delays(delay)
