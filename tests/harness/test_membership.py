"""Nodes that come and go, the operator who sees to that, and nodes that nobody waits for any more."""

from __future__ import annotations

from importlib import import_module
from typing import Any

import pytest
from msgspec.structs import replace

from upheld.harness.plan import LEADER, Delay, Fault, Link, Occurrence, Plan, PlannedOperation
from upheld.harness.trial import Run, check_plan, run_plan
from upheld.histories.errors import UsageError
from upheld.histories.event import Kind
from upheld.impl.node import MS, ClientOutbox, Context, Invocation, Outbox

toys = import_module("toys")
CLUB, COUNTERS, Clerk, Idle, Member = toys.CLUB, toys.COUNTERS, toys.Clerk, toys.Idle, toys.Member
plan_of, system_of, told = toys.plan_of, toys.system_of, toys.told

ONE_MS = {"*": Link(delay=Delay(shape="constant", min_ns=MS))}


def at(fault: str, begin_ms: int, *nodes: str, **more: Any) -> Fault:
    return Fault(fault=fault, at_ns=begin_ms * MS, nodes=nodes, **more)


def outcome(*faults: Fault, system: Any = CLUB, **changes: Any) -> Run:
    run: Run = run_plan(plan_of(*faults, links=ONE_MS, **changes), system)
    return run


def operated(run: Run) -> list[str]:
    """What the operator did, with milliseconds."""
    return [
        f"{(event.time or 0) // MS} {event.kind.value} {event.action} {event.value}"
        + (f" ({event.error})" if event.error else "")
        for event in run.evidence.history
        if event.process == "operator"
    ]


def begun(run: Run) -> list[tuple[str, Any]]:
    return [(event.action, event.value) for event in run.evidence.history if event.process == "nemesis"]


def configured(run: Run, node: str) -> list[tuple[int, Any]]:
    """Whom a node took for members, with milliseconds."""
    return [(note.time // MS, note.facts[1]) for note in run.evidence.trace.of_kind("configured") if note.node == node]


# --- joining and leaving


def test_a_node_that_joins_knows_that_it_is_no_member_and_waits_until_the_operator_has_it_taken_in() -> None:
    run = outcome(at("join", 50, joins="n3"))
    assert told(run, "start", node="n3") == ["50 n3 start"]
    assert configured(run, "n3") == [(50, ()), (54, ("n1", "n2", "n3"))]
    assert operated(run) == ["50 invoke join n3", "53 ok join n3"]
    assert run.fired == {"join": 1}


def test_a_node_that_leaves_runs_until_the_operator_is_answered_and_stops_for_ever_then() -> None:
    run = outcome(at("leave", 50, "n1"))
    assert operated(run) == ["50 invoke leave n1", "53 ok leave n1"]
    assert told(run, "crash", "restart") == ["53 n1 crash (why leave)"]
    assert configured(run, "n2")[-1][1] == ("n2",)
    assert run.fired == {"leave": 1}


def test_changes_are_asked_for_one_after_the_other() -> None:
    run = outcome(at("join", 50, joins="n3"), at("join", 51, joins="n4"), at("leave", 52, "n1"))
    assert [line.partition(" ")[2] for line in operated(run)] == [
        "invoke join n3",
        "ok join n3",
        "invoke join n4",
        "ok join n4",
        "invoke leave n1",
        "ok leave n1",
    ]
    assert configured(run, "n4")[-1][1] == ("n2", "n3", "n4")


def test_a_fault_that_names_nobody_hits_those_that_have_joined_and_none_that_has_left() -> None:
    changes = at("join", 50, joins="n3"), at("leave", 100, "n1")
    run = outcome(*changes, at("crash", 40, undo_after_ns=0), at("crash", 200))
    hit = [value for action, value in begun(run) if action == "crash"]
    assert hit == [("n1", "n2"), ("n2", "n3")]


def test_a_fault_may_name_a_node_that_joins_and_does_not_begin_where_it_is_not_there() -> None:
    early, late = at("crash", 40, "n3", undo_after_ns=MS), at("pause", 70, "n3", undo_after_ns=MS)
    run = outcome(early, at("join", 50, joins="n3"), late, at("leave", 100, "n2"), at("pause", 200, "n2"))
    assert [action for action, _ in begun(run)] == ["join", "pause", "undo-pause", "leave"]


def test_a_leader_that_has_left_is_no_leader_any_more() -> None:
    class Proud(Member):  # type: ignore[misc, valid-type]  # toys is imported by name
        def on_start(self, out: Outbox) -> None:
            super().on_start(out)
            if self.context.id == "n1":
                out.note("leads", 1)

    proud = system_of(Proud, operator=Clerk)
    crash, leave = at("crash", 30, LEADER, undo_after_ns=0), at("leave", 50, "n1")
    run = outcome(crash, leave, replace(crash, at_ns=100 * MS), system=proud)
    assert [value for action, value in begun(run) if action == "crash"] == [("n1",), ("n2",)]


def test_clients_made_later_know_those_that_have_joined_and_not_those_that_have_left() -> None:
    class Curious(toys.Caller):  # type: ignore[misc, name-defined]  # toys is imported by name
        def __init__(self, context: Context) -> None:
            super().__init__(context)
            self.peers = context.peers

        def on_invoke(self, invocation: Invocation, out: ClientOutbox) -> None:
            out.complete("info" if invocation.argument else "ok", self.peers)

    operations = [PlannedOperation(0, at_ms * MS, "add", argument=at_ms == 20) for at_ms in (10, 20, 30)]
    operations += [PlannedOperation(0, at_ms * MS, "add", argument=at_ms == 200) for at_ms in (190, 200, 210)]
    system = system_of(Member, Curious, operator=Clerk)
    history = outcome(
        at("join", 50, joins="n3"), at("leave", 100, "n1"), system=system, operations=operations
    ).evidence.history
    known = [operation.result for operation in history.operations if operation.outcome is Kind.OK]
    assert known == [("n1", "n2"), ("n1", "n2"), ("n1", "n2"), ("n2", "n3")]


# --- the operator


def test_a_change_that_times_out_is_asked_for_again_by_a_new_client_until_it_is_made() -> None:
    asked: list[str] = []

    class Signs(Clerk):  # type: ignore[misc, valid-type]  # toys is imported by name
        def on_invoke(self, invocation: Invocation, out: ClientOutbox) -> None:
            asked.append(self.context.id)
            super().on_invoke(invocation, out)

    down = at("crash", 10, undo_after_ns=300 * MS)
    run = outcome(down, at("join", 20, joins="n3"), system=system_of(Member, operator=Signs))
    assert operated(run) == [
        "20 invoke join n3",
        "220 info join n3 (timeout)",
        "320 invoke join n3",
        "323 ok join n3",
    ]
    assert asked == ["operator", "operator.2"]


def test_the_operator_goes_on_asking_after_the_heal() -> None:
    run = outcome(at("crash", 10), at("join", 20, joins="n3"))
    assert operated(run)[-2:] == ["620 invoke join n3", "623 ok join n3"]
    assert configured(run, "n3")[-1][1] == ("n1", "n2", "n3")


def test_a_refusal_and_an_exception_are_no_end_either() -> None:
    answers = iter(["fail", "raise", "info", "ok"])

    class Moody(Clerk):  # type: ignore[misc, valid-type]  # toys is imported by name
        def on_invoke(self, invocation: Invocation, out: ClientOutbox) -> None:
            answer = next(answers)
            if answer == "raise":
                raise ValueError("not today")
            out.complete(answer, "not now")  # type: ignore[arg-type]  # one of the outcomes

    run = outcome(at("join", 50, joins="n3"), system=system_of(Member, operator=Moody))
    assert [line.partition(" (")[0] for line in operated(run)] == [
        "50 invoke join n3",
        "50 fail join n3",
        "150 invoke join n3",
        "150 info join n3",
        "250 invoke join n3",
        "250 info join n3",
        "350 invoke join n3",
        "350 ok join n3",
    ]
    assert "operator" in run.findings[0]
    assert "not today" in run.findings[0]


def test_an_answer_that_comes_after_the_timeout_makes_no_change() -> None:
    slow = {"n1>operator": Link(delay=Delay(shape="constant", min_ns=250 * MS)), **ONE_MS}
    run = run_plan(plan_of(at("leave", 50, "n2"), links=slow, client_timeout_ns=200 * MS), CLUB)
    assert operated(run)[1] == "250 info leave n2 (timeout)"
    assert told(run, "crash") == []


# --- lost disks


class Diary(Member):  # type: ignore[misc, valid-type]  # toys is imported by name
    """Writes a page every ten milliseconds, and notes at its start what it finds."""

    def on_start(self, out: Outbox) -> None:
        pages = sorted(key for key in self.context.stored if len(key) == 1)
        out.note("proposed", "".join(pages))
        out.set_timer("page", 10 * MS)
        self.pages = iter("abcdefghijklmnopqrstuvwxyz"[len(pages) :])

    def on_timer(self, name: str, out: Outbox) -> None:
        out.set_timer(name, 10 * MS)
        out.store(next(self.pages, "z"), 1)
        out.sync()


DIARIES = system_of(Diary, operator=Clerk)


def found(run: Run, node: str) -> list[str]:
    """What each life of a node found on its disk, with milliseconds."""
    return [
        f"{note.time // MS} {note.facts[0]}" for note in run.evidence.trace.of_kind("proposed") if note.node == node
    ]


def test_a_wiped_node_comes_back_with_an_empty_disk_when_the_fault_ends() -> None:
    run = outcome(at("wipe", 45, "n2", undo_after_ns=10 * MS), system=DIARIES)
    assert found(run, "n2") == ["0 ", "55 "]
    assert begun(run) == [("wipe", ("n2",)), ("undo-wipe", ("n2",))]
    assert operated(run) == []


def test_a_wiped_node_that_another_one_replaces_is_gone_for_ever_and_the_other_begins_with_nothing() -> None:
    run = outcome(at("wipe", 45, "n2", joins="n3", undo_after_ns=10 * MS), system=DIARIES)
    assert found(run, "n2") == ["0 "]
    assert found(run, "n3") == ["45 "]
    assert told(run, "crash", "restart") == ["45 n2 crash (why wipe)"]
    assert [line.partition(" ")[2] for line in operated(run)] == [
        "invoke leave n2",
        "ok leave n2",
        "invoke join n3",
        "ok join n3",
    ]
    assert begun(run) == [("wipe", ("n2",))]


@pytest.mark.parametrize(
    ("amount_ms", "pages"), [(4, "abcd"), (5, "abc"), (14, "abc"), (15, "ab"), (25, "a"), (40, ""), (1000, "")]
)
def test_a_disk_that_is_rolled_back_is_as_it_was_then(amount_ms: int, pages: str) -> None:
    """Pages are durable at 11, 21, 31 and 41 ms; the disk is rolled back at 45."""
    back = at("rollback", 45, "n2", undo_after_ns=10 * MS, amount_ns=amount_ms * MS)
    assert found(outcome(back, system=DIARIES), "n2") == ["0 ", f"55 {pages}"]
    replaced = outcome(replace(back, joins="n3"), system=DIARIES)
    assert found(replaced, "n2") == ["0 "]
    assert found(replaced, "n3") == [f"45 {pages}"]


def test_a_disk_can_be_rolled_back_twice_and_forgets_what_came_after() -> None:
    first, second = (at("rollback", begin_ms, "n2", undo_after_ns=0, amount_ns=20 * MS) for begin_ms in (45, 70))
    run = outcome(first, second, system=DIARIES)
    assert found(run, "n2") == ["0 ", "45 ab", "70 ab"]


def test_what_was_erased_or_damaged_is_back_after_a_rollback() -> None:
    class Eraser(Idle):  # type: ignore[misc, valid-type]  # toys is imported by name
        def on_start(self, out: Outbox) -> None:
            out.note("proposed", dict(self.context.stored), tuple(self.context.damaged))
            out.store("a", 1)
            out.store("b", 1)
            out.sync()
            out.set_timer("erase", 20 * MS)

        def on_timer(self, name: str, out: Outbox) -> None:
            out.store("a", 2)
            out.erase("b")
            out.store("c", 3)
            out.sync()

    system = system_of(Eraser, operator=Clerk)
    back = at("rollback", 30, "n2", undo_after_ns=0, amount_ns=20 * MS)
    rotten = at("rot", 5, "n2", rate=1.0, undo_after_ns=22 * MS), at("crash", 25, "n2", undo_after_ns=MS)
    for faults, before in (((back,), []), ((*rotten, back), [("", "ac")])):
        run = outcome(*faults, system=system)
        notes: list[Any] = [note.facts for note in run.evidence.trace.of_kind("proposed") if note.node == "n2"]
        found = [("".join(sorted(stored)), "".join(sorted(damaged))) for stored, damaged in notes]
        assert found == [("", ""), *before, ("ab", "")]


def test_only_plans_with_a_rollback_remember_old_states_of_disks() -> None:
    def disks(*faults: Fault) -> set[str]:
        seen = set()

        class Looks(Member):  # type: ignore[misc, valid-type]  # toys is imported by name
            def on_start(self, out: Outbox) -> None:
                seen.add(type(out.disk).__name__)  # type: ignore[attr-defined]  # a look behind the contract

        outcome(*faults, system=system_of(Looks, operator=Clerk))
        return seen

    assert disks(at("wipe", 50, "n2")) == {"NodeDisk"}
    assert disks(at("rollback", 50, "n2", amount_ns=MS)) == {"RememberingDisk"}


def test_a_node_is_wiped_where_something_happens_when_it_names_no_other() -> None:
    wipe = Fault(fault="wipe", on=Occurrence("*", "message", 1), joins="n3")
    run = outcome(wipe, system=DIARIES, operations=[PlannedOperation(0, 30 * MS, "add", argument=1, node="n2")])
    assert begun(run) == [("wipe", ("n2",))]


# --- nodes that are forsaken


def test_forsaken_nodes_stay_dead_from_the_heal_on_and_the_history_says_so() -> None:
    crash, pause = at("crash", 500, "n1"), at("pause", 500, "n2", "n3")
    run = outcome(crash, pause, nodes=3, forsaken=("n1", "n2"))
    assert told(run, "crash", "restart") == [
        "500 n1 crash (why fault)",
        "600 n2 crash (why forsaken)",
    ]
    assert begun(run)[2:] == [("forsake", ("n1", "n2")), ("undo-crash", ("n1",)), ("undo-pause", ("n2", "n3"))]
    heard = {note.node for note in run.evidence.trace.of_kind("term") if note.time > 610 * MS}
    assert heard == {"n3"}


def test_a_node_that_has_joined_can_be_forsaken() -> None:
    run = outcome(at("join", 50, joins="n3"), forsaken=("n3",))
    assert told(run, "crash") == ["600 n3 crash (why forsaken)"]


# --- plans


@pytest.mark.parametrize(
    ("changes", "complaint"),
    [
        ({"faults": (at("join", 0),)}, "a join needs the name of the node that `joins`"),
        ({"faults": (at("join", 0, joins="n2"),)}, "'n2' cannot join.*begins with n1, n2"),
        ({"faults": (at("join", 0, joins="node3"),)}, "'node3' cannot join"),
        ({"faults": (at("join", 0, joins="n3"), at("wipe", 0, "n1", joins="n3"))}, "'n3' cannot join"),
        ({"faults": (at("leave", 0),)}, "a leave names exactly one node"),
        ({"faults": (at("wipe", 0, "n1", "n2", joins="n3"),)}, "a wipe names exactly one node"),
        ({"faults": (at("rollback", 0, amount_ns=1),)}, "a rollback names exactly one node"),
        ({"faults": (at("rollback", 0, "n1"),)}, "a rollback needs an `amount_ns` above 0"),
        ({"faults": (at("leave", 0, "n1", joins="n3"),)}, "nobody joins by a leave"),
        ({"faults": (at("crash", 0, "n3"),)}, "hits 'n3'; the nodes are n1, n2"),
        ({"forsaken": ("n3",)}, "forsakes 'n3'; the nodes are n1, n2"),
    ],
)
def test_a_plan_whose_members_make_no_sense_is_a_usage_error(changes: dict[str, Any], complaint: str) -> None:
    plan: Plan = plan_of(**changes)
    with pytest.raises(UsageError, match=complaint):
        check_plan(plan, CLUB)


@pytest.mark.parametrize("fault", [at("join", 0, joins="n3"), at("leave", 0, "n1"), at("wipe", 0, "n1", joins="n3")])
def test_members_of_a_system_without_an_operator_cannot_change(fault: Fault) -> None:
    with pytest.raises(UsageError, match="toy reference has no operator"):
        check_plan(plan_of(fault), COUNTERS)


def test_a_disk_may_be_lost_in_place_where_nobody_changes_members() -> None:
    check_plan(plan_of(at("wipe", 0, "n1"), at("rollback", 0, "n1", amount_ns=1)), COUNTERS)
