"""Patterns of causality in sentences that a reader can check against the history, and as graphs."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, Final

from ..naming import Naming
from ..reading import operations_of
from ..reads_from import INITIAL, ReadsFrom
from ..verdict import Anomaly
from .patterns import Pattern, Step

if TYPE_CHECKING:
    import networkx as nx

_ENDS: Final = {
    "cyclic-causality": "So each of these comes before itself: something was read that was written because of the read",
    "cyclic-arbitration": "So no one order of the writes suits all of these reads",
    "cyclic-time": "So no one order that keeps real time suits all of these reads",
}


def involved(traced: ReadsFrom, pattern: Pattern) -> list[int]:
    """The transactions that show a pattern by themselves."""
    rows = {row for step in pattern.steps for row in (step.before, step.after)}
    causes = {step.cause for step in pattern.steps} | {pattern.read}
    rows |= {int(traced.reads[cause, 0]) for cause in causes if cause >= 0}
    return sorted(rows | {int(traced.reads[cause, 2]) for cause in causes if cause >= 0} - {INITIAL})


def tell(traced: ReadsFrom, pattern: Pattern) -> Anomaly:
    """The anomaly that a pattern is. Its story names operations by the number of the event that began them."""
    teller = _Teller(traced)
    rows = involved(traced, pattern)
    lines = teller.introduction(rows)
    lines += dict.fromkeys(teller.step(step) for step in pattern.steps)
    lines.append(_ENDS[pattern.kind] if pattern.read < 0 else teller.overwritten(pattern))
    return Anomaly(
        kind=pattern.kind, story=tuple(lines), operations=operations_of(traced, rows), graph=teller.graph(pattern)
    )


class _Teller(Naming):
    def step(self, step: Step) -> str:
        before, after = self.name(step.before), self.name(step.after)
        match step.why:
            case "so":
                return self.follows(step.before, step.after)
            case "wr":
                return self.returned(step.before, step.after, step.cause)
            case "rb":
                return f"{before} had returned before {after} began"
            case "conflict":
                reader = self.name(int(self.traced.reads[step.cause, 0]))
                return (
                    f"{reader} read the value{self.key(step.cause)} that {after} wrote, and not that of {before}, "
                    f"which is in its past: so {after} comes after {before}"
                )

    def overwritten(self, pattern: Pattern) -> str:
        reader, _, source = self.traced.reads[pattern.read].tolist()
        over = self.name(pattern.seen[0].before)
        if source == INITIAL:
            return (
                f"So {over} is in the past of {self.name(reader)}, "
                f"which read what was there at first{self.key(pattern.read)}, before any write"
            )
        return (
            f"So {over} is in the past of {self.name(reader)}, "
            f"which read the value{self.key(pattern.read)} that {self.name(source)} wrote and {over} overwrote"
        )

    def graph(self, pattern: Pattern) -> nx.MultiDiGraph[Any]:
        """The cycle: the steps, and for what was overwritten an edge from the read that missed it (`rw`)."""
        import networkx as nx  # noqa: PLC0415  # heavy, and only a refutation needs it

        graph: nx.MultiDiGraph[Any] = nx.MultiDiGraph()
        for step in _distinct(pattern.steps):
            graph.add_edge(self.node(step.before), self.node(step.after), kind=step.why, reason=self.step(step))
        if pattern.read >= 0:
            reader = int(self.traced.reads[pattern.read, 0])
            over = pattern.seen[0].before
            reason = self.overwritten(pattern).removeprefix("So ")
            graph.add_edge(self.node(reader), self.node(over), kind="rw", reason=reason)
        return graph


def _distinct(steps: Iterable[Step]) -> Iterable[Step]:
    return {(step.before, step.after, step.why, step.cause): step for step in steps}.values()
