"""Whoever changes the members of a cluster (thesis, chapter 4)."""

from __future__ import annotations

from ...node import ClientOutbox, Error, NodeId, Reply, Request
from ..messages import Answer
from ..seeker import LeaderSeeker
from .messages import Change


class RaftOperator(LeaderSeeker):
    """Actions: join, leave (argument: a node). `ok` when the change is committed, or had been before.

    While the leader has another change under way it asks again. A change that can never be made ends `fail`.
    """

    def first_request(self) -> Request:
        """The change."""
        return Change(self.next_id(), self.invocation.action, str(self.invocation.argument))

    def on_reply(self, sender: NodeId, message: Reply, out: ClientOutbox) -> None:
        """Ask again, or end the operation."""
        match message:
            case Answer():
                self.end(out)
                self.turn_to(sender)
                out.complete("ok")
            case Error(code=Error.TEMPORARILY_UNAVAILABLE):
                self.pause(out)
            case _:
                self.end(out)
                out.complete("fail", getattr(message, "text", None))
