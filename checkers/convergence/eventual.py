"""Eventual delivery: after the heal, within a bound, every node shows every acknowledged message.

No finite record refutes that something happens *eventually*; this judges the claim with its bound. A message that comes
after its bound refutes it (late). So does one that is missing after its bound while nothing moves any more (stuck).
Otherwise nobody knows.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Final

from ...histories.event import Kind, Operation
from ...histories.evidence import Evidence
from ...histories.trace import LIFECYCLE, Note, Trace
from ...histories.values import identity, to_json
from ..causality.tell import ms, tell
from ..verdict import Anomaly, Refuted, Undecided, Upheld, Verdict

CHANGES: Final = (*LIFECYCLE, "posted", "delivered", "shown")
"""Notes of a change of what a node holds or shows."""


@dataclass(frozen=True, slots=True)
class Due:
    """One acknowledged message at one node.

    Attributes:
        add: the operation that was acknowledged.
        node: where it is to be shown.
        deadline: by when.
        shown: the note from which on it stays shown there, if there is one.
    """

    add: Operation
    node: str
    deadline: int
    shown: Note | None

    @property
    def is_late(self) -> bool:
        """Whether it came after its deadline."""
        return self.shown is not None and self.shown.time > self.deadline


@dataclass(frozen=True, kw_only=True)
class Delivered:
    """Decides whether each node shows each acknowledged message at its deadline and from then on.

    The deadline is `bound_ns` after the heal, or after the acknowledgement where that comes later. Nodes that are dead from
    the heal to the end owe nothing. Messages that are not due when the record ends are left aside.

    Attributes:
        bound_ns: how long delivery may take.
        still_ns: when for so long nothing has changed at any node, nothing will: three periods of whatever the system does
            by itself, and the longest that a message may be under way.
        adds: the actions whose argument is the text of a message.
    """

    bound_ns: int
    still_ns: int
    adds: tuple[str, ...] = ("add",)

    def __call__(self, evidence: Evidence, /) -> Verdict:
        """The verdict."""
        heal = next((e for e in evidence.history if e.process == "phases" and e.action == "heal"), None)
        if heal is None or heal.time is None:
            return self._undecided("quiescence is not declared: there is no phase 'heal' with a time")
        acknowledged = [op for op in evidence.history.operations if op.action in self.adds and op.outcome is Kind.OK]
        texts = [identity(operation.argument) for operation in acknowledged]
        if len(set(texts)) < len(texts):
            return self._undecided("not applicable: two acknowledged messages have the same text")
        if not evidence.trace.of_kind("posted"):
            return self._undecided("the trace tells of no message")
        ends = _ends(evidence)
        dues = [due for due in self._dues(evidence.trace, heal.time, acknowledged) if due.shown or due.deadline < ends]
        return self._judge(dues, evidence.trace, heal.time, ends)

    def _dues(self, trace: Trace, heal_ns: int, acknowledged: Iterable[Operation]) -> Iterator[Due]:
        shown = _shown_for_good(trace)
        nodes = [node for node in trace.nodes if not _is_dead(trace, node, heal_ns)]
        for add in acknowledged:
            deadline = max(heal_ns, add.completed_ns or 0) + self.bound_ns
            for node in nodes:
                yield Due(add, node, deadline, shown.get((node, identity(add.argument))))

    def _judge(self, dues: list[Due], trace: Trace, heal_ns: int, ends: int) -> Verdict:
        late = next((due for due in dues if due.is_late), None)
        missing = next((due for due in dues if due.shown is None), None)
        changed = next(note for note in reversed(trace) if note.kind in CHANGES)
        about = _about(dues, heal_ns)
        if missing is not None and ends - changed.time >= self.still_ns:
            return Refuted(self._stuck(missing, trace, changed, ends), **about)
        if late is not None:
            return Refuted(self._late(late, trace), **about)
        if missing is not None:
            reason = (
                f"{_named(missing)} is missing at {missing.node}, and at {changed.node} something moved until the end"
            )
            return Undecided(reason, **about)
        if not dues:
            return Undecided("no acknowledged message was due before the record ends", **about)
        return Upheld(**about)

    @staticmethod
    def _undecided(reason: str) -> Undecided:
        return Undecided(reason, checker="delivered")

    def _stuck(self, due: Due, trace: Trace, changed: Note, ends: int) -> Anomaly:
        return Anomaly(
            kind="stuck",
            story=(
                *_beginning(due),
                f"{due.node} does not show it when the record ends at {ms(ends)}",
                f"Nothing has changed at any node since {ms(changed.time)} ({tell(changed)})",
                f"What is under way for {ms(self.still_ns)} has arrived, so nothing will come",
            ),
            operations=(due.add,),
            facts=tuple(_post(due, trace)),
        )

    def _late(self, due: Due, trace: Trace) -> Anomaly:
        assert due.shown is not None
        return Anomaly(
            kind="late",
            story=(
                *_beginning(due),
                f"{due.node} shows it only from {ms(due.shown.time)} on, {ms(due.shown.time - due.deadline)} late",
            ),
            operations=(due.add,),
            facts=(*_post(due, trace), due.shown),
        )


def _about(dues: list[Due], heal_ns: int) -> dict[str, Any]:
    """What the verdict rests on. The time to converge counts from the heal or the acknowledgement, whichever is later."""
    taken = [due.shown.time - max(heal_ns, due.add.completed_ns or 0) for due in dues if due.shown]
    return {
        "checker": "delivered",
        "method": "the trace, within a bound",
        "operations": len({due.add.invocation for due in dues}),
        "evidence": {"due": len(dues), "slowest_ns": max(0, *taken, 0)},
    }


def missing_at_heal(evidence: Evidence, adds: Iterable[str]) -> int:
    """How many acknowledged messages are missing at how many nodes when the network heals: what is still to be delivered."""
    heal = next((e.time for e in evidence.history if e.process == "phases" and e.action == "heal"), None)
    if heal is None:
        return 0
    wanted = set(adds)
    until = Trace((note for note in evidence.trace if note.time <= heal), nodes=evidence.trace.nodes)
    shown = _shown_for_good(until)
    acknowledged = (
        operation
        for operation in evidence.history.operations
        if operation.action in wanted and operation.outcome is Kind.OK and (operation.completed_ns or 0) <= heal
    )
    return sum((node, identity(operation.argument)) not in shown for operation in acknowledged for node in until.nodes)


def _shown_for_good(trace: Trace) -> dict[tuple[str, Hashable], Note]:
    """By node and text: since when the node has shown it without a break up to the end."""
    texts = {identity(note.fact("message")): identity(note.fact("text")) for note in trace.of_kind("posted")}
    shown: dict[str, dict[Hashable, Note]] = {}
    for note in trace:
        if note.kind in LIFECYCLE:
            shown[note.node] = {}
        elif note.kind == "shown":
            text = texts.get(identity(note.fact("message")))
            shown.setdefault(note.node, {}).setdefault(text, note)
    return {(node, text): note for node, mine in shown.items() for text, note in mine.items()}


def _is_dead(trace: Trace, node: str, heal_ns: int) -> bool:
    """Whether a node has been down since before the heal, for ever."""
    life = [note for note in trace if note.node == node and note.kind in LIFECYCLE]
    return bool(life) and life[-1].kind == "crash" and life[-1].time <= heal_ns


def _ends(evidence: Evidence) -> int:
    """When the record ends."""
    times = [event.time for event in evidence.history if event.time is not None]
    return max([*times, *(note.time for note in evidence.trace)])


def _post(due: Due, trace: Trace) -> list[Note]:
    return [note for note in trace.of_kind("posted") if identity(note.fact("text")) == identity(due.add.argument)][:1]


def _beginning(due: Due) -> tuple[str, ...]:
    ended = "" if due.add.completed_ns is None else f" at {ms(due.add.completed_ns)}"
    return (f"{due.add} was acknowledged{ended}", f"Every node has to show it from {ms(due.deadline)} on")


def _named(due: Due) -> str:
    return to_json(due.add.argument)
