"""The patterns that no causal history shows (Bouajjani, Enea, Guerraoui and Hamza, On Verifying Causal Consistency, 2017).

Values are unique, so who read from whom is known, and the causal order is that of sessions and reads, no more (theorem of
section 5 there). A transaction counts as one operation; then causal convergence is what Biswas and Enea call CC.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Final

import numpy as np

from ..reads_from import INITIAL, Numbers, ReadsFrom
from .past import CausalOrder, Relation, Why, real_time_edges
from .paths import Graph


@dataclass(frozen=True)
class Step:
    """One transaction before another, and why; runs of steps of one session, or of real time, are one step.

    Attributes:
        cause: the read that is the reason, as a row of `ReadsFrom.reads`; -1 where none is.
        support: of a conflict, how the write that was passed over came into the past of the reader.
    """

    before: int
    after: int
    why: Why
    cause: int = -1
    support: tuple[Step, ...] = ()


@dataclass(frozen=True)
class Pattern:
    """What was found, by transactions.

    Attributes:
        kind: of the anomaly.
        cycle: steps in a circle; for a value that was overwritten, from the write that was read to the one over it.
        read: the read that returned what was overwritten, as a row of `ReadsFrom.reads`; -1 where there is none.
        seen: how the write over it came into the past of that read.
    """

    kind: str
    cycle: tuple[Step, ...]
    read: int = -1
    seen: tuple[Step, ...] = ()

    @property
    def steps(self) -> tuple[Step, ...]:
        """All steps, in the order in which a story tells them."""
        return (*(each for step in self.cycle for each in (*step.support, step)), *self.seen)


class Web:
    """Paths and cycles of a relation."""

    def __init__(self, relation: Relation) -> None:
        self.relation = relation

    @property
    def order(self) -> Numbers:
        """All rows along the edges, without those behind a cycle."""
        return self.relation.order

    @property
    def is_cyclic(self) -> bool:
        """Whether there is a cycle."""
        return self.relation.is_cyclic

    @cached_property
    def graph(self) -> Graph:
        """For paths and cycles."""
        return Graph(self.relation.rows, self.relation.before, self.relation.after)

    def cycle(self) -> tuple[Step, ...]:
        """A short cycle; it begins where a step of another kind does."""
        steps = [self._step(edge) for edge in self.graph.cycle(self.order)]
        kinds = [step.why for step in steps]
        turn = next((at for at in range(len(steps)) if kinds[at] != kinds[at - 1]), 0)
        return _merged([*steps[turn:], *steps[:turn]])

    def path(self, begin: int, end: int) -> tuple[Step, ...]:
        """A short path from one row to another; none where they are one."""
        if begin == end:
            return ()
        return _merged([self._step(edge) for edge in self.graph.path(begin, end) or ()])

    def _step(self, edge: int) -> Step:
        at = edge
        for part in self.relation.parts:
            if at < len(part.before):
                return Step(int(part.before[at]), int(part.after[at]), part.why, int(part.cause[at]))
            at -= len(part.before)
        raise IndexError(edge)


def _merged(steps: list[Step]) -> tuple[Step, ...]:
    """With runs of one session or of real time as one step each: both are transitive."""
    merged: list[Step] = []
    for step in steps:
        if merged and step.why in {"so", "rb"} and merged[-1].why == step.why:
            merged[-1] = Step(merged[-1].before, step.after, step.why)
        else:
            merged.append(step)
    return tuple(merged)


class Patterns:
    """What a history shows of the patterns; each is looked for when somebody asks."""

    def __init__(self, traced: ReadsFrom) -> None:
        self.traced: Final = traced
        self.past: Final = CausalOrder(traced)

    @cached_property
    def causes(self) -> Web:
        """Session order and reads-from."""
        return Web(self.past.causes)

    @cached_property
    def arbitration(self) -> Web:
        """With what reads say about the order of writes."""
        past = self.past
        return Web(Relation(len(self.traced), past.session_edges, past.read_edges, past.conflict_edges))

    @cached_property
    def in_real_time(self) -> Web:
        """With real time, too."""
        rows, edges = real_time_edges(self.traced)
        past = self.past
        return Web(Relation(rows, past.session_edges, past.read_edges, past.conflict_edges, edges))

    @cached_property
    def circular(self) -> Pattern | None:
        """Something is its own cause."""
        return Pattern("cyclic-causality", self.causes.cycle()) if self.causes.is_cyclic else None

    @cached_property
    def overwritten(self) -> Pattern | None:
        """A read returns what its own past has overwritten; only where nothing is its own cause."""
        past, reads = self.past, self.traced.reads
        found = np.flatnonzero(past.is_overwritten)
        if not len(found):
            return None
        readers = reads[past.conflicts.read[found], 0]
        at = found[int(np.argmin(readers))]
        read, over = int(past.conflicts.read[at]), int(past.conflicts.overwriter[at])
        reader, source = int(reads[read, 0]), int(reads[read, 2])
        seen = self.causes.path(over, reader)
        if source == INITIAL:
            return Pattern("overwritten-initial-read", (), read, seen)
        return Pattern("overwritten-read", self.causes.path(source, over), read, seen)

    @cached_property
    def disagreement(self) -> Pattern | None:
        """No one order of the writes suits all reads; only where nothing is overwritten."""
        return self._cyclic("cyclic-arbitration", self.arbitration)

    @cached_property
    def disagreement_in_time(self) -> Pattern | None:
        """No one order that keeps real time suits all reads."""
        return self._cyclic("cyclic-time", self.in_real_time)

    def _cyclic(self, kind: str, web: Web) -> Pattern | None:
        if not web.is_cyclic:
            return None
        return Pattern(kind, tuple(self._supported(step) for step in web.cycle()))

    def _supported(self, step: Step) -> Step:
        if step.why != "conflict":
            return step
        reader = int(self.traced.reads[step.cause, 0])
        return Step(step.before, step.after, step.why, step.cause, self.causes.path(step.before, reader))
