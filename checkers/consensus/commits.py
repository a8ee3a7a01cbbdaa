"""How leaders commit (Ongaro and Ousterhout, 5.3 and 5.4.2)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar, Final

from ...histories.trace import LIFECYCLE, Note
from ..change import Change, Quorum
from ..entries import Held
from ..monitor import SafetyProperty
from ..notes import number, tell
from ..verdict import Anomaly
from .changes import LogProperty

QUORUM: Final = "A leader commits what a majority of the members holds durably."
OWN_TERM: Final = "A leader commits by counting only an entry of its own term; earlier ones are committed below it."
STANDS: Final = "What is committed stays so: in one life of a node its commit index never goes back."


class CommitStands(SafetyProperty):
    """In one life of a node its commit index never goes back (Ongaro and Ousterhout, figure 2: it increases monotonically).

    What it installs from a snapshot is committed, too. A node that starts again has forgotten how far it had come.
    """

    name = "commit-stands"
    looks_at = ("committed",)
    heeds: ClassVar = frozenset({"committed", "installed", *LIFECYCLE})

    def __init__(self, *, nodes: Sequence[str] = ()) -> None:
        super().__init__(nodes=nodes)
        self._last: dict[str, Note] = {}

    def observe(self, note: Note, /) -> Anomaly | None:
        """Take in a note."""
        if note.kind in LIFECYCLE:
            self._last.pop(note.node, None)
            return None
        if note.kind not in self.heeds:
            return None
        before = self._last.get(note.node)
        self._last[note.node] = note
        if before is None:
            return None
        self.judged += 1
        index, had = number(note, "index"), number(before, "index")
        if index >= had:
            return None
        headline = f"{note.node} takes the commitment of indices {index + 1} to {had} back:"
        return tell("commit-went-back", headline, before, note, because=STANDS)


class CommitByQuorum(LogProperty):
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
        self._highest = 0

    def judge(self, note: Note, change: Change) -> Anomaly | None:
        """Take in a note; what a leader commits is judged."""
        if note.kind != "committed":
            return None
        index, known = number(note, "index"), self._highest
        self._highest = max(known, index)
        quorum = change.quorum
        if quorum is None or quorum.held is None or quorum.leads is None:
            return None
        self.judged += 1
        return _by_count(quorum, quorum.held, quorum.leads, note) or (
            _by_term(quorum.held, quorum.leads, note) if index > known else None
        )


def _by_count(quorum: Quorum, held: Held, leads: Note, note: Note) -> Anomaly | None:
    configuration = quorum.in_force[-1]
    if configuration.has_majority(quorum.holders):
        return None
    holders = [node for node in configuration.members if node in quorum.holders]
    who = f"at most {', '.join(holders)}" if holders else "none"
    headline = (
        f"{note.node} commits index {held.index} of term {held.term}; "
        f"of its members {', '.join(configuration.members)} {who} can hold it:"
    )
    testimony = [there.note for node in holders if (there := quorum.holders[node]) is not None]
    return tell("too-few-disks", headline, leads, *testimony, note, because=QUORUM)


def _by_term(held: Held, leads: Note, note: Note) -> Anomaly | None:
    term = number(leads, "term")
    if held.term >= term:
        return None
    headline = f"{note.node} leads in term {term}, and commits up to index {held.index} of term {held.term}:"
    return tell("old-term-by-counting", headline, held.note, leads, note, because=OWN_TERM)
