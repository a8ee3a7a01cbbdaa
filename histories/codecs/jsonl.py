"""The native format: JSON Lines, one event a line, and an optional header line that says `"upheld": 1`.

    {"upheld":1,"system":"raft-kv","seed":7}
    {"process":0,"type":"invoke","f":"write","key":"x","value":7,"time":120}
    {"process":0,"type":"ok","f":"write","key":"x","time":380}

`process` (an integer for clients), `type` and `f` are required; `key`, `value`, `time`, `session`, `node` and `error` are
optional; any other field survives as `extra`. `index` is accepted and says nothing: the order of lines does.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

import msgspec

from ..errors import MalformedHistory, UsageError
from ..event import Event, Missing
from ..history import EMPTY_HEADER, Header, History
from ..sources import Source
from ..values import Map, to_json
from .codec import Draft, read_lines
from .fields import FIELDS, add_fields, brief, decode, frozen

NAME = "jsonl"
VERSION: Final = 1

_HEADER_TYPES: Final[Mapping[str, type]] = {
    "system": str,
    "variant": str,
    "workload": str,
    "model": str,
    "seed": int,
    "order": str,
    "clocks": int,
    "clock_error_ns": int,
    "nil_read": str,
    "note": str,
}
_LONG_LINE: Final = re.compile(rb'\{(?:"upheld"\s*:|.*"type"\s*:\s*"(?:invoke|ok|fail|info)")')
"""How a first line begins that is longer than what it is recognised by."""

_CHOICES: Final = {"order": ("lines", "time"), "nil_read": ("absent", "unknown")}


def recognise(head: bytes) -> bool:
    """Whether the first line is a header, or an object with the fields of an event."""
    line, end, _ = head.lstrip().partition(b"\n")
    try:
        told = msgspec.json.decode(line)
    except (msgspec.DecodeError, ValueError, RecursionError):
        return not end and _LONG_LINE.match(line) is not None
    return isinstance(told, dict) and ("upheld" in told or {"process", "type", "f"} <= told.keys())


def read(source: Source, draft: Draft) -> None:
    """Add the events of the lines, and the header where the first line is one."""
    read_lines(source, draft, _line)


def write(history: History) -> Iterator[bytes]:
    """The header, then a line to each event."""
    yield encode_header(history.header)
    for event in history:
        yield encode_event(event)


def encode_header(header: Header) -> bytes:
    """The header as a line, with its end; what it does not say is left out."""
    told: dict[str, Any] = {"upheld": VERSION}
    for name in Header.__struct_fields__:
        value = getattr(header, name)
        if name != "extra" and value != getattr(EMPTY_HEADER, name):
            told[name] = value
    return _object(told, header.extra)


def encode_event(event: Event) -> bytes:
    """The event as a line, with its end; fields in fixed order, absent ones left out.

    Raises:
        UsageError: an extra field has the name of a field.
    """
    told: dict[str, Any] = {"process": event.process, "type": event.kind, "f": event.action}
    if event.key is not None:
        told["key"] = event.key
    if not isinstance(event.value, Missing):
        told["value"] = event.value
    for name in ("time", "session", "node", "error"):
        if (value := getattr(event, name)) is not None:
            told[name] = value
    return _object(told, event.extra)


def decode_object(line: bytes) -> dict[str, Any]:
    """The JSON object of a line.

    Raises:
        MalformedHistory: it holds none; the text says what it holds.
    """
    text = decode(line)
    try:
        told = msgspec.json.decode(text)
    except RecursionError as error:
        raise MalformedHistory(
            "a value is nested far too deeply", hint="Flatten it; values may be nested to Limits(depth_max=...)"
        ) from error
    except (msgspec.DecodeError, ValueError) as error:
        raise MalformedHistory(f"not JSON: {error}", hint="One JSON object a line is expected") from error
    if not isinstance(told, dict):
        raise MalformedHistory(f"not an object, but {brief(told)}", hint="One JSON object a line is expected")
    return told


def _object(told: dict[str, Any], extra: Map) -> bytes:
    if extra:
        if taken := sorted((FIELDS | {"upheld"}) & extra.keys()):
            raise UsageError(f"an extra field cannot be called {taken[0]!r}: that is a field of its own")
        told |= extra
    return to_json(told).encode() + b"\n"


def _line(line: bytes, number: int, draft: Draft) -> None:
    told = decode_object(line)
    if "upheld" in told and "type" not in told:
        _header(told, draft)
    else:
        add_fields(told, number, draft)


def _header(told: dict[str, Any], draft: Draft) -> None:
    if draft.header is not EMPTY_HEADER or len(draft):
        raise MalformedHistory("a second header", hint="Only the first line may be a header; split the file here")
    if told["upheld"] != VERSION or type(told["upheld"]) is not int:
        raise MalformedHistory(f"format {brief(told['upheld'])}; this upheld reads format {VERSION}", field="upheld")
    depth_max = draft.limits.depth_max
    known: dict[str, Any] = {name: told[name] for name in _HEADER_TYPES if told.get(name) is not None}
    for name, value in known.items():
        if type(value) is not _HEADER_TYPES[name]:
            raise MalformedHistory(f"{brief(value)} is no {_HEADER_TYPES[name].__name__}", field=name)
    for name, choices in _CHOICES.items():
        if known.get(name, choices[0]) not in choices:
            raise MalformedHistory(f"unknown: {brief(known[name])}", field=name, hint=f"Use {' or '.join(choices)}")
    if "initial" in told:
        known["initial"] = frozen(told, "initial", depth_max)
    rest = {name: frozen(told, name, depth_max) for name in told if name not in {*_HEADER_TYPES, "initial", "upheld"}}
    draft.header = Header(**known, extra=Map(rest))
