"""How the leader's log becomes everybody's: consistency check, back-off, pipelining, commitment (§5.3, §5.4.2)."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Sequence

from ...node import Context, NodeId, Outbox
from .election import FOLLOWER, LEADER, Voter
from .messages import Appended, AppendEntries, Entry
from .progress import PendingRead, Progress


class Replicator(Voter, ABC):
    """A node that replicates a log.

    Settings: `heartbeat_ns`, after which a leader asserts itself; `batch_max` (64), how many entries go into one message;
    `window` (8), how many messages with entries may be under way to one follower.
    """

    def __init__(self, context: Context) -> None:
        super().__init__(context)
        settings = context.settings
        self.batch_max: int = settings.get("batch_max", 64)
        self.window: int = settings.get("window", 8)
        self.silence_max = 2 * settings["election_max_ns"] // self.heartbeat_ns
        self.last_applied = self.commit_index
        self.round = 0
        self.no_op_index = 0
        self.reads: deque[PendingRead] = deque()
        self.progress: dict[NodeId, Progress] = {}
        self.voters: list[Progress] = []
        self.handlers |= {AppendEntries: self.on_append_entries, Appended: self.on_appended}
        self.timers["heartbeat"] = self.on_heartbeat

    # --- a leader speaks

    def lead(self, out: Outbox) -> None:
        """§5.2, §8: a new leader asserts itself; from its no-op on, it knows what is committed."""
        super().lead(out)
        self.no_op_index = self.log.last_index + 1
        self.progress = {}
        self.survey()
        out.set_timer("heartbeat", self.heartbeat_ns)
        self.assert_leadership(out)

    def assert_leadership(self, out: Outbox) -> None:
        """§8: the commitment of a no-op commits all that came before."""
        self.propose(Entry(self.term), out)

    def step_down(self, out: Outbox) -> None:
        """§5.1: whoever leads no longer asserts nothing."""
        if self.role == LEADER:
            out.cancel_timer("heartbeat")
        super().step_down(out)

    def survey(self) -> None:
        """Thesis, 4.1: replicate to the members in force, from the end of the log where nothing is known."""
        next_index = self.log.last_index + 1
        self.progress = {peer: self.progress.get(peer) or Progress(next_index) for peer in self.followers()}
        self.voters = [self.progress[peer] for peer in self.others]

    def followers(self) -> Sequence[NodeId]:
        """Whom entries are sent to."""
        return self.others

    def reconfigure(self, out: Outbox) -> None:
        """Thesis, 4.1: a leader replicates to the members of the new configuration as soon as it is in its log."""
        super().reconfigure(out)
        if self.role == LEADER:
            self.survey()

    def propose(self, entry: Entry, out: Outbox) -> None:
        """§5.3: append an entry to one's own log, then replicate it in parallel."""
        self.append((entry,), out)
        self.replicate(out)
        self.advance_commit_index(out)

    def replicate(self, out: Outbox) -> None:
        """§5.3: tell every follower what is new, as far as there is room; answers will call for the rest."""
        for peer, progress in self.progress.items():
            self.feed(peer, progress, out)

    def feed(self, peer: NodeId, progress: Progress, out: Outbox) -> None:
        """Thesis, 10.2.2: send what the follower lacks; if that is nothing, but a round waits for it, ask."""
        while progress.next_index <= self.log.last_index and self.has_room(progress):
            self.send_entries(peer, progress, out)
        if progress.round < self.round and not progress.is_awaited:
            self.send_entries(peer, progress, out)

    def has_room(self, progress: Progress) -> bool:
        """Thesis, 10.2.2: whether one more message with entries may be under way."""
        return not progress.is_awaited if progress.is_probed else len(progress.under_way) < self.window

    def on_heartbeat(self, out: Outbox) -> None:
        """§5.2: prevent elections; and for ever ask a silent follower how far its log agrees, to go on from there."""
        is_anybody_silent = False
        for peer, progress in self.progress.items():
            progress.silence += 1
            if progress.silence > 1:
                is_anybody_silent = True
                if not progress.is_probed:
                    self.probe(progress, progress.match_index + 1)
            self.send_heartbeat(peer, progress, out)
        out.set_timer("heartbeat", self.heartbeat_ns)
        if is_anybody_silent and not self.has_quorum():
            self.step_down(out)

    def has_quorum(self) -> bool:
        """Thesis, 6.2: a leader that has not heard from a majority for an election timeout is one no longer.

        Two of the largest, in fact: on a slow network answers come late, and every election makes them later.
        """
        heard = sum(each.silence <= self.silence_max for each in self.voters) + self.counts_itself()
        return heard >= self.majority or not self.check_quorum

    def probe(self, progress: Progress, next_index: int) -> None:
        """Thesis, 10.2.2: take nothing for granted any more."""
        progress.next_index = next_index
        progress.is_probed = True
        progress.under_way.clear()

    def send_entries(self, peer: NodeId, progress: Progress, out: Outbox) -> None:
        """§5.3: the next entries, with index and term of the one before them."""
        log, first = self.log, progress.next_index
        at = first - log.base
        if at < 1 or first > log.last_index:
            self.send_heartbeat(peer, progress, out)
            return
        entries = tuple(log.entries[at : at + self.batch_max])
        if not progress.is_probed:
            progress.next_index = first + len(entries)
            progress.under_way.append(progress.next_index - 1)
        progress.is_awaited = True
        term_before = log.entries[at - 1].term
        out.send(peer, AppendEntries(self.term, first - 1, term_before, entries, self.commit_index, self.round))

    def send_heartbeat(self, peer: NodeId, progress: Progress, out: Outbox) -> None:
        """§5.2: assert leadership, without entries; or with a snapshot, where the log begins later than they would.

        Entries that were lost go out again only when the follower has answered: on a link that is narrow, what is sent
        again and again is in its own way.
        """
        last, at = progress.next_index - 1, progress.next_index - self.log.base
        if at < 1:
            self.probe(progress, progress.next_index)
            progress.is_awaited = True
            self.send_snapshot(peer, out)
            return
        if progress.is_probed or progress.round < self.round:
            progress.is_awaited = True
        term = self.log.entries[at - 1].term
        out.send(peer, AppendEntries(self.term, last, term, (), self.commit_index, self.round))

    @abstractmethod
    def send_snapshot(self, peer: NodeId, out: Outbox) -> None:
        """§7: the follower needs entries that are gone."""

    # --- a follower answers

    def on_append_entries(self, sender: NodeId, message: AppendEntries, out: Outbox) -> None:
        """Figure 2, AppendEntries RPC."""
        if self.is_stale(message.term):
            out.send(sender, Appended(self.term, False, 0, message.round))
            return
        self.follow(sender, message.term, out)
        last_new = message.prev_log_index
        if not self.is_consistent(message):
            out.send(sender, Appended(self.term, False, self.last_agreeable(last_new), message.round))
            return
        if message.entries:
            last_new += len(message.entries)
            self.merge(message.prev_log_index + 1, message.entries, out)
        if message.commit_index > self.commit_index:
            self.commit(min(message.commit_index, last_new), out)
        out.send(sender, Appended(self.term, True, last_new, message.round))

    def is_stale(self, term: int) -> bool:
        """§5.1: a request with a term that is over is rejected."""
        return term < self.term

    def follow(self, leader: NodeId, term: int, out: Outbox) -> None:
        """§5.2: recognise the leader of the term, and wait again: at first as long as all do."""
        if term > self.term:
            self.adopt(term, out)
        elif self.role != FOLLOWER:
            self.step_down(out)
        if self.leader is None:
            self.leader = leader
            out.cancel_timer("election")
        out.set_timer("silence", self.timeout_ns)

    def is_consistent(self, message: AppendEntries) -> bool:
        """§5.3: the log holds the entry before the new ones, with the same term; what a snapshot stands for is agreed."""
        log, at = self.log, message.prev_log_index - self.log.base
        return at < 0 or (message.prev_log_index <= log.last_index and log.entries[at].term == message.prev_log_term)

    def last_agreeable(self, index: int) -> int:
        """§5.3: for a log that is too short, its end; otherwise what comes before all entries of the conflicting term."""
        log = self.log
        if index > log.last_index:
            return log.last_index
        term = log[index].term
        while index > log.base and log[index].term == term:
            index -= 1
        return index

    def merge(self, first: int, entries: Sequence[Entry], out: Outbox) -> None:
        """§5.3: skip what the log has already; where it conflicts, the leader's entries replace it."""
        log = self.log
        for index, entry in enumerate(entries, first):
            if index > log.last_index:
                self.append(entries[index - first :], out)
                return
            if index > log.base and log[index].term != entry.term:
                self.truncate(index, out)
                self.append(entries[index - first :], out)
                return

    # --- a leader listens

    def on_appended(self, sender: NodeId, message: Appended, out: Outbox) -> None:
        """§5.3: learn how far the follower's log agrees; go back where it does not; go on where there is more."""
        if message.term > self.term:
            self.adopt(message.term, out)
        progress = self.progress.get(sender)
        if self.role != LEADER or message.term < self.term or progress is None:
            return
        progress.silence = 0
        is_news = message.round > progress.round
        if is_news:
            progress.round = message.round
        if self.go_on(progress, message.index, out) if message.success else self.back_off(progress, message.index):
            is_news = True
        if is_news:
            progress.is_awaited = False
            if self.role == LEADER and (progress.next_index <= self.log.last_index or progress.round < self.round):
                self.feed(sender, progress, out)
            if self.reads:
                self.serve_reads(out)

    def go_on(self, progress: Progress, index: int, out: Outbox) -> bool:
        """§5.3: the logs agree up to this index; answers whether that is new.

        An answer that was overtaken says nothing new, nor does a copy: it calls for no further message, since on a network
        that repeats messages each would breed others.
        """
        is_news, progress.is_probed = progress.is_probed, False
        if index > progress.match_index:
            is_news = True
            progress.match_index = index
            under_way = progress.under_way
            while under_way and under_way[0] <= index:
                under_way.popleft()
            if progress.next_index <= index:
                progress.next_index = index + 1
            self.advance_commit_index(out)
        return is_news

    def back_off(self, progress: Progress, index: int) -> bool:
        """§5.3: try from an earlier entry, though never from one that is known to agree; answers whether there is one.

        Otherwise the refusal was overtaken, or the follower has lost what it had, and only a heartbeat asks again.
        """
        tried = progress.next_index
        self.probe(progress, max(progress.match_index, min(index, tried - 1)) + 1)
        return progress.next_index < tried

    def advance_commit_index(self, out: Outbox) -> None:
        """§5.3, §5.4.2: what a majority has stored is committed, if it is of the leader's own term."""
        index = self.reached_by_majority(self.log.last_index, [each.match_index for each in self.voters])
        if index > self.commit_index and self.is_committable(index):
            self.commit(index, out)

    def reached_by_majority(self, own: int, others: list[int]) -> int:
        """The largest number that a majority of the members has reached; one that has none is reached by nobody."""
        if self.counts_itself():
            others.append(own)
        others.sort(reverse=True)
        return others[self.majority - 1]

    def counts_itself(self) -> bool:
        """Thesis, 4.2.2: a leader that removes itself is no part of the majorities."""
        return self.is_member

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
    def serve_reads(self, out: Outbox) -> None:
        """Thesis, 6.4: an answer may be the one that reads were waiting for."""

    @abstractmethod
    def apply(self, index: int, entry: Entry, out: Outbox) -> None:
        """Hand one committed entry to the state machine."""
