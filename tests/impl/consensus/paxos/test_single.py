"""A node of single-decree Paxos by itself ("Paxos Made Simple", section 2)."""

from __future__ import annotations

from importlib import import_module
from typing import Any

import pytest

from upheld.impl.consensus.messages import Answer
from upheld.impl.consensus.paxos.messages import (
    Accept,
    Accepted,
    Decided,
    Learn,
    Prepare,
    Promise,
    Proposal,
    Propose,
    Refused,
)
from upheld.impl.consensus.paxos.reference import Paxos
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


def proposing(value: int = 7, **settings: Any) -> Paxos:
    """n1 of three, which client c0 has asked to propose; its ballot (1, n1) has no promise but its own yet."""
    node = Paxos(context(**settings))
    told(node, "c0", Propose(1, value))
    return node


def accepted(value: int, number: int, node: str) -> Proposal:
    return Proposal(1, (number, node), value)


# --- acceptors


def test_a_promise_is_on_disk_before_it_is_given() -> None:
    assert names(told(Paxos(context()), "n2", Prepare((1, "n2")))) == ["store", "sync", "note promised", "Promise"]


def test_an_acceptance_is_on_disk_before_it_is_answered() -> None:
    out = told(Paxos(context()), "n2", Accept(accepted(7, 1, "n2")))
    assert names(out) == ["store", "store", "sync", "note accepted", "Accepted"]


def test_an_acceptor_refuses_what_is_below_its_promise_and_says_what_it_promised() -> None:
    node = Paxos(context())
    told(node, "n3", Prepare((2, "n3")))
    for late in (Prepare((1, "n2")), Prepare((2, "n2")), Accept(accepted(7, 2, "n2"))):
        ((receiver, refusal),) = told(node, "n2", late).sent(Refused)
        assert (receiver, refusal.promised) == ("n2", (2, "n3"))


def test_an_acceptor_says_what_it_accepted_last() -> None:
    node = Paxos(context())
    told(node, "n2", Accept(accepted(7, 1, "n2")), Accept(accepted(8, 2, "n2")))
    assert told(node, "n3", Prepare((3, "n3"))).sent(Promise) == [("n3", Promise((3, "n3"), accepted(8, 2, "n2")))]


def test_a_promise_that_is_asked_for_again_is_given_again_and_not_written_again() -> None:
    node = Paxos(context())
    told(node, "n2", Prepare((1, "n2")))
    assert names(told(node, "n2", Prepare((1, "n2")))) == ["Promise"]


def test_promises_and_acceptances_survive_a_crash() -> None:
    node = Paxos(context())
    out = told(node, "n2", Accept(accepted(7, 1, "n2")), Prepare((3, "n3")))
    again, start = restarted(node, out), RecordingOutbox()
    again.on_start(start)
    assert names(start) == ["note accepted", "note restored"]
    assert notes(start, "restored") == [(3, "n3", 1, 0)]
    assert told(again, "n2", Prepare((2, "n2"))).sent(Refused)
    assert told(again, "n2", Prepare((4, "n2"))).sent(Promise) == [("n2", Promise((4, "n2"), accepted(7, 1, "n2")))]


@pytest.mark.parametrize("torn", range(3))
def test_a_torn_write_takes_nothing_away_that_was_there_before(torn: int) -> None:
    node = Paxos(context())
    first = told(node, "n2", Accept(accepted(7, 1, "n2")))
    disk = bench.synced({}, first)
    writes = [effect.arguments for effect in told(node, "n3", Accept(accepted(8, 2, "n3"))).effects[:2]]
    damaged = {key: value for key, value in disk.items() if torn == 2 or key != writes[torn][0]}
    again = Paxos(context(stored={**damaged, **dict(writes[:torn])}))
    assert again.promised >= (1, "n2")
    assert again.accepted[1].ballot >= (1, "n2")
    assert again.promised >= again.accepted[1].ballot


# --- proposers


def test_a_proposer_promises_its_ballot_to_itself_before_it_asks() -> None:
    out = told(Paxos(context()), "c0", Propose(1, 7))
    assert names(out)[:6] == ["note proposed", "store", "sync", "note promised", "Prepare", "Prepare"]


def test_a_majority_of_promises_is_needed_before_a_value_is_proposed() -> None:
    node = Paxos(context(nodes=5))
    told(node, "c0", Propose(1, 7))
    assert told(node, "n2", Promise((1, "n1"), None), Promise((1, "n1"), None)).sent(Accept) == []
    assert told(node, "n3", Promise((1, "n1"), None)).sent(Accept)[0] == ("n2", Accept(accepted(7, 1, "n1")))


def test_a_proposer_takes_the_value_that_was_accepted_at_the_highest_ballot() -> None:
    node = Paxos(context(nodes=5))
    told(node, "n5", Prepare((4, "n5")))
    told(node, "c0", Propose(1, 7))
    ballot = (5, "n1")
    promises = [("n2", accepted(8, 3, "n2")), ("n3", accepted(9, 2, "n5"))]
    sent = [told(node, peer, Promise(ballot, vote)).sent(Accept) for peer, vote in promises]
    assert sent[0] == []
    assert sent[1][0] == ("n2", Accept(Proposal(1, ballot, 8)))


def test_an_answer_to_an_earlier_ballot_counts_for_nothing() -> None:
    node = proposing()
    told(node, "n2", Refused((1, "n1"), (4, "n3")))
    timed_out(node, "back-off")
    assert told(node, "n2", Promise((1, "n1"), None), Accepted((1, "n1"))).sent(Accept) == []
    assert told(node, "n2", Promise((5, "n1"), None)).sent(Accept)


def test_what_a_majority_accepts_is_decided_and_told_to_all_and_to_the_client() -> None:
    node = proposing()
    told(node, "n2", Promise((1, "n1"), None))
    out = told(node, "n2", Accepted((1, "n1")))
    assert notes(out, "decided") == [(1, 7)]
    assert out.sent(Answer) == [("c0", Answer(1, 7))]
    assert out.sent(Decided) == [("n2", Decided(7)), ("n3", Decided(7))]


def test_whoever_has_not_answered_is_asked_again() -> None:
    node = Paxos(context(nodes=5))
    told(node, "c0", Propose(1, 7))
    told(node, "n2", Promise((1, "n1"), None))
    assert [peer for peer, _ in timed_out(node, "retransmit").sent(Prepare)] == ["n3", "n4", "n5"]
    told(node, "n3", Promise((1, "n1"), None))
    told(node, "n5", Accepted((1, "n1")))
    assert [peer for peer, _ in timed_out(node, "retransmit").sent(Accept)] == ["n2", "n3", "n4"]


def test_no_ballot_is_used_twice_across_a_crash() -> None:
    node, out = Paxos(context()), RecordingOutbox()
    node.on_message("c0", Propose(1, 7), out)
    again = restarted(node, out)
    assert told(again, "c0", Propose(2, 8)).sent(Prepare)[0] == ("n2", Prepare((2, "n1")))


def test_a_refused_proposer_waits_longer_each_time_and_then_tries_above_what_refused_it() -> None:
    node = proposing()
    waits = []
    for number in (4, 8, 12):
        out = told(node, "n2", Refused(node.current, (number, "n3")))
        assert out.sent(Message) == []
        assert names(out) == ["cancel_timer", "set_timer"]
        waits.append(node.patience_ns)
        assert timed_out(node, "back-off").sent(Prepare)[0] == ("n2", Prepare((number + 1, "n1")))
    assert waits == [20, 40, 80]


def test_a_proposer_that_waits_waits_anew_for_whoever_is_at_it() -> None:
    node = proposing()
    told(node, "n2", Refused((1, "n1"), (4, "n3")))
    assert "set_timer" in names(told(node, "n3", Prepare((4, "n3"))))
    assert "set_timer" in names(told(node, "n3", Accept(accepted(8, 4, "n3"))))
    assert "set_timer" not in names(told(Paxos(context()), "n3", Prepare((4, "n3"))))


def test_without_back_off_it_tries_again_at_once() -> None:
    node = proposing(back_off=False)
    assert told(node, "n2", Prepare((3, "n2"))).sent(Promise, Prepare)[-1] == ("n3", Prepare((4, "n1")))


# --- learners


def test_a_node_that_knows_says_so_to_everybody_who_asks() -> None:
    node = Paxos(context())
    assert told(node, "c0", Learn(1)).sent(Answer) == [("c0", Answer(1, None))]
    told(node, "n2", Decided(7))
    assert told(node, "c0", Learn(2), Propose(3, 8)).sent(Answer) == [("c0", Answer(2, 7)), ("c0", Answer(3, 7))]
    asked = told(node, "n3", Prepare((9, "n3")), Accept(accepted(8, 9, "n3")))
    assert asked.sent(Message) == [("n3", Decided(7))] * 2


def test_a_single_node_decides_alone() -> None:
    node = Paxos(context(nodes=1))
    assert told(node, "c0", Propose(1, 7)).sent(Answer) == [("c0", Answer(1, 7))]
