"""What each fault does to the clocks of one node, which looks at both of them every 10 ms of its own time."""

from __future__ import annotations

from itertools import pairwise
from typing import Any, Final

import pytest

from upheld.harness.clock import EPOCH_NS
from upheld.harness.plan import ClockSkew, Fault, Phases, Plan
from upheld.harness.swarm import generate_plan
from upheld.harness.system import Budget, System, Variant
from upheld.harness.trial import Run, run_plan
from upheld.histories.errors import UsageError
from upheld.impl.node import MS, SECOND, ClientOutbox, Context, Invocation, Message, Outbox

KINDS: Final = ("clock-offset", "clock-drift", "clock-step", "clock-strobe")


class Looking:
    """Notes what its wall clock and its monotonic clock show, again and again."""

    def __init__(self, context: Context) -> None:
        self.clock = context.clock

    def on_start(self, out: Outbox) -> None:
        out.set_timer("look", 10 * MS)

    def on_timer(self, name: str, out: Outbox) -> None:
        out.note("term", self.clock.wall_ns() - EPOCH_NS, self.clock.monotonic_ns())
        out.set_timer(name, 10 * MS)

    def on_message(self, sender: str, message: Message, out: Outbox) -> None: ...


class Nobody:
    """A client that nothing is asked of."""

    def __init__(self, context: Context) -> None: ...

    def on_invoke(self, invocation: Invocation, out: ClientOutbox) -> None: ...

    def on_message(self, sender: str, message: Message, out: ClientOutbox) -> None: ...

    def on_timer(self, name: str, out: ClientOutbox) -> None: ...


class Idling:
    """A workload of nothing."""

    minimum: dict[str, int] = {}  # noqa: RUF012  # as the contract of a workload says

    def operations(self, stage: Any, dice: Any) -> tuple[()]:
        return ()


SYSTEM: Final = System(
    name="looking",
    variants={"reference": Variant(nodes=Looking, client=Nobody, workloads={"idling": Idling()})},
    budget=Budget(faults=frozenset(KINDS)),
)


def run(*faults: Fault, heal_ns: int = SECOND, **more: Any) -> Run:
    """A node for 1.2 seconds, of which the first is a storm."""
    end_ns = heal_ns + 200 * MS
    phases = Phases(heal_ns=heal_ns, quiet_ns=end_ns, final_ns=end_ns, end_ns=end_ns)
    return run_plan(Plan(system="looking", nodes=1, faults=faults, phases=phases, **more), SYSTEM)


def readings(outcome: Run) -> list[tuple[int, int, int]]:
    """Virtual time, wall clock and monotonic clock of each look."""
    looks: list[tuple[Any, ...]] = [(note.time, *note.facts) for note in outcome.evidence.trace.of_kind("term")]
    return looks


def off_ms(outcome: Run) -> dict[int, float]:
    """By how much the wall clock was off at each look, both in milliseconds."""
    return {time // MS: (wall - time) / MS for time, wall, _ in readings(outcome)}


def fault(kind: str, at_ms: int, lasts_ms: int | None = None, **how: Any) -> Fault:
    return Fault(fault=kind, at_ns=at_ms * MS, undo_after_ns=None if lasts_ms is None else lasts_ms * MS, **how)


def test_without_faults_both_clocks_show_virtual_time() -> None:
    assert all(time == wall == monotonic for time, wall, monotonic in readings(run()))
    assert len(readings(run())) == 119
    assert run().fired == {}


def test_an_offset_moves_the_wall_clock_and_its_end_moves_it_back() -> None:
    outcome = run(fault("clock-offset", 105, 300, amount_ns=-7 * MS))
    assert {at: off for at, off in off_ms(outcome).items() if off} == dict.fromkeys(range(110, 405, 10), -7)
    assert outcome.fired["clock-offset"] == 30


@pytest.mark.parametrize("amount_ms", [-3_000, 3_000])
def test_a_step_moves_the_wall_clock_for_ever(amount_ms: int) -> None:
    """Neither its end nor the heal moves it back, and the history tells of no end."""
    outcome = run(fault("clock-step", 105, 300, amount_ns=amount_ms * MS))
    assert {at: off for at, off in off_ms(outcome).items() if off} == dict.fromkeys(range(110, 1_200, 10), amount_ms)
    told = [event.action for event in outcome.evidence.history.nemesis() if event.process == "nemesis"]
    assert told == ["clock-step"]


def test_steps_add_up() -> None:
    steps = (fault("clock-step", at_ms, amount_ns=amount_ms * MS) for at_ms, amount_ms in ((105, 5), (205, -8)))
    assert set(off_ms(run(*steps)).values()) == {0, 5, -3}


def test_a_strobe_moves_the_wall_clock_away_and_back_so_many_times_a_second() -> None:
    """Twenty jumps a second: 50 ms away, 50 ms right, and so on, until it ends."""
    outcome = run(fault("clock-strobe", 105, 400, amount_ns=-9 * MS, count=20))
    away = {at for begin in (105, 205, 305, 405) for at in range(begin + 5, begin + 50, 10)}
    assert {at: off for at, off in off_ms(outcome).items() if off} == dict.fromkeys(sorted(away), -9)
    assert outcome.fired["clock-strobe"] == len(away) == 20


def test_a_strobe_that_jumps_between_any_two_looks_costs_no_events() -> None:
    calm, outcome = run(), run(fault("clock-strobe", 105, amount_ns=MS, count=1_000_000))
    assert len(outcome.order) <= len(calm.order) + 4
    assert set(off_ms(outcome).values()) <= {0, 1}


@pytest.mark.parametrize("rate", [0.25, 0.5, 1.5, 4.0])
def test_a_drift_makes_both_clocks_and_the_timers_run_at_its_rate(rate: float) -> None:
    outcome = run(fault("clock-drift", 0, rate=rate))
    during = [reading for reading in readings(outcome) if reading[0] < SECOND]
    assert all(wall == monotonic == int(time * rate) for time, wall, monotonic in during)
    assert abs(len(during) - 100 * rate) <= 1
    assert outcome.fired["clock-drift"] == 3 * len(during)  # two clocks, and a timer


def test_what_a_drift_has_done_stays_and_later_time_counts_as_usual() -> None:
    outcome = run(fault("clock-drift", 100, 100, rate=3.0))
    assert {off for at, off in off_ms(outcome).items() if at >= 200} == {200}


def test_a_timer_that_runs_when_the_rate_changes_goes_on_at_the_new_one() -> None:
    outcome = run(fault("clock-drift", 4, 8, rate=0.5))
    assert readings(outcome)[0][:2] == (14 * MS, 10 * MS)  # 4 ms, then 4 of the missing 6 in 8 ms, then 2


def test_a_timer_takes_no_notice_of_the_wall_clock() -> None:
    jumps = (
        fault("clock-step", 105, amount_ns=SECOND),
        fault("clock-offset", 205, amount_ns=-SECOND),
        fault("clock-strobe", 305, amount_ns=SECOND, count=40),
    )
    assert [time for time, _, _ in readings(run(*jumps))] == [time for time, _, _ in readings(run())]


def test_the_monotonic_clock_never_goes_back_whatever_acts_on_the_clocks() -> None:
    went_back = 0
    for seed in range(30):
        plan = generate_plan(SYSTEM, workload="idling", profile="clocks", seed=seed, nodes=1)
        looks = readings(run_plan(plan, SYSTEM))
        assert len(looks) > 20
        assert all(later[2] >= sooner[2] for sooner, later in pairwise(looks))
        went_back += any(later[1] < sooner[1] for sooner, later in pairwise(looks))
    assert went_back > 10  # wall clocks do


def test_storms_draw_every_kind_of_fault_on_clocks_forward_and_back_fast_and_slow() -> None:
    plans = [generate_plan(SYSTEM, workload="idling", profile="clocks", seed=seed) for seed in range(60)]
    faults = [fault for plan in plans for fault in plan.faults]
    assert {fault.fault for fault in faults} == set(KINDS)
    for kind in set(KINDS) - {"clock-drift"}:
        assert {fault.amount_ns > 0 for fault in faults if fault.fault == kind} == {False, True}
    assert {fault.rate > 1 for fault in faults if fault.fault == "clock-drift"} == {False, True}
    assert len({fault.count for fault in faults if fault.fault == "clock-strobe"}) > 10


# --- together


def test_faults_on_one_wall_clock_add_up_and_each_ends_by_itself() -> None:
    outcome = run(
        fault("clock-offset", 105, 400, amount_ns=MS),
        fault("clock-offset", 205, 100, amount_ns=10 * MS),
        fault("clock-step", 255, amount_ns=100 * MS),
    )
    off = off_ms(outcome)
    assert [off[at] for at in (100, 110, 210, 260, 310, 510)] == [0, 1, 11, 111, 101, 100]
    assert outcome.fired == {"clock-offset": 40 + 10, "clock-step": 94}


def test_a_skew_of_the_plan_stays_beside_faults() -> None:
    skewed = {"n1": ClockSkew(offset_ns=5 * MS, drift_ppm=0)}
    off = off_ms(run(fault("clock-offset", 105, 100, amount_ns=MS), clocks=skewed))
    assert [off[at] for at in (100, 110, 210)] == [5, 6, 5]


def test_drifts_multiply_and_each_ends_by_itself() -> None:
    outcome = run(fault("clock-drift", 0, 400, rate=2.0), fault("clock-drift", 100, 100, rate=0.25))
    shown = {time // MS: monotonic // MS for time, _, monotonic in readings(outcome)}
    assert shown[100] == 200
    assert shown[200] == 200 + 50
    assert shown[400] == 250 + 400


# --- what only looks like a fault


@pytest.mark.parametrize(
    "harmless",
    [
        fault("clock-offset", 101, 5, amount_ns=MS),
        fault("clock-strobe", 101, 5, amount_ns=MS, count=1_000),
        fault("clock-drift", 0, rate=1.0),
        fault("clock-step", 1_195, amount_ns=MS),
    ],
    ids=["nobody looks meanwhile", "nor here", "a rate of 1", "after the heal"],
)
def test_a_fault_that_changed_no_reading_has_not_fired(harmless: Fault) -> None:
    assert run(harmless).fired == {}


@pytest.mark.parametrize(
    ("how", "complaint"),
    [
        ({"fault": "clock-offset"}, "0 is no jump"),
        ({"fault": "clock-step"}, "0 is no jump"),
        ({"fault": "clock-strobe", "count": 5}, "0 is no jump"),
        ({"fault": "clock-strobe", "amount_ns": 5}, "`count` times a second, at least once"),
        ({"fault": "clock-drift"}, "a clock of rate 1 is right"),
        ({"fault": "clock-drift", "rate": -1.0}, "a clock of rate 1 is right"),
    ],
)
def test_a_fault_on_clocks_that_makes_no_sense_is_a_usage_error(how: dict[str, Any], complaint: str) -> None:
    with pytest.raises(UsageError, match=complaint):
        run(Fault(at_ns=0, **how))
