"""The client of the replicated store: it finds the leader, and asks until it is answered (§8; thesis, chapter 6)."""

from __future__ import annotations

from ..node import ClientOutbox, Context, Error, Invocation, Message, NodeId, Reply, Request
from .messages import Answer, NotLeader, Open, Opened, Read, SessionExpired, Write


class StoreClient:
    """Actions: get, put, delete, cas (argument: what is expected, and what replaces it).

    It repeats a request under the same `msg_id`, so that the cluster executes it once, and it never gives up.
    An operation ends `ok` with its answer, and `info` when the cluster no longer knows whether it has executed it. It
    ends `fail` only for a request that no node understands, and not even then when an earlier attempt was left open.

    Settings: `retry_ns`, after which a silent node is given up for the next; `heartbeat_ns`, the pause after a refusal
    that named no leader.
    """

    def __init__(self, context: Context) -> None:
        self.nodes = context.peers
        self.retry_ns: int = context.settings["retry_ns"]
        self.pause_ns: int = context.settings["heartbeat_ns"]
        self.target = context.dice.choice(self.nodes)
        self.msg_id = 0
        self.since: int | None = None
        self.invocation = Invocation("")
        self.request: Request | None = None
        self.is_uncertain = False
        self.hints_left = 0

    def on_invoke(self, invocation: Invocation, out: ClientOutbox) -> None:
        """Begin with the node that was asked for, else with the one that answered last."""
        self.invocation = invocation
        self.target = invocation.node or self.target
        self.is_uncertain = False
        self.ask(out)

    def ask(self, out: ClientOutbox) -> None:
        """A new request: the operation itself, or first what a new client must know (thesis, 6.3)."""
        self.msg_id += 1
        action, key, argument = self.invocation.action, self.invocation.key, self.invocation.argument
        if action == "get":
            self.request = Read(self.msg_id, key)
        elif self.since is None:
            self.request = Open(self.msg_id)
        else:
            self.request = Write(self.msg_id, action, key, argument, self.since)
        self.hints_left = len(self.nodes)
        self.send(out)

    def send(self, out: ClientOutbox) -> None:
        """Send the request, or send it again, and wait."""
        assert self.request is not None
        out.send(self.target, self.request)
        out.set_timer("silence", self.retry_ns)

    def turn_to_next(self) -> None:
        """Another node may know more."""
        self.target = self.nodes[(self.nodes.index(self.target) + 1) % len(self.nodes)]

    # --- waiting

    def on_timer(self, name: str, out: ClientOutbox) -> None:
        """The node was silent, or a pause is over: try the next one."""
        if self.request is None:
            return
        if name == "silence":
            self.is_uncertain |= isinstance(self.request, Write)
        self.turn_to_next()
        self.hints_left = len(self.nodes)
        self.send(out)

    def on_message(self, sender: NodeId, message: Message, out: ClientOutbox) -> None:
        """Take the answer to the request that is open, whoever sends it; refusals count only from whom it was sent to."""
        if self.request is None or not isinstance(message, Reply) or message.in_reply_to != self.msg_id:
            return
        match message:
            case Opened():
                self.since = message.since
                self.ask(out)
            case Answer():
                self.target = sender
                self.complete(message, out)
            case NotLeader():
                if sender == self.target:
                    self.follow_hint(message.leader, out)
            case _:
                self.complete(message, out)

    def follow_hint(self, leader: NodeId | None, out: ClientOutbox) -> None:
        """§8: turn to the leader that was named; after too many hints, or none, pause."""
        if leader is None or leader == self.target or not self.hints_left:
            out.cancel_timer("silence")
            out.set_timer("pause", self.pause_ns)
            return
        self.hints_left -= 1
        self.target = leader
        self.send(out)

    # --- the end

    def complete(self, message: Reply, out: ClientOutbox) -> None:
        """End the operation as far as anybody knows."""
        self.request = None
        out.cancel_timer("silence")
        out.cancel_timer("pause")
        match message:
            case Answer():
                out.complete("ok", message.result)
            case Error() if message.definite and not self.is_uncertain:
                out.complete("fail", message.text)
            case SessionExpired():
                self.since = None
                out.complete("info", message.text)
            case _:
                out.complete("info", getattr(message, "text", None))
