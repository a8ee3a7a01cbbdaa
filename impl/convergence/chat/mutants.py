"""The reference chat with one rule broken in each: what the claims must find."""

from __future__ import annotations

from ...node import Outbox
from .messages import ChatMessage
from .reference import ChatNode


class NoMerge(ChatNode):
    """Takes messages in without merging their clocks into its own, which counts only what was posted here."""

    def merge(self, message: ChatMessage) -> None:
        """Count only messages of this node."""
        if message.sender == self.id:
            super().merge(message)


class ShowsOnArrival(ChatNode):
    """Shows a message as soon as it arrives, whatever it depends on."""

    def is_ready(self, message: ChatMessage) -> bool:  # noqa: ARG002  # that is the fault
        """Nothing ever waits."""
        return True


class NoRetry(ChatNode):
    """Sends each message to each node once, and repairs nothing."""

    def repair(self, out: Outbox) -> None:
        """Nothing is asked for."""


class NoDeduplication(ChatNode):
    """Shows each copy of a message that arrives."""

    def is_known(self, message: ChatMessage) -> bool:  # noqa: ARG002  # that is the fault
        """Every message is new."""
        return False


MUTANTS = (NoMerge, ShowsOnArrival, NoRetry, NoDeduplication)
