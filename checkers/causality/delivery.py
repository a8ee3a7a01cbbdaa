"""Causal delivery: no node shows a message before one that happened before it."""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass, field

from ...histories.trace import Note, Trace
from ...histories.values import identity
from ..verdict import Anomaly, Refuted, Undecided, Upheld, Verdict
from .happens_before import HappensBefore, Post
from .tell import at, graph_of, name, tell, tell_path

METHOD = "vector clocks of the judge, O(n k)"


@dataclass
class Shelf:
    """What a node has shown.

    Attributes:
        complete: by node, how many of its messages are shown without a gap from the first.
        shown: the messages that are shown.
        held: those that were posted or taken in here, and are not shown yet.
    """

    complete: list[int]
    shown: set[Hashable] = field(default_factory=set)
    held: dict[Hashable, Post] = field(default_factory=dict)

    def lacking(self, post: Post, order: HappensBefore) -> Post | None:
        """A message that happened before this one and is not shown; what it answers, if that is one."""
        answered = order.find(post.note.fact("reply_to"))
        if answered and answered.precedes(post) and identity(answered.message) not in self.shown:
            return answered
        for node, (shown, past) in enumerate(zip(self.complete, post.past, strict=True)):
            if shown < past - (node == post.node):
                return order.of_node(node)[shown]
        return None

    def take(self, post: Post, order: HappensBefore, *, is_shown: bool) -> None:
        """The node has it, and perhaps shows it."""
        message = identity(post.message)
        if not is_shown:
            self.held[message] = post
            return
        self.held.pop(message, None)
        self.shown.add(message)
        theirs = order.of_node(post.node)
        complete = self.complete[post.node]
        while complete < len(theirs) and identity(theirs[complete].message) in self.shown:
            complete += 1
        self.complete[post.node] = complete

    def forget(self, order: HappensBefore) -> None:
        """The node has crashed: it owes nothing of what it had."""
        for post in list(self.held.values()):
            self.take(post, order, is_shown=True)


class CausallyDelivered:
    """Decides from a trace whether every node showed every message after all that happened before it.

    Happens-before is the judge's own (see `happens_before`). What a node had shown, posted or taken in when it crashed is
    not held against it: that it forgets is another question.
    """

    def check(self, trace: Trace, /) -> Verdict:
        """Refuted by the first note `shown` that comes too early."""
        order = HappensBefore(trace)
        if order.inapplicable:
            return self._inapplicable(order.inapplicable)
        shelves = {node: Shelf([0] * len(order.nodes)) for node in order.nodes}
        shown = 0
        for place, note in enumerate(trace):
            shelf = shelves[note.node]
            if note.kind == "crash":
                shelf.forget(order)
            elif note.kind in {"posted", "delivered", "shown"}:
                post = order.post_of(note)
                if post is None:
                    return self._inapplicable(f"{tell(note)}, which nobody has posted")
                lacking = shelf.lacking(post, order) if note.kind == "shown" else None
                if lacking is not None:
                    return self._refuted(trace, order, place, post, lacking)
                shelf.take(post, order, is_shown=note.kind == "shown")
                shown += note.kind == "shown"
        return self._upheld(order, shown)

    @staticmethod
    def _upheld(order: HappensBefore, shown: int) -> Upheld:
        return Upheld(
            checker="causal-delivery",
            method=METHOD,
            operations=len(order.posts),
            evidence={
                "messages": len(order.posts),
                "deliveries": order.deliveries,
                "shown": shown,
                "ordered_pairs": order.ordered_pairs,
            },
            witness={name(post.message): post.past for post in order.posts},
        )

    @staticmethod
    def _inapplicable(why: str) -> Undecided:
        return Undecided(reason=f"not applicable: {why}", checker="causal-delivery", method=METHOD)

    @staticmethod
    def _refuted(trace: Trace, order: HappensBefore, place: int, post: Post, lacking: Post) -> Refuted:
        shown = trace[place]
        later = _shown_later(trace, place, lacking, order)
        path = order.path(lacking, post)
        edges = [(post.note, shown, "its message")]
        edges += [(shown, later, f"earlier at {shown.node}")] if later else []
        return Refuted(
            Anomaly(
                kind="shown-before-its-cause",
                story=(*tell_path(path), _too_early(shown, later, lacking)),
                facts=(lacking.note, post.note, shown),
                graph=graph_of(path, *edges),
            ),
            checker="causal-delivery",
            method=METHOD,
            operations=len(order.posts),
        )


def _shown_later(trace: Trace, place: int, lacking: Post, order: HappensBefore) -> Note | None:
    """When the node shows what it lacked, if it does."""
    node = trace[place].node
    later = (note for note in trace[place + 1 :] if note.node == node and note.kind == "shown")
    return next((note for note in later if order.post_of(note) is lacking), None)


def _too_early(shown: Note, later: Note | None, lacking: Post) -> str:
    what = name(lacking.message)
    ending = f"shows {what} only {at(later)}" if later else f"never shows {what}"
    return f"Yet {tell(shown)} {at(shown)}, and {ending}"
