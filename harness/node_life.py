"""One life of a node: it can wait, for its disk, for the end of a pause, or because its machine is slow."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from ..histories.values import Value
from ..impl.node import Key, Message, NodeId
from .life import NEVER, Life

if TYPE_CHECKING:
    from .machine import Machine
    from .world import World


class NodeLife(Life):
    """From one start of a machine to its next crash.

    Attributes:
        disk: as this node sees it: the machine's, or what faults have made of that.
    """

    def __init__(self, world: World, machine: Machine) -> None:
        super().__init__(world, machine, machine.address, machine.clock)
        self.disk = machine.disk_as_seen
        self._machine = machine
        self._holds = 0
        self._effects: deque[tuple[Callable[..., None], tuple[Any, ...]]] = deque()
        self._inputs: deque[tuple[Callable[..., None], tuple[Any, ...]]] = deque()

    def store(self, key: Key, value: Value | Message, /) -> None:
        """Write to the disk."""
        if self.busy:
            self._postpone(self.store, key, value)
        else:
            self.disk.store(key, value)

    def erase(self, key: Key, /) -> None:
        """Remove from the disk."""
        if self.busy:
            self._postpone(self.erase, key)
        else:
            self.disk.erase(key)

    def sync(self) -> None:
        """Make all writes so far durable, and wait for it."""
        if self.busy:
            self._postpone(self.sync)
            return
        self.hold()
        self.world.at(self.world.now + self.disk.sync_ns, self._synced, None, None)

    def _synced(self, _: None, __: None) -> None:
        """The disk is done, whether or not the node can hear of it yet."""
        if self.alive:
            self.disk.flush()
            self.release()

    # --- waiting

    def hold(self) -> None:
        """Let effects and inputs wait, for one reason more."""
        self._holds += 1
        self.busy = True

    def release(self, fault: str = "") -> None:
        """One reason is gone; after the last, go on with what waited, effects of the old handler first.

        If it was a fault for which something waited, that has fired.
        """
        if not self.alive:
            return
        self._holds -= 1
        if self._holds:
            return
        if fault and (self._effects or self._inputs):
            self.world.fire(fault)
        self.busy = False
        while not self.busy and (self._effects or self._inputs):
            step, arguments = (self._effects or self._inputs).popleft()
            try:
                step(*arguments)
            except Exception as error:  # noqa: BLE001  # it would have been raised in the handler
                self._raised(error)

    def wait(self, step: Callable[..., None], *arguments: Any) -> None:
        """Take in this input after those that wait already."""
        if self.alive:
            self._inputs.append((step, arguments))

    def wait_first(self, step: Callable[..., None], *arguments: Any) -> None:
        """Take in this input before those that wait already: its turn had come."""
        if self.alive:
            self._inputs.appendleft((step, arguments))

    def _postpone(self, step: Callable[..., None], *arguments: Any) -> None:
        if self.alive:
            self._effects.append((step, arguments))

    def failed(self, error: Exception) -> None:
        """An exception in a handler is a crash, and a finding."""
        self._machine.failed(error)

    def retime(self, old_ppm: int, new_ppm: int) -> None:
        """The clock runs at another rate from now on: so do the timers that it still counts."""
        now = self.world.now
        for timer in self._timers.values():
            if timer.due > now:
                timer.due = now + (timer.due - now) * old_ppm // new_ppm
                timer.sequence = self._sequence()
                if timer.entry == NEVER or timer.due < timer.entry_due:
                    self._enter(timer)


class Slowed:
    """A node's code on a slow machine: each input keeps the life that handles it busy for a while afterwards."""

    def __init__(self, code: Any, machine: Machine) -> None:
        self._code, self._machine = code, machine

    def on_start(self, life: NodeLife, /) -> None:
        """The machine has started."""
        self._code.on_start(life)
        self._work(life)

    def on_message(self, sender: NodeId, message: Message, life: NodeLife, /) -> None:
        """A message has arrived."""
        self._code.on_message(sender, message, life)
        self._work(life)

    def on_timer(self, name: str, life: NodeLife, /) -> None:
        """A timer has run out."""
        self._code.on_timer(name, life)
        self._work(life)

    def _work(self, life: NodeLife) -> None:
        if self._machine.work_ns:
            life.hold()
            life.world.at(life.world.now + self._machine.work_ns, _done, life, None)


def _done(life: NodeLife, _: None) -> None:
    life.release("slow-node")
