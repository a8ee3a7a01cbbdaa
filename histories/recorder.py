"""Writes a history down while it happens: one line an event, and nothing that a sudden death could take back.

    with record("history.jsonl") as recorder:
        with recorder.operation(process=3, action="write", key="x", argument=1):
            client.put("x", 1)
        with recorder.operation(process=3, action="read", key="x") as operation:
            operation.result = client.get("x")

The invocation is in the file before the body runs. A body that ends is `ok`, with the result that it assigned, or none; one
that raises ends in `info`, or in `fail` where the exception is of a kind that was declared definite, and the exception goes
on upwards. Retries belong inside one operation, each in `operation.attempt()`.

Every event is one write(2) to a descriptor in append mode, so threads, tasks of asyncio and processes may record into one
file: hand them the recorder itself (it survives fork and pickle), or let them `record(path, join=True)`.
"""

from __future__ import annotations

import os
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from time import monotonic_ns
from types import TracebackType
from typing import Any, Final, Literal, Self, TypeAlias

import msgspec

from .codecs.jsonl import decode_object, encode_event, encode_header
from .errors import MalformedHistory, UsageError
from .event import MISSING, NOTHING, Event, Kind, Missing, Process
from .history import EMPTY_HEADER, Header
from .open_operation import OpenOperation, describe, told
from .sources import open_source
from .values import Map, Value

Fsync: TypeAlias = Literal["never", "close", "always"]
Clock: TypeAlias = Callable[[], int]

ORIGIN: Final = "began_monotonic_ns"
"""The field of the header that tells those who join when the recording began, by the machine's monotonic clock."""

SUCCESSOR: Final = 1_000_000
"""A process ends with its first info; its client goes on as the process whose number is higher by this."""


def record(
    path: Path | str,
    *,
    header: Header = EMPTY_HEADER,
    fsync: Fsync = "close",
    definite: tuple[type[BaseException], ...] = (),
    join: bool = False,
    clock: Clock | None = None,
) -> Recorder:
    """Begin a recording.

    Args:
        path: the file; there must be nothing in it yet, unless `join` is set.
        header: what is said about the history as a whole.
        fsync: when the file is forced to the disk: never, when the recorder is closed, or after each event.
        definite: exceptions that rule out that the operation took effect, or ever will.
        join: somebody records into this file already; add to it.
        clock: the time in nanoseconds; by default since the recording began.

    Raises:
        UsageError: there is something in the file, or it cannot be written.
    """
    origin = _origin(path, clock) if join else monotonic_ns()
    recorder = Recorder(path, origin, fsync=fsync, definite=definite, clock=clock)
    if join:
        return recorder
    if recorder.path.stat().st_size:
        recorder.close()
        raise UsageError(f"{path}: there is a recording already. Choose another name, or add to it with join=True")
    if clock is None:
        header = msgspec.structs.replace(header, extra=Map({**header.extra, ORIGIN: origin}))
    recorder.write(encode_header(header))
    return recorder


def _origin(path: Path | str, clock: Clock | None) -> int:
    """When the recording that we join began, as its header tells."""
    with open_source(path) as source:
        first = next(iter(source), b"")
    try:
        origin = decode_object(first).get(ORIGIN)
    except MalformedHistory as problem:
        raise problem.located(path=str(path), line=1) from problem
    if clock is None and type(origin) is not int:
        raise UsageError(f"{path}: its header does not tell when the recording began; give a clock of your own")
    return origin or 0


class Recorder:
    """Writes events into a file, from any number of threads, tasks and (forked or pickled) processes.

    A process id belongs to one caller at a time. `record` makes one.
    """

    def __init__(
        self,
        path: Path | str,
        origin: int,
        *,
        fsync: Fsync = "close",
        definite: tuple[type[BaseException], ...] = (),
        clock: Clock | None = None,
    ) -> None:
        self.path, self.definite = Path(path).absolute(), definite
        self._origin, self._fsync, self._clock = origin, fsync, clock
        self._lock = threading.Lock()
        self._open: dict[int, str] = {}
        self._infos: Counter[int] = Counter()
        try:
            self._descriptor = os.open(self.path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o644)
        except OSError as error:
            raise UsageError(f"{path}: cannot be recorded into: {error.strerror or error}") from error

    def __reduce__(self) -> tuple[Any, ...]:
        return _reopened, (self.path, self._origin, self._fsync, self.definite, self._clock)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        """End the recording; operations that are open stay pending."""
        descriptor, self._descriptor = self._descriptor, -1
        if descriptor >= 0:
            try:
                if self._fsync != "never":
                    os.fsync(descriptor)
            finally:
                os.close(descriptor)

    def event(
        self,
        process: Process,
        kind: Kind,
        action: str,
        *,
        key: Value = None,
        value: Value | Missing = MISSING,
        time: int | None = None,
        session: Process | None = None,
        node: str | None = None,
        error: Value = None,
        extra: Map = NOTHING,
    ) -> None:
        """Write one event down, whatever it means; its time is that of the recorder's clock unless given.

        Raises:
            UsageError: it cannot be written.
        """
        with self._lock:
            event = Event(
                process=process,
                kind=kind,
                action=action,
                key=key,
                value=value,
                time=self._now() if time is None else time,
                session=session,
                node=node,
                error=error,
                extra=extra,
            )
            self.write(encode_event(event))

    def write(self, line: bytes) -> None:
        """Append a line with its end, in one piece.

        Raises:
            UsageError: the recorder is closed, or the disk does not take it.
        """
        if self._descriptor < 0:
            raise UsageError(f"{self.path}: the recording has ended")
        try:
            written = os.write(self._descriptor, line)
            if self._fsync == "always":
                os.fsync(self._descriptor)
        except OSError as error:
            raise UsageError(f"{self.path}: cannot be recorded into: {error.strerror or error}") from error
        if written != len(line):
            raise UsageError(f"{self.path}: only a part of a line could be written; is the disk full?")

    @contextmanager
    def operation(
        self,
        *,
        process: int,
        action: str,
        key: Value = None,
        argument: Any = MISSING,
        session: Process | None = None,
        node: str | None = None,
    ) -> Iterator[OpenOperation]:
        """Record the operation that the body performs.

        A process that has ended in `info` goes on as its successor, in the same session.

        Raises:
            UsageError: the process has an open operation, the argument or result is no JSON value, or an ok read does not
                say what it read (it is recorded as `info` then).
        """
        operation = self._invoke(process, action, told(key), told(argument), session, node)
        try:
            yield operation
            kind, value, problem = operation.ending()
        except BaseException as error:
            self._complete(operation, operation.failure(error), MISSING, describe(error))
            raise
        self._complete(operation, kind, value, problem)

    def _invoke(
        self,
        process: int,
        action: str,
        key: Value,
        argument: Value | Missing,
        session: Process | None,
        node: str | None,
    ) -> OpenOperation:
        with self._lock:
            if process in self._open:
                raise UsageError(
                    f"process {process} has an open {self._open[process]}; a process does one thing at a time"
                )
            self._open[process] = action
            infos = self._infos[process]
        if infos and session is None:
            session = process
        operation = OpenOperation(self.definite, process, process + SUCCESSOR * infos, action, key, session, node)
        try:
            self._event_of(operation, Kind.INVOKE, argument, None)
        except UsageError:
            del self._open[process]  # it never began
            raise
        return operation

    def _complete(self, operation: OpenOperation, kind: Kind, value: Value | Missing, error: Value) -> None:
        self._event_of(operation, kind, value, error)
        with self._lock:
            del self._open[operation.caller]
            self._infos[operation.caller] += kind is Kind.INFO

    def _event_of(self, operation: OpenOperation, kind: Kind, value: Value | Missing, error: Value) -> None:
        self.event(
            operation.process,
            kind,
            operation.action,
            key=operation.key,
            value=value,
            session=operation.session,
            node=operation.node,
            error=error,
        )

    def _now(self) -> int:
        return monotonic_ns() - self._origin if self._clock is None else self._clock()


def _reopened(path: Path, origin: int, fsync: Fsync, definite: Any, clock: Clock | None) -> Recorder:
    return Recorder(path, origin, fsync=fsync, definite=definite, clock=clock)
