"""The network: what becomes of each message on its way.

A link has one stream, drawn once per message whatever faults act, so the 17th message of a link has the same luck in every
variation of a plan. A link that nothing hits is `plain`, and its messages take the short way in `life.Life.send`; all
others come through `Network.carry`, where each rule in force may change their fate. A message becomes a parcel only when
more than loss and delay hits it, or somebody has to be told of it. In the order of their turns, rules that delay come last:
when one of them is met, no parcel is needed any more.

A message whose fate the plan has fixed (`plan.deliveries`) stands beside its link: no rule acts on it, it takes nobody's
place, waits behind nobody, and nobody waits behind it, even where the link keeps the order of sending.
"""

from __future__ import annotations

from collections.abc import Callable
from heapq import heappush
from operator import attrgetter
from typing import TYPE_CHECKING, Any, Protocol

import msgspec

from ..histories.values import Value, freeze
from ..impl.node import Message
from .plan import Delivery, Link
from .randomness import delays, stream
from .rules import DELAY_BITS, Parcel, Rule, Turn
from .traffic import rules_of

if TYPE_CHECKING:
    from .life import Life
    from .world import World


LOSE, DELAY = Turn.LOSE, Turn.DELAY


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
        deliveries: messages whose fate the plan has fixed, by number.
        always: what it does to messages all along.
        rules: these, and the faults that hit it, by their turns.
        watchers: those of them that are told of each message.
        fifo: whether it keeps the order of sending.
        plain: whether a message's fate is its delay and nothing else.
        is_simple: whether nobody has to be told of its messages, and the plan has fixed no fate of one.
    """

    __slots__ = (
        "_last_ns",
        "always",
        "delays",
        "deliveries",
        "draw",
        "fifo",
        "is_simple",
        "plain",
        "receiver",
        "rules",
        "sender",
        "sent",
        "watchers",
    )

    def __init__(self, seed: int, sender: Station, receiver: Station, link: Link) -> None:
        self.sender, self.receiver = sender, receiver
        self.draw: Callable[[int], int] = stream(seed, "link", f"{sender.address}>{receiver.address}").getrandbits
        self.delays = delays(link.delay)
        self.deliveries: dict[int, Delivery] = {}
        self.always: tuple[Rule, ...] = ()
        self.rules: tuple[Rule, ...] = ()
        self.watchers: tuple[Rule, ...] = ()
        self.fifo = link.fifo
        self.sent = 0
        self.plain = self.is_simple = False
        self._last_ns = 0

    def in_order(self, time: int) -> int:
        """When a message that would arrive at this time does, on a link that keeps the order of sending."""
        if time > self._last_ns:  # noqa: PLR1730  # `max` costs a call, and messages are many
            self._last_ns = time
        return self._last_ns

    def floor_ns(self, now: int) -> int:
        """What delay a message has at least, for the order of sending; -1 where that does not matter."""
        return self._last_ns - now if self.fifo else -1


class Network:
    """All routes, and the rules that are in force."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._plan = world.plan
        self._agenda, self._sequence = world.agenda, world.sequence
        self.at, self.fire = world.at, world.fire
        self._routes: dict[tuple[str, str], Route] = {}
        self._stations: dict[str, Station] = {}
        self._rules: list[Rule] = []
        self._message_ids = 0

    @property
    def now(self) -> int:
        """Virtual time."""
        return self._world.now

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
        link = links.get(name) or links.get("*") or Link()
        route = Route(self._plan.seed, sender, receiver, link)
        route.always = rules_of(link, self, (sender.name, receiver.name))
        prefix = f"{sender.address}>{receiver.address}#"
        route.deliveries = {
            int(message[len(prefix) :]): delivery
            for message, delivery in self._plan.deliveries.items()
            if message.startswith(prefix)
        }
        self._apply(route)
        return route

    # --- rules

    def put_in_force(self, rule: Rule) -> Callable[[], None]:
        """Put a rule in force; answers how to end it."""
        self._rules.append(rule)
        self._apply_where_hit(rule)
        return lambda: self._end(rule)

    def _end(self, rule: Rule) -> None:
        self._rules.remove(rule)
        self._apply_where_hit(rule)
        rule.end()

    def _apply_where_hit(self, rule: Rule) -> None:
        for route in self._routes.values():
            if rule.hits(route.sender.name, route.receiver.name):
                self._apply(route)

    def _apply(self, route: Route) -> None:
        hit = (rule for rule in self._rules if rule.hits(route.sender.name, route.receiver.name))
        route.rules = tuple(sorted((*route.always, *hit), key=attrgetter("turn")))
        route.watchers = tuple(rule for rule in route.rules if rule.watches)
        route.is_simple = not (route.deliveries or route.watchers or self._world.full)
        route.plain = route.is_simple and not (route.rules or route.fifo)

    # --- messages

    def carry(self, route: Route, luck: int, message: Message) -> None:
        """Decide the fate of a message that was just sent along a route which is not plain.

        Here and now, unless more than loss and delay hits it, or somebody has to be told of it.
        """
        if not route.is_simple:
            self._send(route, luck, message)
            return
        now, fired = self._world.now, self._world.fired
        arrival = now + route.delays[luck & DELAY_BITS]
        for rule in route.rules:
            if luck >> rule.shift & rule.mask < rule.limit:
                if rule.turn is DELAY:
                    late_ns = rule.late_ns(luck)
                    arrival += late_ns
                    if late_ns and arrival > now + route.floor_ns(now):
                        fired[rule.kind] += 1
                elif rule.turn is LOSE:
                    fired[rule.kind] += 1
                    return
                else:
                    self._send(route, luck, message)
                    return
        if route.fifo:
            arrival = route.in_order(arrival)
        heappush(self._agenda, (arrival, self._sequence(), route.receiver.receive, route.sender.address, message))

    def _send(self, route: Route, luck: int, message: Message) -> None:
        """Decide its fate as that of a parcel."""
        self._message_ids += 1
        parcel = Parcel(route, luck, message, self._message_ids)
        if self._world.full:
            kind = message.__struct_config__.tag
            body = freeze(msgspec.to_builtins(message, enc_hook=dict))
            self._tell(route.sender.address, "send", parcel.message_id, route.receiver.address, kind, body)
        self.decide(parcel)

    def decide(self, parcel: Parcel) -> None:
        """Decide the fate of a message that was just sent, or of one that nobody holds any more."""
        route, luck = parcel.route, parcel.luck
        delivery = route.deliveries.get(parcel.number)
        if delivery is not None:
            self._as_planned(parcel, delivery)
            return
        parcel.delays = [route.delays[luck & DELAY_BITS]]
        parcel.is_held, parcel.lines, parcel.waits = False, (), None
        if route.fifo:
            parcel.floor_ns = route.floor_ns(self.now)
        for rule in route.rules:
            if luck >> rule.shift & rule.mask < rule.limit and rule.change(parcel):
                self._world.fired[rule.kind] += 1
                if parcel.why:
                    self._dropped(parcel, parcel.why)
                    return
                if parcel.is_held:
                    return
        for rule in route.watchers:
            rule.sent(parcel)
        self.go_on(parcel)

    def _as_planned(self, parcel: Parcel, delivery: Delivery) -> None:
        parcel.override(delivery)
        if parcel.why:
            self._dropped(parcel, parcel.why)
        for delay in parcel.delays:
            self._under_way(parcel, self.now + delay)

    def go_on(self, parcel: Parcel) -> None:
        """Let a message queue for the next line that it has to pass, or be under way."""
        if parcel.lines:
            line, *rest = parcel.lines
            parcel.lines = tuple(rest)
            line.enter(parcel)
            return
        route = parcel.route
        for delay in parcel.delays:
            arrival = self.now + delay
            self._under_way(parcel, route.in_order(arrival) if route.fifo else arrival)

    def _under_way(self, parcel: Parcel, arrival: int) -> None:
        if self._world.full or parcel.route.watchers:
            self.at(arrival, self._arrive, parcel, None)
        else:
            self.at(arrival, parcel.receiver.receive, parcel.route.sender.address, parcel.message)

    def _arrive(self, parcel: Parcel, _: None) -> None:
        if parcel.waits is None or not parcel.waits.keeps(parcel):
            self.deliver(parcel)

    def deliver(self, parcel: Parcel) -> None:
        """Let a message be received."""
        if self._world.full:
            self._arrived(parcel)
        parcel.receiver.receive(parcel.route.sender.address, parcel.message)
        for rule in parcel.route.watchers:
            rule.arrived(parcel)

    # --- what a full trace tells

    def _arrived(self, parcel: Parcel) -> None:
        if parcel.receiver.alive:
            route, kind = parcel.route, parcel.message.__struct_config__.tag
            self._tell(route.receiver.address, "deliver", parcel.message_id, route.sender.address, kind)
        else:
            self._dropped(parcel, "its receiver is dead")

    def _dropped(self, parcel: Parcel, why: str) -> None:
        if self._world.full:
            route = parcel.route
            self._tell(route.sender.address, "drop", parcel.message_id, route.receiver.address, why)

    def _tell(self, address: str, kind: str, *facts: Any) -> None:
        told: tuple[Value, ...] = facts
        self._world.transport(address, kind, told)
