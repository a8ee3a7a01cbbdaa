"""Raft with one rule broken in each: what a judge of Raft must be able to see."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import ClassVar

from ...node import NodeId, Outbox
from ..machine import KeyValueStore, Outcome, Session
from ..messages import Answer, Command, Read, Write
from .election import LEADER
from .messages import AppendEntries, Entry, RequestVote, Vote
from .reference import Raft, as_command
from .replication import Progress


class VoteNotPersisted(Raft):
    """§5.2 broken: the vote is not on disk, so a node that crashes may vote again in the same term."""

    def persist_vote(self, out: Outbox) -> None:
        """Nothing."""


class VotesTwice(Raft):
    """§5.2 broken: whoever asks for a vote gets it, the second candidate of a term, too."""

    def is_free_for(self, candidate: NodeId) -> bool:  # noqa: ARG002  # the rule is what is missing
        """Always."""
        return True


class CountsAStaleGrant(Raft):
    """§5.1 broken: a vote that was granted for an earlier term counts for this one."""

    def is_current(self, message: Vote) -> bool:  # noqa: ARG002  # the rule is what is missing
        """Always."""
        return True


class NoLogFreshnessCheck(Raft):
    """§5.4.1 broken: a candidate gets votes although its log lacks committed entries."""

    def is_as_fresh(self, message: RequestVote) -> bool:  # noqa: ARG002  # the rule is what is missing
        """Always."""
        return True


class NeverTimesOut(Raft):
    """§5.2 broken: a node with anything in its log waits for a leader for ever."""

    def start_election(self, out: Outbox) -> None:
        """Only in an empty cluster."""
        if len(self.log) == 1:
            super().start_election(out)


class AcceptsStaleLeader(Raft):
    """§5.1 broken: a follower obeys a leader whose term is over."""

    def is_stale(self, message: AppendEntries) -> bool:  # noqa: ARG002  # the rule is what is missing
        """Never."""
        return False


class LeaderTruncates(Raft):
    """§5.3 broken: a leader puts a command in the place of its last entry while that is not committed."""

    def propose(self, command: Command | None, out: Outbox) -> None:
        """Make room, then append."""
        if command is not None and self.commit_index < len(self.log) - 1:
            self.truncate(len(self.log) - 1, out)
        super().propose(command, out)


class NoConsistencyCheck(Raft):
    """§5.3 broken: a follower takes entries wherever they fit, and does not ask whether what comes before them agrees."""

    def is_consistent(self, message: AppendEntries) -> bool:
        """As soon as there is something before them."""
        return message.prev_log_index < len(self.log)


class TruncatesMatchingEntries(Raft):
    """§5.3 broken: a follower deletes what it has already, so an old message that comes late takes newer entries away."""

    def merge(self, first: int, entries: Sequence[Entry], out: Outbox) -> None:
        """Put the entries in the place of everything from there on."""
        if first < len(self.log):
            self.truncate(first, out)
        self.append(entries, out)


class LogNotPersisted(Raft):
    """Figure 2 broken: entries are acknowledged that are not on disk."""

    def persist_entries(self, first: int, entries: Iterable[Entry], out: Outbox) -> None:
        """Nothing."""


class NoRetransmission(Raft):
    """§5.3 broken: each entry is sent once, and whoever did not get it never will."""

    def send_entries(self, peer: NodeId, progress: Progress, out: Outbox) -> None:
        """Send, and take it for received."""
        super().send_entries(peer, progress, out)
        progress.next_index = min(progress.next_index + self.batch_max, len(self.log))

    def back_off(self, progress: Progress, index: int) -> bool:  # noqa: ARG002  # the rule is what is missing
        """Never."""
        return False


class CommitsOldTermByCounting(Raft):
    """§5.4.2 broken (figure 8): entries of earlier terms are committed as soon as a majority has them.

    The no-op of §8 would hide it, so this leader has none.
    """

    def is_committable(self, index: int) -> bool:  # noqa: ARG002  # the rule is what is missing
        """Always."""
        return True

    def propose(self, command: Command | None, out: Outbox) -> None:
        """A new leader only replicates what it has."""
        if command is None:
            self.replicate(out)
        else:
            super().propose(command, out)


class AppliesBeforeCommit(Raft):
    """§5.3 broken: a node applies what is in its log, whether it is committed or not."""

    def append(self, entries: Sequence[Entry], out: Outbox) -> None:
        """Append and apply."""
        super().append(entries, out)
        self.apply_up_to(len(self.log) - 1, out)


class AppliesTwice(Raft):
    """§5.3 broken: each entry is applied twice."""

    def apply(self, index: int, entry: Entry, out: Outbox) -> None:
        """Apply, and apply again."""
        super().apply(index, entry, out)
        super().apply(index, entry, out)


class ForgetfulStore(KeyValueStore):
    """A store that takes every command for a new one."""

    def is_duplicate(self, session: Session, command: Command) -> bool:  # noqa: ARG002  # the rule is what is missing
        """Never."""
        return False


class NoDuplicateDetection(Raft):
    """§8 broken: a command that a client repeats is executed again."""

    machine: ClassVar[type[KeyValueStore]] = ForgetfulStore


class ReadsLocalState(Raft):
    """§8 broken: any node answers reads at once from what it has applied."""

    def on_read(self, sender: NodeId, message: Read, out: Outbox) -> None:
        """Answer."""
        out.send(sender, Answer(message.msg_id, self.store.get(message.key)))


class Hasty(Raft):
    """What mutants share that answer a command before it is committed."""

    def answer_at_once(self, command: Command, out: Outbox) -> None:
        """Answer for the last entry of the log, as if it were applied already."""
        expects = command.argument[0] if isinstance(command.argument, tuple) else None
        result = self.store.get(command.key) == expects if command.action == "cas" else None
        self.answer(len(self.log) - 1, self.log[-1].term, command, Outcome(result), out)


class AnswersBeforeCommit(Hasty):
    """§5.3 broken: the leader answers as soon as the command is in its own log."""

    def propose(self, command: Command | None, out: Outbox) -> None:
        """Append, and answer."""
        super().propose(command, out)
        if command is not None:
            self.answer_at_once(command, out)


class FollowerAccepts(Hasty):
    """§8 broken: a follower takes a command into its own log, and answers it."""

    def on_write(self, sender: NodeId, message: Write, out: Outbox) -> None:
        """Do as if one were the leader."""
        if self.role == LEADER:
            super().on_write(sender, message, out)
            return
        command = as_command(sender, message)
        self.append((Entry(self.term, command),), out)
        self.answer_at_once(command, out)


MUTANTS = (
    VoteNotPersisted,
    VotesTwice,
    CountsAStaleGrant,
    NoLogFreshnessCheck,
    NeverTimesOut,
    AcceptsStaleLeader,
    LeaderTruncates,
    NoConsistencyCheck,
    TruncatesMatchingEntries,
    LogNotPersisted,
    NoRetransmission,
    CommitsOldTermByCounting,
    AppliesBeforeCommit,
    AppliesTwice,
    NoDuplicateDetection,
    ReadsLocalState,
    AnswersBeforeCommit,
    FollowerAccepts,
)
"""All of them."""
