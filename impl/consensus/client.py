"""The client of the replicated store (§8; thesis, chapter 6)."""

from __future__ import annotations

from ..node import ClientOutbox, Context, Error, Invocation, NodeId, Reply, Request
from .messages import Answer, Open, Opened, Read, SessionExpired, Write
from .seeker import LeaderSeeker


class StoreClient(LeaderSeeker):
    """Actions: get, put, delete, cas (argument: what is expected, and what replaces it).

    An operation ends `ok` with its answer, and `info` when the cluster no longer knows whether it has executed it. It
    ends `fail` only for a request that no node understands, and not even then when an earlier attempt was left open.
    """

    def __init__(self, context: Context) -> None:
        super().__init__(context)
        self.since: int | None = None
        self.is_uncertain = False

    def on_invoke(self, invocation: Invocation, out: ClientOutbox) -> None:
        """Begin an operation."""
        self.is_uncertain = False
        super().on_invoke(invocation, out)

    def first_request(self) -> Request:
        """The operation itself, or first what a new client must know (thesis, 6.3)."""
        action, key, argument = self.invocation.action, self.invocation.key, self.invocation.argument
        if action == "get":
            return Read(self.next_id(), key)
        if self.since is None:
            return Open(self.next_id())
        return Write(self.next_id(), action, key, argument, self.since)

    def was_silent(self, request: Request) -> None:
        """A write that nobody has answered may have been executed."""
        self.is_uncertain |= isinstance(request, Write)

    def on_reply(self, sender: NodeId, message: Reply, out: ClientOutbox) -> None:
        """Go on, or end the operation as far as anybody knows."""
        if isinstance(message, Opened):
            self.since = message.since
            self.ask(self.first_request(), out)
            return
        self.end(out)
        match message:
            case Answer():
                self.target = sender
                out.complete("ok", message.result)
            case Error() if message.definite and not self.is_uncertain:
                out.complete("fail", message.text)
            case SessionExpired():
                self.since = None
                out.complete("info", message.text)
            case _:
                out.complete("info", getattr(message, "text", None))
