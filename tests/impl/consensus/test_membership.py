"""Single-server membership changes (thesis, chapter 4), and the operator that asks for them."""

from __future__ import annotations

from importlib import import_module

import pytest

from upheld.impl.consensus.messages import Answer, NotLeader, Read, Write
from upheld.impl.consensus.raft.messages import (
    Appended,
    AppendEntries,
    Change,
    Entry,
    InstallSnapshot,
    RequestPreVote,
    Snapshot,
)
from upheld.impl.consensus.raft.operator import RaftOperator
from upheld.impl.consensus.raft.reference import Raft
from upheld.impl.node import Effect, Error, Invocation, Message, NodeId, RecordingOutbox

bench = import_module("raft_bench")
elected, log_of, names, notes, started, timed_out, told = (
    bench.elected,
    bench.log_of,
    bench.names,
    bench.notes,
    bench.started,
    bench.timed_out,
    bench.told,
)

JOIN, LEAVE = Change(7, "join", "n9"), Change(7, "leave", "n3")


def in_charge(nodes: int = 3) -> Raft:
    """A leader whose no-op, the entry 1, is committed."""
    leader: Raft = elected(nodes=nodes)
    for peer in leader.others:
        told(leader, peer, Appended(1, True, 1, 0))
    return leader


def stored(leader: Raft, *nodes: NodeId) -> RecordingOutbox:
    """What a leader does when these nodes have its whole log."""
    out = RecordingOutbox()
    for node in nodes:
        leader.on_message(node, Appended(leader.term, True, leader.log.last_index, leader.round), out)
    return out


def config(index: int, *members: NodeId, term: int = 1) -> AppendEntries:
    """A message from n2 with a configuration as the entry at this index; everything before is of the same term."""
    return AppendEntries(term, index - 1, term if index > 1 else 0, (Entry(term, None, members),), 0, 0)


# --- 4.1 safety


def test_4_1_a_configuration_holds_as_soon_as_it_is_in_the_log() -> None:
    follower = started()
    out = told(follower, "n2", config(1, "n1", "n2", "n3", "n4"))
    assert (follower.majority, follower.others) == (3, ("n2", "n3", "n4"))
    assert follower.commit_index == 0
    assert notes(out, "configured") == [(1, ("n1", "n2", "n3", "n4"))]
    assert names(out).index("sync") < names(out).index("note appended") < names(out).index("note configured")


def test_4_1_a_configuration_that_is_truncated_gives_way_to_the_one_before() -> None:
    follower = started()
    told(follower, "n2", config(1, "n1", "n2"), config(2, "n1"))
    out = told(follower, "n3", AppendEntries(2, 1, 1, (Entry(2),), 0, 0))
    assert follower.members == ("n1", "n2")
    assert notes(out, "configured") == [(1, ("n1", "n2"))]
    told(follower, "n3", AppendEntries(3, 0, 0, (Entry(3),), 0, 0))
    assert follower.members == ("n1", "n2", "n3")


def test_4_1_a_configuration_is_restored_from_the_log() -> None:
    disk = {**log_of(1), ("log", 2): Entry(1, None, ("n1", "n2"))}
    node, out = started(stored=disk), RecordingOutbox()
    node.on_start(out)
    assert node.members == ("n1", "n2")
    assert [kind for kind in names(out) if kind.startswith("note")] == ["note restored", "note configured"]


def test_7_a_configuration_is_restored_from_a_snapshot() -> None:
    disk = {**log_of(1), ("snapshot", 1): Snapshot(9, 1, 4, ("n1", "n5"))}
    assert started(stored=disk).members == ("n1", "n5")


def test_7_a_snapshot_holds_the_configuration_at_its_index_and_not_a_later_one() -> None:
    follower = started(snapshot_every=1)
    told(follower, "n2", config(1, "n1", "n2"), config(2, "n1"), AppendEntries(1, 2, 1, (), 1, 0))
    assert (follower.snapshot.members_index, follower.snapshot.members) == (1, ("n1", "n2"))
    assert follower.members == ("n1",)


def test_7_whoever_installs_a_snapshot_goes_by_its_members() -> None:
    follower = started()
    out = told(follower, "n2", InstallSnapshot(1, Snapshot(9, 1, 4, ("n1", "n5")), 0))
    assert notes(out, "configured") == [(4, ("n1", "n5"))]


def test_4_1_a_leader_changes_one_node_at_a_time() -> None:
    leader = in_charge()
    told(leader, "operator", LEAVE)
    ((_, refusal),) = told(leader, "operator", Change(8, "leave", "n2")).sent(Error)
    assert (refusal.code, refusal.in_reply_to) == (Error.TEMPORARILY_UNAVAILABLE, 8)
    stored(leader, "n2")
    told(leader, "operator", Change(9, "leave", "n2"))
    assert leader.members == ("n1",)


def test_4_1_a_new_leader_changes_nothing_before_it_has_committed_an_entry_of_its_own_term() -> None:
    leader = elected()
    assert len(told(leader, "operator", LEAVE).sent(Error)) == 1
    stored(leader, "n2")
    assert told(leader, "operator", LEAVE).sent(Error) == []
    assert leader.members == ("n1", "n2")


def test_4_1_an_operator_is_answered_when_the_change_is_committed() -> None:
    leader = in_charge(nodes=5)
    assert told(leader, "operator", LEAVE).sent(Answer) == []
    assert stored(leader, "n2").sent(Answer) == []
    assert stored(leader, "n4").sent(Answer) == [("operator", Answer(7))]


def test_4_1_a_change_that_was_made_before_is_answered_at_once() -> None:
    assert told(in_charge(), "operator", Change(7, "join", "n2")).sent(Answer) == [("operator", Answer(7))]
    assert told(in_charge(), "operator", Change(7, "leave", "n9")).sent(Answer) == [("operator", Answer(7))]


def test_4_1_a_change_that_is_asked_for_again_is_made_once() -> None:
    leader = in_charge()
    told(leader, "operator", LEAVE, LEAVE)
    last_index = leader.log.last_index
    assert stored(leader, "n2").sent(Answer) == [("operator", Answer(7))]
    assert last_index == 2


def test_4_1_only_the_leader_changes_members() -> None:
    follower = started()
    told(follower, "n3", AppendEntries(1, 0, 0, (), 0, 0))
    assert told(follower, "operator", JOIN).sent(NotLeader) == [("operator", NotLeader(7, 11, "not leader", "n3"))]


def test_the_last_member_cannot_leave() -> None:
    alone = elected(nodes=1)
    ((_, refusal),) = told(alone, "operator", Change(7, "leave", "n1")).sent(Error)
    assert refusal.definite
    assert alone.members == ("n1",)


def test_what_is_no_change_is_refused() -> None:
    ((_, refusal),) = told(in_charge(), "operator", Change(7, "promote", "n2")).sent(Error)
    assert refusal.code == Error.MALFORMED_REQUEST


# --- 4.2.1 catching up


def test_4_2_1_whoever_joins_gets_the_log_before_it_gets_a_vote() -> None:
    leader = in_charge()
    out = told(leader, "operator", JOIN)
    assert [to for to, _ in out.sent(AppendEntries)] == ["n9"]
    assert "n9" not in leader.members
    stored(leader, "n9")
    timed_out(leader, "heartbeat")
    assert "n9" in leader.members
    assert leader.commit_index == 1
    assert stored(leader, "n2", "n9").sent(Answer) == [("operator", Answer(7))]


def test_4_2_1_a_node_that_catches_up_counts_for_nothing() -> None:
    leader = elected(nodes=3)
    stored(leader, "n2")
    told(leader, "operator", JOIN)
    told(leader, "c0", Read(1, "x"))
    assert stored(leader, "n9").sent(Answer) == []
    assert stored(leader, "n3").sent(Answer) == [("c0", Answer(1))]


def test_4_2_1_a_round_that_took_too_long_is_followed_by_another() -> None:
    leader = in_charge()
    told(leader, "operator", JOIN)
    for _ in range(4):
        timed_out(leader, "heartbeat")
    stored(leader, "n2", "n3", "n9")
    timed_out(leader, "heartbeat")
    assert leader.members == ("n1", "n2", "n3")
    timed_out(leader, "heartbeat")
    assert "n9" in leader.members


def test_4_2_1_a_node_that_does_not_answer_is_given_up() -> None:
    leader = in_charge()
    told(leader, "operator", JOIN)
    sent: list[tuple[NodeId, Message]] = []
    for _ in range(14):
        stored(leader, "n2", "n3")
        sent += timed_out(leader, "heartbeat").sent(Error)
    assert [to for to, _ in sent] == ["operator"]
    assert told(leader, "operator", LEAVE).sent(Error) == []


def test_4_2_1_a_node_that_never_keeps_up_is_given_up() -> None:
    leader = in_charge()
    told(leader, "operator", JOIN)
    refused = 0
    for number in range(10):
        for beat in range(4):
            told(leader, "c0", Write(10 * number + beat, "put", "x", beat))
            stored(leader, "n2", "n3")
            refused += len(timed_out(leader, "heartbeat").sent(Error))
        stored(leader, "n9")
    refused += len(timed_out(leader, "heartbeat").sent(Error))
    assert (refused, leader.members) == (1, ("n1", "n2", "n3"))


def test_a_node_that_is_to_join_waits_until_it_is_taken_in() -> None:
    newcomer = started("n9")
    assert timed_out(newcomer, "election").effects == []
    told(newcomer, "n1", AppendEntries(1, 0, 0, (Entry(1), Entry(1, None, ("n1", "n2", "n3", "n4"))), 0, 0))
    assert timed_out(newcomer, "election").effects == []
    told(newcomer, "n1", AppendEntries(1, 2, 1, (Entry(1, None, ("n1", "n2", "n3", "n4", "n9")),), 0, 0))
    assert len(timed_out(newcomer, "election").sent(RequestPreVote)) == 4


# --- 4.2.2 removing the leader


def test_4_2_2_a_leader_that_removes_itself_counts_for_nothing_and_resigns_when_that_is_committed() -> None:
    leader = in_charge(nodes=4)
    out = told(leader, "operator", Change(7, "leave", "n1"))
    assert (leader.role, leader.majority) == ("leader", 2)
    assert {to for to, _ in out.sent(AppendEntries)} == {"n2", "n3", "n4"}
    assert (stored(leader, "n2").sent(Answer), leader.role) == ([], "leader")
    assert (stored(leader, "n3").sent(Answer), leader.role) == ([("operator", Answer(7))], "follower")


def test_4_2_2_whoever_has_been_removed_stands_until_that_is_committed() -> None:
    removed = started()
    told(removed, "n2", config(1, "n2", "n3"))
    assert [to for to, _ in timed_out(removed, "election").sent(RequestPreVote)] == ["n2", "n3"]
    told(removed, "n2", AppendEntries(1, 1, 1, (), 1, 0))
    assert timed_out(removed, "election").effects == []


def test_4_2_2_the_vote_of_a_node_that_is_no_member_does_not_count() -> None:
    removed = started(pre_vote=False)
    told(removed, "n2", config(1, "n2", "n3"))
    timed_out(removed, "election")
    told(removed, "n2", bench.Vote(2, True))
    assert removed.role == "candidate"
    told(removed, "n3", bench.Vote(2, True))
    assert removed.role == "leader"


def test_an_answer_of_a_node_that_was_removed_says_nothing() -> None:
    leader = in_charge()
    told(leader, "operator", LEAVE)
    assert told(leader, "n3", Appended(1, True, 2, 0)).effects == []


# --- the operator


def asked(action: str = "join") -> RaftOperator:
    operator = RaftOperator(bench.context("operator"))
    operator.on_invoke(Invocation(action, None, "n9"), RecordingOutbox())
    return operator


def test_an_operator_asks_for_the_change() -> None:
    operator, out = RaftOperator(bench.context("operator")), RecordingOutbox()
    operator.on_invoke(Invocation("leave", None, "n3", "n2"), out)
    assert out.sent(Change) == [("n2", Change(1, "leave", "n3"))]


def test_an_operator_follows_hints_to_nodes_that_it_did_not_know() -> None:
    operator, out = asked(), RecordingOutbox()
    operator.on_message("n1", NotLeader(1, 11, "not leader", "n8"), out)
    assert out.sent(Change) == [("n8", Change(1, "join", "n9"))]
    operator.on_timer("silence", out)
    assert out.sent(Change)[-1] == ("n1", Change(1, "join", "n9"))


def test_an_operator_asks_again_while_another_change_is_under_way() -> None:
    operator, out = asked(), RecordingOutbox()
    operator.on_message("n1", Error(1, Error.TEMPORARILY_UNAVAILABLE, "another"), out)
    assert out.effects == [Effect("cancel_timer", ("silence",)), Effect("set_timer", ("pause", 50))]
    operator.on_timer("pause", out)
    assert len(out.sent(Change)) == 1


@pytest.mark.parametrize(
    ("answer", "ending"),
    [(Answer(1), ("ok", None)), (Error(1, Error.PRECONDITION_FAILED, "the last"), ("fail", "the last"))],
)
def test_an_operation_of_an_operator_ends_with_what_came_of_the_change(
    answer: Message, ending: tuple[str, object]
) -> None:
    operator, out = asked(), RecordingOutbox()
    operator.on_message("n1", answer, out)
    assert [effect.arguments for effect in out.effects if effect.name == "complete"] == [ending]
