"""Who leads: terms, votes and elections (§5.1, §5.2, §5.4.1), and what keeps a cluster from needless ones (thesis, 9.6)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from ...node import Context, Message, NodeId, Outbox
from .messages import PreVote, RequestPreVote, RequestVote, Vote
from .stable import Stable

FOLLOWER: Final = "follower"
PRE_CANDIDATE: Final = "pre-candidate"
CANDIDATE: Final = "candidate"
LEADER: Final = "leader"


class Voter(Stable):
    """A node as far as elections go.

    Settings: `election_min_ns` and `election_max_ns`, between which each election timeout is drawn; `heartbeat_ns`, after
    which whoever has not answered is asked again; `pre_vote` (on), whether a node asks around before it disturbs anybody
    with a new term; `check_quorum` (on), whether a leader without a majority resigns, and those who hear from a leader
    ignore candidates.
    """

    def __init__(self, context: Context) -> None:
        super().__init__(context)
        settings = context.settings
        self.dice = context.dice
        self.timeout_ns: int = settings["election_min_ns"]
        self.timeout_spread: int = settings["election_max_ns"] - self.timeout_ns + 1
        self.heartbeat_ns: int = settings["heartbeat_ns"]
        self.pre_vote: bool = settings.get("pre_vote", True)
        self.check_quorum: bool = settings.get("check_quorum", True)
        self.role = FOLLOWER
        self.leader: NodeId | None = None
        self.patience_ns = self.timeout_ns
        self.commit_index = self.snapshot.index
        self.promises: set[NodeId] = set()
        self.votes: set[NodeId] = set()
        self.answered: set[NodeId] = set()
        self.handlers: dict[type[Message], Callable[[NodeId, Any, Outbox], None]] = {
            RequestPreVote: self.on_request_pre_vote,
            PreVote: self.on_pre_vote,
            RequestVote: self.on_request_vote,
            Vote: self.on_vote,
        }
        self.timers: dict[str, Callable[[Outbox], None]] = {
            "silence": self.on_silence,
            "election": self.on_election_timeout,
            "votes": self.ask_again,
        }

    # --- the contract of a node

    def on_start(self, out: Outbox) -> None:
        """Start as a follower (§5.2)."""
        super().on_start(out)
        self.draw_patience(out)

    def on_message(self, sender: NodeId, message: Message, out: Outbox) -> None:
        """Each type of message has its handler."""
        self.handlers[type(message)](sender, message, out)

    def on_timer(self, name: str, out: Outbox) -> None:
        """Each timer has its handler."""
        self.timers[name](out)

    # --- terms

    def adopt(self, term: int, out: Outbox) -> None:
        """§5.1: whoever sees a higher term takes it over, and is a follower."""
        self.term, self.voted = term, None
        self.persist_ballot(out)
        out.note("term", term)
        self.step_down(out)

    def step_down(self, out: Outbox) -> None:
        """§5.1: a candidate or a leader whose term is over becomes a follower."""
        if self.role == LEADER:
            self.draw_patience(out)
        self.role = FOLLOWER
        self.leader = None
        self.promises.clear()
        self.votes.clear()

    # --- patience

    def draw_patience(self, out: Outbox) -> None:
        """§5.2: election timeouts are random, so that few nodes stand at the same time."""
        self.patience_ns = self.timeout_ns + self.dice.below(self.timeout_spread)
        self.await_leader(out)

    def await_leader(self, out: Outbox) -> None:
        """§5.2: without a sign of life from a leader for an election timeout, a node begins an election."""
        out.cancel_timer("silence")
        out.set_timer("election", self.patience_ns)

    def on_silence(self, out: Outbox) -> None:
        """Thesis, 4.2.3: for the smallest election timeout a node believes in its leader; then the random part begins."""
        self.leader = None
        out.set_timer("election", self.patience_ns - self.timeout_ns)

    def hears_a_leader(self) -> bool:
        """Thesis, 4.2.3: whether one believes in a leader; in oneself only when one would notice that nobody answers."""
        return self.leader is not None and (self.role != LEADER or self.check_quorum)

    # --- standing for election

    def on_election_timeout(self, out: Outbox) -> None:
        """§5.2: stand for election; thesis, 9.6: but first ask whether anybody would vote for oneself."""
        if not self.may_stand():
            return
        if self.pre_vote:
            self.ask_around(out)
        else:
            self.start_election(out)

    def may_stand(self) -> bool:
        """Thesis, 4.2.2: whoever has been removed stands to let all know of it, until that is committed; others wait."""
        if self.is_member:
            return True
        was_member = any(self.id in each.members for each in self.configurations)
        return was_member and self.configurations[-1].log_index > self.commit_index

    def ask_around(self, out: Outbox) -> None:
        """Thesis, 9.6: ask for promises. Those that came before stay good; so do votes, which may still decide the election."""
        self.role = PRE_CANDIDATE
        self.promises.add(self.id)
        self.ask_all(out)
        self.count_promises(out)

    def start_election(self, out: Outbox) -> None:
        """§5.2: increment the term, vote for oneself, ask all others; if nothing comes of it in time, begin again."""
        self.role = CANDIDATE
        self.term += 1
        self.vote_for(self.id, out)
        out.note("term", self.term)
        out.note("voted", self.term, self.id)
        self.promises.clear()
        self.votes = {self.id}
        self.ask_all(out)
        self.count_votes(out)

    def ask_all(self, out: Outbox) -> None:
        """§5.2: ask all others, and give them an election timeout."""
        self.leader = None
        self.answered = {self.id}
        self.draw_patience(out)
        self.ask_again(out)

    def ask_again(self, out: Outbox) -> None:
        """§5.2, §5.5: ask in parallel, and ask again whoever has not answered, as long as one stands."""
        if self.role not in {PRE_CANDIDATE, CANDIDATE}:
            return
        question = RequestVote if self.role == CANDIDATE else RequestPreVote
        request = question(self.term_stood_for, self.log.last_index, self.log.last_term)
        for peer in self.others:
            if peer not in self.answered:
                out.send(peer, request)
        out.set_timer("votes", self.heartbeat_ns)

    @property
    def term_stood_for(self) -> int:
        """The term of a candidate; of a pre-candidate the one after that."""
        return self.term if self.role == CANDIDATE else self.term + 1

    def count_promises(self, out: Outbox) -> None:
        """Thesis, 9.6: the promises of a majority make a candidate."""
        if self.are_majority(self.promises):
            self.start_election(out)

    def count_votes(self, out: Outbox) -> None:
        """§5.2: the votes of a majority make a leader."""
        if self.are_majority(self.votes):
            self.lead(out)

    def are_majority(self, nodes: set[NodeId]) -> bool:
        """§5.2: whether these are a majority of the members in force."""
        return len(nodes.intersection(self.members)) >= self.majority

    def lead(self, out: Outbox) -> None:
        """§5.2: the election is won."""
        self.role = LEADER
        self.leader = self.id
        self.promises.clear()
        self.votes.clear()
        out.cancel_timer("election")
        out.note("leads", self.term)

    # --- pre-votes

    def on_request_pre_vote(self, sender: NodeId, message: RequestPreVote, out: Outbox) -> None:
        """Thesis, 9.6: say whether one would vote for it; nothing changes by that."""
        granted = message.term > self.term and self.is_as_fresh(message) and not self.hears_a_leader()
        out.send(sender, PreVote(self.term, message.term, granted))

    def on_pre_vote(self, sender: NodeId, message: PreVote, out: Outbox) -> None:
        """Thesis, 9.6: collect promises for the next term; whoever is behind learns the term."""
        if message.term > self.term:
            self.adopt(message.term, out)
        elif self.role == PRE_CANDIDATE and message.asked == self.term + 1:
            self.answered.add(sender)
            if message.granted:
                self.promises.add(sender)
                self.count_promises(out)
            else:
                self.promises.discard(sender)

    # --- votes

    def vote_for(self, candidate: NodeId, out: Outbox) -> None:
        """§5.2, figure 2: a vote is on disk before it is given."""
        self.voted = candidate
        self.persist_ballot(out)

    def on_request_vote(self, sender: NodeId, message: RequestVote, out: Outbox) -> None:
        """Figure 2, RequestVote RPC: grant the vote, or do not."""
        if self.is_disruptive(message):
            return
        if message.term > self.term:
            self.adopt(message.term, out)
        granted = message.term == self.term and self.is_free_for(sender) and self.is_as_fresh(message)
        if granted:
            self.vote_for(sender, out)
            self.await_leader(out)
        out.send(sender, Vote(self.term, granted))
        if granted:
            out.note("voted", self.term, sender)

    def is_disruptive(self, message: RequestVote) -> bool:
        """Thesis, 4.2.3: while one hears from a leader, a candidate (one that was removed, perhaps) is ignored."""
        return self.check_quorum and message.term > self.term and self.hears_a_leader()

    def is_free_for(self, candidate: NodeId) -> bool:
        """§5.2: one vote to a term, first come, first served."""
        return self.voted is None or self.voted == candidate

    def is_as_fresh(self, message: RequestVote | RequestPreVote) -> bool:
        """§5.4.1: the candidate's log is at least as up-to-date as one's own."""
        return (message.last_log_term, message.last_log_index) >= (self.log.last_term, self.log.last_index)

    def on_vote(self, sender: NodeId, message: Vote, out: Outbox) -> None:
        """§5.2: collect the votes of this term."""
        if message.term > self.term:
            self.adopt(message.term, out)
        elif self.votes and self.is_current(message):
            if self.role == CANDIDATE:
                self.answered.add(sender)
            if message.granted:
                self.votes.add(sender)
                self.count_votes(out)

    def is_current(self, message: Vote) -> bool:
        """§5.1: an answer from an earlier term is ignored."""
        return message.term == self.term
