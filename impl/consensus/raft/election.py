"""Who leads: terms, votes and elections (§5.1, §5.2, §5.4.1)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from ...node import Context, Message, NodeId, Outbox
from .messages import Entry, RequestVote, Vote

FOLLOWER: Final = "follower"
CANDIDATE: Final = "candidate"
LEADER: Final = "leader"

ORIGIN: Final = Entry(0)
"""What stands before the first entry, so that `log[index]` is the entry at that index of the paper."""


class Voter:
    """A node as far as elections go; it keeps term, vote and log on disk (figure 2, 'persistent state').

    Settings: `election_min_ns` and `election_max_ns`, between which each election timeout is drawn; `heartbeat_ns`, after
    which whoever has not answered is asked again.
    """

    def __init__(self, context: Context) -> None:
        self.id = context.id
        self.others = tuple(peer for peer in context.peers if peer != context.id)
        self.majority = len(context.peers) // 2 + 1
        self.dice = context.dice
        self.timeout_ns: int = context.settings["election_min_ns"]
        self.timeout_spread: int = context.settings["election_max_ns"] - self.timeout_ns + 1
        self.heartbeat_ns: int = context.settings["heartbeat_ns"]
        self.role = FOLLOWER
        self.leader: NodeId | None = None
        self.votes: set[NodeId] = set()
        self.answered: set[NodeId] = set()
        self.restore(context)
        self.handlers: dict[type[Message], Callable[[NodeId, Any, Outbox], None]] = {
            RequestVote: self.on_request_vote,
            Vote: self.on_vote,
        }
        self.timers: dict[str, Callable[[Outbox], None]] = {
            "election": self.start_election,
            "votes": self.ask_for_votes,
        }

    # --- the contract of a node

    def on_start(self, out: Outbox) -> None:
        """Start as a follower (§5.2)."""
        if self.term:
            out.note("restored", self.term, self.voted, len(self.log) - 1, 0)
        self.await_leader(out)

    def on_message(self, sender: NodeId, message: Message, out: Outbox) -> None:
        """Each type of message has its handler."""
        self.handlers[type(message)](sender, message, out)

    def on_timer(self, name: str, out: Outbox) -> None:
        """Each timer has its handler."""
        self.timers[name](out)

    # --- persistence

    def restore(self, context: Context) -> None:
        """Figure 2: term, vote and log survive a crash."""
        stored = context.stored
        self.term: int = stored.get("term", 0)
        self.voted: NodeId | None = stored.get("voted")
        self.log = [ORIGIN]
        while (entry := stored.get(("log", len(self.log)))) is not None:
            self.log.append(entry)

    def persist_term(self, out: Outbox) -> None:
        """Figure 2: `currentTerm` is on stable storage before any message says so."""
        out.store("term", self.term)

    def persist_vote(self, out: Outbox) -> None:
        """Figure 2: `votedFor` is on stable storage before any message says so."""
        out.store("voted", self.voted)

    # --- terms

    def adopt(self, term: int, out: Outbox) -> None:
        """§5.1: whoever sees a higher term takes it over, and is a follower."""
        self.term, self.voted = term, None
        self.persist_term(out)
        self.persist_vote(out)
        out.sync()
        out.note("term", term)
        self.step_down(out)

    def step_down(self, out: Outbox) -> None:
        """§5.1: a candidate or a leader whose term is over becomes a follower."""
        if self.role == LEADER:
            self.await_leader(out)
        self.role = FOLLOWER
        self.leader = None

    def await_leader(self, out: Outbox) -> None:
        """§5.2: without a sign of life from a leader for a random time, a node begins an election."""
        out.set_timer("election", self.timeout_ns + self.dice.below(self.timeout_spread))

    # --- elections

    def start_election(self, out: Outbox) -> None:
        """§5.2: increment the term, vote for oneself, ask all others; if nothing comes of it in time, begin again."""
        self.role = CANDIDATE
        self.leader = None
        self.term += 1
        self.persist_term(out)
        self.vote_for(self.id, out)
        out.note("term", self.term)
        out.note("voted", self.term, self.id)
        self.votes = {self.id}
        self.answered = {self.id}
        self.await_leader(out)
        self.ask_for_votes(out)
        self.count_votes(out)

    def ask_for_votes(self, out: Outbox) -> None:
        """§5.2, §5.5: ask in parallel, and ask again whoever has not answered, as long as one is a candidate."""
        if self.role != CANDIDATE:
            return
        request = RequestVote(self.term, len(self.log) - 1, self.log[-1].term)
        for peer in self.others:
            if peer not in self.answered:
                out.send(peer, request)
        out.set_timer("votes", self.heartbeat_ns)

    def vote_for(self, candidate: NodeId, out: Outbox) -> None:
        """§5.2, figure 2: a vote is on disk before it is given."""
        self.voted = candidate
        self.persist_vote(out)
        out.sync()

    def on_request_vote(self, sender: NodeId, message: RequestVote, out: Outbox) -> None:
        """Figure 2, RequestVote RPC: grant the vote, or do not."""
        if message.term > self.term:
            self.adopt(message.term, out)
        granted = message.term == self.term and self.is_free_for(sender) and self.is_as_fresh(message)
        if granted:
            self.vote_for(sender, out)
            self.await_leader(out)
        out.send(sender, Vote(self.term, granted))
        if granted:
            out.note("voted", self.term, sender)

    def is_free_for(self, candidate: NodeId) -> bool:
        """§5.2: one vote to a term, first come, first served."""
        return self.voted is None or self.voted == candidate

    def is_as_fresh(self, message: RequestVote) -> bool:
        """§5.4.1: the candidate's log is at least as up-to-date as one's own."""
        return (message.last_log_term, message.last_log_index) >= (self.log[-1].term, len(self.log) - 1)

    def on_vote(self, sender: NodeId, message: Vote, out: Outbox) -> None:
        """§5.2: collect the votes of this term."""
        if message.term > self.term:
            self.adopt(message.term, out)
        elif self.role == CANDIDATE and self.is_current(message):
            self.answered.add(sender)
            if message.granted:
                self.votes.add(sender)
                self.count_votes(out)

    def is_current(self, message: Vote) -> bool:
        """§5.1: an answer from an earlier term is ignored."""
        return message.term == self.term

    def count_votes(self, out: Outbox) -> None:
        """§5.2: the votes of a majority make a leader."""
        if len(self.votes) >= self.majority:
            self.lead(out)

    def lead(self, out: Outbox) -> None:
        """§5.2: the election is won."""
        self.role = LEADER
        self.leader = self.id
        out.cancel_timer("election")
        out.note("leads", self.term)
