"""Each pass alone, on a plan of which a few things are needed."""

from __future__ import annotations

from array import array
from collections.abc import Callable
from importlib import import_module

from msgspec.structs import replace

from upheld.harness.plan import Delivery, Fault, Occurrence, Plan, PlannedOperation
from upheld.harness.shrink import severity, shrink
from upheld.harness.simplify import Failure, Simplify
from upheld.harness.simplify.edits import with_faults, without_nodes
from upheld.harness.simplify.events import at_events, at_times, earlier_events
from upheld.harness.simplify.faults import merged_faults, simpler_faults
from upheld.harness.simplify.links import fewer_deliveries
from upheld.harness.simplify.luck import smaller_with_luck
from upheld.harness.simplify.schedule import fates_of, fixed_fates, rounder_fates
from upheld.harness.trial import Run, run_plan
from upheld.histories.errors import UsageError
from upheld.histories.evidence import Evidence
from upheld.histories.history import HistoryBuilder
from upheld.histories.trace import Note, Trace
from upheld.impl.node import MS, SECOND

toys = import_module("toys")


def failed(plan: Plan, *notes: Note) -> Failure:
    evidence = Evidence(HistoryBuilder().build(), Trace(notes, nodes=plan.node_ids))
    return Failure(Run(plan=plan, evidence=evidence, digest="", order=array("q"), fired={}, busy={}), SECOND)


def really_failed(plan: Plan) -> Failure:
    run = run_plan(plan, toys.COUNTERS)
    return Failure(run, run.ended_ns, retrace=lambda: run_plan(plan, toys.COUNTERS, trace="full"))


def followed(simplify: Simplify, failure: Failure, fails: Callable[[Plan], bool]) -> list[Plan]:
    """Those proposals that fail."""
    proposals, found = simplify(failure), []
    candidate = next(proposals, None)
    while candidate is not None:
        fails_too = fails(candidate)
        if fails_too:
            found.append(candidate)
        try:
            candidate = proposals.send(fails_too)
        except StopIteration:
            break
    return found


def always(_: Plan) -> bool:
    return True


# --- faults


def test_two_crashes_become_one_of_both_nodes() -> None:
    plan = toys.plan_of(
        Fault(fault="crash", at_ns=100 * MS, undo_after_ns=50 * MS, nodes=("n1",)),
        Fault(fault="crash", at_ns=120 * MS, undo_after_ns=80 * MS, nodes=("n2",)),
    )
    (merged,) = followed(merged_faults, failed(plan), always)
    assert merged.faults == (Fault(fault="crash", at_ns=100 * MS, undo_after_ns=100 * MS, nodes=("n1", "n2")),)


def test_two_cuts_of_the_same_node_become_a_longer_one() -> None:
    cut = Fault(fault="partition", at_ns=0, undo_after_ns=10 * MS, sides=(("n1",),))
    plan = toys.plan_of(cut, replace(cut, at_ns=40 * MS))
    (merged,) = followed(merged_faults, failed(plan), always)
    assert merged.faults == (replace(cut, undo_after_ns=50 * MS),)


def test_a_cut_of_any_shape_becomes_one_of_a_single_node() -> None:
    shapes = (
        Fault(fault="partition", at_ns=0, sides=(("n1", "n2", "c0"), ("n3", "c1")), mode="hold", one_way=True),
        Fault(fault="partition", at_ns=0, cut=("n1>n2", "n3>n1")),
    )
    for shape in shapes:
        plan = toys.plan_of(shape, nodes=3)
        last = followed(simpler_faults, failed(plan), lambda plan: "n1" in str(plan.faults[0]))[-1]
        assert last.faults == (Fault(fault="partition", at_ns=0, sides=(("n1",),)),)


def test_a_crash_loop_becomes_a_crash() -> None:
    plan = toys.plan_of(Fault(fault="crash-loop", at_ns=0, nodes=("n1", "n2"), amount_ns=12_345_678, count=3))
    last = followed(simpler_faults, failed(plan), lambda plan: "n2" in plan.faults[0].nodes)[-1]
    assert last.faults == (Fault(fault="crash", at_ns=0, nodes=("n2",)),)


def test_what_must_be_a_series_becomes_a_short_one_of_round_numbers() -> None:
    plan = toys.plan_of(Fault(fault="crash-loop", at_ns=0, nodes=("n1",), amount_ns=12_345_678, count=7))
    last = followed(
        simpler_faults, failed(plan), lambda plan: plan.faults[0].fault == "crash-loop" and plan.faults[0].count >= 2
    )[-1]
    assert (last.faults[0].count, last.faults[0].amount_ns) == (2, 10 * MS)


def test_luck_becomes_certainty() -> None:
    plan = toys.plan_of(Fault(fault="loss", at_ns=0, nodes=("n1",), rate=0.067))
    assert followed(simpler_faults, failed(plan), always)[-1].faults[0].rate == 1.0


def test_whoever_does_not_join_is_not_mentioned() -> None:
    plan = toys.plan_of(
        Fault(fault="join", at_ns=0, joins="n3"),
        Fault(fault="crash", at_ns=50 * MS, nodes=("n3",)),
        Fault(fault="crash", at_ns=50 * MS, nodes=("n1", "n3")),
        operations=[PlannedOperation(0, 0, "add", argument=1, node="n3")],
    )
    smaller = with_faults(plan, plan.faults[1:])
    assert smaller.faults == (Fault(fault="crash", at_ns=50 * MS, nodes=("n1",)),)
    assert smaller.operations[0].node == ""


def test_a_removed_node_takes_its_links_and_messages_along() -> None:
    plan = toys.plan_of(
        Fault(fault="partition", at_ns=0, cut=("n1>n3", "n2>n3")),
        nodes=3,
        deliveries={"n1>n3#2": Delivery(None), "n2>n1#1": Delivery(MS)},
        forsaken=("n2", "n3"),
    )
    smaller = without_nodes(plan, ("n2",))
    assert smaller.faults == (Fault(fault="partition", at_ns=0, cut=("n1>n2",)),)
    assert (smaller.deliveries, smaller.forsaken) == ({"n1>n2#2": Delivery(None)}, ("n2",))


# --- events


def test_a_fault_at_a_time_waits_for_what_its_node_noted_before() -> None:
    plan = toys.plan_of(Fault(fault="crash", at_ns=10 * MS, nodes=("n2",)))
    notes = [Note(at * MS, node, "applied") for at, node in ((1, "n2"), (2, "n1"), (8, "n2"), (11, "n2"))]
    proposed = followed(at_events, failed(plan, *notes), lambda _: False)
    assert [each.faults[0].on for each in proposed] == []
    first = followed(at_events, failed(plan, *notes), always)[0]
    assert first.faults == (Fault(fault="crash", on=Occurrence("n2", "note:applied", 1), nodes=("n2",)),)


def test_a_fault_that_waits_begins_at_that_time_instead() -> None:
    plan = toys.plan_of(
        Fault(fault="crash", on=Occurrence("n2", "timer", 2), undo_after_ns=30 * MS),
        Fault(fault="crash", at_ns=100 * MS, nodes=("n1",)),
    )
    both = followed(at_times, really_failed(plan), always)[0]
    assert both.faults[0] == Fault(fault="crash", at_ns=40 * MS, undo_after_ns=30 * MS, nodes=("n2",))
    assert both.faults[1] == plan.faults[1]


def test_the_count_of_an_event_becomes_as_small_as_it_can() -> None:
    def fails(plan: Plan) -> bool:
        on = plan.faults[0].on
        return on is not None and on.k >= 3

    plan = toys.plan_of(Fault(fault="crash", on=Occurrence("*", "send", 77)))
    last = followed(earlier_events, failed(plan), fails)[-1]
    assert last.faults[0].on == Occurrence("*", "send", 3)


# --- messages


def test_a_full_trace_tells_the_fate_of_each_message() -> None:
    plan = toys.plan_of(deliveries={"n1>n2#2": Delivery(None), "n2>n1#3": Delivery(77 * MS)})
    run = run_plan(plan, toys.COUNTERS, trace="full")
    fates = {fate.name: fate for fate in fates_of(run.evidence.trace)}
    assert (fates["n1>n2#2"].delays, fates["n1>n2#2"].why) == ([], "delivery")
    assert fates["n2>n1#3"].delays == [77 * MS]


def test_a_lost_message_takes_the_place_of_the_fault_that_lost_it() -> None:
    plan = toys.plan_of(Fault(fault="loss", at_ns=0, nodes=("n1",), rate=0.1))
    lost = {fate.name for fate in fates_of(run_plan(plan, toys.COUNTERS, trace="full").evidence.trace) if fate.why}
    assert lost
    fixed = followed(fixed_fates, really_failed(plan), always)[0]
    assert {name for name, fate in fixed.deliveries.items() if fate.delay_ns is None} == lost
    assert fixed.size == (0, 1 + len(fixed.deliveries))


def test_a_failure_that_needs_one_lost_message_shrinks_to_that() -> None:
    def reproduce(plan: Plan) -> Failure | None:
        failure = really_failed(plan)
        full = run_plan(plan, toys.COUNTERS, trace="full").evidence.trace
        lost = any(fate.name == "n1>n2#4" and fate.why for fate in fates_of(full))
        heard = any(fate.name == "n1>n2#3" and fate.delays for fate in fates_of(full))
        return failure if lost and heard else None

    seeds = (toys.plan_of(Fault(fault="loss", at_ns=0, rate=0.3), seed=seed) for seed in range(100))
    failure = next(found for plan in seeds if (found := reproduce(plan)) is not None)
    assert shrink(failure, reproduce).plan.size == (0, 1)


def test_fates_that_do_not_matter_are_left_out_and_times_become_round() -> None:
    deliveries = {f"n1>n2#{number}": Delivery(number * 1_234_567) for number in range(1, 20)}
    failure = failed(toys.plan_of(deliveries=deliveries))
    kept = followed(fewer_deliveries, failure, lambda plan: "n1>n2#7" in plan.deliveries)[-1]
    assert list(kept.deliveries) == ["n1>n2#7"]
    rounder = followed(rounder_fates, failed(kept), lambda plan: plan.deliveries["n1>n2#7"].delay_ns != SECOND)
    assert rounder[-1].deliveries == {"n1>n2#7": Delivery(100 * MS)}


# --- luck, and what is no result


def test_other_dice_are_given_more_time() -> None:
    plan = toys.plan_of(Fault(fault="crash", at_ns=0, nodes=("n1",)))
    smaller = followed(smaller_with_luck, failed(plan), lambda plan: not plan.faults and plan.seed == 3)
    assert smaller
    assert smaller[0].phases.heal_ns > plan.phases.end_ns


def test_a_plan_that_makes_no_sense_does_not_fail() -> None:
    def reproduce(plan: Plan) -> Failure | None:
        if not plan.faults:
            raise UsageError("a plan without faults")
        return failed(plan)

    plan = toys.plan_of(Fault(fault="crash", at_ns=0, nodes=("n1",)))
    assert shrink(failed(plan), reproduce).plan.size == (0, 1)


def test_the_loss_of_a_minority_does_not_become_that_of_a_majority() -> None:
    both = (
        Fault(fault="crash", at_ns=50 * MS, undo_after_ns=20 * MS, nodes=("n1",)),
        Fault(fault="crash", at_ns=100 * MS, undo_after_ns=20 * MS, nodes=("n2",)),
    )
    plan = toys.plan_of(*both, nodes=3)

    def reproduce(plan: Plan) -> Failure | None:
        failure = really_failed(plan)
        return failure if len({note.node for note in failure.run.evidence.trace.of_kind("crash")}) == 2 else None

    assert severity(run_plan(plan, toys.COUNTERS)) == 1
    shrunk = shrink(really_failed(plan), reproduce)
    assert severity(shrunk.run) == 1
    assert shrunk.plan.size == (0, 2)
