"""What the nodes of a Raft cluster and their clients say to each other, and what they keep on disk.

The paper is Ongaro and Ousterhout, "In Search of an Understandable Consensus Algorithm (Extended Version)", figure 2; the
thesis is Ongaro, "Consensus: Bridging Theory and Practice".
"""

from __future__ import annotations

from typing import Final, TypeAlias

from ...node import Error, Message, NodeId, Reply, Request, Value

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


class Entry(Message, frozen=True):
    """A log entry: the term in which a leader received it, and the command; None is a leader's no-op (§8)."""

    term: int
    command: Command | None = None

    @property
    def told(self) -> Told:
        """What notes say of its command."""
        return None if self.command is None else self.command.told


class RequestVote(Message, frozen=True):
    """A candidate, the sender, asks for a vote (§5.2), and says how fresh its log is (§5.4.1)."""

    term: int
    last_log_index: int
    last_log_term: int


class Vote(Message, frozen=True):
    """The answer to `RequestVote`."""

    term: int
    granted: bool


class AppendEntries(Message, frozen=True):
    """A leader, the sender, replicates entries, or asserts its leadership with none (§5.2, §5.3).

    `round` numbers the questions 'am I still the leader?' that reads ask (thesis, 6.4).
    """

    term: int
    prev_log_index: int
    prev_log_term: int
    entries: tuple[Entry, ...]
    commit_index: int
    round: int


class Appended(Message, frozen=True):
    """The answer to `AppendEntries`, with its `round`.

    With `success`, the logs agree up to `index`. Without it they may agree up to there, and certainly not further on.
    """

    term: int
    success: bool
    index: int
    round: int


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
    """What came of a `Read` or a `Write`."""

    result: Value = None


class NotLeader(Error, frozen=True):
    """Only the leader serves clients (§8); `leader` is who that is, if the node knows."""

    leader: NodeId | None = None


class SessionExpired(Error, frozen=True):
    """The client's session may have been forgotten, and with it whether the command has been executed (thesis, 6.3)."""
