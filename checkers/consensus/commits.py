"""How leaders commit (Ongaro and Ousterhout, 5.3 and 5.4.2)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from ...histories.trace import Note
from ..monitor import SafetyProperty, number, tell
from ..replicas import Held, Replica, Replicas
from ..verdict import Anomaly

QUORUM: Final = "A leader commits what a majority of the members holds durably."
OWN_TERM: Final = "A leader commits by counting only an entry of its own term; earlier ones are committed below it."


class CommitByQuorum(SafetyProperty):
    """What a leader commits is on a majority of the disks of its members, and of its own term.

    `committed` of a node that leads is a commit by counting: up to an entry that a majority of the configuration in force
    at the leader holds durably (who is down or silent counts as holding what it may hold), and whose term is the leader's.
    An entry of an older term is committed together with one of the leader's own above it; where somebody knew before that
    it is committed, saying so is no commit. An entry that nobody knows is not judged.
    """

    name = "commit-by-quorum"
    looks_at = ("leads", "committed", "appended")

    def __init__(self, *, nodes: Sequence[str] = ()) -> None:
        super().__init__(nodes=nodes)
        self._replicas = Replicas(nodes)
        self._highest = 0

    def observe(self, note: Note, /) -> Anomaly | None:
        """Take in a note; what a leader commits is judged."""
        self._replicas.observe(note)
        if note.kind != "committed":
            return None
        index, known = number(note, "index"), self._highest
        self._highest = max(known, index)
        leader = self._replicas[note.node]
        held = leader.log.get(index)
        if leader.leads is None or held is None:
            return None
        self.judged += 1
        return self._count(held, leader.leads, note) or (_by_term(held, leader, note) if index > known else None)

    def _count(self, held: Held, leads: Note, note: Note) -> Anomaly | None:
        configuration = self._replicas.in_force(note.node)[-1]
        holders = [node for node in configuration.members if self._replicas[node].may_hold(held.index, held.term)]
        if configuration.has_majority(holders):
            return None
        who = f"at most {', '.join(holders)}" if holders else "none"
        headline = (
            f"{note.node} commits index {held.index} of term {held.term}; "
            f"of its members {', '.join(configuration.members)} {who} can hold it:"
        )
        logs = [self._replicas[node].log for node in holders]
        testimony = [log[held.index].note for log in logs if held.index in log]
        return tell("too-few-disks", headline, leads, *testimony, note, because=QUORUM)


def _by_term(held: Held, leader: Replica, note: Note) -> Anomaly | None:
    leads = leader.leads
    if leads is None or held.term >= number(leads, "term"):
        return None
    headline = (
        f"{note.node} leads in term {number(leads, 'term')}, and commits up to index {held.index} of term {held.term}:"
    )
    return tell("old-term-by-counting", headline, held.note, leads, note, because=OWN_TERM)
