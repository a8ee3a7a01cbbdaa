"""Every read traced to its write, one operation after the other, and all that can be said of those that have none."""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

import numpy as np

from ...histories.columns import ABSENT, CODES, Table
from ...histories.errors import MalformedHistory
from ...histories.event import Kind, Missing, Operation
from ...histories.history import History
from ...histories.values import Value, to_json
from .columns import trace_columns
from .traced import (
    INITIAL,
    NEVER,
    READS,
    WRITES,
    NotApplicable,
    Numbers,
    Oddity,
    OddKind,
    Outside,
    ReadsFrom,
    operation_at,
)


def reads_from(history: History, *, outside: Outside = "nothing") -> ReadsFrom:
    """Trace every read of a history to its write. O(n) for n reads and writes.

    Args:
        history: of reads and writes, or of transactions of both.
        outside: what a value may be that nobody wrote: `nothing`: it is an oddity, unless it is what the header says that
            cells begin with (null, when it says nothing); `start`: the key began with it, so that a second such value of a
            key is an oddity; `anything`: an operation outside of this history wrote it, at any time, as in an excerpt.

    Raises:
        NotApplicable: an operation that is neither a read nor a write; a value that was read, and that two transactions
            wrote, or one wrote and that was there at first, too; a cas that was refused.
        MalformedHistory: it is no history, or a transaction is no list of reads and writes.
    """
    found = trace_columns(history, outside)
    return trace_operations(history, outside) if found is None else found


def trace_operations(history: History, outside: Outside) -> ReadsFrom:
    """What `reads_from` finds, one operation after the other: the definition, and the way for all that is not plain."""
    return _Tracing(history, outside).result()


class Transaction(NamedTuple):
    """One operation on its way; keys and values are codes.

    Attributes:
        number: among the operations of the history.
        reads: of others, in order, as (key, value).
        writes: the last one of each key; `overwritten` the earlier ones.
        internal: reads that contradict what the transaction itself had written before.
    """

    number: int
    reads: Sequence[tuple[int, int]] = ()
    writes: dict[int, int] = {}  # noqa: RUF012  # never changed
    overwritten: Sequence[tuple[int, int]] = ()
    internal: Sequence[tuple[int, int]] = ()


class _Tracing:
    """One history, traced operation by operation."""

    def __init__(self, history: History, outside: Outside) -> None:
        self.history, self.outside = history, outside
        self.table = Table()
        for value in history.columns.values:  # so that codes are those of the columns
            self.table.code(value)
        self.null = self.table.code(None)
        self.untold = self.null if history.header.nil_read == "unknown" else ABSENT  # what a read of nothing returns
        initial = history.header.initial
        self.initial = self.null if isinstance(initial, Missing) else self.table.code(initial)
        pairing = history.pairing
        kinds = np.where(pairing.completion == ABSENT, CODES[Kind.INFO], history.columns.kind[pairing.completion])
        self.is_ok = (kinds == CODES[Kind.OK]).tolist()
        self.is_failed = (kinds == CODES[Kind.FAIL]).tolist()
        self.transactions = list(self._transactions())
        self.writers: dict[tuple[int, int], list[int]] = defaultdict(list)
        self.overwriters: dict[tuple[int, int], list[int]] = defaultdict(list)
        self.aborted: dict[tuple[int, int], int] = {}
        for each in self.transactions:
            if self.is_failed[each.number]:
                for written in (*each.writes.items(), *each.overwritten):
                    self.aborted.setdefault(written, each.number)
                continue
            for written in each.writes.items():
                self.writers[written].append(each.number)
            for written in each.overwritten:
                self.overwriters[written].append(each.number)
        self.oddities: list[tuple[OddKind, int, int, int, int | None]] = []
        self.started_as: dict[int, int] = {}
        self.from_outside: dict[tuple[int, int], int] = {}

    # --- what every operation read and wrote

    def _transactions(self) -> Iterator[Transaction]:
        columns, pairing = self.history.columns, self.history.pairing
        names = columns.actions
        begins, ends = pairing.invocation, pairing.completion
        rows = zip(
            columns.action[begins].tolist(),
            columns.key[begins].tolist(),
            columns.value[begins].tolist(),
            np.where(ends == ABSENT, ABSENT, columns.value[ends]).tolist(),
            strict=True,
        )
        for number, (action, key, argument, result) in enumerate(rows):
            name = names[action]
            if name in READS:
                told = self.is_ok[number] and result != self.untold
                yield Transaction(number, reads=((key, result),) if told else ())
            elif name in WRITES:
                yield Transaction(number, writes={key: self.null if argument == ABSENT else argument})
            elif name == "delete":
                yield Transaction(number, writes={key: self.null})
            elif name == "cas":
                yield self._cas(number, key, argument, result)
            elif name == "txn":
                yield self._txn(number, argument, result)
            else:
                raise NotApplicable(f"{name} is neither a read nor a write", (self._operation(number),))

    def _cas(self, number: int, key: int, argument: int, result: int) -> Transaction:
        """Where it took effect, it has read the one value and written the other."""
        if self.is_failed[number]:
            return Transaction(number)
        if self.is_ok[number] and self._value(result) is not True:
            raise NotApplicable("a cas that was refused saw a value that it does not tell", (self._operation(number),))
        match self._value(argument):
            case (old, new):
                return Transaction(number, ((key, self.table.code(old)),), {key: self.table.code(new)})
            case other:
                raise self._malformed(number, f"cas takes a pair of values, and {to_json(other)} is none")

    def _txn(self, number: int, argument: int, result: int) -> Transaction:
        """An ok one tells what it read; of another one only the writes are known."""
        tells = self.is_ok[number] and result != ABSENT
        reads, writes = list[tuple[int, int]](), dict[int, int]()
        overwritten, internal = list[tuple[int, int]](), list[tuple[int, int]]()
        for is_write, key, value in self._steps(number, result if tells else argument):
            if is_write:
                if key in writes:
                    overwritten.append((key, writes[key]))
                writes[key] = value
            elif not tells or value == self.untold:
                continue
            elif key not in writes:
                reads.append((key, value))
            elif writes[key] != value:
                internal.append((key, value))
        return Transaction(number, reads, writes, overwritten, internal)

    def _steps(self, number: int, code: int) -> Iterator[tuple[bool, int, int]]:
        steps = self._value(code)
        for step in steps if isinstance(steps, tuple) else (steps,):
            match step:
                case ("r" | ":r" | "w" | ":w" as kind, key, value):
                    yield kind in {"w", ":w"}, ABSENT if key is None else self.table.code(key), self.table.code(value)
                case _:
                    told = (
                        f'a transaction is made of ["r", key, value] and ["w", key, value]; {to_json(step)} is neither'
                    )
                    raise self._malformed(number, told)

    # --- which write every read returned

    def result(self) -> ReadsFrom:
        """What was found; an operation that nobody completed is promoted when one that counts has read from it."""
        todo = deque(number for number, is_ok in enumerate(self.is_ok) if is_ok)
        counted = set(todo)
        traced: dict[int, list[tuple[int, int]]] = {}
        while todo:
            number = todo.popleft()
            mine = traced[number] = []
            for key, value in self.transactions[number].reads:
                source = self._source(number, key, value)
                if source is None:
                    continue
                mine.append((key, source))
                if source >= 0 and source not in counted:
                    counted.add(source)
                    todo.append(source)
            self.oddities += [("internal", number, *read, number) for read in self.transactions[number].internal]
        return self._built(sorted(counted), traced)

    def _source(self, number: int, key: int, value: int) -> int | None:
        """The operation that wrote what was read there, INITIAL, or one from outside (below INITIAL); None for an oddity."""
        written = key, value
        finals = self.writers.get(written, [])
        writers = list(dict.fromkeys((*finals, *self.overwriters.get(written, ()))))
        was_there = self.outside == "nothing" and value == self.initial
        if len(writers) + was_there > 1:
            raise self._ambiguous(number, written, writers)
        if was_there:
            return INITIAL
        if finals and finals[0] != number:
            return finals[0]
        if writers:
            self.oddities.append(("future" if writers[0] == number else "intermediate", number, key, value, writers[0]))
        elif written in self.aborted:
            self.oddities.append(("aborted", number, key, value, self.aborted[written]))
        elif self.outside == "anything":
            return INITIAL - 1 - self.from_outside.setdefault(written, len(self.from_outside))
        elif self.outside == "start" and self.started_as.setdefault(key, value) == value:
            return INITIAL
        else:
            self.oddities.append(("thin-air", number, key, value, None))
        return None

    def _ambiguous(self, reader: int, written: tuple[int, int], writers: Sequence[int]) -> NotApplicable:
        key, value = self._key(written[0]), to_json(self._value(written[1]))
        what = value if key is None else f"{value} of key {to_json(key)}"
        why = (
            f"{len(writers)} operations wrote {what}" if len(writers) > 1 else f"{what} was written, and there at first"
        )
        return NotApplicable(
            f"{why}, and nobody can say which one was read: values must be unique",
            tuple(self._operation(number) for number in [*writers[:3], reader]),
        )

    def _built(self, counted: Sequence[int], traced: Mapping[int, Sequence[tuple[int, int]]]) -> ReadsFrom:
        """With transactions, sessions and keys numbered anew."""
        pairing, sessions, keys = self.history.pairing, Table(), Table()
        place = {number: at for at, number in enumerate(counted)} | {INITIAL: INITIAL}
        place |= {INITIAL - 1 - each: len(counted) + each for each in range(len(self.from_outside))}
        inside = np.array(counted, dtype=np.int64)
        outside = len(self.from_outside)
        session = [sessions.code(name) for name in self._session_names(inside)]
        writes = [(place[number], keys.code(key)) for number in counted for key in self.transactions[number].writes]
        writes += [(len(counted) + at, keys.code(key)) for (key, _), at in self.from_outside.items()]
        reads = [(place[number], keys.code(key), place[source]) for number in counted for key, source in traced[number]]
        is_definite = np.array([self.is_ok[number] for number in counted] + [False] * outside, dtype=np.bool_)
        return ReadsFrom(
            history=self.history,
            numbers=np.concatenate((inside, np.full(outside, -1))),
            sessions=[*sessions.values, *[None] * outside],
            session=np.array([*session, *range(len(sessions.values), len(sessions.values) + outside)], dtype=np.int64),
            position=np.array([*_positions(session), *[0] * outside], dtype=np.int64),
            is_definite=is_definite,
            began=np.concatenate((pairing.began[inside], np.full(outside, -1))),
            ended=np.where(is_definite, np.concatenate((pairing.ended[inside], np.full(outside, NEVER))), NEVER),
            keys=[self._key(code) for code in keys.values],
            writes=np.array(writes, dtype=np.int64).reshape(-1, 2),
            reads=np.array(reads, dtype=np.int64).reshape(-1, 3),
            oddities=tuple(
                Oddity(
                    kind,
                    place[reader],
                    self._key(key),
                    self._value(value),
                    None if writer is None else self._operation(writer),
                )
                for kind, reader, key, value, writer in self.oddities
            ),
            started_as=tuple((self._key(key), self._value(value)) for key, value in self.started_as.items()),
        )

    def _session_names(self, inside: Numbers) -> Iterator[Value]:
        columns, begins = self.history.columns, self.history.pairing.invocation[inside]
        for session, process in zip(columns.session[begins].tolist(), columns.process[begins].tolist(), strict=True):
            yield columns.processes[process] if session == ABSENT else columns.sessions[session]

    # --- words

    def _key(self, code: int) -> Value:
        return None if code == ABSENT else self.table.values[code]

    def _value(self, code: int) -> Value:
        return None if code == ABSENT else self.table.values[code]

    def _operation(self, number: int) -> Operation:
        return operation_at(self.history, number)

    def _malformed(self, number: int, what: str) -> MalformedHistory:
        row = int(self.history.pairing.invocation[number])
        return MalformedHistory(what, field="value", **self.history.where(int(self.history.columns.index[row])))


def _positions(session: Sequence[int]) -> Iterator[int]:
    """The place of each in its session."""
    counts: dict[int, int] = defaultdict(int)
    for each in session:
        yield counts[each]
        counts[each] += 1
