"""The values in a history: JSON's, immutable, and compared as JSON compares them.

Python says that `True == 1 == 1.0`; JSON does not, and neither does a register that was given `true` and answers `1`.
`same` compares by type, and `identity` gives a key for a dict or a set that does so too.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from math import isfinite
from typing import Any, Final, TypeAlias, cast

import msgspec

from .errors import MalformedHistory

Value: TypeAlias = "None | bool | int | float | str | tuple[Value, ...] | Map"

DEPTH_MAX: Final = 100
"""How deeply a value may be nested, unless somebody says otherwise."""


class Map(Mapping[str, "Value"]):
    """A JSON object as a value: immutable and hashable; equal to another when keys and values are the same by type."""

    __slots__ = ("_hash", "_items")

    def __init__(self, items: Mapping[str, Value] | None = None) -> None:
        self._items: dict[str, Value] = dict(items or {})
        self._hash: int | None = None

    def __getitem__(self, key: str) -> Value:
        return self._items[key]

    def __iter__(self) -> Iterator[str]:
        return iter(self._items)

    def __len__(self) -> int:
        return len(self._items)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Map) and identity(self) == identity(other)

    def __hash__(self) -> int:
        if self._hash is None:
            self._hash = hash(identity(self))
        return self._hash

    def __repr__(self) -> str:
        return f"Map({self._items!r})"

    def __reduce__(self) -> tuple[Any, ...]:
        return (Map, (self._items,))


def freeze(value: Any, *, depth_max: int = DEPTH_MAX) -> Value:
    """A JSON value as an immutable one: arrays become tuples, objects become `Map`.

    Raises:
        MalformedHistory: it is no JSON value, or is nested deeper than `depth_max`.
    """
    kind = type(value)
    if kind is int or kind is bool or value is None or (kind is str and value.isascii()):
        return cast("Value", value)
    match value:
        case float() if isfinite(value):
            return float(value)
        case list() | tuple():
            _must_nest(depth_max)
            return tuple([freeze(item, depth_max=depth_max - 1) for item in value])
        case Mapping():
            _must_nest(depth_max)
            return Map({str(key): freeze(item, depth_max=depth_max - 1) for key, item in value.items()})
        case int():
            return int(value)
        case str() if _is_text(value):
            return str(value)
    raise MalformedHistory(
        f"{value!r} is no JSON value", hint="Use null, booleans, finite numbers, Unicode text, arrays and objects"
    )


def _is_text(value: str) -> bool:
    """Whether it is Unicode text; a Python string may hold half of a surrogate pair."""
    try:
        value.encode()
    except UnicodeEncodeError:
        return False
    return True


def _must_nest(depth_max: int) -> None:
    if depth_max <= 0:
        raise MalformedHistory(
            "a value is nested too deeply (limit depth_max)",
            hint="Flatten it, or raise the limit with Limits(depth_max=...)",
        )


def thaw(value: Any) -> Any:
    """The inverse of `freeze`: lists and dicts, ready for any JSON writer."""
    match value:
        case tuple() | list():
            return [thaw(item) for item in value]
        case Mapping():
            return {key: thaw(item) for key, item in value.items()}
    return value


def identity(value: Any) -> Any:
    """A hashable key under which values meet exactly when they are the same as JSON, by type.

    Values that Python cannot confuse stand for themselves, so that the common case costs nothing. Anything that is no
    JSON value (a model's own state, say) stands for itself, too.
    """
    kind = type(value)
    if kind is int or kind is str or value is None:
        return value
    if kind is bool or kind is float:
        return (kind.__name__, repr(value))
    if kind is tuple:
        keys = tuple(identity(item) for item in value)
        return ("tuple", keys)
    if kind is Map:
        return ("Map", tuple(sorted((key, identity(item)) for key, item in value.items())))
    return value


def same(left: Any, right: Any) -> bool:
    """Whether two values are the same as JSON: `true`, `1` and `1.0` are three values."""
    if type(left) is not type(right):
        return False
    return bool(identity(left) == identity(right))


def to_json(value: Any) -> str:
    """One line of JSON, the way it is shown and written; keys in their order, no spaces after colons and commas."""
    try:
        return msgspec.json.encode(value, enc_hook=_encode).decode()
    except (OverflowError, RecursionError):
        return json.dumps(thaw(value), separators=(",", ":"), ensure_ascii=False)


def _encode(value: Any) -> Any:
    if isinstance(value, Mapping):
        return dict(value)
    raise NotImplementedError(f"{type(value).__name__} is no JSON value")
