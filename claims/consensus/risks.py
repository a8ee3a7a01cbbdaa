"""When claims about a replicated log are at risk, and how long they may take: what their antecedents and bounds count."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import pairwise
from typing import Any, Final

from ...histories.event import Operation
from ...histories.evidence import Evidence
from ...histories.history import History
from ...histories.trace import Note
from ...histories.values import identity

WRITES: Final = frozenset({"put", "delete", "cas"})
HURTING: Final = frozenset({"loss", "delay", "partition", "crash"})
"""Faults during which a change of the members is put to the test; each has an end."""
LATER_THAN_ALL: Final = 2**63


# --- antecedents


def elections(evidence: Evidence) -> int:
    """How often somebody was elected after the first time."""
    return max(0, len(evidence.trace.of_kind("leads")) - 1)


def leader_changes(evidence: Evidence) -> int:
    """How often another node was elected than the time before."""
    leaders = [note.node for note in evidence.trace.of_kind("leads")]
    return sum(before != after for before, after in pairwise(leaders))


def elections_after_commit(evidence: Evidence) -> int:
    """How often somebody was elected when something had been committed already."""
    kinds = [note.kind for note in evidence.trace.of_kind("leads", "committed")]
    return kinds[kinds.index("committed") :].count("leads") if "committed" in kinds else 0


def leader_crashes(evidence: Evidence) -> int:
    """How often the node that was elected last crashed."""
    return sum(note.kind == "crash" and note.node == leader for note, leader in _with_leader(evidence))


def crashes_after_acknowledgement(evidence: Evidence) -> int:
    """How often a node crashed when something had been acknowledged already."""
    kinds = [note.kind for note in evidence.trace.of_kind("crash", "acknowledged")]
    return kinds[kinds.index("acknowledged") :].count("crash") if "acknowledged" in kinds else 0


def writes_elsewhere(evidence: Evidence) -> int:
    """How many writes were sent to another node than the one that was elected last."""
    sent = [
        (event.time, event.node)
        for event in evidence.history.client()
        if event.kind == "invoke" and event.action in WRITES and event.node is not None and event.time is not None
    ]
    elected = [(note.time, note.node) for note in evidence.trace.of_kind("leads")]
    return sum(node != next((leader for at, leader in reversed(elected) if at <= time), node) for time, node in sent)


def retried_writes(evidence: Evidence) -> int:
    """How often a client sent a write once more."""
    return sum(event.process == "retries" and event.action in WRITES for event in evidence.history.nemesis())


def changes_under_faults(evidence: Evidence) -> int:
    """How many changes of the members came into force while messages were lost, late or cut off, or a node was down."""
    first: dict[Any, int] = {}
    for note in evidence.trace.of_kind("configured"):
        if note.fact("index") != 0:
            first.setdefault(identity(note.facts), note.time)
    hurt = list(_times_of_faults(evidence.history))
    return sum(any(begin <= time <= end for begin, end in hurt) for time in first.values())


def _times_of_faults(history: History) -> Iterator[tuple[int, int]]:
    """From when to when each fault was in force that hits links, or takes a node down for a while."""
    began: dict[Any, list[int]] = {}
    for event in history.of("nemesis"):
        kind = event.action.removeprefix("undo-")
        begins = began.setdefault((kind, identity(event.value)), [])
        if event.action in HURTING:
            begins.append(event.time or 0)
        elif begins:
            yield begins.pop(0), event.time or 0
    yield from ((begin, LATER_THAN_ALL) for begins in began.values() for begin in begins)


def installed_snapshots(evidence: Evidence) -> int:
    """How often a node needed the snapshot of another one."""
    return len(evidence.trace.of_kind("installed"))


def _with_leader(evidence: Evidence) -> Iterator[tuple[Note, str]]:
    """Each note, with the node that had been elected last by then."""
    leader = ""
    for note in evidence.trace:
        if note.kind == "leads":
            leader = note.node
        yield note, leader


# --- bounds


def is_owed_an_answer(operation: Operation, _evidence: Evidence) -> bool:
    """Whoever is refused because its session has expired has been answered."""
    return operation.error != "session expired"


def longest_election_ns(evidence: Evidence) -> int:
    """The largest election timeout of the run: what one attempt to elect a leader takes."""
    return int(_setting(evidence, "settings")["election_max_ns"])


def twenty_elections_ns(evidence: Evidence) -> int:
    """20 of the largest election timeouts."""
    return 20 * longest_election_ns(evidence)


def consensus_bound_ns(evidence: Evidence) -> int:
    """20 of the largest election timeouts, and a client timeout."""
    return twenty_elections_ns(evidence) + int(_setting(evidence, "client_timeout_ns"))


def _setting(evidence: Evidence, name: str) -> Any:
    told: Mapping[str, Any] = evidence.history.header.extra
    return told[name]
