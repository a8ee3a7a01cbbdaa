"""The client finds the leader, asks until it is answered, and says honestly how an operation ended."""

from __future__ import annotations

from importlib import import_module

from upheld.impl.consensus.client import StoreClient
from upheld.impl.consensus.messages import EXPIRED, Answer, NotLeader, Open, Opened, Read, SessionExpired, Write
from upheld.impl.node import Effect, Error, Invocation, Message, NodeId, RecordingOutbox

bench = import_module("raft_bench")
context = bench.context


def asked(action: str, key: str = "x", argument: int | None = None, node: NodeId = "") -> StoreClient:
    """A client with an open session that has just begun an operation, under msg_id 1."""
    client = StoreClient(context("c0"))
    client.since = 0
    client.on_invoke(Invocation(action, key, argument, node), RecordingOutbox())
    return client


def told(client: StoreClient, sender: NodeId, *messages: Message) -> RecordingOutbox:
    out = RecordingOutbox()
    for message in messages:
        client.on_message(sender, message, out)
    return out


def endings(out: RecordingOutbox) -> list[tuple[object, ...]]:
    return [effect.arguments for effect in out.effects if effect.name == "complete"]


def not_leader(msg_id: int, leader: NodeId | None) -> NotLeader:
    return NotLeader(msg_id, 11, "not leader", leader)


def silence(client: StoreClient) -> RecordingOutbox:
    out = RecordingOutbox()
    client.on_timer("silence", out)
    return out


def test_a_read_needs_no_session() -> None:
    client, out = StoreClient(context("c0")), RecordingOutbox()
    client.on_invoke(Invocation("get", "x", node="n2"), out)
    assert out.sent(Message) == [("n2", Read(1, "x"))]


def test_a_new_client_opens_a_session_before_its_first_write() -> None:
    client, out = StoreClient(context("c0")), RecordingOutbox()
    client.on_invoke(Invocation("put", "x", 7, "n2"), out)
    assert out.sent(Message) == [("n2", Open(1))]
    assert told(client, "n2", Opened(1, 17)).sent(Message) == [("n2", Write(2, "put", "x", 7, 17))]


def test_an_answer_ends_the_operation() -> None:
    client = asked("get")
    assert endings(told(client, "n1", Answer(1, 7))) == [("ok", 7)]


def test_the_next_operation_begins_where_the_last_one_was_answered() -> None:
    client, out = asked("get", node="n1"), RecordingOutbox()
    told(client, "n3", Answer(1, 7))
    client.on_invoke(Invocation("get", "x"), out)
    assert out.sent(Message) == [("n3", Read(2, "x"))]


def test_a_hint_is_followed_with_the_same_msg_id() -> None:
    client = asked("put", argument=7, node="n1")
    assert told(client, "n1", not_leader(1, "n3")).sent(Message) == [("n3", Write(1, "put", "x", 7))]


def test_a_hint_may_name_a_node_that_joined_later_and_it_is_remembered() -> None:
    client = asked("get", node="n1")
    assert told(client, "n1", not_leader(1, "n9")).sent(Message) == [("n9", Read(1, "x"))]
    assert [to for _ in range(4) for to, _ in silence(client).sent(Message)] == ["n1", "n2", "n3", "n9"]


def test_a_silent_node_is_given_up_for_the_next_with_the_same_msg_id() -> None:
    client = asked("put", argument=7, node="n3")
    assert silence(client).sent(Message) == [("n1", Write(1, "put", "x", 7))]


def test_without_a_hint_it_pauses_before_it_asks_the_next() -> None:
    client, out = asked("get", node="n1"), RecordingOutbox()
    paused = told(client, "n1", not_leader(1, None))
    assert paused.effects == [Effect("cancel_timer", ("silence",)), Effect("set_timer", ("pause", 50))]
    client.on_timer("pause", out)
    assert out.sent(Message) == [("n2", Read(1, "x"))]


def test_nodes_that_name_each_other_do_not_keep_it_running() -> None:
    client = asked("get", node="n1")
    sent = 0
    for _ in range(10):
        node, other = client.target, "n2" if client.target == "n1" else "n1"
        sent += len(told(client, node, not_leader(1, other)).sent(Message))
    assert sent == 3


def test_a_refusal_from_a_node_that_was_given_up_is_no_news() -> None:
    client = asked("get", node="n1")
    silence(client)
    assert told(client, "n1", not_leader(1, "n3")).effects == []


def test_an_answer_to_an_earlier_request_is_no_news() -> None:
    client, out = asked("get"), RecordingOutbox()
    told(client, "n1", Answer(1, 7))
    assert told(client, "n1", Answer(1, 7)).effects == []
    client.on_invoke(Invocation("get", "x"), out)
    assert told(client, "n1", Answer(1, 7)).effects == []


def test_an_expired_session_leaves_it_open_whether_the_command_was_executed() -> None:
    client, out = asked("put", argument=7), RecordingOutbox()
    assert endings(told(client, "n1", SessionExpired(1, EXPIRED, "session expired"))) == [("info", "session expired")]
    client.on_invoke(Invocation("put", "x", 8), out)
    assert [type(message) for _, message in out.sent(Message)] == [Open]


def test_a_request_that_nobody_understands_fails() -> None:
    client = asked("increment")
    assert endings(told(client, "n1", Error(1, Error.NOT_SUPPORTED, "no"))) == [("fail", "no")]


def test_uncertainty_is_sticky() -> None:
    client = asked("increment")
    silence(client)
    assert endings(told(client, "n2", Error(1, Error.NOT_SUPPORTED, "no"))) == [("info", "no")]


def test_a_read_that_was_repeated_is_certain_all_the_same() -> None:
    client = asked("get")
    silence(client)
    assert endings(told(client, "n2", Error(1, Error.NOT_SUPPORTED, "no"))) == [("fail", "no")]
