"""Single-decree Paxos: the reference. Each node is proposer, acceptor and learner."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from ...node import Context, Message, NodeId, Outbox, Value
from ..messages import Answer
from .acceptor import Acceptor
from .messages import (
    DECREE,
    NO_BALLOT,
    Accept,
    Accepted,
    Ballot,
    Decided,
    Learn,
    Prepare,
    Promise,
    Proposal,
    Propose,
    Refused,
)

IDLE: Final = "idle"
PREPARING: Final = "preparing"
PROPOSING: Final = "proposing"


class Paxos(Acceptor[Proposal]):
    """A node of a cluster that decides one value.

    A node that was asked to propose tries ballot after ballot until it knows what is chosen. What it has learned it keeps
    in memory only: after a crash, phase 1 of any ballot finds it again.

    Settings: `retransmit_ns`, after which whoever has not answered is asked again; `back_off` (true), whether a proposer
    whose ballot was refused waits for a random time, which doubles each time from `back_off_ns` to `back_off_max_ns` at
    most.
    """

    def __init__(self, context: Context) -> None:
        super().__init__(context)
        settings = context.settings
        self.retransmit_ns: int = settings["retransmit_ns"]
        self.backs_off: bool = settings.get("back_off", True)
        self.back_off_ns: int = settings["back_off_ns"]
        self.back_off_max_ns: int = settings["back_off_max_ns"]
        self.patience_ns = self.back_off_ns
        self.own: Proposal | None = None
        self.decided: Proposal | None = None
        self.waiting: dict[NodeId, int] = {}
        self.phase = IDLE
        self.current: Ballot = NO_BALLOT
        self.proposal: Proposal | None = None
        self.promises: dict[NodeId, Proposal | None] = {}
        self.acceptances: dict[NodeId, None] = {}
        self.handlers: dict[type[Message], Callable[[NodeId, Any, Outbox], None]] = {
            Propose: self.on_propose,
            Learn: self.on_learn,
            Prepare: self.on_prepare,
            Promise: self.on_promise,
            Accept: self.on_accept,
            Accepted: self.on_accepted,
            Refused: self.on_refused,
            Decided: self.on_decided,
        }
        self.timers: dict[str, Callable[[Outbox], None]] = {
            "retransmit": self.ask,
            "back-off": self.begin_ballot,
        }

    def on_message(self, sender: NodeId, message: Message, out: Outbox) -> None:
        """Each type of message has its handler."""
        self.handlers[type(message)](sender, message, out)

    def on_timer(self, name: str, out: Outbox) -> None:
        """Each timer has its handler."""
        self.timers[name](out)

    # --- clients

    def on_propose(self, sender: NodeId, message: Propose, out: Outbox) -> None:
        """The first value that a node is asked for is its own; whoever asks is told what was chosen."""
        if self.decided is not None:
            out.send(sender, Answer(message.msg_id, self.decided.value))
            return
        self.waiting[sender] = message.msg_id
        if self.own is None:
            self.own = Proposal(DECREE, NO_BALLOT, message.value)
            out.note("proposed", message.value)
            self.begin_ballot(out)

    def on_learn(self, sender: NodeId, message: Learn, out: Outbox) -> None:
        """2.3: a learner says what it knows."""
        out.send(sender, Answer(message.msg_id, None if self.decided is None else self.decided.value))

    # --- phase 1

    def begin_ballot(self, out: Outbox) -> None:
        """2.2, phase 1a: choose a new ballot, and ask for promises; one's own comes first."""
        if self.decided is not None:
            return
        self.current = self.next_ballot()
        self.promise(self.current, out)
        self.phase = PREPARING
        self.promises = {self.id: self.accepted.get(DECREE)}
        self.ask(out)
        self.count_promises(out)

    def ask(self, out: Outbox) -> None:
        """2.1: messages may be lost, so whoever has not answered is asked again, as long as the ballot is not abandoned."""
        if self.phase == IDLE:
            return
        request: Message = Prepare(self.current)
        answered: dict[NodeId, Any] = self.promises
        if self.phase == PROPOSING and self.proposal is not None:
            request, answered = Accept(self.proposal), self.acceptances
        for peer in self.others:
            if peer not in answered:
                out.send(peer, request)
        out.set_timer("retransmit", self.retransmit_ns)

    def on_prepare(self, sender: NodeId, message: Prepare, out: Outbox) -> None:
        """2.2, phase 1b: promise, and say what was accepted last; or refuse."""
        if self.decided is not None:
            out.send(sender, Decided(self.decided.value))
        elif self.may_promise(message.ballot):
            self.promise(message.ballot, out)
            out.send(sender, Promise(message.ballot, self.accepted.get(DECREE)))
            self.give_way_to(message.ballot, out)
        else:
            out.send(sender, Refused(message.ballot, self.promised))

    def on_promise(self, sender: NodeId, message: Promise, out: Outbox) -> None:
        """2.2, phase 2a: collect the promises of this ballot."""
        if self.phase == PREPARING and self.is_current(message.ballot):
            self.promises[sender] = message.accepted
            self.count_promises(out)

    def is_current(self, ballot: Ballot) -> bool:
        """2.2: only what answers this very ballot counts for it."""
        return ballot == self.current

    def count_promises(self, out: Outbox) -> None:
        """2.2, phase 2a: with the promises of a majority, propose."""
        if len(self.promises) >= self.majority:
            self.propose(out)

    # --- phase 2

    def propose(self, out: Outbox) -> None:
        """2.2, phase 2a: ask for acceptance; one's own comes first."""
        self.phase = PROPOSING
        self.proposal = Proposal(DECREE, self.current, self.value_to_propose())
        self.acceptances = {self.id: None}
        self.accept((self.proposal,), out)
        self.ask(out)
        self.count_acceptances(out)

    def value_to_propose(self) -> Value:
        """P2c (B3): the value that was accepted at the highest ballot, if those who promised accepted any; else one's own."""
        found = [accepted for accepted in self.promises.values() if accepted is not None]
        if found:
            return self.binding(found).value
        assert self.own is not None
        return self.own.value

    def binding(self, found: list[Proposal]) -> Proposal:
        """P2c (B3): of several, the one at the highest ballot."""
        return max(found, key=lambda accepted: accepted.ballot)

    def on_accept(self, sender: NodeId, message: Accept, out: Outbox) -> None:
        """2.2, phase 2b: accept, or refuse."""
        ballot = message.proposal.ballot
        if self.decided is not None:
            out.send(sender, Decided(self.decided.value))
        elif self.may_accept(ballot):
            self.accept((message.proposal,), out)
            out.send(sender, Accepted(ballot))
            self.give_way_to(ballot, out)
        else:
            out.send(sender, Refused(ballot, self.promised))

    def on_accepted(self, sender: NodeId, message: Accepted, out: Outbox) -> None:
        """2.3: collect the acceptances of this ballot."""
        if self.phase == PROPOSING and self.is_current(message.ballot):
            self.acceptances[sender] = None
            self.count_acceptances(out)

    def count_acceptances(self, out: Outbox) -> None:
        """2.2, 2.3: what a majority has accepted is chosen, and the others are told so."""
        if self.is_chosen() and self.proposal is not None:
            self.learn(self.proposal, out)
            for peer in self.others:
                out.send(peer, Decided(self.proposal.value))

    def is_chosen(self) -> bool:
        """2.2: a value is chosen when a majority has accepted it at one ballot."""
        return len(self.acceptances) >= self.majority

    # --- ballots that fail

    def on_refused(self, sender: NodeId, message: Refused, out: Outbox) -> None:  # noqa: ARG002  # as all handlers
        """2.2: abandon a ballot that an acceptor has promised not to accept."""
        self.hear_of(message.promised)
        if self.phase != IDLE and self.is_current(message.ballot):
            self.abandon(out)

    def give_way_to(self, ballot: Ballot, out: Outbox) -> None:
        """2.2: one's own acceptor has promised more than one's own ballot; 2.4: whoever waits, waits anew for the others."""
        if self.own is None or ballot <= self.current:
            return
        if self.phase != IDLE:
            self.abandon(out)
        elif self.backs_off:
            self.back_off(out)

    def abandon(self, out: Outbox) -> None:
        """2.4: try again, but leave others the time to finish, or two proposers may keep each other from it for ever."""
        self.phase = IDLE
        out.cancel_timer("retransmit")
        if not self.backs_off:
            self.begin_ballot(out)
            return
        self.back_off(out)
        self.patience_ns = min(2 * self.patience_ns, self.back_off_max_ns)

    def back_off(self, out: Outbox) -> None:
        """2.4: the proposer whose time is the shortest goes first."""
        out.set_timer("back-off", self.back_off_ns + self.dice.below(self.patience_ns))

    # --- learning

    def on_decided(self, sender: NodeId, message: Decided, out: Outbox) -> None:  # noqa: ARG002  # as all handlers
        """2.3: somebody knows."""
        if self.decided is None:
            self.learn(Proposal(DECREE, NO_BALLOT, message.value), out)

    def learn(self, chosen: Proposal, out: Outbox) -> None:
        """2.3: remember what is chosen, tell whoever waits, and try no more."""
        self.phase = IDLE
        self.decided = chosen
        out.note("decided", DECREE, chosen.value)
        out.cancel_timer("retransmit")
        out.cancel_timer("back-off")
        for client, msg_id in self.waiting.items():
            out.send(client, Answer(msg_id, chosen.value))
        self.waiting.clear()
