"""What the logs of all nodes hold, as far as their own notes testify.

The rules of testimony:

- `appended`, `truncated`, `compacted`, `installed`, `term` and `voted` are noted when they are durable, that is, after the
  sync;
- what a snapshot stands for is still held: `compacted` takes nothing from a node. `installed` puts the prefix of an entry
  there that some node is known to have held; where nobody is, or several prefixes are told, what stands there is unknown;
- `restored` is the first note of a node that starts with something on its disk. Entries beyond its last index are lost;
  entries up to it that nobody noted (the crash came between sync and note) are there, and nobody knows what they are;
- a node that notes anything else first after a start came back with nothing;
- a node that is down, or has started and said nothing yet, still holds what it held.

Log indices start at 1.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Final

from msgspec.structs import replace

from ..histories.trace import LIFECYCLE, TRANSPORT, Note
from .change import UNCHANGED, Change, Quorum
from .configurations import Configuration
from .entries import Prefixes
from .notes import number
from .replica import Replica


class Replicas:
    """All nodes of a trace; `observe` every note, and ask about any node at any moment.

    Where no node has noted which members it goes by, they are the nodes that were named at first; where none were, all
    that have noted anything.
    """

    def __init__(self, nodes: Sequence[str] = ()) -> None:
        self._prefixes = Prefixes()
        self._replicas: dict[str, Replica] = {}
        self._founders = Configuration(0, tuple(nodes)) if nodes else None
        self._settled: Configuration | None = None

    def __getitem__(self, node: str) -> Replica:
        found = self._replicas.get(node)
        if found is None:
            found = self._replicas[node] = Replica(self._prefixes)
        return found

    @property
    def known(self) -> Mapping[str, Replica]:
        """The nodes that have noted anything, by name."""
        return self._replicas

    def in_force(self, node: str) -> Sequence[Configuration]:
        """What a node goes by: the last configuration known to be committed, if it has told, to the current one."""
        founders = self._founders or Configuration(0, tuple(self._replicas))
        return self[node].configurations.in_force() or (founders,)

    def observe(self, note: Note) -> Change:
        """Take in a note; answers what it did to the log of its node."""
        change = self._take_in(note)
        if change.lost_from is not None or note.kind in SETTLING:
            change = self._with_all_logs(note, change)
        if note.kind in COUNTED:
            change = self._with_quorum(note, change)
        return change

    def _take_in(self, note: Note) -> Change:
        replica = self._replicas.get(note.node) or self[note.node]
        take_in = TESTIMONY.get(note.kind)
        if not replica.is_silent and take_in is not None:
            return take_in(replica, note)
        if note.kind in LIFECYCLE:
            replica.is_silent = replica.is_silent or note.kind == "crash" or bool(replica.last_index)
            replica.start()
        if not replica.is_silent or note.kind in LIFECYCLE or note.kind in TRANSPORT:
            return UNCHANGED
        settled = _settle(replica, note)
        change = UNCHANGED if take_in is None else take_in(replica, note)
        return replace(change, lost=settled.lost, lost_from=settled.lost_from)

    def _with_all_logs(self, note: Note, change: Change) -> Change:
        settled = self[note.node].configurations.settled
        if settled is not None and (self._settled is None or settled.index > self._settled.index):
            self._settled = settled
        else:
            settled = None
        if settled is None and change.lost_from is None:
            return change
        all_logs = {node: replica.at_present() for node, replica in self._replicas.items()}
        return replace(change, all_logs=all_logs, settled=settled)

    def _with_quorum(self, note: Note, change: Change) -> Change:
        index, replica = note.facts[0], self[note.node]
        if type(index) is not int:
            return change
        held = replica.log.get(index)
        if note.kind == "acknowledged":
            term = number(note, "term")
        elif held is not None and replica.leads is not None:
            term = held.term
        else:
            return change
        known = self._replicas.items()
        holders = {node: other.log.get(index) for node, other in known if other.may_hold(index, term)}
        return replace(change, quorum=Quorum(holders, self.in_force(note.node), held, replica.leads))


COUNTED: Final = frozenset({"acknowledged", "committed"})
"""The notes about an entry that a majority is to hold."""

SETTLING: Final = frozenset({"committed", "compacted", "installed", "restored", "configured"})
"""The notes by which a configuration may come to be known as committed."""


def _settle(replica: Replica, note: Note) -> Change:
    """The first word of a node after its crash says what it came back with."""
    replica.is_silent = False
    is_restored = note.kind == "restored"
    kept = (number(note, "last_index"), number(note, "snapshot_index")) if is_restored else (0, 0)
    return replace(replica.restore(*kept), lost_from=max(kept) + 1)


def _term(replica: Replica, note: Note) -> Change:
    replica.enter(number(note, "term"))
    return UNCHANGED


def _restored(replica: Replica, note: Note) -> Change:
    replica.enter(number(note, "term"))
    return replica.restore(number(note, "last_index"), number(note, "snapshot_index"))


def _configured(replica: Replica, note: Note) -> Change:
    replica.configurations.go_by(note)
    return UNCHANGED


TESTIMONY: Final[Mapping[str, Callable[[Replica, Note], Change]]] = {
    "term": _term,
    "voted": _term,
    "leads": Replica.lead,
    "restored": _restored,
    "configured": _configured,
    "appended": Replica.append,
    "installed": Replica.install,
    "truncated": lambda replica, note: replica.truncate(number(note, "first_index")),
    "committed": lambda replica, note: replica.commit(number(note, "index")),
    "compacted": lambda replica, note: replica.compact(number(note, "index")),
}
"""How each kind of note changes what is known of its node."""
