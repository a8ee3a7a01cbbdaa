"""The short notation (`histories.notation`) as a file format: histories that somebody wrote by hand."""

from __future__ import annotations

from collections.abc import Iterator

from ..errors import MalformedHistory
from ..history import History
from ..notation import parse_event, render_event
from ..sources import Source
from .codec import Draft, read_lines
from .fields import decode

NAME = "short"


def recognise(head: bytes) -> bool:
    """Whether the first line that is no comment tells an event."""
    for line in head.split(b"\n"):
        try:
            if parse_event(line.decode()) is not None:
                return True
        except (MalformedHistory, UnicodeDecodeError):
            return False
    return False


def read(source: Source, draft: Draft) -> None:
    """Add the events of the lines."""
    read_lines(source, draft, _line)


def write(history: History) -> Iterator[bytes]:
    """A line to each event; the header is not told."""
    for event in history:
        yield f"{render_event(event)}\n".encode()


def _line(line: bytes, number: int, draft: Draft) -> None:
    event = parse_event(decode(line))
    if event is not None:
        draft.add_event(number, event)
