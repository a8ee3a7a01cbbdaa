"""Terms, votes and elections, section by section of the extended Raft paper."""

from __future__ import annotations

from importlib import import_module

import pytest

from upheld.impl.consensus.raft.messages import (
    Appended,
    AppendEntries,
    Ballot,
    PreVote,
    RequestPreVote,
    RequestVote,
    Vote,
)
from upheld.impl.node import Effect, Message, RecordingOutbox

bench = import_module("raft_bench")
elected, log_of, names, notes, standing, started, timed_out, told = (
    bench.elected,
    bench.log_of,
    bench.names,
    bench.notes,
    bench.standing,
    bench.started,
    bench.timed_out,
    bench.told,
)


def heartbeat(term: int) -> AppendEntries:
    return AppendEntries(term, 0, 0, (), 0, 0)


# --- 5.1 terms


def test_5_1_whoever_sees_a_higher_term_adopts_it_and_follows() -> None:
    leader = elected()
    told(leader, "n2", Vote(7, False))
    assert (leader.term, leader.role, leader.leader) == (7, "follower", None)


def test_5_1_a_higher_term_is_on_disk_before_it_is_noted() -> None:
    out = told(started(), "n2", RequestVote(3, 0, 0))
    assert names(out).index("sync") < names(out).index("note term") < names(out).index("send")


def test_5_1_a_request_of_an_earlier_term_is_refused_with_the_present_one() -> None:
    node = started(stored=log_of(4))
    assert told(node, "n2", RequestVote(3, 9, 9)).sent(Message) == [("n2", Vote(4, False))]


def test_5_1_an_answer_of_an_earlier_term_is_ignored() -> None:
    candidate = standing(stored=log_of(4))
    told(candidate, "n2", Vote(4, True))
    assert candidate.role == "candidate"


def test_5_1_a_deposed_leader_stops_its_heartbeats_and_waits_for_another() -> None:
    out = told(elected(), "n2", Vote(7, False))
    assert Effect("cancel_timer", ("heartbeat",)) in out.effects
    assert Effect("set_timer", ("election", 150)) in out.effects


# --- 5.2 leader election


def test_5_2_a_node_starts_as_a_follower_and_waits_for_a_leader() -> None:
    node, out = started(), RecordingOutbox()
    node.on_start(out)
    assert node.role == "follower"
    assert out.effects == [
        Effect("note", ("configured", 0, ("n1", "n2", "n3"))),
        Effect("cancel_timer", ("silence",)),
        Effect("set_timer", ("election", 150)),
    ]


def test_5_2_after_a_silence_it_votes_for_itself_and_asks_all_others_in_a_new_term() -> None:
    node = started(pre_vote=False)
    out = timed_out(node, "election")
    assert (node.role, node.term, node.voted) == ("candidate", 1, "n1")
    assert out.sent(RequestVote) == [("n2", RequestVote(1, 0, 0)), ("n3", RequestVote(1, 0, 0))]


def test_5_2_term_and_vote_are_on_disk_before_anybody_is_asked() -> None:
    out = timed_out(started(pre_vote=False), "election")
    assert out.effects[:2] == [Effect("store", (("ballot", 1), Ballot(1, 1, "n1"))), Effect("sync")]


@pytest.mark.parametrize(("nodes", "votes"), [(1, 0), (2, 1), (3, 1), (4, 2), (5, 2), (6, 3), (7, 3)])
def test_5_2_a_majority_of_votes_its_own_included_makes_a_leader(nodes: int, votes: int) -> None:
    node = started(nodes=nodes, pre_vote=False)
    timed_out(node, "election")
    for peer in node.others[:votes]:
        assert node.role == "candidate"
        told(node, peer, Vote(1, True), Vote(1, True))
    assert node.role == "leader"


def test_5_2_a_vote_is_given_once_in_a_term_first_come_first_served() -> None:
    node = started()
    assert told(node, "n2", RequestVote(1, 0, 0)).sent(Vote) == [("n2", Vote(1, True))]
    assert told(node, "n3", RequestVote(1, 0, 0)).sent(Vote) == [("n3", Vote(1, False))]
    assert told(node, "n2", RequestVote(1, 0, 0)).sent(Vote) == [("n2", Vote(1, True))]


def test_5_2_a_vote_survives_a_crash() -> None:
    node = started(stored=log_of(1, voted="n2"))
    assert told(node, "n3", RequestVote(1, 1, 1)).sent(Vote) == [("n3", Vote(1, False))]


def test_5_2_a_vote_is_on_disk_before_it_is_given() -> None:
    out = told(started(stored=log_of(1)), "n2", RequestVote(1, 1, 1))
    assert out.effects[0] == Effect("store", (("ballot", 0), Ballot(2, 1, "n2")))
    assert names(out) == ["store", "sync", "cancel_timer", "set_timer", "send", "note voted"]


def test_5_2_a_new_leader_tells_all_others_at_once() -> None:
    node = standing()
    out = told(node, "n2", Vote(1, True))
    assert notes(out, "leads") == [(1,)]
    assert [to for to, _ in out.sent(AppendEntries)] == ["n2", "n3"]
    assert Effect("set_timer", ("heartbeat", 50)) in out.effects


def test_5_2_a_candidate_follows_the_leader_of_its_term() -> None:
    node = standing()
    out = told(node, "n2", heartbeat(1))
    assert (node.role, node.leader) == ("follower", "n2")
    assert out.effects[:2] == [Effect("cancel_timer", ("election",)), Effect("set_timer", ("silence", 150))]


def test_5_2_after_the_smallest_timeout_it_waits_for_the_random_rest_of_its_own() -> None:
    node = started()
    node.patience_ns = 170
    told(node, "n2", heartbeat(1))
    assert timed_out(node, "silence").effects == [Effect("set_timer", ("election", 20))]
    assert node.leader is None


def test_5_2_a_split_vote_ends_in_a_new_election() -> None:
    node = started(pre_vote=False)
    timed_out(node, "election")
    timed_out(node, "election")
    assert (node.role, node.term, node.votes) == ("candidate", 2, {"n1"})


# --- 5.4.1 election restriction


@pytest.mark.parametrize(
    ("mine", "last_index", "last_term", "granted"),
    [
        ((1, 1), 2, 1, True),  # the same log
        ((1, 1), 1, 2, True),  # shorter, and of a later term
        ((1, 2), 3, 1, False),  # longer, and of an earlier term
        ((1, 1), 1, 1, False),  # shorter, of the same term
        ((1, 1), 3, 1, True),  # longer, of the same term
        ((), 0, 0, True),
    ],
)
def test_5_4_1_only_a_log_that_is_as_up_to_date_gets_a_vote(
    mine: tuple[int, ...], last_index: int, last_term: int, *, granted: bool
) -> None:
    node = started(stored=log_of(*mine))
    out = told(node, "n2", RequestVote(5, last_index, last_term))
    assert out.sent(Vote) == [("n2", Vote(5, granted))]


# --- 5.5 crashes


def test_5_5_a_candidate_asks_again_whoever_has_not_answered() -> None:
    node = standing(nodes=5)
    told(node, "n2", Vote(1, False))
    assert [to for to, _ in timed_out(node, "votes").sent(RequestVote)] == ["n3", "n4", "n5"]


def test_5_5_nobody_is_asked_after_the_election() -> None:
    assert timed_out(elected(), "votes").effects == []


def test_5_5_a_restarted_node_says_what_it_got_back() -> None:
    node, out = started(stored=log_of(1, 1, 2, voted="n3")), RecordingOutbox()
    node.on_start(out)
    assert notes(out, "restored") == [(2, "n3", 3, 0)]
    assert [node.log[index].term for index in range(4)] == [0, 1, 1, 2]


def test_a_torn_ballot_leaves_the_one_before() -> None:
    node = started(stored=log_of(3, voted="n2"))
    out = told(node, "n3", RequestVote(9, 9, 9))
    written = [effect.arguments[0] for effect in out.effects if effect.name == "store"]
    assert written == [("ballot", 0), ("ballot", 1)]
    assert names(out)[:2] == ["store", "sync"]


# --- pre-votes, thesis 9.6


def test_9_6_after_a_silence_a_node_asks_around_before_it_disturbs_anybody() -> None:
    node = started(stored=log_of(1, 1))
    out = timed_out(node, "election")
    assert out.sent(RequestPreVote) == [("n2", RequestPreVote(2, 2, 1)), ("n3", RequestPreVote(2, 2, 1))]
    assert (node.role, node.term) == ("pre-candidate", 1)
    assert "store" not in names(out)


def test_9_6_with_the_promises_of_a_majority_it_stands() -> None:
    node = started(nodes=5)
    timed_out(node, "election")
    told(node, "n2", PreVote(0, 1, True), PreVote(0, 1, True))
    assert node.role == "pre-candidate"
    assert len(told(node, "n3", PreVote(0, 1, True)).sent(RequestVote)) == 4
    assert (node.role, node.term) == ("candidate", 1)


def test_9_6_a_promise_for_another_term_says_nothing() -> None:
    node = started(stored=log_of(4))
    timed_out(node, "election")
    told(node, "n2", PreVote(4, 4, True))
    assert node.role == "pre-candidate"


def test_9_6_a_node_that_is_behind_learns_the_term() -> None:
    node = started()
    timed_out(node, "election")
    told(node, "n2", PreVote(7, 1, False))
    assert (node.role, node.term) == ("follower", 7)


@pytest.mark.parametrize(
    ("asked", "index", "last_term", "granted"),
    [(5, 2, 4, True), (4, 2, 4, False), (5, 1, 4, False), (9, 9, 3, False)],
)
def test_9_6_a_promise_is_what_a_vote_would_be_and_changes_nothing(
    asked: int, index: int, last_term: int, *, granted: bool
) -> None:
    node = started(stored=log_of(4, 4))
    out = told(node, "n2", RequestPreVote(asked, index, last_term))
    assert out.effects == [Effect("send", ("n2", PreVote(4, asked, granted)))]


def test_9_6_whoever_hears_from_a_leader_promises_nothing() -> None:
    node = started()
    told(node, "n2", heartbeat(1))
    assert told(node, "n3", RequestPreVote(2, 0, 0)).sent(PreVote) == [("n3", PreVote(1, 2, False))]


def test_9_6_a_pre_candidate_follows_the_leader_that_it_hears_from() -> None:
    node = started(stored=log_of(1))
    timed_out(node, "election")
    told(node, "n2", AppendEntries(1, 1, 1, (), 0, 0))
    assert (node.role, node.leader) == ("follower", "n2")


# --- disruption, thesis 4.2.3


def test_4_2_3_whoever_hears_from_a_leader_ignores_candidates() -> None:
    node = started()
    told(node, "n2", heartbeat(1))
    assert told(node, "n3", RequestVote(2, 9, 9)).effects == []
    assert told(elected(), "n3", RequestVote(2, 9, 9)).effects == []


def test_4_2_3_after_a_silence_it_does_not() -> None:
    node = started()
    told(node, "n2", heartbeat(1))
    timed_out(node, "silence")
    assert told(node, "n3", RequestVote(2, 9, 9)).sent(Vote) == [("n3", Vote(2, True))]


def test_4_2_3_without_that_rule_a_candidate_deposes_a_leader() -> None:
    leader = elected(check_quorum=False)
    assert told(leader, "n3", RequestVote(2, 9, 9)).sent(Vote) == [("n3", Vote(2, True))]


# --- a leader without a majority, thesis 6.2


def beats(number: int, *, answered: tuple[str, ...], check_quorum: bool = True) -> str:
    """The role of a leader of five after so many heartbeats that only these nodes have answered."""
    leader = elected(nodes=5, check_quorum=check_quorum)
    for _ in range(number):
        timed_out(leader, "heartbeat")
        for node in answered:
            told(leader, node, Appended(1, False, 0, 0))
    return str(leader.role)


def test_6_2_a_leader_that_does_not_hear_from_a_majority_resigns() -> None:
    assert beats(12, answered=("n2",)) == "leader"
    assert beats(13, answered=("n2",)) == "follower"


def test_6_2_a_leader_that_hears_from_a_majority_stays() -> None:
    assert beats(100, answered=("n2", "n3")) == "leader"


def test_6_2_without_that_rule_it_stays_for_ever() -> None:
    assert beats(100, answered=(), check_quorum=False) == "leader"


def test_a_leader_that_resigns_stops_its_heartbeats_and_waits_for_another() -> None:
    leader = elected()
    for _ in range(12):
        timed_out(leader, "heartbeat")
    out = timed_out(leader, "heartbeat")
    assert Effect("cancel_timer", ("heartbeat",)) in out.effects
    assert Effect("set_timer", ("election", 150)) in out.effects
