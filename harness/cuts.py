"""What a partition does to messages, by its mode: they are dropped, held until it ends, or slow."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import TYPE_CHECKING, Final

from .plan import Fault
from .rules import ALWAYS, Idle, Parcel, Turn

if TYPE_CHECKING:
    from .network import Network


class Partition(Idle):
    """No message crosses from one side to another, or goes along a link that is cut: here it is dropped.

    A node that is on no side is on one more, also one that joins meanwhile. A client that is on no side stands with the node
    that it talks to, so nothing of its own is cut.
    """

    shift, mask, limit = ALWAYS.shift, ALWAYS.mask, ALWAYS.limit(1)
    turn = Turn.LOSE

    def __init__(self, network: Network, fault: Fault, nodes: Collection[str]) -> None:
        self.kind = fault.fault
        self._network, self._nodes = network, nodes
        self._one_way, self._amount_ns = fault.one_way, fault.amount_ns
        self._cut = frozenset(fault.cut)
        self._rest = len(fault.sides)
        self._side_of = {name: number for number, side in enumerate(fault.sides) for name in side}

    def hits(self, sender: str, receiver: str) -> bool:
        """Whether the two are on different sides; with `one_way`, and the sender is on the first."""
        if self._cut:
            return f"{sender}>{receiver}" in self._cut
        here, there = self._side(sender), self._side(receiver)
        if here is None or there is None or here == there:
            return False
        return here == 0 or not self._one_way

    def _side(self, name: str) -> int | None:
        return self._side_of.get(name, self._rest if name in self._nodes else None)

    def change(self, parcel: Parcel) -> bool:
        """Lose it."""
        parcel.why = self.kind
        return True


class Jam(Partition):
    """A partition that holds messages until its end."""

    turn = Turn.HOLD

    def __init__(self, network: Network, fault: Fault, nodes: Collection[str]) -> None:
        super().__init__(network, fault, nodes)
        self._held: list[Parcel] = []

    def change(self, parcel: Parcel) -> bool:
        """Hold it."""
        parcel.is_held = True
        self._held.append(parcel)
        return True

    def end(self) -> None:
        """Send what was held on its way again; other rules may hit it then."""
        held, self._held = self._held, []
        for parcel in held:
            self._network.decide(parcel)


class Slowdown(Partition):
    """A partition that messages cross, `amount_ns` late."""

    turn = Turn.DELAY

    def change(self, parcel: Parcel) -> bool:
        """Delay all copies."""
        return parcel.put_off(self._amount_ns)

    def late_ns(self, luck: int) -> int:  # noqa: ARG002  # all are equally late
        """The same for all messages."""
        return self._amount_ns


PARTITIONS: Final[Mapping[str, type[Partition]]] = {"drop": Partition, "hold": Jam, "slow": Slowdown}
"""What a partition does, by the mode of the fault."""
