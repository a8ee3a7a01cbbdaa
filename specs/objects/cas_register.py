"""One cell that is read, written, and compared and set."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import ClassVar

from ...histories.values import Value, same
from ..model import Call
from .cell import old_and_new
from .register import Register


class CasRegister(Register):
    """A register with `cas`, too; a cas of [old, new] answers whether it held `old`, and then holds `new`."""

    name: ClassVar = "cas-register"
    actions: ClassVar = Register.actions | {"cas"}
    acknowledgements: ClassVar[Mapping[str, Value]] = {**Register.acknowledgements, "cas": True}

    def examine(self, call: Call) -> None:
        """A cas takes a pair."""
        if call.action == "cas":
            old_and_new(call)

    def step(self, state: Value, call: Call) -> Iterator[tuple[Value, Value]]:
        """The cell afterwards, and the answer."""
        if call.action == "cas":
            old, new = old_and_new(call)
            yield (new, True) if same(state, old) else (state, False)
        else:
            yield from super().step(state, call)

    def is_pure(self, call: Call, result: Value) -> bool:
        """A read changes nothing, nor does a cas that was refused."""
        return super().is_pure(call, result) or (call.action == "cas" and result is False)
