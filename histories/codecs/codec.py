"""The seam for file formats: what every codec offers, and the draft of a history that it fills while it reads."""

from __future__ import annotations

from array import array
from collections.abc import Callable, Iterator
from typing import Literal, Protocol, TypeAlias

from ..errors import MalformedHistory
from ..event import MISSING, NOTHING, Event, Kind, Missing, Process
from ..history import EMPTY_HEADER, NO_TIME, Header, History, HistoryBuilder
from ..sources import Limits, Source
from ..values import Map, Value

FailedCas: TypeAlias = Literal["drop", "observe"]


class Codec(Protocol):
    """A format that histories are read from: a module with these three members."""

    NAME: str
    """What `--format` calls it."""

    def recognise(self, head: bytes, /) -> bool:
        """Whether a file that begins like this is a history in this format."""
        ...

    def read(self, source: Source, draft: Draft, /) -> None:
        """Add all events of the file to the draft.

        Raises:
            MalformedHistory: it is no history; the caller adds the path.
        """
        ...


class Writer(Codec, Protocol):
    """A codec that also writes."""

    def write(self, history: History, /) -> Iterator[bytes]:
        """The file, piece by piece."""
        ...


class Draft:
    """A history while it is being read.

    Attributes:
        header: what the file, or its format, says about the whole.
        notes: what a reader of the history should know.
        lenient: whether broken lines are left out and noted, or raise.
        failed_cas: whether a failed cas is dropped, or observed as the result false.
    """

    def __init__(self, limits: Limits, *, lenient: bool = False, failed_cas: FailedCas = "drop") -> None:
        self.limits, self.lenient, self.failed_cas = limits, lenient, failed_cas
        self.header: Header = EMPTY_HEADER
        self.notes: list[str] = []
        self._builder = HistoryBuilder()
        self._lines = array("q")
        self._open: dict[Process, str | None] = {}

    def __len__(self) -> int:
        return len(self._lines)

    def add(
        self,
        line: int,
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
        """Append the event of this line.

        A failed cas that says no error is a mismatch: with `failed_cas="observe"` it becomes `ok` with the result false.

        Raises:
            MalformedHistory: its time is no 64-bit integer, there are too many events, or (lenient) it completes nothing.
        """
        if kind is Kind.FAIL and self.failed_cas == "observe" and action == "cas" and error is None:
            kind, value = Kind.OK, False
        if time is not None and not NO_TIME < time < -NO_TIME:
            raise MalformedHistory(f"{time} is no time in nanoseconds", field="time", hint="Use a 64-bit integer")
        if len(self._lines) >= self.limits.events_max:
            raise self.limits.exceeded("events_max", "there are more events", line=line)
        if self.lenient and type(process) is int:
            self._mend(line, process, kind, action)
        self._builder.add(
            process,
            kind,
            action,
            key=key,
            value=value,
            time=time,
            session=session,
            node=node,
            error=error,
            extra=extra,
        )
        self._lines.append(line)

    def add_event(self, line: int, event: Event) -> None:
        """Append this event as that of the line, whatever its index was."""
        self.add(
            line,
            event.process,
            event.kind,
            event.action,
            key=event.key,
            value=event.value,
            time=event.time,
            session=event.session,
            node=event.node,
            error=event.error,
            extra=event.extra,
        )

    def leave_out(self, problem: MalformedHistory) -> None:
        """Leave a broken line out and say so, or raise what is wrong with it where readers are strict."""
        if not self.lenient:
            raise problem
        self.notes.append(f"left out: {problem}")

    def build(self, *, header: Header, path: str) -> History:
        """The history as read so far."""
        return self._builder.build(header=header, notes=self.notes, path=path, lines=self._lines)

    def _mend(self, line: int, process: int, kind: Kind, action: str) -> None:
        """Where lines were left out, whatever they said is unknown: an operation that lost its completion is pending."""
        waiting = self._open.get(process)
        if kind is not Kind.INVOKE:
            if waiting != action and (waiting is not None or process not in self._open):
                raise MalformedHistory(
                    f"process {process} completes {action} without an invocation", line=line, field="process"
                )
            self._open[process] = None
            return
        if waiting is not None and self.notes:
            self.notes.append(f"line {line}: process {process} goes on, so its {waiting} is taken as pending")
            self._builder.add(process, Kind.INFO, waiting, error="its completion was left out")
            self._lines.append(line)
        self._open[process] = action


def read_lines(source: Source, draft: Draft, parse: Callable[[bytes, int, Draft], None]) -> None:
    """Read a format in which every line stands for itself; blank lines say nothing.

    Raises:
        MalformedHistory: a line is broken, and the draft is not lenient.
    """
    for line in source:
        if not line or line.isspace():
            continue
        try:
            parse(line, source.number, draft)
        except MalformedHistory as problem:
            draft.leave_out(_torn(problem, source) if not source.complete else problem.located(line=source.number))


def _torn(problem: MalformedHistory, source: Source) -> MalformedHistory:
    """The last line has no end: whoever wrote it was probably stopped in the middle."""
    return MalformedHistory(
        f"the last line is torn: {problem.problem}",
        line=source.number,
        field=problem.field,
        hint="Its writer was probably stopped in the middle; --lenient leaves it out",
    )
