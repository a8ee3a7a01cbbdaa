"""The client of a cluster that decides one value."""

from __future__ import annotations

from ...node import ClientOutbox, Context, Invocation, Message, NodeId, Request
from ..messages import Answer
from .messages import Learn, Propose


class PaxosClient:
    """Actions: propose (argument: a value), learn. Both end `ok` with the value that was chosen; learn, perhaps, with null.

    It asks one node after the other, under the same `msg_id`, until one answers. A value may be proposed at several nodes:
    it is chosen once.

    Settings: `retry_ns`, after which a silent node is given up for the next.
    """

    def __init__(self, context: Context) -> None:
        self.nodes = context.peers
        self.retry_ns: int = context.settings["retry_ns"]
        self.target = context.dice.choice(self.nodes)
        self.msg_id = 0
        self.request: Request | None = None

    def on_invoke(self, invocation: Invocation, out: ClientOutbox) -> None:
        """Begin with the node that was asked for, else with the one that was asked last."""
        self.msg_id += 1
        self.target = invocation.node or self.target
        is_proposal = invocation.action == "propose"
        self.request = Propose(self.msg_id, invocation.argument) if is_proposal else Learn(self.msg_id)
        self.send(out)

    def send(self, out: ClientOutbox) -> None:
        """Ask, and wait."""
        assert self.request is not None
        out.send(self.target, self.request)
        out.set_timer("silence", self.retry_ns)

    def on_timer(self, name: str, out: ClientOutbox) -> None:  # noqa: ARG002  # there is only one
        """The node was silent: try the next one."""
        if self.request is not None:
            self.target = self.nodes[(self.nodes.index(self.target) + 1) % len(self.nodes)]
            self.send(out)

    def on_message(self, sender: NodeId, message: Message, out: ClientOutbox) -> None:  # noqa: ARG002  # anybody may answer
        """Take the answer to the request that is open."""
        if self.request is not None and isinstance(message, Answer) and message.in_reply_to == self.msg_id:
            self.request = None
            out.cancel_timer("silence")
            out.complete("ok", message.result)
