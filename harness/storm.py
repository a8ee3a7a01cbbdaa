"""The faults of one plan, drawn: which kinds, how many, when, whom they hit, and how long they last.

How a fault of some kind is drawn stands beside what it does (`faults.kind.FaultKind.draw`); here is what they share. Many
of them begin at the k-th occurrence of an event, which gets deeper than faults by the clock.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Final

import msgspec

from ..impl.node import MS
from .draws import Draw
from .faults import FAULTS
from .plan import LEADER, Fault, Occurrence

EFFECTS: Final = ("store", "sync", "send", "message", "timer", "set_timer")
NOTES: Final[Mapping[str, int]] = {
    "voted": 4,
    "leads": 3,
    "acknowledged": 2,
    "promised": 2,
    "accepted": 2,
    "compacted": 2,
    "installed": 1,
    "configured": 1,
    "committed": 1,
    "appended": 1,
    "decided": 1,
    "posted": 1,
    "delivered": 1,
}
"""What a fault may wait for, notes with their weights: promises and answers are the delicate moments of a protocol. A note
that a system never makes is waited for in vain."""

KEPT: Final[Mapping[int, int]] = {1: 2, 2: 4, 3: 4, 4: 3, 5: 2}
"""How many kinds a storm keeps, with weights: of all kinds at once each would hide what the others do."""

LASTING_MAX: Final = 6
"""How many lasting faults may be tried; the budget may leave room for none."""


class Bounds(msgspec.Struct, frozen=True, kw_only=True):
    """How far a storm may go.

    Attributes:
        down_max: how many nodes may be down at the same time.
        lost_max: how many nodes may go, die or lose part of their disk for ever.
        is_operated: whether somebody can change who is a member.
        is_unbounded: whether it may leave the budget of the system.
    """

    down_max: int
    lost_max: int = 0
    is_operated: bool = False
    is_unbounded: bool = False


class Storm:
    """Draws the faults of one plan.

    Attributes:
        draw: all its luck.
        kinds: of which kinds there may be faults.
        names, clients: of whom it may hit.
        heal_ns: when it ends.
        bounds: how far it may go.
        is_lasting: whether the fault that is being drawn must last: operations must meet with faults for a run to prove
            anything.
        gone: the nodes that will not be there in the end.
    """

    def __init__(
        self,
        draw: Draw,
        kinds: Sequence[str],
        bounds: Bounds,
        *,
        names: tuple[str, ...],
        clients: tuple[str, ...],
        heal_ns: int,
        timeout_ns: int,
    ) -> None:
        self.draw, self.kinds, self.bounds = draw, kinds, bounds
        self.names, self.clients, self.heal_ns = names, clients, heal_ns
        self.is_lasting = False
        self.gone: list[str] = []
        self._tempo_ms = draw.logarithmic(20, 6 * timeout_ns // MS)
        self._down: list[tuple[int, int]] = []
        self._spoilt: list[str] = []
        self._newcomers = 0

    def faults(self) -> tuple[Fault, ...]:
        """The faults of a storm, most kinds of which are switched off, in the order of their times.

        A kind for which the budget leaves no room is no choice: another one takes its place.
        """
        draw = self.draw
        wanted = draw.weighted(KEPT)
        kept: list[str] = []
        found: list[Fault] = []
        for kind in self._by_weight():
            if len(kept) == wanted:
                break
            times = draw.between(1, self._many(kind))
            drawn = [fault for _ in range(times) for fault in FAULTS[kind].draw(self)]
            if drawn:
                kept.append(kind)
                found += drawn
        for _ in range(LASTING_MAX if kept else 0):
            if self._in_force_ns(found) < self.heal_ns // 3:
                self._tempo_ms, self.is_lasting = self.heal_ns // MS, True
                found += FAULTS[draw.luck.choice(kept)].draw(self)
        return tuple(sorted(found, key=lambda fault: fault.at_ns or 0))

    def _by_weight(self) -> Iterator[str]:
        """All kinds in a random order, the weightier ones sooner."""
        left = {kind: FAULTS[kind].weight for kind in self.kinds}
        while left:
            kind = self.draw.weighted(left)
            del left[kind]
            yield kind

    def forsaken(self) -> tuple[str, ...]:
        """The nodes that are dead for ever from the heal on: some of those that may still be lost, a minority at most."""
        most = min(self.bounds.lost_max, (len(self.names) - 1) // 2) - len(self._spoilt)
        many = self.draw.between(0, max(0, most))
        left = [name for name in self.names if name not in self._spoilt]
        self.gone += (names := self.in_order(self.draw.luck.shuffled(left)[:many]))
        return names

    def _in_force_ns(self, faults: Iterable[Fault]) -> int:
        """How long faults are in force, added up; those that wait for an event may never be."""
        return sum(
            min(self.heal_ns - fault.at_ns, self.heal_ns if fault.undo_after_ns is None else fault.undo_after_ns)
            for fault in faults
            if fault.at_ns is not None
        )

    def _many(self, kind: str) -> int:
        """How many faults of a kind there may be: more in a fast storm."""
        return min(FAULTS[kind].most, max(3, self.heal_ns // (self._tempo_ms * MS)))

    # --- what the kinds draw from

    def begin_ns(self) -> int:
        """Some time before the heal."""
        return self.draw.between(0, self.heal_ns // MS) * MS

    def lasts_ns(self) -> int:
        """A third of the tempo of this storm to three times that; what reaches beyond the heal ends there."""
        return self.draw.logarithmic(self._tempo_ms // 3, 3 * self._tempo_ms) * MS

    def some(self) -> tuple[str, ...]:
        """All nodes (named by nobody), or one."""
        return () if self.draw.happens(1, 2) else (self.draw.luck.choice(self.names),)

    def series(self, node: str) -> list[Occurrence]:
        """The k-th occurrence of some event; or also the 2k-th, the 3k-th and so on."""
        draw = self.draw
        if draw.happens(1, 2):
            event, largest = draw.luck.choice(EFFECTS), 200
        else:
            event, largest = f"note:{draw.weighted(NOTES)}", 10
        k = draw.logarithmic(1, largest)
        many = draw.between(2, 12) if draw.happens(1, 2) else 1
        return [Occurrence(node, event, k * time) for time in range(1, many + 1)]

    def one_or_leader(self) -> str:
        """Whoever leads, or one node."""
        return LEADER if self.draw.happens(1, 2) else self.draw.luck.choice(self.names)

    def newcomer(self) -> str:
        """The name of the next node that joins."""
        self._newcomers += 1
        return f"n{len(self.names) + self._newcomers}"

    def may_be_down(self, many: int, begin_ns: int, end_ns: int) -> bool:
        """Whether so many more nodes may be down then; if so, they are counted from now on."""
        if self.bounds.down_max >= len(self.names):
            return True
        overlapping = sum(1 for begin, end in self._down if begin <= end_ns and begin_ns <= end)
        if overlapping + many > self.bounds.down_max:
            return False
        self._down += [(begin_ns, end_ns)] * many
        return True

    def may_spoil(self, node: str) -> bool:
        """Whether this node may lose part of its disk for ever; if so, it is counted among the lost."""
        if node not in self._spoilt and len(self._spoilt) < self.bounds.lost_max:
            self._spoilt.append(node)
        return node in self._spoilt

    def may_go(self, node: str, at_ns: int) -> bool:
        """Whether this node may be lost or leave for ever then; if so, it counts as lost, and as down from then on."""
        if node in self.gone or not self.may_spoil(node) or not self.may_be_down(1, at_ns, self.heal_ns):
            return False
        self.gone.append(node)
        return True

    @staticmethod
    def in_order(names: Iterable[str]) -> tuple[str, ...]:
        """These nodes, in the order of their numbers."""
        return tuple(sorted(names, key=lambda name: int(name[1:])))
