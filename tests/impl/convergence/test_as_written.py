"""The guide's chat as it is written: what its code does, step by step, and what it does not."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

from upheld.impl.convergence.chat.as_written import ChatNode
from upheld.impl.convergence.chat.messages import ChatMessage, GetMessages, Messages, Replicate, Send, Sent
from upheld.impl.node import Context, RecordingOutbox


def node(name: str = "n1") -> ChatNode:
    clock: Any = SimpleNamespace(wall_ns=lambda: 7, monotonic_ns=lambda: 7)
    dice: Any = SimpleNamespace(below=lambda n: 0)
    return ChatNode(Context(id=name, peers=("n1", "n2", "n3"), clock=clock, dice=dice))


def message(name: str, sender: str, **clock: int) -> ChatMessage:
    return ChatMessage(id=name, text=name, sender=sender, timestamp_ns=1, clock=tuple(sorted(clock.items())))


def sent_by_its_goroutines(chat: ChatNode, out: RecordingOutbox) -> RecordingOutbox:
    """Let every spawned task begin, in the order of spawning."""
    effects = RecordingOutbox()
    names = [effect.arguments[0] for effect in out.effects if effect.name == "set_timer"]
    for name in names:
        began = len(effects.effects)
        chat.on_timer(name, effects)
        names += [effect.arguments[0] for effect in effects.effects[began:] if effect.name == "set_timer"]
    return effects


def test_send_message_counts_appends_and_answers_before_anything_is_replicated() -> None:
    chat, out = node(), RecordingOutbox()
    chat.on_message("c0", Send(msg_id=3, text="hello"), out)
    (posted,) = chat.messages
    assert (posted.text, posted.sender, posted.clock, posted.timestamp_ns) == ("hello", "n1", (("n1", 1),), 7)
    assert out.sent(Sent) == [("c0", Sent(3, posted.id))]
    assert out.sent(Replicate) == []


def test_it_knows_no_replies() -> None:
    chat = node()
    chat.on_message("c0", Send(msg_id=1, text="yes", reply_to="n2-1"), RecordingOutbox())
    assert chat.messages[0].reply_to is None


def test_replicate_message_sends_one_copy_to_each_other_node_and_never_again() -> None:
    chat, out = node(), RecordingOutbox()
    chat.on_message("c0", Send(msg_id=1, text="hello"), out)
    effects = sent_by_its_goroutines(chat, out)
    assert [to for to, _ in effects.sent(Replicate)] == ["n2", "n3"]
    assert [effect.name for effect in effects.effects if effect.name != "send"] == ["set_timer", "set_timer"]


def test_each_message_goes_its_own_way() -> None:
    chat, out = node(), RecordingOutbox()
    chat.on_message("c0", Send(msg_id=1, text="first"), out)
    chat.on_message("c0", Send(msg_id=2, text="second"), out)
    first, second = (effect.arguments[0] for effect in out.effects if effect.name == "set_timer")
    effects = RecordingOutbox()
    chat.on_timer(second, effects)
    chat.on_timer(first, effects)
    copies = sent_by_its_goroutines(chat, effects).sent(Replicate)
    assert [copy.messages[0].text for _, copy in copies if isinstance(copy, Replicate)] == ["second"] * 2 + [
        "first"
    ] * 2


def test_a_replica_is_appended_on_arrival_whatever_it_depends_on() -> None:
    chat = node()
    chat.on_message("n2", Replicate((message("answer", "n2", n2=1, n3=1),)), RecordingOutbox())
    chat.on_message("n3", Replicate((message("question", "n3", n3=1),)), RecordingOutbox())
    assert [each.id for each in chat.messages] == ["answer", "question"]


def test_the_clock_takes_the_greater_number_of_each_node() -> None:
    chat = node()
    chat.on_message("n2", Replicate((message("a", "n2", n2=5, n3=1),)), RecordingOutbox())
    chat.on_message("n3", Replicate((message("b", "n3", n2=2, n3=4),)), RecordingOutbox())
    assert chat.vector_clock == {"n2": 5, "n3": 4}


def test_a_copy_is_appended_again() -> None:
    chat = node()
    for _ in range(2):
        chat.on_message("n2", Replicate((message("a", "n2", n2=1),)), RecordingOutbox())
    assert [each.id for each in chat.messages] == ["a", "a"]


def test_nothing_is_stored() -> None:
    chat, out = node(), RecordingOutbox()
    chat.on_message("c0", Send(msg_id=1, text="hello"), out)
    chat.on_message("n2", Replicate((message("a", "n2", n2=1),)), out)
    assert {effect.name for effect in out.effects} == {"note", "set_timer", "send"}


def test_get_messages_answers_with_a_copy_in_the_order_of_appending() -> None:
    chat, out = node(), RecordingOutbox()
    chat.on_message("n2", Replicate((message("a", "n2", n2=1),)), RecordingOutbox())
    chat.on_message("c0", GetMessages(msg_id=9), out)
    chat.on_message("n2", Replicate((message("b", "n2", n2=2),)), RecordingOutbox())
    assert out.sent(Messages) == [("c0", Messages(9, (message("a", "n2", n2=1),)))]
