"""The client of the chat: where it turns to, what it repeats, and how its operations end."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from upheld.impl.convergence.chat.client import ChatClient
from upheld.impl.convergence.chat.messages import ChatMessage, GetMessages, Messages, Send, Sent
from upheld.impl.node import Context, Effect, Error, Invocation, RecordingOutbox, Reply


def client(retry_ns: int = 100) -> ChatClient:
    clock: Any = SimpleNamespace(wall_ns=lambda: 0, monotonic_ns=lambda: 0)
    dice: Any = SimpleNamespace(choice=lambda options: options[-1])
    settings = {"retry_ns": retry_ns}
    return ChatClient(Context(id="c0", peers=("n1", "n2"), clock=clock, dice=dice, settings=settings))


def invoke(chat: ChatClient, action: str, argument: Any = None, *, node: str = "") -> RecordingOutbox:
    out = RecordingOutbox()
    chat.on_invoke(Invocation(action=action, argument=argument, node=node), out)
    return out


def answer(chat: ChatClient, reply: Reply) -> list[Effect]:
    out = RecordingOutbox()
    chat.on_message("n1", reply, out)
    return [effect for effect in out.effects if effect.name == "complete"]


def message(name: str) -> ChatMessage:
    return ChatMessage(id=name, text=f"text of {name}", sender="n1", timestamp_ns=0, clock=(("n1", 1),))


def test_it_stays_with_the_node_that_was_named_first() -> None:
    chat = client()
    assert invoke(chat, "read", node="n1").sent(GetMessages) == [("n1", GetMessages(1))]
    answer(chat, Messages(1, ()))
    assert invoke(chat, "read").sent(GetMessages) == [("n1", GetMessages(2))]


def test_when_nobody_names_a_node_its_dice_do() -> None:
    assert [to for to, _ in invoke(client(), "read").sent(GetMessages)] == ["n2"]


def test_a_send_ends_when_it_is_acknowledged() -> None:
    chat = client()
    assert invoke(chat, "send", "hello", node="n1").sent(Send) == [("n1", Send(1, "hello"))]
    assert answer(chat, Sent(1, "n1/1")) == [Effect("complete", ("ok", None))]


def test_a_read_ends_with_all_texts_in_their_order() -> None:
    chat = client()
    invoke(chat, "read", node="n1")
    assert answer(chat, Messages(1, (message("a"), message("b")))) == [
        Effect("complete", ("ok", ("text of a", "text of b")))
    ]


def test_a_reply_answers_the_last_message_that_was_read() -> None:
    chat = client()
    assert invoke(chat, "reply", "to nobody", node="n1").sent(Send) == [("n1", Send(1, "to nobody", None))]
    answer(chat, Sent(1, "n1/1"))
    invoke(chat, "read")
    answer(chat, Messages(2, (message("a"), message("b"))))
    assert invoke(chat, "reply", "yes").sent(Send) == [("n1", Send(3, "yes", "b"))]


def test_a_request_is_repeated_under_its_number_until_it_is_answered() -> None:
    chat = client()
    assert Effect("set_timer", ("retry", 100)) in invoke(chat, "send", "hello", node="n1").effects
    out = RecordingOutbox()
    chat.on_timer("retry", out)
    assert out.effects == [Effect("send", ("n1", Send(1, "hello"))), Effect("set_timer", ("retry", 100))]
    answer(chat, Sent(1, "n1/1"))
    silent = RecordingOutbox()
    chat.on_timer("retry", silent)
    assert silent.effects == []


def test_without_a_retry_period_it_asks_once() -> None:
    assert [effect.name for effect in invoke(client(0), "send", "hello", node="n1").effects] == ["send"]


@pytest.mark.parametrize("reply", [Sent(7, "n1/1"), Error(7, Error.ABORT)])
def test_an_answer_to_another_request_ends_nothing(reply: Reply) -> None:
    chat = client()
    invoke(chat, "send", "hello", node="n1")
    assert answer(chat, reply) == []


def test_a_second_answer_ends_nothing() -> None:
    chat = client()
    invoke(chat, "send", "hello", node="n1")
    answer(chat, Sent(1, "n1/1"))
    assert answer(chat, Sent(1, "n1/1")) == []


@pytest.mark.parametrize(
    ("error", "outcome"),
    [
        (Error(1, Error.NOT_SUPPORTED, "no"), ("fail", "no")),
        (Error(1, Error.CRASH, "oh"), ("info", "oh")),
    ],
    ids=["definite", "not definite"],
)
def test_an_error_ends_the_operation_as_far_as_anybody_knows(error: Error, outcome: tuple[str, ...]) -> None:
    chat = client()
    invoke(chat, "send", "hello", node="n1")
    assert answer(chat, error) == [Effect("complete", outcome)]


def test_a_refusal_after_a_repeated_request_leaves_it_open() -> None:
    chat = client()
    invoke(chat, "send", "hello", node="n1")
    chat.on_timer("retry", RecordingOutbox())
    assert answer(chat, Error(1, Error.ABORT, "no")) == [Effect("complete", ("info", "no"))]


@pytest.mark.parametrize(("action", "argument"), [("shout", "hello"), ("send", 7), ("reply", None)])
def test_what_a_chat_does_not_have_fails(action: str, argument: Any) -> None:
    (end,) = invoke(client(), action, argument).effects
    assert end.arguments[0] == "fail"
