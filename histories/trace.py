"""What happened inside the world: notes of nodes, their lives, and (in a full trace) every message."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Final, overload

import msgspec

from .values import Value

LIFECYCLE: Final = ("start", "crash", "restart")
"""What the world notes about a node in every run. `start` and `restart` open an incarnation, `crash` ends one."""

TRANSPORT: Final = ("send", "deliver", "drop", "timer")
"""What only a full trace holds. send(message_id, to, type, body) deliver(message_id, sender, type) drop(message_id, to, why) timer(name)"""

FACTS: Final[Mapping[str, tuple[str, ...]]] = {
    # the world's own
    "start": (),
    "crash": ("why",),
    "restart": (),
    "send": ("message_id", "to", "type", "body"),
    "deliver": ("message_id", "sender", "type"),
    "drop": ("message_id", "to", "why"),
    "timer": ("name",),
    # consensus
    "term": ("term",),
    "voted": ("term", "candidate"),
    "leads": ("term",),
    "restored": ("term", "voted", "last_index", "snapshot_index"),
    "configured": ("index", "members"),
    "compacted": ("index", "term"),
    "installed": ("index", "term"),
    "appended": ("index", "term", "command"),
    "truncated": ("first_index",),
    "committed": ("index", "term"),
    "applied": ("index", "term", "command", "client", "msg_id"),
    "acknowledged": ("index", "term", "client", "msg_id"),
    "proposed": ("value",),
    "promised": ("ballot",),
    "accepted": ("slot", "ballot", "value"),
    "decided": ("slot", "value"),
    # messages between people
    "posted": ("message", "clock", "reply_to", "text"),
    "arrived": ("message",),
    "delivered": ("message",),
    "shown": ("message",),
    # replicas of data types
    "merged": ("updates",),
    "state": ("digest", "fields"),
}
"""The names of a note's facts, by kind. A test holds the notes of every system against it.

`restored` is noted by a node that starts with something on its disk: its term, whom it voted for (None: nobody), the last
index of the log that it got back, and the index up to which a snapshot stands for the log (0: there is none). What is not
restored after a crash is lost, whatever was noted before.
`configured` says which members a node goes by from now on, and the index of the log entry that says so (0: it was set up
with them); an entry counts from its append on, so the note follows `appended`, and a truncation that takes the entry away
is followed by the configuration before it. A node that starts notes it after `restored`, or first of all.
`compacted` is noted when a durable snapshot has taken the place of the log up to an index, `installed` when that snapshot
came from another node: the state machine stands at that index then, and what the log held up to there is gone, or, where
its entry at that index is another one, all of it.
`promised`, `accepted` and `decided` are what acceptors and learners of Paxos do: a ballot is (number, node), compared in
that order; the first two are noted when they are durable. A decree alone is slot 1.
`acknowledged` is noted where an answer to a client leaves: for which entry, of which term.
`posted` is a message put into the system at its own node, with the vector clock it carries as sorted (node, count) pairs;
`arrived` is a copy of it reaching another node, new or not; `delivered` is the moment when that node takes it in; and
`shown` when a reader can see it, at its own node too, from then until the node crashes. A node that restarts notes all
three again for what it got back from its disk, word for word; that is no second message.
`merged` names the ids of updates that a replica's state has taken in, its own too, one by one or those of another state that
was merged into it; what it had already may be named again, and a replica that restarts names what it got back. `state` is
the state as it stands then: a digest that is equal where states are, and any of its fields by name, for people.
"""


class Note(msgspec.Struct, frozen=True):
    """One thing that happened at a node.

    Attributes:
        time: virtual nanoseconds.
        node: where.
        kind: a key of `FACTS`.
        facts: positional; `FACTS[kind]` names them.
    """

    time: int
    node: str
    kind: str
    facts: tuple[Value, ...] = ()

    def fact(self, name: str) -> Value:
        """The fact of that name.

        Raises:
            ValueError: this kind of note has no such fact.
        """
        return self.facts[FACTS[self.kind].index(name)]

    def __str__(self) -> str:
        names = FACTS.get(self.kind, ())
        told = ", ".join(f"{name} {fact}" for name, fact in zip(names, self.facts, strict=False))
        return f"{self.node} {self.kind}" + (f" ({told})" if told else "")


class Trace(Sequence[Note]):
    """The notes of one run in the order in which they happened.

    Attributes:
        nodes: every node that the run began with, in the order of the cluster.
    """

    __slots__ = ("_notes", "nodes")

    def __init__(self, notes: Iterable[Note] = (), *, nodes: Sequence[str] = ()) -> None:
        self._notes = tuple(notes)
        self.nodes = tuple(nodes)

    @overload
    def __getitem__(self, at: int) -> Note: ...
    @overload
    def __getitem__(self, at: slice) -> Trace: ...
    def __getitem__(self, at: int | slice) -> Note | Trace:
        return Trace(self._notes[at], nodes=self.nodes) if isinstance(at, slice) else self._notes[at]

    def __len__(self) -> int:
        return len(self._notes)

    def __iter__(self) -> Iterator[Note]:
        return iter(self._notes)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Trace) and (self._notes, self.nodes) == (other._notes, other.nodes)

    def __hash__(self) -> int:
        return hash((self._notes, self.nodes))

    def __repr__(self) -> str:
        return f"Trace({len(self._notes)} notes of {len(self.nodes)} nodes)"

    def of_kind(self, *kinds: str) -> list[Note]:
        """The notes of these kinds, in order."""
        return [note for note in self._notes if note.kind in kinds]
