"""A node of Multi-Paxos by itself ("Paxos Made Simple", section 3)."""

from __future__ import annotations

from importlib import import_module

import pytest

from upheld.impl.consensus.messages import Answer, Command, NotLeader, Read, Write
from upheld.impl.consensus.paxos.messages import Refused
from upheld.impl.consensus.paxos.multi import MultiPaxos
from upheld.impl.consensus.paxos.multi_messages import (
    AcceptAll,
    AcceptedAll,
    Chosen,
    Entry,
    Fetch,
    PrepareAll,
    PromiseAll,
)
from upheld.impl.node import Message, RecordingOutbox

bench = import_module("paxos_bench")
context, names, notes, restarted, told, timed_out = (
    bench.context,
    bench.names,
    bench.notes,
    bench.restarted,
    bench.told,
    bench.timed_out,
)
MINE = (1, "n1")


def put(value: int, msg_id: int = 1) -> Command:
    return Command("c0", msg_id, "put", "x", value)


def write(value: int, msg_id: int = 1) -> Write:
    return Write(msg_id, "put", "x", value)


def entry(slot: int, ballot: tuple[int, str] = MINE, value: int | None = None) -> Entry:
    return Entry(slot, ballot, None if value is None else put(value, msg_id=slot))


def leading(nodes: int = 3, **settings: int) -> MultiPaxos:
    """n1, promised by n2 (of five: and n3), which had accepted nothing."""
    node = MultiPaxos(context(nodes=nodes, **settings))
    node.on_start(RecordingOutbox())
    timed_out(node, "election")
    for peer in ("n2", "n3")[: nodes // 2]:
        told(node, peer, PromiseAll(MINE, (), None))
    assert node.role == "leader"
    return node


def decided(node: MultiPaxos, *values: int) -> MultiPaxos:
    for msg_id, value in enumerate(values, 1):
        told(node, "c0", write(value, msg_id))
        told(node, "n2", AcceptedAll(MINE, (msg_id,), 0))
    return node


# --- leadership


def test_phase_1_is_for_all_slots_that_one_does_not_know() -> None:
    node = decided(leading(), 7)
    timed_out(node, "election")
    assert timed_out(node, "prepare").sent(PrepareAll)[0] == ("n2", PrepareAll((2, "n1"), 2))


def test_a_new_leader_proposes_again_what_may_be_chosen_and_fills_gaps_with_no_ops() -> None:
    node = MultiPaxos(context())
    timed_out(node, "election")
    found = (entry(1, (4, "n3"), 7), entry(3, (2, "n2"), 9))
    node.promised = node.current = (5, "n1")
    out = told(node, "n2", PromiseAll((5, "n1"), found, None))
    ((_, request), _) = out.sent(AcceptAll)
    assert isinstance(request, AcceptAll)
    assert [(each.slot, each.ballot, each.command and each.command.argument) for each in request.entries] == [
        (1, (5, "n1"), 7),
        (2, (5, "n1"), None),
        (3, (5, "n1"), 9),
    ]


def test_of_several_commands_for_a_slot_the_one_at_the_highest_ballot_is_proposed() -> None:
    node = MultiPaxos(context(nodes=5))
    timed_out(node, "election")
    told(node, "n2", PromiseAll(MINE, (entry(1, (0, "n4"), 7),), None))
    out = told(node, "n3", PromiseAll(MINE, (entry(1, (0, "n5"), 8),), None))
    assert notes(out, "accepted") == [(1, MINE, ("c0", 1, "put", "x", 8))]


def test_a_new_leader_that_learned_meanwhile_goes_on_above_what_it_knows() -> None:
    node = MultiPaxos(context())
    timed_out(node, "election")
    told(node, "n3", Chosen((entry(1, (0, "n3"), 7), entry(2, (0, "n3"), 8)), None, 2))
    told(node, "n2", PromiseAll(MINE, (entry(1, (0, "n3"), 7),), None))
    told(node, "c0", write(9, 3))
    assert node.accepted[3].command == put(9, 3)


def test_whoever_is_refused_follows() -> None:
    node = leading()
    assert told(node, "n2", Refused(MINE, (3, "n2"))).sent(Message) == []
    assert node.role == "follower"
    assert told(node, "c0", write(7)).sent(NotLeader)
    assert timed_out(node, "election").sent(PrepareAll)[0] == ("n2", PrepareAll((4, "n1"), 1))


# --- decisions


def test_a_command_is_on_the_leaders_disk_before_it_leaves_and_answered_when_a_majority_has_it() -> None:
    node = leading()
    assert names(told(node, "c0", write(7))) == [
        "note proposed", "store", "sync", "note accepted", "AcceptAll", "AcceptAll"
    ]  # fmt: skip
    out = told(node, "n2", AcceptedAll(MINE, (1,), 0))
    assert names(out) == ["note decided", "note applied", "note acknowledged", "Answer"]


def test_slots_are_decided_each_for_itself_and_applied_in_order() -> None:
    node = leading()
    told(node, "c0", write(7, 1))
    told(node, "c1", write(8, 1))
    later = told(node, "n2", AcceptedAll(MINE, (2,), 0))
    assert names(later) == ["note decided"]
    assert [facts[0] for facts in notes(told(node, "n3", AcceptedAll(MINE, (1,), 0)), "applied")] == [1, 2]


def test_commands_beyond_the_window_wait_and_go_as_a_batch() -> None:
    node = leading()
    for client in range(node.window + 3):
        told(node, f"c{client}", write(client))
    out = told(node, "n2", AcceptedAll(MINE, (1, 2, 3), 0))
    assert [len(request.entries) for _, request in out.sent(AcceptAll)] == [3, 3]


def test_a_leader_that_is_cut_off_refuses_what_it_could_only_pile_up() -> None:
    node = leading()
    requests = node.window + node.waiting_max
    assert not any(told(node, f"c{client}", write(client)).sent(NotLeader) for client in range(requests))
    assert told(node, "c9999", write(7)).sent(NotLeader)
    assert not any(told(node, f"c{client}", Read(1, "x")).sent(NotLeader) for client in range(node.waiting_max))
    assert told(node, "c9999", Read(1, "x")).sent(NotLeader)


def test_a_heartbeat_asks_again_whoever_has_not_accepted() -> None:
    node = leading(nodes=5)
    told(node, "c0", write(7))
    told(node, "n2", AcceptedAll(MINE, (1,), 0))
    asked = {peer: len(request.entries) for peer, request in timed_out(node, "heartbeat").sent(AcceptAll)}
    assert asked == {"n2": 0, "n3": 1, "n4": 1, "n5": 1}


def test_a_follower_learns_from_the_leader_what_it_accepted_at_that_ballot_and_asks_for_the_rest() -> None:
    node = MultiPaxos(context("n2"))
    told(node, "n3", AcceptAll((1, "n3"), (entry(2, (1, "n3"), 8),), 0, 0))
    told(node, "n1", AcceptAll((2, "n1"), (entry(1, (2, "n1"), 7),), 0, 0))
    out = told(node, "n1", AcceptAll((2, "n1"), (), 2, 0))
    assert [facts[0] for facts in notes(out, "decided")] == [1]
    assert out.sent(Fetch) == [("n1", Fetch(2))]


def test_a_learner_that_missed_decisions_gets_them() -> None:
    node = decided(leading(), 7, 8)
    ((_, answer),) = told(node, "n3", Fetch(2)).sent(Chosen)
    assert answer == Chosen((entry(2, MINE, 8),), None, 2)


# --- reads


def test_a_read_waits_until_a_majority_says_that_nobody_else_leads() -> None:
    node = decided(leading(), 7)
    out = told(node, "c1", Read(5, "x"))
    assert out.sent(Answer) == []
    assert [request.round for _, request in out.sent(AcceptAll)] == [1, 1]
    assert told(node, "n2", AcceptedAll(MINE, (), 0)).sent(Answer) == []
    assert told(node, "n2", AcceptedAll(MINE, (), 1)).sent(Answer) == [("c1", Answer(5, 7))]


def test_reads_that_come_while_a_round_is_under_way_share_the_next_one() -> None:
    node = leading()
    told(node, "c1", Read(5, "x"))
    assert told(node, "c2", Read(6, "x")).sent(Message) == []
    assert told(node, "c3", Read(7, "x")).sent(Message) == []
    first = told(node, "n2", AcceptedAll(MINE, (), 1))
    assert first.sent(Answer) == [("c1", Answer(5))]
    assert len(first.sent(AcceptAll)) == 2
    assert told(node, "n3", AcceptedAll(MINE, (), 2)).sent(Answer) == [("c2", Answer(6)), ("c3", Answer(7))]


def test_a_read_waits_for_what_an_earlier_leader_may_have_acknowledged() -> None:
    node = MultiPaxos(context())
    timed_out(node, "election")
    told(node, "n2", PromiseAll(MINE, (entry(1, (0, "n2"), 7),), None))
    told(node, "c1", Read(5, "x"))
    assert told(node, "n2", AcceptedAll(MINE, (), 1)).sent(Answer) == []
    assert ("c1", Answer(5, 7)) in told(node, "n2", AcceptedAll(MINE, (1,), 1)).sent(Answer)


# --- snapshots and crashes


def test_a_snapshot_takes_the_place_of_what_it_stands_for() -> None:
    node = leading(snapshot_every=2)
    told(node, "c0", write(7, 1))
    told(node, "n2", AcceptedAll(MINE, (1,), 0))
    told(node, "c0", write(8, 2))
    out = told(node, "n2", AcceptedAll(MINE, (2,), 0))
    assert notes(out, "compacted") == [(2, 0)]
    assert (node.accepted, node.log, node.forgotten) == ({}, {}, 2)
    ((_, answer),) = told(node, "n3", Fetch(1)).sent(Chosen)
    learner = MultiPaxos(context("n3"))
    assert notes(told(learner, "n1", answer), "installed") == [(2, 0)]
    assert (learner.applied, learner.store.get("x")) == (2, 8)


def test_an_acceptor_promises_with_its_snapshot_when_it_no_longer_keeps_what_is_asked_for() -> None:
    node = decided(leading(snapshot_every=2), 7, 8)
    ((_, promise),) = told(node, "n3", PrepareAll((2, "n3"), 1)).sent(PromiseAll)
    candidate = MultiPaxos(context("n3"))
    candidate.promised = candidate.current = (2, "n3")
    candidate.role = "candidate"
    told(candidate, "n1", promise)
    assert (candidate.applied, candidate.store.get("x")) == (2, 8)


def test_a_leader_that_proposes_for_a_slot_under_a_snapshot_is_told_what_is_decided() -> None:
    node = decided(leading(snapshot_every=2), 7, 8)
    out = told(node, "n3", AcceptAll((2, "n3"), (entry(2, (2, "n3"), 9), entry(3, (2, "n3"), 9)), 0, 0))
    assert [answer.slots for _, answer in out.sent(AcceptedAll)] == [(3,)]
    assert [answer.decided for _, answer in out.sent(Chosen)] == [2]


@pytest.mark.parametrize("every", [2, 1000])
def test_promises_acceptances_and_snapshots_survive_a_crash(every: int) -> None:
    node, out = MultiPaxos(context(nodes=1, snapshot_every=every)), RecordingOutbox()
    node.on_timer("election", out)
    for msg_id in (1, 2, 3):
        node.on_message("c0", write(msg_id, msg_id), out)
    again, start = restarted(node, out, snapshot_every=every), RecordingOutbox()
    again.on_start(start)
    assert notes(start, "restored") == [(1, "n1", 3, 2 if every == 2 else 0)]
    assert sorted(again.accepted) == ([3] if every == 2 else [1, 2, 3])
    assert again.store.get("x") == (2 if every == 2 else None)


def test_rows_that_a_crash_kept_from_being_erased_are_cleared_away_at_the_start() -> None:
    node, out = MultiPaxos(context(nodes=1, snapshot_every=2)), RecordingOutbox()
    node.on_timer("election", out)
    for msg_id in (1, 2):
        node.on_message("c0", write(msg_id, msg_id), out)
    row = ("accepted", 2)
    torn = {**bench.synced({}, out), row: Entry(1, MINE, put(1))}
    again, start = MultiPaxos(context(nodes=1, stored=torn, snapshot_every=2)), RecordingOutbox()
    again.on_start(start)
    assert [effect.arguments for effect in start.effects if effect.name == "erase"] == [(row,)]
    assert again.accepted == {}
