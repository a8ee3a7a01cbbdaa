"""Every verdict and every bound against its definition, on small random histories of one register."""

from __future__ import annotations

import random
from importlib import import_module
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from upheld.checkers.linearizability import check_linearizability
from upheld.checkers.staleness import NoStalerThan, decide
from upheld.checkers.verdict import Refuted, Upheld, Verdict
from upheld.histories.history import History
from upheld.histories.notation import parse

defined: Any = import_module("staleness_by_definition")

ALL = ("register.safe", "register.regular", "register.k-atomic", "register.delta-atomic", "register.t-visible")
SEEDS = range(400)
LARGEST = 6


def histories() -> st.SearchStrategy[History]:
    return st.builds(
        lambda seed, size: parse(defined.random_history(random.Random(seed), size)),
        st.integers(0, 2**32),
        st.integers(1, LARGEST),
    )


def must_agree(history: History) -> None:
    """All verdicts with all definitions; witnesses and counter-examples stand on their own."""
    found = decide(history, ALL)
    timed, placed = defined.ops(history, timed=True), defined.ops(history, timed=False)
    everything = [*placed, *pending_writes(history)]
    reads = [each for each in placed if not each.is_write]
    values = {None, *(each.value for each in everything if each.is_write)}
    is_odd = any(read.value not in values for read in reads)
    agrees(
        found["register.regular"],
        all(not_odd(read, values) and defined.is_regular_read(read, placed) for read in reads),
    )
    agrees(found["register.safe"], all(defined.is_safe_read(read, everything) for read in reads))
    least = defined.IMPOSSIBLE if is_odd else defined.least_k(placed)
    agrees(found["register.k-atomic"], least < defined.IMPOSSIBLE)
    agrees(found["register.delta-atomic"], least < defined.IMPOSSIBLE)
    agrees(found["register.t-visible"], not is_odd)
    if least < defined.IMPOSSIBLE:
        assert found["register.k-atomic"].evidence["k"] == least
        is_least(
            found["register.delta-atomic"].evidence["delta_ns"], lambda delta: defined.is_delta_atomic(timed, delta)
        )
    if not is_odd:
        is_least(found["register.t-visible"].evidence["t_ns"], lambda t: defined.is_t_visible(timed, t))
    for verdict in found.values():
        stands(history, verdict)


def not_odd(read: Any, values: set[Any]) -> bool:
    return read.value in values


def pending_writes(history: History) -> list[Any]:
    """Writes of unknown outcome that nobody read."""
    seen = {each.result for each in history.operations if each.action == "read"}
    return [
        defined.Op(True, each.argument, each.began, defined.NEVER)
        for each in history.operations
        if each.is_pending and each.action == "write" and each.argument not in seen
    ]


def agrees(verdict: Verdict, holds: Any) -> None:
    assert isinstance(verdict, Upheld if holds else Refuted), verdict


def is_least(bound: int, suffices: Any) -> None:
    assert suffices(bound)
    assert bound == 0 or not suffices(bound - 1)


def stands(history: History, verdict: Verdict) -> None:
    """A witness is found right by its own check; a counter-example is refuted by itself, and no part of it is."""
    if isinstance(verdict, Upheld):
        verdict.witness.recheck(history)
        return
    assert isinstance(verdict, Refuted)
    left = verdict.anomaly.history
    assert left is not None
    for part, shows in [(left, True), *((left.without([each]), False) for each in left.operations)]:
        again = decide(part, [verdict.consistency])[verdict.consistency]
        assert (isinstance(again, Refuted) and again.anomaly.kind == verdict.anomaly.kind) is shows


@pytest.mark.parametrize("seed", SEEDS)
def test_verdicts_are_those_of_the_definitions(seed: int) -> None:
    dice = random.Random(seed)
    must_agree(parse(defined.random_history(dice, dice.randint(2, LARGEST))))


@settings(max_examples=60, deadline=None)
@given(histories())
def test_verdicts_are_those_of_the_definitions_wherever_hypothesis_looks(history: History) -> None:
    must_agree(history)


def test_the_sample_has_all_that_is_to_be_told_apart() -> None:
    seen: set[Any] = set()
    for seed in SEEDS:
        dice = random.Random(seed)
        for model, verdict in decide(parse(defined.random_history(dice, dice.randint(2, LARGEST))), ALL).items():
            kind = verdict.anomaly.kind if isinstance(verdict, Refuted) else ""
            bounded = verdict.evidence.get("k", verdict.evidence.get("delta_ns", verdict.evidence.get("t_ns", 0)))
            seen.add((model, kind, min(bounded, 3)))
    assert {("register.k-atomic", "", k) for k in (1, 2, 3)} <= seen
    assert {(model, "", 3) for model in ("register.delta-atomic", "register.t-visible")} <= seen
    assert {(model, kind) for model, kind, _ in seen} >= {
        *((model, kind) for model in ALL[:2] for kind in ("stale-read", "future-read", "thin-air-read")),
        *((model, "future-read") for model in ALL[2:4]),
    }


@settings(max_examples=60, deadline=None)
@given(histories())
def test_one_version_is_linearizability(history: History) -> None:
    linearizable = check_linearizability(history, "register")
    assert type(NoStalerThan(k=1).check(history)) is type(linearizable)


@settings(max_examples=60, deadline=None)
@given(histories(), st.sampled_from(["k", "delta_ns", "t_ns"]))
def test_a_bound_below_the_least_is_refuted_by_a_smallest_part(history: History, bound: str) -> None:
    model = {"k": "register.k-atomic", "delta_ns": "register.delta-atomic", "t_ns": "register.t-visible"}[bound]
    measured = decide(history, [model])[model]
    if isinstance(measured, Refuted):
        return
    least = measured.evidence[bound]
    assert isinstance(NoStalerThan(**{bound: least}).check(history), Upheld)
    if least == (bound == "k"):
        return
    judge = NoStalerThan(**{bound: least - 1})
    verdict = judge.check(history)
    assert isinstance(verdict, Refuted)
    left = verdict.anomaly.history
    assert left is not None
    assert isinstance(judge.check(left), Refuted)
    for each in left.operations:
        part = judge.check(left.without([each]))
        assert isinstance(part, Upheld) or (isinstance(part, Refuted) and part.anomaly.kind == "thin-air-read")
