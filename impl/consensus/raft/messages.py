"""What the nodes of a Raft cluster say to each other, and what they keep on disk.

The paper is Ongaro and Ousterhout, "In Search of an Understandable Consensus Algorithm (Extended Version)", figure 2; the
thesis is Ongaro, "Consensus: Bridging Theory and Practice".
"""

from __future__ import annotations

from ...node import Message
from ..messages import Command, Told


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
