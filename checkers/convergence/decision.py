"""The models of convergence that a history alone can decide: eventual visibility, and what refutes the strong one with it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from typing import Any, Final

from ...histories.event import Missing
from ...histories.history import History
from ...histories.values import identity
from ..reads_from import Outside
from ..verdict import Anomaly, Refuted, Undecided, Upheld, Verdict
from .agreement import Convergent, Lossless, contested
from .appearance import DuplicateFree, PhantomFree
from .collection import Record
from .judging import OfCollections, counts
from .times import times_of
from .witness import Ending

ADDS: Final = ("add", "broadcast")
REMOVES: Final = ("remove",)
READ: Final = "read"
IN_THE_END: Final[tuple[type[OfCollections], ...]] = (Lossless, Convergent)
EVER: Final[tuple[type[OfCollections], ...]] = (DuplicateFree, PhantomFree)


def decide(history: History, ids: Sequence[str], *, outside: Outside = "nothing") -> dict[str, Verdict]:
    """The verdict on each of these models: `eventual.visibility`, `eventual.strong`.

    Eventual visibility of a collection: in the declared and checked quiescence every acknowledged update shows in every
    final read, these agree, and no read shows what nobody added or more than was added. Strong convergence is refuted with
    it; to uphold it takes the states of replicas, which a history does not tell.

    Raises:
        MalformedHistory: the history cannot be paired, or a read shows no array.
    """
    visibility = _visibility(history, outside)
    return {name: visibility if name == "eventual.visibility" else _strong(visibility) for name in ids}


def _visibility(history: History, outside: Outside) -> Verdict:
    about: dict[str, Any] = {
        "checker": "convergence",
        "consistency": "eventual.visibility",
        "method": "final reads after quiescence, and every read against the adds",
    }
    foreign = _foreign(history)
    if foreign or outside == "anything":
        excerpt = "not applicable: an excerpt does not show whether the system was quiet, nor all updates"
        about |= {"operations": len(history.operations), "notes": history.remarks}
        return Undecided(foreign or excerpt, **about)
    record = Record(history, adds=ADDS, removes=REMOVES, read=READ)
    about |= {
        "operations": len(record.adds) + len(record.removes) + len(record.reads),
        "evidence": {**counts(record), **({"contested": contested(record)} if record.removes else {})},
        "notes": (*history.remarks, *_assumed(record, outside)),
    }
    reason = ""
    for judge in (judge(adds=ADDS, removes=REMOVES, read=READ) for judge in (*IN_THE_END, *EVER)):
        if outside == "start" and isinstance(judge, EVER):
            continue
        found = judge.look(record)
        if isinstance(found, Anomaly):
            return Refuted(judge.minimal(found, history), **about)
        reason = reason or found or ""
    if reason or not record.adds:
        return Undecided(reason or "nobody adds to the collection", is_vacuous=not reason, **about)
    times = times_of(record)
    about["evidence"] |= times.evidence()
    return Upheld(**about, witness=_ending(record))


def _strong(visibility: Verdict) -> Verdict:
    """What the verdict on visibility, which strong convergence implies, says about it."""
    if isinstance(visibility, Upheld):
        return Undecided(
            "not applicable: needs the states of replicas, which a trace tells and a history does not",
            checker=visibility.checker,
            consistency="eventual.strong",
            method=visibility.method,
            operations=visibility.operations,
            notes=visibility.notes,
        )
    return replace(visibility, consistency="eventual.strong")


def _foreign(history: History) -> str:
    """Why this is no history of a collection; "" when it is."""
    known = {*ADDS, *REMOVES, READ}
    stranger = next((operation for operation in history.operations if operation.action not in known), None)
    if stranger is not None:
        return f"not applicable: {stranger} neither adds to a collection, nor removes from one, nor reads one"
    if any(operation.action != READ for operation in history.operations):
        return ""
    other = next((read for read in history.operations if not isinstance(read.result, tuple | Missing | None)), None)
    return "" if other is None else f"not applicable: {other} shows no collection, and nobody adds to one"


def _assumed(record: Record, outside: Outside) -> tuple[str, ...]:
    """What the verdict takes for granted."""
    told = []
    nodeless = record.removes and any(each.node is None for each in (*record.adds, *record.removes))
    if nodeless:
        told.append("a session without a named node is taken to stay with one replica")
    if outside == "start":
        initial = {identity(element) for element in record.initial}
        unknown = {
            (read.key, element)
            for read in record.reads
            for element in read.shown - initial
            if (read.key, element) not in record.attempts
        }
        told.append(f"{len(unknown)} elements that nobody added are taken to have been there at first")
        told.append("what may have been there at first is neither from nowhere nor shown too often")
    return tuple(told)


def _ending(record: Record) -> Ending:
    shown = {key: Counter(reads[0].identities) for key, reads in record.finals.items()}
    return Ending(shown, adds=ADDS, removes=REMOVES, read=READ)
