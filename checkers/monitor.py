"""Watching a run: judges of the trace that speak as soon as they see a violation.

A property is built on `observe`, one note at a time, so that the same code judges a recorded trace and stops a run at the
violation as it happens. What a node does not note never refutes (a crash may have come first); what it notes may.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import replace
from typing import ClassVar, Self

from ..histories.evidence import Evidence
from ..histories.trace import Note, Trace
from .chain import chain_of
from .verdict import Anomaly, Refuted, Undecided, Upheld, Verdict


class SafetyProperty(ABC):
    """A property that a finite trace can break: a checker of traces, a judge of evidence, and a monitor of one run.

    `check` and `__call__` watch with a fresh monitor and leave this one alone.

    Attributes:
        name: in kebab case.
        looks_at: the kinds of note that it cannot judge without.
        heeds: all kinds of note that say anything to it; none: every kind. A recorded trace is read faster with it.
        nodes: the nodes of the cluster, where they are known.
        judged: how many facts it has held against others so far.
    """

    name: ClassVar[str]
    looks_at: ClassVar[tuple[str, ...]]
    heeds: ClassVar[frozenset[str]] = frozenset()

    def __init__(self, *, nodes: Sequence[str] = ()) -> None:
        self.nodes = tuple(nodes)
        self.judged = 0

    def monitor(self, nodes: Sequence[str] = ()) -> Self:
        """A fresh one, to watch a run of these nodes."""
        return type(self)(nodes=nodes)

    @abstractmethod
    def observe(self, note: Note, /) -> Anomaly | None:
        """Take in the next note of the trace; answers the violation that it completes."""

    def conclude(self) -> Anomaly | None:
        """The violation that only the end of the trace shows."""
        return None

    def watch(self, trace: Trace) -> Anomaly | None:
        """Observe every note of a trace; answers the first violation."""
        observe, heeds = self.observe, self.heeds
        notes = [note for note in trace if note.kind in heeds] if heeds else trace
        for note in notes:
            anomaly = observe(note)
            if anomaly is not None:
                return anomaly
        return self.conclude()

    def check(self, trace: Trace, /) -> Verdict:
        """Refuted by the first violation; Undecided where the trace holds nothing to judge.

        Where the trace is full, the story ends with the messages between the two events that matter most.
        """
        monitor = self.monitor(trace.nodes)
        anomaly = monitor.watch(trace)
        evidence = {"notes": len(trace), "judged": monitor.judged}
        method = "one pass over the notes"
        if anomaly is not None:
            told = replace(anomaly, story=(*anomaly.story, *chain_of(anomaly.facts, trace)))
            return Refuted(told, checker=self.name, method=method, evidence=evidence)
        if not monitor.judged:
            reason = f"nothing to judge: too few notes of {', '.join(self.looks_at)} in this trace"
            return Undecided(reason, is_vacuous=True, checker=self.name, method=method, evidence=evidence)
        return Upheld(checker=self.name, method=method, evidence=evidence)

    def __call__(self, evidence: Evidence, /) -> Verdict:
        """The verdict on the trace."""
        return self.check(evidence.trace)
