"""Whatever a pass proposes makes sense for the system, whichever of its proposals fail; and it comes to an end."""

from __future__ import annotations

from functools import cache
from importlib import import_module

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from upheld.harness.plan import Plan
from upheld.harness.simplify import STAGES, Failure, Simplify
from upheld.harness.swarm import generate_plan
from upheld.harness.system import System
from upheld.harness.trial import check_plan, run_plan

toys = import_module("toys")

ALL = tuple(dict.fromkeys(simplify for stage in STAGES for simplify in (*stage.passes, *stage.detours)))
SYSTEMS: dict[str, System] = {"counters": toys.COUNTERS, "members that come and go": toys.CLUB}
PROPOSALS_MAX = 150


@cache
def failure_of(name: str, seed: int) -> Failure:
    system = SYSTEMS[name]
    plan = generate_plan(system, workload="adding", seed=seed)
    run = run_plan(plan, system)
    return Failure(run, run.ended_ns // 2, retrace=lambda: run_plan(plan, system, trace="full"))


def proposed(simplify: Simplify, failure: Failure, answers: list[bool]) -> list[Plan]:
    """What a pass proposes when it is given these answers, again and again."""
    proposals = simplify(failure)
    found: list[Plan] = []
    try:
        found.append(next(proposals))
        while len(found) < PROPOSALS_MAX:
            found.append(proposals.send(answers[len(found) % len(answers)]))
    except StopIteration:
        pass
    return found


@pytest.mark.parametrize("system", sorted(SYSTEMS))
@pytest.mark.parametrize("simplify", ALL, ids=lambda simplify: simplify.__name__)
@settings(max_examples=5, deadline=None)
@given(seed=st.integers(0, 7), answers=st.lists(st.booleans(), min_size=1, max_size=8))
def test_all_that_is_proposed_makes_sense(simplify: Simplify, system: str, seed: int, answers: list[bool]) -> None:
    for plan in proposed(simplify, failure_of(system, seed), answers):
        check_plan(plan, SYSTEMS[system])


@pytest.mark.parametrize("simplify", STAGES[-1].passes, ids=lambda simplify: simplify.__name__)
def test_a_pass_whose_proposals_all_fail_ends(simplify: Simplify) -> None:
    for seed in range(4):
        assert len(proposed(simplify, failure_of("counters", seed), [True])) < PROPOSALS_MAX


@pytest.mark.parametrize("simplify", STAGES[-1].passes, ids=lambda simplify: simplify.__name__)
def test_no_pass_makes_a_plan_larger(simplify: Simplify) -> None:
    for seed in range(4):
        failure = failure_of("counters", seed)
        for plan in proposed(simplify, failure, [False, True]):
            assert all(now <= before for now, before in zip(plan.size, failure.plan.size, strict=True))
