"""A node's machine: what stays when the node crashes."""

from __future__ import annotations

import traceback
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from ..impl.node import Context
from .clock import NodeClock
from .disk import NodeDisk
from .life import NodeLife, count
from .plan import ClockSkew, Disk
from .randomness import Luck, stream

if TYPE_CHECKING:
    from .world import World


class Machine:
    """Where a node lives, again and again (see `network.Station`).

    Attributes:
        life: the present life of the node, or its last.
        torn: how many faults are in force by which a crash leaves a torn write.
    """

    def __init__(self, world: World, name: str) -> None:
        plan = world.plan
        disk = plan.disks.get(name) or plan.disks.get("*") or Disk()
        skew = plan.clocks.get(name) or plan.clocks.get("*") or ClockSkew()
        self.address = self.name = name
        self.sync_ns = disk.sync_ns
        self.clock = NodeClock(lambda: world.now, skew, world.fire)
        self.disk = NodeDisk()
        self.torn = int(disk.torn)
        self._world = world
        self._tears = Luck(stream(plan.seed, "torn", name))
        self._lives = 0
        self._be_born()

    def _be_born(self) -> None:
        self.life = NodeLife(self._world, self)
        for (node, event), tally in self._world.tallies.items():
            if node in {self.name, "*"}:
                count(self.life, event, partial(tally.tell, self.name))
        self.receive = self.life.receive

    def boot(self) -> None:
        """Make the node from what is on its disk."""
        world = self._world
        self._lives += 1
        world.note(self.name, "start" if self._lives == 1 else "restart", ())
        context = Context(
            id=self.name,
            peers=world.plan.node_ids,
            clock=self.clock,
            dice=Luck(stream(world.plan.seed, "dice", f"{self.name}/{self._lives}")),
            stored=self.disk.stored,
            damaged=self.disk.damaged,
            settings=world.settings,
        )
        try:
            self.life.code = world.variant.nodes(context)
        except Exception as error:  # noqa: BLE001  # whatever a factory raises is a finding
            self.failed(error)

    def crash(self, why: str = "fault") -> bool:
        """Lose memory and unsynced writes; answers whether there was a node to crash."""
        if not self.life.alive:
            return False
        self.life.end()
        if not self.torn:
            self.disk.crash()
        elif self.disk.tear(self._tears):
            self._world.fire("torn")
        self._world.note(self.name, "crash", (why,))
        return True

    def restart(self) -> bool:
        """Start again after a crash; answers whether that was needed."""
        if self.life.alive:
            return False
        self._be_born()
        self.boot()
        self._world.at(self._world.now, self.life.start, None, None)
        return True

    def let_drift(self, rate_ppm: int) -> Callable[[], None]:
        """Let the clocks run at another rate, and with them the timers; answers how to undo it."""
        self._retimed(self.clock.let_drift, rate_ppm)
        return lambda: self._retimed(self.clock.end_drift, rate_ppm)

    def _retimed(self, change: Callable[[int], None], rate_ppm: int) -> None:
        old_ppm = self.clock.rate_ppm
        change(rate_ppm)
        if self.life.alive:
            self.life.retime(old_ppm, self.clock.rate_ppm)

    def failed(self, error: Exception) -> None:
        """An exception in the node's code is a crash, and a finding."""
        where = place_of(error)
        self._world.findings.append(f"{self.name} at {self._world.now} ns: {type(error).__name__}: {error} ({where})")
        self.crash(f"{type(error).__name__} at {where}")


def place_of(error: Exception) -> str:
    """`file.py:17`, where it was raised; without the folder, which differs from one machine to the next."""
    frames = traceback.extract_tb(error.__traceback__)
    return f"{Path(frames[-1].filename).name}:{frames[-1].lineno}" if frames else "?"
