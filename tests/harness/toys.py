"""Small systems for the tests of the world."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from upheld.harness.faults import FAULTS
from upheld.harness.plan import Delay, Disk, Fault, Link, Phases, Plan, PlannedOperation
from upheld.harness.system import Budget, Stage, System, Variant
from upheld.harness.trial import Run
from upheld.impl.node import MS, SECOND, ClientOutbox, Context, Dice, Invocation, Message, Outbox, Reply, Request


class Add(Request, frozen=True):
    """Add to the counter of this node."""

    amount: int


class Total(Reply, frozen=True):
    """The counter after that."""

    total: int


class Gossip(Message, frozen=True):
    """What a node has counted."""

    total: int


class Counter:
    """Counts on its disk, answers when that is durable, and tells its peers every 20 ms by its clock."""

    def __init__(self, context: Context) -> None:
        self.context = context
        self.total: int = context.stored.get("total", 0)

    def on_start(self, out: Outbox) -> None:
        out.note("restored", 0, None, self.total)
        out.set_timer("gossip", 20 * MS)

    def on_message(self, sender: str, message: Message, out: Outbox) -> None:
        match message:
            case Add():
                self.total += message.amount
                out.store("total", self.total)
                out.store("last", message.amount)
                out.sync()
                out.note("applied", self.total, 0, message.amount, sender, message.msg_id)
                out.send(sender, Total(in_reply_to=message.msg_id, total=self.total))
            case Gossip():
                out.note("appended", message.total, 0, sender)

    def on_timer(self, name: str, out: Outbox) -> None:
        out.note("term", self.context.clock.wall_ns())
        for peer in self.context.peers:
            if peer != self.context.id:
                out.send(peer, Gossip(total=self.total))
        out.set_timer(name, 20 * MS)


class Caller:
    """Asks the node that it is told to, and never again."""

    def __init__(self, context: Context) -> None:
        self.context = context
        self.msg_id = 0

    def on_invoke(self, invocation: Invocation, out: ClientOutbox) -> None:
        self.msg_id += 1
        amount = invocation.argument if isinstance(invocation.argument, int) else 0
        out.send(invocation.node or self.context.peers[0], Add(msg_id=self.msg_id, amount=amount))

    def on_message(self, sender: str, message: Message, out: ClientOutbox) -> None:
        if isinstance(message, Total) and message.in_reply_to == self.msg_id:
            out.complete("ok", message.total)

    def on_timer(self, name: str, out: ClientOutbox) -> None: ...


class Adding:
    """Each client adds ones, in turn to each node."""

    minimum: Mapping[str, int] = {"add": 1}

    def operations(self, stage: Stage, dice: Dice) -> Sequence[PlannedOperation]:
        step_ns = (stage.heal_ns - stage.begin_ns) // stage.intensity
        storm = [
            PlannedOperation(client, stage.begin_ns + turn * step_ns, "add", argument=1, node=dice.choice(stage.nodes))
            for turn in range(stage.intensity)
            for client in range(stage.clients)
        ]
        final = [PlannedOperation(0, stage.final_ns, "add", argument=0, node=node) for node in stage.nodes]
        return [*storm, *final]


def system_of(nodes: Callable[[Context], Any], client: Callable[[Context], Any] = Caller, **variant: Any) -> System:
    """A system with one variant, which survives everything."""
    built = Variant(nodes=nodes, client=client, workloads={"adding": Adding()}, **variant)
    budget = Budget(faults=frozenset(FAULTS), crashed_max="all", torn=True)
    return System(name="toy", variants={"reference": built}, budget=budget)


COUNTERS = system_of(Counter)


def plan_of(*faults: Fault, operations: Sequence[PlannedOperation] = (), **changes: Any) -> Plan:
    """Two nodes for a second, under these faults; messages take 1 to 3 ms."""
    told: dict[str, Any] = {
        "system": "toy",
        "nodes": 2,
        "client_timeout_ns": 200 * MS,
        "operations": tuple(operations),
        "faults": faults,
        "links": {"*": Link(delay=Delay(min_ns=MS, max_ns=3 * MS))},
        "disks": {"*": Disk(sync_ns=MS)},
        "phases": Phases(heal_ns=600 * MS, quiet_ns=700 * MS, final_ns=800 * MS, end_ns=SECOND),
    }
    return Plan(**(told | changes))


# --- nodes that do one thing


def told(run: Run, *kinds: str, node: str = "") -> list[str]:
    """The notes of these kinds in words, with their milliseconds."""
    return [f"{note.time // MS} {note}" for note in run.evidence.trace.of_kind(*kinds) if note.node == node or not node]


class Idle:
    """A node that does what its subclass says, and nothing else."""

    def __init__(self, context: Context) -> None:
        self.context = context

    def on_start(self, out: Outbox) -> None: ...
    def on_message(self, sender: str, message: Message, out: Outbox) -> None: ...
    def on_timer(self, name: str, out: Outbox) -> None: ...


def first_node(do: Callable[[Any, Outbox], None], timer: Callable[[str, Outbox], None] = lambda name, out: None) -> Any:
    """A system in which n1 does something when it starts, and at timers."""

    class Node(Idle):
        def on_start(self, out: Outbox) -> None:
            if self.context.id == "n1":
                do(self, out)

        def on_timer(self, name: str, out: Outbox) -> None:
            timer(name, out)

        def on_message(self, sender: str, message: Message, out: Outbox) -> None:
            out.note("proposed", f"{type(message).__name__} of {sender}")

    return system_of(Node)


# --- a cluster whose members change


class Change(Request, frozen=True):
    """Take this node in, or let it go."""

    action: str
    node: str


class Changed(Reply, frozen=True):
    """It is done."""


class Members(Message, frozen=True):
    """Who is a member from now on."""

    names: tuple[str, ...]


class Member(Counter):
    """A counter that knows who else is a member; whoever is asked for a change makes it, and tells all others."""

    def __init__(self, context: Context) -> None:
        super().__init__(context)
        initial = context.peers if context.id in context.peers else ()
        self.members: tuple[str, ...] = context.stored.get("members", initial)

    def on_start(self, out: Outbox) -> None:
        out.note("configured", 0, self.members)
        super().on_start(out)

    def on_message(self, sender: str, message: Message, out: Outbox) -> None:
        match message:
            case Change():
                others = tuple(name for name in self.members if name != message.node)
                self.go_by((*others, message.node) if message.action == "join" else others, out)
                for name in sorted({*self.members, message.node} - {self.context.id}):
                    out.send(name, Members(self.members))
                out.send(sender, Changed(in_reply_to=message.msg_id))
            case Members():
                self.go_by(message.names, out)
            case _:
                super().on_message(sender, message, out)

    def go_by(self, names: tuple[str, ...], out: Outbox) -> None:
        self.members = tuple(sorted(names))
        out.store("members", self.members)
        out.sync()
        out.note("configured", 0, self.members)


class Clerk:
    """Asks one of the nodes that it knows, other than the one that it is about, and waits."""

    def __init__(self, context: Context) -> None:
        self.context = context

    def on_invoke(self, invocation: Invocation, out: ClientOutbox) -> None:
        others = [name for name in self.context.peers if name != invocation.argument]
        out.send(self.context.dice.choice(others), Change(1, invocation.action, str(invocation.argument)))

    def on_message(self, sender: str, message: Message, out: ClientOutbox) -> None:
        out.complete("ok")

    def on_timer(self, name: str, out: ClientOutbox) -> None: ...


CLUB = system_of(Member, operator=Clerk)
