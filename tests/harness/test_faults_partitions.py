"""Who can talk to whom under each shape of partition, in each of its modes, and where clients stand.

All nodes tell each other something every 20 ms; who hears from whom is compared with what the shape promises, said anew here.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from collections.abc import Set as AbstractSet
from importlib import import_module
from itertools import permutations
from typing import Any, Final

import pytest

from upheld.cli.listing import LISTS
from upheld.harness.draws import Draw
from upheld.harness.faults import FAULTS
from upheld.harness.faults.partitions import SHAPES, Cut, Shape, with_clients
from upheld.harness.plan import Fault, Phases, PlannedOperation
from upheld.harness.randomness import Luck, stream
from upheld.harness.swarm import generate_plan
from upheld.harness.trial import Run, check_plan, run_plan
from upheld.histories.errors import UsageError
from upheld.histories.event import Kind
from upheld.impl.node import MS

toys = import_module("toys")
COUNTERS, plan_of = toys.COUNTERS, toys.plan_of

Pairs = AbstractSet[tuple[str, str]]
"""Who hears from whom: (sender, receiver)."""

SHORT: Final = Phases(heal_ns=90 * MS, quiet_ns=90 * MS, final_ns=90 * MS, end_ns=90 * MS)
BY_NAME: Final = {shape.name: shape for shape in SHAPES}


def names_of(size: int) -> tuple[str, ...]:
    return tuple(f"n{number}" for number in range(1, size + 1))


def drawn(shape: Shape, size: int, seed: int) -> Cut:
    draw = Draw(Luck(stream(seed, "test", shape.name)))
    return shape.cuts(draw, draw.luck.shuffled(names_of(size)))


def partition(cut: Cut, **how: Any) -> Fault:
    return Fault(fault="partition", at_ns=0, sides=cut.sides, cut=cut.links, **how)


def talking(*faults: Fault, size: int) -> Pairs:
    """Who heard from whom, in a run under these faults."""
    return heard_in(run_plan(plan_of(*faults, nodes=size, phases=SHORT), COUNTERS))


def heard_in(run: Run) -> Pairs:
    return {(str(note.fact("command")), note.node) for note in run.evidence.trace.of_kind("appended")}


def everybody(names: AbstractSet[str]) -> Pairs:
    return set(permutations(names, 2))


def groups(pairs: Pairs, names: AbstractSet[str]) -> list[set[str]]:
    """The nodes, by whom they can talk with in both directions; the smallest group first."""
    found: list[set[str]] = []
    for name in sorted(names):
        group = {name} | {other for other in names if {(name, other), (other, name)} <= pairs}
        if group not in found:
            found.append(group)
    return sorted(found, key=len)


def are_apart(pairs: Pairs, names: AbstractSet[str], sizes: list[int]) -> bool:
    """Whether the nodes fall into groups of these sizes: all within one talk, and nobody with anybody outside."""
    found = groups(pairs, names)
    return [len(group) for group in found] == sizes and pairs == {pair for group in found for pair in everybody(group)}


# --- what each shape promises


def one_node(pairs: Pairs, names: AbstractSet[str]) -> bool:
    return are_apart(pairs, names, sorted([1, len(names) - 1]))


def halves(pairs: Pairs, names: AbstractSet[str]) -> bool:
    return are_apart(pairs, names, [len(names) // 2, len(names) - len(names) // 2])


def majority_and_minority(pairs: Pairs, names: AbstractSet[str]) -> bool:
    smaller = len(groups(pairs, names)[0])
    return 2 * smaller < len(names) and are_apart(pairs, names, [smaller, len(names) - smaller])


def bridge(pairs: Pairs, names: AbstractSet[str]) -> bool:
    """Without the one that talks with everybody, the others fall into halves."""
    return any(
        {pair for pair in everybody(names) if name in pair} <= pairs
        and halves({pair for pair in pairs if name not in pair}, names - {name})
        for name in names
    )


def majorities_ring(pairs: Pairs, names: AbstractSet[str]) -> bool:
    """With four nodes or more, whoever hears somebody is heard by them, too."""
    heard = [frozenset({name} | {sender for sender, receiver in pairs if receiver == name}) for name in sorted(names)]
    mutual = all((receiver, sender) in pairs for sender, receiver in pairs)
    return (
        all(2 * len(one) > len(names) for one in heard)
        and len(set(heard)) == len(names)
        and mutual == (len(names) >= 4)
    )


def leader_isolated(pairs: Pairs, names: AbstractSet[str]) -> bool:
    """Nobody has led yet, so it is the first node."""
    return pairs == everybody(names - {"n1"})


def random_cut(pairs: Pairs, names: AbstractSet[str]) -> bool:
    return pairs < everybody(names)


PROMISES: Final[Mapping[str, Callable[[Pairs, AbstractSet[str]], bool]]] = {
    "one node": one_node,
    "halves": halves,
    "majority and minority": majority_and_minority,
    "bridge": bridge,
    "majorities ring": majorities_ring,
    "leader isolated": leader_isolated,
    "random cut": random_cut,
}
CASES: Final = [(shape.name, size) for shape in SHAPES for size in range(max(2, shape.least), 8)]


def test_every_shape_has_its_promise_here() -> None:
    assert list(PROMISES) == list(BY_NAME)


@pytest.mark.parametrize("size", range(2, 8))
def test_without_a_partition_everybody_hears_everybody_and_no_promise_is_kept(size: int) -> None:
    pairs, names = talking(size=size), set(names_of(size))
    assert pairs == everybody(names)
    assert not any(promise(pairs, names) for name, promise in PROMISES.items() if size >= BY_NAME[name].least)


@pytest.mark.parametrize(("name", "size"), CASES)
def test_under_a_shape_those_can_talk_whom_it_lets_talk_and_no_others(name: str, size: int) -> None:
    for seed in range(6):
        pairs = talking(partition(drawn(BY_NAME[name], size, seed)), size=size)
        assert PROMISES[name](pairs, set(names_of(size))), (seed, sorted(pairs))


def test_the_shapes_are_listed_beside_the_kinds_of_fault_each_with_a_sentence() -> None:
    rows = LISTS["faults"]([])
    assert {row["fault"] for row in rows} == set(FAULTS) | {f"partition: {shape.name}" for shape in SHAPES}
    assert all(row["does"] for row in rows)


@pytest.mark.parametrize("name", ["one node", "bridge", "majorities ring", "random cut"])
def test_chance_says_which_nodes_a_shape_hits(name: str) -> None:
    assert len({drawn(BY_NAME[name], 5, seed) for seed in range(30)}) >= 5


def test_a_random_cut_is_a_graph_with_directions_of_any_density() -> None:
    cuts = [set(drawn(BY_NAME["random cut"], 4, seed).links) for seed in range(40)]
    assert min(map(len, cuts)) <= 2
    assert max(map(len, cuts)) >= 10
    assert any((">".join(reversed(link.split(">")))) not in cut for cut in cuts for link in cut)
    assert all(drawn(BY_NAME["random cut"], 2, seed).links for seed in range(40))


def test_the_leader_is_whoever_led_last_when_the_partition_begins() -> None:
    class Leads(toys.Counter):  # type: ignore[misc, name-defined]  # toys is imported by name
        """n2 leads from the beginning."""

        def on_start(self, out: Any) -> None:
            if self.context.id == "n2":
                out.note("leads", 1)
            super().on_start(out)

    isolated = partition(drawn(BY_NAME["leader isolated"], 3, 0))
    run = run_plan(plan_of(isolated, nodes=3, phases=SHORT), toys.system_of(Leads))
    assert heard_in(run) == {("n1", "n3"), ("n3", "n1")}


# --- modes


@pytest.mark.parametrize("size", [3, 5])
def test_one_way_lets_everything_through_but_what_the_first_side_sends(size: int) -> None:
    for seed in range(4):
        cut = drawn(BY_NAME["majority and minority"], size, seed)
        first, second = map(set, cut.sides)
        expected = {(sender, receiver) for sender in first for receiver in second}
        assert everybody(set(names_of(size))) - talking(partition(cut, one_way=True), size=size) == expected


def arrived_ms(fault: Fault) -> list[int]:
    """When n2 heard from n1, which speaks every 20 ms, in a run whose messages take one to three."""
    run = run_plan(plan_of(fault), COUNTERS)
    return [
        note.time // MS
        for note in run.evidence.trace.of_kind("appended")
        if note.node == "n2" and note.fact("command") == "n1"
    ]


@pytest.mark.parametrize("cut", [Cut(sides=(("n1",), ("n2",))), Cut(links=("n1>n2",))], ids=["sides", "links"])
@pytest.mark.parametrize(
    ("mode", "meanwhile", "after"),
    [({"mode": "drop"}, 0, 0), ({"mode": "hold"}, 0, 10), ({"mode": "slow", "amount_ns": 50 * MS}, 7, 3)],
    ids=["drop", "hold", "slow"],
)
def test_what_would_cross_is_dropped_or_held_or_slow(
    cut: Cut, mode: dict[str, Any], meanwhile: int, after: int
) -> None:
    """Of the ten that would cross from 90 to 290 ms; the last of the slow ones arrive after it."""
    fault = Fault(fault="partition", at_ns=90 * MS, undo_after_ns=200 * MS, sides=cut.sides, cut=cut.links, **mode)
    times, usual = arrived_ms(fault), arrived_ms(NOTHING)

    def within(found: list[int], begin: int, end: int) -> int:
        return len([time for time in found if begin <= time < end])

    assert within(times, 0, 90) == within(usual, 0, 90) == 4
    assert within(usual, 90, 290) == 10
    assert within(times, 90, 290) == meanwhile
    assert within(times, 290, 350) == within(usual, 290, 350) + after
    assert times[-5:] == usual[-5:]


NOTHING: Final = Fault(fault="partition", at_ns=0)


def test_a_slow_partition_makes_each_message_later_by_its_amount() -> None:
    usual, slow = (
        arrived_ms(Fault(fault="partition", at_ns=0, cut=cut, mode="slow", amount_ns=70 * MS))
        for cut in (("n2>n1",), ("n1>n2",))
    )
    assert usual == arrived_ms(NOTHING)
    assert slow[:20] == [time + 70 for time in usual[:20]]


@pytest.mark.parametrize(
    "fault",
    [
        NOTHING,
        partition(Cut(sides=(("n1", "n2"),))),
        partition(Cut(links=("c0>n1",))),
        Fault(fault="partition", at_ns=21 * MS, undo_after_ns=10 * MS, cut=("n1>n2", "n2>n1")),
    ],
    ids=["nothing is cut", "one side", "the links of a client that says nothing", "nothing crosses meanwhile"],
)
def test_a_partition_that_no_message_met_has_not_fired(fault: Fault) -> None:
    assert run_plan(plan_of(fault), COUNTERS).fired == {}


def test_a_partition_counts_each_message_that_it_met() -> None:
    run = run_plan(plan_of(partition(Cut(links=("n1>n2",))), phases=SHORT), COUNTERS, trace="full")
    sent = [note for note in run.evidence.trace.of_kind("send") if note.node == "n1"]
    dropped = [note for note in run.evidence.trace.of_kind("drop") if note.node == "n1"]
    assert run.fired["partition"] == len(dropped) == len(sent) == 4


def test_the_history_tells_which_links_were_cut() -> None:
    run = run_plan(plan_of(partition(Cut(links=("n1>n2",)))), COUNTERS)
    told = [event for event in run.evidence.history.nemesis() if event.process == "nemesis"]
    assert [event.value for event in told] == [("n1>n2",), ("n1>n2",)]


# --- clients


def answered(cut: Cut, size: int = 3) -> set[str]:
    """Which nodes answer the client c0 under such a cut."""
    asked = [PlannedOperation(0, 0, "add", argument=1, node=node) for node in names_of(size)]
    plan = plan_of(partition(cut), nodes=size, operations=asked, client_timeout_ns=50 * MS)
    return {op.node for op in run_plan(plan, COUNTERS).evidence.history.operations if op.outcome is Kind.OK and op.node}


@pytest.mark.parametrize("shape", [shape for shape in SHAPES if shape.least <= 3], ids=lambda shape: shape.name)
def test_a_client_that_no_shape_names_reaches_all_nodes(shape: Shape) -> None:
    assert answered(drawn(shape, 3, 1)) == set(names_of(3))


def test_a_client_may_be_on_either_side_and_reaches_the_nodes_there() -> None:
    reached = set()
    for seed in range(20):
        draw = Draw(Luck(stream(seed, "test", "clients")))
        cut = with_clients(draw, Cut(sides=(("n1",), ("n2", "n3"))), names_of(3), ("c0",))
        side = next(side for side in cut.sides if "c0" in side)
        assert answered(cut) == set(side) - {"c0"}
        reached.add(side)
    assert reached == {("n1", "c0"), ("n2", "n3", "c0")}


def test_a_client_of_a_bridge_or_a_ring_stands_where_some_node_stands() -> None:
    """Both it and the nodes that it cannot reach, or that cannot reach it, are cut from each other as that node is."""
    for shape, seed in [(BY_NAME[name], seed) for name in ("bridge", "majorities ring") for seed in range(10)]:
        cut = drawn(shape, 5, seed)
        draw = Draw(Luck(stream(seed, "test", "clients")))
        with_it = with_clients(draw, cut, names_of(5), ("c0",))
        assert set(cut.links) < set(with_it.links)
        pairs = talking(partition(cut), size=5)
        reachable = [
            {name} | {other for other in names_of(5) if {(name, other), (other, name)} <= pairs} for name in names_of(5)
        ]
        assert answered(with_it, size=5) in reachable


# --- plans


def test_storms_draw_every_shape_and_mode_with_and_without_clients_and_all_their_plans_make_sense() -> None:
    plans = [generate_plan(COUNTERS, workload="adding", profile="partitions", seed=seed, nodes=5) for seed in range(80)]
    for plan in plans:
        check_plan(plan, COUNTERS)
    faults = [fault for plan in plans for fault in plan.faults]
    assert {fault.mode for fault in faults} == {"drop", "hold", "slow"}
    assert all((fault.mode == "slow") == (fault.amount_ns > 0) for fault in faults)
    assert {len(side) for fault in faults for side in fault.sides[:1] if set(side) <= {*names_of(5)}} >= {1, 2, 3}
    assert any(fault.sides == (("leader",),) for fault in faults)
    cuts = [fault.cut for fault in faults if fault.cut]
    assert {len(cut) for cut in cuts} >= {8, 10}  # a bridge of five nodes, and a ring of them
    assert any(link.startswith("c0>") for cut in cuts for link in cut)
    assert any("c0" in side for fault in faults for side in fault.sides)


@pytest.mark.parametrize("size", [1, 2, 3])
def test_a_cluster_of_few_nodes_gets_the_shapes_that_it_can_have(size: int) -> None:
    for seed in range(20):
        plan = generate_plan(COUNTERS, workload="adding", profile="partitions", seed=seed, nodes=size)
        check_plan(plan, COUNTERS)
        assert plan.faults


@pytest.mark.parametrize(
    ("how", "complaint"),
    [
        ({"cut": ("n1>n2",), "sides": (("n1",),)}, "either sides or a `cut`"),
        ({"cut": ("n1>n2",), "one_way": True}, "either sides or a `cut`"),
        ({"cut": ("n1-n2",)}, "cuts 'n1-n2'; a link is written 'n1>n2'"),
        ({"cut": ("n1>n1",)}, "cuts 'n1>n1'"),
        ({"cut": ("leader>n1",)}, "cuts 'leader>n1'"),
        ({"cut": ("n1>n7",)}, "hits 'n7'; the nodes are n1, n2"),
        ({"sides": (("n1",),), "mode": "slow"}, "how late"),
        ({"sides": (("n1",),), "amount_ns": MS}, "how late"),
    ],
)
def test_a_partition_that_makes_no_sense_is_a_usage_error(how: dict[str, Any], complaint: str) -> None:
    with pytest.raises(UsageError, match=complaint):
        run_plan(plan_of(Fault(fault="partition", at_ns=0, **how)), COUNTERS)
