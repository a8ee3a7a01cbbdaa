"""Which completion belongs to which invocation, and which operation came first: worked out on columns, once."""

from __future__ import annotations

from array import array
from collections import Counter
from collections.abc import Callable
from typing import Any, Final, TypeAlias

import msgspec
import numpy as np
import numpy.typing as npt

from .columns import ABSENT, CODES, KINDS, NO_TIME, Columns
from .errors import MalformedHistory
from .event import MISSING, Event, Kind, Operation
from .values import same, to_json

Rows: TypeAlias = npt.NDArray[np.int64]

READS: Final = frozenset({"read", "get"})
"""Actions whose ok completion must have a value: `null` observes absence, and nothing at all observes nothing."""

_INVOKE, _OK, _INFO = CODES[Kind.INVOKE], CODES[Kind.OK], CODES[Kind.INFO]


class Pairing(msgspec.Struct, frozen=True, kw_only=True):
    """The operations of clients as rows of columns, in the order in which they began.

    Attributes:
        invocation: the row of each invocation.
        completion: the row of its completion, -1 where there is none.
        began: its place in real-time order.
        ended: the place of its completion; -1 while pending, since it may take effect at any later time.
        remarks: what a reader should know: answers after an info, times that go back.
    """

    invocation: Rows
    completion: Rows
    began: Rows
    ended: Rows
    remarks: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.invocation)

    def take(self, chosen: npt.NDArray[np.bool_] | Rows) -> Pairing:
        """The chosen operations alone: a mask, or their places."""
        names = ("invocation", "completion", "began", "ended")
        return msgspec.structs.replace(self, **{name: getattr(self, name)[chosen] for name in names})


Where: TypeAlias = Callable[[int], dict[str, Any]]
"""The path and line of the event with this index, as keyword arguments of `MalformedHistory`."""


def pair(columns: Columns, *, places: Rows, where: Where) -> Pairing:
    """Pair the events of each process in the order of its lines; `places` says where each row stands in real time.

    Raises:
        MalformedHistory: a completion without an invocation, or with another action or key; two open operations of one
            process; an ok read that does not say what it read.
    """
    begins, ends, remarks = _pair_rows(columns, where)
    order = np.argsort(places[begins], kind="stable")
    invocation, completion = begins[order], ends[order]
    known = (completion != ABSENT) & (columns.kind[completion] != _INFO)
    return Pairing(
        invocation=invocation,
        completion=completion,
        began=places[invocation],
        ended=np.where(known, places[completion], ABSENT),
        remarks=remarks,
    )


def _pair_rows(columns: Columns, where: Where) -> tuple[Rows, Rows, tuple[str, ...]]:
    """The rows of invocations and of their completions, and remarks. A million events take about a second."""
    rows = np.flatnonzero(columns.is_client())
    begins, ends = array("q"), array("q")
    open_at = [ABSENT] * len(columns.processes)
    ended_by_info = [False] * len(columns.processes)
    late, reused = Counter[int](), Counter[int]()
    events = zip(rows.tolist(), columns.process[rows].tolist(), columns.kind[rows].tolist(), strict=True)
    for row, process, kind in events:
        at = open_at[process]
        if kind == _INVOKE:
            if at != ABSENT:
                raise _two_open(columns, begins[at], row, where)
            reused[process] += ended_by_info[process]
            open_at[process] = len(begins)
            begins.append(row)
            ends.append(ABSENT)
        elif at != ABSENT:
            ends[at] = row
            open_at[process] = ABSENT
            ended_by_info[process] |= kind == _INFO
        elif ended_by_info[process]:
            late[process] += 1
        else:
            raise _unasked(columns, row, where)
    invocation, completion = np.array(begins, dtype=np.int64), np.array(ends, dtype=np.int64)
    _must_match(columns, invocation, completion, where)
    remarks = [_counted(columns, process, "answers after its info; it stays pending", late) for process in +late]
    remarks += [_counted(columns, process, "goes on after its info", reused) for process in +reused]
    return invocation, completion, tuple(remarks)


def _counted(columns: Columns, process: int, what: str, times: Counter[int]) -> str:
    often = f" ({times[process]} times)" if times[process] > 1 else ""
    return f"process {columns.processes[process]} {what}{often}"


def _must_match(columns: Columns, invocation: Rows, completion: Rows, where: Where) -> None:
    """A completion repeats the action of its invocation, and its key or none; an ok read says what it read."""
    begins, ends = invocation[completion != ABSENT], completion[completion != ABSENT]
    other_action = columns.action[begins] != columns.action[ends]
    other_key = (columns.key[ends] != ABSENT) & (columns.key[ends] != columns.key[begins])
    silent = _is_ok_read(columns, ends) & (columns.value[ends] == ABSENT)
    wrong = np.flatnonzero(other_action | other_key | silent)
    if len(wrong):
        first = wrong[np.argmin(ends[wrong])]
        raise _mismatch(columns.event(int(begins[first])), columns.event(int(ends[first])), where)


def _is_ok_read(columns: Columns, rows: Rows) -> npt.NDArray[np.bool_]:
    reads = [code for code, action in enumerate(columns.actions) if action in READS]
    found: npt.NDArray[np.bool_] = (columns.kind[rows] == _OK) & np.isin(columns.action[rows], reads)
    return found


def nil_reads(columns: Columns, pairing: Pairing) -> npt.NDArray[np.bool_]:
    """Which operations are ok reads of null."""
    null = [code for code, value in enumerate(columns.values) if value is None]
    ends = pairing.completion
    found: npt.NDArray[np.bool_] = (ends != ABSENT) & _is_ok_read(columns, ends) & np.isin(columns.value[ends], null)
    return found


def _mismatch(begin: Event, end: Event, where: Where) -> MalformedHistory:
    if begin.action != end.action:
        return MalformedHistory(
            f"process {end.process} invoked {begin.action} and completes {end.action}",
            field="f",
            hint="A completion repeats the action of its invocation",
            **where(end.index),
        )
    if end.key is not None and not same(end.key, begin.key):
        return MalformedHistory(
            f"process {end.process} asked for key {to_json(begin.key)} and completes {to_json(end.key)}",
            field="key",
            hint="A completion repeats the key of its invocation, or leaves it out",
            **where(end.index),
        )
    return MalformedHistory(
        f"process {end.process} completes {end.action} and does not say what it saw",
        field="value",
        hint="Write null where it found nothing",
        **where(end.index),
    )


def _two_open(columns: Columns, begin: int, again: int, where: Where) -> MalformedHistory:
    waiting, event = columns.event(begin), columns.event(again)
    return MalformedHistory(
        f"process {event.process} invokes {event.action} while its {waiting.action} is open",
        field="process",
        hint="A process does one thing at a time; give concurrent operations processes of their own",
        **where(event.index),
    )


def _unasked(columns: Columns, row: int, where: Where) -> MalformedHistory:
    event = columns.event(row)
    return MalformedHistory(
        f"process {event.process} completes {event.action} without an invocation",
        field="process",
        hint="Record the invocation before the request is sent, or leave the line out with --lenient",
        **where(event.index),
    )


def operations(columns: Columns, pairing: Pairing) -> tuple[Operation, ...]:
    """The operations as objects, in the order in which they began. A million take two or three seconds."""
    begins, has_end = pairing.invocation, pairing.completion != ABSENT
    ends = np.where(has_end, pairing.completion, begins)
    kind = np.where(has_end, columns.kind[ends], _INFO)
    values, nodes = columns.values, columns.nodes
    rows = zip(
        columns.process[begins].tolist(),
        columns.action[begins].tolist(),
        columns.key[begins].tolist(),
        columns.value[begins].tolist(),
        np.where(kind == _OK, columns.value[ends], ABSENT).tolist(),
        kind.tolist(),
        columns.index[begins].tolist(),
        np.where(has_end, columns.index[ends], ABSENT).tolist(),
        pairing.began.tolist(),
        pairing.ended.tolist(),
        columns.session[begins].tolist(),
        columns.node[begins].tolist(),
        np.where(has_end, columns.node[ends], ABSENT).tolist(),
        columns.time[begins].tolist(),
        np.where(has_end, columns.time[ends], NO_TIME).tolist(),
        strict=True,
    )
    return tuple(
        Operation(
            process=columns.processes[process],
            action=columns.actions[action],
            key=None if key == ABSENT else values[key],
            argument=None if argument == ABSENT else values[argument],
            result=MISSING if result == ABSENT else values[result],
            outcome=KINDS[outcome],
            invocation=invocation,
            completion=None if completion == ABSENT else completion,
            began=began,
            ended=None if ended == ABSENT else ended,
            session=columns.processes[process] if session == ABSENT else columns.sessions[session],
            node=(None if answering == ABSENT else nodes[answering]) or (None if asked == ABSENT else nodes[asked]),
            invoked_ns=None if invoked == NO_TIME else invoked,
            completed_ns=None if completed == NO_TIME else completed,
            error=columns.errors.get(completion),
        )
        for (
            process, action, key, argument, result, outcome, invocation, completion, began, ended, session, asked,
            answering, invoked, completed,
        ) in rows
    )  # fmt: skip


def real_time_places(columns: Columns, *, clock_error_ns: int, where: Where) -> Rows:
    """The place of each row when real-time order is that of the times.

    Intervals are widened by the error of the clocks; of events at the same time, invocations come first.

    Raises:
        MalformedHistory: an event of a client has no time.
    """
    times = columns.time
    without = np.flatnonzero((times == NO_TIME) & columns.is_client())
    if len(without):
        raise MalformedHistory(
            "the header orders by time, and this event has none",
            field="time",
            hint='Give every event of a client its time, or order by lines ("order":"lines")',
            **where(int(columns.index[without[0]])),
        )
    invoked = columns.kind == _INVOKE
    widened = np.where(invoked, times - clock_error_ns, times + clock_error_ns)
    places = np.empty(len(times), dtype=np.int64)
    places[np.lexsort((columns.index, ~invoked, widened))] = np.arange(len(times))
    return places


def times_go_back(columns: Columns) -> bool:
    """Whether an event has an earlier time than one in a line before it."""
    known = columns.time[columns.time != NO_TIME]
    return bool(np.any(np.diff(known) < 0))
