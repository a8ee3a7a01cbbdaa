"""Liveness of those who were left behind: after the heal every living member comes to know what was committed before."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, NamedTuple

from ...histories.evidence import Evidence
from ...histories.trace import Note, Trace
from ..notes import number
from ..progress import Bound, Deadline, heal_ns
from ..verdict import Undecided, Upheld, Verdict

COMMITTED_UP_TO: Final = {"committed": "index", "installed": "index", "restored": "snapshot_index"}
"""The notes by which a node says how far it knows the log to be committed, and which of their facts says it."""


class _Behind(NamedTuple):
    """A living member, and the note by which it came to know what it lacked; None: it never did."""

    node: str
    knows: Note | None


@dataclass(frozen=True, slots=True, kw_only=True)
class CatchesUp:
    """Decides whether each living member knows, within a bound, all that anybody knew to be committed at the heal.

    A node knows it by `committed` or `installed`, or from a snapshot on its disk. Members are those of the last
    configuration by which a living node goes, if its index is not above all commit indices; without `configured`, all
    nodes of the trace. The time of a node that joined counts from when its configuration is known to be committed. Who is
    down at the end owes nothing.

    Attributes:
        bound: how long it may take.
        period: when nothing was noted for three of these, nothing will be.
    """

    bound: Bound
    period: Bound

    def __call__(self, evidence: Evidence, /) -> Verdict:
        """The verdict; on several, the worst of them."""
        healed = heal_ns(evidence.history)
        goal = None if healed is None else last_commit(evidence.trace, healed)
        if healed is None or goal is None:
            return Undecided("nothing was committed before the heal", checker="catches-up")
        since, members = _membership(evidence.trace)
        index = number(goal, "index")
        found = []
        for each in _living(evidence.trace, members, index):
            since_ns = healed if each.node in evidence.trace.nodes else max(healed, since)
            deadline = Deadline.of(evidence, since_ns=since_ns, bound=self.bound, period=self.period)
            found.append(_judged(each, index, goal, deadline))
        if not found:
            return Undecided("no member lives at the end", checker="catches-up")
        open_ones = [verdict for verdict in found if not isinstance(verdict, Upheld)]
        worst = [verdict for verdict in open_ones if not isinstance(verdict, Undecided)] or open_ones
        if worst:
            return worst[0]
        return Upheld(checker="catches-up", method="times after the heal", evidence={"members": len(found)})


def _judged(behind: _Behind, index: int, goal: Note, deadline: Deadline) -> Verdict:
    what = f"{behind.node} knowing that index {index} is committed"
    facts = (goal,) if behind.knows is None else (goal, behind.knows)
    happened = None if behind.knows is None else behind.knows.time
    return deadline.judge(what, happened, checker="catches-up", facts=facts)


def last_commit(trace: Trace, until_ns: int) -> Note | None:
    """The note of the highest index that anybody had noted as committed by then."""
    known = (note for note in trace.of_kind("committed") if note.time <= until_ns)
    return max(known, key=lambda note: number(note, "index"), default=None)


def behind_at_heal(evidence: Evidence) -> int:
    """How many living members lack at the heal what somebody knows to be committed."""
    healed = heal_ns(evidence.history)
    goal = None if healed is None else last_commit(evidence.trace, healed)
    if healed is None or goal is None:
        return 0
    _, members = _membership(evidence.trace)
    living = _living(evidence.trace, members, number(goal, "index"))
    return sum(each.knows is None or each.knows.time > healed for each in living)


def _membership(trace: Trace) -> tuple[int, tuple[str, ...]]:
    """Since when the last committed configuration is known, and who its members are."""
    commits = trace.of_kind("committed")
    committed = max((number(note, "index") for note in commits), default=0)
    going_by: dict[str, Note] = {}
    for note in trace.of_kind("configured", "crash"):
        if note.kind == "crash":
            going_by.pop(note.node, None)
        else:
            going_by[note.node] = note
    notes = [note for note in going_by.values() if number(note, "index") <= committed]
    if not notes:
        return 0, trace.nodes
    last = max(notes, key=lambda note: number(note, "index"))
    index, members = number(last, "index"), last.fact("members")
    assert isinstance(members, tuple)
    since = min((note.time for note in commits if number(note, "index") >= index), default=last.time)
    return since, tuple(str(member) for member in members)


def _living(trace: Trace, members: tuple[str, ...], index: int) -> Iterator[_Behind]:
    """Each member that lives at the end, and when in its last life it came to know of that index."""
    knows: dict[str, Note | None] = {}
    for note in trace:
        if note.kind in {"start", "restart"}:
            knows[note.node] = None
        elif note.kind == "crash":
            knows.pop(note.node, None)
        elif note.kind in COMMITTED_UP_TO and number(note, COMMITTED_UP_TO[note.kind]) >= index:
            knows[note.node] = knows.get(note.node) or note
    return (_Behind(node, knows[node]) for node in members if node in knows)
