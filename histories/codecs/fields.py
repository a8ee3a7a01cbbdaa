"""An event as named fields, the way JSON and EDN spell them: checked, and added to a draft."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from ..errors import MalformedHistory
from ..event import MISSING, NOTHING, Kind, Process
from ..values import Map, Value, freeze, to_json
from .codec import Draft

FIELDS: Final = frozenset({"index", "process", "type", "f", "key", "value", "time", "session", "node", "error"})
"""The names of an event's fields in files. `index` says nothing: the order of lines does."""

_KINDS: Final = {str(kind): kind for kind in Kind}


def add_fields(told: Mapping[str, Any], line: int, draft: Draft) -> None:
    """Add the event that these fields tell; those with other names become its `extra`.

    Raises:
        MalformedHistory: a field is missing, or is not what it should be.
    """
    depth_max = draft.limits.depth_max
    draft.add(
        line,
        _process(told, "process"),
        kind_of(told.get("type", MISSING)),
        _text(told, "f", "what was asked for, such as 'read'"),
        key=frozen(told, "key", depth_max),
        value=frozen(told, "value", depth_max) if "value" in told else MISSING,
        time=_time(told),
        session=_process(told, "session") if told.get("session") is not None else None,
        node=_text(told, "node", "the name of a node") if told.get("node") is not None else None,
        error=frozen(told, "error", depth_max),
        extra=NOTHING if told.keys() <= FIELDS else _extra(told, depth_max),
    )


def kind_of(told: Any) -> Kind:
    """The kind of event of this name.

    Raises:
        MalformedHistory: there is no such kind.
    """
    found = _KINDS.get(told) if isinstance(told, str) else None
    if found is None:
        raise MalformedHistory(
            "missing" if told is MISSING else f"unknown type {brief(told)}",
            field="type",
            hint="It is one of invoke, ok, fail, info",
        )
    return found


def decode(line: bytes) -> str:
    """The text of a line.

    Raises:
        MalformedHistory: it is not UTF-8.
    """
    try:
        return line.decode()
    except UnicodeDecodeError as error:
        raise MalformedHistory(
            f"not UTF-8: {error.reason} at byte {error.start} of the line", hint="Save it as UTF-8"
        ) from error


def _extra(told: Mapping[str, Any], depth_max: int) -> Map:
    return Map({name: frozen(told, name, depth_max) for name in told if name not in FIELDS})


def _process(told: Mapping[str, Any], name: str) -> Process:
    process: Any = told.get(name)
    if type(process) is not int and type(process) is not str:
        raise MalformedHistory(
            f"{brief(process)} is no process" if name in told else "missing",
            field=name,
            hint="Use an integer for a client, a string for anybody else",
        )
    return process


def _text(told: Mapping[str, Any], name: str, meaning: str) -> str:
    text = told.get(name)
    if not isinstance(text, str):
        raise MalformedHistory(
            f"{brief(text)} is no string" if name in told else "missing", field=name, hint=f"It says {meaning}"
        )
    return text


def _time(told: Mapping[str, Any]) -> int | None:
    time = told.get("time")
    if time is not None and type(time) is not int:
        raise MalformedHistory(f"{brief(time)} is no time", field="time", hint="Use nanoseconds, as an integer")
    return time


def frozen(told: Mapping[str, Any], name: str, depth_max: int) -> Value:
    """The value of that field, None where it is absent.

    Raises:
        MalformedHistory: it is nested too deeply.
    """
    try:
        return freeze(told.get(name), depth_max=depth_max)
    except MalformedHistory as problem:
        raise MalformedHistory(problem.problem, field=name, hint=problem.hint) from problem


def brief(value: Any) -> str:
    """A value as an error message quotes it."""
    try:
        told = to_json(value)
    except RecursionError:
        told = type(value).__name__
    return told if len(told) <= 60 else told[:57] + "..."
