"""Single-decree Paxos with one rule broken in each: what a judge of Paxos must be able to see."""

from __future__ import annotations

from ...node import NodeId, Outbox, Value
from ..messages import Answer
from .messages import Ballot, Proposal, Propose
from .reference import Paxos


class AcceptsBelowPromise(Paxos):
    """P1a broken: an acceptor accepts at a ballot below what it has promised."""

    def may_accept(self, ballot: Ballot) -> bool:  # noqa: ARG002  # the rule is what is missing
        """Always."""
        return True


class PromisesBackwards(Paxos):
    """P1a broken: an acceptor promises at a ballot below what it has promised before."""

    def may_promise(self, ballot: Ballot) -> bool:  # noqa: ARG002  # the rule is what is missing
        """Always."""
        return True


class IgnoresAcceptedValue(Paxos):
    """P2c broken: a proposer proposes its own value, whatever was accepted before."""

    def value_to_propose(self) -> Value:
        """One's own."""
        return super().value_to_propose() if self.own is None else self.own.value


class SmallestAcceptedValue(Paxos):
    """P2c broken: of several values that were accepted, a proposer takes the one at the lowest ballot."""

    def binding(self, found: list[Proposal]) -> Proposal:
        """The oldest."""
        return min(found, key=lambda accepted: accepted.ballot)


class PromiseNotPersisted(Paxos):
    """2.5 broken: a promise is given that is not on disk, so a crash forgets it."""

    def persist_promise(self, out: Outbox) -> None:
        """Nothing."""


class AcceptanceNotPersisted(Paxos):
    """2.5 broken: an acceptance is answered that is not on disk, so a crash forgets it."""

    def persist_acceptance(self, vote: Proposal, out: Outbox) -> None:
        """Nothing."""


class MinorityDecides(Paxos):
    """2.2 broken: a value counts as chosen although one acceptor is missing for a majority."""

    def is_chosen(self) -> bool:
        """One less."""
        return len(self.acceptances) >= max(1, self.majority - 1)


class BallotsCollide(Paxos):
    """B1 broken: ballots are numbers alone, and two proposers may use the same."""

    def ballot(self, number: int) -> Ballot:
        """The number."""
        return (number, "")


class CountsAStalePromise(Paxos):
    """2.2 broken: a promise or an acceptance at an earlier ballot counts for this one."""

    def is_current(self, ballot: Ballot) -> bool:  # noqa: ARG002  # the rule is what is missing
        """Always."""
        return True


class AnswersBeforeDecided(Paxos):
    """2.3 broken: a node tells its client that the value is chosen as soon as it has proposed it."""

    def on_propose(self, sender: NodeId, message: Propose, out: Outbox) -> None:
        """Propose, and answer."""
        super().on_propose(sender, message, out)
        out.send(sender, Answer(message.msg_id, message.value))


class NoRetransmission(Paxos):
    """2.1 broken: each request is sent once, and a proposer waits for ever for an answer that was lost."""

    def ask(self, out: Outbox) -> None:
        """Once."""
        super().ask(out)
        out.cancel_timer("retransmit")


MUTANTS = (
    AcceptsBelowPromise,
    PromisesBackwards,
    IgnoresAcceptedValue,
    SmallestAcceptedValue,
    PromiseNotPersisted,
    AcceptanceNotPersisted,
    MinorityDecides,
    BallotsCollide,
    CountsAStalePromise,
    AnswersBeforeDecided,
    NoRetransmission,
)
"""All of them."""
