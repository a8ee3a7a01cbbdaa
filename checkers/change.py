"""What a note changes in the log of its node, and what judges ask about that moment."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

import msgspec

from ..histories.trace import Note
from .configurations import Configuration
from .entries import Held


class Log(msgspec.Struct, frozen=True):
    """The log of a node at some moment.

    Attributes:
        known: the known entries by index.
        unknown: indices of entries that are there, and of which nobody knows what they are (those in `known` excepted).
        open_from: from this index on there may be more, since the node is silent; None when there is no more.
    """

    known: Mapping[int, Held]
    unknown: range
    open_from: int | None = None

    def may_hold(self, index: int, term: int) -> bool:
        """Whether nothing rules out that the entry of this term is at this index."""
        held = self.known.get(index)
        if held is not None:
            return held.term == term
        return index in self.unknown or (self.open_from is not None and index >= self.open_from)


class Quorum(msgspec.Struct, frozen=True):
    """Whether a majority holds an entry.

    Attributes:
        holders: the nodes that may hold it, with the entry as they have noted it; None where they have not.
        in_force: the configurations that the node goes by which says something of the entry.
        held, leads: the entry in its own log, if it is known, and its `leads`, if it leads.
    """

    holders: Mapping[str, Held | None]
    in_force: Sequence[Configuration]
    held: Held | None
    leads: Note | None


class Change(msgspec.Struct, frozen=True):
    """What a note did to the log of its node, and how things stand then.

    `placed` are the entries that it put there (and those above, whose prefixes may have changed), `lost` the known entries
    that went away, and `lost_from` the index from which on something may have gone, known or not; None when nothing did.
    `committed` are the known entries of which the node says for the first time since it started that they are committed,
    and `term` is its current term then. `elected` is the log of a node when it begins to lead.

    Where the note is about an entry that a majority is to hold (`acknowledged`, or `committed` of a node that leads),
    `quorum` tells who may hold it. `all_logs` are those of all nodes when something was lost, or when a configuration is
    known to be committed for the first time, which is `settled` then.
    """

    placed: tuple[Held, ...] = ()
    lost: tuple[Held, ...] = ()
    lost_from: int | None = None
    committed: tuple[Held, ...] = ()
    term: int | None = None
    elected: Log | None = None
    quorum: Quorum | None = None
    all_logs: Mapping[str, Log] | None = None
    settled: Configuration | None = None


UNCHANGED: Final = Change()
