"""What a cluster does while it is hurt: does somebody lead through a partition, and is anything decided in a storm?"""

from __future__ import annotations

from upheld.checkers.consensus import DecidesInStorm, LedThroughCuts
from upheld.checkers.cuts import Cut, cuts
from upheld.histories.event import Event, Kind, Operation
from upheld.histories.evidence import Evidence
from upheld.histories.history import History
from upheld.histories.values import Value
from upheld.testing.traces import MS, outcome, story, trace

CLUSTER = ("n1", "n2", "n3")
BRIDGE = ("n1>n2", "n2>n1")
ONE_WAY = ("n1>n2",)


def nemesis(at_ms: int, action: str, value: Value = None) -> Event:
    return Event(process="nemesis", kind=Kind.INFO, action=action, value=value, time=at_ms * MS)


def heal(at_ms: int) -> Event:
    return Event(process="phases", kind=Kind.INFO, action="heal", time=at_ms * MS)


def write(at_ms: int) -> Event:
    return Event(process=0, kind=Kind.INVOKE, action="put", key="x", value=1, time=at_ms * MS)


def is_write(operation: Operation) -> bool:
    return operation.action == "put"


def led(text: str, *events: Event) -> Evidence:
    return Evidence(History.of_events(events), trace(text, nodes=CLUSTER))


LED = LedThroughCuts(timeout=10 * MS, least=10, few=3)
DECIDES = DecidesInStorm(bound=100 * MS, asks=is_write)
CHURN = (
    "@110 n3 leads 2; @130 n1 term 3; @140 n3 term 3; @150 n3 leads 4; @170 n3 term 5; @190 n3 leads 6; @215 n3 term 7"
)
CUT = (nemesis(100, "partition", BRIDGE), nemesis(220, "undo-partition", BRIDGE), heal(300))


# --- cuts


def test_links_are_hit_while_a_partition_lists_them_or_has_them_between_its_sides() -> None:
    events = (
        nemesis(10, "partition", BRIDGE),
        nemesis(20, "partition", (("n1", "c0"),)),
        nemesis(30, "undo-partition", (("n1", "c0"),)),
        nemesis(40, "partition", ("n3>n1", "c0>n1")),
        heal(60),
        nemesis(60, "undo-partition", BRIDGE),
    )
    both = frozenset({("n1", "n2"), ("n2", "n1")})
    assert list(cuts(History.of_events(events), CLUSTER)) == [
        Cut(10 * MS, 20 * MS, both),
        Cut(20 * MS, 30 * MS, both | {("n1", "n3"), ("n3", "n1")}),
        Cut(30 * MS, 40 * MS, both),
        Cut(40 * MS, 60 * MS, both | {("n3", "n1")}),
    ]


def test_a_majority_is_connected_when_no_link_between_two_of_it_is_hit_in_either_direction() -> None:
    assert Cut(0, 1, frozenset({("n1", "n2")})).connected_majority(CLUSTER) == ("n1", "n3")
    ring = frozenset({("n1", "n2"), ("n2", "n3"), ("n3", "n1")})
    assert Cut(0, 1, ring).connected_majority(CLUSTER) == ()


# --- a leader through a partition


def test_a_leader_that_is_deposed_again_and_again_is_not_stable() -> None:
    verdict = LED(led(CHURN, *CUT))
    assert story(verdict) == (
        "From 100 ms to 220 ms partitions hit these links: n1>n2, n2>n1.\n"
        "n1, n3 are a majority, and nothing hits the links between them.\n"
        "Elections in that time, 3 in all:\n"
        "  at 110 ms: n3 leads (term 2)\n"
        "  at 150 ms: n3 leads (term 4)\n"
        "  at 190 ms: n3 leads (term 6)\n"
        "Nobody who is in touch with a majority leads for longer than 30 ms in it.\n"
        "An election timeout is 10 ms."
    )


def test_nobody_at_all_leads() -> None:
    assert outcome(LED(led("n1 term 1; @300 n1 term 2", *CUT))) == "no-stable-leader"


def test_one_long_reign_is_enough() -> None:
    assert outcome(LED(led("@110 n3 leads 2; @141 n3 term 3", *CUT))) == "upheld"


def test_a_reign_counts_as_far_as_it_lies_within_the_cut() -> None:
    assert outcome(LED(led("@10 n3 leads 2; @130 n3 term 3", *CUT))) == "no-stable-leader"
    assert outcome(LED(led("@10 n3 leads 2; @131 n3 term 3", *CUT))) == "upheld"


def test_a_reign_ends_when_another_leads_in_a_higher_term_or_the_leader_crashes() -> None:
    assert (
        outcome(LED(led("@110 n3 leads 2; @130 n1 leads 3; @150 n1 term 4; @300 n1 term 5", *CUT)))
        == "no-stable-leader"
    )
    crashed = (nemesis(100, "partition", ONE_WAY), heal(300))
    assert outcome(LED(led("@50 n3 leads 2; @90 n3 crash fault; @95 n3 restart; @400 n3 term 3", *crashed))) == (
        "no-stable-leader"
    )


def test_a_leader_that_is_cut_from_all_others_does_not_count() -> None:
    alone = (nemesis(100, "partition", (("n3",),)), heal(300))
    assert outcome(LED(led("@10 n3 leads 2; @400 n3 term 3", *alone))) == "no-stable-leader"
    assert outcome(LED(led("@10 n3 leads 2; @120 n1 leads 3; @400 n3 term 3", *alone))) == "upheld"


def test_cuts_that_are_short_or_leave_no_majority_or_see_a_crash_prove_nothing() -> None:
    short = (nemesis(100, "partition", BRIDGE), nemesis(199, "undo-partition", BRIDGE), heal(300))
    torn = (nemesis(100, "partition", ("n1>n2", "n2>n3", "n3>n1")), heal(300))
    assert outcome(LED(led(CHURN, *short))) == "undecided"
    assert outcome(LED(led(CHURN, *torn))) == "undecided"
    assert outcome(LED(led(f"{CHURN}; @218 n2 crash fault", *CUT))) == "undecided"


# --- decisions in a storm


def test_no_decision_until_the_heal() -> None:
    verdict = DECIDES(led("@5 n1 committed 1 1; n1 voted 2 n1; @500 n1 committed 2 2", write(6), heal(200)))
    assert story(verdict) == (
        "From 6 ms to 200 ms a decision is asked for, and none is made.\n"
        "No message is lost meanwhile, and at most one node is down at a time.\n"
        "Votes and elections meanwhile, 1 in all:\n"
        "  at 6 ms: n1 voted (term 2, candidate n1)"
    )


def test_any_decision_in_the_storm_is_enough() -> None:
    assert outcome(DECIDES(led("@150 n1 committed 1 1", write(6), heal(200)))) == "upheld"
    assert outcome(DECIDES(led("@150 n1 decided 1 a", write(6), heal(200)))) == "upheld"


def test_a_storm_that_is_short_or_asks_for_nothing_proves_nothing() -> None:
    assert outcome(DECIDES(led("n1 term 1", write(101), heal(200)))) == "undecided"
    assert outcome(DECIDES(led("n1 term 1", heal(200)))) == "undecided"
    assert outcome(DECIDES(led("n1 term 1", write(6)))) == "undecided"


def test_lost_messages_and_two_nodes_down_are_no_excuse_that_counts() -> None:
    lossy = (nemesis(50, "loss", ("n1",)), write(6), heal(200))
    assert outcome(DECIDES(led("n1 term 1", *lossy))) == "undecided"
    down = "@10 n1 crash fault; @20 n2 crash fault; @30 n1 restart"
    assert outcome(DECIDES(led(down, write(6), heal(200)))) == "undecided"
    in_turn = "@10 n1 crash fault; @20 n1 restart; @30 n2 crash fault"
    assert outcome(DECIDES(led(in_turn, write(6), heal(200)))) == "no-decision"
