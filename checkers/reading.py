"""What judges of reads and writes share: what their verdicts rest on, and the parts of a history that stay true to it."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import replace
from typing import Any, Final, TypeAlias

import numpy as np

from ..histories.columns import ABSENT
from ..histories.event import Operation
from ..histories.history import History
from ..histories.values import to_json
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
    came = (f"{outside} of the values that were read came from outside of this history",) if outside else ()
    return (*started, *came)


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
    """The anomaly as the fewest operations show it: no operation can be left out without its ceasing to be of its kind.

    A part of the history holds with every read the write that was read, so that no read of it returns what nobody there
    wrote. Of what `find` finds in the part, only the kind of the whole counts. The anomaly is that of the part, with the part
    as its history.

    Args:
        traced: the history, which shows the anomaly.
        involved: transactions that show it by themselves; those from outside do not matter.
        find: finds it.
        outside: as for `reads_from`.
    """
    parts = Parts(traced)
    chosen = frozenset(parts.invocations[each] for each in involved) - {OUTSIDE}
    found = parts.find_in(parts.closed(chosen), find, outside)
    if found is None:
        found = find(traced)
        chosen = frozenset(parts.invocations) - {OUTSIDE}
    if found is None:
        raise ValueError("a history that shows no anomaly has no part that does")
    shown, smaller = found, parts.smaller(chosen)
    while (part := next(smaller, None)) is not None:
        again = parts.find_in(parts.closed(part), find, outside)
        if again is not None and again.kind == shown.kind:
            chosen, shown, smaller = part, again, parts.smaller(part)
    return replace(shown, history=parts.history(parts.closed(chosen)))


OUTSIDE: Final = -1
START: Final = -2


class Parts:
    """Parts of a history in which every read has its write; operations go by the index of the event that began them."""

    def __init__(self, traced: ReadsFrom) -> None:
        self._history = traced.history
        self.invocations = _invocations(traced)
        self._reads = frozenset(_reads(traced))
        self._odd = frozenset(_odd(traced))
        self._sources: dict[int, set[int]] = {}
        for reader, _, source in self._reads:
            if source >= 0:
                self._sources.setdefault(reader, set()).add(source)
        for oddity in traced.oddities:
            if oddity.writer is not None:
                self._sources.setdefault(self.invocations[oddity.reader], set()).add(oddity.writer.invocation)

    def closed(self, chosen: Collection[int]) -> frozenset[int]:
        """With all that these read from, and what that read from, and so on."""
        todo, found = list(chosen), set(chosen)
        while todo:
            new = self._sources.get(todo.pop(), set()) - found
            found |= new
            todo += new
        return frozenset(found)

    def smaller(self, chosen: Collection[int]) -> Iterator[frozenset[int]]:
        """What is left without one of them: with what it read from, and without that where nobody else read it."""
        whole = self.closed(chosen)
        for each in sorted(chosen):
            rest = frozenset(chosen) - {each}
            for part in (rest, rest | self._sources.get(each, set())):
                if self.closed(part) < whole:
                    yield part

    def history(self, chosen: Collection[int]) -> History:
        """The events of these operations."""
        pairing = self._history.pairing
        inside = np.isin(self._history.columns.index[pairing.invocation], list(chosen))
        rows = np.concatenate((pairing.invocation[inside], pairing.completion[inside]))
        return self._history.at_rows(rows[rows != ABSENT].tolist())

    def find_in(self, chosen: Collection[int], find: Find, outside: Outside) -> Anomaly | None:
        """What is found in a part, None also where a read of it would return another write than it did."""
        try:
            traced = reads_from(self.history(chosen), outside=outside)
        except NotApplicable:
            return None
        if not self._reads.issuperset(_reads(traced)) or not self._odd.issuperset(_odd(traced)):
            return None
        return find(traced)


def _invocations(traced: ReadsFrom) -> list[int]:
    """Of each transaction, the index of the event that began it; OUTSIDE for those from outside."""
    index, begins = traced.history.columns.index, traced.history.pairing.invocation
    return [OUTSIDE if number < 0 else int(index[begins[number]]) for number in traced.numbers.tolist()]


def _reads(traced: ReadsFrom) -> Iterator[tuple[int, str, int]]:
    """Each read: its reader, its key, and the writer, or what stands for it."""
    invocations = _invocations(traced)
    keys = [to_json(key) for key in traced.keys]
    for reader, key, source in traced.reads.tolist():
        yield invocations[reader], keys[key], START if source == INITIAL else invocations[source]


def _odd(traced: ReadsFrom) -> Iterator[tuple[int, str, str]]:
    """Each read that no write explains."""
    invocations = _invocations(traced)
    for oddity in traced.oddities:
        yield invocations[oddity.reader], oddity.kind, to_json(oddity.key)


def operations_of(traced: ReadsFrom, transactions: Iterable[int]) -> tuple[Operation, ...]:
    """The operations of these transactions, in the order in which they began; what came from outside is none."""
    return tuple(traced.operation(each) for each in sorted({*transactions}) if traced.numbers[each] >= 0)
