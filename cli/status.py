"""What a command says to the shell: its exit status."""

from __future__ import annotations

from collections.abc import Iterable
from enum import IntEnum
from typing import Final


class Status(IntEnum):
    """The exit statuses, each with its one meaning."""

    UPHELD = 0
    REFUTED = 1
    MISUSE = 2  # of the command line, or a malformed input
    UNDECIDED = 3
    INTERRUPTED = 130


GRAVITY: Final = (Status.INTERRUPTED, Status.MISUSE, Status.REFUTED, Status.UNDECIDED, Status.UPHELD)
"""Of many inputs the gravest decides, in this order."""


def gravest(statuses: Iterable[Status]) -> Status:
    """The exit status for many inputs; for none it is UPHELD, since nothing was asked."""
    found = set(statuses)
    return next((status for status in GRAVITY if status in found), Status.UPHELD)


def status_of(word: str) -> Status:
    """The exit status for a verdict's word: `upheld`, `refuted` or `undecided`."""
    return Status[word.upper()]
