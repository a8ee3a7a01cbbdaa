"""Single reads and writes traced column by column, where every read has its write: the fast way for long histories."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np
import numpy.typing as npt

from ...histories.columns import ABSENT, CODES, Table
from ...histories.event import Kind, Missing
from ...histories.history import History
from ...histories.values import Value, same
from .traced import INITIAL, NEVER, READS, WRITES, Numbers, Outside, ReadsFrom

DELETES: Final = frozenset({"delete"})


def trace_columns(history: History, outside: Outside) -> ReadsFrom | None:
    """What `reads_from` finds, by sorting, O(n log n); None where an operation or a read asks for a closer look.

    That is an operation that is no plain read, write or delete, and a read for which there is no write, or more than one.
    """
    columns, pairing = history.columns, history.pairing
    begins, ends = pairing.invocation, pairing.completion
    is_read, is_write, is_delete = (
        np.isin(columns.action[begins], [code for code, action in enumerate(columns.actions) if action in named])
        for named in (READS, WRITES, DELETES)
    )
    if not np.all(is_read | is_write | is_delete):
        return None
    values = columns.values
    null = next((code for code, value in enumerate(values) if value is None), len(values))
    initial = history.header.initial
    start = null if isinstance(initial, Missing) else _code_of(initial, values)
    untold = null if history.header.nil_read == "unknown" else ABSENT
    kind = np.where(ends == ABSENT, CODES[Kind.INFO], columns.kind[ends])
    is_ok = kind == CODES[Kind.OK]
    key = columns.key[begins].astype(np.int64)
    argument = np.where(is_delete | (columns.value[begins] == ABSENT), null, columns.value[begins]).astype(np.int64)
    result = np.where(ends == ABSENT, ABSENT, columns.value[ends]).astype(np.int64)
    cells = len(values) + 3  # ABSENT, every value, and null and the initial one where they do not occur
    writers = np.flatnonzero(~is_read & (kind != CODES[Kind.FAIL]))
    readers = np.flatnonzero(is_read & is_ok & (result != untold))
    written = key[writers] * cells + argument[writers]
    by_cell = np.argsort(written, kind="stable")
    seen = key[readers] * cells + result[readers]
    first, beyond = (np.searchsorted(written[by_cell], seen, side=side) for side in ("left", "right"))
    was_there = (result[readers] == start) & (outside == "nothing")
    if not np.all((beyond - first) + was_there == 1):
        return None
    source = np.where(was_there, INITIAL, 0)
    source[~was_there] = writers[by_cell[first[~was_there]]]
    counts = is_ok.copy()
    counts[source[~was_there]] = True
    return _built(history, counts, is_ok, writers[counts[writers]], readers, source)


def _code_of(value: Value, values: Sequence[Value]) -> int:
    """Its code, one of its own where it does not occur; values are distinct."""
    return next((code for code, each in enumerate(values) if same(each, value)), len(values) + 1)


def _built(  # what was found, column by column
    history: History,
    counts: npt.NDArray[np.bool_],
    is_ok: npt.NDArray[np.bool_],
    writers: Numbers,
    readers: Numbers,
    source: Numbers,
) -> ReadsFrom:
    """With transactions, sessions and keys numbered anew."""
    columns, pairing = history.columns, history.pairing
    inside = np.flatnonzero(counts)
    place = np.cumsum(counts) - 1
    begins = pairing.invocation[inside]
    process = columns.process[begins] - len(
        columns.processes
    )  # below 0, to tell it from a session, and a place all the same
    names, session = _numbered(np.where(columns.session[begins] == ABSENT, process, columns.session[begins]))
    sessions = Table()
    merged = np.array(
        [sessions.code(columns.processes[each] if each < 0 else columns.sessions[each]) for each in names.tolist()],
        dtype=np.int64,
    )
    session = merged[session]
    keys, key = _numbered(columns.key[pairing.invocation[np.concatenate((writers, readers))]])
    is_definite = is_ok[inside]
    return ReadsFrom(
        history=history,
        numbers=inside,
        sessions=sessions.values,
        session=session,
        position=_positions(session),
        is_definite=is_definite,
        began=pairing.began[inside],
        ended=np.where(is_definite, pairing.ended[inside], NEVER),
        keys=[None if each == ABSENT else columns.values[each] for each in keys.tolist()],
        writes=np.stack((place[writers], key[: len(writers)]), axis=1),
        reads=np.stack(
            (place[readers], key[len(writers) :], np.where(source == INITIAL, INITIAL, place[source])), axis=1
        ),
    )


def _numbered(codes: npt.NDArray[np.int32]) -> tuple[Numbers, Numbers]:
    """The distinct codes in the order in which they appear first, and for each code its place among them."""
    distinct, first, place = np.unique(codes, return_index=True, return_inverse=True)
    order = np.argsort(first)
    rank = np.empty(len(order), dtype=np.int64)
    rank[order] = np.arange(len(order))
    return distinct[order].astype(np.int64), rank[place]


def _positions(session: Numbers) -> Numbers:
    """The place of each in its session."""
    by_session = np.argsort(session, kind="stable")
    row = np.arange(len(session))
    is_first = np.append(True, session[by_session][1:] != session[by_session][:-1])[
        : len(session)
    ]  # the first row is one
    position = np.empty(len(session), dtype=np.int64)
    position[by_session] = row - np.maximum.accumulate(np.where(is_first, row, 0))
    return position
