"""The network: what becomes of each message on its way.

A link has one stream, drawn once per message whatever faults act, so the 17th message of a link has the same luck in every
variation of a plan. A link that nothing hits is `plain`, and its messages take the short way in `life.Life.send`; all
others come through `Network.carry`, where each rule in force may change their fate.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, Protocol

import msgspec

from ..histories.values import Value, freeze
from ..impl.node import Message
from .plan import Delivery, Link
from .randomness import delays, stream
from .rules import DELAY_BITS, Parcel, Rule, rules_of

if TYPE_CHECKING:
    from .life import Life
    from .world import World


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


class Route:
    """One direction between two addresses.

    Attributes:
        sent: how many messages were sent along it.
        draw: gives the luck of the next message.
        delays: the quantiles of its delay.
        plain: whether a message's fate is its delay and nothing else.
    """

    __slots__ = (
        "_last",
        "always",
        "delays",
        "deliveries",
        "draw",
        "fifo",
        "plain",
        "receiver",
        "rules",
        "sender",
        "sent",
    )

    def __init__(self, seed: int, sender: Station, receiver: Station, link: Link) -> None:
        self.sender, self.receiver = sender, receiver
        self.draw: Callable[[int], int] = stream(seed, "link", f"{sender.address}>{receiver.address}").getrandbits
        self.delays = delays(link.delay)
        self.deliveries: dict[int, Delivery] = {}
        self.always = rules_of(link, (sender.name, receiver.name))
        self.rules: tuple[Rule, ...] = ()
        self.fifo = link.fifo
        self.sent = 0
        self.plain = False
        self._last = 0

    def in_order(self, time: int) -> int:
        """When a message that would arrive at this time does, on a link that keeps the order of sending."""
        self._last = max(time, self._last)
        return self._last


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

    def put_in_force(self, rule: Rule, held: Sequence[Parcel] = ()) -> Callable[[], None]:
        """Put a rule in force; answers how to end it, when what it held is sent on its way."""
        self.add(rule)
        return lambda: self.remove(rule, held)

    def remove(self, rule: Rule, held: Sequence[Parcel]) -> None:
        """End a rule, and send what it held on its way again; other rules may hit it then."""
        self._rules.remove(rule)
        self._apply_all()
        for parcel in held:
            self._decide(parcel)

    def _apply_all(self) -> None:
        for route in self._routes.values():
            self._apply(route)

    def _apply(self, route: Route) -> None:
        hit = (rule for rule in self._rules if rule.hits(route.sender.name, route.receiver.name))
        route.rules = (*route.always, *hit)
        route.plain = not (route.rules or route.deliveries or route.fifo or self._world.full)

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
        route, fired = parcel.route, self._world.fired
        parcel.delays = [route.delays[parcel.luck & DELAY_BITS]]
        parcel.holder = None
        if parcel.number in route.deliveries:
            parcel.override(route.deliveries[parcel.number])
        else:
            for rule in route.rules:
                if rule.change(parcel):
                    fired[rule.kind] += 1
                    if not parcel.delays:
                        break
        if not parcel.delays:
            self._dropped(parcel, parcel.why)
        elif parcel.holder is not None:
            parcel.holder.append(parcel)
        else:
            self._dispatch(parcel)

    def _dispatch(self, parcel: Parcel) -> None:
        world, route = self._world, parcel.route
        step: tuple[Any, ...] = (parcel.receiver.receive, route.sender.address, parcel.message)
        if world.full:
            step = (self._arrive, parcel, None)
        for delay in parcel.delays:
            arrival = route.in_order(world.now + delay) if route.fifo else world.now + delay
            world.at(arrival, *step)

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
