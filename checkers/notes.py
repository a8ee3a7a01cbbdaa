"""Notes of a trace as judges read and quote them: their facts, their times, and the anomalies that they show."""

from __future__ import annotations

from typing import Final

from ..histories.errors import MalformedHistory
from ..histories.trace import FACTS, Note
from .verdict import Anomaly

PLACES: Final = {(kind, name): place for kind, names in FACTS.items() for place, name in enumerate(names)}
"""Where each fact of a kind of note stands."""


def number(note: Note, name: str) -> int:
    """The fact of that name, which is an integer.

    Raises:
        MalformedHistory: it is none.
    """
    place = PLACES[note.kind, name]
    found = note.facts[place] if place < len(note.facts) else None
    if type(found) is not int:
        raise MalformedHistory(
            f"in the note '{note}' the {name} is no integer",
            field=name,
            hint="Note the facts in the order in which `histories.trace.FACTS` names them",
        )
    return found


def milliseconds(time_ns: int) -> str:
    """A time as stories give it: exact, `12.5 ms`."""
    whole, rest = divmod(time_ns, 1_000_000)
    return f"{whole}.{rest:06d}".rstrip("0").rstrip(".") + " ms"


def quote(note: Note) -> str:
    """A note as stories quote it, on a line of its own."""
    return f"  at {milliseconds(note.time)}: {note}"


def tell(kind: str, headline: str, *notes: Note, because: str) -> Anomaly:
    """The anomaly that these notes show: what happened, the notes by time, and the rule that they break."""
    facts = tuple(sorted(notes, key=lambda note: note.time))
    return Anomaly(kind, (headline, *map(quote, facts), because), facts=facts)
