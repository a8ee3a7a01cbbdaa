"""Multi-Paxos with the replicated key-value store: the reference. Leadership and decisions stand beside it."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from typing import Any, ClassVar, Final, NamedTuple

from ...node import Context, Error, Key, NodeId, Outbox, Value
from ..machine import KeyValueStore, Outcome
from ..messages import EXPIRED, Answer, Command, NotLeader, Open, Opened, Read, SessionExpired, Write
from .decisions import Decider
from .leadership import LEADER
from .multi_messages import AcceptedAll, Entry, Snapshot

SNAPSHOT: Final = "snapshot"

NO_TERM: Final = 0
"""Slots have no terms: the same decision may be known at one ballot here and at another there."""


class PendingRead(NamedTuple):
    """A read that waits until round `round` has confirmed the leader, and slot `slot` has been applied."""

    round: int
    slot: int
    client: NodeId
    msg_id: int
    key: Value


class MultiPaxos(Decider):
    """A node of the replicated store. Only the leader serves clients; the others say who that is.

    Settings: `sessions_max`, how many clients are remembered; `snapshot_every`, after how many slots a snapshot takes their
    place.
    """

    machine: ClassVar[type[KeyValueStore]] = KeyValueStore
    waiting_max: ClassVar[int] = 256
    """How many commands, and how many reads, wait at a leader; it refuses more, since it may be cut off."""

    def __init__(self, context: Context) -> None:
        super().__init__(context)
        self.snapshot_every: int = context.settings["snapshot_every"]
        self.store = self.machine(context.settings["sessions_max"])
        if self.snapshot is not None:
            self.store.load(self.snapshot.image)
        self.reads: deque[PendingRead] = deque()
        self.handlers |= {Open: self.on_open, Read: self.on_read, Write: self.on_write}

    def step_down(self, out: Outbox) -> None:
        """Whoever leads no longer answers no read; its clients turn to others."""
        self.reads.clear()
        super().step_down(out)

    def refuse(self, client: NodeId, msg_id: int, out: Outbox) -> None:
        """Tell the client who leads."""
        out.send(client, NotLeader(msg_id, Error.TEMPORARILY_UNAVAILABLE, "not leader", self.leader))

    # --- writes

    def on_open(self, sender: NodeId, message: Open, out: Outbox) -> None:
        """What a client must know before its first command."""
        out.send(sender, Opened(message.msg_id, self.applied))

    def on_write(self, sender: NodeId, message: Write, out: Outbox) -> None:
        """3: the leader proposes a command; the answer waits until it has been applied."""
        if not self.machine.understands(message.action, message.argument):
            text = f"no command: {message.action} with {message.argument!r}"
            out.send(sender, Error(message.msg_id, Error.MALFORMED_REQUEST, text))
        elif self.role != LEADER or len(self.commands) >= self.waiting_max:
            self.refuse(sender, message.msg_id, out)
        else:
            self.offer(as_command(sender, message), out)

    def apply(self, entry: Entry, out: Outbox) -> None:
        """3: execute a decided command; the leader that had it decided answers the client."""
        command = entry.command
        if command is None:
            out.note("applied", entry.slot, NO_TERM, None, None, None)
        else:
            outcome = self.store.apply(entry.slot, command)
            effect = (command.told, command.client, command.msg_id) if outcome.executed else (None, None, None)
            out.note("applied", entry.slot, NO_TERM, *effect)
            if self.role == LEADER and entry.ballot == self.current:
                self.answer(entry.slot, command, outcome, out)
        if self.applied - self.forgotten >= self.snapshot_every:
            self.compact(Snapshot(self.applied, self.store.image()), "compacted", out)
        if self.reads:
            self.serve_reads(out)

    def answer(self, slot: int, command: Command, outcome: Outcome, out: Outbox) -> None:
        """The result of a command, of a repeated one too; none for a client that may have been forgotten."""
        if outcome.refused:
            out.send(command.client, SessionExpired(command.msg_id, EXPIRED, "session expired"))
            return
        out.note("acknowledged", slot, NO_TERM, command.client, command.msg_id)
        out.send(command.client, Answer(command.msg_id, outcome.result))

    # --- reads

    def on_read(self, sender: NodeId, message: Read, out: Outbox) -> None:
        """A read waits for a round that begins after it came, and for all that earlier leaders may have answered.

        There is no lease: that nobody else led when the read came, a majority says, once for all reads that wait.
        """
        if self.role != LEADER or len(self.reads) >= self.waiting_max:
            self.refuse(sender, message.msg_id, out)
            return
        slot = max(self.applied, self.barrier)
        self.reads.append(PendingRead(self.round + 1, slot, sender, message.msg_id, message.key))
        if self.confirmed_round() >= self.round:
            self.begin_round(out)
        self.serve_reads(out)

    def begin_round(self, out: Outbox) -> None:
        """Ask everybody whether they have promised more to somebody else."""
        self.round += 1
        self.assert_leadership(out)

    def on_accepted(self, sender: NodeId, message: AcceptedAll, out: Outbox) -> None:
        """An answer may be the one that reads were waiting for."""
        super().on_accepted(sender, message, out)
        if self.reads and self.role == LEADER:
            self.serve_reads(out)
            if self.reads and self.reads[-1].round > self.round and self.confirmed_round() >= self.round:
                self.begin_round(out)

    def confirmed_round(self) -> int:
        """The last round that a majority has answered."""
        return sorted([self.round, *self.rounds.values()], reverse=True)[self.majority - 1]

    def serve_reads(self, out: Outbox) -> None:
        """Answer the reads whose round a majority has answered, and whose slot has been applied."""
        confirmed = self.confirmed_round()
        while self.reads and self.reads[0].round <= confirmed and self.reads[0].slot <= self.applied:
            read = self.reads.popleft()
            out.send(read.client, Answer(read.msg_id, self.store.get(read.key)))

    # --- snapshots

    @property
    def forgotten(self) -> int:
        """What a snapshot stands for is not kept any more."""
        return 0 if self.snapshot is None else self.snapshot.slot

    def restore_acceptances(self, stored: Mapping[Key, Any]) -> None:
        """Begin with the newer of the two snapshots that a crash may have left, and with what was accepted above it."""
        found = {turn: stored[SNAPSHOT, turn] for turn in (0, 1) if (SNAPSHOT, turn) in stored}
        if found:
            self.written[SNAPSHOT] = max(found, key=lambda turn: found[turn].slot)
            self.snapshot = found[self.written[SNAPSHOT]]
        super().restore_acceptances(stored)

    def compact(self, snapshot: Snapshot, note: str, out: Outbox) -> None:
        """Paxos Made Live, 5.5: write a snapshot, and forget what it stands for; in this order, so one sync is enough."""
        out.store((SNAPSHOT, self.turn(SNAPSHOT)), snapshot)
        self.snapshot = snapshot
        for slot in [slot for slot in sorted(self.accepted) if slot <= snapshot.slot]:
            self.forget_acceptance(slot, out)
        out.sync()
        for slot in [slot for slot in self.log if slot <= snapshot.slot]:
            del self.log[slot]
        out.note(note, snapshot.slot, NO_TERM)

    def install(self, snapshot: Snapshot, out: Outbox) -> None:
        """Paxos Made Live, 5.5: catch up with somebody whose log begins later than one's own ends."""
        if snapshot.slot <= self.applied:
            return
        self.store.load(snapshot.image)
        self.jump_to(snapshot)
        self.compact(snapshot, "installed", out)
        self.apply_ready(out)


def as_command(client: NodeId, message: Write) -> Command:
    """The request as it is proposed."""
    return Command(client, message.msg_id, message.action, message.key, message.argument, message.since)
