"""Clients of the store: writes, sessions and reads (section 8 of the paper, chapter 6 of the thesis)."""

from __future__ import annotations

from importlib import import_module

import pytest
from hypothesis import given
from hypothesis import strategies as st

from upheld.impl.consensus.machine import KeyValueStore, Outcome
from upheld.impl.consensus.messages import Answer, Command, NotLeader, Open, Opened, Read, SessionExpired, Write
from upheld.impl.consensus.raft.messages import Appended, AppendEntries
from upheld.impl.consensus.raft.reference import Raft
from upheld.impl.node import Error, Message, RecordingOutbox, Value

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


def in_charge() -> Raft:
    """A leader of three whose no-op, the entry 1, is committed."""
    leader: Raft = elected()
    told(leader, "n2", Appended(1, True, 1, 0))
    return leader


# --- writes


def test_8_a_command_is_answered_when_it_has_been_applied() -> None:
    leader = in_charge()
    assert told(leader, "c0", Write(5, "put", "x", 7)).sent(Answer) == []
    out = told(leader, "n2", Appended(1, True, 2, 0))
    assert out.sent(Answer) == [("c0", Answer(5))]
    assert notes(out, "applied") == [(2, 1, ("put", "x", 7), "c0", 5)]
    assert notes(out, "acknowledged") == [(2, 1, "c0", 5)]


def test_8_a_follower_refuses_and_names_the_leader() -> None:
    follower = started()
    told(follower, "n3", AppendEntries(1, 0, 0, (), 0, 0))
    for request in (Write(5, "put", "x", 7), Read(5, "x")):
        out = told(follower, "c0", request)
        assert out.sent(Message) == [("c0", NotLeader(5, 11, "not leader", "n3"))]


def test_8_a_refusal_is_definite() -> None:
    assert NotLeader(1, Error.TEMPORARILY_UNAVAILABLE).definite
    assert not SessionExpired(1, 1001).definite


@pytest.mark.parametrize(("action", "argument"), [("increment", 7), ("cas", 7), ("cas", (7,)), ("cas", None)])
def test_what_is_no_command_never_gets_into_the_log(action: str, argument: Value) -> None:
    leader = in_charge()
    ((_, answer),) = told(leader, "c0", Write(5, action, "x", argument)).sent(Error)
    assert answer.definite
    assert leader.log.last_index == 1


def test_8_only_the_leader_of_the_term_of_an_entry_answers_its_client() -> None:
    leader = elected(stored=log_of(1, 1))
    out = told(leader, "n2", Appended(2, True, 3, 0))
    assert [facts[0] for facts in notes(out, "applied")] == [1, 2, 3]
    assert out.sent(Answer) == []


# --- sessions


def test_8_a_command_that_is_repeated_gets_its_first_result_and_has_no_effect() -> None:
    leader = in_charge()
    swap = Write(5, "cas", "x", (None, 7))
    told(leader, "c0", swap, swap)
    out = told(leader, "n2", Appended(1, True, 3, 0))
    assert out.sent(Answer) == [("c0", Answer(5, True)), ("c0", Answer(5, True))]
    assert [facts[2] for facts in notes(out, "applied")] == [("cas", "x", (None, 7)), None]


def test_thesis_6_3_any_node_tells_a_new_client_where_the_log_stands() -> None:
    assert told(in_charge(), "c0", Open(1)).sent(Opened) == [("c0", Opened(1, 1))]
    assert told(started(), "c0", Open(1)).sent(Opened) == [("c0", Opened(1, 0))]


def test_thesis_6_3_a_command_whose_session_has_expired_is_refused() -> None:
    store = KeyValueStore(sessions_max=1)
    store.apply(1, put("x", 1, client="a"))
    store.apply(2, put("x", 2, client="b"))
    assert store.apply(3, put("x", 1, client="a")) == Outcome(executed=False, refused=True)
    assert store.get("x") == 2


def test_thesis_6_3_a_client_that_opened_after_the_last_expiry_is_new() -> None:
    store = KeyValueStore(sessions_max=1)
    store.apply(1, put("x", 1, client="a"))
    store.apply(2, put("x", 2, client="b"))
    assert store.apply(3, Command("c", 1, "put", "x", 3, since=1)).executed


def test_thesis_6_3_the_session_that_was_idle_for_longest_expires() -> None:
    store = KeyValueStore(sessions_max=2)
    for index, client in enumerate("abac", 1):
        store.apply(index, put("x", index, client=client, msg_id=index))
    assert list(store.sessions) == ["a", "c"]


def test_a_refused_client_is_told_so() -> None:
    leader = in_charge()
    leader.store.forgotten_index = 9
    told(leader, "c0", Write(5, "put", "x", 7, since=3))
    out = told(leader, "n2", Appended(1, True, 2, 0))
    assert [type(answer) for _, answer in out.sent(Answer, SessionExpired)] == [SessionExpired]
    assert "note acknowledged" not in names(out)


@given(
    st.integers(1, 3),
    st.lists(st.tuples(st.integers(0, 4), st.booleans()), max_size=40),
)
def test_however_few_sessions_are_kept_no_command_is_executed_twice(
    sessions_max: int, choices: list[tuple[int, bool]]
) -> None:
    store = KeyValueStore(sessions_max)
    executed: list[tuple[str, int]] = []
    opened: dict[int, int] = {}
    numbers: dict[int, int] = {}
    for index, (client, is_new) in enumerate(choices, 1):
        since = opened.setdefault(client, index - 1)
        numbers[client] = numbers.get(client, 1) + (is_new and client in numbers)
        command = Command(f"c{client}", numbers[client], "put", "x", index, since)
        if store.apply(index, command).executed:
            executed.append((command.client, command.msg_id))
        assert len(store.sessions) <= sessions_max
    assert len(executed) == len(set(executed))


# --- the store


@pytest.mark.parametrize(
    ("held", "expected", "result"),
    [(None, None, True), (7, 7, True), (7, 8, False), (None, 7, False), (7, None, False), (1, True, False)],
)
def test_a_cas_compares_by_type_and_takes_absence_for_null(held: Value, expected: Value, *, result: bool) -> None:
    store = KeyValueStore(9)
    if held is not None:
        store.apply(1, Command("a", 1, "put", "x", held))
    assert store.apply(2, Command("b", 1, "cas", "x", (expected, 9))) == Outcome(result)
    assert store.get("x") == (9 if result else held)


def test_a_deleted_key_is_absent() -> None:
    store = KeyValueStore(9)
    store.apply(1, put("x", 7))
    assert store.apply(2, Command("c1", 1, "delete", "x")) == Outcome()
    assert store.get("x") is None


# --- reads, thesis 6.4


def test_6_4_a_read_waits_until_a_majority_has_confirmed_the_leader() -> None:
    leader = in_charge()
    out = told(leader, "c0", Read(5, "x"))
    assert out.sent(Answer) == []
    assert out.sent(AppendEntries) == [("n2", AppendEntries(1, 1, 1, (), 1, 1))]
    assert told(leader, "n2", Appended(1, True, 1, 1)).sent(Answer) == [("c0", Answer(5))]


def test_6_4_an_answer_from_before_the_read_confirms_nothing() -> None:
    leader = in_charge()
    told(leader, "c0", Read(5, "x"))
    assert told(leader, "n3", Appended(1, True, 1, 0)).sent(Answer) == []


def test_6_4_a_refusal_of_entries_confirms_the_leader_all_the_same() -> None:
    leader = in_charge()
    told(leader, "c0", Read(5, "x"))
    assert told(leader, "n3", Appended(1, False, 0, 1)).sent(Answer) == [("c0", Answer(5))]


def test_6_4_a_new_leader_answers_no_read_before_its_no_op_is_committed() -> None:
    leader = elected(stored=log_of(1))
    told(leader, "c0", Read(5, "x"))
    assert told(leader, "n3", Appended(2, False, 0, 1)).sent(Answer) == []
    assert told(leader, "n3", Appended(2, True, 2, 1)).sent(Answer) == [("c0", Answer(5, 1))]


def test_6_4_a_deposed_leader_answers_no_read() -> None:
    leader = in_charge()
    told(leader, "c0", Read(5, "x"))
    told(leader, "n2", Appended(9, False, 0, 1))
    assert list(leader.reads) == []


def test_6_4_a_read_that_came_while_a_message_was_under_way_starts_a_round_of_its_own() -> None:
    leader = elected()
    told(leader, "c0", Read(5, "x"))
    out = told(leader, "n2", Appended(1, True, 1, 0))
    assert [message.round for _, message in out.sent(AppendEntries) if isinstance(message, AppendEntries)] == [1]


def test_a_cluster_of_one_answers_at_once() -> None:
    alone, out = started(nodes=1), RecordingOutbox()
    timed_out(alone, "election")
    alone.on_message("c0", Write(1, "put", "x", 7), out)
    alone.on_message("c0", Read(2, "x"), out)
    assert out.sent(Answer) == [("c0", Answer(1)), ("c0", Answer(2, 7))]
