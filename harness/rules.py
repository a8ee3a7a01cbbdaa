"""What becomes of a message that something acts on: parcels, and the rules that change their fate.

Rules act in turns, so their fate does not depend on which fault began first: a message that one of them loses is neither
held nor late. A message has 64 bits of luck, shared out to all purposes, so that no rule disturbs the luck of another.
"""

from __future__ import annotations

from collections.abc import Collection
from enum import IntEnum
from typing import TYPE_CHECKING, ClassVar, Final, Protocol

import msgspec

from ..impl.node import Message
from .plan import Delay, Delivery
from .randomness import QUANTILES, delays

if TYPE_CHECKING:
    from .life import Life
    from .network import Route
    from .traffic import Bandwidth, Reordering

DELAY_BITS: Final = QUANTILES - 1
"""The lowest bits of a message's luck: which quantile its delay is."""

TAIL_MAX: Final = 50
"""No delay of a heavy tail is longer than so many times what it is named after."""


class Bits(msgspec.Struct, frozen=True):
    """The bits of a message's luck that belong to one purpose: so many of them, above the lowest `shift`."""

    shift: int
    width: int

    @property
    def mask(self) -> int:
        """Them alone, once the luck is shifted."""
        return (1 << self.width) - 1

    def of(self, luck: int) -> int:
        """Them, as a number."""
        return (luck >> self.shift) & self.mask

    def limit(self, rate: float) -> float:
        """Something of this probability happens when they are less than that."""
        return rate * (1 << self.width)


LOSS: Final = Bits(12, 16)
DUPLICATE: Final = Bits(28, 12)
LATE: Final = Bits(40, 12)
AMOUNT: Final = Bits(52, 12)
ALWAYS: Final = Bits(0, 0)
"""No bits: with rate 1, what happens to every message."""

OVERTAKEN: Final = Bits(52, 12)
TAIL: Final = Bits(40, 12)
"""Of the further luck."""


def further(luck: int) -> int:
    """More luck, for what finds no room in the 64 bits: them times an odd number, of which the upper half is good."""
    return luck * 0x9E37_79B9_7F4A_7C15 & 0xFFFF_FFFF_FFFF_FFFF


class Turn(IntEnum):
    """When a rule acts on a message, compared with other rules."""

    LOSE = 0
    """It loses every message whose lot it is."""
    HOLD = 1
    """It keeps it from going its way at all."""
    ADMIT = 2
    """It may lose it, by what else is on the link."""
    CHANGE = 3
    """It changes how the message arrives."""
    DELAY = 4
    """It makes it later, and does nothing else."""


class Parcel:
    """A message on its way along a route that is not plain, and its fate.

    Attributes:
        number: which one of its route it is.
        luck: 64 bits.
        receiver: whom it was sent to; a life, not an address.
        delays: of each copy that arrives, in nanoseconds.
        floor_ns: no copy arrives before that delay, on a link that keeps the order of sending.
        why: the kind of fault that lost it, or "".
        is_held: whether somebody keeps it until a later time.
        lines: what it has to queue for before it is under way.
        waits: at its arrival, until it has been overtaken, if anybody says so.
    """

    __slots__ = (
        "delays",
        "floor_ns",
        "is_held",
        "lines",
        "luck",
        "message",
        "message_id",
        "number",
        "receiver",
        "route",
        "waits",
        "why",
    )

    def __init__(self, route: Route, luck: int, message: Message, message_id: int) -> None:
        self.route, self.number, self.luck, self.message = route, route.sent, luck, message
        self.message_id = message_id
        self.receiver: Life = route.receiver.life
        self.delays: list[int] = []
        self.floor_ns = -1
        self.why = ""
        self.is_held = False
        self.lines: tuple[Bandwidth, ...] = ()
        self.waits: Reordering | None = None

    @property
    def is_late(self) -> bool:
        """Whether a copy arrives later than the order of sending asks for anyway."""
        return max(self.delays) > self.floor_ns

    def put_off(self, by_ns: int) -> bool:
        """Delay all copies; answers whether one arrives later for that."""
        self.delays = [delay + by_ns for delay in self.delays]
        return by_ns > 0 and self.is_late

    def override(self, delivery: Delivery) -> None:
        """Share the fate that the plan has for it."""
        if delivery.delay_ns is None:
            self.why = "delivery"
        else:
            self.delays = [delivery.delay_ns] * delivery.copies


class Rule(Protocol):
    """What a fault does to messages: to those whose bits, `luck >> shift & mask`, are less than `limit`."""

    kind: str
    turn: Turn
    shift: int
    mask: int
    limit: float
    watches: ClassVar[bool]
    """Whether it is told of each message that goes its way (`sent`) and that arrives (`arrived`)."""

    def hits(self, sender: str, receiver: str) -> bool:
        """Whether it acts on the link between these two at all."""
        ...

    def change(self, parcel: Parcel) -> bool:
        """Change the fate of one message whose lot it is, and which nobody has lost; answers whether it did."""
        ...

    def late_ns(self, luck: int) -> int:
        """By how much a message is later whose lot it is; 0 but for a rule whose turn is DELAY."""
        ...

    def sent(self, parcel: Parcel) -> None:
        """This message goes its way; not told of one whose fate the plan has fixed."""

    def arrived(self, parcel: Parcel) -> None:
        """A copy of this message has arrived."""

    def end(self) -> None:
        """Let go of what it has kept; it is not in force any more."""


class Idle:
    """What most rules answer to most questions."""

    watches: ClassVar[bool] = False

    def late_ns(self, luck: int) -> int:  # noqa: ARG002  # as those that delay messages
        """It delays nothing."""
        return 0

    def sent(self, parcel: Parcel) -> None:
        """Nothing to remember."""

    def arrived(self, parcel: Parcel) -> None:
        """Nothing to do."""

    def end(self) -> None:
        """Nothing is kept."""


class OnLinks(Idle):
    """A rule for all links that begin or end at one of some nodes."""

    turn = Turn.CHANGE

    def __init__(self, kind: str, nodes: Collection[str], bits: Bits = ALWAYS, rate: float = 1) -> None:
        self.kind = kind
        self.shift, self.mask, self.limit = bits.shift, bits.mask, bits.limit(rate)
        self._nodes = frozenset(nodes)

    def hits(self, sender: str, receiver: str) -> bool:
        """Whether one of the two is hit."""
        return sender in self._nodes or receiver in self._nodes

    def change(self, parcel: Parcel) -> bool:
        """What happens to a message whose lot it is."""
        raise NotImplementedError


class Loss(OnLinks):
    """A message is lost."""

    turn = Turn.LOSE

    def change(self, parcel: Parcel) -> bool:
        """Lose it."""
        parcel.why = self.kind
        return True


class Duplication(OnLinks):
    """A message arrives a second time, up to `amount_ns` later than the first."""

    def __init__(self, kind: str, nodes: Collection[str], rate: float, amount_ns: int) -> None:
        super().__init__(kind, nodes, DUPLICATE, rate)
        self._amount_ns = amount_ns

    def change(self, parcel: Parcel) -> bool:
        """Add a copy."""
        parcel.delays.append(parcel.delays[0] + part_of(self._amount_ns, parcel.luck))
        return True


class Lateness(OnLinks):
    """A rule that makes messages later, and does nothing else."""

    turn = Turn.DELAY

    def change(self, parcel: Parcel) -> bool:
        """Delay all copies."""
        return parcel.put_off(self.late_ns(parcel.luck))


class Delaying(Lateness):
    """A message is up to `amount_ns` later, and so overtaken by others."""

    def __init__(self, kind: str, nodes: Collection[str], rate: float, amount_ns: int) -> None:
        super().__init__(kind, nodes, LATE, rate)
        self._amount_ns = amount_ns

    def late_ns(self, luck: int) -> int:
        """Each duration equally likely."""
        return part_of(self._amount_ns, luck)


class HeavyTail(Lateness):
    """Every message is later: most by less than half of `amount_ns`, a few by a lot."""

    def __init__(self, kind: str, nodes: Collection[str], amount_ns: int) -> None:
        super().__init__(kind, nodes)
        self._quantiles = delays(Delay(shape="heavy_tail", min_ns=0, mean_ns=amount_ns, max_ns=TAIL_MAX * amount_ns))

    def late_ns(self, luck: int) -> int:
        """A quantile."""
        return self._quantiles[TAIL.of(further(luck))]


def part_of(amount_ns: int, luck: int) -> int:
    """Between none and all of a duration, each equally likely."""
    return amount_ns * (luck >> AMOUNT.shift) // QUANTILES
