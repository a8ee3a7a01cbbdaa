"""Acceptors: what they may promise and accept, and how they remember it (2.2, 2.5)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final, Generic, Protocol, TypeVar

from ...node import Context, Key, Message, Outbox, Value
from .messages import NO_BALLOT, Ballot

PROMISED: Final = "promised"
ACCEPTED: Final = "accepted"


class Votable(Protocol):
    """What can be accepted: something proposed for a slot, at a ballot."""

    @property
    def slot(self) -> int:
        """The decree that it is about."""
        ...

    @property
    def ballot(self) -> Ballot:
        """At which it was proposed."""
        ...

    @property
    def told(self) -> Value:
        """What notes say of its value."""
        ...


class VotableMessage(Message, Votable, frozen=True):  # type: ignore[misc]  # a struct whose fields stand in its kinds
    """What can be accepted, sent and stored."""
