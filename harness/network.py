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

LOSS_AT: Final = 12
DUPLICATE_AT: Final = 28
LATE_AT: Final = 40
AMOUNT_AT: Final = 52
"""Where the other purposes have their bits: 16 for loss, 12 for each of the others."""


def chance(luck: int, at: int, bits: int, rate: float) -> bool:
    """Whether something of this probability happens, by the bits of a message's luck that belong to it."""
    return (luck >> at) & ((1 << bits) - 1) < rate * (1 << bits)


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


class Fate:
    """What is to become of one message.

    Attributes:
        delays: of each copy that arrives, in nanoseconds.
        why: the kind of fault that lost it, or "".
        holder: keeps it until a later time, if anybody does.
    """

    __slots__ = ("delays", "holder", "why")

    def __init__(self, delays: list[int]) -> None:
        self.delays = delays
        self.why = ""
        self.holder: list[Parcel] | None = None

    def lose(self, why: str) -> None:
        """No copy arrives."""
        self.delays, self.why = [], why


class Rule(Protocol):
    """What a fault does to messages. `kind` is the fault's."""

    @property
    def kind(self) -> str:
        """The kind of fault that this is."""
        ...

    def hits(self, sender: str, receiver: str) -> bool:
        """Whether it acts on the link between these two at all."""
        ...

    def change(self, fate: Fate, luck: int) -> bool:
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
        """When a message that would arrive at this time does arrive: not before those that were sent earlier."""
        if self.link.fifo:
            time = self._last = max(time, self._last)
        return time


class Parcel(msgspec.Struct, frozen=True):
    """A message on its way: which one of its route it is, its luck, and whom it was sent to (a life, not an address)."""

    route: Route
    number: int
    luck: int
    message: Message
    receiver: Life
    message_id: int


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
        parcel = Parcel(route, route.sent, luck, message, route.receiver.life, self._message_ids)
        if self._world.full:
            kind = message.__struct_config__.tag
            body = freeze(msgspec.to_builtins(message, enc_hook=dict))
            self._tell(route.sender.address, "send", parcel.message_id, route.receiver.address, kind, body)
        self._decide(parcel)

    def _decide(self, parcel: Parcel) -> None:
        route, world = parcel.route, self._world
        fate = Fate([route.delays[parcel.luck & DELAY_BITS]])
        if parcel.number in route.deliveries:
            _override(fate, route.deliveries[parcel.number])
        else:
            self._rule(fate, parcel)
        if fate.delays and fate.holder is not None:
            fate.holder.append(parcel)
            return
        for delay in fate.delays:
            if world.full:
                world.at(route.in_order(world.now + delay), self._arrive, parcel, None)
            else:
                world.at(
                    route.in_order(world.now + delay), parcel.receiver.receive, route.sender.address, parcel.message
                )
        if not fate.delays:
            self._dropped(parcel, fate.why)

    def _rule(self, fate: Fate, parcel: Parcel) -> None:
        link, luck = parcel.route.link, parcel.luck
        if chance(luck, LOSS_AT, 16, link.loss):
            fate.lose("loss")
        if fate.delays and chance(luck, DUPLICATE_AT, 12, link.duplicate):
            fate.delays.append(parcel.route.delays[(luck >> AMOUNT_AT) & DELAY_BITS])
        for rule in parcel.route.rules:
            if fate.delays and rule.change(fate, luck):
                self._world.fire(rule.kind)

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


def _override(fate: Fate, delivery: Delivery) -> None:
    if delivery.delay_ns is None:
        fate.lose("delivery")
    else:
        fate.delays = [delivery.delay_ns] * delivery.copies
