"""Raft with its key-value store: the reference (§8; thesis, chapter 6).

Each file beside this one adds an idea to a node: what it keeps (`stable`), who leads (`election`), how logs become the same
(`replication`) and stay short (`snapshots`), and who the members are (`membership`).
"""

from __future__ import annotations

from typing import ClassVar

from ...node import Context, Error, NodeId, Outbox
from ..machine import KeyValueStore, Outcome
from ..messages import EXPIRED, Answer, Command, NotLeader, Open, Opened, Read, SessionExpired, StoreImage, Write
from .election import LEADER
from .membership import Reconfigurer
from .messages import Entry
from .progress import PendingRead


class Raft(Reconfigurer):
    """A node of the replicated store. Only the leader serves clients; the others say who that is.

    Settings: `sessions_max`, how many clients are remembered.
    """

    machine: ClassVar[type[KeyValueStore]] = KeyValueStore

    def __init__(self, context: Context) -> None:
        super().__init__(context)
        self.store = self.machine(context.settings["sessions_max"])
        self.load(self.snapshot.image)
        self.handlers |= {Open: self.on_open, Read: self.on_read, Write: self.on_write}

    def image(self) -> StoreImage:
        """§7: the store, and what it knows of its clients."""
        return self.store.image()

    def load(self, image: StoreImage) -> None:
        """§7: the store as it was when the snapshot was taken."""
        self.store.load(image)

    def step_down(self, out: Outbox) -> None:
        """Thesis, 6.4: whoever is deposed answers no read; its clients turn to others."""
        self.reads.clear()
        super().step_down(out)

    def refuse(self, client: NodeId, msg_id: int, out: Outbox) -> None:
        """§8, thesis 6.2: tell the client who leads."""
        out.send(client, NotLeader(msg_id, Error.TEMPORARILY_UNAVAILABLE, "not leader", self.leader))

    # --- writes

    def on_open(self, sender: NodeId, message: Open, out: Outbox) -> None:
        """Thesis, 6.3: what a client must know before its first command."""
        out.send(sender, Opened(message.msg_id, self.commit_index))

    def on_write(self, sender: NodeId, message: Write, out: Outbox) -> None:
        """§5.3: the leader takes a command into its log; the answer waits until it has been applied."""
        if not self.machine.understands(message.action, message.argument):
            text = f"no command: {message.action} with {message.argument!r}"
            out.send(sender, Error(message.msg_id, Error.MALFORMED_REQUEST, text))
        elif self.role != LEADER:
            self.refuse(sender, message.msg_id, out)
        else:
            self.propose(Entry(self.term, as_command(sender, message)), out)

    def apply(self, index: int, entry: Entry, out: Outbox) -> None:
        """§5.3: execute a committed command; the leader that took it answers its client."""
        command = entry.command
        if command is None:
            out.note("applied", index, entry.term, None, None, None)
            return
        outcome = self.store.apply(index, command)
        effect = (command.told, command.client, command.msg_id) if outcome.executed else (None, None, None)
        out.note("applied", index, entry.term, *effect)
        if self.role == LEADER and entry.term == self.term:
            self.answer(index, entry.term, command, outcome, out)

    def answer(self, index: int, term: int, command: Command, outcome: Outcome, out: Outbox) -> None:
        """§8: the result of a command, of a repeated one too; none for a client that may have been forgotten."""
        if outcome.refused:
            out.send(command.client, SessionExpired(command.msg_id, EXPIRED, "session expired"))
            return
        out.note("acknowledged", index, term, command.client, command.msg_id)
        out.send(command.client, Answer(command.msg_id, outcome.result))

    # --- reads

    def on_read(self, sender: NodeId, message: Read, out: Outbox) -> None:
        """Thesis, 6.4: note the commit index, though at least the own no-op's, and ask all whether one still leads."""
        if self.role != LEADER:
            self.refuse(sender, message.msg_id, out)
            return
        self.round += 1
        index = max(self.commit_index, self.no_op_index)
        self.reads.append(PendingRead(self.round, index, sender, message.msg_id, message.key))
        self.replicate(out)
        self.serve_reads(out)

    def serve_reads(self, out: Outbox) -> None:
        """Thesis, 6.4: answer the reads whose round a majority has answered, and whose entry has been applied."""
        confirmed = self.confirmed_round()
        while self.reads and self.reads[0].round <= confirmed and self.reads[0].log_index <= self.last_applied:
            read = self.reads.popleft()
            out.send(read.client, Answer(read.msg_id, self.store.get(read.key)))

    def confirmed_round(self) -> int:
        """Thesis, 6.4: a majority that has answered a round knew no later leader when the round began."""
        return self.reached_by_majority(self.round, [each.round for each in self.voters])


def as_command(client: NodeId, message: Write) -> Command:
    """The request as it goes into the log."""
    return Command(client, message.msg_id, message.action, message.key, message.argument, message.since)
