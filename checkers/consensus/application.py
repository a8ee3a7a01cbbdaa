"""What nodes do to their state machines.

`applied` is noted when the entry takes effect: when the state machine carries out the command. An entry without effect
(the empty entry of a new leader, a command that its session has seen already) is not noted, or noted with the command
None. So an index that *no* node ever notes is no gap; one that some node notes, and another passes over, is.
"""

from __future__ import annotations

from bisect import bisect_right, insort
from collections.abc import Sequence
from typing import Any, NamedTuple

from ...histories.trace import LIFECYCLE, Note
from ...histories.values import identity
from ..monitor import SafetyProperty, number, tell
from ..verdict import Anomaly


class StateMachineSafety(SafetyProperty):
    """No two nodes apply different entries at one index (Ongaro and Ousterhout, 5.4.3), nor does one node over time.

    An entry without effect is not told, and so it is not compared.
    """

    name = "state-machine-safety"
    looks_at = ("applied",)

    def __init__(self, *, nodes: Sequence[str] = ()) -> None:
        super().__init__(nodes=nodes)
        self._first: dict[int, tuple[Any, Note]] = {}

    def observe(self, note: Note, /) -> Anomaly | None:
        """Take in a note; only `applied` with a command says anything here."""
        if note.kind != "applied" or note.fact("command") is None:
            return None
        self.judged += 1
        index, entry = number(note, "index"), identity(note.facts[1:])
        known, first = self._first.setdefault(index, (entry, note))
        if known == entry:
            return None
        headline = f"{first.node} and {note.node} apply different entries at index {index}:"
        return tell(
            "two-commands", headline, first, note, because="All state machines apply the same entry at an index."
        )


class _Skip(NamedTuple):
    """The indices above `after` and below `before`, which a node passed over with this note."""

    after: int
    before: int
    note: Note


class AppliesInOrder(SafetyProperty):
    """Each node applies in ascending order, without gaps, each index once per incarnation.

    A state machine in memory dies with its node, so a restarted node applies again, from the start; one that keeps it on
    disk goes on somewhere. The trace does not say which it is, and the notes of what was applied last may have died in
    the crash. So an incarnation after a crash may begin at any index; from there on, and for a node's first incarnation
    from the beginning of the log, nothing may be left out.
    """

    name = "applies-in-order"
    looks_at = ("applied",)

    def __init__(self, *, nodes: Sequence[str] = ()) -> None:
        super().__init__(nodes=nodes)
        self._last: dict[str, Note] = {}
        self._restarted: dict[str, None] = {}
        self._effects: dict[int, Note] = {}
        self._indices: list[int] = []
        self._skips: list[_Skip] = []

    def observe(self, note: Note, /) -> Anomaly | None:
        """Take in a note; `applied` is judged, a crash begins anew."""
        if note.kind in LIFECYCLE:
            self._last.pop(note.node, None)
            if note.kind != "start":
                self._restarted[note.node] = None
        return self._apply(note) if note.kind == "applied" else None

    def _apply(self, note: Note) -> Anomaly | None:
        self.judged += 1
        index, last = number(note, "index"), self._last.get(note.node)
        self._last[note.node] = note
        if last is not None and index <= number(last, "index"):
            return _went_back(last, note)
        passed = self._take_effect(index, note)
        if passed is not None:
            return passed
        begins_anywhere = last is None and note.node in self._restarted
        return None if begins_anywhere else self._skip(_Skip(number(last, "index") if last else 0, index, note))

    def _take_effect(self, index: int, note: Note) -> Anomaly | None:
        """The first effect at an index turns every earlier skip of it into a gap."""
        if note.fact("command") is None or index in self._effects:
            return None
        self._effects[index] = note
        insort(self._indices, index)
        return next((_gap(skip, note) for skip in self._skips if skip.after < index < skip.before), None)

    def _skip(self, skip: _Skip) -> Anomaly | None:
        if skip.before <= skip.after + 1:
            return None
        at = bisect_right(self._indices, skip.after)
        if at < len(self._indices) and self._indices[at] < skip.before:
            return _gap(skip, self._effects[self._indices[at]])
        self._skips.append(skip)
        return None


def _went_back(last: Note, note: Note) -> Anomaly:
    index, before = number(note, "index"), number(last, "index")
    if index == before:
        headline, kind = f"{note.node} applies index {index} twice:", "applied-twice"
    else:
        headline, kind = f"{note.node} applies index {index} after index {before}:", "out-of-order"
    return tell(
        kind, headline, last, note, because="A node applies in ascending order, each index once until it crashes."
    )


def _gap(skip: _Skip, effect: Note) -> Anomaly:
    index, passer = number(effect, "index"), skip.note
    before = f"after index {skip.after}" if skip.after else "first"
    return tell(
        "gap",
        f"{passer.node} applies index {skip.before} {before} and never index {index}, which {effect.node} applied:",
        passer,
        effect,
        because="A node applies every index that has an effect.",
    )
