"""What stories and graphs call the transactions of a traced history."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ..histories.values import to_json
from .reading import operations_of
from .reads_from import ReadsFrom


class Naming:
    """Names of transactions, of keys and of sessions; operations go by the number of the event that began them."""

    def __init__(self, traced: ReadsFrom) -> None:
        self.traced = traced

    def node(self, row: int) -> Any:
        """The invocation index of a transaction; a name of its own for one from outside."""
        if self.traced.numbers[row] < 0:
            return f"outside {row - int((self.traced.numbers >= 0).sum()) + 1}"
        return self.traced.operation(row).invocation

    def name(self, row: int) -> str:
        """What sentences call a transaction."""
        node = self.node(row)
        return f"a write outside of this history ({node})" if isinstance(node, str) else f"#{node}"

    def key(self, read: int) -> str:
        """` of key "x"`, of a row of the reads; nothing where there is only one."""
        key = self.traced.keys[int(self.traced.reads[read, 1])]
        return "" if key is None else f" of key {to_json(key)}"

    def session(self, row: int) -> str:
        """The session of a transaction."""
        return to_json(self.traced.sessions[int(self.traced.session[row])])

    def follows(self, before: int, after: int) -> str:
        """That one transaction comes after another in their session."""
        return f"{self.name(after)} comes after {self.name(before)} in session {self.session(after)}"

    def returned(self, before: int, after: int, read: int) -> str:
        """That a read of one transaction returned what another wrote."""
        return f"{self.name(after)} read the value{self.key(read)} that {self.name(before)} wrote"

    def introduction(self, rows: Sequence[int]) -> list[str]:
        """How a story begins: what these transactions are, and why those count that nobody completed."""
        pending = (row for row in rows if self.traced.numbers[row] >= 0 and not self.traced.is_definite[row])
        return [
            *(f"#{each.invocation} is {each}" for each in operations_of(self.traced, rows)),
            *(f"{self.name(row)} was not completed; it did take effect, since its value was read" for row in pending),
        ]
