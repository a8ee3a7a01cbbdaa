"""What happens in a world, seen through histories and traces of small systems."""

from __future__ import annotations

from dataclasses import replace
from importlib import import_module
from typing import Any

import pytest

from upheld.harness.plan import LAST, Delivery, Disk, Fault, Link, Occurrence, Phases, PlannedOperation
from upheld.harness.swarm import generate_plan
from upheld.harness.trial import run_plan
from upheld.histories.errors import UsageError
from upheld.histories.event import Kind
from upheld.histories.history import HistoryBuilder
from upheld.histories.trace import Note
from upheld.histories.values import Map
from upheld.impl.node import MS, SECOND, ClientOutbox, Invocation, Message, Outbox

toys = import_module("toys")
COUNTERS, Counter, plan_of, system_of = toys.COUNTERS, toys.Counter, toys.plan_of, toys.system_of
Idle, first_node, told = toys.Idle, toys.first_node, toys.told


def adding(*amounts: int, client: int = 0, node: str = "n1") -> list[PlannedOperation]:
    return [PlannedOperation(client, 0, "add", argument=amount, node=node) for amount in amounts]


# --- clients


def test_a_client_does_one_thing_at_a_time_and_each_not_before_its_time() -> None:
    operations = [*adding(1, 2), PlannedOperation(0, 100 * MS, "add", argument=3, node="n2")]
    history = run_plan(plan_of(operations=operations), COUNTERS).evidence.history
    first, second, third = history.operations
    assert [operation.result for operation in history.operations] == [1, 3, 3]
    assert first.completed_ns == second.invoked_ns
    assert third.invoked_ns == 100 * MS
    assert [operation.node for operation in history.operations] == ["n1", "n1", "n2"]


def test_the_run_ends_when_all_have_ended_what_they_had_to_do_after_the_final_phase_began() -> None:
    assert run_plan(plan_of(operations=adding(1)), COUNTERS).ended_ns == 800 * MS


def test_a_timeout_is_info_and_the_next_client_of_the_session_has_another_process_and_address() -> None:
    plan = plan_of(Fault(fault="crash", at_ns=0, nodes=("n1",)), operations=[*adding(1), *adding(2, node="n2")])
    run = run_plan(plan, COUNTERS)
    first, second = run.evidence.history.operations
    assert (first.outcome, first.error, first.completed_ns) == (Kind.INFO, "timeout", 200 * MS)
    assert (first.process, second.process, first.session, second.session) == (0, 1, 0, 0)
    assert second.result == 2
    assert [note.fact("client") for note in run.evidence.trace.of_kind("applied")] == ["c0.2"]


def test_an_answer_that_comes_after_the_timeout_reaches_nobody() -> None:
    slow = {"n1>c0": Link(delay=toys.Delay(shape="constant", min_ns=250 * MS)), "*": Link()}
    run = run_plan(plan_of(operations=adding(1, 1), links=slow), COUNTERS, trace="full")
    assert [operation.outcome for operation in run.evidence.history.operations] == [Kind.INFO, Kind.INFO]
    assert any("its receiver is dead" in line for line in told(run, "drop", node="n1"))


def test_last_is_what_the_session_read_last_of_that_key_even_by_another_client() -> None:
    class Teller(toys.Caller):  # type: ignore[misc, name-defined]  # toys is imported by name
        def on_invoke(self, invocation: Invocation, out: ClientOutbox) -> None:
            match invocation.action:
                case "get":
                    out.complete("ok", invocation.argument)
                case "lose":
                    out.complete("info", "gone")
                case _:
                    out.complete("ok", True)

    steps = [("x", "get", 7), ("y", "get", 8), ("x", "cas", (LAST, 9)), ("x", "lose", None), ("x", "cas", (LAST, 1))]
    steps += [("z", "cas", (LAST, 2))]
    plan = plan_of(operations=[PlannedOperation(0, 0, action, key, argument) for key, action, argument in steps])
    history = run_plan(plan, system_of(Idle, Teller)).evidence.history
    assert [operation.argument for operation in history.operations if operation.action == "cas"] == [
        (7, 9),
        (7, 1),
        (None, 2),
    ]


def test_a_request_that_is_sent_again_is_noted_as_a_retry() -> None:
    class Insistent(toys.Caller):  # type: ignore[misc, name-defined]  # toys is imported by name
        def on_invoke(self, invocation: Invocation, out: ClientOutbox) -> None:
            super().on_invoke(invocation, out)
            out.send("n2", toys.Add(msg_id=self.msg_id, amount=1))

    events = [
        event
        for event in run_plan(plan_of(operations=adding(1)), system_of(Counter, Insistent)).evidence.history
        if event.process == "retries"
    ]
    assert [(event.kind, event.action, event.value, event.node) for event in events] == [(Kind.INFO, "add", 0, "n2")]


# --- timers


def test_a_timer_that_is_set_again_runs_out_once_at_its_last_due_time() -> None:
    def do(node: Any, out: Outbox) -> None:
        out.set_timer("later", 10 * MS)
        out.set_timer("later", 30 * MS)
        out.set_timer("sooner", 30 * MS)
        out.set_timer("sooner", 10 * MS)
        out.set_timer("never", 5 * MS)
        out.cancel_timer("never")
        out.cancel_timer("unknown")

    run = run_plan(plan_of(), first_node(do, lambda name, out: out.note("proposed", name)))
    assert told(run, "proposed") == ["10 n1 proposed (value sooner)", "30 n1 proposed (value later)"]


def test_a_timer_that_is_set_often_keeps_one_entry_on_the_agenda() -> None:
    def do(node: Any, out: Outbox) -> None:
        for delay in range(1, 1000):
            out.set_timer("again", delay * MS)
        out.note("proposed", len(out.world.agenda))  # type: ignore[attr-defined]  # a look behind the contract

    run = run_plan(plan_of(), first_node(do))
    assert run.evidence.trace.of_kind("proposed")[0].facts[0] < 10  # type: ignore[operator]  # it noted a length


@pytest.mark.parametrize("delay", [-1, 0.5, "1"])
def test_a_delay_that_is_no_duration_is_a_usage_error(delay: Any) -> None:
    with pytest.raises(UsageError, match="timer 'x'"):
        run_plan(plan_of(), first_node(lambda node, out: out.set_timer("x", delay)))


# --- disks


def test_later_effects_and_inputs_of_a_node_wait_for_its_sync() -> None:
    def do(node: Any, out: Outbox) -> None:
        out.set_timer("meanwhile", 2 * MS)
        out.note("proposed", "before")
        out.sync()
        out.note("proposed", "after")
        out.sync()
        out.note("proposed", "at last")

    run = run_plan(
        plan_of(disks={"*": Disk(sync_ns=5 * MS)}), first_node(do, lambda name, out: out.note("shown", name))
    )
    assert told(run, "proposed", "shown") == [
        "0 n1 proposed (value before)",
        "5 n1 proposed (value after)",
        "10 n1 proposed (value at last)",
        "10 n1 shown (message meanwhile)",
    ]


@pytest.mark.parametrize(
    ("at_ms", "durable"),
    [(3, {}), (6, {"a": 1}), (11, {"a": 1, "b": 2})],
)
def test_a_crash_before_a_sync_has_ended_loses_its_writes_and_whatever_waited_for_it(
    at_ms: int, durable: dict[str, int]
) -> None:
    def do(node: Any, out: Outbox) -> None:
        out.note("proposed", dict(node.context.stored))
        if not node.context.stored:
            out.store("a", 1)
            out.sync()
            out.store("b", 2)
            out.sync()
            out.store("c", 3)

    crash = Fault(fault="crash", at_ns=at_ms * MS, undo_after_ns=MS, nodes=("n1",))
    run = run_plan(plan_of(crash, disks={"*": Disk(sync_ns=5 * MS)}), first_node(do))
    assert run.evidence.trace.of_kind("proposed")[1].facts[0] == Map(durable)


def test_what_is_erased_is_gone_when_that_is_synced() -> None:
    def do(node: Any, out: Outbox) -> None:
        out.note("proposed", dict(node.context.stored))
        if not node.context.stored:
            out.store(("log", 1), (1, "x"))
            out.store("term", 1)
            out.erase("term")
            out.sync()

    crash = Fault(fault="crash", at_ns=50 * MS, undo_after_ns=MS, nodes=("n1",))

    def keys(node: Any, out: Outbox) -> None:
        do(node, out) if not node.context.stored else out.note("proposed", str(dict(node.context.stored)))

    run = run_plan(plan_of(crash), first_node(keys))
    assert run.evidence.trace.of_kind("proposed")[1].facts == ("{('log', 1): (1, 'x')}",)


def test_a_torn_write_leaves_a_prefix_and_damages_the_next_key() -> None:
    def do(node: Any, out: Outbox) -> None:
        out.note("proposed", "".join(node.context.stored), "".join(sorted(node.context.damaged)))
        for key in "abc":
            out.store(key, 1)

    seen = set()
    for seed in range(40):
        crash = Fault(fault="crash", at_ns=50 * MS, undo_after_ns=MS, nodes=("n1",))
        torn = Fault(fault="torn", at_ns=0)
        run = run_plan(plan_of(torn, crash, seed=seed), first_node(do))
        assert run.fired == {"torn": 1, "crash": 1}
        seen.add(run.evidence.trace.of_kind("proposed")[1].facts)
    assert seen == {("", "a"), ("a", "b"), ("ab", "c"), ("abc", "")}


def test_a_value_that_could_be_changed_later_cannot_be_stored() -> None:
    with pytest.raises(UsageError, match="stores list under 'log'"):
        run_plan(plan_of(), first_node(lambda node, out: out.store("log", [1])))


# --- crashes


def test_an_exception_in_a_handler_is_a_crash_and_a_finding() -> None:
    def do(node: Any, out: Outbox) -> None:
        out.note("proposed", "before")
        raise ValueError("that was unexpected")

    run = run_plan(plan_of(), first_node(do))
    assert run.findings[0].startswith("n1 at 0 ns: ValueError: that was unexpected (test_world.py:")
    assert told(run, "crash", "restart", node="n1")[0].startswith("0 n1 crash (why ValueError at test_world.py:")
    assert told(run, "restart") == ["600 n1 restart"]


def test_the_outbox_of_a_node_that_has_crashed_is_inert() -> None:
    def do(node: Any, out: Outbox) -> None:
        out.note("leads", 1)
        out.note("proposed", "after the crash")
        out.send("n2", toys.Gossip(total=1))
        out.set_timer("x", MS)
        out.store("a", 1)
        out.sync()
        raise ValueError("nobody hears this")

    crash = Fault(fault="crash", on=Occurrence("n1", "note:leads"))
    run = run_plan(plan_of(crash), first_node(do))
    assert told(run, "leads", "proposed", "crash")[:2] == ["0 n1 leads (term 1)", "0 n1 crash (why fault)"]
    first, *_ = run.findings
    assert first.startswith("n1 at 600000000 ns")  # it starts again after the heal, and then somebody does hear
    assert run.messages == 1


def test_a_message_for_a_dead_incarnation_never_reaches_the_next() -> None:
    crash = Fault(fault="crash", at_ns=5 * MS, undo_after_ns=0, nodes=("n2",))
    slow = {"*": Link(delay=toys.Delay(shape="constant", min_ns=10 * MS))}
    run = run_plan(
        plan_of(crash, links=slow), first_node(lambda node, out: out.send("n2", toys.Gossip(total=1))), trace="full"
    )
    assert told(run, "proposed", "drop", "restart") == [
        "5 n2 restart",
        "10 n1 drop (message_id 1, to n2, why its receiver is dead)",
    ]


@pytest.mark.parametrize(
    ("event", "k", "notes_before_the_crash"),
    [
        ("send", 1, 0),
        ("send", 2, 1),
        ("store", 2, 0),
        ("sync", 1, 0),
        ("message", 1, 0),
        ("timer", 1, 1),
        ("note:applied", 2, 2),
    ],
)
def test_a_fault_waits_for_the_kth_occurrence_of_an_event(event: str, k: int, notes_before_the_crash: int) -> None:
    crash = Fault(fault="crash", on=Occurrence("n1", event, k))
    run = run_plan(plan_of(crash, operations=adding(1, 1, 1)), COUNTERS)
    crashed = next(at for at, note in enumerate(run.evidence.trace) if note.kind == "crash")
    assert run.evidence.trace[crashed].node == "n1"
    if event != "timer":
        before = [note for note in run.evidence.trace[:crashed] if note.kind == "applied"]
        assert len(before) == notes_before_the_crash + (event == "send")


def test_occurrences_at_any_node_are_counted_together_and_hit_where_they_happen() -> None:
    crash = Fault(fault="crash", on=Occurrence("*", "note:applied", 3))
    operations = [*adding(1, 1), *adding(1, node="n2")]
    run = run_plan(plan_of(crash, operations=operations), COUNTERS)
    assert [note.node for note in run.evidence.trace.of_kind("crash")] == ["n2"]


# --- messages


class Changeable(Message, frozen=True):
    """Not immutable, though frozen."""

    entries: list[int]


class Deep(Message, frozen=True):
    """Immutable outside, changeable within."""

    rows: tuple[tuple[str, Inner], ...]


class Inner(Message, frozen=True):
    """What Deep holds."""

    names: dict[str, int] | None


class Fine(Message, frozen=True):
    """Immutable all the way down."""

    rows: tuple[tuple[str, int | None], ...]
    value: Value
    next: Fine | None = None


from upheld.impl.node import Value  # noqa: E402  # as modules with postponed annotations may have it


@pytest.mark.parametrize(
    ("message", "complaint"),
    [
        (Changeable([1]), r"Changeable\.entries can be changed in place \(list\)"),
        (Deep((("a", Inner({})),)), r"Inner\.names can be changed in place \(dict\)"),
        ("hello", "str is no message"),
    ],
)
def test_a_message_that_can_be_changed_in_place_is_a_usage_error_that_names_the_field(
    message: Any, complaint: str
) -> None:
    with pytest.raises(UsageError, match=complaint):
        run_plan(plan_of(), first_node(lambda node, out: out.send("n2", message)))


def test_an_immutable_message_is_handed_over_by_reference() -> None:
    message = Fine((("a", None),), 7)
    received = []

    class Node(Idle):  # type: ignore[misc, valid-type]  # toys is imported by name
        def on_start(self, out: Outbox) -> None:
            out.send("n2", message)

        def on_message(self, sender: str, message: Message, out: Outbox) -> None:
            received.append(message)

    run_plan(plan_of(), system_of(Node))
    assert received[0] is message


def test_sending_to_nobody_is_a_finding() -> None:
    run = run_plan(plan_of(), first_node(lambda node, out: out.send("n9", toys.Gossip(total=1))))
    assert "n1 sends to 'n9', and nobody has that address" in run.findings[0]


def test_sending_to_nobody_after_a_sync_is_a_finding_too() -> None:
    def do(node: Any, out: Outbox) -> None:
        out.sync()
        out.send("n9", toys.Gossip(total=1))
        out.note("proposed", "never")

    run = run_plan(plan_of(), first_node(do))
    assert "nobody has that address" in run.findings[0]
    assert told(run, "proposed") == []


@pytest.mark.parametrize("fact", [2**80, -(2**70), "\ud800", (1, (2, None)), 1.5])
def test_whatever_a_node_notes_has_a_place_in_the_digest(fact: Any) -> None:
    def digest(noted: Any) -> str:
        return run_plan(plan_of(), first_node(lambda node, out: out.note("proposed", noted))).digest

    assert digest(fact) == digest(fact) != digest("another")


def test_a_delivery_of_the_plan_decides_the_fate_of_one_message() -> None:
    def do(node: Any, out: Outbox) -> None:
        for total in range(3):
            out.send("n2", toys.Gossip(total=total))

    class Node(Idle):  # type: ignore[misc, valid-type]  # toys is imported by name
        def on_start(self, out: Outbox) -> None:
            if self.context.id == "n1":
                do(self, out)

        def on_message(self, sender: str, message: Message, out: Outbox) -> None:
            out.note("shown", message.total)  # type: ignore[attr-defined]  # it is a Gossip

    deliveries = {"n1>n2#1": Delivery(), "n1>n2#2": Delivery(delay_ns=0), "n1>n2#3": Delivery(50 * MS, copies=2)}
    run = run_plan(plan_of(deliveries=deliveries), system_of(Node))
    assert told(run, "shown") == ["0 n2 shown (message 1)", "50 n2 shown (message 2)", "50 n2 shown (message 2)"]


def test_a_fifo_link_keeps_the_order_of_sending() -> None:
    def order(*, fifo: bool) -> list[int]:
        class Node(Idle):  # type: ignore[misc, valid-type]  # toys is imported by name
            def on_start(self, out: Outbox) -> None:
                if self.context.id == "n1":
                    for total in range(20):
                        out.send("n2", toys.Gossip(total=total))

            def on_message(self, sender: str, message: Message, out: Outbox) -> None:
                out.note("shown", message.total)  # type: ignore[attr-defined]  # it is a Gossip

        run = run_plan(plan_of(links={"n1>n2": Link(fifo=fifo)}), system_of(Node))
        return [note.facts[0] for note in run.evidence.trace.of_kind("shown")]  # type: ignore[misc]  # it noted totals

    assert order(fifo=True) == list(range(20))
    assert order(fifo=False) != list(range(20))
    assert sorted(order(fifo=False)) == list(range(20))


# --- runs


def test_a_full_trace_does_not_change_the_digest() -> None:
    for seed in range(5):
        plan = generate_plan(COUNTERS, workload="adding", seed=seed)
        assert run_plan(plan, COUNTERS).digest == run_plan(plan, COUNTERS, trace="full").digest


def test_a_watching_judge_stops_the_run_where_it_sees_enough() -> None:
    seen: list[Note] = []

    def watch(note: Note) -> bool:
        seen.append(note)
        return note.kind == "applied" and note.fact("index") == 3

    run = run_plan(plan_of(operations=adding(1, 1, 1, 1)), COUNTERS, watch=watch)
    assert run.stopped
    assert list(run.evidence.trace) == seen
    assert run.ended_ns == seen[-1].time
    assert not run_plan(plan_of(), COUNTERS, watch=lambda note: False).stopped


def test_a_history_of_the_callers_own_is_told_each_event() -> None:
    history = HistoryBuilder()
    run = run_plan(plan_of(operations=adding(1)), COUNTERS, history=history)
    assert len(history) == len(run.evidence.history) > 2


def test_the_header_tells_judges_what_bounds_are_made_of() -> None:
    header = run_plan(plan_of(settings={"period_ns": 5}), COUNTERS).evidence.history.header
    assert header.system == "toy"
    assert header.extra["client_timeout_ns"] == 200 * MS
    assert header.extra["settings"]["period_ns"] == 5  # type: ignore[index, call-overload]  # settings are a Map


def test_the_header_tells_settings_that_the_plan_leaves_to_the_system() -> None:
    variant = replace(COUNTERS.variants["reference"], settings={"period_ns": 7, "patience": 2})
    system = replace(COUNTERS, variants={"reference": variant})
    header = run_plan(plan_of(settings={"period_ns": 5}), system).evidence.history.header
    assert header.extra["settings"] == Map({"period_ns": 5, "patience": 2})


@pytest.mark.parametrize(
    ("changes", "complaint"),
    [
        ({"system": "another"}, "this system is 'toy'"),
        ({"nodes": 0}, "one at least"),
        ({"variant": "as-written"}, "no variant 'as-written'"),
        ({"front": "one"}, "front"),
        ({"phases": Phases()}, "end > 0"),
        ({"phases": Phases(heal_ns=2, quiet_ns=1, final_ns=3, end_ns=4)}, "go forward"),
        ({"operations": (PlannedOperation(0, 0, "add", node="n7"),)}, "turns to 'n7'"),
        ({"operations": (PlannedOperation(-1, 0, "add"),)}, "neither is negative"),
        ({"faults": (Fault(fault="flood", at_ns=0),)}, "no fault 'flood'"),
        ({"faults": (Fault(fault="crash"),)}, "begins either"),
        ({"faults": (Fault(fault="crash", at_ns=-1),)}, "negative time"),
        ({"faults": (Fault(fault="crash", at_ns=0, nodes=("n3",)),)}, "hits 'n3'"),
        ({"faults": (Fault(fault="crash", on=Occurrence("n3", "send")),)}, "hits 'n3'"),
        ({"faults": (Fault(fault="crash", on=Occurrence("n1", "sneeze")),)}, "waits for 'sneeze'; there are message"),
        ({"links": {"*": Link(delay=toys.Delay(shape="square"))}}, "no delay of shape 'square'"),
    ],
)
def test_a_plan_that_makes_no_sense_is_a_usage_error(changes: dict[str, Any], complaint: str) -> None:
    with pytest.raises(UsageError, match=complaint):
        run_plan(plan_of(**({"operations": adding(1)} | changes)), COUNTERS)


def test_time_is_in_nanoseconds_and_never_goes_back() -> None:
    run = run_plan(generate_plan(COUNTERS, workload="adding", seed=2), COUNTERS)
    times = list(run.order[::2])
    assert times == sorted(times)
    assert times[-1] <= run.ended_ns < 60 * SECOND
    assert len(set(run.order[1::2])) == len(run.order) // 2
