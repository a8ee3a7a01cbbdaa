"""Traces as JSON Lines: a header line that says `"upheld_trace": 1` and names the nodes, then one note a line."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from ..errors import MalformedHistory
from ..sources import Source
from ..trace import Note, Trace
from ..values import freeze, to_json
from .jsonl import decode_object

VERSION: Final = 1


def write(trace: Trace) -> Iterator[bytes]:
    """The header, then a line to each note."""
    yield to_json({"upheld_trace": VERSION, "nodes": trace.nodes}).encode() + b"\n"
    for note in trace:
        yield encode_note(note)


def encode_note(note: Note) -> bytes:
    """The note as a line, with its end."""
    told = {"time": note.time, "node": note.node, "kind": note.kind, "facts": note.facts}
    return to_json(told).encode() + b"\n"


def read(source: Source) -> Trace:
    """The trace in this file.

    Raises:
        MalformedHistory: a line is no note, or the first one no header.
    """
    nodes: tuple[str, ...] | None = None
    notes = []
    for line in source:
        try:
            told = decode_object(line)
            if nodes is None:
                nodes = _nodes(told)
            else:
                notes.append(_note(told, source.limits.depth_max))
        except MalformedHistory as problem:
            raise problem.located(line=source.number) from problem
    if nodes is None:
        raise MalformedHistory("the file is empty", hint="A trace begins with a header line")
    return Trace(notes, nodes=nodes)


def _nodes(told: dict[str, Any]) -> tuple[str, ...]:
    nodes = told.get("nodes")
    if told.get("upheld_trace") != VERSION or not isinstance(nodes, list) or not all(type(n) is str for n in nodes):
        raise MalformedHistory(
            "no header of a trace", hint=f'It begins with {{"upheld_trace":{VERSION},"nodes":["n1","n2"]}}'
        )
    return tuple(nodes)


def _note(told: dict[str, Any], depth_max: int) -> Note:
    for name, kind in (("time", int), ("node", str), ("kind", str), ("facts", list)):
        if type(told.get(name)) is not kind:
            raise MalformedHistory(f"missing, or no {kind.__name__}", field=name)
    facts = tuple(freeze(fact, depth_max=depth_max) for fact in told["facts"])
    return Note(told["time"], told["node"], told["kind"], facts)
