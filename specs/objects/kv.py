"""A map from keys to values; each key is a cell of its own."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import ClassVar

from ...histories.errors import MalformedHistory
from ...histories.event import MISSING, Missing
from ...histories.values import Value, same, to_json
from ..model import Call
from .cell import holds, old_and_new, present


class KeyValue:
    """Cells by key, with `get`, `put`, `append` (to strings), `delete` and `cas`.

    The state is what one key holds, null while it is absent. A get of an absent key reads `initial`, a cas compares with
    that too, and an append begins from it, or from "" where it is null. An append to anything but a string is impossible.

    Args:
        initial: what an absent key reads as; MISSING means null, unless the header of a history says otherwise.
    """

    name: ClassVar = "kv"
    actions: ClassVar = frozenset({"append", "cas", "delete", "get", "put"})
    acknowledgements: ClassVar[Mapping[str, Value]] = {"append": None, "cas": True, "delete": None, "put": None}

    def __init__(self, initial: Value | Missing = MISSING) -> None:
        self._initial = initial

    @property
    def absent_reads(self) -> Value:
        """What a get of an absent key answers."""
        return present(self._initial)

    def starting(self, value: Value) -> KeyValue:
        """The same map, in which an absent key reads as `value` unless it was told otherwise."""
        return KeyValue(value) if isinstance(self._initial, Missing) else self

    def initial(self) -> Value:
        """Every key is absent at first."""
        return None

    def examine(self, call: Call) -> None:
        """A cas takes a pair, an append a string."""
        if call.action == "cas":
            old_and_new(call)
        elif call.action == "append":
            appended(call)

    def step(self, state: Value, call: Call) -> Iterator[tuple[Value, Value]]:
        """The key afterwards, and the answer."""
        held = self.absent_reads if state is None else state
        match call.action:
            case "get":
                yield state, held
            case "put":
                yield call.argument, None
            case "delete":
                yield None, None
            case "append":
                begun, more = "" if held is None else held, appended(call)
                if isinstance(begun, str):
                    yield begun + more, None
            case "cas":
                old, new = old_and_new(call)
                yield (new, True) if same(held, old) else (state, False)

    def is_pure(self, call: Call, result: Value) -> bool:
        """A get changes nothing, nor does a cas that was refused."""
        return call.action == "get" or (call.action == "cas" and result is False)

    def explain(self, state: Value, call: Call) -> str:
        """What the key holds, in words."""
        return holds("key", self.absent_reads if state is None else state, call)


def appended(call: Call) -> str:
    """The string that an append adds.

    Raises:
        MalformedHistory: the argument is no string.
    """
    if isinstance(call.argument, str):
        return call.argument
    raise MalformedHistory(
        f"{call.action} adds a string, and {to_json(call.argument)} is none",
        field="value",
        hint="Append strings, or write whole values with put",
    )
