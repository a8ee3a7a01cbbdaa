"""What happens in a world, seen through histories and traces of small systems."""

from __future__ import annotations

from toys import COUNTERS, plan_of

from upheld.harness.plan import PlannedOperation
from upheld.harness.swarm import generate_plan
from upheld.harness.trial import run_plan


def test_a_full_trace_does_not_change_the_digest() -> None:
    plan = generate_plan(COUNTERS, workload="adding", seed=3)
    assert run_plan(plan, COUNTERS).digest == run_plan(plan, COUNTERS, trace="full").digest


def test_an_operation_is_answered_when_its_write_is_durable() -> None:
    run = run_plan(plan_of(operations=[PlannedOperation(0, 0, "add", argument=3)]), COUNTERS)
    (operation,) = run.evidence.history.operations
    assert (operation.result, operation.node) == (3, "n1")
