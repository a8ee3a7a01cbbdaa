"""What the nodes of Multi-Paxos say to each other, and what they keep on disk.

The papers are Lamport, "Paxos Made Simple", section 3; van Renesse and Altinbuken, "Paxos Made Moderately Complex"; and
Chandra, Griesemer and Redstone, "Paxos Made Live".
"""

from __future__ import annotations

from ...node import Message, Value
from ..messages import Command, StoreImage
from .messages import Ballot, Vote


class Entry(Vote, frozen=True):
    """A command that was proposed for a slot; None is the no-op that fills a gap (3)."""

    command: Command | None

    @property
    def told(self) -> Value:
        """What notes say of it: the client and its number too, so that no two commands are told alike."""
        command = self.command
        if command is None:
            return None
        return (command.client, command.msg_id, command.action, command.key, command.argument)


class Snapshot(Message, frozen=True):
    """What stands for everything up to and including `slot` (Paxos Made Live, 5.5)."""

    slot: int
    image: StoreImage


class PrepareAll(Message, frozen=True):
    """Phase 1a for all slots at once: the sender asks for promises, and for what was accepted from slot `first` on."""

    ballot: Ballot
    first: int


class PromiseAll(Message, frozen=True):
    """Phase 1b: what the sender has accepted from `first` on; a snapshot stands for what it no longer keeps of that."""

    ballot: Ballot
    accepted: tuple[Entry, ...]
    snapshot: Snapshot | None


class AcceptAll(Message, frozen=True):
    """Phase 2a for some slots; without any, the leader asserts itself.

    Attributes:
        decided: all slots up to here are decided.
        round: numbers the questions 'does nobody else lead?' that reads ask.
    """

    ballot: Ballot
    entries: tuple[Entry, ...]
    decided: int
    round: int


class AcceptedAll(Message, frozen=True):
    """Phase 2b: the sender has accepted what was proposed for these slots at the ballot."""

    ballot: Ballot
    slots: tuple[int, ...]
    round: int


class Fetch(Message, frozen=True):
    """A learner that missed decisions asks for those from slot `first` on."""

    first: int


class Chosen(Message, frozen=True):
    """The answer to `Fetch`: decided entries, and a snapshot if some are not kept any more; `decided`: there are so many."""

    entries: tuple[Entry, ...]
    snapshot: Snapshot | None
    decided: int
