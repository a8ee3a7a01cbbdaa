"""Messages go by reference, so their classes must be immutable all the way down; that is checked once per class."""

from __future__ import annotations

import typing
from collections.abc import Mapping
from enum import Enum
from types import NoneType, UnionType
from typing import Any, Final, ForwardRef, Literal, Union

import msgspec

from ..histories.errors import UsageError
from ..impl.node import Message

CHECKED: Final[set[type[Message]]] = set()
"""The classes that are known to be immutable."""

IMMUTABLE: Final = (NoneType, bool, int, float, str, bytes)


def require_immutable(message: type[Any]) -> None:
    """Check a class of messages, unless that was done before.

    Raises:
        UsageError: it is no message, or not frozen, or a field's type can be changed in place; the text names the field.
    """
    if message in CHECKED:
        return
    if not (isinstance(message, type) and issubclass(message, Message)):
        raise UsageError(f"{getattr(message, '__name__', message)} is no message; derive it from impl.node.Message")
    _require_frozen(message, ())
    CHECKED.add(message)


def _require_frozen(struct: type[msgspec.Struct], within: tuple[type, ...]) -> None:
    if not struct.__struct_config__.frozen:
        raise UsageError(f"{struct.__name__} can be changed in place; declare it with frozen=True")
    fields = typing.get_type_hints(struct, localns={"Mapping": Mapping})
    for name in struct.__struct_fields__:
        culprit = _mutable(fields[name], (*within, struct))
        if culprit is not None:
            raise UsageError(
                f"{struct.__name__}.{name} can be changed in place ({culprit}), and the receiver gets the sender's own "
                "object. Use scalars, tuples, frozensets and frozen structs"
            )


def _mutable(hint: Any, within: tuple[type, ...]) -> str | None:
    """The part of a type that can be changed in place, if there is one."""
    if isinstance(hint, ForwardRef):  # a recursive alias: its other alternatives are looked at where it began
        return None
    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    if origin in {Union, UnionType, tuple, frozenset, Mapping}:
        return next((found for part in arguments if (found := _mutable(part, within)) is not None), None)
    if origin is Literal or hint is Ellipsis or hint in IMMUTABLE:
        return None
    if isinstance(hint, type) and issubclass(hint, Enum):
        return None
    if isinstance(hint, type) and issubclass(hint, msgspec.Struct):
        if hint not in within:
            _require_frozen(hint, within)
        return None
    return getattr(hint, "__name__", str(hint))
