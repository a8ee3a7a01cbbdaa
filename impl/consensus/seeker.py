"""What clients and operators share: they find the leader, and ask until they are answered (§8; thesis, 6.2)."""

from __future__ import annotations

from abc import ABC, abstractmethod

from ..node import ClientOutbox, Context, Invocation, Message, NodeId, Reply, Request
from .messages import NotLeader


class LeaderSeeker(ABC):
    """It repeats a request under the same `msg_id`, so that the cluster executes it once, and it never gives up.

    Settings: `retry_ns`, after which a silent node is given up for the next; `heartbeat_ns`, the pause after a refusal
    that named no leader.
    """

    def __init__(self, context: Context) -> None:
        self.nodes = list(context.peers)
        self.retry_ns: int = context.settings["retry_ns"]
        self.pause_ns: int = context.settings["heartbeat_ns"]
        self.target = context.dice.choice(self.nodes)
        self.msg_id = 0
        self.invocation = Invocation("")
        self.request: Request | None = None
        self.hints_left = 0

    def on_invoke(self, invocation: Invocation, out: ClientOutbox) -> None:
        """Begin with the node that was asked for, else with the one that answered last."""
        self.invocation = invocation
        self.turn_to(invocation.node or self.target)
        self.ask(self.first_request(), out)

    @abstractmethod
    def first_request(self) -> Request:
        """What an operation begins with; under `next_id()`."""

    def next_id(self) -> int:
        """A number for a new request."""
        self.msg_id += 1
        return self.msg_id

    def ask(self, request: Request, out: ClientOutbox) -> None:
        """A new request."""
        self.request = request
        self.hints_left = len(self.nodes)
        self.send(out)

    def send(self, out: ClientOutbox) -> None:
        """Send the request, or send it again, and wait."""
        assert self.request is not None
        out.send(self.target, self.request)
        out.set_timer("silence", self.retry_ns)

    def turn_to(self, node: NodeId) -> None:
        """Ask this one; a node that is named may have joined after the client began (thesis, 6.1)."""
        if node not in self.nodes:
            self.nodes.append(node)
        self.target = node

    def turn_to_next(self) -> None:
        """Another node may know more."""
        self.target = self.nodes[(self.nodes.index(self.target) + 1) % len(self.nodes)]

    def pause(self, out: ClientOutbox) -> None:
        """Give the cluster time to get its leader."""
        out.cancel_timer("silence")
        out.set_timer("pause", self.pause_ns)

    # --- waiting

    def on_timer(self, name: str, out: ClientOutbox) -> None:
        """The node was silent, or a pause is over: try the next one."""
        if self.request is None:
            return
        if name == "silence":
            self.was_silent(self.request)
        self.turn_to_next()
        self.hints_left = len(self.nodes)
        self.send(out)

    def was_silent(self, request: Request) -> None:  # noqa: B027  # most have nothing to do then
        """Nobody has answered this request."""

    def on_message(self, sender: NodeId, message: Message, out: ClientOutbox) -> None:
        """Take the answer to the request that is open, whoever sends it; refusals count only from whom it was sent to."""
        if self.request is None or not isinstance(message, Reply) or message.in_reply_to != self.msg_id:
            return
        if not isinstance(message, NotLeader):
            self.on_reply(sender, message, out)
        elif sender == self.target:
            self.follow_hint(message.leader, out)

    def follow_hint(self, leader: NodeId | None, out: ClientOutbox) -> None:
        """§8: turn to the leader that was named; after too many hints, or none, pause."""
        if leader is None or leader == self.target or not self.hints_left:
            self.pause(out)
            return
        self.hints_left -= 1
        self.turn_to(leader)
        self.send(out)

    @abstractmethod
    def on_reply(self, sender: NodeId, message: Reply, out: ClientOutbox) -> None:
        """What the request has come to."""

    def end(self, out: ClientOutbox) -> None:
        """Wait for nothing more."""
        self.request = None
        out.cancel_timer("silence")
        out.cancel_timer("pause")
