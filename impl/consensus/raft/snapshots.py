"""How a log stays short: snapshots, taken by every node for itself and sent to those that are too far behind (§7)."""

from __future__ import annotations

from abc import ABC, abstractmethod

from ...node import Context, NodeId, Outbox
from ..messages import StoreImage
from .messages import Appended, InstallSnapshot, Snapshot
from .replication import Replicator


class Compactor(Replicator, ABC):
    """A node whose log gives way to snapshots.

    Settings: `snapshot_every` (0), after how many applied entries a snapshot is taken; 0: never.
    """

    def __init__(self, context: Context) -> None:
        super().__init__(context)
        self.snapshot_every: int = context.settings.get("snapshot_every", 0)
        self.handlers[InstallSnapshot] = self.on_install_snapshot

    # --- what the state machine must be able to do

    @abstractmethod
    def image(self) -> StoreImage:
        """The state of the machine."""

    @abstractmethod
    def load(self, image: StoreImage) -> None:
        """Go on from this state."""

    # --- taking one

    def commit(self, index: int, out: Outbox) -> None:
        """§7: when enough has been applied, take a snapshot."""
        super().commit(index, out)
        if 0 < self.snapshot_every <= self.last_applied - self.snapshot.index:
            self.compact(out)

    def compact(self, out: Outbox) -> None:
        """§7: the snapshot stands for everything that has been applied."""
        index = self.last_applied
        members_index, members = self.configuration_at(index)
        snapshot = Snapshot(index, self.log[index].term, members_index, members, self.image())
        self.give_way(snapshot, out)
        out.note("compacted", snapshot.index, snapshot.term)

    # --- sending and installing one

    def send_snapshot(self, peer: NodeId, out: Outbox) -> None:
        """§7, figure 13: in one message, and again at each heartbeat until it is answered."""
        out.send(peer, InstallSnapshot(self.term, self.snapshot, self.round))

    def on_install_snapshot(self, sender: NodeId, message: InstallSnapshot, out: Outbox) -> None:
        """Figure 13, InstallSnapshot RPC: the logs agree up to its index then."""
        if self.is_stale(message.term):
            out.send(sender, Appended(self.term, False, 0, message.round))
            return
        self.follow(sender, message.term, out)
        self.install(message.snapshot, out)
        out.send(sender, Appended(self.term, True, message.snapshot.index, message.round))

    def install(self, snapshot: Snapshot, out: Outbox) -> None:
        """Figure 13: take over the state, and keep the entries that go on from there."""
        if not self.is_news(snapshot):
            return
        self.give_way(snapshot, out)
        self.load(snapshot.image)
        self.commit_index = self.last_applied = snapshot.index
        out.note("installed", snapshot.index, snapshot.term)

    def is_news(self, snapshot: Snapshot) -> bool:
        """§7: whoever knows as much already keeps what it has."""
        return snapshot.index > self.commit_index
