"""Terms, votes and leaders (Ongaro and Ousterhout, 'In Search of an Understandable Consensus Algorithm', 5.1 and 5.2)."""

from __future__ import annotations

from collections.abc import Sequence

from ...histories.trace import Note
from ...histories.values import Value
from ..monitor import SafetyProperty
from ..notes import number, tell
from ..verdict import Anomaly


class ElectionSafety(SafetyProperty):
    """At most one node leads in a term. The same node may be elected in it again, after a crash."""

    name = "election-safety"
    looks_at = ("leads",)
    heeds = frozenset(looks_at)

    def __init__(self, *, nodes: Sequence[str] = ()) -> None:
        super().__init__(nodes=nodes)
        self._leaders: dict[int, Note] = {}

    def observe(self, note: Note, /) -> Anomaly | None:
        """Take in a note; only `leads` says anything here."""
        if note.kind != "leads":
            return None
        self.judged += 1
        term = number(note, "term")
        leader = self._leaders.setdefault(term, note)
        if leader.node == note.node:
            return None
        rule = "A term has at most one leader."
        return tell(
            "two-leaders", f"Both {leader.node} and {note.node} lead in term {term}:", leader, note, because=rule
        )


class VotesOnce(SafetyProperty):
    """A node votes for one candidate in a term, whatever crash comes between. The vote that it restored is its vote."""

    name = "votes-once"
    looks_at = ("voted",)
    heeds = frozenset({"voted", "restored"})

    def __init__(self, *, nodes: Sequence[str] = ()) -> None:
        super().__init__(nodes=nodes)
        self._votes: dict[tuple[str, int], tuple[Value, Note]] = {}

    def observe(self, note: Note, /) -> Anomaly | None:
        """Take in a note; `voted` and `restored` tell of votes."""
        if note.kind not in self.heeds:
            return None
        candidate = note.fact("candidate" if note.kind == "voted" else "voted")
        if candidate is None:
            return None
        self.judged += 1
        term = number(note, "term")
        first, earlier = self._votes.setdefault((note.node, term), (candidate, note))
        if first == candidate:
            return None
        headline = f"In term {term}, {note.node} votes for {first} and for {candidate}:"
        return tell("voted-twice", headline, earlier, note, because="A node has one vote in a term, crash or no crash.")


class TermMonotone(SafetyProperty):
    """The current term of a node never goes back, not over a restart either."""

    name = "term-monotone"
    looks_at = ("term", "voted", "leads")
    heeds = frozenset({*looks_at, "restored"})

    def __init__(self, *, nodes: Sequence[str] = ()) -> None:
        super().__init__(nodes=nodes)
        self._highest: dict[str, Note] = {}

    def observe(self, note: Note, /) -> Anomaly | None:
        """Take in a note; every kind that tells the current term counts."""
        if note.kind not in self.heeds:
            return None
        self.judged += 1
        term = number(note, "term")
        highest = self._highest.get(note.node)
        if highest is None or term >= number(highest, "term"):
            self._highest[note.node] = note
            return None
        headline = f"{note.node} is in term {term} after it was in term {number(highest, 'term')}:"
        return tell("term-went-back", headline, highest, note, because="The current term of a node only grows.")
