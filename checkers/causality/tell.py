"""Sentences and graphs about messages, for stories that a reader can check against the trace."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from ...histories.trace import Note
from ...histories.values import Value, to_json

if TYPE_CHECKING:
    import networkx as nx


def name(message: Value) -> str:
    """What a story calls a message: its id."""
    return message if isinstance(message, str) else to_json(message)


def ms(time_ns: int) -> str:
    """`12.5 ms`."""
    return f"{time_ns / 1_000_000:.10g} ms"


def at(note: Note) -> str:
    """`at 12.5 ms`."""
    return f"at {ms(note.time)}"


def tell(note: Note) -> str:
    """A note as a clause, without its time."""
    match note.kind:
        case "posted":
            reply_to = note.fact("reply_to")
            answers = "" if reply_to is None else f", in answer to {name(reply_to)}"
            return f"{note.node} posts {_message(note)} ({to_json(note.fact('text'))}){answers}"
        case "delivered":
            return f"{note.node} takes in {_message(note)}"
        case "shown":
            return f"{note.node} shows {_message(note)}"
        case "crash":
            return f"{note.node} crashes"
        case "start" | "restart":
            return f"{note.node} starts"
    return str(note)


def _message(note: Note) -> str:
    return name(note.fact("message"))


def tell_path(path: Sequence[Note]) -> list[str]:
    """How one message happened before another, a sentence to each step, and what follows."""
    lines = [f"{tell(note)} {at(note)}" for note in path]
    return [*lines, f"So {name(path[0].fact('message'))} happened before {name(path[-1].fact('message'))}"]


def graph_of(path: Sequence[Note], *others: tuple[Note, Note, str]) -> nx.MultiDiGraph[Any]:
    """The path, and further edges with their reasons. Vertices are notes, told; every edge has a `reason`."""
    import networkx as nx  # noqa: PLC0415  # heavy, and only a refutation needs it

    graph: nx.MultiDiGraph[Any] = nx.MultiDiGraph()
    for before, after in pairwise(path):
        reason = f"earlier at {after.node}" if before.node == after.node else "its message"
        graph.add_edge(tell(before), tell(after), reason=reason)
    for before, after, reason in others:
        graph.add_edge(tell(before), tell(after), reason=reason)
    return graph
