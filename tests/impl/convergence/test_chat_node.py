"""One node of the chat at a time: what it waits for, what it repeats, and what it remembers after a crash."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from upheld.impl.convergence.chat.messages import ChatMessage, GetMessages, Messages, Replicate, Send, Sent, Summary
from upheld.impl.convergence.chat.reference import ChatNode
from upheld.impl.node import Context, RecordingOutbox

SETTINGS = {"anti_entropy_ns": 100, "waiting_max": 2, "batch_max": 3}


def node(name: str = "n1", stored: dict[Any, Any] | None = None) -> ChatNode:
    clock: Any = SimpleNamespace(wall_ns=lambda: 7, monotonic_ns=lambda: 7)
    dice: Any = SimpleNamespace(below=lambda n: 0)
    return ChatNode(
        Context(id=name, peers=("n1", "n2", "n3"), clock=clock, dice=dice, stored=stored or {}, settings=SETTINGS)
    )


def message(sender: str, number: int, **seen: int) -> ChatMessage:
    clock = tuple(sorted({**seen, sender: number}.items()))
    return ChatMessage(
        id=f"{sender}/{number}", text=f"{sender} says {number}", sender=sender, timestamp_ns=1, clock=clock
    )


def shown(chat: ChatNode) -> list[str]:
    return [each.id for each in chat.shown]


def test_a_post_is_on_the_disk_before_it_is_told_to_anybody() -> None:
    out = RecordingOutbox()
    node().on_message("c0", Send(msg_id=1, text="hello"), out)
    names = [effect.name for effect in out.effects]
    assert names.index("store") < names.index("sync") < names.index("note") < names.index("send")
    assert [to for to, _ in out.sent(Replicate)] == ["n2", "n3"]
    assert out.sent(Sent) == [("c0", Sent(1, "n1/1"))]


def test_a_request_that_comes_again_is_answered_again_and_posts_nothing() -> None:
    chat, out = node(), RecordingOutbox()
    chat.on_message("c0", Send(msg_id=1, text="hello"), out)
    chat.on_message("c0", Send(msg_id=1, text="hello"), out)
    assert shown(chat) == ["n1/1"]
    assert out.sent(Sent) == [("c0", Sent(1, "n1/1"))] * 2


def test_an_answer_that_overtakes_its_question_waits_for_it() -> None:
    chat, out = node(), RecordingOutbox()
    chat.on_message("n3", Replicate((message("n3", 1, n2=1),)), out)
    assert shown(chat) == []
    chat.on_message("n2", Replicate((message("n2", 1),)), out)
    assert shown(chat) == ["n2/1", "n3/1"]


def test_a_copy_is_shown_once() -> None:
    chat = node()
    for _ in range(2):
        chat.on_message("n2", Replicate((message("n2", 1),)), RecordingOutbox())
    assert shown(chat) == ["n2/1"]


def test_no_more_messages_wait_than_there_is_room_for() -> None:
    chat = node()
    for number in (2, 3, 4, 5):
        chat.on_message("n2", Replicate((message("n2", number),)), RecordingOutbox())
    assert list(chat.waiting) == ["n2/2", "n2/3"]


def test_a_summary_is_answered_with_what_the_other_lacks_a_batch_at_a_time() -> None:
    chat, out = node(), RecordingOutbox()
    chat.on_message("n2", Replicate(tuple(message("n2", number) for number in (1, 2, 3, 4, 5))), RecordingOutbox())
    chat.on_message("n3", Summary((("n2", 1),)), out)
    assert out.sent(Replicate) == [("n3", Replicate(tuple(message("n2", number) for number in (2, 3, 4))))]


def test_nobody_is_answered_who_lacks_nothing() -> None:
    chat, out = node(), RecordingOutbox()
    chat.on_message("n2", Replicate((message("n2", 1),)), RecordingOutbox())
    chat.on_message("n3", Summary((("n2", 1),)), out)
    assert out.effects == []


def test_each_period_the_next_node_in_turn_is_told_what_there_is() -> None:
    chat, out = node(), RecordingOutbox()
    for _ in range(3):
        chat.on_timer("anti-entropy", out)
    assert [to for to, _ in out.sent(Summary)] == ["n2", "n3", "n2"]


@pytest.mark.parametrize("posts", [0, 1, 3])
def test_what_was_synced_is_there_after_a_crash(posts: int) -> None:
    before, out = node(), RecordingOutbox()
    for number in range(1, posts + 1):
        before.on_message("c0", Send(msg_id=number, text=f"post {number}"), out)
    stored = {effect.arguments[0]: effect.arguments[1] for effect in out.effects if effect.name == "store"}
    after = node(stored=stored)
    after.on_start(RecordingOutbox())
    assert (after.shown, after.clock, after.sent) == (before.shown, before.clock, before.sent)


def test_a_reader_gets_everything_that_is_shown() -> None:
    chat, out = node(), RecordingOutbox()
    chat.on_message("n2", Replicate((message("n2", 1),)), RecordingOutbox())
    chat.on_message("c0", GetMessages(msg_id=4), out)
    assert out.sent(Messages) == [("c0", Messages(4, (message("n2", 1),)))]
