"""What a judge answers: Upheld, Refuted or Undecided, each with what it rests on.

A verdict refuses to be a bool, so that nobody can take 'nobody knows' for a pass:

    match Linearizable(Register()).check(history):
        case Upheld(witness): ...
        case Refuted(anomaly): ...
        case Undecided(reason): ...
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, NoReturn, Protocol, TypeAlias

from ..histories.event import Operation
from ..histories.evidence import Evidence
from ..histories.history import History
from ..histories.trace import Note, Trace
from ..histories.values import Value, thaw

if TYPE_CHECKING:
    import networkx as nx


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """What all verdicts have in common.

    Attributes:
        checker: the judge, in kebab case.
        model: the model that the history was held against, where there is one.
        consistency: the consistency model that was decided, where there is one.
        method: how it was decided.
        operations: how many operations were judged.
        evidence: counts and bounds that the verdict rests on; JSON values only.
        notes: what a reader must know to read the verdict right (assumptions, lines left out).
    """

    checker: str = ""
    model: str = ""
    consistency: str = ""
    method: str = ""
    operations: int = 0
    evidence: Mapping[str, Any] = field(default_factory=dict)
    notes: tuple[str, ...] = ()

    def __bool__(self) -> NoReturn:
        raise TypeError("a verdict is no bool: match it against Upheld, Refuted and Undecided")


@dataclass(frozen=True, slots=True)
class Upheld(Finding):
    """It holds. `witness` is what an independent linear-time function can re-check (an order, a table, counts)."""

    witness: Any = None


@dataclass(frozen=True, slots=True)
class Refuted(Finding):
    """It does not hold, and the anomaly shows why."""

    anomaly: Anomaly


@dataclass(frozen=True, slots=True)
class Undecided(Finding):
    """Nobody knows; `reason` says what ran out or what does not apply. It is never a pass.

    `is_vacuous`: nothing happened that could have refuted it.
    """

    reason: str
    is_vacuous: bool = False


Verdict: TypeAlias = Upheld | Refuted | Undecided


@dataclass(frozen=True, slots=True)
class Anomaly:
    """Evidence that a person can check by hand.

    Attributes:
        kind: the kind of anomaly, in kebab case; shrinking keeps it.
        story: sentences, each of which a reader can verify.
        operations: the operations involved, as they stand in the history that was judged.
        history: a 1-minimal sub-history that is refuted by itself, where one can be cut out.
        facts: the notes of the trace involved.
        graph: the dependency cycle with a reason on each edge, where there is one.
    """

    kind: str
    story: tuple[str, ...]
    operations: tuple[Operation, ...] = ()
    history: History | None = None
    facts: tuple[Note, ...] = ()
    graph: nx.MultiDiGraph[Any] | None = None

    def __str__(self) -> str:
        return "\n".join(self.story)


class Checker(Protocol):
    """Decides one question about a history."""

    def check(self, history: History, /) -> Verdict:
        """The verdict; the same for the same history, everywhere."""
        ...


class TraceChecker(Protocol):
    """Decides one question about a trace."""

    def check(self, trace: Trace, /) -> Verdict:
        """The verdict; the same for the same trace, everywhere."""
        ...


class Judge(Protocol):
    """Decides one question about all the evidence of a run."""

    def __call__(self, evidence: Evidence, /) -> Verdict:
        """The verdict; the same for the same evidence, everywhere."""
        ...


@dataclass(frozen=True, slots=True)
class OnHistory:
    """A judge that looks only at what clients saw."""

    checker: Checker

    def __call__(self, evidence: Evidence, /) -> Verdict:
        """The checker's verdict."""
        return self.checker.check(evidence.history)


@dataclass(frozen=True, slots=True)
class OnTrace:
    """A judge that looks only at what happened inside."""

    checker: TraceChecker

    def __call__(self, evidence: Evidence, /) -> Verdict:
        """The checker's verdict."""
        return self.checker.check(evidence.trace)


def on_history(checker: Checker) -> Judge:
    """The checker as a judge of evidence."""
    return OnHistory(checker)


def on_trace(checker: TraceChecker) -> Judge:
    """The checker as a judge of evidence."""
    return OnTrace(checker)


@dataclass(frozen=True, slots=True)
class AllOf:
    """The conjunction of several judges: the first refutation refutes, then the first doubt leaves it open.

    A judge for whom nothing happened that could have refuted is no doubt, and is named, as long as another one had
    something to judge.
    """

    judges: tuple[Judge, ...]

    def __call__(self, evidence: Evidence, /) -> Verdict:
        """Refuted or Undecided as one of the judges says; Upheld where all of them do that had something to judge."""
        doubt: Undecided | None = None
        upheld: list[Upheld] = []
        vacuous: list[Undecided] = []
        for judge in self.judges:
            match judge(evidence):
                case Refuted() as refuted:
                    return refuted
                case Undecided(is_vacuous=True) as undecided:
                    vacuous.append(undecided)
                case Undecided() as undecided:
                    doubt = undecided if doubt is None else doubt
                case verdict:
                    upheld.append(verdict)
        if doubt is None and not upheld:
            doubt = next(iter(vacuous), None)
        if doubt is not None:
            return replace(doubt, reason=f"{doubt.checker}: {doubt.reason}")
        told = {verdict.checker: dict(verdict.evidence) for verdict in upheld}
        operations = max((verdict.operations for verdict in upheld), default=0)
        notes = tuple(f"{verdict.checker}: {verdict.reason}" for verdict in vacuous)
        method = "one judge after the other"
        return Upheld(checker="all-of", method=method, operations=operations, evidence=told, notes=notes)


def all_of(*judges: Judge) -> Judge:
    """The judges as one: a claim that says several things holds when all of them do."""
    return AllOf(judges)


WORDS: Mapping[type[Finding], str] = {Upheld: "upheld", Refuted: "refuted", Undecided: "undecided"}


def word(verdict: Verdict) -> str:
    """`upheld`, `refuted` or `undecided`."""
    return WORDS[type(verdict)]


def worst(words: Iterable[str]) -> str:
    """The verdict of many: one refuted refutes, then one undecided leaves it open. Of none: undecided."""
    found = set(words)
    for candidate in ("refuted", "undecided", "upheld"):
        if candidate in found:
            return candidate
    return "undecided"


def describe(verdict: Verdict) -> dict[str, Value]:
    """The verdict as the JSON object that `--json` prints and the store keeps."""
    told: dict[str, Any] = {"verdict": word(verdict), "checker": verdict.checker}
    if verdict.model:
        told["model"] = verdict.model
    if verdict.consistency:
        told["consistency"] = verdict.consistency
    told["method"] = verdict.method
    told["operations"] = verdict.operations
    told["reason"] = verdict.reason if isinstance(verdict, Undecided) else ""
    told["anomaly"] = _describe_anomaly(verdict.anomaly) if isinstance(verdict, Refuted) else None
    told["evidence"] = thaw(verdict.evidence)
    told["notes"] = list(verdict.notes)
    return told


def _describe_anomaly(anomaly: Anomaly) -> dict[str, Any]:
    return {
        "kind": anomaly.kind,
        "operations": [operation.invocation for operation in anomaly.operations],
        "story": list(anomaly.story),
        "facts": [[note.time, note.node, note.kind, thaw(note.facts)] for note in anomaly.facts],
    }
