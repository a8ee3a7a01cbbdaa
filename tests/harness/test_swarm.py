"""A seed gives one plan, within the budget of its system, and seeds together reach everything."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from importlib import import_module
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec import structs

from upheld.harness import storm
from upheld.harness.faults import FAULTS
from upheld.harness.plan import Plan, PlannedOperation, parse_plan, write_plan
from upheld.harness.randomness import QUANTILES, delays
from upheld.harness.swarm import DELAY_MAX_NS, generate_plan
from upheld.harness.system import Budget, Stage, System
from upheld.harness.trial import check_plan, run_plan
from upheld.histories.errors import UsageError
from upheld.impl.node import MS, SECOND, Dice

toys = import_module("toys")
COUNTERS: System = toys.COUNTERS
CLUB: System = toys.CLUB
NEED_AN_OPERATOR = {"join", "leave", "wipe", "rollback"}

seeds = st.integers(0, 2**32)
kinds = st.sets(st.sampled_from(list(FAULTS)))
downs = st.sampled_from(["none", "minority", "all"])


def plan_of(seed: int, system: System = COUNTERS, **how: Any) -> Plan:
    return generate_plan(system, workload="adding", seed=seed, **how)


def within(**budget: Any) -> System:
    return replace(CLUB, budget=Budget(**budget))


@settings(max_examples=60, deadline=None)
@given(seeds)
def test_a_seed_gives_one_plan_which_makes_sense_and_survives_a_file(seed: int) -> None:
    plan = plan_of(seed)
    check_plan(plan, COUNTERS)
    assert plan == plan_of(seed)
    assert parse_plan(write_plan(plan)) == plan
    assert plan.phases.end_ns <= 8 * SECOND
    assert all(fault.at_ns is None or fault.at_ns <= plan.phases.heal_ns for fault in plan.faults)
    assert delays(plan.links["*"].delay)[-1] <= DELAY_MAX_NS
    assert plan.client_timeout_ns >= 20 * delays(plan.links["*"].delay)[QUANTILES // 2]


@settings(max_examples=100, deadline=None)
@given(seeds, kinds, downs, st.booleans())
def test_faults_stay_within_the_budget(seed: int, faults: set[str], crashed_max: Any, torn: Any) -> None:
    plan = plan_of(seed, within(faults=frozenset(faults), crashed_max=crashed_max, torn=torn))
    allowed = faults - {"torn"} - ({"crash"} if crashed_max == "none" else set())
    allowed |= {"torn"} if torn and "crash" in faults else set()
    assert {fault.fault for fault in plan.faults} <= allowed


@settings(max_examples=60, deadline=None)
@given(seeds)
def test_never_more_than_a_minority_is_down_where_the_budget_says_so(seed: int) -> None:
    system = within(faults=frozenset({"crash", "partition"}), crashed_max="minority")
    run = run_plan(plan_of(seed, system), system)
    down: set[str] = set()
    for note in run.evidence.trace.of_kind("crash", "restart"):
        (down.add if note.kind == "crash" else down.discard)(note.node)
        assert len(down) <= (run.plan.nodes - 1) // 2


def test_beyond_the_budget_everything_may_happen() -> None:
    nothing = within(crashed_max="none")
    assert not any(plan_of(seed, nothing).faults for seed in range(20))
    faults = [fault for seed in range(120) for fault in plan_of(seed, nothing, beyond_budget=True).faults]
    assert {fault.fault for fault in faults} == set(FAULTS)
    in_place = {fault.fault for fault in faults if fault.fault in {"wipe", "rollback"} and not fault.joins}
    assert in_place == {"wipe", "rollback"}


def test_without_an_operator_nobody_joins_or_leaves() -> None:
    kinds = {fault.fault for seed in range(120) for fault in plan_of(seed, COUNTERS, profile="membership").faults}
    assert kinds == {"crash"}
    beyond = [fault for seed in range(40) for fault in plan_of(seed, COUNTERS, beyond_budget=True).faults]
    assert "wipe" in {fault.fault for fault in beyond}
    assert not any(fault.joins for fault in beyond)


@settings(max_examples=100, deadline=None)
@given(seeds, st.sampled_from(["minority", "all"]))
def test_whoever_goes_for_ever_is_one_of_a_minority_and_nobody_reads_from_it_in_the_end(
    seed: int, crashed_max: Any
) -> None:
    system = within(faults=frozenset({"crash", "rot", *NEED_AN_OPERATOR}), crashed_max=crashed_max, forsaken=True)
    plan = plan_of(seed, system)
    check_plan(plan, system)
    lost = {
        name for fault in plan.faults if fault.fault in {"leave", "wipe", "rollback", "rot"} for name in fault.nodes
    }
    assert len(lost | set(plan.forsaken)) <= (plan.nodes - 1) // 2
    assert all(fault.joins for fault in plan.faults if fault.fault in {"wipe", "rollback"})
    gone = {name for fault in plan.faults if fault.fault in NEED_AN_OPERATOR for name in fault.nodes}
    left = {f"n{number + 1}" for number in range(plan.nodes)} - gone - set(plan.forsaken)
    assert {operation.node for operation in plan.operations if operation.at_ns >= plan.phases.final_ns} == left
    assert {operation.node for operation in plan.operations if operation.at_ns >= plan.phases.heal_ns} <= {*left, ""}


@pytest.mark.parametrize("nodes", range(1, 8))
@pytest.mark.parametrize("crashed_max", ["minority", "all"])
def test_those_that_leave_at_once_or_one_by_one_are_a_minority_together(nodes: int, crashed_max: Any) -> None:
    system = within(faults=frozenset({"leave"}), crashed_max=crashed_max)
    at_once: set[int] = set()
    for seed in range(60):
        leaves = plan_of(seed, system, nodes=nodes).faults
        gone = [name for fault in leaves for name in fault.nodes]
        assert len(set(gone)) == len(gone) <= (nodes - 1) // 2
        at_once |= set(Counter(fault.at_ns for fault in leaves).values())
    assert at_once == set(range(1, (nodes - 1) // 2 + 1))


def test_a_kind_of_more_weight_is_in_more_storms(monkeypatch: pytest.MonkeyPatch) -> None:
    def storms_with(kind: str) -> int:
        return sum(kind in {fault.fault for fault in plan_of(seed).faults} for seed in range(100))

    assert 5 <= storms_with("loss") <= 60
    weighty = structs.replace(FAULTS["loss"], weight=30 * len(FAULTS))
    monkeypatch.setattr(storm, "FAULTS", {**FAULTS, "loss": weighty})
    assert storms_with("loss") >= 90


def test_no_kind_is_without_weight() -> None:
    assert all(kind.weight >= 1 for kind in FAULTS.values())


class AlsoAfterTheHeal(toys.Adding):  # type: ignore[misc, name-defined]  # toys is imported by name
    """Adds at each node once more when all has healed."""

    def operations(self, stage: Stage, dice: Dice) -> Sequence[PlannedOperation]:
        after = [PlannedOperation(0, stage.heal_ns, "add", argument=1, node=node) for node in stage.nodes]
        return [*super().operations(stage, dice), *after]


def after_the_heal(seed: int, **changes: Any) -> tuple[list[str], Plan]:
    """Where clients turn to after the heal, before the final reads, in a cluster that may forsake nodes."""
    variant = replace(CLUB.variants["reference"], workloads={"adding": AlsoAfterTheHeal()})
    budget = Budget(faults=frozenset({"crash"}), forsaken=True)
    plan = plan_of(seed, replace(CLUB, variants={"reference": variant}, budget=budget, **changes), nodes=5)
    return [operation.node for operation in plan.operations if operation.at_ns == plan.phases.heal_ns], plan


def test_after_the_heal_clients_that_would_turn_to_the_dead_are_free_to_turn_to_others() -> None:
    for seed in range(10):
        nodes, plan = after_the_heal(seed)
        assert nodes == ["" if name in plan.forsaken else name for name in plan.node_ids]


def test_after_the_heal_clients_that_are_pinned_to_the_dead_do_nothing_more() -> None:
    seen = set()
    for seed in range(20):
        nodes, plan = after_the_heal(seed, clients_pinned=True)
        home = next(operation.node for operation in plan.operations if operation.client == 0)
        assert nodes == ([] if home in plan.forsaken else [home] * 5)
        seen.add(bool(nodes))
    assert seen == {False, True}


def test_nodes_are_forsaken_only_where_the_budget_says_so() -> None:
    may, may_not = (within(faults=frozenset({"crash"}), forsaken=forsaken) for forsaken in (True, False))
    assert any(plan_of(seed, may).forsaken for seed in range(10))
    assert not any(plan_of(seed, may_not).forsaken for seed in range(10))
    assert not any(plan_of(seed, may, profile="calm").forsaken for seed in range(10))


def test_seeds_together_reach_every_kind_of_fault_shape_and_size() -> None:
    plans = [plan_of(seed, CLUB) for seed in range(200)]
    faults = [fault for plan in plans for fault in plan.faults]
    assert {fault.fault for fault in faults} == set(FAULTS)
    assert {plan.nodes for plan in plans} == set(range(1, 8))
    assert {fault.mode for fault in faults} == {"drop", "hold", "slow"}
    assert {fault.one_way for fault in faults} == {False, True}
    assert {"leader", "c0", "n1"} <= {name for fault in faults for side in fault.sides for name in side}
    assert len({fault.on.event for fault in faults if fault.on}) > 10
    assert len({plan.links["*"].delay.shape for plan in plans}) == 5
    assert {"crash", "pause", "partition"} <= {fault.fault for fault in faults if fault.on}
    on_off = Counter(frozenset(fault.fault for fault in plan.faults) for plan in plans)
    assert len(on_off) > 100
    assert max(len(kinds) for kinds in on_off) <= 7


def test_some_links_keep_the_order_of_sending_and_none_goes_on_hurting_after_the_heal() -> None:
    links = [plan_of(seed).links["*"] for seed in range(400)]
    assert 60 <= sum(link.fifo for link in links) <= 140
    assert not any(link.loss or link.duplicate or link.bytes_per_s or link.queue for link in links)


def test_a_profile_narrows_the_kinds_and_calm_has_none() -> None:
    assert {fault.fault for seed in range(20) for fault in plan_of(seed, profile="partitions").faults} == {"partition"}
    assert {fault.fault for seed in range(20) for fault in plan_of(seed, profile="loss,crash").faults} == {
        "loss",
        "crash",
    }
    assert not any(plan_of(seed, profile="calm").faults for seed in range(20))


def test_parameters_are_scaled_with_luck_of_their_own() -> None:
    one = {"ttl_ns": lambda dice: dice.below(1000)}
    two = {"size": lambda dice: dice.below(1000), **one}
    drawn = [
        plan_of(7, toys.system_of(toys.Counter, settings={"size": 1, "kept": 5}, ranges=ranges)).settings
        for ranges in (one, two)
    ]
    assert drawn[0]["ttl_ns"] == drawn[1]["ttl_ns"]
    assert (drawn[0]["size"], drawn[0]["kept"]) == (1, 5)


def test_clients_that_are_pinned_stay_with_one_node_until_the_final_reads() -> None:
    plan = plan_of(4, replace(COUNTERS, clients_pinned=True), nodes=3)
    homes: dict[int, set[str]] = {}
    for operation in plan.operations:
        if operation.at_ns < plan.phases.final_ns:
            homes.setdefault(operation.client, set()).add(operation.node)
    assert all(len(nodes) == 1 for nodes in homes.values())
    assert {operation.node for operation in plan.operations if operation.at_ns >= plan.phases.final_ns} == {
        "n1",
        "n2",
        "n3",
    }


def test_a_system_may_ask_for_a_timeout_and_a_time_to_recover() -> None:
    plan = plan_of(
        1, toys.system_of(toys.Counter, settings={"client_timeout_ns": 2 * SECOND, "recovery_ns": 5 * SECOND})
    )
    assert plan.client_timeout_ns == 2 * SECOND
    assert plan.phases.quiet_ns - plan.phases.heal_ns == 5 * SECOND
    assert plan.phases.end_ns - plan.phases.final_ns >= 2 * SECOND


@pytest.mark.parametrize(
    ("asked", "complaint"),
    [
        ({"workload": "subtracting"}, "no workload 'subtracting'; it has adding"),
        ({"variant": "as-written"}, "no variant"),
        ({"mutants": ("never",)}, "no mutant"),
        ({"profile": "sunshine"}, "no fault 'sunshine'"),
        ({"nodes": 0}, "one at least"),
    ],
)
def test_what_does_not_exist_is_a_usage_error(asked: dict[str, Any], complaint: str) -> None:
    with pytest.raises(UsageError, match=complaint):
        generate_plan(COUNTERS, **{"workload": "adding", "seed": 1, **asked})


def test_a_run_of_five_nodes_is_short() -> None:
    run = run_plan(plan_of(3, nodes=5), COUNTERS)
    assert run.ended_ns <= 8 * SECOND
    assert run.messages < 50_000
    assert run.evidence.history.columns.time[-1] > 100 * MS
