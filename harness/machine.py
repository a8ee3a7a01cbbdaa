"""A node's machine: what stays when the node crashes."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, TypeAlias

from ..impl.node import Context
from .clock import NodeClock
from .disk import DiskAsSeen, NodeDisk, RememberingDisk
from .node_life import NodeLife, Slowed
from .plan import ClockSkew, Disk
from .randomness import Luck, stream
from .tallies import count

if TYPE_CHECKING:
    from .world import World

Change: TypeAlias = Callable[[DiskAsSeen], DiskAsSeen]
Hook: TypeAlias = Callable[[], object]


class Machine:
    """Where a node lives, again and again (see `network.Station`).

    Attributes:
        world: which it is part of.
        life: the present life of the node, or its last.
        disk: what it really holds.
        torn: how many faults are in force by which a crash leaves a torn write.
        work_ns: how long each input keeps the node busy.
        at_start: what faults do whenever the node starts, before it reads its disk.
        gone: whether no node will ever live here again.
        down_by: the kind of fault that has stopped the node until it ends, or "".
    """

    def __init__(self, world: World, name: str, disk: NodeDisk | None = None) -> None:
        plan = world.plan
        skew = plan.clocks.get(name) or plan.clocks.get("*") or ClockSkew()
        self.address = self.name = name
        self.clock = NodeClock(lambda: world.now, skew, world.fire)
        self.world = world
        self.disk = disk or self._empty_disk()
        self.torn = int(self._planned_disk.torn)
        self.work_ns = 0
        self.at_start: list[Hook] = []
        self.gone = False
        self.down_by = ""
        self._changes: list[Change] = []
        self._pauses = 0
        self._tears = Luck(stream(plan.seed, "torn", name))
        self._lives = 0
        self._be_born()

    # --- lives

    def _be_born(self) -> None:
        self.life = NodeLife(self.world, self)
        for _ in range(self._pauses):
            self.life.hold()
        for (node, event), tally in self.world.nemesis.tallies.items():
            if node in {self.name, "*"}:
                count(self.life, event, partial(tally.tell, self.name))
        self.receive = self.life.receive

    def boot(self) -> None:
        """Make the node from what is on its disk, and let it start."""
        world = self.world
        self._lives += 1
        world.note(self.name, "start" if self._lives == 1 else "restart", ())
        for do in self.at_start:
            do()
        if not self.life.alive:
            return
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
            return
        self._burden()
        world.at(world.now, self.life.start, None, None)

    def crash(self, why: str = "fault") -> bool:
        """Lose memory and unsynced writes; answers whether there was a node to crash."""
        if not self.life.alive:
            return False
        self.life.end()
        if not self.torn:
            self.disk.crash()
        elif self.disk.tear(self._tears):
            self.world.fire("torn")
        self.world.note(self.name, "crash", (why,))
        return True

    def restart(self) -> bool:
        """Start again after a crash; answers whether that was needed, and possible."""
        if self.life.alive or self.gone:
            return False
        self.down_by = ""
        self._be_born()
        self.boot()
        return True

    def stop(self, fault: str) -> None:
        """Crash, because of a fault of this kind, and stay down until it ends, or something else starts the node."""
        if self.crash(fault):
            self.down_by = fault
            self.world.fire(fault)

    def recover(self, fault: str) -> None:
        """Start again what a fault of this kind has stopped."""
        if self.down_by == fault:
            self.restart()

    def retire(self, why: str) -> None:
        """Stop for ever."""
        self.crash(why)
        self.gone = True

    def failed(self, error: Exception) -> None:
        """An exception in the node's code is a crash, and a finding."""
        self.crash(self.world.find(self.name, error))

    # --- what faults change

    def pause(self) -> None:
        """Handle nothing, in this life or the next, until `resume`."""
        self._pauses += 1
        self.life.hold()

    def resume(self) -> None:
        """One pause is over."""
        self._pauses -= 1
        self.life.release("pause")

    def slow_down(self, by_ns: int) -> None:
        """Let each input keep the node busy for so much longer."""
        self.work_ns += by_ns
        self._burden()

    def _burden(self) -> None:
        if self.work_ns and not isinstance(self.life.code, Slowed):
            self.life.code = Slowed(self.life.code, self)

    def let_drift(self, rate_ppm: int) -> Callable[[], None]:
        """Let the clocks run at another rate, and with them the timers; answers how to undo it."""
        self._retimed(self.clock.let_drift, rate_ppm)
        return lambda: self._retimed(self.clock.end_drift, rate_ppm)

    def _retimed(self, change: Callable[[int], None], rate_ppm: int) -> None:
        old_ppm = self.clock.rate_ppm
        change(rate_ppm)
        if self.life.alive:
            self.life.retime(old_ppm, self.clock.rate_ppm)

    # --- the disk

    @property
    def disk_as_seen(self) -> DiskAsSeen:
        """The disk as the node sees it, with all changes in force."""
        seen: DiskAsSeen = self.disk
        for change in self._changes:
            seen = change(seen)
        return seen

    def change_disk(self, change: Change) -> Callable[[], None]:
        """Let the node see its disk like that from now on; answers how to undo it."""
        self._changes.append(change)
        self.life.disk = self.disk_as_seen

        def undo() -> None:
            self._changes.remove(change)
            self.life.disk = self.disk_as_seen

        return undo

    def wipe(self) -> None:
        """Put an empty disk in the place of this one; the node must be down."""
        self.disk = self._empty_disk()

    def roll_back(self, to_ns: int) -> None:
        """Let the disk be again as it was then; the node must be down, and the plan have rollbacks."""
        assert isinstance(self.disk, RememberingDisk), "the plan has no rollback"
        self.disk.roll_back(to_ns)

    @property
    def _planned_disk(self) -> Disk:
        disks = self.world.plan.disks
        return disks.get(self.name) or disks.get("*") or Disk()

    def _empty_disk(self) -> NodeDisk:
        world, sync_ns = self.world, self._planned_disk.sync_ns
        if any(fault.fault == "rollback" for fault in world.plan.faults):
            return RememberingDisk(sync_ns, lambda: world.now)
        return NodeDisk(sync_ns)
