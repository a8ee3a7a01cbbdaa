"""What clients and nodes of a replicated store say to each other, and the commands that stand in its log.

The thesis is Ongaro, "Consensus: Bridging Theory and Practice".
"""

from __future__ import annotations

from typing import Final, TypeAlias

from ..node import Error, Message, NodeId, Reply, Request, Value

Told: TypeAlias = "tuple[str, Value, Value] | None"

EXPIRED: Final = 1001
"""The code of `SessionExpired`: beyond Maelstrom's own, and not definite."""


class Command(Message, frozen=True):
    """A write, as it stands in the log: whose it is, and what it does to the store.

    `since` is a commit index from before the client's first command; it tells a new client from one whose session has
    expired.
    """

    client: NodeId
    msg_id: int
    action: str
    key: Value = None
    argument: Value = None
    since: int = 0

    @property
    def told(self) -> Told:
        """What notes say of it."""
        return (self.action, self.key, self.argument)


class StoreImage(Message, frozen=True):
    """The state of the store with its sessions; each as (client, msg_id, log index, result), the idlest one first."""

    data: tuple[tuple[Value, Value], ...] = ()
    sessions: tuple[tuple[NodeId, int, int, Value], ...] = ()
    forgotten_index: int = 0


class Open(Request, frozen=True):
    """A client asks for what its commands must carry as `since`; any node can tell."""


class Opened(Reply, frozen=True):
    """The answer to `Open`: the commit index as far as the node knows."""

    since: int


class Read(Request, frozen=True):
    """A client asks for the value of a key."""

    key: Value = None


class Write(Request, frozen=True):
    """A client asks for a command to be executed once."""

    action: str
    key: Value = None
    argument: Value = None
    since: int = 0


class Answer(Reply, frozen=True):
    """What came of the request."""

    result: Value = None


class NotLeader(Error, frozen=True):
    """Only the leader serves clients (§8); `leader` is who that is, if the node knows."""

    leader: NodeId | None = None


class SessionExpired(Error, frozen=True):
    """The client's session may have been forgotten, and with it whether the command has been executed (thesis, 6.3)."""
