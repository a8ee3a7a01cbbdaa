"""What clients sent to logs and polled from them, as Jepsen's workload for Kafka records it.

    ["send", key, value]                  asked for
    ["send", key, [offset, value]]        answered; the offset may be null
    ["poll"]                              asked for
    ["poll", {key: [[offset, value], ...], ...}]    answered

An operation is an array of such steps. Keys of logs are strings; a number stands for its text.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from ...histories.errors import MalformedHistory
from ...histories.event import Kind, Missing, Operation
from ...histories.history import History
from ...histories.values import Map, Value, identity, same, to_json
from .invariant import malformed


class Sent(NamedTuple):
    """A value on its way to a log; the offset is None where nobody knows it."""

    key: str
    value: Value
    offset: int | None
    by: Operation


class Polled(NamedTuple):
    """A value that came out of a log."""

    key: str
    value: Value
    offset: int
    by: Operation


class Transaction(NamedTuple):
    """An operation, with what it sent and polled in its order."""

    operation: Operation
    sent: Sequence[Sent]
    polled: Sequence[Polled]


@dataclass(slots=True)
class Log:
    """All that is known of one log.

    Attributes:
        key: its name.
        at: by offset, each value that was found there, with who found it.
        offsets: by value, each offset where it was found, with who found it.
        attempts: by value, who may have sent it.
        aborted: by value, who certainly has not, though it tried.
        polled: by value, the first poll that showed it.
        rank: by offset, its number among the offsets that are known; `settle` counts them.
        in_order: these offsets.
        highest: the poll that came furthest.
    """

    key: str
    at: dict[int, dict[Hashable, Sent | Polled]] = field(default_factory=dict)
    offsets: dict[Hashable, dict[int, Sent | Polled]] = field(default_factory=dict)
    attempts: dict[Hashable, list[Sent]] = field(default_factory=dict)
    aborted: dict[Hashable, Sent] = field(default_factory=dict)
    polled: dict[Hashable, Polled] = field(default_factory=dict)
    rank: dict[int, int] = field(default_factory=dict)
    in_order: Sequence[int] = ()
    highest: Polled | None = None

    def take(self, found: Sent | Polled) -> None:
        """Take in a value whose offset is known."""
        if found.offset is not None:
            name = identity(found.value)
            self.at.setdefault(found.offset, {}).setdefault(name, found)
            self.offsets.setdefault(name, {}).setdefault(found.offset, found)

    def settle(self) -> None:
        """Number the offsets: those that nobody knows of hold nothing that a client could see."""
        self.in_order = sorted(self.at)
        self.rank = {offset: number for number, offset in enumerate(self.in_order)}


class Breach(NamedTuple):
    """An anomaly of logs: its kind, what to say of it, and the operations that show it."""

    kind: str
    headline: str
    operations: Sequence[Operation]


def transactions(history: History) -> Iterator[Transaction]:
    """Every operation that sends or polls.

    Raises:
        MalformedHistory: a step is no such step.
    """
    for operation in history.operations:
        argument = operation.argument
        if isinstance(argument, tuple) and all(
            isinstance(step, tuple) and step[:1] in {("send",), ("poll",)} for step in argument
        ):
            yield _transaction(operation, history)


def _transaction(operation: Operation, history: History) -> Transaction:
    asked = operation.argument if isinstance(operation.argument, tuple) else ()
    told = operation.result if operation.outcome is Kind.OK else asked
    if isinstance(told, Missing):
        told = asked
    if not isinstance(told, tuple) or len(told) != len(asked):
        raise _no_steps(operation, history)
    sent: list[Sent] = []
    polled: list[Polled] = []
    for question, answer in zip(asked, told, strict=True):
        match question, answer:
            case ("send", key, value), ("send", again, found) if same(key, again):
                sent.append(Sent(name_of(key), value, _offset(value, found, operation, history), operation))
            case ("poll", *_), ("poll",):
                pass
            case ("poll", *_), ("poll", Map() as logs):
                polled += [
                    _polled(key, pair, operation, history)
                    for key, pairs in logs.items()
                    for pair in _array(pairs, operation, history)
                ]
            case _:
                raise _no_steps(operation, history)
    return Transaction(operation, sent, polled)


def name_of(key: Value) -> str:
    """A log by its name: a number in one place is its text in another, since objects have texts as keys."""
    return key if isinstance(key, str) else to_json(key)


def _offset(value: Value, found: Value, operation: Operation, history: History) -> int | None:
    """The offset in an answer, None where it only repeats the value."""
    if same(value, found):
        return None
    match found:
        case (int() as offset, same_value) if same(value, same_value):
            return offset
        case (None, same_value) if same(value, same_value):
            return None
    raise _no_steps(operation, history)


def _array(pairs: Value, operation: Operation, history: History) -> Sequence[Value]:
    if not isinstance(pairs, tuple):
        raise _no_steps(operation, history)
    return pairs


def _polled(key: str, pair: Value, operation: Operation, history: History) -> Polled:
    match pair:
        case (int() as offset, value) if type(offset) is int:
            return Polled(key, value, offset, operation)
    raise _no_steps(operation, history)


def _no_steps(operation: Operation, history: History) -> MalformedHistory:
    hint = 'It answers ["send",key,value] with ["send",key,[offset,value]], and ["poll"] with ["poll",{key:[[offset,value],...]}]'
    return malformed(operation, history, "does not tell what it sent and polled", hint=hint)


def logs_of(told: Sequence[Transaction]) -> dict[str, Log]:
    """All that these transactions tell of each log."""
    logs: dict[str, Log] = {}
    for transaction in told:
        failed = transaction.operation.outcome is Kind.FAIL
        for sent in transaction.sent:
            log, name = logs.setdefault(sent.key, Log(sent.key)), identity(sent.value)
            if failed:
                log.aborted.setdefault(name, sent)
            else:
                log.attempts.setdefault(name, []).append(sent)
                log.take(sent)
        for polled in transaction.polled:
            log = logs.setdefault(polled.key, Log(polled.key))
            log.polled.setdefault(identity(polled.value), polled)
            if log.highest is None or polled.offset > log.highest.offset:
                log.highest = polled
            log.take(polled)
    for log in logs.values():
        log.settle()
    return logs
