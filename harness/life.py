"""One life of a participant: its code, and the outbox that its handlers write into.

A life ends with a crash, or when a client is given up, and is inert from then on: later lines of a handler that is still
running do nothing, and whatever arrives for it is dropped. `busy` is the one flag that the short ways look at: the life
has ended, or (a node's) waits: for its disk, for the end of a pause, or because its machine is slow.
"""

from __future__ import annotations

from collections.abc import Callable
from heapq import heappush
from typing import TYPE_CHECKING, Any, Final

from ..histories.errors import UpheldError, UsageError
from ..histories.values import Value, freeze
from ..impl.node import Message, NodeId
from .clock import MILLION
from .disk import SCALARS
from .messages import CHECKED, require_immutable
from .network import Route, Station
from .rules import DELAY_BITS

if TYPE_CHECKING:
    from .clock import NodeClock
    from .world import World

NEVER: Final = -1


class Timer:
    """A timer of one life. It has at most one live entry on the agenda, whatever is done to it.

    Attributes:
        due: when it runs out, or NEVER.
        sequence: the place among simultaneous events that it was given when it was set.
        entry: the sequence of its live entry, or NEVER.
        entry_due: when that entry surfaces.
    """

    __slots__ = ("due", "entry", "entry_due", "name", "sequence")

    def __init__(self, name: str) -> None:
        self.name = name
        self.due = self.sequence = self.entry = self.entry_due = NEVER


class Life:
    """What nodes and clients have in common.

    Attributes:
        address: its own.
        code: the node or the client that lives.
        alive: whether it has not ended.
        busy: whether effects and inputs do not take place at once.
    """

    def __init__(self, world: World, station: Station, address: str, clock: NodeClock) -> None:
        self.world, self.address, self.clock = world, address, clock
        self.alive, self.busy = True, False
        self.code: Any = None
        self._station = station
        self._agenda, self._sequence = world.agenda, world.sequence
        self._routes: dict[str, Route] = {}
        self._timers: dict[str, Timer] = {}

    def end(self) -> None:
        """Be inert from now on."""
        self.alive, self.busy = False, True

    # --- what a handler may write (see `impl.node.Outbox`)

    def send(self, to: NodeId, message: Message, /) -> None:
        """Send a message."""
        if self.busy:
            self._postpone(self.send, to, message)
            return
        try:
            route = self._routes[to]
        except KeyError:
            route = self._routes[to] = self.world.network.route(self._station, to)
        if message.__class__ not in CHECKED:
            require_immutable(message.__class__)
        route.sent += 1
        luck = route.draw(64)
        if route.plain:
            arrival = self.world.now + route.delays[luck & DELAY_BITS]
            heappush(self._agenda, (arrival, self._sequence(), route.receiver.receive, self.address, message))
        else:
            self.world.network.carry(route, luck, message)

    def set_timer(self, name: str, delay_ns: int, /) -> None:
        """Call `on_timer(name)` after this long by the own clock."""
        if self.busy:
            self._postpone(self.set_timer, name, delay_ns)
            return
        if delay_ns.__class__ is not int or delay_ns < 0:
            raise UsageError(f"{self.address} sets timer {name!r} to {delay_ns!r}; a delay is an int, and not negative")
        try:
            timer = self._timers[name]
        except KeyError:
            timer = self._timers[name] = Timer(name)
        clock = self.clock
        timer.due = due = self.world.now + (delay_ns if clock.rate_ppm == MILLION else clock.lasts(delay_ns))
        timer.sequence = self._sequence()
        if timer.entry == NEVER or due < timer.entry_due:
            self._enter(timer)

    def cancel_timer(self, name: str, /) -> None:
        """Forget the timer of that name."""
        if self.busy:
            self._postpone(self.cancel_timer, name)
        elif name in self._timers:
            self._timers[name].due = NEVER

    def note(self, kind: str, /, *facts: Value) -> None:
        """Tell the trace."""
        if self.busy:
            self._postpone(self.note, kind, *facts)
            return
        for fact in facts:
            if fact.__class__ not in SCALARS and not (fact.__class__ is tuple and SCALARS.issuperset(map(type, fact))):
                facts = tuple(one if one.__class__ in SCALARS else freeze(one) for one in facts)
                break
        self.world.note(self.address, kind, facts)

    # --- what comes in

    def start(self, _: None = None, __: None = None) -> None:
        """Run `on_start`."""
        if self.busy:
            self.wait(self.start)
            return
        try:
            self.code.on_start(self)
        except Exception as error:  # noqa: BLE001  # whatever a handler raises is a finding
            self._raised(error)

    def receive(self, sender: NodeId, message: Message) -> None:
        """A message has arrived."""
        if self.busy:
            self.wait(self.receive, sender, message)
            return
        try:
            self.code.on_message(sender, message, self)
        except Exception as error:  # noqa: BLE001  # whatever a handler raises is a finding
            self._raised(error)

    def _surface(self, timer: Timer, entry: int) -> None:
        """A timer's entry has come up: it runs out, unless it was cancelled or set anew since."""
        if entry != timer.entry:
            return
        timer.entry = NEVER
        if timer.due == NEVER or not self.alive:
            return
        if timer.sequence != entry:
            self._enter(timer)
        else:
            self._run_out(timer, entry)

    def _run_out(self, timer: Timer, sequence: int) -> None:
        if self.busy:
            self.wait(self._run_out, timer, sequence)
            return
        if timer.sequence != sequence or timer.due == NEVER:
            return
        timer.due = NEVER
        self.ring(timer.name)

    def ring(self, name: str) -> None:
        """A timer has run out."""
        if self.world.full:
            self.world.transport(self.address, "timer", (name,))
        try:
            self.code.on_timer(name, self)
        except Exception as error:  # noqa: BLE001  # whatever a handler raises is a finding
            self._raised(error)

    # --- within

    def _enter(self, timer: Timer) -> None:
        timer.entry, timer.entry_due = timer.sequence, timer.due
        heappush(self._agenda, (timer.due, timer.sequence, self._surface, timer, timer.sequence))

    def wait(self, step: Callable[..., None], *arguments: Any) -> None:
        """Take in this input later, if this life goes on; a life that has ended does nothing."""

    def _postpone(self, step: Callable[..., None], *arguments: Any) -> None:
        """Do this effect later, likewise."""

    def _raised(self, error: Exception) -> None:
        """A handler has raised: misuse and a lack of memory end the run, anything else ends this life."""
        if isinstance(error, UpheldError | MemoryError):
            raise error
        if self.alive:
            self.failed(error)

    def failed(self, error: Exception) -> None:
        """An exception in a handler has ended this life."""
        raise NotImplementedError
