"""Decided values: all nodes agree on them, somebody proposed them, and after the heal there are new ones.

Where a protocol notes `decided(slot, value)`, these are the decisions. A Raft log decides too: the slot is the index, the
value the command, and `committed` (with the node's own log) and `applied` are the moments when a node knows it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, ClassVar, NamedTuple

from ...histories.event import Operation
from ...histories.evidence import Evidence
from ...histories.history import History
from ...histories.trace import Note
from ...histories.values import Value, identity, to_json
from ..change import Change
from ..entries import is_same
from ..monitor import SafetyProperty
from ..notes import number, tell
from ..progress import Bound, Deadline, heal_ns
from ..verdict import Anomaly, Undecided, Verdict
from .changes import LogProperty


class _Decision(NamedTuple):
    slot: Any
    value: Value
    note: Note


class Agreement(LogProperty):
    """No slot is decided twice with different values, at one node or at two.

    What is `committed` is compared with what is committed, and what is `applied` with what is applied. An entry without
    effect is not told by `applied`, and so it is not compared.
    """

    name = "agreement"
    looks_at = ("decided", "committed", "applied")

    def __init__(self, *, nodes: Sequence[str] = ()) -> None:
        super().__init__(nodes=nodes)
        self._first: dict[str, dict[Any, _Decision]] = {source: {} for source in self.looks_at}

    def judge(self, note: Note, change: Change) -> Anomaly | None:
        """Take in a note; each decision in it is held against the first one of its slot."""
        match note.kind:
            case "applied" if note.facts[2] is not None:
                return self._decide("applied", number(note, "index"), note.facts[2], note)
            case "decided":
                return self._decide("decided", note.fact("slot"), note.fact("value"), note)
        found = (self._decide("committed", held.index, held.command, note) for held in change.committed)
        return next((anomaly for anomaly in found if anomaly is not None), None) if change.committed else None

    def _decide(self, source: str, slot: Value, value: Value, note: Note) -> Anomaly | None:
        self.judged += 1
        known, key = self._first[source], identity(slot)
        first = known.get(key)
        if first is None:
            known[key] = _Decision(slot, value, note)
        elif not is_same(first.value, value):
            return _disagree(first, _Decision(slot, value, note))
        return None


def _disagree(first: _Decision, second: _Decision) -> Anomaly:
    slot = to_json(first.slot)
    headline = (
        f"{first.note.node} decides {to_json(first.value)} for slot {slot}, "
        f"and {second.note.node} decides {to_json(second.value)}:"
    )
    rule = "All nodes decide the same value for a slot."
    return tell("two-decisions", headline, first.note, second.note, because=rule)


class Validity(SafetyProperty):
    """Only what was proposed is decided.

    A value is `proposed` before it leaves the node that proposes it, so a decision without an earlier proposal refutes.
    A command that is applied was proposed by a leader of its term, which noted it as `appended`; if a leader of that term
    has crashed, its notes may be missing, and nothing is said about what it proposed.
    """

    name = "validity"
    looks_at = ("decided", "applied")
    heeds = frozenset({"proposed", "decided", "leads", "crash", "appended", "applied"})

    def __init__(self, *, nodes: Sequence[str] = ()) -> None:
        super().__init__(nodes=nodes)
        self._proposed: set[Any] = set()
        self._leads: dict[str, int] = {}
        self._leaders: dict[int, Note] = {}
        self._silenced: set[int] = set()
        self._appended: dict[Any, list[Value]] = {}

    def observe(self, note: Note, /) -> Anomaly | None:
        """Take in a note; a decision is held against the proposals so far."""
        match note.kind:
            case "appended":
                if self._leads.get(note.node) == note.facts[1]:
                    self._appended.setdefault(note.facts[:2], []).append(note.facts[2])
            case "applied":
                return self._apply(note)
            case "proposed":
                self._proposed.add(identity(note.fact("value")))
            case "decided":
                return self._decide(note)
            case "leads":
                self._leads[note.node] = number(note, "term")
                self._leaders.setdefault(number(note, "term"), note)
            case "crash":
                self._silenced.add(self._leads.pop(note.node, 0))
        return None

    def _decide(self, note: Note) -> Anomaly | None:
        self.judged += 1
        value = note.fact("value")
        if identity(value) in self._proposed:
            return None
        headline = f"{note.node} decides {to_json(value)}, which nobody had proposed:"
        return tell("not-proposed", headline, note, because="Only a proposed value is decided.")

    def _apply(self, note: Note) -> Anomaly | None:
        term, command = number(note, "term"), note.facts[2]
        leader = self._leaders.get(term)
        if command is None or leader is None or term in self._silenced:
            return None
        self.judged += 1
        if any(is_same(command, proposed) for proposed in self._appended.get(note.facts[:2], ())):
            return None
        headline = f"{note.node} applies {to_json(command)} of term {term}, which no leader of that term had appended:"
        rule = "Only what a leader put into its log is applied."
        return tell("not-proposed", headline, leader, note, because=rule)


class Decides:
    """Eventually a decision is made: after the heal, within the bound, there is one that was not made before.

    It is about a slot that was not decided before, or, in a log, another entry than was ever applied there: a cluster that
    has forgotten its log decides anew, whatever else it breaks.

    Attributes:
        bound, period: nanoseconds, or computed from the evidence; `progress.Deadline` says what they mean.
        asks: which operations ask for a decision; the wait begins when the first of them is invoked after the heal, and
            without any there is nothing to judge. None: a protocol that decides without being asked.
    """

    name: ClassVar[str] = "decides"

    def __init__(
        self, *, bound: Bound, period: Bound | None = None, asks: Callable[[Operation], bool] | None = None
    ) -> None:
        self.bound, self.period, self.asks = bound, period, asks

    def __call__(self, evidence: Evidence, /) -> Verdict:
        """Upheld, or Refuted as late or stuck; Undecided where the run ended too early to tell."""
        healed = heal_ns(evidence.history)
        if healed is None:
            return Undecided("nothing to judge: the history tells of no heal", checker=self.name)
        asked = healed if self.asks is None else _first_asked(evidence.history, self.asks, after_ns=healed)
        if asked is None:
            return Undecided("nothing to judge: nobody asked for a decision after the heal", checker=self.name)
        new = _first_new_decision(evidence, after_ns=healed)
        deadline = Deadline.of(evidence, since_ns=asked, bound=self.bound, period=self.period)
        return deadline.judge(
            "a new decision", new.time if new else None, checker=self.name, facts=(new,) if new else ()
        )


def _first_asked(history: History, asks: Callable[[Operation], bool], *, after_ns: int) -> int | None:
    times = [operation.invoked_ns for operation in history.operations if asks(operation)]
    return min((time for time in times if time is not None and time >= after_ns), default=None)


def _first_new_decision(evidence: Evidence, *, after_ns: int) -> Note | None:
    highest = 0
    known: dict[Any, list[Sequence[Value]]] = {}
    for note in evidence.trace.of_kind("decided", "committed", "applied"):
        if note.kind == "committed":
            index = number(note, "index")
            is_new, highest = index > highest, max(index, highest)
        else:
            alike = known.setdefault((note.kind, identity(note.facts[0])), [])
            is_new = note.time > after_ns and not any(_is_same_decision(note, facts) for facts in alike)
            alike.append(note.facts)
            if note.kind == "applied":
                highest = max(highest, number(note, "index"))
        if is_new and note.time > after_ns:
            return note
    return None


def _is_same_decision(note: Note, facts: Sequence[Value]) -> bool:
    """Whether a slot was decided before, whatever the value; in a log, whether it was by this entry."""
    return note.kind == "decided" or all(map(is_same, note.facts, facts))
