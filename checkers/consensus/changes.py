"""What every note of a trace did to the log of its node, found once for all judges of a run."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence

from ...histories.trace import Note, Trace
from ..change import Change
from ..monitor import SafetyProperty
from ..replicas import Replicas
from ..verdict import Anomaly


class _Latest:
    """The judges of a run look at its trace one after the other, so one trace is enough to remember."""

    def __init__(self) -> None:
        self._of: tuple[Trace, Sequence[Change]] = (Trace(), ())

    def __call__(self, trace: Trace) -> Sequence[Change]:
        """The change that each note of the trace made."""
        known, changes = self._of
        if known is not trace:
            observe = Replicas(trace.nodes).observe
            changes = [observe(note) for note in trace]
            self._of = trace, changes
        return changes


changes_of = _Latest()


class LogProperty(SafetyProperty):
    """A property of which a note tells no more than what it changed in the log of its node."""

    def __init__(self, *, nodes: Sequence[str] = ()) -> None:
        super().__init__(nodes=nodes)
        self._replicas = Replicas(nodes)

    def observe(self, note: Note, /) -> Anomaly | None:
        """Take in a note, and what it did to the log of its node."""
        return self.judge(note, self._replicas.observe(note))

    def watch(self, trace: Trace) -> Anomaly | None:
        """Judge every change of a trace; answers the first violation."""
        judge = self.judge
        for note, change in zip(trace, changes_of(trace), strict=True):
            anomaly = judge(note, change)
            if anomaly is not None:
                return anomaly
        return self.conclude()

    @abstractmethod
    def judge(self, note: Note, change: Change) -> Anomaly | None:
        """Take in the next note, and what it did; answers the violation that it completes."""
