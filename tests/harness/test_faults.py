"""Each kind of fault does what it says, can be undone, and counts as fired only when it changed something."""

from __future__ import annotations

from importlib import import_module
from itertools import product
from typing import Any

import pytest
from msgspec.structs import replace

from upheld.harness.faults import FAULTS, PROFILES, kinds_of
from upheld.harness.plan import Fault, Link, Occurrence, PlannedOperation
from upheld.harness.trial import Run, run_plan
from upheld.histories.errors import UsageError
from upheld.histories.event import Kind
from upheld.impl.node import MS

toys = import_module("toys")
COUNTERS, CLUB, plan_of = toys.COUNTERS, toys.CLUB, toys.plan_of

ADDING = tuple(
    PlannedOperation(client, at_ms * MS, "add", argument=1, node=f"n{client + 1}")
    for at_ms in range(0, 600, 10)
    for client in range(2)
)

EXAMPLES = {
    "loss": Fault(fault="loss", at_ns=50 * MS, undo_after_ns=300 * MS, rate=0.3),
    "duplication": Fault(fault="duplication", at_ns=50 * MS, undo_after_ns=300 * MS, rate=0.3, amount_ns=MS),
    "delay": Fault(fault="delay", at_ns=50 * MS, undo_after_ns=300 * MS, rate=0.5, amount_ns=20 * MS),
    "reordering": Fault(fault="reordering", at_ns=50 * MS, undo_after_ns=300 * MS, rate=0.5, amount_ns=50 * MS),
    "heavy-tail": Fault(fault="heavy-tail", at_ns=50 * MS, undo_after_ns=300 * MS, amount_ns=5 * MS),
    "bandwidth": Fault(fault="bandwidth", at_ns=50 * MS, undo_after_ns=300 * MS, count=1_000),
    "queue": Fault(fault="queue", at_ns=50 * MS, undo_after_ns=300 * MS, count=1),
    "partition": Fault(fault="partition", at_ns=50 * MS, undo_after_ns=300 * MS, sides=(("n1",), ("n2",))),
    "crash": Fault(fault="crash", at_ns=50 * MS, undo_after_ns=100 * MS, nodes=("n1",)),
    "crash-loop": Fault(
        fault="crash-loop", at_ns=50 * MS, undo_after_ns=300 * MS, nodes=("n1",), amount_ns=20 * MS, count=3
    ),
    "pause": Fault(fault="pause", at_ns=50 * MS, undo_after_ns=300 * MS, nodes=("n1",)),
    "slow-node": Fault(fault="slow-node", at_ns=50 * MS, undo_after_ns=300 * MS, nodes=("n1",), amount_ns=10 * MS),
    "join": Fault(fault="join", at_ns=50 * MS, undo_after_ns=300 * MS, joins="n3"),
    "leave": Fault(fault="leave", at_ns=50 * MS, undo_after_ns=300 * MS, nodes=("n2",)),
    "wipe": Fault(fault="wipe", at_ns=50 * MS, undo_after_ns=300 * MS, nodes=("n1",)),
    "rollback": Fault(fault="rollback", at_ns=50 * MS, undo_after_ns=300 * MS, nodes=("n1",), amount_ns=30 * MS),
    "torn": Fault(fault="torn", at_ns=0, undo_after_ns=300 * MS, nodes=("n1",)),
    "fsync-error": Fault(fault="fsync-error", at_ns=50 * MS, undo_after_ns=300 * MS, nodes=("n1",), rate=0.5),
    "disk-full": Fault(fault="disk-full", at_ns=50 * MS, undo_after_ns=300 * MS, nodes=("n1",)),
    "disk-slow": Fault(fault="disk-slow", at_ns=50 * MS, undo_after_ns=300 * MS, nodes=("n1",), amount_ns=10 * MS),
    "read-error": Fault(fault="read-error", at_ns=50 * MS, undo_after_ns=300 * MS, nodes=("n1",)),
    "rot": Fault(fault="rot", at_ns=50 * MS, undo_after_ns=300 * MS, nodes=("n1",), rate=0.9),
    "clock-offset": Fault(fault="clock-offset", at_ns=50 * MS, undo_after_ns=300 * MS, nodes=("n1",), amount_ns=-MS),
    "clock-drift": Fault(fault="clock-drift", at_ns=50 * MS, undo_after_ns=300 * MS, nodes=("n1",), rate=1.5),
    "clock-step": Fault(fault="clock-step", at_ns=50 * MS, undo_after_ns=300 * MS, nodes=("n1",), amount_ns=-MS),
    "clock-strobe": Fault(
        fault="clock-strobe", at_ns=50 * MS, undo_after_ns=300 * MS, nodes=("n1",), amount_ns=MS, count=30
    ),
}
CRASH_AT_A_STORE = Fault(fault="crash", on=Occurrence("n1", "store", 6), undo_after_ns=50 * MS)
NEED_A_CRASH = ("torn", "read-error", "rot")
ENDS = [name for name, kind in FAULTS.items() if kind.inverse]


def outcome(*faults: Fault, **changes: Any) -> Run:
    return run_plan(plan_of(*faults, operations=ADDING, **changes), CLUB, trace="full")


def nemesis(run: Run) -> list[tuple[int, str, Any]]:
    """What was done to the system, with milliseconds."""
    return [
        ((event.time or 0) // MS, event.action, event.value)
        for event in run.evidence.history.nemesis()
        if event.process == "nemesis"
    ]


def test_every_kind_of_fault_has_an_example_here() -> None:
    assert list(EXAMPLES) == list(FAULTS)


@pytest.mark.parametrize("kind", FAULTS)
def test_with_and_without_a_fault_the_traces_differ_and_it_has_fired(kind: str) -> None:
    context = (CRASH_AT_A_STORE,) if kind in NEED_A_CRASH else (EXAMPLES["delay"],) if kind == "queue" else ()
    without, with_it = outcome(*context), outcome(*context, EXAMPLES[kind])
    assert list(with_it.evidence.trace) != list(without.evidence.trace)
    assert with_it.fired[kind] > 0
    assert kind not in without.fired or kind == "crash"


@pytest.mark.parametrize("kind", FAULTS)
def test_a_fault_is_undone_in_its_time_and_the_history_tells_both(kind: str) -> None:
    fault = EXAMPLES[kind]
    assert fault.at_ns is not None
    assert fault.undo_after_ns is not None
    hit = fault.sides or fault.nodes or ((fault.joins,) if fault.joins else ("n1", "n2"))
    begin, end = fault.at_ns // MS, (fault.at_ns + fault.undo_after_ns) // MS
    undone = [(end, f"undo-{kind}", hit)] if kind in ENDS else []
    assert nemesis(outcome(fault)) == [(begin, kind, hit), *undone]


@pytest.mark.parametrize("kind", ENDS)
def test_at_the_heal_everything_ends(kind: str) -> None:
    for fault in (replace(EXAMPLES[kind], undo_after_ns=None), replace(EXAMPLES[kind], undo_after_ns=10_000 * MS)):
        run = outcome(fault)
        assert nemesis(run)[-1][:2] == (600, f"undo-{kind}")
        phases = [(event.action, event.time) for event in run.evidence.history if event.process == "phases"]
        assert phases == [("storm", 0), ("heal", 600 * MS), ("quiet", 700 * MS), ("final", 800 * MS)]


@pytest.mark.parametrize("kind", FAULTS)
def test_no_fault_begins_after_the_heal(kind: str) -> None:
    assert nemesis(outcome(replace(EXAMPLES[kind], at_ns=600 * MS))) == []


@pytest.mark.parametrize("first", FAULTS)
def test_all_pairs_of_faults_and_of_their_inverses_are_legal_in_any_order(first: str) -> None:
    """Crash twice, restart what runs, heal what is whole, end the older fault before and after the younger one."""
    one = replace(EXAMPLES[first], at_ns=50 * MS, undo_after_ns=150 * MS)
    for second, (gap_ms, undo_after_ms) in product(FAULTS, [(0, 0), (0, 200), (100, 10), (100, 200)]):
        at_ns, undo_after_ns = (50 + gap_ms) * MS, undo_after_ms * MS
        other = replace(EXAMPLES[second], at_ns=at_ns, undo_after_ns=undo_after_ns)
        if first == second == "join":
            other = replace(other, joins="n4")
        run = run_plan(plan_of(one, other, operations=[*FEW, *FINAL]), CLUB)
        assert run.findings == ()
        if "leave" not in {first, second}:
            assert len(nemesis(run)) == 2 + (first in ENDS) + (second in ENDS)
        final = run.evidence.history.operations[-2:]
        answered = {operation.argument: operation.outcome is Kind.OK for operation in final}
        assert answered == {100: True, 200: "leave" not in {first, second}}, (first, second)


FEW = ADDING[::8]
FINAL = (
    PlannedOperation(2, 750 * MS, "add", argument=100, node="n1"),
    PlannedOperation(3, 750 * MS, "add", argument=200, node="n2"),
)


# --- what only looks like a fault has not fired


@pytest.mark.parametrize(
    "fault",
    [
        replace(EXAMPLES["partition"], sides=(("n1", "n2"),)),
        replace(EXAMPLES["loss"], rate=0.0),
        replace(EXAMPLES["partition"], at_ns=51 * MS, undo_after_ns=MS),
        Fault(fault="torn", at_ns=0),
        Fault(fault="crash", on=Occurrence("n1", "note:never")),
    ],
    ids=["nobody is cut", "rate 0", "nothing crosses meanwhile", "no crash", "never begins"],
)
def test_a_fault_that_changed_nothing_has_not_fired(fault: Fault) -> None:
    quiet = plan_of(fault, operations=[PlannedOperation(0, 0, "add", argument=1)])
    assert run_plan(quiet, COUNTERS).fired == {}


def test_only_operations_that_were_invoked_while_a_fault_was_in_force_count_as_busy() -> None:
    window = replace(EXAMPLES["clock-offset"], at_ns=100 * MS, undo_after_ns=100 * MS)
    assert outcome(window).busy == {"add": 2 * 10}
    assert outcome().busy == {}


# --- partitions


def gossip_received(*faults: Fault, nodes: int = 2, **changes: Any) -> set[tuple[str, str]]:
    """Who heard from whom during the first 500 ms."""
    run = run_plan(plan_of(*faults, nodes=nodes, **changes), COUNTERS)
    heard = [note for note in run.evidence.trace.of_kind("appended") if note.time < 500 * MS]
    return {(str(note.facts[2]), note.node) for note in heard}


@pytest.mark.parametrize(
    ("sides", "one_way", "cut"),
    [
        ((("n1",), ("n2", "n3")), False, {"12", "21", "13", "31"}),
        ((("n1",),), False, {"12", "21", "13", "31"}),
        ((("n1",), ("n2",)), False, {"12", "21", "13", "31", "23", "32"}),
        ((("n1",), ("n2", "n3")), True, {"12", "13"}),
        ((("n2", "n3"), ("n1",)), True, {"21", "31"}),
        ((("n1", "n2", "n3"),), False, set()),
        ((), False, set()),
    ],
)
def test_a_partition_cuts_what_lies_on_different_sides(
    sides: tuple[tuple[str, ...], ...],
    one_way: bool,  # noqa: FBT001  # a column of the table
    cut: set[str],
) -> None:
    everything = gossip_received(nodes=3)
    assert len(everything) == 6
    fault = Fault(fault="partition", at_ns=0, sides=sides, one_way=one_way)
    assert everything - gossip_received(fault, nodes=3) == {(f"n{ends[0]}", f"n{ends[1]}") for ends in cut}


def test_a_partition_that_holds_delivers_after_its_end() -> None:
    fault = replace(EXAMPLES["partition"], mode="hold")
    dropped, held = outcome(replace(fault, mode="drop")), outcome(fault)

    def arrived(run: Run, at_ms: range) -> int:
        return sum(note.time // MS in at_ms for note in run.evidence.trace.of_kind("appended"))

    assert arrived(dropped, range(60, 350)) == arrived(held, range(60, 350)) == 0
    assert arrived(held, range(350, 355)) > 20 > arrived(dropped, range(350, 355))


def test_what_one_partition_held_may_be_cut_by_another() -> None:
    held = replace(EXAMPLES["partition"], mode="hold")
    cut = replace(EXAMPLES["partition"], at_ns=300 * MS)
    run = outcome(held, cut)
    assert not [note for note in run.evidence.trace.of_kind("appended") if 60 <= note.time // MS < 600]


@pytest.mark.parametrize(
    ("sides", "reached"),
    [
        ((("n1",), ("n2",)), {"n1", "n2"}),
        ((("n1", "c0"), ("n2",)), {"n1"}),
        ((("n1",), ("n2", "c0")), {"n2"}),
    ],
)
def test_a_client_stands_with_the_node_it_talks_to_unless_it_is_named(
    sides: tuple[tuple[str, ...], ...], reached: set[str]
) -> None:
    operations = [PlannedOperation(0, 0, "add", argument=1, node=node) for node in ("n1", "n2", "n1", "n2")]
    plan = plan_of(Fault(fault="partition", at_ns=0, sides=sides), operations=operations, client_timeout_ns=50 * MS)
    answered = [op.node for op in run_plan(plan, COUNTERS).evidence.history.operations if op.outcome is Kind.OK]
    assert set(answered) == reached


def test_leader_is_whoever_led_last_when_the_fault_begins() -> None:
    class Turns(toys.Counter):  # type: ignore[misc, name-defined]  # toys is imported by name
        """Leads in turn: n1 at 20 ms, n2 at 40 ms, ..."""

        turn = 0

        def on_timer(self, name: str, out: Any) -> None:
            self.turn += 1
            if self.turn % 2 == (self.context.id == "n1"):
                out.note("leads", self.turn)
            super().on_timer(name, out)

    def hit(at_ms: int) -> Any:
        fault = Fault(fault="crash", at_ns=at_ms * MS, nodes=("leader",))
        return nemesis(run_plan(plan_of(fault), toys.system_of(Turns)))[0][2]

    assert [hit(10), hit(30), hit(50), hit(70)] == [("n1",), ("n1",), ("n2",), ("n1",)]


# --- links and clocks


def test_loss_on_all_links_and_on_those_of_one_node() -> None:
    everything = gossip_received(nodes=3)
    assert gossip_received(Fault(fault="loss", at_ns=0, rate=1.0), nodes=3) == set()
    assert everything - gossip_received(Fault(fault="loss", at_ns=0, rate=1.0, nodes=("n2",)), nodes=3) == {
        ("n1", "n2"),
        ("n2", "n1"),
        ("n3", "n2"),
        ("n2", "n3"),
    }


def test_what_a_link_does_all_along_goes_on_after_the_heal() -> None:
    run = outcome(links={"n1>n2": Link(loss=1.0), "*": Link(duplicate=1.0)})
    assert not [note for note in run.evidence.trace.of_kind("deliver") if (note.node, note.facts[1]) == ("n2", "n1")]
    late = [note.facts[0] for note in run.evidence.trace.of_kind("deliver") if note.time > 610 * MS]
    assert len(late) > len(set(late))


def test_taking_a_fault_away_leaves_the_luck_of_all_other_messages_alone() -> None:
    """The same messages are lost, with the same delays, whether or not other faults act on their link."""

    def fates(*others: Fault) -> dict[str, int]:
        run = run_plan(plan_of(EXAMPLES["loss"], *others), COUNTERS, trace="full")
        assert run.findings == ()
        sent = [note for note in run.evidence.trace.of_kind("send") if note.node == "n1"]
        number = {note.facts[0]: position for position, note in enumerate(sent)}
        drops = [note for note in run.evidence.trace.of_kind("drop") if note.facts[2] == "loss"]
        return {str(number[note.facts[0]]): note.time for note in drops if note.facts[0] in number}

    assert fates() == fates(replace(EXAMPLES["duplication"])) == fates(replace(EXAMPLES["clock-offset"]))


def test_an_offset_moves_the_wall_clock_and_its_end_moves_it_back() -> None:
    offset = replace(EXAMPLES["clock-offset"], amount_ns=-7 * MS)
    readings = {
        note.time: note.facts[0] for note in outcome(offset).evidence.trace.of_kind("term") if note.node == "n1"
    }
    errors = {time // MS: reading - time for time, reading in readings.items() if isinstance(reading, int)}
    base = errors[20]
    assert {error - base for at, error in errors.items() if 50 <= at < 350} == {-7 * MS}
    assert {error - base for at, error in errors.items() if not 50 <= at < 350} == {0}


@pytest.mark.parametrize(("rate", "timers"), [(0.5, 15), (1.0, 29), (2.0, 58)])
def test_a_clock_that_drifts_counts_its_timers_at_its_own_rate(rate: float, timers: int) -> None:
    drift = Fault(fault="clock-drift", at_ns=0, nodes=("n1",), rate=rate)
    run = run_plan(plan_of(drift), COUNTERS, trace="full")
    rung = [note for note in run.evidence.trace.of_kind("timer") if note.node == "n1" and note.time < 600 * MS]
    assert abs(len(rung) - timers) <= 1


def test_a_timer_that_is_running_when_the_rate_changes_goes_on_at_the_new_one() -> None:
    drift = Fault(fault="clock-drift", at_ns=10 * MS, undo_after_ns=15 * MS, nodes=("n1",), rate=0.5)
    run = run_plan(plan_of(drift), COUNTERS, trace="full")
    first = next(note for note in run.evidence.trace.of_kind("timer") if note.node == "n1")
    assert first.time == 27_500_000  # 10 ms, then 7.5 of the missing 10 in 15 ms, then 2.5


# --- profiles


def test_the_profiles_are_made_of_kinds_that_exist_and_the_storm_of_all() -> None:
    assert all(kind in FAULTS for kinds in PROFILES.values() for kind in kinds)
    assert set(PROFILES["storm"]) == set(FAULTS)
    assert PROFILES["calm"] == ()


def test_a_list_of_kinds_is_a_profile_too() -> None:
    assert kinds_of("crash,partition") == kinds_of("partition,crash") == ("partition", "crash")
    with pytest.raises(UsageError, match=r"no fault 'flood'.*storm.*clock-drift"):
        kinds_of("crash,flood")


def test_the_registry_says_of_each_kind_what_it_reads_from_a_plan() -> None:
    fields = set(Fault.__struct_fields__)
    for name, kind in FAULTS.items():
        assert kind.name == name
        assert set(kind.reads) <= fields
        assert all(
            kind.does.count(f"`{field}`") or field in {"nodes", "sides", "mode", "one_way"} for field in kind.reads
        )
