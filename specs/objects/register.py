"""One cell that is read and written."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import ClassVar, Self

from ...histories.event import MISSING, Missing
from ...histories.values import Value
from ..model import Call
from .cell import holds, present


class Register:
    """A cell: `read` answers what it holds, `write` replaces it; null is absence.

    Args:
        initial: what it holds at first; MISSING means absent, unless the header of a history says otherwise.
    """

    name: ClassVar = "register"
    actions: ClassVar = frozenset({"read", "write"})
    acknowledgements: ClassVar[Mapping[str, Value]] = {"write": None}

    def __init__(self, initial: Value | Missing = MISSING) -> None:
        self._initial = initial

    def starting(self, value: Value) -> Self:
        """The same cell, holding `value` at first unless it was told what it holds."""
        return type(self)(value) if isinstance(self._initial, Missing) else self

    def initial(self) -> Value:
        """What it holds before anything happened."""
        return present(self._initial)

    def step(self, state: Value, call: Call) -> Iterator[tuple[Value, Value]]:
        """The cell afterwards, and the answer."""
        match call.action:
            case "read":
                yield state, state
            case "write":
                yield call.argument, None

    def is_pure(self, call: Call, result: Value) -> bool:  # noqa: ARG002  # the contract's; a read is pure whatever it read
        """A read changes nothing."""
        return call.action == "read"

    def explain(self, state: Value, call: Call) -> str:
        """What it holds, in words."""
        return holds("register", state, call)
