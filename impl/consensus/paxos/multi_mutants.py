"""Multi-Paxos with one rule broken in each: what a judge of Multi-Paxos must be able to see."""

from __future__ import annotations

from typing import ClassVar

from ...node import NodeId, Outbox
from ..machine import KeyValueStore, Outcome, Session
from ..messages import Command
from .messages import Ballot
from .multi import MultiPaxos
from .multi_messages import Entry


class AcceptsBelowPromise(MultiPaxos):
    """P1a broken: an acceptor accepts at a ballot below what it has promised."""

    def may_accept(self, ballot: Ballot) -> bool:  # noqa: ARG002  # the rule is what is missing
        """Always."""
        return True


class IgnoresAcceptedValue(MultiPaxos):
    """P2c broken: a new leader fills all slots that it does not know with no-ops, whatever was accepted there."""

    def command_for(self, slot: int, found: dict[int, Entry]) -> Command | None:  # noqa: ARG002  # the rule is missing
        """None."""
        return None


class SmallestAcceptedValue(MultiPaxos):
    """P2c broken: of several commands that were accepted in a slot, a new leader takes the one at the lowest ballot."""

    def is_more_binding(self, entry: Entry, than: Entry) -> bool:
        """The older."""
        return entry.ballot < than.ballot


class PromiseNotPersisted(MultiPaxos):
    """2.5 broken: a promise is given that is not on disk, so a crash forgets it."""

    def persist_promise(self, out: Outbox) -> None:
        """Nothing."""


class AcceptanceNotPersisted(MultiPaxos):
    """2.5 broken: an acceptance is answered that is not on disk, so a crash forgets it."""

    def persist_acceptance(self, vote: Entry, out: Outbox) -> None:
        """Nothing."""


class MinorityDecides(MultiPaxos):
    """2.2 broken: a command counts as chosen although one acceptor is missing for a majority."""

    def is_chosen(self, voters: dict[NodeId, None]) -> bool:
        """One less."""
        return len(voters) >= max(1, self.majority - 1)


class ForgetsGaps(MultiPaxos):
    """3 broken: a command is executed as soon as it is decided, although slots before it are not."""

    def next_ready(self) -> Entry | None:
        """The lowest slot that is decided."""
        later = [slot for slot in self.chosen if slot > self.applied]
        return self.chosen[min(later)] if later else None


class LeaderReadsWithoutQuorum(MultiPaxos):
    """3 broken: a leader answers reads at once, although another one may have come after it."""

    def confirmed_round(self) -> int:
        """The one that is about to begin."""
        return self.round + 1


class ForgetfulStore(KeyValueStore):
    """A store that takes every command for a new one."""

    def is_duplicate(self, session: Session, command: Command) -> bool:  # noqa: ARG002  # the rule is what is missing
        """Never."""
        return False


class NoDuplicateDetection(MultiPaxos):
    """3 broken: a command that a client repeats, and that is decided twice, is executed twice."""

    machine: ClassVar[type[KeyValueStore]] = ForgetfulStore


class AnswersBeforeDecided(MultiPaxos):
    """3 broken: the leader answers as soon as it has proposed the command."""

    def offer(self, command: Command, out: Outbox) -> None:
        """Propose, and answer as if it were applied already."""
        super().offer(command, out)
        expects = command.argument[0] if isinstance(command.argument, tuple) else None
        result = self.store.get(command.key) == expects if command.action == "cas" else None
        self.answer(self.next_slot - 1, command, Outcome(result), out)


MUTANTS = (
    AcceptsBelowPromise,
    IgnoresAcceptedValue,
    SmallestAcceptedValue,
    PromiseNotPersisted,
    AcceptanceNotPersisted,
    MinorityDecides,
    ForgetsGaps,
    LeaderReadsWithoutQuorum,
    NoDuplicateDetection,
    AnswersBeforeDecided,
)
"""All of them."""
