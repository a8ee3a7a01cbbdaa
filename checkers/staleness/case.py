"""One history, looked at once for all questions about how stale its reads are."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np

from ...histories.history import History
from ...histories.values import Value, identity, to_json
from ..causality.oddities import odd
from ..reads_from import INITIAL, NotApplicable, Numbers, Outside, ReadsFrom, reads_from
from ..verdict import Anomaly
from .measure import came, entry
from .registers import Clusters, Spans, clusters, must_be_registers, places, times
from .regular import NOBODY, Reads, judged_reads, overlaps_a_write
from .tell import tell_future, tell_stale
from .witness import Entry, Sources


@dataclass(frozen=True, eq=False)
class Case:
    """A history of operations on registers. What does not apply raises NotApplicable when it is asked for."""

    history: History
    outside: Outside = "nothing"

    @cached_property
    def traced(self) -> ReadsFrom:
        """Who read from whom."""
        traced = reads_from(self.history, outside=self.outside)
        must_be_registers(traced, plain=False)
        return traced

    @cached_property
    def plain(self) -> ReadsFrom:
        """The same, where no operation both reads and writes."""
        must_be_registers(self.traced, plain=True)
        return self.traced

    @cached_property
    def places(self) -> Spans:
        """When transactions were open, in real-time order."""
        return places(self.traced)

    @cached_property
    def times(self) -> Spans:
        """When transactions were open, in ns."""
        return times(self.traced)

    @cached_property
    def placed(self) -> Sequence[Clusters]:
        """The clusters of each register, by places."""
        return list(clusters(self.plain, self.places).registers())

    @cached_property
    def timed(self) -> Sequence[Clusters]:
        """The clusters of each register, by times."""
        return list(clusters(self.plain, self.times).registers())

    @cached_property
    def reads(self) -> Reads:
        """What real time says of each read."""
        return judged_reads(self.traced, self.places)

    @cached_property
    def read_rows(self) -> dict[int, Numbers]:
        """The reads of each register."""
        order = np.argsort(self.traced.reads[:, 1], kind="stable")
        rows = self.traced.reads[order]
        parts = np.split(rows, np.flatnonzero(np.diff(rows[:, 1])) + 1)
        return {int(part[0, 1]): part for part in parts if len(part)}

    @cached_property
    def assumed(self) -> frozenset[Any]:
        """The registers and values that no operation of the history wrote, and that were taken to be right."""
        traced = self.traced
        outside = np.flatnonzero(traced.numbers < 0).tolist()
        key_of = dict(traced.writes.tolist())
        told = [*traced.started_as, *((traced.keys[key_of[each]], came(traced, each)) for each in outside)]
        return frozenset((identity(key), identity(value)) for key, value in told)

    @property
    def common(self) -> dict[str, Any]:
        """What all verdicts on it have in common."""
        notes = self.history.remarks
        return {"checker": "staleness", "operations": len(self.history.pairing), "notes": (*notes, *self._assumed())}

    def _assumed(self) -> tuple[str, ...]:
        if self.outside == "nothing":
            return ()
        notes = [
            f"{_of_key(key)} is taken to have begun with {to_json(value)}" for key, value in self.traced.started_as
        ]
        count = int((self.traced.numbers < 0).sum())
        if count:
            notes.append(f"{count} values that were read are taken to come from outside of this history")
        return tuple(notes)

    # --- anomalies of single reads

    def odd(self) -> Anomaly | None:
        """The first read that no write explains."""
        return odd(self.traced)

    def future(self, rows: Numbers | None = None) -> Anomaly | None:
        """The first read, of these rows or all, that had ended before its write began."""
        chosen = np.flatnonzero(self.reads.is_future)
        chosen = chosen if rows is None else np.intersect1d(chosen, rows)
        if not len(chosen):
            return None
        reader, _, source = self.traced.reads[chosen[0]].tolist()
        told = tell_future(self.traced, reader, source)
        return replace(told, history=self.history.only(told.operations))

    def stale(self, rows: Numbers) -> Anomaly | None:
        """The first read of these rows that returned what had been overwritten."""
        chosen = np.intersect1d(np.flatnonzero(self.reads.overwriter != NOBODY), rows)
        if not len(chosen):
            return None
        reader, _, source = self.traced.reads[chosen[0]].tolist()
        told = tell_stale(self.traced, reader, source, int(self.reads.overwriter[chosen[0]]))
        return replace(told, history=self.history.only(told.operations))

    # --- what a safe register says nothing about

    def owed(self) -> Case:
        """Without the reads that overlap a write, of which a safe register says nothing.

        Raises:
            NotApplicable: the history is an excerpt.
        """
        if self.outside == "anything":
            raise NotApplicable(
                "an excerpt may lack a write that a read overlapped, and then a safe register says nothing"
            )
        traced = self.traced
        odd_readers = np.array([each.reader for each in traced.oddities], dtype=np.int64)
        names = {identity(name): name for name in (*traced.keys, *(each.key for each in traced.oddities))}
        numbers = {name: number for number, name in enumerate(names)}
        odd_keys = [numbers[identity(each.key)] for each in traced.oddities]
        readers = np.concatenate((traced.reads[:, 0], odd_readers))
        keys = np.concatenate((traced.reads[:, 1], np.array(odd_keys, dtype=np.int64)))
        excused = overlaps_a_write(traced, self.places, list(names.values()), keys, readers)
        struck = traced.numbers[np.setdiff1d(readers[excused], traced.writes[:, 0])]
        if not len(struck):
            return self
        pairing = self.history.pairing
        events = np.concatenate((pairing.invocation[struck], pairing.completion[struck]))
        return Case(self.history.at_rows(np.setdiff1d(np.arange(len(self.history)), events).tolist()), self.outside)

    def alone(self) -> Numbers:
        """The rows of reads that overlap no write."""
        reader, key, _ = self.traced.reads.T
        return np.flatnonzero(~overlaps_a_write(self.traced, self.places, self.traced.keys, key, reader))

    def sources(self, rows: Numbers) -> Sources:
        """Where these reads are from."""
        pairs: list[tuple[int, Entry | None]] = []
        for reader, _, source in self.traced.reads[rows].tolist():
            read = entry(self.traced, reader)
            assert isinstance(read, int), "only operations read"
            pairs.append((read, None if source == INITIAL else entry(self.traced, source)))
        return Sources(tuple(pairs), self.traced.started_as)


def _of_key(key: Value) -> str:
    return "the register" if key is None else f"key {to_json(key)}"
