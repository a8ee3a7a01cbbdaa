"""Liveness on finite runs: something happens within a bound after the heal.

A run that misses its bound goes on for a while, and what it then shows decides: it happens after all (late), nothing can
happen any more (stuck), or nobody knows. Only the first two refute.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar, NamedTuple, TypeAlias

from ..histories.event import Kind, Operation, Process
from ..histories.evidence import Evidence
from ..histories.history import History
from ..histories.trace import LIFECYCLE, TRANSPORT, Note
from .notes import milliseconds, number, quote
from .verdict import Anomaly, Refuted, Undecided, Upheld, Verdict

Bound: TypeAlias = int | Callable[[Evidence], int]
"""Nanoseconds, or how to compute them from the evidence."""

METHOD = "times after the heal"


def heal_ns(history: History) -> int | None:
    """When the storm ended: the time of the last event `heal` of the process `phases`, if there is one."""
    heals = [event for event in history.of("phases") if event.action == "heal"]
    return heals[-1].time if heals else None


def ended_ns(evidence: Evidence) -> int:
    """The last time at which a client saw or a node did anything: the same whether messages were noted or not."""
    times = evidence.history.columns.time
    last_event = int(times.max()) if len(times) else 0
    return max(last_event, _last_change_ns(evidence.trace))


@dataclass(frozen=True, slots=True, kw_only=True)
class Deadline:
    """By when something has to happen, and what the run shows if it has not.

    Attributes:
        since_ns: when the waiting began.
        bound_ns: how long it may take.
        period_ns: a run in which no node noted anything for three of these, up to its end, is stuck. By default the bound.
        changed_ns: when a node last noted something.
        ended_ns: when the run ended.
    """

    since_ns: int
    bound_ns: int
    period_ns: int
    changed_ns: int
    ended_ns: int

    @classmethod
    def of(cls, evidence: Evidence, *, since_ns: int, bound: Bound, period: Bound | None = None) -> Deadline:
        """The deadline for what this run was waiting for since then."""
        bound_ns = nanoseconds(bound, evidence)
        return cls(
            since_ns=since_ns,
            bound_ns=bound_ns,
            period_ns=bound_ns if period is None else nanoseconds(period, evidence),
            changed_ns=_last_change_ns(evidence.trace),
            ended_ns=ended_ns(evidence),
        )

    @property
    def at_ns(self) -> int:
        """The last moment that is in time."""
        return self.since_ns + self.bound_ns

    @property
    def is_stuck(self) -> bool:
        """Whether the run ended after the deadline, and nothing had moved in it for three periods."""
        quiet_ns = self.ended_ns - max(self.since_ns, self.changed_ns)
        return self.ended_ns > self.at_ns and quiet_ns >= 3 * self.period_ns

    def judge(self, what: str, happened_ns: int | None, *, checker: str, facts: Sequence[Note] = ()) -> Verdict:
        """The verdict on something that happened then, or (None) did not happen as long as the run went on."""
        if happened_ns is not None and happened_ns <= self.at_ns:
            took = {"bound_ns": self.bound_ns, "took_ns": max(0, happened_ns - self.since_ns)}
            return Upheld(checker=checker, method=METHOD, evidence=took)
        if happened_ns is not None:
            story = (self.allowance(what), f"It came at {milliseconds(happened_ns)}.", *map(quote, facts))
            return self.refuted("late", story, checker=checker, facts=facts)
        return self.missing(what, checker=checker, facts=facts)

    def missing(
        self, what: str, *, checker: str, operations: Sequence[Operation] = (), facts: Sequence[Note] = ()
    ) -> Verdict:
        """The verdict on something that did not happen: stuck, or nobody knows."""
        if self.is_stuck:
            quiet_since = max(self.since_ns, self.changed_ns)
            stuck = (
                f"It never came: no node noted anything after {milliseconds(quiet_since)}, "
                f"and the run went on until {milliseconds(self.ended_ns)}."
            )
            story = (self.allowance(what), *map(quote, facts), *(f"  {operation}" for operation in operations), stuck)
            return self.refuted("stuck", story, checker=checker, operations=operations, facts=facts)
        when = "before its bound" if self.ended_ns <= self.at_ns else "while nodes were still at it"
        reason = f"no sign of {what}, but the run ended at {milliseconds(self.ended_ns)}, {when}"
        return Undecided(reason, checker=checker, method=METHOD, evidence={"bound_ns": self.bound_ns})

    def refuted(
        self,
        kind: str,
        story: tuple[str, ...],
        *,
        checker: str,
        operations: Sequence[Operation] = (),
        facts: Sequence[Note] = (),
    ) -> Refuted:
        """Refuted, with the bound as evidence."""
        anomaly = Anomaly(kind, story, operations=tuple(operations), facts=tuple(facts))
        return Refuted(anomaly, checker=checker, method=METHOD, evidence={"bound_ns": self.bound_ns})

    def allowance(self, what: str) -> str:
        """What a story says first: what was allowed."""
        return (
            f"From {milliseconds(self.since_ns)} on, {what} may take {milliseconds(self.bound_ns)}: "
            f"until {milliseconds(self.at_ns)}."
        )


def nanoseconds(bound: Bound, evidence: Evidence) -> int:
    """The bound in this run."""
    return bound if isinstance(bound, int) else bound(evidence)


def _last_change_ns(trace: Sequence[Note]) -> int:
    """A message that changes nothing for long enough will not change anything: notes of transport do not count."""
    return next((note.time for note in reversed(trace) if note.kind not in TRANSPORT), 0)


def _everyone(_operation: Operation, _evidence: Evidence) -> bool:
    return True


class Outage(NamedTuple):
    """Operations of one session, one after the other, that were not answered ok, and the one that was, if there is one."""

    failed: tuple[Operation, ...]
    recovered: Operation | None


class Progress:
    """Operations invoked after the heal complete within the bound.

    An operation completes when it is answered ok (a refusal that depends on the state is ok). A client gives up earlier
    than a system may take to recover, so what counts is how long a session goes without an answer: from the invocation of
    an operation that is not answered until the end of the last one in a row. That may not be longer than the bound, and
    neither may any answer take longer. An operation that was sent to a node that is down is not counted unless it is
    answered.

    Attributes:
        bound, period: nanoseconds, or computed from the evidence; see `Deadline`.
        counts: which operations are owed an answer, besides; for clusters that stay cut after the heal.
    """

    name: ClassVar[str] = "progress"

    def __init__(
        self,
        *,
        bound: Bound,
        period: Bound | None = None,
        counts: Callable[[Operation, Evidence], bool] = _everyone,
    ) -> None:
        self.bound, self.period, self.counts = bound, period, counts

    def __call__(self, evidence: Evidence, /) -> Verdict:
        """Upheld, or Refuted as late or stuck; Undecided where the run does not tell."""
        healed = heal_ns(evidence.history)
        if healed is None:
            return Undecided("nothing to judge: the history tells of no heal", checker=self.name, method=METHOD)
        owed = self._owed(evidence, healed)
        answered = [operation for operation in owed if operation.outcome is Kind.OK]
        bound_ns = Deadline.of(evidence, since_ns=healed, bound=self.bound).bound_ns
        outages = list(_outages(owed))
        lengths_ns = [_length_ns(outage, ended_ns(evidence)) for outage in outages]
        long = [outage for outage, length_ns in zip(outages, lengths_ns, strict=True) if length_ns > bound_ns]
        if long:
            return self._judge(next((outage for outage in long if outage.recovered), long[0]), evidence)
        if not answered:
            reason = (
                "nothing to judge: no operation invoked after the heal was answered, and none waited for long enough"
            )
            return Undecided(reason, checker=self.name, method=METHOD)
        told = {"bound_ns": bound_ns, "answered": len(answered), "longest_ns": max(lengths_ns)}
        return Upheld(checker=self.name, method=METHOD, operations=len(owed), evidence=told)

    def _owed(self, evidence: Evidence, healed_ns: int) -> list[Operation]:
        """The operations that were invoked after the heal and have a claim to be answered."""
        down = _down(evidence.trace)
        return [
            operation
            for operation in evidence.history.operations
            if operation.invoked_ns is not None
            and operation.invoked_ns >= healed_ns
            and (operation.outcome is Kind.OK or not _overlaps(operation, down.get(operation.node or "", ())))
            and self.counts(operation, evidence)
        ]

    def _judge(self, outage: Outage, evidence: Evidence) -> Verdict:
        """The verdict on a session that waited for longer than the bound."""
        first = outage.failed[0]
        deadline = Deadline.of(evidence, since_ns=_begin_ns(first), bound=self.bound, period=self.period)
        if outage.recovered is None:
            return deadline.missing("an answer", checker=self.name, operations=(first,))
        shown = tuple(dict.fromkeys((first, outage.failed[-1], outage.recovered)))
        story = (deadline.allowance("an answer"), "It came later:", *(f"  {_timed(operation)}" for operation in shown))
        return deadline.refuted("late", story, checker=self.name, operations=shown)


def _outages(owed: Iterable[Operation]) -> Iterator[Outage]:
    """By session: each row of failures, and each answer by itself, which may have taken too long."""
    failed: dict[Process, list[Operation]] = {}
    for operation in owed:
        row = failed.setdefault(operation.session, [])
        if operation.outcome is not Kind.OK:
            row.append(operation)
            continue
        yield Outage((operation,), operation)
        if row:
            yield Outage(tuple(row), operation)
            row.clear()
    yield from (Outage(tuple(row), None) for row in failed.values() if row)


def _length_ns(outage: Outage, ended_ns: int) -> int:
    return min(_end_ns(outage.failed[-1]), ended_ns) - _begin_ns(outage.failed[0])


def _begin_ns(operation: Operation) -> int:
    return operation.invoked_ns or 0


def _end_ns(operation: Operation) -> int:
    """When it ended; for ever, if nothing ended it."""
    return 2**63 if operation.completed_ns is None else operation.completed_ns


def _timed(operation: Operation) -> str:
    begin = f"invoked at {milliseconds(_begin_ns(operation))}"
    if operation.completed_ns is None:
        return f"{begin}, never completed: {operation}"
    return f"{begin}, {operation.outcome.value} at {milliseconds(operation.completed_ns)}: {operation}"


def _down(trace: Iterable[Note]) -> Mapping[str, Sequence[tuple[int, int]]]:
    """When each node was down, as pairs of begin and end."""
    down: dict[str, list[tuple[int, int]]] = {}
    for note in trace:
        if note.kind == "crash":
            down.setdefault(note.node, []).append((note.time, 2**63))
        elif note.kind in LIFECYCLE and note.node in down:
            began, ended = down[note.node][-1]
            down[note.node][-1] = began, min(ended, note.time)
    return down


def _overlaps(operation: Operation, times: Iterable[tuple[int, int]]) -> bool:
    return any(began <= _end_ns(operation) and _begin_ns(operation) <= ended for began, ended in times)


class Reelection:
    """After the crash of the leader, a node begins to lead, within the bound from the crash or from the heal.

    The leader is the node that noted the highest term in which it leads. The bound of a crash in the storm runs from the
    heal on. In which term the next one leads is not asked here: a cluster that forgets its terms breaks other properties.
    """

    name: ClassVar[str] = "reelection"

    def __init__(self, *, bound: Bound, period: Bound | None = None) -> None:
        self.bound, self.period = bound, period

    def __call__(self, evidence: Evidence, /) -> Verdict:
        """The verdict on the first crash of a leader that is not Upheld, or else Upheld."""
        crashes = _leader_crashes(evidence.trace)
        if not crashes:
            return Undecided("nothing to judge: no leader crashed", checker=self.name, method=METHOD)
        verdicts = [self._judge(evidence, leads, crash) for leads, crash in crashes]
        for wanted in (Refuted, Undecided):
            found = [verdict for verdict in verdicts if isinstance(verdict, wanted)]
            if found:
                return found[0]
        took = max(verdict.evidence["took_ns"] for verdict in verdicts)
        told = {"leader_crashes": len(crashes), "slowest_ns": took}
        return Upheld(checker=self.name, method=METHOD, evidence=told)

    def _judge(self, evidence: Evidence, leads: Note, crash: Note) -> Verdict:
        since = max(crash.time, heal_ns(evidence.history) or 0)
        successor = next((note for note in evidence.trace.of_kind("leads") if note.time >= crash.time), None)
        deadline = Deadline.of(evidence, since_ns=since, bound=self.bound, period=self.period)
        facts = (leads, crash) if successor is None else (leads, crash, successor)
        happened = successor.time if successor else None
        return deadline.judge(f"a leader after {leads.node}", happened, checker=self.name, facts=facts)


def _leader_crashes(trace: Iterable[Note]) -> list[tuple[Note, Note]]:
    """Each crash of the node that led in the highest term, with its `leads`."""
    leads: Note | None = None
    crashes: dict[int, tuple[Note, Note]] = {}
    for note in trace:
        if note.kind == "leads" and (leads is None or number(note, "term") >= number(leads, "term")):
            leads = note
        elif note.kind == "crash" and leads is not None and note.node == leads.node:
            crashes.setdefault(number(leads, "term"), (leads, note))
    return list(crashes.values())
