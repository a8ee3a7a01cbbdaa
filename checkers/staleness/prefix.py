"""Whether every transaction saw a prefix of one order of all writes, where that order is known.

Without it the question is NP-complete (Biswas and Enea, On the Complexity of Checking Transactional Consistency, 2019); with
it each transaction is asked by itself: the newest version that it read must be older than the next version of each key that
it read.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any, TypeAlias

import numpy as np

from ...histories.event import Kind, Missing, Operation
from ...histories.history import History
from ...histories.values import Value, identity
from ..causality.oddities import odd
from ..minimal import minimal_history
from ..reads_from import INITIAL, NotApplicable, Numbers, ReadsFrom, reads_from
from ..verdict import Anomaly, Refuted, Undecided, Upheld, Verdict
from .registers import END, START
from .tell import Edge, Telling
from .witness import Faulty, tell

Versions: TypeAlias = Callable[[Operation], int]
"""The place of what an operation wrote in the order of all writes, such as an offset in a log."""


@dataclass(frozen=True)
class Prefixes:
    """The last version of the prefix that each transaction saw: pairs of an invocation and a version, START for none."""

    cuts: tuple[tuple[int, int], ...]
    versions: Versions

    def recheck(self, history: History) -> None:
        """Replay the writes in order, and look at each cut. O(n log n).

        Raises:
            Faulty: something is not there at its cut that was read, or a transaction saw itself.
        """
        begun_at = {operation.invocation: operation for operation in history.operations}
        held = None if isinstance(history.header.initial, Missing) else history.header.initial
        cuts, state = dict(self.cuts), dict[Any, Any]()
        moments = [(cut, True, reader) for reader, cut in self.cuts]
        seen = {(identity(key), identity(value)) for each in begun_at.values() for key, value in _steps(each)[0]}
        for index, operation in begun_at.items():
            written = {(identity(key), identity(value)) for key, value in _steps(operation)[1]}
            if written and (operation.outcome is Kind.OK or (operation.is_pending and written & seen)):
                moments.append((self.versions(operation), False, index))
                if cuts.get(index, START) >= self.versions(operation):
                    raise Faulty(f"{operation} saw its own version as one of others")
        for _, is_read, index in sorted(moments):
            reads, writes = _steps(begun_at[index])
            if not is_read:
                state |= {identity(key): identity(value) for key, value in writes}
                continue
            for key, value in reads:
                if state.get(identity(key), identity(held)) != identity(value):
                    raise Faulty(f"{begun_at[index]} read what is not there at its cut")


def _steps(operation: Operation) -> tuple[list[tuple[Value, Value]], list[tuple[Value, Value]]]:
    """What an operation read of others, and what it wrote: keys and values."""
    if operation.action != "txn":
        told = tell(operation)
        return [(told.key, value) for value in told.seen], [(told.key, value) for value in told.left]
    is_ok = operation.outcome is Kind.OK
    steps: Any = operation.result if is_ok and not isinstance(operation.result, Missing) else operation.argument
    reads, writes = list[tuple[Value, Value]](), list[tuple[Value, Value]]()
    for kind, key, value in steps:
        if kind in {"w", ":w"}:
            writes.append((key, value))
        elif is_ok and identity(key) not in {identity(written) for written, _ in writes}:
            reads.append((key, value))
    return reads, writes


class ConsistentPrefix:
    """Whether every transaction saw a prefix of one order of all writes, in which none of its own are.

    Args:
        versions: tells the place of a write, or of a transaction that writes, in that order; no two have the same.
        sessions: whether the prefixes of a session must not shrink, either.
    """

    def __init__(self, versions: Versions, *, sessions: bool = False) -> None:
        self.versions, self.sessions = versions, sessions

    def check(self, history: History, /) -> Verdict:
        """The verdict. O(n log n).

        Raises:
            MalformedHistory: it is no history of reads and writes.
        """
        about: dict[str, Any] = {
            "checker": "consistent-prefix",
            "method": "versions",
            "operations": len(history.pairing),
            "notes": history.remarks,
        }
        try:
            anomaly = odd(reads_from(history))
            snapshots = self._snapshots(history)
        except NotApplicable as failure:
            named = "".join(f"; {operation} (event {operation.invocation})" for operation in failure.operations)
            return Undecided(f"not applicable: {failure}{named}", **about)
        if anomaly is not None:
            return Refuted(anomaly, **about)
        found = snapshots.violation()
        if found is None:
            return Upheld(witness=Prefixes(snapshots.cuts(), self.versions), **about)
        return Refuted(self._smallest(history, snapshots.involved(*found)), **about)

    def _smallest(self, history: History, involved: Sequence[Operation]) -> Anomaly:
        """Told of a part of the history that no operation can be left out of."""
        smallest = minimal_history(history, self._fails, begin_with=involved)
        snapshots = self._snapshots(smallest)
        found = snapshots.violation()
        assert found is not None, "what is left has a violation"
        return replace(snapshots.tell(*found), history=smallest)

    def _fails(self, history: History) -> bool:
        try:
            return not reads_from(history).oddities and self._snapshots(history).violation() is not None
        except NotApplicable:
            return False

    def _snapshots(self, history: History) -> _Snapshots:
        traced = reads_from(history)
        return _Snapshots(traced, self._places(traced), sessions=self.sessions)

    def _places(self, traced: ReadsFrom) -> Numbers:
        """The version of each transaction; START for those that write nothing.

        Raises:
            NotApplicable: two have the same.
        """
        found, seen = np.full(len(traced), START), dict[int, int]()
        for writer in np.unique(traced.writes[:, 0]).tolist():
            version = self.versions(traced.operation(writer))
            if version in seen:
                raise NotApplicable(
                    f"two have version {version}", tuple(map(traced.operation, (seen[version], writer)))
                )
            found[writer] = version
            seen[version] = writer
        return found


class _Snapshots:
    """Of each transaction, which versions its prefix must have, and which it must not.

    Attributes:
        must: the newest version that it must hold, and `must_by` the transaction that makes it so: the one that it read
            from, or its session.
        before: of each read, the version that overwrote what it returned; END where none did.
    """

    def __init__(self, traced: ReadsFrom, version: Numbers, *, sessions: bool) -> None:
        self.traced, self.version = traced, version
        reader, key, source = traced.reads.T
        self.read_version = np.where(source == INITIAL, START, version[source])
        self.must = np.full(len(traced), START)
        np.maximum.at(self.must, reader, self.read_version)
        if sessions:
            self._carry()
        self.before = self._next_versions(key)

    def _carry(self) -> None:
        """What a session saw or wrote, it goes on seeing. Transactions are numbered in the order of their sessions."""
        latest: dict[int, int] = {}
        for number in range(len(self.traced)):
            if self.traced.is_definite[number]:
                session = int(self.traced.session[number])
                self.must[number] = max(int(self.must[number]), latest.get(session, START))
                latest[session] = max(int(self.must[number]), int(self.version[number]))

    def _next_versions(self, key: Numbers) -> Numbers:
        """For each read, the next version of its key."""
        writers, keys = self.traced.writes.T
        ranks = np.unique(np.append(self.version, START))
        size = len(ranks)
        held = np.sort(keys * size + np.searchsorted(ranks, self.version[writers]))
        at = np.searchsorted(held, key * size + np.searchsorted(ranks, self.read_version), side="right")
        found = np.append(held, np.iinfo(np.int64).max)[at]
        return np.where(found // size == key, ranks[found % size], END)

    def cuts(self) -> tuple[tuple[int, int], ...]:
        """The smallest prefix that each transaction that read may have seen."""
        readers = np.unique(self.traced.reads[:, 0]).tolist()
        return tuple((self.traced.operation(reader).invocation, int(self.must[reader])) for reader in readers)

    def violation(self) -> tuple[int, int] | None:
        """The first transaction that contradicts what it must have seen, and the version that it did not see."""
        reader = self.traced.reads[:, 0]
        bad = np.flatnonzero(self.must[reader] >= self.before)
        if len(bad):
            return int(reader[bad[0]]), int(self.before[bad[0]])
        own = np.flatnonzero((self.version > START) & (self.must >= self.version))
        return (int(own[0]), int(self.version[own[0]])) if len(own) else None

    def involved(self, reader: int, missed: int) -> list[Operation]:
        """What makes a violation: the transaction, what it and its session read from, and what it did not see."""
        traced, newest = self.traced, int(self.must[reader])
        session = (traced.session == traced.session[reader]) & traced.is_definite & (np.arange(len(traced)) < reader)
        before = np.flatnonzero(session & ((self.must == newest) | (self.version == newest)))[:1].tolist()
        readers = [reader, *before]
        sources = traced.reads[np.isin(traced.reads[:, 0], readers), 2].tolist()
        lacked = np.flatnonzero(self.version == missed).tolist()
        return [traced.operation(each) for each in sorted({*readers, *sources, *lacked} - {INITIAL})]

    def tell(self, reader: int, missed: int) -> Anomaly:
        """The story of a violation."""
        telling, read = Telling(), self.traced.operation(reader)
        newest = int(self.must[reader])
        had, lacked = (self.traced.operation(int(np.flatnonzero(self.version == each)[0])) for each in (newest, missed))
        own = self.read_version[self.traced.reads[:, 0] == reader]
        whose = "it" if newest in own else "its session, before,"
        telling.story.append(f"{telling.name(had)} has version {newest}")
        telling.story.append(f"{telling.name(read)} must have seen that: {whose} read or wrote it")
        if lacked.invocation == read.invocation:
            telling.story.append(f"It has version {missed} itself, so it saw what comes later")
        else:
            telling.story += [
                f"{telling.name(lacked)} has version {missed}, and it did not see that: it read what that overwrote",
                f"No prefix has version {newest}, and not version {missed}",
            ]
        telling.edges += [
            Edge(lacked.invocation, had.invocation, "ww", "has an earlier version"),
            Edge(had.invocation, read.invocation, "wr", "was seen"),
            Edge(read.invocation, lacked.invocation, "rw", "read what the other overwrote, or is the other"),
        ]
        return telling.anomaly("G-single")
