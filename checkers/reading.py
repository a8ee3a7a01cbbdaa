"""What judges of reads and writes share: what their verdicts rest on, and the parts of a history that stay true to it."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from dataclasses import replace
from typing import Any, TypeAlias

import numpy as np

from ..histories.event import Operation
from ..histories.history import History
from ..histories.values import to_json
from .minimal import minimal_history
from .reads_from import INITIAL, NotApplicable, Outside, ReadsFrom, reads_from
from .verdict import Anomaly, Undecided

Find: TypeAlias = Callable[[ReadsFrom], Anomaly | None]
"""The anomaly of a traced history, where it shows one; the same for the same history."""


def findings(traced: ReadsFrom, *, checker: str, consistency: str, method: str) -> dict[str, Any]:
    """What every verdict on a traced history says, as keyword arguments.

    `operations` counts those that took effect as far as anybody knows; the evidence says what was judged of them.
    """
    inside = traced.numbers >= 0
    promoted = int(np.count_nonzero(inside & ~traced.is_definite))
    evidence = {
        "sessions": len({*traced.session[inside].tolist()}),
        "keys": len(traced.keys),
        "reads": len(traced.reads) + len(traced.oddities),
        "writes": int(np.count_nonzero(inside[traced.writes[:, 0]])),
    }
    return {
        "checker": checker,
        "consistency": consistency,
        "method": method,
        "operations": int(np.count_nonzero(inside)),
        "evidence": evidence | ({"promoted": promoted} if promoted else {}),
        "notes": (*traced.history.remarks, *taken_for_granted(traced)),
    }


def taken_for_granted(traced: ReadsFrom) -> tuple[str, ...]:
    """What a verdict assumes about values that nobody in the history wrote; () where there are none."""
    told = [
        f"{'it' if key is None else f'key {to_json(key)}'} is taken to have begun with {to_json(value)}"
        for key, value in traced.started_as[:3]
    ]
    more = len(traced.started_as) - len(told)
    started = ("; ".join([*told, *([f"and {more} more keys likewise"] if more else [])]),) if told else ()
    outside = int(np.count_nonzero(traced.numbers < 0))
    return (*started, *([f"{outside} values that were read came from outside of this history"] if outside else []))


def not_applicable(
    problem: NotApplicable, history: History, *, checker: str, consistency: str, method: str
) -> Undecided:
    """Nobody can say who read from whom; the reason names the operations that make it so."""
    named = "".join(f"\n  {operation}" for operation in problem.operations)
    return Undecided(
        f"not applicable: {problem}{named}",
        checker=checker,
        consistency=consistency,
        method=method,
        operations=len(history.pairing),
        notes=history.remarks,
    )


def minimal_anomaly(traced: ReadsFrom, involved: Iterable[int], find: Find, *, outside: Outside) -> Anomaly:
    """The anomaly as the fewest operations show it: those of the history that `find` finds it in and that need each other.

    A read stays only with the write that it read from, so that it never returns what a struck write wrote; and of what
    `find` finds, only the kind counts that it finds at first. The anomaly is that of the part, with the part as its history.

    Args:
        traced: the history, which shows the anomaly.
        involved: transactions that show it by themselves, those from outside left out or not.
        find: finds it.
        outside: as for `reads_from`.
    """
    mine = [traced.operation(each) for each in sorted({*involved}) if traced.numbers[each] >= 0]
    sources = _Sources(traced)
    whole = sources.find_in(traced.history.only(mine), find, outside) or find(traced)
    if whole is None:
        raise ValueError("a history that shows no anomaly has no part that does")
    kind = whole.kind

    def fails(part: History) -> bool:
        found = sources.find_in(part, find, outside)
        return found is not None and found.kind == kind

    smallest = minimal_history(traced.history, fails, begin_with=mine)
    found = sources.find_in(smallest, find, outside)
    return replace(whole if found is None else found, history=smallest)


class _Sources:
    """Which write each read of a history returned, so that parts can be held against it."""

    def __init__(self, traced: ReadsFrom) -> None:
        self._told = frozenset(_told(traced))

    def find_in(self, part: History, find: Find, outside: Outside) -> Anomaly | None:
        """What is found in a part, None also where a read of it would return another write than it did."""
        try:
            traced = reads_from(part, outside=outside)
        except NotApplicable:
            return None
        if not self._told.issuperset(_told(traced)):
            return None
        return find(traced)


def _told(traced: ReadsFrom) -> Collection[tuple[int, str, int]]:
    """Each read: the invocation of its reader, its key, and the invocation of the writer, or what stands for it."""
    index, begins = traced.history.columns.index, traced.history.pairing.invocation
    invocations = [-1 if number < 0 else int(index[begins[number]]) for number in traced.numbers.tolist()]
    keys = [to_json(key) for key in traced.keys]
    return [
        (invocations[reader], keys[key], INITIAL - 1 if source == INITIAL else invocations[source])
        for reader, key, source in traced.reads.tolist()
    ]


def operations_of(traced: ReadsFrom, transactions: Iterable[int]) -> tuple[Operation, ...]:
    """The operations of these transactions, in the order in which they began; what came from outside is none."""
    return tuple(traced.operation(each) for each in sorted({*transactions}) if traced.numbers[each] >= 0)
