"""The guide's Raft does what its Go code does, its faults included."""

from __future__ import annotations

from importlib import import_module
from typing import Any

import pytest

from upheld.impl.consensus.raft.as_written import (
    AppendEntriesRequest,
    AppendEntriesResponse,
    CallingClient,
    DistributedKVStore,
    Get,
    LogEntry,
    RequestVoteRequest,
    RequestVoteResponse,
    Returned,
    Set,
)
from upheld.impl.node import Error, Invocation, Message, NodeId, RecordingOutbox

bench = import_module("raft_bench")
context, notes = bench.context, bench.notes


def entry(index: int, value: int, term: int = 1) -> LogEntry:
    return LogEntry(term, index, ("set", "x", value), "c0", value)


class Driven:
    """A node, and a hand that runs its goroutines and answers its calls."""

    def __init__(self, nodes: int = 3) -> None:
        self.node = DistributedKVStore(context("n1", nodes))
        self.node.on_start(RecordingOutbox())

    def told(self, sender: NodeId, message: Message) -> RecordingOutbox:
        out = RecordingOutbox()
        self.node.on_message(sender, message, out)
        return out

    def goroutines(self, out: RecordingOutbox) -> list[tuple[NodeId, Any]]:
        """Run the tasks that were spawned there; what they send."""
        spawned = [effect.arguments[0] for effect in out.effects if effect.name == "set_timer"]
        sent = RecordingOutbox()
        for name in spawned:
            if name.startswith("spawn"):
                self.node.on_timer(name, sent)
        return sent.sent(Message)

    def elected(self) -> Driven:
        out = RecordingOutbox()
        self.node.out = out
        self.node.start_election()
        for peer, request in self.goroutines(out):
            self.told(peer, RequestVoteResponse(request.msg_id, 1, True))
        return self


def test_set_returns_nil_before_anybody_has_the_entry() -> None:
    leader = Driven().elected()
    out = leader.told("c0", Set(5, "x", 7))
    assert out.sent(Message) == [("c0", Returned(5))]
    assert leader.node.commit_index == -1


def test_set_is_refused_by_whoever_does_not_lead() -> None:
    assert Driven().told("c0", Set(5, "x", 7)).sent(Message) == [
        ("c0", Error(5, Error.TEMPORARILY_UNAVAILABLE, "not leader, redirect to leader"))
    ]


def test_get_reads_the_map_of_the_node_that_is_asked() -> None:
    assert Driven().told("c0", Get(5, "x")).sent(Message) == [("c0", Returned(5, None))]


def test_an_entry_is_applied_at_the_acknowledgement_of_a_majority_and_at_each_one_after_it() -> None:
    leader = Driven().elected()
    calls = leader.goroutines(leader.told("c0", Set(5, "x", 7)))
    applied = [
        len(notes(leader.told(peer, AppendEntriesResponse(request.msg_id, True)), "applied")) for peer, request in calls
    ]
    assert applied == [1, 1]


def test_with_four_nodes_half_of_them_is_enough() -> None:
    leader = Driven(nodes=4).elected()
    calls = leader.goroutines(leader.told("c0", Set(5, "x", 7)))
    peer, request = calls[0]
    assert notes(leader.told(peer, AppendEntriesResponse(request.msg_id, True)), "committed") == [(1, 1)]


def test_later_entries_may_be_applied_first() -> None:
    leader = Driven().elected()
    first = leader.goroutines(leader.told("c0", Set(5, "x", 1)))
    second = leader.goroutines(leader.told("c0", Set(6, "x", 2)))
    for calls in (second, first):
        peer, request = calls[0]
        leader.told(peer, AppendEntriesResponse(request.msg_id, True))
    assert leader.node.data == {"x": 1}
    assert leader.node.commit_index == 0


@pytest.mark.parametrize(("indices", "log"), [((0, 1), [0, 1]), ((1, 0), [0]), ((0, 0), [0]), ((0, 3), [0, 3])])
def test_an_entry_goes_to_its_index_or_to_the_end_and_is_held_against_nothing(
    indices: tuple[int, ...], log: list[int]
) -> None:
    follower = Driven()
    for index in indices:
        follower.told("n2", AppendEntriesRequest(1, 1, entry(index, index)))
    assert [each.index for each in follower.node.log] == log


def test_a_follower_applies_nothing() -> None:
    follower = Driven()
    out = follower.told("n2", AppendEntriesRequest(1, 1, entry(0, 7)))
    assert out.sent(Message) == [("n2", AppendEntriesResponse(1, True))]
    assert follower.node.data == {}


def test_a_vote_does_not_depend_on_the_log() -> None:
    voter = Driven()
    voter.told("n2", AppendEntriesRequest(1, 1, entry(0, 7)))
    out = voter.told("n3", RequestVoteRequest(9, 2, "n3", -1, 0))
    assert out.sent(Message) == [("n3", RequestVoteResponse(9, 2, True))]


def test_nothing_is_ever_stored() -> None:
    voter = Driven()
    out = voter.told("n3", RequestVoteRequest(9, 2, "n3", -1, 0))
    assert not {"store", "sync"} & {effect.name for effect in out.effects}


def test_the_client_takes_a_refusal_for_the_advice_to_call_the_next_node() -> None:
    client, out = CallingClient(context("c0")), RecordingOutbox()
    client.on_invoke(Invocation("put", "x", 7, "n3"), out)
    client.on_message("n3", Error(1, Error.TEMPORARILY_UNAVAILABLE), out)
    assert out.sent(Message) == [("n3", Set(1, "x", 7)), ("n1", Set(2, "x", 7))]


def test_the_client_calls_once_and_pauses_after_a_whole_round() -> None:
    client, out = CallingClient(context("c0")), RecordingOutbox()
    client.on_invoke(Invocation("put", "x", 7, "n3"), out)
    for msg_id in (1, 2, 3):
        client.on_message("n1", Error(msg_id, Error.TEMPORARILY_UNAVAILABLE), out)
    assert len(out.sent(Message)) == 3
    assert out.effects[-1].name == "set_timer"
