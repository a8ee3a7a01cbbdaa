"""A log whose beginning may have given way to a snapshot (§5.3, §7)."""

from __future__ import annotations

from collections.abc import Iterable

from .messages import Entry


class Log:
    """The entries above `base`, by the indices of the paper, which count from 1.

    Attributes:
        base: a snapshot stands for everything up to here; 0: for nothing.
        entries: what stands at `base` (of which only the term counts), and all that follow it.
        last_index: of the last entry; `base` where there is none.
    """

    __slots__ = ("base", "entries", "last_index")

    def __init__(self, base: int = 0, base_term: int = 0) -> None:
        self.base = self.last_index = base
        self.entries = [Entry(base_term)]

    def __getitem__(self, index: int) -> Entry:
        return self.entries[index - self.base]

    @property
    def last_term(self) -> int:
        """The term of the last entry."""
        return self.entries[-1].term

    def holds(self, index: int, term: int) -> bool:
        """Whether the entry at this index, or what a snapshot has in its place, is of this term."""
        return self.base <= index <= self.last_index and self.entries[index - self.base].term == term

    def extend(self, entries: Iterable[Entry]) -> None:
        """Put entries at the end."""
        self.entries.extend(entries)
        self.last_index = self.base + len(self.entries) - 1

    def truncate(self, first: int) -> None:
        """Take away the entry at this index, and all that follow it."""
        del self.entries[first - self.base :]
        self.last_index = first - 1

    def compact(self, index: int) -> None:
        """Forget everything up to this index, except its term."""
        self.entries = [Entry(self[index].term), *self.entries[index - self.base + 1 :]]
        self.base = index
