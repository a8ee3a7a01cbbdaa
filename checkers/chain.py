"""How one event came to know of another: the chain of messages between them, told from a full trace."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from ..histories.trace import Note, Trace
from ..histories.values import Value
from .causality.happens_before import HappensBefore
from .notes import milliseconds

FIRST: Final = "the first event"
LAST: Final = "the last event"
AS_POST: Final = (None, None, "")
"""The rest of the facts of a `posted` note, which the order does not look at."""


def chain_of(facts: Sequence[Note], trace: Trace) -> tuple[str, ...]:
    """Lines on how the last of these notes of a trace could know of the last one before it at another node.

    As few messages as possible, each in a line; or that there were none. Nothing where all of the notes are of one node,
    or the trace holds no messages.
    """
    if not facts or not any(note.kind == "send" for note in trace):
        return ()
    last = facts[-1]
    first = next((note for note in reversed(facts) if note.node != last.node), None)
    if first is None:
        return ()
    order = HappensBefore(Trace(_as_posts(trace, first, last), nodes=trace.nodes))
    begin, end = order.find(FIRST), order.find(LAST)
    assert begin is not None, "the first event stands in the trace"
    assert end is not None, "the last event stands in the trace"
    if not begin.precedes(end):
        return (f"No message went from {first.node} to {last.node} between the two: neither could know of the other.",)
    steps = order.path(begin, end)[1:-1]
    sent, taken = steps[::2], steps[1::2]
    lines = (_tell(post, delivery) for post, delivery in zip(sent, taken, strict=True))
    return (f"The way from {first.node} to {last.node}:", *(f"  {line}" for line in lines))


def _as_posts(trace: Trace, first: Note, last: Note) -> Iterator[Note]:
    """The messages of a trace as posts and first deliveries, and the two events as posts that reach nobody."""
    delivered: set[Value] = set()
    for note in trace:
        if note is first or note is last:
            yield Note(note.time, note.node, "posted", (FIRST if note is first else LAST, *AS_POST))
        elif note.kind == "send":
            yield Note(note.time, note.node, "posted", (note.facts[0], note.facts[1], None, str(note.facts[2])))
        elif note.kind == "deliver" and note.facts[0] not in delivered:
            delivered.add(note.facts[0])
            yield Note(note.time, note.node, "delivered", (note.facts[0],))


def _tell(post: Note, delivery: Note) -> str:
    """`n1 sent append_entries to n2 at 12 ms, which took it at 14.5 ms`."""
    _, to, _, kind = post.facts
    return (
        f"{post.node} sent {kind} to {to} at {milliseconds(post.time)}, which took it at {milliseconds(delivery.time)}"
    )
