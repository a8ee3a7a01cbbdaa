"""How a leader gets slots decided, each for itself, and how everybody learns what is (Paxos Made Simple, 2.3 and 3)."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Sequence
from typing import ClassVar

from ...node import Context, NodeId, Outbox
from ..messages import Command
from .leadership import FOLLOWER, LEADER, Candidate
from .messages import Refused
from .multi_messages import AcceptAll, AcceptedAll, Chosen, Entry, Fetch, Snapshot


class Decider(Candidate, ABC):
    """A node that takes part in deciding a sequence of slots, counted from 1, and applies them in order.

    Attributes:
        applied: all slots up to here are decided and applied.
        chosen: what is decided above that, by slot: there are gaps below.
        log: what is decided up to there and not in a snapshot, for those who missed it.
        open: for each slot that the leader wants decided, who has accepted.
        commands: those that wait for a place in the window.
    """

    window: ClassVar[int] = 16
    """How many slots a leader has open at the same time (3, there alpha); further commands wait, and then go as a batch."""
    batch_max: ClassVar[int] = 64
    """How many entries go into one message."""

    def __init__(self, context: Context) -> None:
        super().__init__(context)
        self.applied = self.forgotten
        self.chosen: dict[int, Entry] = {}
        self.log: dict[int, Entry] = {}
        self.open: dict[int, dict[NodeId, None]] = {}
        self.commands: deque[Command] = deque()
        self.next_slot = 1
        self.barrier = 0
        self.round = 0
        self.rounds: dict[NodeId, int] = {}
        self.is_fetching = False
        self.handlers |= {
            AcceptAll: self.on_accept,
            AcceptedAll: self.on_accepted,
            Fetch: self.on_fetch,
            Chosen: self.on_chosen,
        }
        self.timers |= {"heartbeat": self.on_heartbeat, "fetch": self.on_silence}

    @property
    def next_slot_to_learn(self) -> int:
        """The first slot that is not applied."""
        return self.applied + 1

    @abstractmethod
    def apply(self, entry: Entry, out: Outbox) -> None:
        """Hand what is decided to the state machine, slot by slot."""

    # --- a leader proposes

    def take_over(self, out: Outbox) -> None:
        """3: propose again whatever may have been chosen, and no-ops in the gaps between; then new commands may follow."""
        found = self.binding()
        self.barrier = max([self.applied, *found])
        self.next_slot = self.barrier + 1
        self.round, self.rounds = 0, dict.fromkeys(self.others, 0)
        slots = range(self.applied + 1, self.next_slot)
        self.propose([self.command_for(slot, found) for slot in slots], self.applied + 1, out)
        if not slots:
            self.assert_leadership(out)
        out.set_timer("heartbeat", self.heartbeat_ns)

    def command_for(self, slot: int, found: dict[int, Entry]) -> Command | None:
        """P2c (B3): the command that may have been chosen; a no-op where none can have been."""
        return found[slot].command if slot in found else None

    def step_down(self, out: Outbox) -> None:
        """Whoever leads no longer proposes nothing."""
        self.open.clear()
        self.commands.clear()
        out.cancel_timer("heartbeat")
        super().step_down(out)

    def offer(self, command: Command, out: Outbox) -> None:
        """3: a command gets the next slot, as soon as the window has a place."""
        self.commands.append(command)
        self.fill_window(out)

    def fill_window(self, out: Outbox) -> None:
        """3: propose as many of the commands that wait as there are places."""
        count = min(self.window - len(self.open), len(self.commands))
        if count > 0:
            first, self.next_slot = self.next_slot, self.next_slot + count
            self.propose([self.commands.popleft() for _ in range(count)], first, out)

    def propose(self, commands: Sequence[Command | None], first: int, out: Outbox) -> None:
        """3, phase 2a: ask for acceptance from this slot on; one's own comes first."""
        entries = tuple(Entry(slot, self.current, command) for slot, command in enumerate(commands, first))
        for entry in entries:
            out.note("proposed", entry.told)
        self.accept(entries, out)
        for entry in entries:
            self.open[entry.slot] = {self.id: None}
        for at in range(0, len(entries), self.batch_max):
            self.send_all(entries[at : at + self.batch_max], out)
        self.count([entry.slot for entry in entries], out)

    def send_all(self, entries: tuple[Entry, ...], out: Outbox) -> None:
        """3, phase 2a: the same to everybody."""
        request = AcceptAll(self.current, entries, self.applied, self.round)
        for peer in self.others:
            out.send(peer, request)

    def assert_leadership(self, out: Outbox) -> None:
        """2.4: a sign of life, which asks everybody whether they have promised more to somebody else."""
        self.send_all((), out)

    def on_heartbeat(self, out: Outbox) -> None:
        """2.1, 2.4: a sign of life; and whoever has not accepted what is open is asked again."""
        for peer in self.others:
            missing = [self.accepted[slot] for slot, voters in self.open.items() if peer not in voters]
            out.send(peer, AcceptAll(self.current, tuple(missing[: self.batch_max]), self.applied, self.round))
        out.set_timer("heartbeat", self.heartbeat_ns)

    # --- an acceptor answers

    def on_accept(self, sender: NodeId, message: AcceptAll, out: Outbox) -> None:
        """2.2, phase 2b: accept, or refuse."""
        if not self.may_accept(message.ballot):
            out.send(sender, Refused(message.ballot, self.promised))
            return
        self.give_way_to(message.ballot, out)
        self.leader = sender
        self.await_leader(out)
        self.accept(message.entries, out)
        slots = tuple(entry.slot for entry in message.entries if entry.slot > self.forgotten)
        out.send(sender, AcceptedAll(message.ballot, slots, message.round))
        if len(slots) < len(message.entries):
            self.on_fetch(sender, Fetch(message.entries[0].slot), out)
        self.learn_up_to(message, out)
        if self.applied < message.decided:
            self.fetch(sender, out)

    # --- a leader counts

    def on_accepted(self, sender: NodeId, message: AcceptedAll, out: Outbox) -> None:
        """2.3: collect the acceptances of this ballot."""
        if self.role != LEADER or not self.is_current(message.ballot):
            return
        self.rounds[sender] = max(self.rounds[sender], message.round)
        for slot in message.slots:
            if slot in self.open:
                self.open[slot][sender] = None
        self.count(message.slots, out)

    def count(self, slots: Sequence[int], out: Outbox) -> None:
        """2.2: what a majority has accepted at this ballot is chosen, whatever becomes of the slots before it."""
        for slot in slots:
            if slot in self.open and self.is_chosen(self.open[slot]):
                del self.open[slot]
                self.decide(self.accepted[slot], out)
        self.apply_ready(out)
        if self.commands:
            self.fill_window(out)

    def is_chosen(self, voters: dict[NodeId, None]) -> bool:
        """2.2: a value is chosen when a majority has accepted it at one ballot."""
        return len(voters) >= self.majority

    # --- everybody learns

    def decide(self, entry: Entry, out: Outbox) -> None:
        """2.3: this is decided."""
        self.chosen[entry.slot] = entry
        out.note("decided", entry.slot, entry.told)

    def apply_ready(self, out: Outbox) -> None:
        """3: apply what is decided, up to the first gap."""
        while (entry := self.next_ready()) is not None:
            self.applied = entry.slot
            self.log[entry.slot] = self.chosen.pop(entry.slot)
            self.regain_patience()
            self.apply(entry, out)

    def next_ready(self) -> Entry | None:
        """3: a command is executed when all slots before it are decided, and executed."""
        return self.chosen.get(self.applied + 1)

    def learn_up_to(self, message: AcceptAll, out: Outbox) -> None:
        """2.3: what the leader says is decided is what was accepted at its ballot, which has one value for each slot."""
        for slot in range(self.applied + 1, message.decided + 1):
            entry = self.accepted.get(slot)
            if slot in self.chosen:
                continue
            if entry is None or entry.ballot != message.ballot:
                break
            self.decide(entry, out)
        self.apply_ready(out)

    def fetch(self, node: NodeId, out: Outbox) -> None:
        """2.3: ask for the decisions that one missed; again only when that was answered, or for long was not."""
        if not self.is_fetching:
            self.is_fetching = True
            out.send(node, Fetch(self.applied + 1))
            out.set_timer("fetch", self.heartbeat_ns)

    def on_silence(self, out: Outbox) -> None:  # noqa: ARG002  # as all handlers
        """2.1: the question or its answer may be lost."""
        self.is_fetching = False

    def on_fetch(self, sender: NodeId, message: Fetch, out: Outbox) -> None:
        """2.3: tell a learner what is decided."""
        snapshot = self.snapshot if message.first <= self.forgotten else None
        first = max(message.first, self.forgotten + 1)
        last = min(self.applied, first + self.batch_max - 1)
        entries = tuple(entry for slot, entry in self.log.items() if first <= slot <= last)
        out.send(sender, Chosen(entries, snapshot, self.applied))

    def on_chosen(self, sender: NodeId, message: Chosen, out: Outbox) -> None:
        """2.3: learn, and ask for more as long as there is more."""
        self.is_fetching = False
        if message.snapshot is not None:
            self.install(message.snapshot, out)
        for entry in message.entries:
            if entry.slot > self.applied and entry.slot not in self.chosen:
                self.open.pop(entry.slot, None)
                self.decide(entry, out)
        self.apply_ready(out)
        if self.applied < message.decided and self.role == FOLLOWER:
            self.fetch(sender, out)

    def jump_to(self, snapshot: Snapshot) -> None:
        """Everything up to there is decided and applied: the snapshot says so."""
        self.applied = snapshot.slot
        self.next_slot = max(self.next_slot, snapshot.slot + 1)
        self.log.clear()
        self.chosen = {slot: entry for slot, entry in self.chosen.items() if slot > snapshot.slot}
        self.open = {slot: voters for slot, voters in self.open.items() if slot > snapshot.slot}
