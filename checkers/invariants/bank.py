"""Accounts between which money moves: none appears, none is lost."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from ...histories.event import Operation
from ...histories.history import History
from ...histories.values import Map, Value, to_json
from ..verdict import Anomaly
from .invariant import Invariant, Look, answered, integer, malformed, result_of


@dataclass(frozen=True, kw_only=True)
class Bank(Invariant):
    """Every read that shows all accounts shows the same total, and no balance is below zero. O(n) for balances read.

    A read answers with an object of balances by account. Without a total, the initial state in the header gives it, else the
    first read. Without accounts, all are those of the initial state, else those that reads and transfers name.

    Attributes:
        total: what all balances add up to.
        accounts: the names of all accounts.
        may_be_negative: whether balances may fall below zero.
        read: the action that shows balances.
        transfer: the action whose argument names accounts by `from` and `to`.
    """

    total: int | None = None
    accounts: Sequence[str] | None = None
    may_be_negative: bool = False
    read: str = "read"
    transfer: str = "transfer"

    name: ClassVar[str] = "bank"
    rule: ClassVar[str] = (
        "Transfers move money between accounts: the total stays, and no account pays what it does not have."
    )
    judges: ClassVar[str] = "answered read of balances"

    @property
    def needs_real_time(self) -> bool:
        """It does not: each rule is about what was seen, in whatever order."""
        return False

    def look(self, history: History) -> Look:
        """What one pass over the history finds."""
        reads = [(each, _balances(each, history)) for each in answered(history, self.read)]
        declared = self._declared(history)
        accounts = set(declared) if declared is not None else self._seen(history, reads)
        first: Operation | None = None
        expected = self._expected(history)
        whole = 0
        for operation, balances in reads:
            strange = next((account for account in balances if account not in accounts), None)
            if strange is not None:
                headline = f"This read shows an account {to_json(strange)}, and there is none of that name:"
                return Look(anomaly=self.breach("unexpected-account", headline, operation), judged=whole)
            below = next((account for account, balance in balances.items() if balance < 0), None)
            if below is not None and not self.may_be_negative:
                headline = f"This read shows {balances[below]} in account {to_json(below)}:"
                return Look(anomaly=self.breach("negative-balance", headline, operation), judged=whole)
            if len(balances) < len(accounts):
                continue
            whole += 1
            total = sum(balances.values())
            if expected is None:
                expected, first = total, operation
            elif total != expected:
                return Look(anomaly=self._wrong(operation, total, expected, first), judged=whole)
        counted = {"reads": len(reads), "reads_of_all": whole, "total": expected}
        notes = ("the total is that of the first read",) if first is not None else ()
        return Look(judged=whole - (first is not None), evidence=counted, notes=notes)

    def _wrong(self, operation: Operation, total: int, expected: int, first: Operation | None) -> Anomaly:
        if first is None:
            return self.breach("wrong-total", f"This read adds up to {total}, and the total is {expected}:", operation)
        headline = f"The first of these reads adds up to {expected}, the other to {total}:"
        return self.breach("wrong-total", headline, first, operation)

    def _declared(self, history: History) -> Sequence[str] | None:
        initial = history.header.initial
        return tuple(initial) if self.accounts is None and isinstance(initial, Map) else self.accounts

    def _seen(self, history: History, reads: Sequence[tuple[Operation, dict[str, int]]]) -> set[str]:
        found = {account for _, balances in reads for account in balances}
        for operation in history.operations:
            if operation.action == self.transfer and isinstance(operation.argument, Map):
                found |= {_name(operation.argument[end]) for end in ("from", "to") if end in operation.argument}
        return found

    def _expected(self, history: History) -> int | None:
        initial = history.header.initial
        if self.total is None and isinstance(initial, Map):
            return sum(balance for balance in initial.values() if type(balance) is int)
        return self.total


def _balances(operation: Operation, history: History) -> dict[str, int]:
    result = result_of(operation, history, "what it read")
    if not isinstance(result, Map):
        hint = 'A read of a bank answers with balances by account, such as {"0":10,"1":5}'
        raise malformed(operation, history, "does not show balances", hint=hint)
    return {account: integer(balance, operation, history, "each balance") for account, balance in result.items()}


def _name(account: Value) -> str:
    return account if isinstance(account, str) else to_json(account)
