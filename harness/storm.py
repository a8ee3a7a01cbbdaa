"""The faults of one plan, drawn: which kinds, how many, when, whom they hit, and how long they last.

Many of them begin at the k-th occurrence of an event, which gets deeper than faults by the clock.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Final

from msgspec.structs import replace

from ..impl.node import MS
from .draws import Draw
from .plan import Fault, Occurrence
from .world import LEADER

EFFECTS: Final = ("store", "sync", "send", "message", "timer", "set_timer")
NOTES: Final[Mapping[str, int]] = {
    "voted": 4,
    "leads": 3,
    "acknowledged": 2,
    "committed": 1,
    "appended": 1,
    "decided": 1,
    "posted": 1,
    "delivered": 1,
}
"""What a crash may wait for, notes with their weights: promises and answers are the delicate moments of a protocol. A note
that a system never makes is waited for in vain."""


class Storm:
    """Draws the faults of one plan."""

    def __init__(
        self,
        draw: Draw,
        *,
        names: tuple[str, ...],
        clients: tuple[str, ...],
        heal_ns: int,
        timeout_ns: int,
        down_max: int,
    ) -> None:
        self._draw, self._names, self._clients = draw, names, clients
        self._heal_ns, self._down_max = heal_ns, down_max
        self._tempo_ms = draw.logarithmic(20, 6 * timeout_ns // MS)
        self._down: list[tuple[int, int]] = []

    def faults(self, kinds: Sequence[str]) -> tuple[Fault, ...]:
        """The faults of a storm of these kinds, some of which are switched off, in the order of their times."""
        drawn = self._draw
        kept = [kind for kind in kinds if drawn.happens(3, 5)] or [drawn.luck.choice(kinds)] if kinds else []
        found: list[Fault] = []
        for kind in kept:
            for _ in range(drawn.between(1, self._many(kind))):
                found += self._one(kind)
        for _ in range(LASTING_MAX if kept else 0):
            if self._in_force_ns(found) < self._heal_ns // 3:
                found += self._lasting(drawn.luck.choice(kept))
        return tuple(sorted(found, key=lambda fault: fault.at_ns or 0))

    def _in_force_ns(self, faults: Iterable[Fault]) -> int:
        """How long faults are in force, added up; those that wait for an event may never be."""
        return sum(
            min(self._heal_ns - fault.at_ns, self._heal_ns if fault.undo_after_ns is None else fault.undo_after_ns)
            for fault in faults
            if fault.at_ns is not None
        )

    def _lasting(self, kind: str) -> list[Fault]:
        """One that lasts: operations must meet with faults for a run to prove anything."""
        self._tempo_ms = self._heal_ns // MS
        if kind == "crash":
            return self._within_budget(kind, (self._draw.luck.choice(self._names),), self._begin_ns(), self._lasts_ns())
        return self._one(kind)

    def _many(self, kind: str) -> int:
        """How many faults of a kind there may be: more in a fast storm."""
        return min(MANY[kind], max(3, self._heal_ns // (self._tempo_ms * MS)))

    def _one(self, kind: str) -> list[Fault]:
        makers: Mapping[str, Callable[[str], list[Fault]]] = {
            "loss": self._on_messages,
            "duplication": self._on_messages,
            "delay": self._on_messages,
            "partition": self._partition,
            "crash": self._crash,
            "torn": self._torn,
            "clock-offset": self._offset,
            "clock-drift": self._drift,
        }
        return makers[kind](kind)

    def _begin_ns(self) -> int:
        return self._draw.between(0, self._heal_ns // MS) * MS

    def _lasts_ns(self) -> int:
        """A third of the tempo of this storm to three times that; what reaches beyond the heal ends there."""
        return self._draw.logarithmic(self._tempo_ms // 3, 3 * self._tempo_ms) * MS

    def _some(self) -> tuple[str, ...]:
        """All nodes (named by nobody), or one."""
        return () if self._draw.happens(1, 2) else (self._draw.luck.choice(self._names),)

    def _on_messages(self, kind: str) -> list[Fault]:
        throughout = self._draw.happens(1, 3)
        amount_ns = 0 if kind == "loss" else self._draw.logarithmic(2, 1_000) * MS
        rate = self._draw.rate(*RATES[kind])
        return [
            Fault(
                fault=kind,
                at_ns=0 if throughout else self._begin_ns(),
                undo_after_ns=None if throughout else self._lasts_ns(),
                nodes=self._some(),
                rate=rate,
                amount_ns=amount_ns,
            )
        ]

    def _partition(self, kind: str) -> list[Fault]:
        draw = self._draw
        sides = self._sides()
        if draw.happens(1, 4):
            sides = self._with_clients(sides)
        cut = Fault(
            fault=kind,
            undo_after_ns=self._lasts_ns(),
            sides=sides,
            mode="hold" if draw.happens(1, 3) else "drop",
            one_way=draw.happens(1, 4),
        )
        if draw.happens(1, 4):
            return [replace(cut, on=on) for on in self._series("*")]
        return [replace(cut, at_ns=self._begin_ns())]

    def _sides(self) -> tuple[tuple[str, ...], ...]:
        """Whoever leads alone, one node alone, or two parts of any size; whoever is not named is on one more side."""
        shape = self._draw.weighted({"leader": 3, "one": 1, "halves": 2})
        if shape == "leader":
            return ((LEADER,),)
        mixed = self._draw.luck.shuffled(self._names)
        cut = 1 if shape == "one" else self._draw.between(1, max(1, len(mixed) - 1))
        return (_sorted(mixed[:cut]), _sorted(mixed[cut:]))

    def _with_clients(self, sides: tuple[tuple[str, ...], ...]) -> tuple[tuple[str, ...], ...]:
        """Each client on a side of its own choice."""
        both = [list(side) for side in (*sides, ())][:2]
        for client in self._clients:
            both[self._draw.luck.below(2)].append(client)
        return tuple(tuple(side) for side in both)

    def _crash(self, kind: str) -> list[Fault]:
        shape = self._draw.weighted({"event": 6, "one": 1, "leader": 3, "all": 1, "some": 1})
        if shape == "event":
            return self._crash_on_event(kind)
        lasts_ns = self._restart_ns()
        at_ns = self._begin_ns()
        if shape == "leader":
            return self._within_budget(kind, (LEADER,), at_ns, lasts_ns)
        many = {"one": 1, "some": self._draw.between(1, len(self._names)), "all": len(self._names)}[shape]
        many = max(1, min(many, self._down_max))
        return self._within_budget(kind, _sorted(self._draw.luck.shuffled(self._names)[:many]), at_ns, lasts_ns)

    def _within_budget(self, kind: str, nodes: tuple[str, ...], at_ns: int, lasts_ns: int) -> list[Fault]:
        if not self._may_be_down(len(nodes), at_ns, at_ns + lasts_ns):
            return []
        return [Fault(fault=kind, at_ns=at_ns, undo_after_ns=lasts_ns, nodes=nodes)]

    def _crash_on_event(self, kind: str) -> list[Fault]:
        draw = self._draw
        node = "*" if draw.happens(1, 4) else draw.luck.choice(self._names)
        series = self._series(node)
        restart_ns = draw.logarithmic(1, 20) * MS if draw.happens(1, 2) else self._restart_ns()
        if not self._may_be_down(len(series) if node == "*" else 1, 0, self._heal_ns):  # nobody knows when
            return []
        return [Fault(fault=kind, on=on, undo_after_ns=restart_ns) for on in series]

    def _series(self, node: str) -> list[Occurrence]:
        """The k-th occurrence of some event; or also the 2k-th, the 3k-th and so on."""
        draw = self._draw
        if draw.happens(1, 2):
            event, largest = draw.luck.choice(EFFECTS), 200
        else:
            event, largest = f"note:{draw.weighted(NOTES)}", 10
        k = draw.logarithmic(1, largest)
        many = draw.between(2, 12) if draw.happens(1, 2) else 1
        return [Occurrence(node, event, k * time) for time in range(1, many + 1)]

    def _restart_ns(self) -> int:
        """At once, or a millisecond to two seconds later."""
        return 0 if self._draw.happens(1, 4) else self._draw.logarithmic(1, 2_000) * MS

    def _may_be_down(self, many: int, begin_ns: int, end_ns: int) -> bool:
        """Whether so many more nodes may be down then; if so, they are counted from now on."""
        if self._down_max >= len(self._names):
            return True
        overlapping = sum(1 for begin, end in self._down if begin <= end_ns and begin_ns <= end)
        if overlapping + many > self._down_max:
            return False
        self._down += [(begin_ns, end_ns)] * many
        return True

    def _torn(self, kind: str) -> list[Fault]:
        return [Fault(fault=kind, at_ns=0, nodes=self._some())]

    def _offset(self, kind: str) -> list[Fault]:
        sign = 1 if self._draw.happens(1, 2) else -1
        return [
            Fault(
                fault=kind,
                at_ns=self._begin_ns(),
                undo_after_ns=self._lasts_ns(),
                nodes=(self._draw.luck.choice(self._names),),
                amount_ns=sign * self._draw.logarithmic(1, 10_000) * MS,
            )
        ]

    def _drift(self, kind: str) -> list[Fault]:
        faster = self._draw.happens(1, 2)
        by = self._draw.rate("0.0001", "0.5")
        return [
            Fault(
                fault=kind,
                at_ns=self._begin_ns(),
                undo_after_ns=self._lasts_ns(),
                nodes=(self._draw.luck.choice(self._names),),
                rate=round(1 + by if faster else 1 - by, 6),
            )
        ]


MANY: Final[Mapping[str, int]] = {
    "loss": 3,
    "duplication": 3,
    "delay": 3,
    "partition": 20,
    "crash": 16,
    "torn": 1,
    "clock-offset": 4,
    "clock-drift": 4,
}
RATES: Final[Mapping[str, tuple[str, str]]] = {
    "loss": ("0.005", "0.4"),
    "duplication": ("0.01", "0.5"),
    "delay": ("0.02", "1"),
}
"""Of messages, at least and at most."""


LASTING_MAX: Final = 6
"""How many lasting faults may be tried; the budget may leave room for none."""


def _sorted(names: Iterable[str]) -> tuple[str, ...]:
    return tuple(sorted(names, key=lambda name: int(name[1:])))
