"""Bounds of staleness, for a given bound.

Aiyer, Alvisi and Bazzi, "On the Availability of Non-strict Quorum Systems", 2005, for k; Golab, Li and Shah, "Analyzing
Consistency Properties for Fun and Profit", 2011, for delta; t is in `executions`.
"""

from __future__ import annotations

from dataclasses import replace

from .serialisations import linearizable
from .small import INITIAL, Facts, mask, members


def k_atomic(facts: Facts, k: int) -> bool:
    """Some order of all operations that keeps real time has each read return one of the last k values of its key.

    The initial value counts as one.
    """
    tried = set()

    def go_on(left: int, values: tuple[tuple[int, ...], ...]) -> bool:
        if not left:
            return True
        if (left, values) in tried:
            return False
        tried.add((left, values))
        for each in members(left):
            op = facts.ops[each]
            if facts.rb[each] & left:
                continue
            newest = values[op.key]
            if op.is_write:
                after = (*values[: op.key], (each, *newest)[:k], *values[op.key + 1 :])
            elif facts.source[each] in newest:
                after = values
            else:
                continue
            if go_on(left & ~(1 << each), after):
                return True
        return False

    keys = 1 + max((op.key for op in facts.ops), default=0)
    return go_on(facts.every, ((INITIAL,),) * keys)


def delta_atomic(facts: Facts, bound: int) -> bool:
    """The history is linearizable when its reads begin so much earlier."""
    earlier = [
        mask(n for n, other in enumerate(facts.ops) if other.ended < op.began - (0 if op.is_write else bound))
        for op in facts.ops
    ]
    return linearizable(replace(facts, so=(0,) * len(earlier), rb=tuple(earlier)))
