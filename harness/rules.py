"""What becomes of a message that something acts on: parcels, and the rules that change their fate.

A message has 64 bits of luck, shared out to all purposes, so that no rule disturbs the luck of another.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import TYPE_CHECKING, Final, Protocol

import msgspec

from ..impl.node import Message
from .plan import Delivery, Fault, Link
from .randomness import QUANTILES, delays

if TYPE_CHECKING:
    from .life import Life
    from .network import Route

DELAY_BITS: Final = QUANTILES - 1
"""The lowest bits of a message's luck: which quantile its delay is."""


class Bits(msgspec.Struct, frozen=True):
    """The bits of a message's luck that belong to one purpose: so many of them, above the lowest `shift`."""

    shift: int
    width: int

    @property
    def mask(self) -> int:
        """Them alone, once the luck is shifted."""
        return (1 << self.width) - 1

    def limit(self, rate: float) -> float:
        """Something of this probability happens when they are less than that."""
        return rate * (1 << self.width)


LOSS: Final = Bits(12, 16)
DUPLICATE: Final = Bits(28, 12)
LATE: Final = Bits(40, 12)
AMOUNT: Final = Bits(52, 12)


class Parcel:
    """A message on its way along a route that is not plain, and its fate.

    Attributes:
        number: which one of its route it is.
        luck: 64 bits.
        receiver: whom it was sent to; a life, not an address.
        delays: of each copy that arrives, in nanoseconds.
        why: the kind of fault that lost it, or "".
        holder: keeps it until a later time, if anybody does.
    """

    __slots__ = ("delays", "holder", "luck", "message", "message_id", "number", "receiver", "route", "why")

    def __init__(self, route: Route, luck: int, message: Message, message_id: int) -> None:
        self.route, self.number, self.luck, self.message = route, route.sent, luck, message
        self.message_id = message_id
        self.receiver: Life = route.receiver.life
        self.delays: list[int] = []
        self.why = ""
        self.holder: list[Parcel] | None = None

    def lose(self, why: str) -> None:
        """No copy arrives."""
        self.delays, self.why = [], why

    def override(self, delivery: Delivery) -> None:
        """Share the fate that the plan has for it."""
        if delivery.delay_ns is None:
            self.lose("delivery")
        else:
            self.delays = [delivery.delay_ns] * delivery.copies


class Rule(Protocol):
    """What a fault does to messages."""

    @property
    def kind(self) -> str:
        """The kind of fault that this is."""
        ...

    def hits(self, sender: str, receiver: str) -> bool:
        """Whether it acts on the link between these two at all."""
        ...

    def change(self, parcel: Parcel) -> bool:
        """Change the fate of one message on such a link, which is not lost yet; answers whether it did."""
        ...


class OnLinks:
    """A rule for all links that begin or end at one of some nodes: with probability `rate` it is a message's lot."""

    def __init__(self, kind: str, nodes: Collection[str], bits: Bits, rate: float, amount_ns: int = 0) -> None:
        self.kind = kind
        self._nodes = frozenset(nodes)
        self._shift, self._mask, self._limit = bits.shift, bits.mask, bits.limit(rate)
        self._amount_ns = amount_ns

    def hits(self, sender: str, receiver: str) -> bool:
        """Whether one of the two is hit."""
        return sender in self._nodes or receiver in self._nodes

    def change(self, parcel: Parcel) -> bool:
        """Do it, if it is this message's lot."""
        happens = (parcel.luck >> self._shift) & self._mask < self._limit
        if happens:
            self.do(parcel)
        return happens

    def amount_ns(self, parcel: Parcel) -> int:
        """Between none and all of a duration, each equally likely."""
        return self._amount_ns * ((parcel.luck >> AMOUNT.shift) & AMOUNT.mask) // QUANTILES

    def do(self, parcel: Parcel) -> None:
        """What happens to a message whose lot it is."""
        raise NotImplementedError


class Loss(OnLinks):
    """A message is lost."""

    def do(self, parcel: Parcel) -> None:
        """Lose it."""
        parcel.lose(self.kind)


class Duplication(OnLinks):
    """A message arrives a second time, up to `amount_ns` later than the first."""

    def do(self, parcel: Parcel) -> None:
        """Add a copy."""
        parcel.delays.append(parcel.delays[0] + self.amount_ns(parcel))


class Delaying(OnLinks):
    """A message is up to `amount_ns` later, and so overtaken by others."""

    def do(self, parcel: Parcel) -> None:
        """Delay all copies."""
        late_ns = self.amount_ns(parcel)
        parcel.delays = [delay + late_ns for delay in parcel.delays]


class Partition:
    """No message crosses from one side to another; whoever is on no side is on one more.

    A client that is on no side stands with the node that it talks to, so nothing of its own is cut.
    """

    def __init__(self, fault: Fault, nodes: Iterable[str]) -> None:
        self.kind = fault.fault
        self.held: list[Parcel] = []
        self._drops, self._one_way = fault.mode == "drop", fault.one_way
        self._side_of: Mapping[str, int] = dict.fromkeys(nodes, len(fault.sides)) | {
            name: number for number, side in enumerate(fault.sides) for name in side
        }

    def hits(self, sender: str, receiver: str) -> bool:
        """Whether the two are on different sides; with `one_way`, and the sender is on the first."""
        here, there = self._side_of.get(sender), self._side_of.get(receiver)
        if here is None or there is None or here == there:
            return False
        return here == 0 or not self._one_way

    def change(self, parcel: Parcel) -> bool:
        """Lose it, or hold it until the end of the partition."""
        if self._drops:
            parcel.lose(self.kind)
        else:
            parcel.holder = self.held
        return True


def rules_of(link: Link, ends: tuple[str, str]) -> tuple[Rule, ...]:
    """What a link does to messages all along."""
    rules: list[Rule] = []
    if link.loss:
        rules.append(Loss("loss", ends, LOSS, link.loss))
    if link.duplicate:
        rules.append(Duplication("duplication", ends, DUPLICATE, link.duplicate, delays(link.delay)[-1]))
    return tuple(rules)
