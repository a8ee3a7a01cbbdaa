"""The network: what becomes of each message on its way.

A link has one stream, drawn once per message, whatever faults act: 64 bits that are shared out to all purposes.
So the 17th message of a link has the same luck in every variation of a plan. A link that nothing hits is `plain`, and its
messages take the short way in `life.Life.send`; all others come through `Network.carry`, where each rule in force may
change their fate.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final, Protocol

import msgspec

from ..histories.values import Value, freeze
from ..impl.node import Message
from .plan import Delivery, Link
from .randomness import QUANTILES, delays, stream

if TYPE_CHECKING:
    from .life import Life
    from .world import World

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

    def of(self, luck: int) -> int:
        """What they say: an integer below 2 ** width."""
        return (luck >> self.shift) & self.mask

    def limit(self, rate: float) -> float:
        """Something of this probability happens when they say less than that."""
        return rate * (1 << self.width)


LOSS: Final = Bits(12, 16)
DUPLICATE: Final = Bits(28, 12)
LATE: Final = Bits(40, 12)
AMOUNT: Final = Bits(52, 12)


class Station(Protocol):
    """Somebody with an address: a machine, or a life of a client."""

    @property
    def address(self) -> str:
        """Where messages go."""
        ...

    @property
    def name(self) -> str:
        """What plans call it; a client's name outlives its addresses."""
        ...

    @property
    def life(self) -> Life:
        """Who takes in what arrives."""
        ...

    @property
    def receive(self) -> Callable[[str, Message], None]:
        """How it does; the life's own method."""
        ...


class Rule(Protocol):
    """What a fault does to messages. `kind` is the fault's."""

    @property
    def kind(self) -> str:
        """The kind of fault that this is."""
        ...

    def hits(self, sender: str, receiver: str) -> bool:
        """Whether it acts on the link between these two at all."""
        ...

    def change(self, parcel: Parcel) -> bool:
        """Change the fate of one message on such a link; answers whether it did."""
        ...


class Route:
    """One direction between two addresses.

    Attributes:
        sent: how many messages were sent along it.
        draw: gives the luck of the next message.
        delays: the quantiles of its delay.
        plain: whether a message's fate is its delay and nothing else.
    """

    __slots__ = ("_last", "delays", "deliveries", "draw", "link", "plain", "receiver", "rules", "sender", "sent")

    def __init__(self, seed: int, sender: Station, receiver: Station, link: Link) -> None:
        self.sender, self.receiver, self.link = sender, receiver, link
        self.draw: Callable[[int], int] = stream(seed, "link", f"{sender.address}>{receiver.address}").getrandbits
        self.delays = delays(link.delay)
        self.deliveries: dict[int, Delivery] = {}
        self.rules: tuple[Rule, ...] = ()
        self.sent = 0
        self.plain = False
        self._last = 0

    def in_order(self, time: int) -> int:
        """When a message that would arrive at this time does, on a link that keeps the order of sending."""
        self._last = max(time, self._last)
        return self._last


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
        self.message_id, self.receiver = message_id, route.receiver.life
        self.be_delayed()

    def be_delayed(self) -> None:
        """Arrive once, after the delay of the link."""
        self.delays = [self.route.delays[self.luck & DELAY_BITS]]
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


class Network:
    """All routes, and the rules that are in force."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._plan = world.plan
        self._routes: dict[tuple[str, str], Route] = {}
        self._stations: dict[str, Station] = {}
        self._rules: list[Rule] = []
        self._message_ids = 0

    @property
    def messages(self) -> int:
        """How many were sent."""
        return sum(route.sent for route in self._routes.values())

    def join(self, station: Station) -> None:
        """Give it its address."""
        self._stations[station.address] = station

    def route(self, sender: Station, to: str) -> Route:
        """The route from one to the other.

        Raises:
            LookupError: nobody has that address.
        """
        found = self._routes.get((sender.address, to))
        if found is None:
            if to not in self._stations:
                raise LookupError(f"{sender.address} sends to {to!r}, and nobody has that address")
            found = self._routes[sender.address, to] = self._opened(sender, self._stations[to])
        return found

    def _opened(self, sender: Station, receiver: Station) -> Route:
        name = f"{sender.name}>{receiver.name}"
        links = self._plan.links
        route = Route(self._plan.seed, sender, receiver, links.get(name) or links.get("*") or Link())
        prefix = f"{sender.address}>{receiver.address}#"
        route.deliveries = {
            int(message[len(prefix) :]): delivery
            for message, delivery in self._plan.deliveries.items()
            if message.startswith(prefix)
        }
        self._apply(route)
        return route

    # --- rules

    def add(self, rule: Rule) -> None:
        """Put a rule in force."""
        self._rules.append(rule)
        self._apply_all()

    def remove(self, rule: Rule, held: list[Parcel]) -> None:
        """End a rule, and send what it held on its way again; other rules may hit it then."""
        self._rules.remove(rule)
        self._apply_all()
        for parcel in held:
            parcel.be_delayed()
            self._decide(parcel)

    def _apply_all(self) -> None:
        for route in self._routes.values():
            self._apply(route)

    def _apply(self, route: Route) -> None:
        route.rules = tuple(rule for rule in self._rules if rule.hits(route.sender.name, route.receiver.name))
        link = route.link
        route.plain = not (
            route.rules or route.deliveries or link.loss or link.duplicate or link.fifo or self._world.full
        )

    # --- messages

    def carry(self, route: Route, luck: int, message: Message) -> None:
        """Decide the fate of a message that was just sent along a route which is not plain."""
        self._message_ids += 1
        parcel = Parcel(route, luck, message, self._message_ids)
        if self._world.full:
            kind = message.__struct_config__.tag
            body = freeze(msgspec.to_builtins(message, enc_hook=dict))
            self._tell(route.sender.address, "send", parcel.message_id, route.receiver.address, kind, body)
        self._decide(parcel)

    def _decide(self, parcel: Parcel) -> None:
        route = parcel.route
        if parcel.number in route.deliveries:
            parcel.override(route.deliveries[parcel.number])
        else:
            self._rule(parcel)
        if not parcel.delays:
            self._dropped(parcel, parcel.why)
        elif parcel.holder is not None:
            parcel.holder.append(parcel)
        else:
            self._dispatch(parcel)

    def _rule(self, parcel: Parcel) -> None:
        link, luck = parcel.route.link, parcel.luck
        if link.loss and LOSS.of(luck) < LOSS.limit(link.loss):
            parcel.lose("loss")
        elif link.duplicate and DUPLICATE.of(luck) < DUPLICATE.limit(link.duplicate):
            parcel.delays.append(parcel.route.delays[AMOUNT.of(luck)])
        for rule in parcel.route.rules:
            if not parcel.delays:
                break
            if rule.change(parcel):
                self._world.fired[rule.kind] += 1

    def _dispatch(self, parcel: Parcel) -> None:
        world, route = self._world, parcel.route
        for delay in parcel.delays:
            arrival = route.in_order(world.now + delay) if route.link.fifo else world.now + delay
            if world.full:
                world.at(arrival, self._arrive, parcel, None)
            else:
                world.at(arrival, parcel.receiver.receive, route.sender.address, parcel.message)

    def _arrive(self, parcel: Parcel, _: None) -> None:
        sender, receiver = parcel.route.sender.address, parcel.route.receiver.address
        if parcel.receiver.alive:
            self._tell(receiver, "deliver", parcel.message_id, sender, parcel.message.__struct_config__.tag)
        else:
            self._dropped(parcel, "its receiver is dead")
        parcel.receiver.receive(sender, parcel.message)

    def _dropped(self, parcel: Parcel, why: str) -> None:
        if self._world.full:
            route = parcel.route
            self._tell(route.sender.address, "drop", parcel.message_id, route.receiver.address, why)

    def _tell(self, address: str, kind: str, *facts: Any) -> None:
        told: tuple[Value, ...] = facts
        self._world.transport(address, kind, told)
