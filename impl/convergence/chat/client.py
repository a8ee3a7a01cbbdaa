"""The client of the chat: one person at one node."""

from __future__ import annotations

from ...node import ClientOutbox, Context, Error, Invocation, Message, NodeId, Reply, Request
from .messages import GetMessages, Messages, Send, Sent


class ChatClient:
    """Actions: send (argument: a text), reply (likewise, to the last message that was read), read (result: all texts).

    It stays with its node: the one that the first operation names, else one that its dice choose. It repeats a request
    under the same `msg_id` until it is answered; with `retry_ns` 0, never. A refusal ends an operation `fail` only when it
    answers the one attempt that there was.
    """

    def __init__(self, context: Context) -> None:
        self.nodes = context.peers
        self.dice = context.dice
        self.retry_ns: int = context.settings["retry_ns"]
        self.home: NodeId = ""
        self.msg_id = 0
        self.request: Request | None = None
        self.attempts = 0
        self.read_last: str | None = None

    def on_invoke(self, invocation: Invocation, out: ClientOutbox) -> None:
        """Ask the home node."""
        self.home = invocation.node or self.home or self.dice.choice(self.nodes)
        self.msg_id += 1
        self.attempts = 0
        self.request = self.request_for(invocation)
        if self.request is None:
            out.complete("fail", f"a chat has no {invocation.action}")
            return
        self.attempt(self.request, out)

    def request_for(self, invocation: Invocation) -> Request | None:
        """The request that the action means, if it means one."""
        match invocation.action, invocation.argument:
            case "send", str(text):
                return Send(self.msg_id, text)
            case "reply", str(text):
                return Send(self.msg_id, text, self.read_last)
            case "read", _:
                return GetMessages(self.msg_id)
        return None

    def attempt(self, request: Request, out: ClientOutbox) -> None:
        """Send the request, perhaps again."""
        self.attempts += 1
        out.send(self.home, request)
        if self.retry_ns:
            out.set_timer("retry", self.retry_ns)

    def on_timer(self, name: str, out: ClientOutbox) -> None:  # noqa: ARG002  # there is only one
        """No answer so far."""
        if self.request is not None:
            self.attempt(self.request, out)

    def on_message(self, sender: NodeId, message: Message, out: ClientOutbox) -> None:  # noqa: ARG002  # it asks only one node
        """Take the answer to the request that is open."""
        if self.request is None or not isinstance(message, Reply) or message.in_reply_to != self.msg_id:
            return
        self.request = None
        out.cancel_timer("retry")
        match message:
            case Sent():
                out.complete("ok")
            case Messages(messages=messages):
                self.read_last = messages[-1].id if messages else None
                out.complete("ok", tuple(message.text for message in messages))
            case Error() if message.definite and self.attempts == 1:
                out.complete("fail", message.text)
            case _:
                out.complete("info", getattr(message, "text", None))
