"""The session guarantees, each by itself and taken together, and which combinations a history refutes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from ...histories.history import History
from ..causality.order import too_large
from ..reading import findings, not_applicable
from ..reads_from import NotApplicable, Outside, reads_from
from ..verdict import Refuted, Undecided, Upheld, Verdict
from .execution import LIMIT, Contradiction
from .guarantees import FOUR, MODELS, Guarantees, Scope, combinations
from .judging import Judging
from .lists import TooMany
from .vacuity import is_vacuous
from .witness import SessionWitness

_METHOD: Final = "the least visibility that the guarantees force, and a cycle among what they and the reads order"


def decide(history: History, ids: Sequence[str], *, outside: Outside = "nothing") -> dict[str, Verdict]:
    """The verdict on each of these models. O(n k log n) for n reads and writes of k sessions.

    A transaction counts as one operation: who sees one of its writes sees all of them.

    Raises:
        MalformedHistory: the history cannot be paired, or a transaction is no list of reads and writes.
    """
    judging = _judging(history, outside, LIMIT)
    if len(ids) > 1:
        _begin_with_all_four(judging, "global")
    return {name: _verdict(judging, *MODELS[name], history, name) for name in ids}


@dataclass(frozen=True, slots=True)
class GuaranteesReport:
    """What a history says of all 16 combinations of session guarantees.

    Attributes:
        verdicts: of each combination, as the names of its guarantees.
        refuted: the smallest combinations that are refuted: whatever is left out of one, nothing refutes the rest.
        vacuous: the guarantees that no observation of this history could have refuted, taken alone.
    """

    verdicts: Mapping[tuple[str, ...], Verdict]
    refuted: tuple[tuple[str, ...], ...]
    vacuous: tuple[str, ...]


def guarantees(
    history: History, *, scope: Scope = "global", outside: Outside = "nothing", weak: bool = False, limit: int = LIMIT
) -> GuaranteesReport:
    """Every combination of the four session guarantees. What one shows of another is not worked out again.

    Args:
        history: of reads and writes, or of transactions of both.
        scope: whether one order of writes explains the reads of everybody (`global`), or one for each session (`local`).
        outside: as for `reads_from`.
        weak: take the forms of monotonic writes and writes-follow-reads that only order writes, and say nothing of who
            sees them.
        limit: how many pairs of writes that no session orders are looked at; beyond it a combination is undecided.

    Raises:
        MalformedHistory: the history cannot be paired, or a transaction is no list of reads and writes.
    """
    judging = _judging(history, outside, limit)
    wanted = tuple(combinations(weak=weak))
    _begin_with_all_four(judging, scope)
    verdicts = {each.names: _verdict(judging, each, scope, history) for each in wanted}
    refuted = [each for each in wanted if isinstance(verdicts[each.names], Refuted)]
    smallest = [each for each in refuted if not any(other != each and other <= each for other in refuted)]
    vacuous = [each.names[0] for each in wanted if verdicts[each.names].evidence.get("vacuous")]
    return GuaranteesReport(verdicts, tuple(each.names for each in smallest), tuple(vacuous))


def _begin_with_all_four(judging: Judging | NotApplicable, scope: Scope) -> None:
    """Where all four hold, all combinations do, so that nothing else is worked out."""
    if isinstance(judging, Judging) and judging.oddity is None and _too_large(judging) is None:
        judging.outcome(FOUR, scope)


def _too_large(judging: Judging) -> str | None:
    """Why nothing is begun with: up to four nodes stand for an operation."""
    return too_large(4 * len(judging.traced), len(judging.traced.sessions))


def _judging(history: History, outside: Outside, limit: int) -> Judging | NotApplicable:
    try:
        return Judging(reads_from(history, outside=outside), outside=outside, limit=limit)
    except NotApplicable as problem:
        return problem


def _verdict(
    judging: Judging | NotApplicable, wanted: Guarantees, scope: Scope, history: History, consistency: str = ""
) -> Verdict:
    about: dict[str, Any] = {"checker": "sessions", "consistency": consistency, "method": _METHOD}
    if isinstance(judging, NotApplicable):
        return not_applicable(judging, history, **about)
    about = findings(judging.traced, **about)
    if judging.oddity is not None:
        return Refuted(judging.oddity, **about)
    if (size := _too_large(judging)) is not None:
        return Undecided(size, **about)
    found = judging.outcome(wanted, scope)
    if isinstance(found, TooMany):
        return Undecided(str(found), **about)
    if isinstance(found, Contradiction):
        fewest, found = judging.fewest(wanted, scope, found)
        about["evidence"] |= {"refuted": list(fewest.names)}
        return Refuted(judging.anomaly(fewest, scope, found), **about)
    upheld = Upheld(witness=SessionWitness(wanted, found), **about)
    return _vacuous(upheld) if is_vacuous(judging.steps, wanted) else upheld


def _vacuous(upheld: Upheld) -> Upheld:
    note = "vacuous: whatever these reads had returned of the writes that took effect, it would hold"
    return replace(upheld, evidence={**upheld.evidence, "vacuous": True}, notes=(*upheld.notes, note))
