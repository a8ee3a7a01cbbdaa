"""Delta debugging (Zeller and Hildebrandt, "Simplifying and isolating failure-inducing input", 2002, section 3)."""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence
from typing import TypeVar

from ..plan import Plan

T = TypeVar("T")


def ddmin(items: Sequence[T], plan_of: Callable[[tuple[T, ...]], Plan]) -> Generator[Plan, bool, tuple[T, ...]]:
    """A shortest sub-sequence of which no single item can be left out: all are left out first, then halves, and so on."""
    kept, size = tuple(items), len(items)
    while size >= 1:
        at = 0
        while at < len(kept):
            rest = kept[:at] + kept[at + size :]
            if (yield plan_of(rest)):
                kept = rest
            else:
                at += size
        size = min(size // 2, len(kept))
    return kept
