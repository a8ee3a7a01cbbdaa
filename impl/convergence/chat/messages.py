"""What chat nodes and their clients say to each other."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeAlias

from ...node import Message, NodeId, Reply, Request

Clock: TypeAlias = tuple[tuple[NodeId, int], ...]
"""A vector clock on the wire: sorted pairs of a node and the number of its messages; who is missing has none."""


class ChatMessage(Message, frozen=True):
    """One message between people (`ChatMessage`).

    Attributes:
        id: unique in the whole system.
        text: what its author wrote (`Content`).
        sender: the node that it was posted at.
        timestamp_ns: the sender's wall clock, for people; nothing is decided by it.
        clock: the sender's vector clock when it was posted, itself counted.
        reply_to: the id of the message that it answers, if its author answered one.
    """

    id: str
    text: str
    sender: NodeId
    timestamp_ns: int
    clock: Clock
    reply_to: str | None = None


class Send(Request, frozen=True):
    """A client posts a text (`SendMessage`)."""

    text: str
    reply_to: str | None = None


class Sent(Reply, frozen=True):
    """It is posted, under this id."""

    id: str


class GetMessages(Request, frozen=True):
    """A client asks for all messages that the node shows (`GetMessages`)."""


class Messages(Reply, frozen=True):
    """All messages that the node shows, in its order."""

    messages: tuple[ChatMessage, ...]


class Replicate(Message, frozen=True):
    """Copies of messages for another node (`replicateMessage`)."""

    messages: tuple[ChatMessage, ...]


class Summary(Message, frozen=True):
    """What a node has taken in: it asks for the rest."""

    clock: Clock


def to_wire(clock: Mapping[NodeId, int]) -> Clock:
    """The clock as it stands in messages."""
    return tuple(sorted(clock.items()))
