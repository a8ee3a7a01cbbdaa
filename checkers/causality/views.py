"""Models in which each session has one order of its own: causal memory, PRAM, and slow memory, which is PRAM key by key.

PRAM (Lipton and Sandberg, 1988): for each session there is an order of all writes and its own reads that keeps the order of
every session and explains its reads. Who others read from does not matter to it. Slow memory (Hutto and Ahamad, 1990) asks
the same for each key by itself, causal memory (Ahamad et al., 1995) an order of all that the session may know of, along the
causal order.

A transaction counts as one operation, that happens at once. One that did not complete and is known to have read is the last
one of a view of its own (see `views_search`), as in the definition that has a view for each operation (Bouajjani et al.,
2017, CM).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial
from typing import Any, Final

from ...histories.history import History
from ..reading import findings, minimal_anomaly, not_applicable
from ..reads_from import NotApplicable, Outside, ReadsFrom, reads_from
from ..verdict import Anomaly, Refuted, Undecided, Upheld, Verdict
from . import telling
from .oddities import odd
from .order import too_large
from .past import CausalOrder
from .patterns import Pattern, Patterns
from .views_search import View, views
from .views_telling import involved, prove, tell
from .views_witness import Scope, ViewOrder, Views

SCOPES: Final[dict[str, Scope]] = {"fifo.slow": "key", "fifo.pram": "writes", "causal.memory": "causes"}
"""What a view holds in each model."""

_METHODS: Final[dict[Scope, str]] = {
    "causes": "for each session, the order that its reads imply in its causal past",
    "writes": "for each session, the order of all writes that its reads imply",
    "key": "for each session and key, the order of writes that its reads imply",
}


def decide(history: History, ids: Sequence[str], *, outside: Outside = "nothing") -> dict[str, Verdict]:
    """The verdict on each of these models.

    Near O(n k) for n reads and writes of k sessions while views agree, O(n² k²) at worst.

    Raises:
        MalformedHistory: the history cannot be paired, or a transaction is no list of reads and writes.
    """
    try:
        traced = reads_from(history, outside=outside)
    except NotApplicable as problem:
        return {name: not_applicable(problem, history, **_about(name)) for name in ids}
    return {name: _verdict(traced, name, outside) for name in ids}


def _about(name: str) -> dict[str, str]:
    return {"checker": "views", "consistency": name, "method": _METHODS[SCOPES[name]]}


def _verdict(traced: ReadsFrom, name: str, outside: Outside) -> Verdict:
    about: dict[str, Any] = findings(traced, **_about(name))
    scope = SCOPES[name]
    if (unexplained := odd(traced)) is not None:
        return Refuted(unexplained, **about)
    patterns = Patterns(traced)
    if (size := too_large(len(traced), patterns.past.chains)) is not None:
        return Undecided(size, **about)
    rows = [] if (found := _pattern(patterns, scope)) is None else telling.involved(traced, found)
    orders: list[ViewOrder] = []
    if found is None:
        for view in _views(patterns.past, scope):
            if view.clash is not None:
                rows = involved(traced, prove(patterns.past, view, is_causal=scope == "causes"))
                break
            orders.append(ViewOrder(view.reader, view.key, tuple((pair.before, pair.after) for pair in view.pairs)))
    if rows:
        return Refuted(minimal_anomaly(traced, rows, partial(_shown, scope), outside=outside), **about)
    about["evidence"] |= {"views": len(orders), "inferred": sum(len(each.pairs) for each in orders)}
    return Upheld(**about, witness=Views(tuple(orders), scope, outside))


def _shown(scope: Scope, traced: ReadsFrom) -> Anomaly | None:
    """What the history shows against a model."""
    if (unexplained := odd(traced)) is not None:
        return unexplained
    patterns = Patterns(traced)
    if (found := _pattern(patterns, scope)) is not None:
        return telling.tell(traced, found)
    view = next((view for view in _views(patterns.past, scope) if view.clash is not None), None)
    if view is None:
        return None
    return tell(traced, view, prove(patterns.past, view, is_causal=scope == "causes"))


def _pattern(patterns: Patterns, scope: Scope) -> Pattern | None:
    """What weak causal consistency forbids is simpler to tell, and causal memory forbids it, too."""
    return (patterns.circular or patterns.overwritten) if scope == "causes" else None


def _views(past: CausalOrder, scope: Scope) -> Iterator[View]:
    """The views of a history, one after the other, up to the first that has no order."""
    return views(past, is_causal=scope == "causes", by_key=scope == "key")
