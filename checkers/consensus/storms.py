"""What a cluster does while it is hurt: whether somebody leads through a partition, and whether it decides in a storm.

No protocol owes either (Fischer, Lynch and Paterson 1985); these judges find the runs that show it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import ClassVar, Final, NamedTuple

from ...histories.event import Operation
from ...histories.evidence import Evidence
from ...histories.trace import LIFECYCLE, Note, Trace
from ..cuts import Cut, cuts
from ..notes import milliseconds, number, quote
from ..progress import Bound, ended_ns, heal_ns, nanoseconds
from ..verdict import Anomaly, Refuted, Undecided, Upheld, Verdict

METHOD: Final = "times within the storm"
QUOTED_MAX: Final = 6
"""How many notes a story quotes."""


class Reign(NamedTuple):
    """A time in which a node led, and nobody in a higher term."""

    leads: Note
    end_ns: int

    def within(self, cut: Cut) -> int:
        """How long of it lies within a cut, in nanoseconds."""
        return min(self.end_ns, cut.end_ns) - max(self.leads.time, cut.begin_ns)


class LedThroughCuts:
    """Through every partition somebody leads for a while, if only a majority is pairwise connected.

    A partition counts when it hits no link within some majority of the nodes, nobody crashes meanwhile, and it lasts
    `least` election timeouts or longer. In it some node must lead for longer than `few` of them without a break: from its
    `leads` until it is in a higher term or down, or another leads in a higher term. A leader that is not in touch with a
    majority does not count: it leads nobody.

    Attributes:
        timeout: the largest election timeout, in nanoseconds, or how to compute it from the evidence.
        least, few: numbers of election timeouts.
    """

    name: ClassVar[str] = "led-through-cuts"

    def __init__(self, *, timeout: Bound, least: int = 8, few: int = 3) -> None:
        self.timeout, self.least, self.few = timeout, least, few

    def __call__(self, evidence: Evidence, /) -> Verdict:
        """Refuted by the first partition without a stable leader; Undecided where none counts."""
        timeout_ns = nanoseconds(self.timeout, evidence)
        nodes = evidence.trace.nodes
        found = [
            (cut, majority)
            for cut in cuts(evidence.history, nodes)
            if cut.end_ns - cut.begin_ns >= self.least * timeout_ns
            and (majority := cut.connected_majority(nodes))
            and not _has_crash(evidence.trace, cut)
        ]
        if not found:
            reason = "nothing to judge: no partition lasted for long enough and left a majority connected"
            return Undecided(reason, checker=self.name)
        reigns = list(_reigns(evidence.trace, ended_ns(evidence)))
        for cut, majority in found:
            in_touch = [reign for reign in reigns if cut.is_in_touch(reign.leads.node, nodes)]
            longest = max((reign.within(cut) for reign in in_touch), default=0)
            if longest <= self.few * timeout_ns:
                anomaly = _unstable(cut, majority, max(longest, 0), timeout_ns, evidence.trace)
                return Refuted(anomaly, checker=self.name, method=METHOD, evidence={"timeout_ns": timeout_ns})
        told = {"partitions": len(found), "timeout_ns": timeout_ns}
        return Upheld(checker=self.name, method=METHOD, evidence=told)


def _has_crash(trace: Trace, cut: Cut) -> bool:
    return any(note.kind == "crash" and cut.begin_ns <= note.time <= cut.end_ns for note in trace)


def _reigns(trace: Trace, ended_ns: int) -> Iterator[Reign]:
    leads: Note | None = None
    for note in trace:
        if leads is not None and _ends(note, leads):
            yield Reign(leads, note.time)
            leads = None
        if note.kind == "leads" and (leads is None or number(note, "term") > number(leads, "term")):
            leads = note
    if leads is not None:
        yield Reign(leads, ended_ns)


def _ends(note: Note, leads: Note) -> bool:
    """Whether this note ends the reign that began with that one."""
    if note.kind == "leads":
        return number(note, "term") > number(leads, "term")
    if note.node != leads.node:
        return False
    return note.kind in LIFECYCLE or (note.kind in {"term", "voted"} and number(note, "term") > number(leads, "term"))


def _unstable(cut: Cut, majority: Iterable[str], longest_ns: int, timeout_ns: int, trace: Trace) -> Anomaly:
    elections = [note for note in trace.of_kind("leads") if cut.begin_ns <= note.time <= cut.end_ns]
    hit = ", ".join(f"{sender}>{receiver}" for sender, receiver in sorted(cut.links))
    story = (
        f"From {milliseconds(cut.begin_ns)} to {milliseconds(cut.end_ns)} partitions hit these links: {hit}.",
        f"{', '.join(majority)} are a majority, and nothing hits the links between them.",
        f"Elections in that time, {len(elections)} in all:",
        *map(quote, elections[:QUOTED_MAX]),
        f"Nobody who is in touch with a majority leads for longer than {milliseconds(longest_ns)} in it.",
        f"An election timeout is {milliseconds(timeout_ns)}.",
    )
    return Anomaly("no-stable-leader", story, facts=tuple(elections[:QUOTED_MAX]))


LOSING: Final = frozenset({"loss", "partition", "queue", "bandwidth"})
"""Faults by which a message may be lost, or be under way until they end."""


class DecidesInStorm:
    """While messages are late, and at most one node is down at a time, a cluster that is asked for a decision makes one.

    The time that counts begins when the first operation that asks for a decision is invoked, and ends with the heal. It
    must be as long as the bound, and no fault may lose messages in it; what is sent to a node that is down is lost.

    Attributes:
        bound: nanoseconds, or computed from the evidence.
        asks: which operations ask for a decision.
    """

    name: ClassVar[str] = "decides-in-storm"

    def __init__(self, *, bound: Bound, asks: Callable[[Operation], bool]) -> None:
        self.bound, self.asks = bound, asks

    def __call__(self, evidence: Evidence, /) -> Verdict:
        """Refuted where no decision was made in all that time; Undecided where too much went wrong to ask for one."""
        end_ns = heal_ns(evidence.history)
        times = [operation.invoked_ns for operation in evidence.history.operations if self.asks(operation)]
        begin_ns = min((time for time in times if time is not None), default=None)
        if end_ns is None or begin_ns is None or end_ns - begin_ns < nanoseconds(self.bound, evidence):
            return Undecided("nothing to judge: nobody asked for a decision long before the heal", checker=self.name)
        losing = sorted({event.action for event in evidence.history.of("nemesis")} & LOSING)
        if losing:
            return Undecided(f"nothing to judge: messages may be lost by {', '.join(losing)}", checker=self.name)
        if _down_max(evidence.trace, end_ns) > 1:
            return Undecided("nothing to judge: more than one node was down at a time", checker=self.name)
        decided = [
            note
            for note in evidence.trace.of_kind("committed", "decided", "applied")
            if begin_ns <= note.time <= end_ns
        ]
        if decided:
            told = {"decisions": len(decided)}
            return Upheld(checker=self.name, method=METHOD, evidence=told)
        anomaly = _undecided(begin_ns, end_ns, evidence.trace)
        return Refuted(anomaly, checker=self.name, method=METHOD, evidence={"lasted_ns": end_ns - begin_ns})


def _down_max(trace: Trace, end_ns: int) -> int:
    """How many nodes were down at the same time, at most, until then."""
    down: set[str] = set()
    most = 0
    for note in trace:
        if note.time > end_ns:
            break
        if note.kind == "crash":
            down.add(note.node)
        elif note.kind in LIFECYCLE:
            down.discard(note.node)
        most = max(most, len(down))
    return most


def _undecided(begin_ns: int, end_ns: int, trace: Trace) -> Anomaly:
    attempts = [note for note in trace.of_kind("voted", "leads") if begin_ns <= note.time <= end_ns]
    story = (
        f"From {milliseconds(begin_ns)} to {milliseconds(end_ns)} a decision is asked for, and none is made.",
        "No message is lost meanwhile, and at most one node is down at a time.",
        f"Votes and elections meanwhile, {len(attempts)} in all:",
        *map(quote, attempts[:QUOTED_MAX]),
    )
    return Anomaly("no-decision", story, facts=tuple(attempts[:QUOTED_MAX]))
