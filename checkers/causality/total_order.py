"""Do all nodes show concurrent messages in one order?"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass, field
from itertools import combinations, pairwise

from ...histories.trace import Note, Trace
from ...histories.values import identity
from ..verdict import Anomaly, Refuted, Undecided, Upheld, Verdict
from .happens_before import HappensBefore, Post
from .tell import at, name, tell


@dataclass
class Showing:
    """What a node showed: the first note of each message, in order."""

    node: str
    notes: dict[Hashable, Note] = field(default_factory=dict)


class OneOrder:
    """Decides from a trace whether any two nodes show any two concurrent messages in the same order."""

    def check(self, trace: Trace, /) -> Verdict:
        """Refuted by two nodes and two messages."""
        order = HappensBefore(trace)
        why = order.inapplicable or _unknown(trace, order)
        if why:
            return Undecided(reason=f"not applicable: {why}", checker="one-order")
        compared = 0
        for here, there in combinations(_showings(trace), 2):
            common = [note for key, note in here.notes.items() if key in there.notes]
            compared += len(common)
            swapped = _swapped(common, there, order)
            if swapped is not None:
                return self._refuted(order, here, there, *swapped)
        return Upheld(
            checker="one-order",
            operations=len(order.posts),
            evidence={"messages": len(order.posts), "compared": compared},
        )

    @staticmethod
    def _refuted(order: HappensBefore, here: Showing, there: Showing, first: Post, second: Post) -> Refuted:
        shown = [
            showing.notes[identity(post.message)]
            for showing, posts in ((here, (first, second)), (there, (second, first)))
            for post in posts
        ]
        story = (
            f"{tell(first.note)} {at(first.note)}",
            f"{tell(second.note)} {at(second.note)}",
            f"Neither {first} nor {second} happened before the other",
            *(f"{tell(before)} {at(before)} and then {after} {at(note)}" for before, note, after in _in_turn(shown)),
        )
        anomaly = Anomaly(kind="two-orders", story=story, facts=(first.note, second.note, *shown))
        return Refuted(anomaly, checker="one-order", operations=len(order.posts))


def _in_turn(shown: Sequence[Note]) -> list[tuple[Note, Note, str]]:
    """What one node shows and then shows, and what the other does."""
    return [(shown[at], shown[at + 1], name(shown[at + 1].fact("message"))) for at in (0, 2)]


def _unknown(trace: Trace, order: HappensBefore) -> str:
    """Which message is shown that nobody has posted; "" when there is none."""
    strange = next((note for note in trace.of_kind("shown") if order.post_of(note) is None), None)
    return f"{tell(strange)}, which nobody has posted" if strange else ""


def _showings(trace: Trace) -> list[Showing]:
    """What each node showed."""
    found: dict[str, Showing] = {}
    for note in trace.of_kind("shown"):
        showing = found.setdefault(note.node, Showing(note.node))
        showing.notes.setdefault(identity(note.fact("message")), note)
    return list(found.values())


def _swapped(common: Sequence[Note], there: Showing, order: HappensBefore) -> tuple[Post, Post] | None:
    """Two concurrent messages that are shown here in this order, and there in the other."""
    place = {key: number for number, key in enumerate(there.notes)}
    places = [place[identity(note.fact("message"))] for note in common]
    if all(before < after for before, after in pairwise(places)):
        return None
    for (first, one), (second, two) in combinations(zip(common, places, strict=True), 2):
        earlier, later = order.post_of(first), order.post_of(second)
        if one > two and earlier and later and earlier.is_concurrent(later):
            return earlier, later
    return None
