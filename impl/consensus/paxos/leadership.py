"""Who leads: phase 1 once for all slots (Paxos Made Simple, 3)."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Any, Final

from ...node import Context, Message, NodeId, Outbox
from .acceptor import Acceptor
from .messages import NO_BALLOT, Ballot, Refused
from .multi_messages import Entry, PrepareAll, PromiseAll, Snapshot

FOLLOWER: Final = "follower"
CANDIDATE: Final = "candidate"
LEADER: Final = "leader"


class Candidate(Acceptor[Entry], ABC):
    """A node as far as leadership goes. A leader is a proposer whose ballot a majority has promised, for all slots.

    Settings: `election_min_ns` and `election_max_ns`, between which each election timeout is drawn; `heartbeat_ns`, after
    which whoever has not answered is asked again.
    """

    def __init__(self, context: Context) -> None:
        self.snapshot: Snapshot | None = None
        super().__init__(context)
        settings = context.settings
        self.timeout_ns: int = settings["election_min_ns"]
        self.timeout_spread: int = settings["election_max_ns"] - self.timeout_ns + 1
        self.heartbeat_ns: int = settings["heartbeat_ns"]
        self.patience_ns = self.timeout_ns
        self.role = FOLLOWER
        self.leader: NodeId | None = None
        self.current: Ballot = NO_BALLOT
        self.promises: dict[NodeId, tuple[Entry, ...]] = {}
        self.handlers: dict[type[Message], Callable[[NodeId, Any, Outbox], None]] = {
            PrepareAll: self.on_prepare,
            PromiseAll: self.on_promise,
            Refused: self.on_refused,
        }
        self.timers: dict[str, Callable[[Outbox], None]] = {
            "election": self.begin_ballot,
            "prepare": self.ask_for_promises,
        }

    @property
    @abstractmethod
    def next_slot_to_learn(self) -> int:
        """The first slot of which the node does not know yet, or has not applied, what is decided."""

    @abstractmethod
    def install(self, snapshot: Snapshot, out: Outbox) -> None:
        """Go on from somebody else's snapshot."""

    @abstractmethod
    def take_over(self, out: Outbox) -> None:
        """Begin phase 2."""

    # --- the contract of a node

    def on_start(self, out: Outbox) -> None:
        """Start as a follower."""
        super().on_start(out)
        self.await_leader(out)

    def on_message(self, sender: NodeId, message: Message, out: Outbox) -> None:
        """Each type of message has its handler."""
        self.handlers[type(message)](sender, message, out)

    def on_timer(self, name: str, out: Outbox) -> None:
        """Each timer has its handler."""
        self.timers[name](out)

    # --- candidates

    def await_leader(self, out: Outbox) -> None:
        """2.4: without a sign of life from a leader for a random time, a node tries to lead."""
        out.set_timer("election", self.patience_ns + self.dice.below(self.timeout_spread))

    def lose_patience(self) -> None:
        """Moderately Complex, 3: whoever begins a ballot waits twice as long the next time, up to eight times."""
        self.patience_ns = min(2 * self.patience_ns, 8 * self.timeout_ns)

    def regain_patience(self) -> None:
        """Moderately Complex, 3: with each decision it waits a little less again."""
        self.patience_ns = max(self.timeout_ns, self.patience_ns - self.timeout_ns // 16)

    def begin_ballot(self, out: Outbox) -> None:
        """3, phase 1a: choose a new ballot, and ask for promises; one's own comes first."""
        self.current = self.next_ballot()
        self.promise(self.current, out)
        self.role, self.leader = CANDIDATE, None
        self.promises = {self.id: self.accepted_from(self.next_slot_to_learn)}
        self.lose_patience()
        self.await_leader(out)
        self.ask_for_promises(out)
        self.count_promises(out)

    def ask_for_promises(self, out: Outbox) -> None:
        """2.1: whoever has not answered is asked again, as long as the ballot is not abandoned."""
        if self.role != CANDIDATE:
            return
        request = PrepareAll(self.current, self.next_slot_to_learn)
        for peer in self.others:
            if peer not in self.promises:
                out.send(peer, request)
        out.set_timer("prepare", self.heartbeat_ns)

    def on_prepare(self, sender: NodeId, message: PrepareAll, out: Outbox) -> None:
        """3, phase 1b: promise for all slots, and say what was accepted in those that the candidate does not know."""
        if not self.may_promise(message.ballot):
            out.send(sender, Refused(message.ballot, self.promised))
            return
        self.give_way_to(message.ballot, out)
        self.promise(message.ballot, out)
        self.leader = None
        self.await_leader(out)
        snapshot = self.snapshot if message.first <= self.forgotten else None
        out.send(sender, PromiseAll(message.ballot, self.accepted_from(message.first), snapshot))

    def accepted_from(self, first: int) -> tuple[Entry, ...]:
        """What was accepted in these slots, in their order."""
        return tuple(self.accepted[slot] for slot in sorted(self.accepted) if slot >= first)

    def on_promise(self, sender: NodeId, message: PromiseAll, out: Outbox) -> None:
        """3: collect the promises of this ballot; what an acceptor has a snapshot of is decided."""
        if self.role == CANDIDATE and self.is_current(message.ballot):
            if message.snapshot is not None:
                self.install(message.snapshot, out)
            self.promises[sender] = message.accepted
            self.count_promises(out)

    def is_current(self, ballot: Ballot) -> bool:
        """2.2: only what answers this very ballot counts for it."""
        return ballot == self.current

    def count_promises(self, out: Outbox) -> None:
        """3: with the promises of a majority, lead."""
        if len(self.promises) >= self.majority:
            self.role, self.leader = LEADER, self.id
            out.cancel_timer("election")
            out.note("leads", self.current[0])
            self.take_over(out)

    def binding(self) -> dict[int, Entry]:
        """P2c (B3): for each slot in which those who promised have accepted something, what is at the highest ballot."""
        found: dict[int, Entry] = {}
        for entries in self.promises.values():
            for entry in entries:
                known = found.get(entry.slot)
                if known is None or self.is_more_binding(entry, known):
                    found[entry.slot] = entry
        return found

    def is_more_binding(self, entry: Entry, than: Entry) -> bool:
        """P2c (B3): the higher ballot binds."""
        return entry.ballot > than.ballot

    # --- ballots that fail

    def on_refused(self, sender: NodeId, message: Refused, out: Outbox) -> None:  # noqa: ARG002  # as all handlers
        """2.2: abandon a ballot that an acceptor has promised not to accept."""
        self.hear_of(message.promised)
        if self.role != FOLLOWER and message.ballot == self.current:
            self.step_down(out)

    def give_way_to(self, ballot: Ballot, out: Outbox) -> None:
        """2.2: somebody has a higher ballot than one's own."""
        if self.role != FOLLOWER and ballot > self.current:
            self.step_down(out)

    def step_down(self, out: Outbox) -> None:
        """2.4: follow, and try again after a random time."""
        self.role, self.leader = FOLLOWER, None
        self.await_leader(out)
