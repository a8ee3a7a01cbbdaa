"""Raft with one rule broken in each: what a judge of Raft must be able to see.

Where another rule hides what is broken, `masked_by` names a Raft that does without that rule, and is not wrong by itself:
both together show it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import ClassVar

from ...node import Context, NodeId, Outbox
from ..machine import KeyValueStore, Outcome, Session
from ..messages import Answer, Command, Read, StoreImage, Write
from .election import LEADER
from .messages import AppendEntries, Ballot, Entry, RequestPreVote, RequestVote, Snapshot, Vote
from .progress import Progress
from .reference import Raft, as_command
from .replication import Replicator
from .stable import Configuration

# --- what hides mutants


class WithoutNoOp(Raft):
    """A new leader asserts itself with an empty message; what came before waits for the first command."""

    def assert_leadership(self, out: Outbox) -> None:
        """A heartbeat."""
        for peer, progress in self.progress.items():
            self.send_entries(peer, progress, out)


class WithoutPreVote(Raft):
    """A node stands for election without asking around."""

    def on_election_timeout(self, out: Outbox) -> None:
        """At once."""
        if self.may_stand():
            self.start_election(out)


class WithoutCheckQuorum(Raft):
    """A leader that hears from nobody goes on leading."""

    def __init__(self, context: Context) -> None:
        super().__init__(context)
        self.check_quorum = False


class RecountsCommitment(Raft):
    """A leader recounts what is committed at every answer; as long as match indices only grow, that only grows."""

    def advance_commit_index(self, out: Outbox) -> None:
        """What a majority has stored, whether that is more or less; a change of members makes it another majority."""
        super().advance_commit_index(out)
        index = self.reached_by_majority(self.log.last_index, [each.match_index for each in self.voters])
        if self.no_op_index <= index < self.commit_index and self.is_settled():
            self.commit_index = index
            out.note("committed", index, self.term)


# --- elections


class VoteNotPersisted(Raft):
    """§5.2 broken: the vote is not on disk, so a node that crashes may vote again in the same term."""

    masked_by: ClassVar[tuple[type[Raft], ...]] = (WithoutPreVote,)

    def next_ballot(self) -> Ballot:
        """Without the vote."""
        return Ballot(self.ballot.number + 1, self.term, None)


class VotesTwice(Raft):
    """§5.2 broken: whoever asks for a vote gets it, the second candidate of a term, too."""

    def is_free_for(self, candidate: NodeId) -> bool:  # noqa: ARG002  # the rule is what is missing
        """Always."""
        return True


class CountsAStaleGrant(Raft):
    """§5.1 broken: a vote that was granted for an earlier term counts for this one."""

    masked_by: ClassVar[tuple[type[Raft], ...]] = (WithoutPreVote,)

    def is_current(self, message: Vote) -> bool:  # noqa: ARG002  # the rule is what is missing
        """Always."""
        return True


class NoLogFreshnessCheck(Raft):
    """§5.4.1 broken: a candidate gets votes although its log lacks committed entries."""

    def is_as_fresh(self, message: RequestVote | RequestPreVote) -> bool:  # noqa: ARG002  # the rule is what is missing
        """Always."""
        return True


class NeverTimesOut(Raft):
    """§5.2 broken: a node with anything in its log waits for a leader for ever."""

    def on_election_timeout(self, out: Outbox) -> None:
        """Only in an empty cluster."""
        if self.log.last_index == 0:
            super().on_election_timeout(out)


# --- replication


class AcceptsStaleLeader(Raft):
    """§5.1 broken: a follower obeys a leader whose term is over."""

    def is_stale(self, term: int) -> bool:  # noqa: ARG002  # the rule is what is missing
        """Never."""
        return False


class LeaderTruncates(Raft):
    """§5.3 broken: a leader puts a command in the place of its last entry while that is not committed."""

    def propose(self, entry: Entry, out: Outbox) -> None:
        """Make room, then append."""
        if entry.command is not None and self.commit_index < self.log.last_index:
            self.truncate(self.log.last_index, out)
        super().propose(entry, out)


class NoConsistencyCheck(Raft):
    """§5.3 broken: a follower takes entries wherever they fit, and does not ask whether what comes before them agrees."""

    def is_consistent(self, message: AppendEntries) -> bool:
        """As soon as there is something before them."""
        return message.prev_log_index <= self.log.last_index


class TruncatesMatchingEntries(Raft):
    """§5.3 broken: a follower deletes what it has already, so an old message that comes late takes newer entries away."""

    def merge(self, first: int, entries: Sequence[Entry], out: Outbox) -> None:
        """Put the entries in the place of everything from there on."""
        known = max(0, self.log.base + 1 - first)
        if first + known <= self.log.last_index:
            self.truncate(first + known, out)
        self.append(entries[known:], out)


class LogNotPersisted(Raft):
    """Figure 2 broken: entries are acknowledged that are not on disk."""

    def persist_entries(self, first: int, entries: Iterable[Entry], out: Outbox) -> None:
        """Nothing."""


class NoRetransmission(Raft):
    """§5.3 broken: each entry is sent once, and whoever did not get it never will."""

    def probe(self, progress: Progress, next_index: int) -> None:
        """Never."""

    def send_entries(self, peer: NodeId, progress: Progress, out: Outbox) -> None:
        """Send, and take it for received."""
        progress.is_probed = False
        super().send_entries(peer, progress, out)
        progress.under_way.clear()


class MatchIndexGoesBack(Raft):
    """§5.3 broken: a leader takes the index of any answer for the match index, that of an overtaken one, too."""

    masked_by: ClassVar[tuple[type[Raft], ...]] = (RecountsCommitment,)

    def go_on(self, progress: Progress, index: int, out: Outbox) -> bool:
        """Forget what was known."""
        if index < progress.match_index:
            progress.match_index = index
            self.advance_commit_index(out)
        return super().go_on(progress, index, out)


class CountsWhatIsUnderWay(Raft):
    """§5.3 broken: an answer to one message counts for all that were sent."""

    def go_on(self, progress: Progress, index: int, out: Outbox) -> bool:
        """As far as anything was sent."""
        return super().go_on(progress, max(index, progress.next_index - 1), out)


class CommitsOldTermByCounting(Raft):
    """§5.4.2 broken (figure 8): entries of earlier terms are committed as soon as a majority has them."""

    masked_by: ClassVar[tuple[type[Raft], ...]] = (WithoutNoOp,)

    def is_committable(self, index: int) -> bool:  # noqa: ARG002  # the rule is what is missing
        """Always."""
        return True


class AppliesBeforeCommit(Raft):
    """§5.3 broken: a node applies what is in its log, whether it is committed or not."""

    def append(self, entries: Sequence[Entry], out: Outbox) -> None:
        """Append and apply."""
        super().append(entries, out)
        self.apply_up_to(self.log.last_index, out)


class AppliesTwice(Raft):
    """§5.3 broken: each entry is applied twice."""

    def apply(self, index: int, entry: Entry, out: Outbox) -> None:
        """Apply, and apply again."""
        super().apply(index, entry, out)
        super().apply(index, entry, out)


# --- clients


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


class LeaderReadsWithoutQuorum(Raft):
    """Thesis, 6.4 broken: a leader answers reads without asking whether it is deposed."""

    masked_by: ClassVar[tuple[type[Raft], ...]] = (WithoutCheckQuorum,)

    def confirmed_round(self) -> int:
        """Whatever was asked."""
        return self.round


class Hasty(Raft):
    """What mutants share that answer a command before it is committed."""

    def answer_at_once(self, command: Command, out: Outbox) -> None:
        """Answer for the last entry of the log, as if it were applied already."""
        expects = command.argument[0] if isinstance(command.argument, tuple) else None
        result = self.store.get(command.key) == expects if command.action == "cas" else None
        self.answer(self.log.last_index, self.log.last_term, command, Outcome(result), out)


class AnswersBeforeCommit(Hasty):
    """§5.3 broken: the leader answers as soon as the command is in its own log."""

    def propose(self, entry: Entry, out: Outbox) -> None:
        """Append, and answer."""
        super().propose(entry, out)
        if entry.command is not None:
            self.answer_at_once(entry.command, out)


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


# --- snapshots


class SessionlessStore(KeyValueStore):
    """A store whose image is what it stores."""

    def image(self) -> StoreImage:
        """Without sessions."""
        return StoreImage(super().image().data)


class SnapshotDropsSessions(Raft):
    """Thesis, 6.3 broken: a snapshot does not hold the sessions, so a command may be executed again after it."""

    machine: ClassVar[type[KeyValueStore]] = SessionlessStore


class SnapshotDropsMembership(Raft):
    """§7 broken: whoever goes by a snapshot goes by the members that the cluster was set up with."""

    def configuration_of(self, snapshot: Snapshot) -> Configuration:  # noqa: ARG002  # the rule is what is missing
        """The first one."""
        return Configuration(0, self.founders)


class CompactsUncommitted(Raft):
    """§7 broken: a snapshot stands for the whole log, committed or not."""

    def compact(self, out: Outbox) -> None:
        """Take it all for committed."""
        Replicator.commit(self, self.log.last_index, out)
        super().compact(out)


class InstallsOldSnapshots(Raft):
    """§7 broken: a snapshot that comes late takes a follower back."""

    def is_news(self, snapshot: Snapshot) -> bool:  # noqa: ARG002  # the rule is what is missing
        """Always."""
        return True


class NeverInstallsSnapshots(Raft):
    """§7 broken: whoever needs entries that are gone gets nothing."""

    def send_snapshot(self, peer: NodeId, out: Outbox) -> None:
        """Nothing."""


# --- membership


class MembershipWithoutCommit(Raft):
    """Thesis, 4.1 broken: a change is made when it is in the leader's log, and the next one begins: two majorities need not meet."""

    masked_by: ClassVar[tuple[type[Raft], ...]] = (WithoutCheckQuorum,)

    def is_settled(self) -> bool:
        """Always."""
        return True


class RemovedLeaderCountsItself(Raft):
    """Thesis, 4.2.2 broken: a leader that is no member is part of the majorities."""

    def counts_itself(self) -> bool:
        """Always."""
        return True


MASKS = (WithoutNoOp, WithoutPreVote, WithoutCheckQuorum, RecountsCommitment)
"""What hides mutants, each rule switched off."""

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
    MatchIndexGoesBack,
    CountsWhatIsUnderWay,
    CommitsOldTermByCounting,
    AppliesBeforeCommit,
    AppliesTwice,
    NoDuplicateDetection,
    ReadsLocalState,
    LeaderReadsWithoutQuorum,
    AnswersBeforeCommit,
    FollowerAccepts,
    SnapshotDropsSessions,
    SnapshotDropsMembership,
    CompactsUncommitted,
    InstallsOldSnapshots,
    NeverInstallsSnapshots,
    MembershipWithoutCommit,
    RemovedLeaderCountsItself,
)
"""All of them."""
