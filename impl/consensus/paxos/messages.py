"""What the nodes of single-decree Paxos and their clients say to each other, and what acceptors keep on disk.

The papers are Lamport, "Paxos Made Simple" (2001), by its sections, and "The Part-Time Parliament" (1998). The rules P1 to
P2c, P1a and B1 to B3 are named as there.
"""

from __future__ import annotations

from typing import Final, TypeAlias

from ...node import Message, NodeId, Request, Value

Ballot: TypeAlias = tuple[int, NodeId]
"""A proposal number: numbers are compared first, then nodes, so that no two nodes ever use the same (2.2; B1)."""

NO_BALLOT: Final[Ballot] = (0, "")
"""Lower than every ballot."""

DECREE: Final = 1
"""The slot of a decree that stands alone."""


class Vote(Message, frozen=True):
    """What was proposed for a slot at a ballot; subclasses say what. An acceptor that accepts it keeps it on disk."""

    slot: int
    ballot: Ballot

    @property
    def told(self) -> Value:
        """What notes say of its value."""
        raise NotImplementedError


class Proposal(Vote, frozen=True):
    """A value that was proposed."""

    value: Value

    @property
    def told(self) -> Value:
        """What notes say of its value."""
        return self.value


class Prepare(Message, frozen=True):
    """Phase 1a: the sender asks for promises."""

    ballot: Ballot


class Promise(Message, frozen=True):
    """Phase 1b: the sender accepts nothing below the ballot any more, and says what it accepted last."""

    ballot: Ballot
    accepted: Proposal | None


class Accept(Message, frozen=True):
    """Phase 2a: the sender asks for acceptance."""

    proposal: Proposal


class Accepted(Message, frozen=True):
    """Phase 2b: the sender has accepted what was proposed at the ballot."""

    ballot: Ballot


class Refused(Message, frozen=True):
    """The sender has promised more than `ballot`: the proposer had better abandon it (2.2)."""

    ballot: Ballot
    promised: Ballot


class Decided(Message, frozen=True):
    """The value is chosen (2.3)."""

    value: Value


class Propose(Request, frozen=True):
    """A client asks for its value to be chosen; the answer is the one that is."""

    value: Value


class Learn(Request, frozen=True):
    """A client asks what was chosen; the answer is null where the node does not know."""
