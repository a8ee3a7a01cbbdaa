"""What nodes do to their state machines.

`applied` is noted when the entry takes effect: when the state machine carries out the command. An entry without effect
(the empty entry of a new leader, a command that its session has seen already) is not noted, or noted with the command
None. So an index that *no* node ever notes is no gap; one that some node notes, and another passes over, is.
"""

from __future__ import annotations

from bisect import bisect_right, insort
from collections.abc import Sequence
from typing import NamedTuple

from ...histories.trace import LIFECYCLE, Note
from ..entries import is_same
from ..monitor import SafetyProperty
from ..notes import number, tell
from ..verdict import Anomaly


class StateMachineSafety(SafetyProperty):
    """No two nodes apply different entries at one index (Ongaro and Ousterhout, 5.4.3), nor does one node over time.

    An entry without effect is not told, and so it is not compared.
    """

    name = "state-machine-safety"
    looks_at = ("applied",)
    heeds = frozenset(looks_at)

    def __init__(self, *, nodes: Sequence[str] = ()) -> None:
        super().__init__(nodes=nodes)
        self._first: dict[int, Note] = {}

    def observe(self, note: Note, /) -> Anomaly | None:
        """Take in a note; only `applied` with a command says anything here."""
        if note.kind != "applied" or note.fact("command") is None:
            return None
        self.judged += 1
        index = number(note, "index")
        first = self._first.setdefault(index, note)
        if first is note or all(map(is_same, first.facts, note.facts)):
            return None
        headline = f"{first.node} and {note.node} apply different entries at index {index}:"
        return tell(
            "two-commands", headline, first, note, because="All state machines apply the same entry at an index."
        )


class _Position(NamedTuple):
    """Where the state machine of a node stands, and the note that says so."""

    at: int
    note: Note


class _Skip(NamedTuple):
    """The indices above `after` and below `before`, which a node passed over with this note."""

    after: int
    before: int
    note: Note


class AppliesInOrder(SafetyProperty):
    """Each node applies in ascending order, without gaps, each index once per incarnation.

    A state machine in memory dies with its node. A node that restores a log starts at its snapshot (at the beginning, if
    it has none) and applies again what is above; with `installed` it jumps to the index of a snapshot. What a snapshot
    stands for is not passed over; nothing else may be left out. Where an incarnation after a crash restores nothing, the
    trace does not say where its state machine is: it may begin at any index.
    """

    name = "applies-in-order"
    looks_at = ("applied",)
    heeds = frozenset({"applied", "installed", "restored", *LIFECYCLE})

    def __init__(self, *, nodes: Sequence[str] = ()) -> None:
        super().__init__(nodes=nodes)
        self._at: dict[str, _Position] = {}
        self._restarted: dict[str, None] = {}
        self._effects: dict[int, Note] = {}
        self._indices: list[int] = []
        self._skips: list[_Skip] = []

    def observe(self, note: Note, /) -> Anomaly | None:
        """Take in a note; `applied` is judged, a crash begins anew, and a snapshot is a position."""
        match note.kind:
            case "applied":
                return self._apply(note)
            case "installed":
                return self._install(note)
            case "restored":
                self._at[note.node] = _Position(number(note, "snapshot_index"), note)
            case kind if kind in LIFECYCLE:
                self._at.pop(note.node, None)
                if kind != "start":
                    self._restarted[note.node] = None
        return None

    def _install(self, note: Note) -> Anomaly | None:
        self.judged += 1
        index, before = number(note, "index"), self._at.get(note.node)
        self._at[note.node] = _Position(index, note)
        return _went_back(before, note) if before is not None and index < before.at else None

    def _apply(self, note: Note) -> Anomaly | None:
        self.judged += 1
        index, before = number(note, "index"), self._at.get(note.node)
        self._at[note.node] = _Position(index, note)
        if before is not None and index <= before.at:
            return _went_back(before, note)
        passed = self._take_effect(index, note)
        if passed is not None:
            return passed
        begins_anywhere = before is None and note.node in self._restarted
        return None if begins_anywhere else self._skip(_Skip(before.at if before else 0, index, note))

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


def _went_back(before: _Position, note: Note) -> Anomaly:
    index, deed = number(note, "index"), "applies" if note.kind == "applied" else "goes to"
    if before.note.kind != "applied":
        headline = f"{note.node} {deed} index {index} when it stands at a snapshot of index {before.at}:"
        kind = "out-of-order"
    elif index == before.at:
        headline, kind = f"{note.node} applies index {index} twice:", "applied-twice"
    else:
        headline, kind = f"{note.node} {deed} index {index} after index {before.at}:", "out-of-order"
    rule = "A node applies in ascending order, each index once until it crashes."
    return tell(kind, headline, before.note, note, because=rule)


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
