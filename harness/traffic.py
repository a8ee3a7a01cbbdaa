"""The rules by which the messages of one link get into each other's way: bandwidth, a bounded queue, reordering."""

from __future__ import annotations

from collections import deque
from collections.abc import Collection
from typing import TYPE_CHECKING, ClassVar, Final

import msgspec

from ..impl.node import SECOND
from .plan import Link
from .randomness import delays
from .rules import LOSS, OVERTAKEN, Duplication, Loss, OnLinks, Parcel, Rule, Turn, further

if TYPE_CHECKING:
    from .network import Network, Route

SIZES: Final = msgspec.json.Encoder(enc_hook=dict)
"""Writes what a message is as long as: its fields as JSON."""


class Queue(OnLinks):
    """At most so many messages are on their way along a link; what is sent beyond that is lost.

    A message has its place until it arrives for the first time; a copy that the network makes of it needs none. What was on
    its way before this began is not counted; what a partition holds is counted from its end on.
    """

    turn = Turn.ADMIT
    watches: ClassVar[bool] = True

    def __init__(self, kind: str, nodes: Collection[str], places: int) -> None:
        super().__init__(kind, nodes)
        self._places = places
        self._taken: dict[Route, set[int]] = {}

    def change(self, parcel: Parcel) -> bool:
        """Lose it where there is no place left."""
        is_full = len(self._taken.get(parcel.route, ())) >= self._places
        if is_full:
            parcel.why = self.kind
        return is_full

    def sent(self, parcel: Parcel) -> None:
        """It takes a place."""
        self._taken.setdefault(parcel.route, set()).add(parcel.number)

    def arrived(self, parcel: Parcel) -> None:
        """Its place is free."""
        self._taken.get(parcel.route, set()).discard(parcel.number)


class Bandwidth(OnLinks):
    """The messages of a link go one behind the other, so many bytes in a second; each is under way after that.

    Where several limits are in force, a message passes one after another. Copies are made further on, and cost nothing.
    """

    def __init__(self, network: Network, kind: str, nodes: Collection[str], bytes_per_s: int) -> None:
        super().__init__(kind, nodes)
        self._network, self._bytes_per_s = network, bytes_per_s
        self._lines: dict[Route, deque[tuple[int, Parcel]]] = {}
        self._in_force = True

    def change(self, parcel: Parcel) -> bool:
        """Let it queue; whether that makes it later, shows when it is through."""
        parcel.lines += (self,)
        return False

    def enter(self, parcel: Parcel) -> None:
        """Go to the end of the line."""
        if not self._in_force:
            self._network.go_on(parcel)
            return
        line = self._lines.setdefault(parcel.route, deque())
        line.append((self._network.now, parcel))
        if len(line) == 1:
            self._serve(line)

    def _serve(self, line: deque[tuple[int, Parcel]]) -> None:
        parcel = line[0][1]
        lasts_ns = len(SIZES.encode(parcel.message)) * SECOND // self._bytes_per_s
        self._network.at(self._network.now + lasts_ns, self._through, line, parcel)

    def _through(self, line: deque[tuple[int, Parcel]], parcel: Parcel) -> None:
        if line and line[0][1] is parcel:  # or else the limit has ended, and the line with it
            self._leave(*line.popleft())
            if line:
                self._serve(line)

    def _leave(self, since_ns: int, parcel: Parcel) -> None:
        parcel.floor_ns = parcel.route.floor_ns(self._network.now)
        if self._network.now > since_ns and parcel.is_late:
            self._network.fire(self.kind)
        self._network.go_on(parcel)

    def end(self) -> None:
        """All are through at once, in their order."""
        self._in_force = False
        for line in self._lines.values():
            while line:
                self._leave(*line.popleft())


class Reordering(OnLinks):
    """With probability `rate` a message waits at its arrival until a later one of its link has overtaken it.

    It waits no longer than `amount_ns`, and not at all when a later one has arrived already, nor on a link that keeps the
    order of sending.
    """

    watches: ClassVar[bool] = True

    def __init__(self, network: Network, kind: str, nodes: Collection[str], rate: float, amount_ns: int) -> None:
        super().__init__(kind, nodes)
        self._network, self._amount_ns = network, amount_ns
        self._below = OVERTAKEN.limit(rate)
        self._waiting: list[Parcel] = []
        self._newest: dict[Route, int] = {}
        self._in_force = True

    def change(self, parcel: Parcel) -> bool:
        """Let it wait, if it is its lot; whether it has to, shows when it arrives."""
        if OVERTAKEN.of(further(parcel.luck)) < self._below and not parcel.route.fifo:
            parcel.waits = self
        return False

    def keeps(self, parcel: Parcel) -> bool:
        """Whether a message that would arrive now waits instead."""
        overtaken = self._newest.get(parcel.route, 0) > parcel.number
        if overtaken or not self._amount_ns or not self._in_force:
            return False
        self._waiting.append(parcel)
        self._network.fire(self.kind)
        self._network.at(self._network.now + self._amount_ns, self._tired, parcel, None)
        return True

    def arrived(self, parcel: Parcel) -> None:
        """Let those arrive that it has overtaken, in the order of sending."""
        route = parcel.route
        self._newest[route] = max(parcel.number, self._newest.get(route, 0))
        self._release([one for one in self._waiting if one.route is route and one.number < parcel.number])

    def _tired(self, parcel: Parcel, _: None) -> None:
        if parcel in self._waiting:
            self._release([parcel])

    def _release(self, parcels: list[Parcel]) -> None:
        for parcel in parcels:
            self._waiting.remove(parcel)
        for parcel in parcels:
            self._network.deliver(parcel)

    def end(self) -> None:
        """Nobody waits any more."""
        self._in_force = False
        self._release(list(self._waiting))


def rules_of(link: Link, network: Network, ends: tuple[str, str]) -> tuple[Rule, ...]:
    """What a link does to messages all along."""
    rules: list[Rule] = []
    if link.loss:
        rules.append(Loss("loss", ends, LOSS, link.loss))
    if link.duplicate:
        rules.append(Duplication("duplication", ends, link.duplicate, delays(link.delay)[-1]))
    if link.queue:
        rules.append(Queue("queue", ends, link.queue))
    if link.bytes_per_s:
        rules.append(Bandwidth(network, "bandwidth", ends, link.bytes_per_s))
    return tuple(rules)
