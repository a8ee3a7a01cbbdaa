"""Entries of logs, and the prefixes that logs share."""

from __future__ import annotations

from typing import Any, Final

import msgspec

from ..histories.trace import Note
from ..histories.values import Value, identity, same

PLAIN: Final = frozenset({int, str, bool, type(None)})
"""Types whose values are the same exactly when they are equal, and their types are."""


def is_same(left: Value, right: Value) -> bool:
    """`values.same`, fast for what commands mostly are: one object, or tuples of words and numbers."""
    if left is right:
        return True
    if type(left) is tuple and type(right) is tuple:
        types = [*map(type, left)]
        if PLAIN.issuperset(types):
            return left == right and types == [*map(type, right)]
    return same(left, right)


class Prefix(msgspec.Struct, frozen=True, eq=False):
    """A log up to and including one entry. Two logs are the same up to there exactly when they share this object."""

    below: Prefix | None
    index: int
    term: int
    command: Value


class Prefixes:
    """Every prefix that some node is known to have held, each of them once."""

    def __init__(self) -> None:
        self._above: dict[tuple[Prefix | None, int, int], list[Prefix]] = {}
        self._of_entry: dict[tuple[int, int], Prefix | None] = {}

    def above(self, below: Prefix | None, index: int, term: int, command: Value) -> Prefix:
        """The prefix that ends with this entry, above that one."""
        alike = self._above.setdefault((below, index, term), [])
        for known in alike:
            if is_same(known.command, command):
                return known
        found = Prefix(below, index, term, command)
        alike.append(found)
        self._of_entry[index, term] = None if (index, term) in self._of_entry else found
        return found

    def of(self, index: int, term: int) -> Prefix | None:
        """The one prefix that ends with the entry of this index and term; None when there is none, or more than one."""
        return self._of_entry.get((index, term))


class Held(msgspec.Struct, frozen=True):
    """An entry in the log of a node.

    `note` is the node's own word for it, `appended` or `installed`; `prefix` is None where something below is unknown.
    """

    index: int
    term: int
    command: Value
    note: Note
    prefix: Prefix | None

    def is_same_entry(self, other: Held) -> bool:
        """Whether both are the same entry: index, term and command."""
        return self.index == other.index and self.term == other.term and is_same(self.command, other.command)

    @property
    def entry(self) -> tuple[int, int, Any]:
        """The entry as a hashable key."""
        return self.index, self.term, identity(self.command)
