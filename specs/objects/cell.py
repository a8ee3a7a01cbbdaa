"""What the models of single cells share: absence, the argument of a cas, and their words."""

from __future__ import annotations

from ...histories.errors import MalformedHistory
from ...histories.event import Missing
from ...histories.values import Value, to_json
from ..model import Call


def present(value: Value | Missing) -> Value:
    """The value, or null where there is none: both mean absence."""
    return None if isinstance(value, Missing) else value


def old_and_new(call: Call) -> tuple[Value, Value]:
    """The two values of a compare-and-set.

    Raises:
        MalformedHistory: the argument is no pair.
    """
    match call.argument:
        case (old, new):
            return old, new
    raise MalformedHistory(
        f"{call.action} compares and sets, and {to_json(call.argument)} is no pair of values",
        field="value",
        hint="Its argument is [old, new]",
    )


def holds(noun: str, value: Value, call: Call) -> str:
    """`the register holds 7`, or `is absent`; of several, the one that the call is about."""
    which = f"the {noun}" if call.key is None else f"{noun} {to_json(call.key)}"
    return f"{which} is absent" if value is None else f"{which} holds {to_json(value)}"
