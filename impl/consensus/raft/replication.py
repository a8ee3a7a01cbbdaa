"""How the leader's log becomes everybody's: consistency check, back-off, commitment (§5.3, §5.4.2)."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Sequence
from typing import ClassVar

from ...node import Context, NodeId, Outbox
from ..messages import Command
from .election import FOLLOWER, LEADER, Voter
from .messages import Appended, AppendEntries, Entry


class Progress:
    """What a leader knows of one follower (figure 2, 'volatile state on leaders').

    Attributes:
        next_index: the next entry to send.
        match_index: up to here the logs are known to agree.
        round: the newest round that the follower has answered.
        is_awaited: whether a message is under way; further entries wait for its answer, and then go as one batch.
    """

    __slots__ = ("is_awaited", "match_index", "next_index", "round")

    def __init__(self, next_index: int) -> None:
        self.next_index = next_index
        self.match_index = 0
        self.round = 0
        self.is_awaited = False


class Replicator(Voter, ABC):
    """A node that replicates a log.

    Settings: `heartbeat_ns`, after which a leader asserts itself, and sends again whatever has not been answered.
    """

    batch_max: ClassVar[int] = 64
    """How many entries go into one message."""

    def __init__(self, context: Context) -> None:
        super().__init__(context)
        self.commit_index = 0
        self.last_applied = 0
        self.round = 0
        self.progress: dict[NodeId, Progress] = {}
        self.handlers |= {AppendEntries: self.on_append_entries, Appended: self.on_appended}
        self.timers["heartbeat"] = self.on_heartbeat

    # --- the log

    def append(self, entries: Sequence[Entry], out: Outbox) -> None:
        """§5.3, figure 2: entries are on disk before anybody is answered."""
        first = len(self.log)
        self.log.extend(entries)
        self.persist_entries(first, entries, out)
        out.sync()
        for index, entry in enumerate(entries, first):
            out.note("appended", index, entry.term, entry.told)

    def persist_entries(self, first: int, entries: Iterable[Entry], out: Outbox) -> None:
        """Figure 2: `log[]` is on stable storage before any message says so."""
        for index, entry in enumerate(entries, first):
            out.store(("log", index), entry)

    def truncate(self, first: int, out: Outbox) -> None:
        """§5.3: delete a conflicting entry and all that follow it."""
        for index in range(len(self.log) - 1, first - 1, -1):
            out.erase(("log", index))
        out.sync()
        del self.log[first:]
        out.note("truncated", first)

    # --- a leader speaks

    def lead(self, out: Outbox) -> None:
        """§5.2, §8: a new leader asserts itself with a no-op, whose commitment commits all that came before."""
        super().lead(out)
        self.progress = {peer: Progress(len(self.log)) for peer in self.others}
        self.propose(None, out)
        out.set_timer("heartbeat", self.heartbeat_ns)

    def step_down(self, out: Outbox) -> None:
        """§5.1: whoever leads no longer asserts nothing."""
        if self.role == LEADER:
            out.cancel_timer("heartbeat")
        super().step_down(out)

    def propose(self, command: Command | None, out: Outbox) -> None:
        """§5.3: append a command to one's own log, then replicate it in parallel."""
        entry = Entry(self.term, command)
        self.append((entry,), out)
        self.replicate(out)
        self.advance_commit_index(out)

    def replicate(self, out: Outbox) -> None:
        """§5.3: tell every follower what is new; where a message is under way, its answer will call for the rest."""
        for peer, progress in self.progress.items():
            if not progress.is_awaited:
                self.send_entries(peer, progress, out)

    def on_heartbeat(self, out: Outbox) -> None:
        """§5.2, §5.3: prevent elections; send again, for ever, what a follower has not stored."""
        for peer, progress in self.progress.items():
            self.send_entries(peer, progress, out)
        out.set_timer("heartbeat", self.heartbeat_ns)

    def send_entries(self, peer: NodeId, progress: Progress, out: Outbox) -> None:
        """§5.3: the next entries, with index and term of the one before them."""
        log, first = self.log, progress.next_index
        entries = tuple(log[first : first + self.batch_max]) if first < len(log) else ()
        progress.is_awaited = True
        out.send(peer, AppendEntries(self.term, first - 1, log[first - 1].term, entries, self.commit_index, self.round))

    # --- a follower answers

    def on_append_entries(self, sender: NodeId, message: AppendEntries, out: Outbox) -> None:
        """Figure 2, AppendEntries RPC."""
        if self.is_stale(message):
            out.send(sender, Appended(self.term, False, 0, message.round))
            return
        self.follow(sender, message.term, out)
        if not self.is_consistent(message):
            out.send(sender, Appended(self.term, False, self.last_agreeable(message.prev_log_index), message.round))
            return
        last_new = message.prev_log_index + len(message.entries)
        if message.entries:
            self.merge(message.prev_log_index + 1, message.entries, out)
        if message.commit_index > self.commit_index:
            self.commit(min(message.commit_index, last_new), out)
        out.send(sender, Appended(self.term, True, last_new, message.round))

    def is_stale(self, message: AppendEntries) -> bool:
        """§5.1: a request with a term that is over is rejected."""
        return message.term < self.term

    def follow(self, leader: NodeId, term: int, out: Outbox) -> None:
        """§5.2: recognise the leader of the term, and wait again."""
        if term > self.term:
            self.adopt(term, out)
        elif self.role != FOLLOWER:
            self.step_down(out)
        self.leader = leader
        self.await_leader(out)

    def is_consistent(self, message: AppendEntries) -> bool:
        """§5.3: the log holds the entry before the new ones, with the same term."""
        index = message.prev_log_index
        return index < len(self.log) and self.log[index].term == message.prev_log_term

    def last_agreeable(self, index: int) -> int:
        """§5.3: for a log that is too short, its end; otherwise what comes before all entries of the conflicting term."""
        if index >= len(self.log):
            return len(self.log) - 1
        term = self.log[index].term
        while index > 0 and self.log[index].term == term:
            index -= 1
        return index

    def merge(self, first: int, entries: Sequence[Entry], out: Outbox) -> None:
        """§5.3: skip what the log has already; where it conflicts, the leader's entries replace it."""
        for at, entry in enumerate(entries):
            index = first + at
            if index >= len(self.log):
                self.append(entries[at:], out)
                return
            if self.log[index].term != entry.term:
                self.truncate(index, out)
                self.append(entries[at:], out)
                return

    # --- a leader listens

    def on_appended(self, sender: NodeId, message: Appended, out: Outbox) -> None:
        """§5.3: learn how far the follower's log agrees; go back where it does not; go on where there is more."""
        if message.term > self.term:
            self.adopt(message.term, out)
        if self.role != LEADER or message.term < self.term:
            return
        progress = self.progress[sender]
        progress.is_awaited = False
        progress.round = max(progress.round, message.round)
        if message.success:
            self.go_on(progress, message.index, out)
        elif not self.back_off(progress, message.index):
            return
        if progress.next_index < len(self.log) or progress.round < self.round:
            self.send_entries(sender, progress, out)

    def go_on(self, progress: Progress, index: int, out: Outbox) -> None:
        """§5.3: the logs agree up to this index; an answer that was overtaken says nothing new."""
        if index > progress.match_index:
            progress.match_index = index
            progress.next_index = index + 1
            self.advance_commit_index(out)

    def back_off(self, progress: Progress, index: int) -> bool:
        """§5.3: try from an earlier entry, though never from one that is known to agree; answers whether there is one.

        Otherwise the refusal was overtaken, or the follower has lost what it had, and only a heartbeat asks again.
        """
        tried = progress.next_index
        progress.next_index = max(progress.match_index, min(index, tried - 1)) + 1
        return progress.next_index < tried

    def advance_commit_index(self, out: Outbox) -> None:
        """§5.3, §5.4.2: what a majority has stored is committed, if it is of the leader's own term."""
        index = self.reached_by_majority(len(self.log) - 1, [each.match_index for each in self.progress.values()])
        if index > self.commit_index and self.is_committable(index):
            self.commit(index, out)

    def reached_by_majority(self, own: int, others: list[int]) -> int:
        """The largest number that a majority, oneself included, has reached."""
        return sorted([own, *others], reverse=True)[self.majority - 1]

    def is_committable(self, index: int) -> bool:
        """§5.4.2: entries of earlier terms are committed by those that follow, never by counting."""
        return self.log[index].term == self.term

    # --- commitment

    def commit(self, index: int, out: Outbox) -> None:
        """§5.3: apply what is committed, in the order of the log."""
        if index <= self.commit_index:
            return
        self.commit_index = index
        out.note("committed", index, self.log[index].term)
        self.apply_up_to(index, out)

    def apply_up_to(self, index: int, out: Outbox) -> None:
        """Figure 2: while `commitIndex > lastApplied`, apply the next entry."""
        while self.last_applied < index:
            self.last_applied += 1
            self.apply(self.last_applied, self.log[self.last_applied], out)

    @abstractmethod
    def apply(self, index: int, entry: Entry, out: Outbox) -> None:
        """Hand one committed entry to the state machine."""
