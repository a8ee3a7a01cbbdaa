"""A history as others want to see it: a pandas frame, an Arrow table, a table in a notebook."""

from __future__ import annotations

from collections.abc import Iterable
from html import escape
from importlib import import_module
from typing import Any, Final

import msgspec

from .errors import UsageError
from .event import Event, Missing
from .values import to_json

SHOWN_MAX: Final = 200
"""How many events a notebook shows."""

_JSON: Final = ("process", "key", "value", "session", "error", "extra")
_SHOWN: Final = ("index", "process", "kind", "action", "key", "value")


def to_pandas(events: Iterable[Event]) -> Any:
    """The events as a pandas frame, one row each; a missing value is None."""
    rows = [msgspec.structs.asdict(event) for event in events]
    for row in rows:
        row["kind"] = str(row["kind"])
        row["value"] = None if isinstance(row["value"], Missing) else row["value"]
    return _extra("pandas").DataFrame(rows, columns=list(Event.__struct_fields__))


def to_arrow(events: Iterable[Event]) -> Any:
    """The events as an Arrow table; keys, values and other JSON are its text."""
    rows = [msgspec.structs.asdict(event) for event in events]
    for row in rows:
        row["kind"] = str(row["kind"])
        row.update({name: None if isinstance(row[name], Missing) else to_json(row[name]) for name in _JSON})
    return _extra("pyarrow").Table.from_pylist(rows)


def to_html(events: Iterable[Event]) -> str:
    """The first events as an HTML table."""
    all_of_them = list(events)
    head = "".join(f"<th>{name}</th>" for name in _SHOWN)
    rows = "".join(f"<tr>{_cells(event)}</tr>" for event in all_of_them[:SHOWN_MAX])
    hidden = len(all_of_them) - SHOWN_MAX
    return f"<table><tr>{head}</tr>{rows}</table>" + (f"<p>{hidden} more events</p>" if hidden > 0 else "")


def _cells(event: Event) -> str:
    key = "" if event.key is None else to_json(event.key)
    value = "" if isinstance(event.value, Missing) else to_json(event.value)
    parts = (event.index, event.process, event.kind, event.action, key, value)
    return "".join(f"<td>{escape(str(part))}</td>" for part in parts)


def _extra(module: str) -> Any:
    try:
        return import_module(module)
    except ImportError as error:
        raise UsageError(f"{module} is not installed: pip install 'upheld[pandas]'") from error
