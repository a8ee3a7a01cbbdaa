"""Replication and commitment, section by section of the extended Raft paper."""

from __future__ import annotations

from importlib import import_module
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from upheld.impl.consensus.messages import Answer, Read, Write
from upheld.impl.consensus.raft.log import Log
from upheld.impl.consensus.raft.messages import Appended, AppendEntries, Entry
from upheld.impl.consensus.raft.reference import Raft
from upheld.impl.node import Effect, Message, RecordingOutbox

bench = import_module("raft_bench")
elected, log_of, names, notes, put, started, timed_out, told = (
    bench.elected,
    bench.log_of,
    bench.names,
    bench.notes,
    bench.put,
    bench.started,
    bench.timed_out,
    bench.told,
)


def entries(*terms: int, first: int = 1) -> tuple[Entry, ...]:
    """Entries as `log_of` makes them; what differs in term differs in command, too."""
    return tuple(Entry(term, put("x", index, msg_id=index)) for index, term in enumerate(terms, first))


def terms(log: Log) -> list[int]:
    return [log[index].term for index in range(log.base + 1, log.last_index + 1)]


# --- 5.3 log replication: the leader


def test_5_3_a_leader_appends_a_command_before_it_replicates_it() -> None:
    leader = elected()
    told(leader, "n2", Appended(1, True, 1, 0))
    out = told(leader, "c0", Write(1, "put", "x", 7))
    assert names(out)[:4] == ["store", "sync", "note appended", "send"]
    assert out.sent(AppendEntries) == [("n2", AppendEntries(1, 1, 1, (Entry(1, put("x", 7)),), 1, 0))]


def test_5_3_what_comes_while_a_message_is_under_way_goes_in_one_batch() -> None:
    leader = elected()
    assert told(leader, "c0", Write(1, "put", "x", 1), Write(2, "put", "x", 2)).sent(AppendEntries) == []
    ((to, message),) = told(leader, "n2", Appended(1, True, 1, 0)).sent(AppendEntries)
    assert isinstance(message, AppendEntries)
    assert (to, len(message.entries)) == ("n2", 2)


def test_5_3_a_leader_asks_again_and_sends_what_was_lost_to_whoever_answers() -> None:
    leader = elected()
    out = timed_out(leader, "heartbeat")
    assert out.sent(AppendEntries) == [(peer, AppendEntries(1, 0, 0, (), 0, 0)) for peer in ("n2", "n3")]
    assert out.effects[-1] == Effect("set_timer", ("heartbeat", 50))
    answered = told(leader, "n2", Appended(1, True, 0, 0))
    assert answered.sent(AppendEntries) == [("n2", AppendEntries(1, 0, 0, (Entry(1),), 0, 0))]


def test_5_3_a_message_holds_a_bounded_number_of_entries() -> None:
    leader = elected(stored=log_of(*[1] * 200))
    ((_, message),) = told(leader, "n2", Appended(2, False, 0, 0)).sent(AppendEntries)
    assert isinstance(message, AppendEntries)
    assert len(message.entries) == leader.batch_max


def test_5_3_a_refusal_makes_the_leader_go_back() -> None:
    leader = elected(stored=log_of(1, 1, 1))
    ((_, message),) = told(leader, "n2", Appended(2, False, 1, 0)).sent(AppendEntries)
    assert isinstance(message, AppendEntries)
    assert (message.prev_log_index, [entry.term for entry in message.entries]) == (1, [1, 1, 2])


def test_5_3_a_refusal_that_was_overtaken_says_nothing() -> None:
    leader = elected(stored=log_of(1, 1, 1))
    told(leader, "n2", Appended(2, True, 4, 0))
    out = told(leader, "n2", Appended(2, False, 1, 0))
    assert out.effects == []
    assert (leader.progress["n2"].match_index, leader.progress["n2"].next_index) == (4, 5)


def test_5_3_an_answer_that_was_overtaken_says_nothing() -> None:
    leader = elected(stored=log_of(1, 1, 1))
    told(leader, "n2", Appended(2, True, 4, 0), Appended(2, True, 2, 0))
    assert leader.progress["n2"].match_index == 4


# --- pipelining, thesis 10.2


def streaming(**settings: Any) -> Raft:
    """A leader of three who knows where the log of n2 stands, and has no entry under way to it."""
    leader: Raft = elected(**settings)
    told(leader, "n2", Appended(1, True, 1, 0))
    return leader


def sent_to(node: str, out: RecordingOutbox) -> list[tuple[int, int]]:
    """Each AppendEntries to this node: the index before its entries, and how many they are."""
    messages = [message for to, message in out.sent(AppendEntries) if to == node]
    return [(each.prev_log_index, len(each.entries)) for each in messages if isinstance(each, AppendEntries)]


def writes(*msg_ids: int) -> tuple[Write, ...]:
    return tuple(Write(msg_id, "put", "x", msg_id) for msg_id in msg_ids)


def test_10_2_entries_go_as_they_come_as_if_all_before_had_arrived() -> None:
    assert sent_to("n2", told(streaming(), "c0", *writes(1, 2, 3))) == [(1, 1), (2, 1), (3, 1)]


def test_10_2_only_so_many_messages_with_entries_are_under_way() -> None:
    leader = streaming(window=2)
    assert sent_to("n2", told(leader, "c0", *writes(1, 2, 3, 4))) == [(1, 1), (2, 1)]
    assert sent_to("n2", told(leader, "n2", Appended(1, True, 2, 0))) == [(3, 2)]


def test_10_2_an_answer_to_a_later_message_answers_those_before() -> None:
    leader = streaming(window=2)
    told(leader, "c0", *writes(1, 2, 3))
    assert sent_to("n2", told(leader, "n2", Appended(1, True, 3, 0))) == [(3, 1)]
    assert list(leader.progress["n2"].under_way) == [4]


def test_10_2_a_follower_of_whom_nothing_is_known_gets_one_message_at_a_time() -> None:
    leader = elected()
    assert sent_to("n3", told(leader, "c0", *writes(1, 2))) == []


def test_10_2_after_a_refusal_it_is_one_message_at_a_time_again() -> None:
    leader = streaming()
    told(leader, "c0", *writes(1, 2, 3))
    assert sent_to("n2", told(leader, "n2", Appended(1, False, 1, 0))) == [(1, 3)]
    assert sent_to("n2", told(leader, "n2", Appended(1, False, 1, 0))) == []
    assert sent_to("n2", told(leader, "c0", *writes(4))) == []
    assert sent_to("n2", told(leader, "n2", Appended(1, True, 4, 0))) == [(4, 1)]


def test_10_2_after_a_silence_everything_that_was_not_answered_is_sent_again_when_there_is_an_answer() -> None:
    leader = streaming()
    told(leader, "c0", *writes(1, 2, 3))
    assert sent_to("n2", timed_out(leader, "heartbeat")) == [(4, 0)]
    assert sent_to("n2", timed_out(leader, "heartbeat")) == [(1, 0)]
    assert sent_to("n2", timed_out(leader, "heartbeat")) == [(1, 0)]
    assert sent_to("n2", told(leader, "n2", Appended(1, True, 1, 0))) == [(1, 3)]


def test_10_2_batches_are_bounded() -> None:
    leader = elected(batch_max=2)
    told(leader, "c0", *writes(1, 2, 3, 4))
    assert sent_to("n2", told(leader, "n2", Appended(1, True, 1, 0))) == [(1, 2), (3, 2)]


# --- what says nothing new calls for nothing


def rounds_sent_to(node: str, out: RecordingOutbox) -> list[int]:
    """The round that each AppendEntries to this node asks about."""
    return [
        message.round for to, message in out.sent(AppendEntries) if to == node and isinstance(message, AppendEntries)
    ]


def test_a_copy_of_an_answer_calls_for_no_message_while_entries_are_under_way() -> None:
    leader = streaming(window=2)
    told(leader, "c0", *writes(1, 2, 3, 4))
    answer = Appended(1, True, 2, 0)
    assert sent_to("n2", told(leader, "n2", answer)) == [(3, 2)]
    told(leader, "c0", *writes(5))
    assert told(leader, "n2", answer, answer).effects == []


def test_an_answer_that_was_overtaken_calls_for_no_message_while_a_round_waits_for_its_own() -> None:
    leader = streaming()
    assert rounds_sent_to("n2", told(leader, "c0", Read(1, "x"))) == [1]
    told(leader, "c0", Read(2, "x"))
    assert told(leader, "n2", Appended(1, True, 1, 0), Appended(1, True, 1, 0)).effects == []


def test_an_answer_to_a_round_is_news_once_and_calls_for_the_next_round() -> None:
    leader = streaming()
    told(leader, "c0", Read(1, "x"), Read(2, "x"), Read(3, "x"))
    answered = told(leader, "n2", Appended(1, True, 1, 1))
    assert rounds_sent_to("n2", answered) == [3]
    assert answered.sent(Answer) == [("c0", Answer(1, None))]
    assert told(leader, "n2", Appended(1, True, 1, 1)).effects == []
    assert [to for to, _ in told(leader, "n2", Appended(1, True, 1, 3)).sent(Message)] == ["c0", "c0"]


def test_a_round_waits_for_no_answer_that_will_say_nothing_new() -> None:
    leader = streaming()
    assert sent_to("n2", timed_out(leader, "heartbeat")) == [(1, 0)]
    assert rounds_sent_to("n2", told(leader, "c0", Read(1, "x"))) == [1]


def test_a_copy_of_a_refusal_calls_for_no_message() -> None:
    leader = elected(stored=log_of(1, 1, 1))
    refusal = Appended(2, False, 1, 0)
    assert sent_to("n2", told(leader, "n2", refusal)) == [(1, 3)]
    assert told(leader, "n2", refusal, refusal).effects == []


def test_an_answer_that_says_nothing_new_shows_all_the_same_that_somebody_is_there() -> None:
    leader = streaming()
    timed_out(leader, "heartbeat")
    told(leader, "n2", Appended(1, True, 1, 0))
    assert leader.progress["n2"].silence == 0


@given(st.lists(st.integers(0, 9), max_size=40), st.integers(1, 3), st.integers(1, 3))
def test_whatever_has_happened_the_copy_of_an_answer_has_no_effect(
    choices: list[int], window: int, batch_max: int
) -> None:
    leader = elected(nodes=2, window=window, batch_max=batch_max)
    follower = started("n2", 2)
    to_follower = list(timed_out(leader, "heartbeat").sent(AppendEntries))
    for number, choice in enumerate(choices):
        if choice < 3:
            to_follower += told(leader, "c0", *(writes(number) if choice else (Read(number, "x"),))).sent(AppendEntries)
        elif choice < 9 and to_follower:
            _, message = to_follower.pop(choice % len(to_follower))
            ((_, answer),) = told(follower, "n1", message).sent(Appended)
            to_follower += told(leader, "n2", answer).sent(AppendEntries)
            assert told(leader, "n2", answer).effects == []
        else:
            to_follower += timed_out(leader, "heartbeat").sent(AppendEntries)


@given(st.lists(st.integers(0, 9), max_size=40), st.integers(1, 3), st.integers(1, 3))
def test_10_2_whatever_is_lost_or_overtaken_the_follower_gets_the_log_in_the_end(
    choices: list[int], window: int, batch_max: int
) -> None:
    leader = elected(nodes=2, window=window, batch_max=batch_max)
    follower = started("n2", 2)
    to_follower, to_leader = list(timed_out(leader, "heartbeat").sent(AppendEntries)), list[Message]()
    for number, choice in enumerate(choices):
        if choice < 2:
            to_follower += told(leader, "c0", *writes(number)).sent(AppendEntries)
        elif choice < 5 and to_follower:
            _, message = to_follower.pop(choice % len(to_follower))
            to_leader += [answer for _, answer in told(follower, "n1", message).sent(Appended)]
        elif choice < 8 and to_leader:
            answer = to_leader.pop(choice % len(to_leader))
            to_follower += told(leader, "n2", answer).sent(AppendEntries)
        elif to_follower:
            to_follower.pop()
    for _ in range(60):
        for _, message in timed_out(leader, "heartbeat").sent(AppendEntries):
            for _, answer in told(follower, "n1", message).sent(Appended):
                for _, lacking in told(leader, "n2", answer).sent(AppendEntries):
                    for _, stored in told(follower, "n1", lacking).sent(Appended):
                        told(leader, "n2", stored)
    assert terms(follower.log) == terms(leader.log)
    assert leader.commit_index == leader.log.last_index


# --- 5.3 log replication: the follower


def test_5_3_entries_are_on_disk_before_they_are_answered() -> None:
    out = told(started(), "n2", AppendEntries(1, 0, 0, entries(1, 1), 0, 0))
    after_term = names(out)[names(out).index("note term") :]
    assert [name for name in after_term if not name.endswith("_timer")] == [
        "note term", "store", "store", "sync", "note appended", "note appended", "send",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("mine", "prev", "prev_term", "success", "index"),
    [
        ((1, 1), 2, 1, True, 2),
        ((1, 1), 4, 1, False, 2),  # too short: its end
        ((1, 2, 2), 3, 3, False, 1),  # conflict: before all entries of the conflicting term
        ((2, 2, 2), 2, 1, False, 0),
        ((), 0, 0, True, 0),
    ],
)
def test_5_3_the_entry_before_the_new_ones_must_agree(
    mine: tuple[int, ...], prev: int, prev_term: int, index: int, *, success: bool
) -> None:
    follower = started(stored=log_of(*mine))
    out = told(follower, "n2", AppendEntries(9, prev, prev_term, (), 0, 5))
    assert out.sent(Appended) == [("n2", Appended(9, success, index, 5))]


def test_5_3_a_conflicting_entry_goes_and_all_that_follow_it() -> None:
    follower = started(stored=log_of(1, 2, 2, 2))
    out = told(follower, "n2", AppendEntries(3, 1, 1, entries(3, first=2), 0, 0))
    assert terms(follower.log) == [1, 3]
    assert [effect.arguments for effect in out.effects if effect.name == "erase"] == [
        (("log", 4),),
        (("log", 3),),
        (("log", 2),),
    ]
    assert notes(out, "truncated") == [(2,)]


def test_5_3_what_the_log_has_already_stays() -> None:
    follower = started(stored=log_of(1, 1, 1))
    out = told(follower, "n2", AppendEntries(1, 0, 0, entries(1), 0, 0))
    assert terms(follower.log) == [1, 1, 1]
    assert not {"store", "erase", "sync"} & set(names(out))


def test_5_3_a_leader_whose_term_is_over_is_refused() -> None:
    follower = started(stored=log_of(4))
    out = told(follower, "n2", AppendEntries(3, 0, 0, entries(3), 1, 0))
    assert out.sent(Appended) == [("n2", Appended(4, False, 0, 0))]
    assert names(out) == ["send"]


def test_5_3_a_follower_applies_what_the_leader_knows_to_be_committed_and_what_it_has() -> None:
    follower = started(stored=log_of(1, 1, 1))
    out = told(follower, "n2", AppendEntries(1, 2, 1, (), 3, 0))
    assert notes(out, "committed") == [(2, 1)]
    assert [facts[0] for facts in notes(out, "applied")] == [1, 2]


def tails(*terms: int) -> st.SearchStrategy[list[int]]:
    return st.lists(st.sampled_from(terms), max_size=6).map(sorted)


@given(st.integers(0, 4), tails(2, 4), tails(3, 5))
def test_5_3_wherever_two_logs_part_the_follower_gets_the_log_of_its_leader(
    common: int, leading: list[int], following: list[int]
) -> None:
    leader = elected(nodes=2, stored=log_of(*[1] * common, *leading, term=5))
    follower = started("n2", 2, log_of(*[1] * common, *following, term=5))
    sent = timed_out(leader, "heartbeat").sent(AppendEntries)
    for _ in range(20):
        answers = [answer for _, message in sent for answer in told(follower, "n1", message).sent(Appended)]
        sent = [again for _, answer in answers for again in told(leader, "n2", answer).sent(AppendEntries)]
    assert terms(follower.log) == terms(leader.log)
    assert leader.commit_index == leader.log.last_index


# --- 5.4.2 committing entries from previous terms


@pytest.mark.parametrize("nodes", [2, 3, 4, 5, 6, 7])
def test_5_3_an_entry_is_committed_when_a_majority_has_stored_it(nodes: int) -> None:
    leader = elected(nodes=nodes)
    for peer in leader.others[: nodes // 2]:
        assert leader.commit_index == 0
        told(leader, peer, Appended(1, True, 1, 0))
    assert leader.commit_index == 1


def test_5_4_2_entries_of_earlier_terms_are_never_committed_by_counting() -> None:
    leader = elected(stored=log_of(1, 1))
    told(leader, "n2", Appended(2, True, 2, 0))
    assert leader.commit_index == 0
    told(leader, "n2", Appended(2, True, 3, 0))
    assert leader.commit_index == 3


def test_a_cluster_of_one_commits_by_itself() -> None:
    alone = started(nodes=1)
    out = timed_out(alone, "election")
    assert (alone.role, alone.commit_index) == ("leader", 1)
    assert out.sent(Message) == []
