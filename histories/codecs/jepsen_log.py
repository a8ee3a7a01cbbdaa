r"""The log lines that Jepsen prints while it runs, as published for etcd.

    INFO  jepsen.util - 0\t:invoke\t:cas\t[0 1]
    INFO  jepsen.util - 0\t:fail\t:cas\t[0 1]
    INFO  jepsen.util - 3\t:info\t:write\t:timed-out

Where a value would stand, a keyword (`:timed-out`) is what went wrong. A failed cas did not find the old value.
"""

from __future__ import annotations

import re
from typing import Final

from ..errors import MalformedHistory
from ..event import MISSING, Missing, Process
from ..sources import Source
from ..values import Value
from .codec import Draft, read_lines
from .edn import parse_edn
from .fields import decode, kind_of

NAME = "jepsen-log"

_EVENT: Final = re.compile(
    r"(?:^|.*\s)INFO\s+jepsen\.util\s+-\s+(?P<process>\d+|:[\w-]+)\s+:(?P<type>[\w-]+)\s+:(?P<f>[\w-]+)(?:\s+(?P<value>.*))?",
    re.DOTALL,
)
_LOGGER: Final = b"jepsen.util"


def recognise(head: bytes) -> bool:
    """Whether one of the first lines is such a line."""
    return any(_EVENT.match(line.decode(errors="replace")) for line in head.split(b"\n") if _LOGGER in line)


def read(source: Source, draft: Draft) -> None:
    """Add the events; lines of other loggers are passed over, and counted in a note."""
    others = 0

    def line(text: bytes, number: int, draft: Draft) -> None:
        nonlocal others
        others += not _line(text, number, draft, complete=source.complete)

    read_lines(source, draft, line)
    if others:
        draft.notes.append(f"passed over {others} lines of the log that are no events")


def _line(raw: bytes, number: int, draft: Draft, *, complete: bool) -> bool:
    """Add the event of this line; whether there was one."""
    text = decode(raw)
    match = _EVENT.match(text)
    if match is None:
        if not complete:
            raise MalformedHistory("no event")
        return False
    value, error = _value(match["value"] or "", draft.limits.depth_max)
    draft.add(number, _process(match["process"]), kind_of(match["type"]), match["f"], value=value, error=error)
    return True


def _process(text: str) -> Process:
    if text.startswith(":"):
        return text[1:]
    if len(text) > 18:
        raise MalformedHistory(f"a process of {len(text)} digits", field="process")
    return int(text)


def _value(text: str, depth_max: int) -> tuple[Value | Missing, Value]:
    """The value and the error; one of the two stands there."""
    told = text.strip()
    if not told:
        return MISSING, None
    value = parse_edn(told, depth_max=depth_max)
    return (MISSING, value) if told.startswith(":") else (value, None)
