"""What faults on nodes do: crash loops, pauses and slow machines, seen on two nodes to the millisecond."""

from __future__ import annotations

import time
from importlib import import_module
from typing import Any

import pytest

from upheld.harness.plan import Delay, Disk, Fault, Link, Occurrence
from upheld.harness.trial import Run, run_plan
from upheld.histories.errors import NondeterministicRun, UsageError
from upheld.impl.node import MS, Message, Outbox

toys = import_module("toys")
COUNTERS, Idle, first_node, plan_of, system_of, told = (
    toys.COUNTERS,
    toys.Idle,
    toys.first_node,
    toys.plan_of,
    toys.system_of,
    toys.told,
)

ONE_MS = {"*": Link(delay=Delay(shape="constant", min_ns=MS))}


def at(fault: str, begin_ms: int, lasts_ms: int | None = None, *nodes: str, **more: Any) -> Fault:
    undo_after_ns = None if lasts_ms is None else lasts_ms * MS
    return Fault(fault=fault, at_ns=begin_ms * MS, undo_after_ns=undo_after_ns, nodes=nodes or ("n2",), **more)


class Listener(Idle):  # type: ignore[misc, valid-type]  # toys is imported by name
    """n1 sends n2 a number every ten milliseconds; n2 shows it, and its own clock, which also rings every 25 ms."""

    def on_start(self, out: Outbox) -> None:
        self.sent = 0
        out.note("proposed", "awake")
        out.set_timer("next", (10 if self.context.id == "n1" else 25) * MS)

    def on_timer(self, name: str, out: Outbox) -> None:
        if self.context.id == "n1":
            self.sent += 1
            out.send("n2", toys.Gossip(total=self.sent))
            out.set_timer(name, 10 * MS)
        else:
            out.note("shown", f"timer at {self.context.clock.monotonic_ns() // MS}")
            out.set_timer(name, 25 * MS)

    def on_message(self, sender: str, message: Message, out: Outbox) -> None:
        out.note("shown", message.total)  # type: ignore[attr-defined]  # it is a Gossip


def listened(*faults: Fault, until_ms: int = 60, **changes: Any) -> list[str]:
    """What n2 shows, with the milliseconds at which it does."""
    run = run_plan(plan_of(*faults, links=ONE_MS, **changes), system_of(Listener))
    assert run.findings == ()
    return [
        f"{note.time // MS}: {note.facts[0]}"
        for note in run.evidence.trace.of_kind("shown")
        if note.time < until_ms * MS
    ]


def test_without_a_fault_each_message_is_handled_when_it_arrives() -> None:
    assert listened() == ["11: 1", "21: 2", "25: timer at 25", "31: 3", "41: 4", "50: timer at 50", "51: 5"]


# --- crashes


def test_a_crash_of_nobody_in_particular_is_one_of_all() -> None:
    run = run_plan(plan_of(Fault(fault="crash", at_ns=50 * MS, undo_after_ns=10 * MS)), COUNTERS)
    assert told(run, "crash", "restart") == [
        "50 n1 crash (why fault)",
        "50 n2 crash (why fault)",
        "60 n1 restart",
        "60 n2 restart",
    ]


def looped(*faults: Fault) -> list[str]:
    return [line.partition(" (")[0] for line in told(run_plan(plan_of(*faults), COUNTERS), "crash", "restart")]


def test_a_crash_loop_crashes_a_node_count_times_and_leaves_it_as_long_up_as_down() -> None:
    assert looped(at("crash-loop", 50, 300, amount_ns=20 * MS, count=2)) == [
        "50 n2 crash",
        "70 n2 restart",
        "90 n2 crash",
        "110 n2 restart",
    ]


def test_a_crash_loop_without_a_count_goes_on_until_it_is_undone_which_starts_the_node_at_once() -> None:
    assert looped(at("crash-loop", 50, 45, amount_ns=20 * MS)) == [
        "50 n2 crash",
        "70 n2 restart",
        "90 n2 crash",
        "95 n2 restart",
    ]


def test_a_crash_loop_meets_with_other_crashes() -> None:
    """The node is started 5 ms early by the end of the other crash, and crashes again in the rhythm of the loop."""
    assert looped(at("crash-loop", 50, 45, amount_ns=20 * MS), at("crash", 55, 10)) == [
        "50 n2 crash",
        "65 n2 restart",
        "90 n2 crash",
        "95 n2 restart",
    ]


# --- pauses


def test_a_paused_node_handles_later_what_came_meanwhile_in_its_order_while_its_clock_runs_on() -> None:
    assert listened(at("pause", 15, 30)) == [
        "11: 1",
        "45: 2",
        "45: timer at 45",
        "45: 3",
        "45: 4",
        "51: 5",
    ]


def test_two_pauses_at_once_end_with_the_later_one() -> None:
    assert listened(at("pause", 15, 30), at("pause", 20, 10)) == listened(at("pause", 15, 30))
    assert listened(at("pause", 15, 20), at("pause", 20, 25)) == listened(at("pause", 15, 30))


def test_a_node_that_crashes_while_it_is_paused_forgets_what_waited_and_starts_when_the_pause_ends() -> None:
    assert listened(at("pause", 15, 30), at("crash", 25, 3)) == ["11: 1", "45: 3", "45: 4", "51: 5"]


def test_a_node_that_is_paused_while_it_is_down_does_not_go_on_before_the_pause_ends() -> None:
    run = run_plan(plan_of(at("crash", 10, 20), at("pause", 15, 30), links=ONE_MS), system_of(Listener))
    assert told(run, "crash", "restart", "proposed", node="n2") == [
        "0 n2 proposed (value awake)",
        "10 n2 crash (why fault)",
        "30 n2 restart",
        "45 n2 proposed (value awake)",
    ]


def syncing(*faults: Fault) -> Run:
    """n1 writes at once, which is durable at 20 ms; it notes when it hears of that, and what it finds in a later life."""

    def do(node: Any, out: Outbox) -> None:
        out.note("proposed", "".join(node.context.stored))
        out.store("a", 1)
        out.sync()
        out.note("proposed", "synced")

    slow_disk = {"*": Disk(sync_ns=20 * MS)}
    run: Run = run_plan(plan_of(*faults, disks=slow_disk), first_node(do))
    return run


@pytest.mark.parametrize(
    ("begin_ms", "lasts_ms", "heard_ms", "fired"), [(5, 10, 20, 0), (5, 30, 35, 1), (21, 30, 20, 0)]
)
def test_a_paused_node_hears_of_the_end_of_a_sync_when_it_goes_on(
    begin_ms: int, lasts_ms: int, heard_ms: int, fired: int
) -> None:
    run = syncing(at("pause", begin_ms, lasts_ms, "n1"))
    assert told(run, "proposed")[1] == f"{heard_ms} n1 proposed (value synced)"
    assert run.fired.get("pause", 0) == fired


def test_what_was_synced_during_a_pause_is_durable_though_the_node_never_heard_of_it() -> None:
    run = syncing(at("pause", 5, 30, "n1"), at("crash", 25, 0, "n1"))
    assert told(run, "proposed")[:2] == ["0 n1 proposed (value )", "35 n1 proposed (value a)"]


def test_a_pause_in_the_middle_of_a_handler_holds_its_later_effects() -> None:
    def do(node: Any, out: Outbox) -> None:
        out.set_timer("meanwhile", MS)
        out.note("leads", 1)
        out.note("proposed", "later")
        out.send("n2", toys.Gossip(total=1))

    pause = Fault(fault="pause", on=Occurrence("n1", "note:leads"), undo_after_ns=30 * MS)
    run = run_plan(plan_of(pause, links=ONE_MS), first_node(do, lambda name, out: out.note("shown", name)))
    assert told(run, "leads", "proposed", "shown") == [
        "0 n1 leads (term 1)",
        "30 n1 proposed (value later)",
        "30 n1 shown (message meanwhile)",
        "31 n2 proposed (value Gossip of n1)",
    ]


def test_a_pause_at_a_message_handles_it_first_when_the_node_goes_on_and_counts_it_once() -> None:
    pause = Fault(fault="pause", on=Occurrence("n2", "message", 2), undo_after_ns=30 * MS)
    crash = Fault(fault="crash", on=Occurrence("n2", "message", 4), undo_after_ns=0)
    assert listened(pause, crash) == ["11: 1", "51: 2", "51: timer at 51", "51: 3"]


def test_a_pause_at_a_timer_lets_it_ring_first_when_the_node_goes_on() -> None:
    pause = Fault(fault="pause", on=Occurrence("n2", "timer"), undo_after_ns=20 * MS)
    assert listened(pause) == ["11: 1", "21: 2", "45: timer at 45", "45: 3", "45: 4", "51: 5"]


def test_a_pause_in_which_nothing_happened_has_not_fired() -> None:
    run = run_plan(plan_of(at("pause", 12, 5), links=ONE_MS), system_of(Listener))
    assert run.fired == {}


def test_a_timer_that_is_overdue_in_a_pause_stays_so_when_the_clock_changes_its_rate() -> None:
    drift = at("clock-drift", 30, None, rate=0.5)
    assert listened(at("pause", 15, 30), drift, until_ms=90)[2:3] == ["45: timer at 37"]


# --- slow machines


def test_each_input_keeps_a_slow_node_busy_and_later_ones_wait_in_their_order() -> None:
    assert listened(at("slow-node", 0, 45, amount_ns=12 * MS)) == [
        "11: 1",
        "23: 2",
        "35: timer at 35",
        "47: 3",
        "47: 4",
        "51: 5",
    ]


def test_two_reasons_to_be_slow_add_up() -> None:
    both = at("slow-node", 1, 60, amount_ns=10 * MS), at("slow-node", 1, 60, amount_ns=5 * MS)
    assert listened(*both) == listened(at("slow-node", 1, 60, amount_ns=15 * MS)) != listened(both[0])


def test_a_node_that_starts_again_on_a_slow_machine_is_slow() -> None:
    assert listened(at("crash", 12, 2), at("slow-node", 1, 60, amount_ns=25 * MS)) == ["11: 1", "39: 2"]


def test_a_slow_node_that_has_time_enough_between_its_inputs_has_not_fired() -> None:
    run = run_plan(plan_of(at("slow-node", 1, 30, amount_ns=MS), links=ONE_MS), system_of(Listener))
    assert run.fired == {}


def test_an_exception_on_a_slow_machine_is_a_finding_as_on_any_other() -> None:
    class Clumsy(Listener):
        def on_message(self, sender: str, message: Message, out: Outbox) -> None:
            raise ValueError("dropped it")

    run = run_plan(plan_of(at("slow-node", 1, None, amount_ns=MS), links=ONE_MS), system_of(Clumsy))
    assert "dropped it" in run.findings[0]
    assert told(run, "crash")[0].startswith("11 n2 crash")


def test_a_slow_machine_is_no_hole_in_the_fences() -> None:
    class Impatient(Listener):
        def on_message(self, sender: str, message: Message, out: Outbox) -> None:
            out.note("shown", time.monotonic_ns())

    slow = plan_of(at("slow-node", 1, None, amount_ns=MS), links=ONE_MS)
    with pytest.raises(NondeterministicRun, match=r"time\.monotonic_ns is called at .*test_faults_nodes.py"):
        run_plan(slow, system_of(Impatient))


# --- plans


@pytest.mark.parametrize(
    ("fault", "complaint"),
    [
        (at("crash-loop", 0), "a crash-loop needs an `amount_ns` above 0"),
        (at("slow-node", 0), "a slow-node needs an `amount_ns` above 0"),
        (at("crash-loop", 0, amount_ns=1, count=-1), "-1 times"),
        (at("pause", 0, joins="n3"), "nobody joins by a pause"),
    ],
)
def test_a_fault_on_nodes_that_makes_no_sense_is_a_usage_error(fault: Fault, complaint: str) -> None:
    with pytest.raises(UsageError, match=complaint):
        run_plan(plan_of(fault), COUNTERS)
