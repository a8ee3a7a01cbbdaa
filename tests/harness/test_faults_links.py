"""What each fault does to the messages of one link: n1 sends n2 a number every 10 ms, and each takes 2 ms, by itself.

Each plan runs with a full trace, for which every message becomes a parcel, and without, when hardly any does; the two ways
must agree on every fate.
"""

from __future__ import annotations

from collections import Counter
from typing import Any, Final

import msgspec
import pytest

from upheld.harness.faults import FAULTS
from upheld.harness.plan import Delay, Delivery, Fault, Link, Phases, Plan
from upheld.harness.randomness import delays
from upheld.harness.system import Budget, System, Variant
from upheld.harness.trial import Run, run_plan
from upheld.histories.errors import UsageError
from upheld.impl.node import MS, SECOND, ClientOutbox, Context, Invocation, Message, Outbox

EVERY: Final = 10 * MS
TAKES: Final = 2 * MS
MANY: Final = 100


class Number(Message, frozen=True):
    """One of the numbers that n1 sends; with padding, so that it can be as long as one likes."""

    number: int
    padding: str


class Counting:
    """n1 sends the numbers from 1, as many at a time as it is told to; n2 listens."""

    def __init__(self, context: Context) -> None:
        self.context, self.number = context, 0

    def on_start(self, out: Outbox) -> None:
        if self.context.id == "n1":
            out.set_timer("tick", EVERY)

    def on_timer(self, name: str, out: Outbox) -> None:
        for _ in range(self.context.settings["burst"]):
            self.number += 1
            out.send("n2", Number(number=self.number, padding=self.context.settings["padding"]))
        if self.number < MANY:
            out.set_timer(name, EVERY)

    def on_message(self, sender: str, message: Message, out: Outbox) -> None: ...


class Nobody:
    """A client that nothing is asked of."""

    def __init__(self, context: Context) -> None: ...

    def on_invoke(self, invocation: Invocation, out: ClientOutbox) -> None: ...

    def on_message(self, sender: str, message: Message, out: ClientOutbox) -> None: ...

    def on_timer(self, name: str, out: ClientOutbox) -> None: ...


SYSTEM = System(
    name="counting",
    variants={"reference": Variant(nodes=Counting, client=Nobody, workloads={})},
    budget=Budget(),
)
CONSTANT = Delay(shape="constant", min_ns=TAKES, max_ns=TAKES)


def run(
    *faults: Fault, link: Link | None = None, burst: int = 1, padding: str = "", heal_ns: int = 2 * SECOND, **more: Any
) -> Run:
    end_ns = heal_ns + 2 * SECOND
    plan = Plan(
        system="counting",
        nodes=2,
        settings={"burst": burst, "padding": padding},
        faults=faults,
        links={"*": link or Link(delay=CONSTANT)},
        phases=Phases(heal_ns=heal_ns, quiet_ns=end_ns, final_ns=end_ns, end_ns=end_ns),
        **more,
    )
    full, notes = run_plan(plan, SYSTEM, trace="full"), run_plan(plan, SYSTEM)
    assert (notes.digest, notes.fired) == (full.digest, full.fired)
    return full


def arrivals(outcome: Run) -> list[tuple[int, int]]:
    """Which number arrived when, in the order of arrival."""
    numbers: dict[Any, int] = {}
    for note in outcome.evidence.trace.of_kind("send"):
        body: Any = note.fact("body")
        numbers[note.fact("message_id")] = body["number"]
    return [(numbers[note.fact("message_id")], note.time) for note in outcome.evidence.trace.of_kind("deliver")]


def late_ns(outcome: Run, burst: int = 1) -> dict[int, int]:
    """By how much each number was later than 2 ms after it was sent, when it arrived first."""
    late: dict[int, int] = {}
    for number, time in arrivals(outcome):
        late.setdefault(number, time - sent_ns(number, burst) - TAKES)
    return late


def sent_ns(number: int, burst: int = 1) -> int:
    return (1 + (number - 1) // burst) * EVERY


def order(outcome: Run) -> list[int]:
    return [number for number, _ in arrivals(outcome)]


def all_along(kind: str, **how: Any) -> Fault:
    return Fault(fault=kind, at_ns=0, **how)


def test_without_faults_each_number_arrives_once_in_order_after_two_milliseconds() -> None:
    outcome = run()
    assert arrivals(outcome) == [(number, sent_ns(number) + TAKES) for number in range(1, MANY + 1)]
    assert outcome.fired == {}


# --- each kind by itself


def test_loss_takes_as_many_as_its_rate_says_and_no_more() -> None:
    outcome = run(all_along("loss", rate=0.3))
    assert 15 <= outcome.fired["loss"] == MANY - len(arrivals(outcome)) <= 45
    assert set(late_ns(outcome).values()) == {0}


def test_duplication_lets_numbers_arrive_twice_the_second_time_later() -> None:
    outcome = run(all_along("duplication", rate=0.3, amount_ns=5 * MS))
    times = Counter(order(outcome))
    twice = [number for number, count in times.items() if count == 2]
    assert 15 <= len(twice) == outcome.fired["duplication"] <= 45
    assert max(times.values()) == 2
    assert set(late_ns(outcome).values()) == {0}
    spread = {number: [time for one, time in arrivals(outcome) if one == number] for number in twice}
    assert all(0 <= second - first <= 5 * MS for first, second in spread.values())


def test_delay_makes_numbers_late_up_to_its_amount() -> None:
    outcome = run(all_along("delay", rate=0.5, amount_ns=40 * MS))
    late = [by_ns for by_ns in late_ns(outcome).values() if by_ns]
    assert 30 <= len(late) == outcome.fired["delay"] <= 70
    assert 30 * MS < max(late) <= 40 * MS
    assert order(outcome) != sorted(order(outcome))


def test_a_number_that_is_to_be_overtaken_arrives_right_after_the_next_one() -> None:
    outcome = run(all_along("reordering", rate=0.2, amount_ns=SECOND))
    found = order(outcome)
    waited = {number for number, by_ns in late_ns(outcome).items() if by_ns}
    assert 8 <= len(waited) == outcome.fired["reordering"] <= 35
    for number in waited - {MANY}:
        overtook = next(other for other in range(number + 1, MANY + 1) if other not in waited)
        assert late_ns(outcome)[number] == sent_ns(overtook) - sent_ns(number)
        assert found.index(overtook) < found.index(number)
    assert [number for number in found if number not in waited] == [n for n in range(1, MANY + 1) if n not in waited]


def test_a_number_waits_to_be_overtaken_no_longer_than_its_amount() -> None:
    outcome = run(all_along("reordering", rate=1, amount_ns=7 * MS))
    assert set(late_ns(outcome).values()) == {7 * MS}
    assert order(outcome) == list(range(1, MANY + 1))


def test_only_a_later_number_overtakes_one_that_waits() -> None:
    """The first arrives at 40 ms, while the second waits, from 22 ms on."""
    first_late = {"n1>n2#1": Delivery(delay_ns=30 * MS)}
    outcome = run(all_along("reordering", rate=1, amount_ns=25 * MS), deliveries=first_late)
    assert arrivals(outcome)[:2] == [(1, 40 * MS), (2, 47 * MS)]


def test_what_waits_to_be_overtaken_arrives_when_reordering_ends() -> None:
    ends_ns = 31 * MS
    outcome = run(Fault(fault="reordering", at_ns=0, undo_after_ns=ends_ns, rate=1, amount_ns=SECOND))
    assert arrivals(outcome)[:3] == [(1, ends_ns), (2, ends_ns), (3, 32 * MS)]


def test_numbers_that_are_overtaken_anyway_do_not_wait_and_nothing_has_fired() -> None:
    """The second of two that are sent together is made the faster one."""
    faster = {f"n1>n2#{number}": Delivery(delay_ns=MS) for number in range(2, MANY + 1, 2)}
    outcome = run(all_along("reordering", rate=1, amount_ns=SECOND), burst=2, deliveries=faster)
    assert set(late_ns(outcome, burst=2).values()) == {0, -MS}
    assert outcome.fired == {}


def test_a_heavy_tail_delays_every_number_a_few_of_them_by_far_more_than_the_others() -> None:
    outcome = run(all_along("heavy-tail", amount_ns=10 * MS))
    late = sorted(late_ns(outcome).values())
    assert outcome.fired["heavy-tail"] == len(late) == MANY
    assert 3 * MS < late[0] < late[MANY // 2] < 8 * MS
    assert 4 * late[MANY // 2] < late[-1] <= 500 * MS


def test_a_heavy_tail_has_about_the_mean_that_it_is_said_to_have_and_a_bound() -> None:
    quantiles = delays(Delay(shape="heavy_tail", min_ns=0, mean_ns=1_000, max_ns=50_000))
    assert 900 <= sum(quantiles) / len(quantiles) <= 1_000
    assert quantiles[-1] == 50_000


def length(number: int, padding: str = "") -> int:
    return len(msgspec.json.encode(Number(number=number, padding=padding)))


def test_with_little_bandwidth_numbers_go_one_behind_the_other() -> None:
    """Four at a time, of which each takes about half a millisecond to get through: they wait for each other."""
    outcome = run(all_along("bandwidth", count=100_000), burst=4)
    free_ns = 0
    for number, time in arrivals(outcome):
        free_ns = max(free_ns, sent_ns(number, 4)) + length(number) * SECOND // 100_000
        assert time == free_ns + TAKES
    assert order(outcome) == list(range(1, MANY + 1))
    assert outcome.fired["bandwidth"] == MANY


def test_a_longer_message_takes_longer() -> None:
    late = [late_ns(run(all_along("bandwidth", count=1_000_000), padding="-" * size))[1] for size in (0, 1_000)]
    assert late[1] - late[0] == 1_000 * SECOND // 1_000_000


def test_two_limits_are_passed_one_after_the_other() -> None:
    narrow, narrower = all_along("bandwidth", count=100_000), all_along("bandwidth", count=50_000)
    outcome = run(narrow, narrower)
    assert late_ns(outcome)[1] == length(1) * SECOND // 100_000 + length(1) * SECOND // 50_000


def test_what_waits_for_bandwidth_is_under_way_when_the_limit_ends() -> None:
    """At 100 bytes a second each number takes about half a second."""
    ends_ns = 1_500 * MS
    outcome = run(Fault(fault="bandwidth", at_ns=0, undo_after_ns=ends_ns, count=100))
    through = [number for number, time in arrivals(outcome) if time < ends_ns]
    assert 2 <= len(through) <= 4
    rest = arrivals(outcome)[len(through) :]
    assert {time for _, time in rest} == {ends_ns + TAKES}
    assert order(outcome) == list(range(1, MANY + 1))


def test_copies_are_made_behind_the_narrow_place_and_cost_nothing() -> None:
    narrow, copied = all_along("bandwidth", count=100_000), all_along("duplication", rate=1, amount_ns=MS)
    assert late_ns(run(narrow, burst=4), 4) == late_ns(run(narrow, copied, burst=4), 4)


def test_bandwidth_without_end_changes_nothing_and_has_not_fired() -> None:
    outcome = run(all_along("bandwidth", count=10**12))
    assert set(late_ns(outcome).values()) == {0}
    assert outcome.fired == {}


def test_what_finds_no_place_in_a_queue_is_lost() -> None:
    """Of five that are sent at once three have a place; all have arrived before the next five."""
    outcome = run(all_along("queue", count=3), burst=5)
    assert order(outcome) == [number for number in range(1, MANY + 1) if (number - 1) % 5 < 3]
    assert outcome.fired["queue"] == MANY * 2 // 5


def test_a_place_in_a_queue_is_free_when_the_message_has_arrived() -> None:
    """Each takes 25 ms, so of those that are sent every 10 ms one can have the place, two cannot."""
    slow = Link(delay=Delay(shape="constant", min_ns=25 * MS, max_ns=25 * MS))
    assert order(run(all_along("queue", count=1), link=slow)) == list(range(1, MANY + 1, 3))


def test_a_copy_needs_no_place_in_a_queue_of_its_own() -> None:
    copied = all_along("duplication", rate=1, amount_ns=100 * MS)
    outcome = run(all_along("queue", count=1), copied)
    assert Counter(order(outcome)) == dict.fromkeys(range(1, MANY + 1), 2)
    assert "queue" not in outcome.fired


def test_what_waits_for_bandwidth_has_its_place_in_the_queue() -> None:
    """A line in which each takes about half a second, and room for two: the first two, and whoever comes when one is out."""
    narrow, short = all_along("bandwidth", count=100), all_along("queue", count=2)
    outcome = run(narrow, short, heal_ns=3 * SECOND)
    assert order(outcome)[:2] == [1, 2]
    assert len(order(outcome)) + outcome.fired["queue"] == MANY
    assert outcome.fired["queue"] > 90


@pytest.mark.parametrize(
    ("link", "fault"),
    [
        (Link(delay=CONSTANT, bytes_per_s=50_000), Fault(fault="bandwidth", at_ns=0, count=50_000)),
        (Link(delay=CONSTANT, queue=2), Fault(fault="queue", at_ns=0, count=2)),
    ],
    ids=["bandwidth", "queue"],
)
def test_a_link_does_all_along_what_the_fault_does_before_the_heal(link: Link, fault: Fault) -> None:
    by_fault, by_link = (arrivals(run(*faults, link=of, burst=4)) for faults, of in (((fault,), None), ((), link)))
    assert by_fault == by_link
    assert by_link != arrivals(run(burst=4))
    heals_ns = 100 * MS
    assert arrivals(run(link=link, burst=4, heal_ns=heals_ns)) == by_link
    assert arrivals(run(fault, burst=4, heal_ns=heals_ns)) != by_link


@pytest.mark.parametrize("kind", ["loss", "duplication", "delay", "reordering", "heavy-tail", "bandwidth", "queue"])
def test_a_fault_hits_the_links_of_its_nodes_only_and_may_wait_for_an_event(kind: str) -> None:
    how: dict[str, Any] = {"fault": kind, "rate": 1.0, "amount_ns": 3 * MS, "count": 1}
    how = {name: value for name, value in how.items() if name == "fault" or name in FAULTS[kind].reads}
    event = {"node": "n1", "event": "send", "k": 11}
    on_send = msgspec.convert({**how, "on": event, "nodes": ["n1"]}, Fault)
    struck = arrivals(run(on_send, burst=5))
    assert struck[:10] == arrivals(run(burst=5))[:10]
    assert struck[10:] != arrivals(run(burst=5))[10:]


# --- the order of sending


def test_a_link_that_keeps_the_order_of_sending_keeps_it_under_every_fault() -> None:
    fifo = Link(delay=Delay(min_ns=MS, max_ns=30 * MS), fifo=True)
    loose = msgspec.structs.replace(fifo, fifo=False)
    faults = (
        all_along("delay", rate=0.5, amount_ns=50 * MS),
        all_along("duplication", rate=0.3, amount_ns=20 * MS),
        all_along("heavy-tail", amount_ns=MS),
        all_along("reordering", rate=0.5, amount_ns=50 * MS),
        all_along("loss", rate=0.1),
        Fault(fault="partition", at_ns=300 * MS, undo_after_ns=200 * MS, sides=(("n1",),), mode="hold"),
        Fault(fault="partition", at_ns=700 * MS, undo_after_ns=100 * MS, sides=(("n1",),), mode="slow", amount_ns=MS),
    )
    for some in ((), *((fault,) for fault in faults), faults):
        assert order(run(*some, link=fifo)) == sorted(order(run(*some, link=fifo)))
    assert order(run(*faults, link=loose)) != sorted(order(run(*faults, link=loose)))
    assert "reordering" not in run(*faults, link=fifo).fired


def test_a_delay_that_the_order_of_sending_asks_for_anyway_has_not_fired() -> None:
    """The first of two waits 9 ms; the second one would have to wait for it, delayed or not."""
    first = {f"n1>n2#{number}": Delivery(delay_ns=None) for number in range(3, MANY + 1)}
    slow = Link(delay=Delay(shape="constant", min_ns=9 * MS, max_ns=9 * MS), fifo=True)
    begins = Fault(fault="partition", at_ns=EVERY + MS, sides=(("n1",),), mode="slow", amount_ns=MS)
    late = Fault(fault="partition", at_ns=0, undo_after_ns=EVERY + MS, sides=(("n1",),), mode="slow", amount_ns=30 * MS)
    outcome = run(late, begins, link=slow, deliveries=first)
    assert arrivals(outcome) == [(1, 49 * MS), (2, 49 * MS)]
    assert outcome.fired["partition"] == 1


def test_a_line_that_a_message_would_have_waited_as_long_without_has_not_fired() -> None:
    """The first takes 30 ms more; the second, which passes a narrow place meanwhile, arrives with it, as it would anyway."""
    late = Fault(fault="partition", at_ns=0, undo_after_ns=EVERY + MS, sides=(("n1",),), mode="slow", amount_ns=30 * MS)
    narrow = Fault(fault="bandwidth", at_ns=EVERY + MS, count=10_000)
    only_two = {f"n1>n2#{number}": Delivery(delay_ns=None) for number in range(3, MANY + 1)}
    outcome = run(late, narrow, link=Link(delay=CONSTANT, fifo=True), deliveries=only_two)
    assert arrivals(outcome) == [(1, 42 * MS), (2, 42 * MS)]
    assert outcome.fired == {"partition": 1}


@pytest.mark.parametrize("kind", ["delay", "heavy-tail", "reordering"])
def test_a_fault_that_delays_by_nothing_has_not_fired(kind: str) -> None:
    outcome = run(Fault(fault=kind, at_ns=0, rate=1))
    assert set(late_ns(outcome).values()) == {0}
    assert outcome.fired == {}


def test_a_message_that_is_lost_was_neither_late_nor_doubled() -> None:
    lost = all_along("loss", rate=1)
    others = (
        all_along("delay", rate=1, amount_ns=50 * MS),
        all_along("duplication", rate=1, amount_ns=MS),
        all_along("queue", count=1),
        all_along("bandwidth", count=100),
        all_along("reordering", rate=1, amount_ns=MS),
    )
    assert run(*others, lost).fired == run(lost, *others).fired == {"loss": MANY}


# --- messages whose fate the plan has fixed

FIXED: Final = {
    "n1>n2#5": Delivery(delay_ns=25 * MS),
    "n1>n2#7": Delivery(delay_ns=None),
    "n1>n2#9": Delivery(delay_ns=MS, copies=3),
}


def fixed(outcome: Run) -> dict[int, list[int]]:
    """When the three that the plan fixes arrived, after they were sent."""
    return {
        number: [time - sent_ns(number) for one, time in arrivals(outcome) if one == number] for number in (5, 7, 9)
    }


@pytest.mark.parametrize(
    "fault",
    [
        None,
        all_along("loss", rate=1),
        all_along("delay", rate=1, amount_ns=50 * MS),
        all_along("duplication", rate=1, amount_ns=MS),
        all_along("reordering", rate=1, amount_ns=50 * MS),
        all_along("heavy-tail", amount_ns=50 * MS),
        all_along("bandwidth", count=1_000),
        all_along("queue", count=1),
        all_along("partition", sides=(("n1",), ("n2",))),
        all_along("partition", sides=(("n1",), ("n2",)), mode="hold"),
        all_along("partition", cut=("n1>n2",), mode="slow", amount_ns=50 * MS),
    ],
    ids=lambda fault: f"{fault.fault} {fault.mode}" if fault else "no fault",
)
@pytest.mark.parametrize("fifo", [False, True], ids=["loose", "in order"])
def test_a_message_whose_fate_the_plan_has_fixed_has_it_beside_every_rule(
    fault: Fault | None,
    fifo: bool,  # noqa: FBT001  # a column of the table
) -> None:
    outcome = run(*([fault] if fault else []), link=Link(delay=CONSTANT, fifo=fifo), deliveries=FIXED)
    assert fixed(outcome) == {5: [25 * MS], 7: [], 9: [MS, MS, MS]}


@pytest.mark.parametrize(
    "link",
    [
        Link(delay=CONSTANT, fifo=True),
        Link(delay=Delay(shape="constant", min_ns=15 * MS, max_ns=15 * MS), queue=2),
        Link(delay=CONSTANT, bytes_per_s=4_000),
    ],
    ids=["in order", "queue", "bandwidth"],
)
def test_the_others_of_its_link_fare_as_if_it_had_never_been_sent(link: Link) -> None:
    late = {"n1>n2#5": Delivery(delay_ns=500 * MS, copies=2)}
    lost = {"n1>n2#5": Delivery(delay_ns=None)}
    without, beside = (arrivals(run(link=link, deliveries=deliveries)) for deliveries in (lost, late))
    assert [one for one in beside if one[0] != 5] == without
    assert [one for one in beside if one[0] == 5] == [(5, 550 * MS)] * 2


def test_a_link_whose_messages_have_fates_draws_the_same_luck_for_all_others() -> None:
    uniform = Link(delay=Delay(min_ns=MS, max_ns=9 * MS))
    before, after = (dict(arrivals(run(link=uniform, deliveries=fates))) for fates in ({}, FIXED))
    assert {number: after[number] for number in after if number not in {5, 9}} == {
        number: before[number] for number in before if number not in {5, 7, 9}
    }


# --- luck, and evidence


@pytest.mark.parametrize("fifo", [False, True], ids=["loose", "in order"])
def test_with_and_without_a_full_trace_all_faults_together_do_the_same(
    fifo: bool,  # noqa: FBT001  # a column of the table
) -> None:
    faults = (
        all_along("loss", rate=0.1),
        all_along("duplication", rate=0.2, amount_ns=5 * MS),
        all_along("delay", rate=0.3, amount_ns=20 * MS),
        all_along("reordering", rate=0.3, amount_ns=50 * MS),
        all_along("heavy-tail", amount_ns=MS),
        all_along("bandwidth", count=20_000),
        all_along("queue", count=6),
        Fault(fault="partition", at_ns=200 * MS, undo_after_ns=100 * MS, sides=(("n1",),), mode="hold"),
    )
    link = Link(delay=Delay(min_ns=MS, max_ns=30 * MS), fifo=fifo)
    for some in ((), *((fault,) for fault in faults), faults[:3], faults):
        outcome = run(*some, link=link, burst=5)
    assert set(outcome.fired) == {fault.fault for fault in faults} - ({"reordering"} if fifo else set())


def test_no_kind_of_fault_disturbs_the_luck_of_another() -> None:
    """Which numbers are lost, and which are late, is the same beside every other kind."""
    lost = all_along("loss", rate=0.3)
    kept = set(order(run(lost)))
    assert 50 < len(kept) < 90
    others = (
        all_along("delay", rate=0.5, amount_ns=MS),
        all_along("duplication", rate=0.5, amount_ns=MS),
        all_along("reordering", rate=0.5, amount_ns=MS),
        all_along("heavy-tail", amount_ns=MS),
        all_along("bandwidth", count=100_000),
        all_along("queue", count=50),
    )
    for other in others:
        assert set(order(run(lost, other))) == set(order(run(other, lost))) == kept


@pytest.mark.parametrize("kind", ["heavy-tail", "delay"])
def test_who_waits_to_be_overtaken_is_neither_who_is_late_by_most_nor_who_is_by_least(kind: str) -> None:
    waits = {number for number, by_ns in late_ns(run(all_along("reordering", rate=0.3, amount_ns=MS))).items() if by_ns}
    assert len(waits) > 15
    how = {"rate": 1.0} if kind == "delay" else {}
    late = late_ns(run(all_along(kind, amount_ns=9 * MS, **how)))
    by_lateness = sorted(late, key=late.__getitem__)
    for extreme in (by_lateness[: len(waits)], by_lateness[-len(waits) :]):
        assert len(waits.intersection(extreme)) < len(waits) * 2 // 3


def test_a_heavy_tail_is_long_for_others_than_those_whom_a_delay_hits() -> None:
    """A delay with probability 0.3 hits those whose bits for it are low."""
    hit = {number for number, by_ns in late_ns(run(all_along("delay", rate=0.3, amount_ns=9 * MS))).items() if by_ns}
    late = late_ns(run(all_along("heavy-tail", amount_ns=9 * MS)))
    shortest = sorted(late, key=late.__getitem__)[: len(hit)]
    assert len(hit) > 15
    assert len(hit.intersection(shortest)) < len(hit) * 2 // 3


# --- what a plan may not say


@pytest.mark.parametrize(
    ("more", "complaint"),
    [
        (
            {"faults": (Fault(fault="loss", at_ns=0, rate=1.5),)},
            "a loss has a probability, its `rate`, between 0 and 1",
        ),
        ({"faults": (Fault(fault="bandwidth", at_ns=0),)}, "a bandwidth lets something pass"),
        ({"faults": (Fault(fault="queue", at_ns=0),)}, "a queue lets something pass"),
        ({"links": {"n1": Link()}}, "no link 'n1'.*write 'n1>n2'"),
        ({"links": {"n1>n3": Link()}}, "no link 'n1>n3'.*the nodes are n1, n2"),
        ({"links": {"*": Link(loss=2)}}, "probability outside"),
        ({"links": {"*": Link(queue=-1)}}, "less than no room"),
        ({"deliveries": {"n1>n2": Delivery()}}, "no message 'n1>n2'.*'n1>n2#17'"),
        ({"deliveries": {"n1>n2#0": Delivery()}}, "no message 'n1>n2#0'"),
        ({"deliveries": {"n1>n9#1": Delivery()}}, "no message 'n1>n9#1'"),
        ({"deliveries": {"n1>n2#1": Delivery(delay_ns=-1)}}, "before it is sent"),
        ({"deliveries": {"n1>n2#1": Delivery(delay_ns=1, copies=0)}}, "less than once"),
    ],
)
def test_a_plan_that_makes_no_sense_is_a_usage_error_that_says_why(more: dict[str, Any], complaint: str) -> None:
    phases = Phases(end_ns=1)
    with pytest.raises(UsageError, match=complaint):
        run_plan(Plan(system="counting", nodes=2, phases=phases, **more), SYSTEM)


def test_links_and_messages_of_clients_in_any_of_their_lives_may_be_named() -> None:
    links = {"c0>n1": Link(fifo=True)}
    deliveries = {"c0>n1#1": Delivery(), "n1>c0.2#3": Delivery(delay_ns=0)}
    plan = Plan(system="counting", nodes=1, phases=Phases(end_ns=1), links=links, deliveries=deliveries)
    assert run_plan(plan, SYSTEM).findings == ()
