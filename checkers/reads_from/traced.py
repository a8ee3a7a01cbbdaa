"""What tracing the reads of a history finds, and the words for it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal, NamedTuple, TypeAlias

import numpy as np
import numpy.typing as npt

from ...histories.event import Operation
from ...histories.history import History
from ...histories.pairing import operations
from ...histories.values import Value

INITIAL: Final = -1
"""The source of a read that returned what was there at first."""
NEVER: Final = int(np.iinfo(np.int64).max)

Numbers: TypeAlias = npt.NDArray[np.int64]
OddKind: TypeAlias = Literal["thin-air", "aborted", "intermediate", "internal", "future"]
Outside: TypeAlias = Literal["nothing", "start", "anything"]

READS: Final = frozenset({"read", "get"})
WRITES: Final = frozenset({"write", "put"})


class NotApplicable(Exception):
    """Nobody can say who read from whom; `operations` are those that make it so."""

    def __init__(self, reason: str, operations: tuple[Operation, ...] = ()) -> None:
        super().__init__(reason)
        self.operations = operations


class Oddity(NamedTuple):
    """A read that no write of another transaction explains.

    Attributes:
        kind: `thin-air` (nobody wrote it), `aborted` (by an operation that failed), `intermediate` (overwritten by its own
            transaction), `internal` (not what the reader itself had written before) or `future` (what it wrote later).
        reader: the transaction whose read it is.
        key, value: what was read.
        writer: the operation that wrote it, where one did.
    """

    kind: OddKind
    reader: int
    key: Value
    value: Value
    writer: Operation | None = None


@dataclass(frozen=True, eq=False)
class ReadsFrom:
    """A history of reads and writes; transactions are numbered in the order in which they began.

    Values that came from outside (see `reads_from`) are writes of transactions of their own, which come after all others
    and are no operations; each is in a session of its own, and comes before nothing and after nothing.

    Attributes:
        history: where it comes from.
        numbers: of each transaction, its number among the operations of the history; -1 for one from outside.
        sessions: the names of sessions, None for those from outside; `session` is the number of each transaction's.
        position: of each transaction, its place in its session, from 0.
        is_definite: whether it completed; otherwise it was promoted, or came from outside.
        began, ended: its places in real-time order; `ended` is NEVER for one that is not definite.
        keys: what key numbers stand for.
        writes: rows (transaction, key): what it wrote in the end, each key once.
        reads: rows (transaction, key, source): what it read of others, in its order; a source is a transaction or INITIAL.
        oddities: reads that no write of another transaction explains; they are not among `reads`.
        started_as: what keys must have held at first, where that was left open and somebody read it.
    """

    history: History
    numbers: Numbers
    sessions: Sequence[Value]
    session: Numbers
    position: Numbers
    is_definite: npt.NDArray[np.bool_]
    began: Numbers
    ended: Numbers
    keys: Sequence[Value]
    writes: Numbers
    reads: Numbers
    oddities: tuple[Oddity, ...] = ()
    started_as: tuple[tuple[Value, Value], ...] = ()

    def __len__(self) -> int:
        return len(self.numbers)

    def operation(self, transaction: int) -> Operation:
        """The operation that a transaction is; not for one from outside."""
        return operation_at(self.history, int(self.numbers[transaction]))


def operation_at(history: History, number: int) -> Operation:
    """The operation of that number."""
    return operations(history.columns, history.pairing.take(np.array([number])))[0]
