"""What shows that reads are no staler than said, and the checks of it. They share nothing with the judges.

All of them re-read the operations of the history; none trusts who read from whom.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, TypeAlias

from ...histories.event import Kind, Missing, Operation
from ...histories.history import History
from ...histories.values import Value, identity
from .registers import END, READS, START, WRITES


class Assumed(NamedTuple):
    """A write of an operation outside of the history, which may have been at any time."""

    value: Value


Entry: TypeAlias = int | Assumed
"""The index of an invocation, or what came from outside."""


class Told(NamedTuple):
    """What an operation says of its one register: what it saw there of others, and what it left there (in a tuple)."""

    key: Value
    seen: tuple[Value, ...]
    left: tuple[Value, ...]


class Faulty(Exception):
    """A witness does not show what it should."""


@dataclass(frozen=True)
class Orders:
    """An order of the operations on each register in which every read finds its value among the last `k` ones.

    Attributes:
        orders: of each register.
        k: 1 in a linearization.
        delta_ns: how far reads may be moved back, by the times of events; None where places tell the order.
        started: what registers held at first, where the history does not say it.
    """

    orders: tuple[tuple[Value, tuple[Entry, ...]], ...]
    k: int = 1
    delta_ns: int | None = None
    started: tuple[tuple[Value, Value], ...] = ()

    def recheck(self, history: History) -> None:
        """O(n k).

        Raises:
            Faulty: an operation is missing, or stands after one that began when it had ended, or reads what is too old.
        """
        found = _by_register(history)
        for key, order in self.orders:
            held = _held_at_first(history, key, self.started)
            mine = found.pop(identity(key), {})
            _check_complete(order, mine)
            self._check(order, mine, history, held)
        _nothing_left(found)

    def _check(self, order: Sequence[Entry], mine: Mapping[int, Operation], history: History, held: Value) -> None:
        values, latest = [identity(held)], START
        for entry in order:
            if isinstance(entry, Assumed):
                values.append(identity(entry.value))
                continue
            operation = mine[entry]
            told = tell(operation)
            began, ended = span(operation, history, self.delta_ns)
            if ended < latest:
                raise Faulty(f"{operation} had ended before another began that stands in front of it")
            latest = max(latest, began)
            for value in told.seen:
                if identity(value) not in values[-self.k :]:
                    raise Faulty(f"{operation} finds no such value among the last {self.k}")
            values += map(identity, told.left)


@dataclass(frozen=True)
class Arbitration:
    """An order of the writes of each register, in real time, that suits all reads.

    A read sees every write that returned more than `bound_ns` before it began, and returns the last that it sees.

    Attributes:
        orders: of each register, writes alone.
        bound_ns: how long a write may go unseen.
        started: what registers held at first, where the history does not say it.
    """

    orders: tuple[tuple[Value, tuple[Entry, ...]], ...]
    bound_ns: int
    started: tuple[tuple[Value, Value], ...] = ()

    def recheck(self, history: History) -> None:
        """O(n).

        Raises:
            Faulty: a write is missing, or out of order; a read returns what is arbitrated before a write that it must see, or what was
                written more than the bound after it.
        """
        found = _by_register(history)
        for key, order in self.orders:
            mine = found.pop(identity(key), {})
            _check_complete(order, {index: each for index, each in mine.items() if tell(each).left})
            held = _held_at_first(history, key, self.started)
            self._check(order, mine, history, held)
        _nothing_left({key: mine for key, mine in found.items() if any(tell(each).seen for each in mine.values())})

    def _check(self, order: Sequence[Entry], mine: Mapping[int, Operation], history: History, held: Value) -> None:
        written: dict[Any, tuple[int, int]] = {}
        earliest = END
        for entry in reversed(order):
            value, began, ended = self._write(entry, mine, history)
            if earliest < began:
                raise Faulty("a write stands after one that began when it had ended")
            written[identity(value)] = began, earliest
            earliest = min(earliest, ended)
        written.setdefault(identity(held), (START, earliest))
        for operation in filter(_counts, mine.values()):
            for value in tell(operation).seen:
                began, ended = span(operation, history, 0)
                write_began, later_ended = written[identity(value)]
                if later_ended + self.bound_ns < began:
                    raise Faulty(f"{operation} does not see a write that is arbitrated after what it returned")
                if ended + self.bound_ns < write_began:
                    raise Faulty(f"{operation} returned what was written later, and that write must see it")

    def _write(self, entry: Entry, mine: Mapping[int, Operation], history: History) -> tuple[Value, int, int]:
        if isinstance(entry, Assumed):
            return entry.value, START, END
        return (tell(mine[entry]).left[0], *span(mine[entry], history, 0))


@dataclass(frozen=True)
class Sources:
    """Which write every read returned: pairs of a read and its source, None for what was there at first.

    Reads that nothing is demanded of are not in it.
    """

    pairs: tuple[tuple[int, Entry | None], ...]
    started: tuple[tuple[Value, Value], ...] = ()

    def recheck(self, history: History) -> None:
        """O(n log n): along real time, with the latest beginning of a write that has ended.

        Raises:
            Faulty: a read does not return what its write wrote, or had ended before, or something came in between.
        """
        begun_at = {operation.invocation: operation for operation in history.operations}
        latest = _latest_before(history, {reader for reader, _ in self.pairs})
        for reader, source in self.pairs:
            read = begun_at[reader]
            told = tell(read)
            seen = {identity(value) for value in told.seen}
            if isinstance(source, Assumed):
                value, ended = source.value, END
            elif source is None:
                value, ended = _held_at_first(history, told.key, self.started), START
            else:
                value, ended = tell(begun_at[source]).left[0], _or_end(begun_at[source].ended)
                if read.precedes(begun_at[source]):
                    raise Faulty(f"{read} had ended before {begun_at[source]} began")
            if seen != {identity(value)}:
                raise Faulty(f"{read} does not return what its source wrote")
            if ended < latest[reader]:
                raise Faulty(f"{read} returned what had been overwritten before it began")


def _latest_before(history: History, readers: Iterable[int]) -> dict[int, int]:
    """For each of these reads, the latest beginning of a write of its register that had ended when it began."""
    wanted, latest, found = set(readers), dict[Any, int](), dict[int, int]()
    moments = [(each.began, each) for each in history.operations if each.invocation in wanted]
    moments += [(each.ended, each) for each in history.operations if each.ended is not None and _counts(each)]
    for place, operation in sorted(moments, key=lambda moment: moment[0]):
        told = tell(operation)
        if place == operation.began:
            found[operation.invocation] = latest.get(identity(told.key), START)
        elif told.left:
            latest[identity(told.key)] = max(latest.get(identity(told.key), START), operation.began)
    return found


def tell(operation: Operation) -> Told:
    """What an operation says of its register; a pending read says nothing of what it saw."""
    is_ok = operation.outcome is Kind.OK and not isinstance(operation.result, Missing)
    if operation.action in READS:
        return Told(operation.key, (operation.result,) if is_ok else (), ())  # type: ignore[arg-type]
    if operation.action in WRITES:
        return Told(operation.key, (), (operation.argument,))
    if operation.action == "delete":
        return Told(operation.key, (), (None,))
    if operation.action == "cas":
        pair: Any = operation.argument
        return Told(operation.key, (pair[0],), (pair[1],))
    return _tell_steps(operation.result if is_ok else operation.argument, is_ok=is_ok)


def _tell_steps(steps: Any, *, is_ok: bool) -> Told:
    """All steps have one key; what it read after it had written was its own."""
    seen, left = list[Value](), tuple[Value, ...]()
    for kind, _, value in steps:
        if kind in {"w", ":w"}:
            left = (value,)
        elif is_ok and not left:
            seen.append(value)
    return Told(steps[0][1] if steps else None, tuple(seen), left)


def span(operation: Operation, history: History, delta_ns: int | None) -> tuple[int, int]:
    """When it was open: places, or with a bound times in ns, with its reads moved back by the bound."""
    if delta_ns is None:
        return operation.began, _or_end(operation.ended)
    assert operation.invoked_ns is not None, "bounds are measured where events have times"
    error = history.header.clock_error_ns or 0
    began = operation.invoked_ns - error - (delta_ns if tell(operation).seen else 0)
    if operation.is_pending or operation.completed_ns is None:
        return began, END
    return began, operation.completed_ns + error


def _or_end(place: int | None) -> int:
    return END if place is None else place


def _counts(operation: Operation) -> bool:
    """Whether it took effect for certain."""
    return operation.outcome is Kind.OK


def _by_register(history: History) -> dict[Any, dict[int, Operation]]:
    """The operations that may have taken effect, by register; not those that say nothing."""
    found: dict[Any, dict[int, Operation]] = {}
    tells_null = history.header.nil_read != "unknown"
    for operation in history.operations:
        told = tell(operation)
        says_something = told.left or any(value is not None or tells_null for value in told.seen)
        if operation.outcome is not Kind.FAIL and says_something:
            found.setdefault(identity(told.key), {})[operation.invocation] = operation
    return found


def _held_at_first(history: History, key: Value, started: Iterable[tuple[Value, Value]]) -> Value:
    for register, value in started:
        if identity(register) == identity(key):
            return value
    return None if isinstance(history.header.initial, Missing) else history.header.initial


def _check_complete(order: Sequence[Entry], operations: Mapping[int, Operation]) -> None:
    placed = [entry for entry in order if not isinstance(entry, Assumed)]
    if len(set(placed)) < len(placed):
        raise Faulty("an operation is in it twice")
    for index in placed:
        if index not in operations:
            raise Faulty(f"event {index} begins no operation of this register")
    known = set(placed)
    for index, operation in operations.items():
        if _counts(operation) and index not in known:
            raise Faulty(f"it leaves out {operation}")


def _nothing_left(operations: Mapping[Any, Mapping[int, Operation]]) -> None:
    for mine in operations.values():
        for operation in mine.values():
            if _counts(operation):
                raise Faulty(f"it leaves out {operation}")
