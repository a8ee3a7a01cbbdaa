"""`RaftNode` and `DistributedKVStore`, as the guide writes them in Go, with all their faults.

One node is one machine with both structs. Whatever crosses machines is a message; a goroutine is a spawned task. The two
mutexes are never held over a wait, and a task is not interrupted between two waits, so there is nothing left for them to
do. Nothing is persisted. The guide counts log indices from 0; notes count from 1, as the paper does.

What the guide calls and never defines has the plainest reading that its name gives: `startRaft`, `becomeLeader`,
`RequestVote`, `sendAppendEntries` with its receiver, `getLastLogTerm`. Each says below what that is.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from ...node import ClientOutbox, Context, Error, Invocation, Message, NodeId, Outbox, Reply, Request, Value
from ...sequential import SequentialNode

FOLLOWER: Final = "Follower"
CANDIDATE: Final = "Candidate"
LEADER: Final = "Leader"


class LogEntry(Message, frozen=True):
    """`LogEntry`; `client` and `msg_id` say whose it is, for the notes alone."""

    term: int
    index: int
    command: tuple[str, Value, Value]
    client: NodeId
    msg_id: int


class RequestVoteRequest(Request, frozen=True):
    """`RequestVoteRequest`."""

    term: int
    candidate_id: NodeId
    last_log_index: int
    last_log_term: int


class RequestVoteResponse(Reply, frozen=True):
    """What `RequestVote` returns."""

    term: int
    vote_granted: bool


class AppendEntriesRequest(Request, frozen=True):
    """What `sendAppendEntries(id, entry)` sends: the leader's term and one entry, or none for a heartbeat."""

    term: int
    entry: LogEntry | None = None


class AppendEntriesResponse(Reply, frozen=True):
    """Whether the entry was taken."""

    success: bool


class Set(Request, frozen=True):
    """A call of `Set`."""

    key: Value
    value: Value


class Get(Request, frozen=True):
    """A call of `Get`."""

    key: Value


class Returned(Reply, frozen=True):
    """What `Set` or `Get` returns without an error; 'key not found' is a value like any other."""

    value: Value = None


@dataclass
class Counter:
    """A local variable that goroutines share: `successCount`, `votes`."""

    count: int = 1


class DistributedKVStore(SequentialNode):
    """`NewDistributedKVStore`: a node that begins as a follower in term 0 with an empty log.

    Settings: `election_min_ns` and `election_max_ns` (150 and 300 ms in the guide), `heartbeat_ns` (50 ms).
    """

    def __init__(self, context: Context) -> None:
        super().__init__(context)
        settings = context.settings
        self.id = context.id
        self.state = FOLLOWER
        self.current_term = 0
        self.voted_for = ""
        self.log: list[LogEntry] = []
        self.commit_index = -1
        self.match_index: dict[NodeId, int] = {}
        self.peers = tuple(peer for peer in context.peers if peer != context.id)
        spread = settings["election_max_ns"] - settings["election_min_ns"]
        self.election_timeout: int = settings["election_min_ns"] + context.dice.below(max(1, spread))
        self.heartbeat_interval: int = settings["heartbeat_ns"]
        self.last_heard = context.clock.monotonic_ns()
        self.data: dict[Value, Value] = {}

    async def start(self) -> None:
        """`startRaft`: a heartbeat ticker and an election timer, side by side. Here is the timer."""
        self.spawn(self.beat)
        while True:
            silence = self.context.clock.monotonic_ns() - self.last_heard
            if silence < self.election_timeout:
                await self.sleep(self.election_timeout - silence)
            else:
                self.start_election()

    async def beat(self) -> None:
        """The ticker in `startRaft`: a leader sends heartbeats, and has no need to wait for those of others."""
        while True:
            await self.sleep(self.heartbeat_interval)
            if self.state == LEADER:
                self.last_heard = self.context.clock.monotonic_ns()
                for peer in self.peers:
                    self.spawn(self.send_heartbeat, peer)

    async def handle(self, sender: NodeId, message: Message) -> None:
        """A method call that crosses machines."""
        match message:
            case Set():
                self.set(sender, message)
            case Get():
                self.get(sender, message)
            case RequestVoteRequest():
                self.request_vote(sender, message)
            case AppendEntriesRequest():
                self.append_entries(sender, message)

    # --- client operations

    def set(self, client: NodeId, call: Set) -> None:
        """`Set`: only the leader takes writes; it appends the entry and returns what `replicateLogEntry` returns."""
        if self.state != LEADER:
            self.out.send(client, Error(call.msg_id, Error.TEMPORARILY_UNAVAILABLE, "not leader, redirect to leader"))
            return
        command = ("set", call.key, call.value)
        entry = LogEntry(self.current_term, len(self.log), command, client, call.msg_id)
        self.log.append(entry)
        self.out.note("appended", entry.index + 1, entry.term, command)
        self.replicate_log_entry(entry)
        self.out.note("acknowledged", entry.index + 1, entry.term, client, call.msg_id)
        self.out.send(client, Returned(call.msg_id))

    def get(self, client: NodeId, call: Get) -> None:
        """`Get`: read the node's own map, whoever the node is."""
        self.out.send(client, Returned(call.msg_id, self.data.get(call.key)))

    # --- replication

    def replicate_log_entry(self, entry: LogEntry) -> None:
        """`replicateLogEntry`: start a goroutine for each peer, and return nil at once."""
        success_count = Counter(1)
        for peer in self.peers:
            self.spawn(self.replicate_to, peer, entry, success_count)

    async def replicate_to(self, peer: NodeId, entry: LogEntry, success_count: Counter) -> None:
        """The goroutine in `replicateLogEntry`: commits at this acknowledgement, and at each one after it."""
        if await self.send_append_entries(peer, entry):
            self.match_index[peer] = entry.index
            success_count.count += 1
            if success_count.count > len(self.peers) // 2:
                self.commit_log_entry(entry)

    async def send_append_entries(self, peer: NodeId, entry: LogEntry | None) -> bool:
        """`sendAppendEntries`: call the peer once; no answer is no success."""
        answer = await self.call(peer, AppendEntriesRequest(0, self.current_term, entry))
        return isinstance(answer, AppendEntriesResponse) and answer.success

    async def send_heartbeat(self, peer: NodeId) -> None:
        """A call of `sendAppendEntries` without an entry; what it returns is of no interest."""
        await self.send_append_entries(peer, None)

    def append_entries(self, leader: NodeId, call: AppendEntriesRequest) -> None:
        """The receiver of `sendAppendEntries`: follow a leader whose term is not over, and take the entry.

        It goes to its index, or to the end of a log that is too short; there is nothing to check it against.
        """
        if call.term < self.current_term:
            self.out.send(leader, AppendEntriesResponse(call.msg_id, False))
            return
        self.become_follower(call.term)
        self.last_heard = self.context.clock.monotonic_ns()
        if call.entry is not None:
            index = min(call.entry.index, len(self.log))
            self.log[index : index + 1] = [call.entry]
            self.out.note("appended", index + 1, call.entry.term, call.entry.command)
        self.out.send(leader, AppendEntriesResponse(call.msg_id, True))

    def commit_log_entry(self, entry: LogEntry) -> None:
        """`commitLogEntry`: whatever was committed before."""
        self.commit_index = entry.index
        self.out.note("committed", entry.index + 1, entry.term)
        self.apply_log_entry(entry)

    def apply_log_entry(self, entry: LogEntry) -> None:
        """`applyLogEntry`; nobody ever calls it on a follower."""
        self.out.note("applied", entry.index + 1, entry.term, entry.command, entry.client, entry.msg_id)
        match entry.command:
            case ("set", key, value):
                self.data[key] = value
            case ("delete", key, _):
                self.data.pop(key, None)

    # --- leader election

    def start_election(self) -> None:
        """`startElection`: vote for oneself in a new term, and start a goroutine for each peer."""
        self.state = CANDIDATE
        self.current_term += 1
        self.voted_for = self.id
        self.last_heard = self.context.clock.monotonic_ns()
        self.out.note("term", self.current_term)
        self.out.note("voted", self.current_term, self.id)
        votes = Counter(1)
        for peer in self.peers:
            self.spawn(self.ask_for_vote, peer, votes)

    async def ask_for_vote(self, peer: NodeId, votes: Counter) -> None:
        """The goroutine in `startElection`: it asks in whatever term the node has by now, and counts a vote of any term."""
        total_votes = len(self.peers) + 1
        request = RequestVoteRequest(0, self.current_term, self.id, len(self.log) - 1, self.get_last_log_term())
        response = await self.call(peer, request)
        if not isinstance(response, RequestVoteResponse):
            return
        if response.term > self.current_term:
            self.become_follower(response.term)
        elif response.vote_granted:
            votes.count += 1
            if votes.count > total_votes // 2:
                self.become_leader()

    def request_vote(self, candidate: NodeId, call: RequestVoteRequest) -> None:
        """`RequestVote`: one vote to a term, first come, first served.

        The guide sends the candidate's last index and term, and nothing there says what they are for.
        """
        if call.term > self.current_term:
            self.become_follower(call.term)
        granted = call.term == self.current_term and self.voted_for in {"", call.candidate_id}
        if granted:
            self.voted_for = call.candidate_id
            self.last_heard = self.context.clock.monotonic_ns()
            self.out.note("voted", self.current_term, call.candidate_id)
        self.out.send(candidate, RequestVoteResponse(call.msg_id, self.current_term, granted))

    def become_follower(self, term: int) -> None:
        """What `startElection` does when it sees a higher term; in the same term only the state changes."""
        self.state = FOLLOWER
        if term > self.current_term:
            self.current_term = term
            self.voted_for = ""
            self.out.note("term", term)

    def become_leader(self) -> None:
        """`becomeLeader`: from now on this node is the leader of its term."""
        if self.state != LEADER:
            self.out.note("leads", self.current_term)
        self.state = LEADER

    def get_last_log_term(self) -> int:
        """`getLastLogTerm`: 0 for an empty log."""
        return self.log[-1].term if self.log else 0


class CallingClient:
    """Calls `Set` and `Get`; it takes 'redirect to leader' for the advice to call the next node. A call is made once.

    Actions: get, put. Settings: `heartbeat_ns`, its pause when it has asked every node.
    """

    def __init__(self, context: Context) -> None:
        self.nodes = context.peers
        self.pause_ns: int = context.settings["heartbeat_ns"]
        self.target = context.dice.choice(self.nodes)
        self.invocation = Invocation("")
        self.msg_id = 0
        self.refusals = 0

    def on_invoke(self, invocation: Invocation, out: ClientOutbox) -> None:
        """Call the node that was asked for, else the one that answered last."""
        self.invocation = invocation
        self.target = invocation.node or self.target
        self.refusals = 0
        self.call(out)

    def call(self, out: Outbox) -> None:
        """Call `Get` or `Set`."""
        self.msg_id += 1
        invocation = self.invocation
        if invocation.action == "get":
            out.send(self.target, Get(self.msg_id, invocation.key))
        else:
            out.send(self.target, Set(self.msg_id, invocation.key, invocation.argument))

    def on_message(self, sender: NodeId, message: Message, out: ClientOutbox) -> None:  # noqa: ARG002  # msg_id says it
        """What the call returned."""
        match message:
            case Returned(in_reply_to=self.msg_id):
                out.complete("ok", message.value)
            case Error(in_reply_to=self.msg_id):
                self.redirect(out)

    def redirect(self, out: ClientOutbox) -> None:
        """Call the next node; after a whole round, pause first."""
        self.target = self.nodes[(self.nodes.index(self.target) + 1) % len(self.nodes)]
        self.refusals += 1
        if self.refusals % len(self.nodes):
            self.call(out)
        else:
            out.set_timer("pause", self.pause_ns)

    def on_timer(self, name: str, out: ClientOutbox) -> None:  # noqa: ARG002  # there is only one
        """The pause is over."""
        self.call(out)
