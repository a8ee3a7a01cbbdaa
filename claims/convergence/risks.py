"""When claims about messages are at risk: what their antecedents count."""

from __future__ import annotations

from collections.abc import Hashable

from ...checkers.causality.happens_before import HappensBefore
from ...histories.evidence import Evidence
from ...histories.values import identity


def caused_messages(evidence: Evidence) -> int:
    """How many messages were posted where something from another node had been taken in."""
    order = HappensBefore(evidence.trace)
    return sum(sum(post.past) > post.past[post.node] for post in order.posts)


def overtaking_arrivals(evidence: Evidence) -> int:
    """How often a message reached a node to which something that happened before it had not come yet."""
    order = HappensBefore(evidence.trace)
    come: dict[str, set[Hashable]] = {}
    count = 0
    for note in evidence.trace.of_kind("posted", "arrived"):
        here = come.setdefault(note.node, set())
        post = order.post_of(note)
        if note.kind == "arrived" and post is not None and identity(post.message) not in here:
            before = (earlier for earlier in order.posts if earlier.precedes(post))
            count += any(identity(earlier.message) not in here for earlier in before)
        here.add(identity(note.fact("message")))
    return count


def copies(evidence: Evidence) -> int:
    """How often a message reached a node that had it already, or a client sent its request once more."""
    come: set[tuple[str, Hashable]] = set()
    count = sum(event.process == "retries" for event in evidence.history.nemesis())
    for note in evidence.trace.of_kind("posted", "arrived"):
        place = (note.node, identity(note.fact("message")))
        count += note.kind == "arrived" and place in come
        come.add(place)
    return count
