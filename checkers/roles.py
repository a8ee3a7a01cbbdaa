"""Roles: who answered was entitled to."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from ..histories.trace import LIFECYCLE, Note
from .monitor import SafetyProperty
from .notes import number, tell
from .verdict import Anomaly

RULE: Final = "A write is acknowledged by the one leader of its entry's term."


class EntitledAnswers(SafetyProperty):
    """Every acknowledged write was acknowledged by the one leader of its entry's term.

    The node that notes `acknowledged` has noted before, in the same incarnation, that it leads in that term; and no other
    node ever does. An acknowledgement without an index is of something that has no entry, and is not judged.
    """

    name = "entitled-answers"
    looks_at = ("acknowledged",)
    heeds = frozenset({"acknowledged", "leads", *LIFECYCLE})

    def __init__(self, *, nodes: Sequence[str] = ()) -> None:
        super().__init__(nodes=nodes)
        self._led: dict[str, dict[int, Note]] = {}
        self._leaders: dict[int, Note] = {}
        self._answers: dict[int, Note] = {}

    def observe(self, note: Note, /) -> Anomaly | None:
        """Take in a note; answers are held against leaders, and leaders against answers."""
        if note.kind in LIFECYCLE:
            self._led.pop(note.node, None)
        elif note.kind == "leads":
            return self._lead(note)
        elif note.kind == "acknowledged" and note.fact("index") is not None:
            return self._answer(note)
        return None

    def _lead(self, note: Note) -> Anomaly | None:
        term = number(note, "term")
        self._led.setdefault(note.node, {})[term] = note
        self._leaders.setdefault(term, note)
        answer = self._answers.get(term)
        return _two_leaders(answer, note) if answer is not None and answer.node != note.node else None

    def _answer(self, note: Note) -> Anomaly | None:
        self.judged += 1
        term = number(note, "term")
        self._answers.setdefault(term, note)
        leader = self._leaders.get(term)
        if leader is not None and leader.node != note.node:
            return _two_leaders(note, leader)
        return None if term in self._led.get(note.node, {}) else _no_leader(note)


def _two_leaders(answer: Note, leads: Note) -> Anomaly:
    headline = f"{answer.node} acknowledges an entry of term {number(leads, 'term')}, in which {leads.node} leads:"
    return tell("not-the-leader", headline, answer, leads, because=RULE)


def _no_leader(answer: Note) -> Anomaly:
    headline = (
        f"{answer.node} acknowledges an entry of term {number(answer, 'term')}, and has not led in it since it started:"
    )
    return tell("not-the-leader", headline, answer, because=RULE)
