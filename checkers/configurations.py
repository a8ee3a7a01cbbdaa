"""Whose majority counts: the configurations that a node goes by (Ongaro, Consensus: Bridging Theory and Practice, 4).

A configuration is in force at a node from the append of its entry on, committed or not. A node starts a change only when
the one before is committed, so that it goes by two at most: the last one known to be committed, and one on its way.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence

import msgspec

from ..histories.errors import MalformedHistory
from ..histories.trace import Note
from .notes import number


class Configuration(msgspec.Struct, frozen=True):
    """The members of a cluster, and the index of the entry that says so (0: it was set up with them)."""

    index: int
    members: tuple[str, ...]

    def has_majority(self, nodes: Collection[str]) -> bool:
        """Whether these nodes are more than half of the members."""
        return 2 * sum(member in nodes for member in self.members) > len(self.members)


class Configurations:
    """What one node goes by, as far as it has noted it."""

    def __init__(self) -> None:
        self._from: list[Configuration] = []
        self._settled = 0

    def go_by(self, note: Note) -> None:
        """Take in a `configured`. Whatever came from that index on is gone: a truncation took it away."""
        index, members = number(note, "index"), note.facts[1]
        if not isinstance(members, tuple) or not all(isinstance(member, str) for member in members):
            raise MalformedHistory(
                f"in the note '{note}' the members are no list of nodes",
                field="members",
                hint="Note the facts in the order in which `histories.trace.FACTS` names them",
            )
        self._from = [known for known in self._from if known.index < index]
        self._from.append(Configuration(index, tuple(map(str, members))))
        self.settle(self._settled)

    def settle(self, index: int) -> None:
        """Take in that all entries up to this index are committed: of those configurations only the last one counts."""
        self._settled = max(self._settled, index)
        while len(self._from) > 1 and self._from[1].index <= self._settled:
            del self._from[0]

    def unsettle(self, first: int) -> None:
        """Take in that the log is gone from this index on, whatever was said of it."""
        self._settled = min(self._settled, first - 1)

    def in_force(self) -> Sequence[Configuration]:
        """From the last one known to be committed to the current one; none where the node has not said."""
        return tuple(self._from)

    @property
    def settled(self) -> Configuration | None:
        """The last one that is known to be committed."""
        return self._from[0] if self._from and self._from[0].index <= self._settled else None
