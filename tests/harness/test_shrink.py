"""Shrinking finds the smallest plan that fails in the same way, within a budget, and the same one every time."""

from __future__ import annotations

from array import array
from collections.abc import Callable, Generator
from importlib import import_module

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from upheld.checkers.verdict import Anomaly, Refuted, Verdict
from upheld.harness.hearing import Case, Group, reproduction
from upheld.harness.plan import ClockSkew, Fault, Link, Occurrence, Phases, Plan, PlannedOperation
from upheld.harness.shrink import shrink
from upheld.harness.simplify import Failure
from upheld.harness.simplify.ddmin import ddmin
from upheld.harness.trial import Run, run_plan
from upheld.histories.errors import NondeterministicRun
from upheld.histories.evidence import Evidence
from upheld.histories.history import HistoryBuilder
from upheld.impl.node import MS

toys = import_module("toys")

S = 1_000_000_000


def ran(plan: Plan, digest: str = "same") -> Run:
    evidence = Evidence(HistoryBuilder().build())
    return Run(plan=plan, evidence=evidence, digest=digest, order=array("q"), fired={}, busy={})


def when(fails: Callable[[Plan], bool], at_ns: int = 10 * S) -> Callable[[Plan], Failure | None]:
    return lambda plan: Failure(ran(plan), at_ns) if fails(plan) else None


def big_plan(operations: int = 60, faults: int = 20) -> Plan:
    return Plan(
        system="toy",
        nodes=5,
        operations=tuple(
            PlannedOperation(
                client=n % 7, at_ns=n * S // 4 + 17, action="write", key="xy"[n % 2], argument=n, node=f"n{n % 5 + 1}"
            )
            for n in range(operations)
        ),
        faults=tuple(
            Fault(fault="crash", at_ns=n * S // 2, undo_after_ns=S, nodes=(f"n{n % 5 + 1}", "n2"))
            for n in range(faults)
        ),
        links={"*": Link(loss=0.1), "n1>n2": Link(loss=0.3, duplicate=0.2)},
        clocks={"n1": ClockSkew(offset_ns=5)},
        phases=Phases(heal_ns=16 * S, quiet_ns=18 * S, final_ns=19 * S, end_ns=20 * S),
    )


def arguments(plan: Plan) -> set[object]:
    return {operation.argument for operation in plan.operations}


def test_what_the_failure_needs_is_kept_and_nothing_else() -> None:
    def fails(plan: Plan) -> bool:
        return {7, 11, 30} <= arguments(plan) and any("n3" in fault.nodes for fault in plan.faults)

    found = shrink(Failure(ran(big_plan()), 10 * S), when(fails)).plan
    assert found.size == (3, 1)
    assert arguments(found) == {7, 11, 30}
    assert [fault.nodes for fault in found.faults] == [("n3",)]
    assert {operation.client for operation in found.operations} == {0}
    assert len({operation.key for operation in found.operations}) == 1
    assert found.links == {"*": Link(delay=found.links["*"].delay, fifo=True)}
    assert not found.clocks
    assert found.nodes == 3


def test_time_after_the_failure_is_cut_first() -> None:
    plans: list[Plan] = []

    def fails(plan: Plan) -> bool:
        plans.append(plan)
        return plan.phases.end_ns > 3 * S

    found = shrink(Failure(ran(big_plan()), 3 * S), when(fails, at_ns=3 * S)).plan
    assert plans[0].phases.end_ns == 3 * S + MS
    assert found.size == (0, 0)


def test_gaps_are_closed_and_numbers_become_round() -> None:
    def fails(plan: Plan) -> bool:
        times = [operation.at_ns for operation in plan.operations if operation.argument in {3, 40}]
        return len(times) == 2 and times[1] - times[0] >= 2 * S

    found = shrink(Failure(ran(big_plan()), 20 * S), when(fails, at_ns=20 * S)).plan
    first, second = (operation.at_ns for operation in found.operations)
    assert second - first < 4 * S
    assert (first % 1_000_000, second % 1_000_000) == (0, 0)


def test_a_removed_node_leaves_its_operations_to_others_and_its_faults_to_nobody() -> None:
    plan = replace(
        big_plan(operations=4, faults=0),
        faults=(
            Fault(fault="partition", at_ns=0, sides=(("n1", "n2"), ("n4", "n5"))),
            Fault(fault="crash", on=Occurrence("n5", "store", 3), nodes=("n5",)),
        ),
    )
    found = shrink(Failure(ran(plan), 0), when(lambda plan: len(plan.operations) == 4 and bool(plan.faults))).plan
    named = {node for fault in found.faults for side in fault.sides for node in side} | {
        node for fault in found.faults for node in fault.nodes
    }
    assert {operation.node for operation in found.operations} | named <= set(found.node_ids)


def test_the_budget_of_replays_is_kept() -> None:
    asked = []

    def fails(plan: Plan) -> bool:
        asked.append(plan)
        return len(plan.operations) >= 30

    found = shrink(Failure(ran(big_plan()), 10 * S), when(fails), replays_max=25)
    assert found.replays == len(asked) == 27
    assert fails(found.plan)


def test_no_plan_is_run_twice_before_the_confirmation() -> None:
    asked: list[Plan] = []

    def fails(plan: Plan) -> bool:
        asked.append(plan)
        return 7 in arguments(plan)

    shrink(Failure(ran(big_plan()), 10 * S), when(fails))
    texts = [repr(plan) for plan in asked[:-2]]
    assert len(texts) == len(set(texts))


def test_two_replays_that_differ_are_no_result() -> None:
    digests = iter(range(10_000))

    def flickers(plan: Plan) -> Failure:
        return Failure(ran(plan, digest=str(next(digests))), 0)

    with pytest.raises(NondeterministicRun, match="two replays"):
        shrink(Failure(ran(big_plan()), 0), flickers)


@settings(max_examples=15, deadline=None)
@given(st.sets(st.integers(0, 59), max_size=6), st.sets(st.integers(0, 19), max_size=3))
def test_a_failure_that_needs_certain_operations_and_faults_shrinks_to_exactly_these(
    needed: set[int], hits: set[int]
) -> None:
    def fails(plan: Plan) -> bool:
        struck = {fault.rate for fault in plan.faults}
        return needed <= arguments(plan) and {hit / 100 for hit in hits} <= struck

    plan = big_plan()
    plan = replace(plan, faults=tuple(replace(fault, rate=n / 100) for n, fault in enumerate(plan.faults)))
    failure = Failure(ran(plan), 20 * S)
    found = shrink(failure, when(fails, at_ns=20 * S), replays_max=2_000)
    assert found.plan.size == (len(needed), len(hits))
    assert shrink(failure, when(fails, at_ns=20 * S), replays_max=2_000).plan == found.plan


@given(st.lists(st.integers(), unique=True, max_size=30), st.data())
def test_ddmin_finds_exactly_what_is_needed(items: list[int], data: st.DataObject) -> None:
    needed = set(data.draw(st.lists(st.sampled_from(items), max_size=5))) if items else set()

    def plan_of(kept: tuple[int, ...]) -> Plan:
        return Plan(system="toy", operations=tuple(PlannedOperation(0, at, "read") for at in kept))

    assert set(outcome(ddmin(items, plan_of), lambda plan: needed <= {op.at_ns for op in plan.operations})) == needed


def outcome(search: Generator[Plan, bool, tuple[int, ...]], fails: Callable[[Plan], bool]) -> tuple[int, ...]:
    try:
        candidate = next(search)
        while True:
            candidate = search.send(fails(candidate))
    except StopIteration as ended:
        found: tuple[int, ...] = ended.value
        return found


@settings(max_examples=10, deadline=None)
@given(st.sets(st.integers(0, 23), min_size=1, max_size=5), st.integers(1, 4))
def test_of_a_shrunk_plan_nothing_can_be_left_out(choice: set[int], least: int) -> None:
    """Any `least` of the chosen operations will do, or a crash of n3 in the place of one: there are many minima."""

    def fails(plan: Plan) -> bool:
        crashes = any("n3" in fault.nodes for fault in plan.faults)
        return len(choice & arguments(plan)) + crashes >= min(least, len(choice))

    reproduce = when(fails, at_ns=20 * S)
    failure = reproduce(big_plan(operations=24, faults=6))
    assert failure is not None
    found = shrink(failure, reproduce).plan
    for at in range(len(found.operations)):
        assert not fails(replace(found, operations=found.operations[:at] + found.operations[at + 1 :]))
    for at in range(len(found.faults)):
        assert not fails(replace(found, faults=found.faults[:at] + found.faults[at + 1 :]))
    again = reproduce(found)
    assert again is not None
    assert shrink(again, reproduce).plan == found


def test_another_kind_of_anomaly_is_no_step() -> None:
    """The counters' run is refuted for a crash; with no operation left the judge finds something else wrong."""

    def judge(evidence: Evidence) -> Verdict:
        crashed = bool(evidence.trace.of_kind("crash"))
        kind = "crashed" if crashed and evidence.history.operations else "idle"
        return Refuted(Anomaly(kind, ("It did.",)))

    plan = toys.plan_of(
        *(Fault(fault="crash", at_ns=at * 50 * MS, undo_after_ns=MS, nodes=("n1",)) for at in (1, 2, 3)),
        operations=[PlannedOperation(0, at * 20 * MS, "add", argument=1, node="n2") for at in range(8)],
    )
    case = Case(claim="stays up", judge=judge)
    group = Group(
        system=toys.COUNTERS,
        variant="reference",
        workload="adding",
        profile="crashes",
        cases=(case,),
        generate=lambda _: plan,
        run=lambda plan: run_plan(plan, toys.COUNTERS),
    )
    reproduce = reproduction(group, case, "crashed")
    failure = reproduce(plan)
    assert failure is not None
    shrunk = shrink(failure, reproduce)
    assert shrunk.plan.size == (1, 1)
    assert judge(shrunk.run.evidence) == Refuted(Anomaly("crashed", ("It did.",)))
    assert shrink(failure, reproduce) == shrunk


def test_a_fault_is_left_out_when_luck_can_take_its_place() -> None:
    reproduce = when(lambda plan: bool(plan.faults) or plan.seed == 5)
    failure = reproduce(big_plan())
    assert failure is not None
    smallest = shrink(failure, reproduce).plan
    assert (smallest.faults, smallest.seed) == ((), 5)
