"""Eventual delivery to every replica, judged from what replicas took in and from a quiescence that the history declares."""

from __future__ import annotations

from collections.abc import Hashable, Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple

from ...histories.event import Kind, Operation
from ...histories.evidence import Evidence
from ...histories.trace import LIFECYCLE, Note, Trace
from ...histories.values import Value, identity, to_json
from ..causality.tell import ms
from ..verdict import Anomaly, Refuted, Undecided, Upheld, Verdict
from .collection import Record
from .states import Sums, merged_updates


class Due(NamedTuple):
    """An update that every replica has to have taken in.

    Attributes:
        update: its id.
        first: the note of the replica that took it in first; None when nobody did.
        add: the operation that was acknowledged, where a client's argument is the id.
    """

    update: Value
    first: Note | None
    add: Operation | None


@dataclass(frozen=True, kw_only=True)
class TakenInEverywhere:
    """When the final phase begins, every replica has taken in each update that was acknowledged, or that any replica had.

    An acknowledged update is one of `adds` whose argument is the id of the update. Updates that replicas first took in
    after the quiet phase had begun are left aside, and so are replicas that have been dead since before the heal. O(notes
    + updates times replicas).
    """

    adds: tuple[str, ...] = ("add",)
    removes: tuple[str, ...] = ("remove",)
    read: str = "read"

    def __call__(self, evidence: Evidence, /) -> Verdict:
        """The verdict."""
        record = Record(evidence.history, adds=self.adds, removes=self.removes, read=self.read)
        restless = record.restless()
        phases = {event.action: event.time for event in evidence.history.nemesis() if event.process == "phases"}
        heal, quiet, final = (phases.get(phase) for phase in ("heal", "quiet", "final"))
        reason = restless or "the phases have no times, which notes have"
        if restless or heal is None or quiet is None or final is None:
            return Undecided(reason, checker="taken-in-everywhere")
        trace = Trace((note for note in evidence.trace if note.time <= final), nodes=evidence.trace.nodes)
        dues = list(_dues(trace, quiet, record))
        if not dues or not trace.of_kind("merged"):
            return Undecided("no replica noted what it took in", is_vacuous=True, checker="taken-in-everywhere")
        return _judge(dues, trace, heal, final)


def _dues(trace: Trace, quiet_ns: int, record: Record) -> Iterator[Due]:
    first: dict[Hashable, tuple[Value, Note]] = {}
    for note in trace.of_kind("merged"):
        if note.time <= quiet_ns:
            for update in merged_updates(note):
                first.setdefault(identity(update), (update, note))
    acknowledged = {identity(add.argument): add for add in record.adds if add.outcome is Kind.OK}
    for name, (update, note) in first.items():
        yield Due(update, note, acknowledged.get(name))
    for name, add in acknowledged.items():
        if name not in first:
            yield Due(add.argument, None, add)


def _judge(dues: list[Due], trace: Trace, heal_ns: int, final_ns: int) -> Verdict:
    sums = Sums()
    for note in trace:
        sums.observe(note)
    nodes = [node for node in trace.nodes or sums.of_node if not _is_dead(trace, node, heal_ns)]
    about: dict[str, Any] = {
        "checker": "taken-in-everywhere",
        "method": "sets of updates when the final phase begins",
        "evidence": {"updates": len(dues), "replicas": len(nodes)},
    }
    for due in dues:
        for node in nodes:
            if identity(due.update) not in sums.at(node).updates:
                return Refuted(_missing(due, node, trace, final_ns), **about)
    return Upheld(**about)


def _missing(due: Due, node: str, trace: Trace, final_ns: int) -> Anomaly:
    update = to_json(due.update)
    first = (
        f"{due.first.node} had taken in {update} at {ms(due.first.time)}" if due.first else "No replica ever took it in"
    )
    met = _last_contact(due, node, trace)
    lines = (
        f"{due.add} was acknowledged at event {due.add.completion}" if due.add else "",
        first,
        f"{node} has not taken it in when the final phase begins at {ms(final_ns)}",
        f"The last message from {met.fact('sender')} came to {node} at {ms(met.time)}" if met else "",
    )
    return Anomaly(
        kind="missing-update",
        story=tuple(line for line in lines if line),
        operations=(due.add,) if due.add else (),
        facts=tuple(note for note in (due.first, met) if note),
    )


def _last_contact(due: Due, node: str, trace: Trace) -> Note | None:
    """The last message that came to a replica from the one that had the update first; only a full trace tells."""
    delivered = (note for note in reversed(trace.of_kind("deliver")) if note.node == node)
    return next((note for note in delivered if due.first and note.fact("sender") == due.first.node), None)


def _is_dead(trace: Trace, node: str, heal_ns: int) -> bool:
    life = [note for note in trace if note.node == node and note.kind in LIFECYCLE]
    return bool(life) and life[-1].kind == "crash" and life[-1].time <= heal_ns
