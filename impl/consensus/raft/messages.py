"""What the nodes of a Raft cluster say to each other, and what they keep on disk.

The paper is Ongaro and Ousterhout, "In Search of an Understandable Consensus Algorithm (Extended Version)", figure 2; the
thesis is Ongaro, "Consensus: Bridging Theory and Practice".
"""

from __future__ import annotations

from ...node import Message, NodeId, Request
from ..messages import Command, StoreImage, Told


class Entry(Message, frozen=True):
    """A log entry: the term in which a leader received it, and the command.

    Without a command it is a leader's no-op (§8), or, with `members`, the configuration that holds from here on (thesis,
    4.1).
    """

    term: int
    command: Command | None = None
    members: tuple[NodeId, ...] | None = None

    @property
    def told(self) -> Told:
        """What notes say of its command."""
        return None if self.command is None else self.command.told


class Ballot(Message, frozen=True):
    """What a node has on disk about elections: its term, and whom it voted for in it.

    Ballots are numbered, and written to two places in turn, so that a torn write leaves the one before.
    """

    number: int
    term: int
    voted: NodeId | None


class Snapshot(Message, frozen=True):
    """What stands for the log up to and including `index`, whose entry is of `term` (§7; thesis, 5.1).

    The configuration that holds there comes from the entry at `members_index`; 0: the cluster was set up with it.
    """

    index: int
    term: int
    members_index: int
    members: tuple[NodeId, ...]
    image: StoreImage = StoreImage()


class RequestPreVote(Message, frozen=True):
    """The sender asks who would vote for it, if it stood for election in this term (thesis, 9.6)."""

    term: int
    last_log_index: int
    last_log_term: int


class PreVote(Message, frozen=True):
    """The answer to the `RequestPreVote` for the term `asked`; `term` is the voter's own."""

    term: int
    asked: int
    granted: bool


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


class InstallSnapshot(Message, frozen=True):
    """A leader, the sender, sends what stands for entries that it no longer has (§7); answered with `Appended`."""

    term: int
    snapshot: Snapshot
    round: int


class Change(Request, frozen=True):
    """An operator asks for a node to become a member (`join`), or to be one no longer (`leave`; thesis, 4.1)."""

    action: str
    node: NodeId
