"""One cell that is read, written, and compared and set."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import ClassVar

from ...histories.event import MISSING, Missing
from ...histories.values import Value, same
from ..model import Call
from .cell import holds, old_and_new, present


class CasRegister:
    """A cell with `read`, `write` and `cas`; a cas of [old, new] answers whether it held `old`, and then holds `new`.

    Args:
        initial: what it holds at first; MISSING means absent, unless the header of a history says otherwise.
    """

    name: ClassVar = "cas-register"
    actions: ClassVar = frozenset({"cas", "read", "write"})
    acknowledgements: ClassVar[Mapping[str, Value]] = {"cas": True, "write": None}

    def __init__(self, initial: Value | Missing = MISSING) -> None:
        self._initial = initial

    def starting(self, value: Value) -> CasRegister:
        """The same cell, holding `value` at first unless it was told what it holds."""
        return CasRegister(value) if isinstance(self._initial, Missing) else self

    def initial(self) -> Value:
        """What it holds before anything happened."""
        return present(self._initial)

    def examine(self, call: Call) -> None:
        """A cas takes a pair."""
        if call.action == "cas":
            old_and_new(call)

    def step(self, state: Value, call: Call) -> Iterator[tuple[Value, Value]]:
        """The cell afterwards, and the answer."""
        match call.action:
            case "read":
                yield state, state
            case "write":
                yield call.argument, None
            case "cas":
                old, new = old_and_new(call)
                yield (new, True) if same(state, old) else (state, False)

    def is_pure(self, call: Call, result: Value) -> bool:
        """A read changes nothing, nor does a cas that was refused."""
        return call.action == "read" or (call.action == "cas" and result is False)

    def explain(self, state: Value, call: Call) -> str:
        """What it holds, in words."""
        return holds("register", state, call)
