"""The models of convergence that a history alone can decide: eventual visibility, and what refutes the strong one with it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from typing import Any, Final

from ...histories.event import Missing, Operation
from ...histories.history import History
from ...histories.values import identity
from ..reads_from import Outside
from ..verdict import Anomaly, Refuted, Undecided, Upheld, Verdict
from .agreement import Convergent, Lossless, contested
from .appearance import DuplicateFree, PhantomFree
from .collection import Record
from .judging import OfCollections, counts
from .registers import READS, WRITES, Registers
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
    final read, these agree, and no read shows what nobody added or more than was added. Of a register: final reads agree
    about a value that was written, where any write was acknowledged. Strong convergence is refuted with
    it; to uphold it takes the states of replicas, which a history does not tell.

    Raises:
        MalformedHistory: the history cannot be paired.
    """
    visibility = _visibility(history, outside)
    return {name: visibility if name == "eventual.visibility" else _strong(visibility) for name in ids}


def _visibility(history: History, outside: Outside) -> Verdict:
    about: dict[str, Any] = {
        "checker": "convergence",
        "consistency": "eventual.visibility",
        "operations": len(history.operations),
        "notes": history.remarks,
    }
    actions = {operation.action for operation in history.operations}
    if outside == "anything":
        excerpt = "not applicable: an excerpt does not show whether the system was quiet, nor all updates"
        return Undecided(excerpt, **about)
    if actions <= {*ADDS, *REMOVES, READ} and _show_arrays(history):
        return _of_collections(history, outside, about)
    if actions <= {*WRITES, *READS}:
        return _of_registers(history, outside, about)
    stranger = next(each for each in history.operations if each.action not in {READ, *ADDS, *REMOVES} or _is_odd(each))
    return Undecided(f"not applicable: {stranger} belongs neither to a collection nor to a register", **about)


def _of_collections(history: History, outside: Outside, about: dict[str, Any]) -> Verdict:
    record = Record(history, adds=ADDS, removes=REMOVES, read=READ)
    about |= {
        "method": "final reads after quiescence, and every read against the adds",
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


def _of_registers(history: History, outside: Outside, about: dict[str, Any]) -> Verdict:
    registers = Registers(history, knows_start=outside == "nothing")
    finals = sum(map(len, registers.finals.values()))
    about |= {
        "method": "final reads after quiescence, against the writes",
        "evidence": {"writes": len(registers.writes), "final_reads": finals},
    }
    if outside == "start":
        about["notes"] = (*history.remarks, "what nobody wrote is taken to have been there at first")
    match registers.find():
        case Anomaly() as anomaly:
            return Refuted(anomaly, **about)
        case str(reason):
            return Undecided(reason, **about)
    if not registers.writes:
        return Undecided("nobody writes", is_vacuous=True, **about)
    return Upheld(**about, witness=registers.settled)


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


def _show_arrays(history: History) -> bool:
    """Whether what is read is a collection; where only null is read, and nobody writes, it may be one."""
    return not any(map(_is_odd, history.operations))


def _is_odd(operation: Operation) -> bool:
    """Whether it reads something that is no collection."""
    return operation.action == READ and not isinstance(operation.result, tuple | Missing | None)


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
