"""How fast the world turns, beside a bare heap in the same run.

    python benchmarks/simulation.py [--seconds 20] [--seeds 40] [--rounds 5]

The heartbeat workload: a static leader tells four followers every 50 ms that it lives; five clients write one after
another, 10 ms after the last answer at the earliest; each write goes to all followers, and is answered when a majority has
it; messages take 0.5 to 2.5 ms; history, notes and digest are kept. The yardstick is a loop of `heappush` and `heappop` on a
heap of the size that the workload has. The figure is how many of such pairs one message costs; for
Raft without faults and with its nemesis, too.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence
from heapq import heappop, heappush
from itertools import count
from time import process_time
from typing import Any

import msgspec
from rich.console import Console
from rich.table import Table

from upheld.claims.consensus.raft import SYSTEM as RAFT
from upheld.harness.plan import Delay, Link, Phases, Plan, PlannedOperation
from upheld.harness.swarm import generate_plan
from upheld.harness.system import Budget, System, Variant
from upheld.harness.trial import run_plan
from upheld.impl.node import MS, SECOND, ClientOutbox, Context, Invocation, Message, Outbox, Reply, Request

HEAP = 24
"""About how many entries the agenda has in this workload: timers of nodes, clients, and messages under way."""
PAIRS = 300_000


class Write(Request, frozen=True):
    """A client writes."""

    value: int


class Written(Reply, frozen=True):
    """A majority has it."""


class Append(Message, frozen=True):
    """The leader lives, and may have an entry."""

    index: int
    value: int | None


class Appended(Message, frozen=True):
    """A follower has it."""

    index: int


class Waiting:
    """A value that the leader has, and a majority not yet."""

    __slots__ = ("client", "have", "msg_id")

    def __init__(self, client: str, msg_id: int) -> None:
        self.client, self.msg_id = client, msg_id
        self.have = 1


class Server:
    """n1 leads for ever; the others follow, and would lose patience."""

    def __init__(self, context: Context) -> None:
        self.id = context.id
        self.others = [peer for peer in context.peers if peer != context.id]
        self.majority = len(context.peers) // 2 + 1
        self.index = 0
        self.waiting: dict[int, Waiting] = {}
        self.handlers: dict[type[Message], Callable[[str, Any, Outbox], None]] = {
            Append: self.on_append,
            Appended: self.on_appended,
            Write: self.on_write,
        }

    def on_start(self, out: Outbox) -> None:
        """Begin to lead, or to wait."""
        if self.id == "n1":
            out.note("leads", 1)
            out.set_timer("heartbeat", 50 * MS)
        else:
            out.set_timer("election", 300 * MS)

    def on_timer(self, name: str, out: Outbox) -> None:
        """Tell all that the leader lives."""
        if name == "heartbeat":
            self.tell(Append(self.index, None), out)
            out.set_timer(name, 50 * MS)

    def on_message(self, sender: str, message: Message, out: Outbox) -> None:
        """Each type of message has its handler."""
        self.handlers[type(message)](sender, message, out)

    def tell(self, append: Append, out: Outbox) -> None:
        """Send it to all followers."""
        for peer in self.others:
            out.send(peer, append)

    def on_write(self, sender: str, message: Write, out: Outbox) -> None:
        """Take a value in."""
        self.index += 1
        self.waiting[self.index] = Waiting(sender, message.msg_id)
        out.note("appended", self.index, 1, message.value)
        self.tell(Append(self.index, message.value), out)

    def on_append(self, sender: str, message: Append, out: Outbox) -> None:
        """Wait for the next sign of life."""
        out.set_timer("election", 300 * MS)
        out.send(sender, Appended(message.index))

    def on_appended(self, sender: str, message: Appended, out: Outbox) -> None:  # noqa: ARG002  # as all handlers
        """Answer the client when a majority has its value."""
        waiting = self.waiting.get(message.index)
        if waiting is None:
            return
        waiting.have += 1
        if waiting.have >= self.majority:
            del self.waiting[message.index]
            out.note("committed", message.index, 1)
            out.send(waiting.client, Written(waiting.msg_id))


class Writer:
    """Asks the leader."""

    def __init__(self, context: Context) -> None:
        self.leader = context.peers[0]
        self.msg_id = 0

    def on_invoke(self, invocation: Invocation, out: ClientOutbox) -> None:
        """Send the value."""
        self.msg_id += 1
        assert isinstance(invocation.argument, int)
        out.send(self.leader, Write(self.msg_id, invocation.argument))

    def on_message(self, sender: str, message: Message, out: ClientOutbox) -> None:  # noqa: ARG002  # as all handlers
        """It is written."""
        assert isinstance(message, Written)
        if message.in_reply_to == self.msg_id:
            out.complete("ok")

    def on_timer(self, name: str, out: ClientOutbox) -> None:
        """There is none."""


HEARTBEAT = System(
    name="heartbeat",
    variants={"reference": Variant(nodes=Server, client=Writer, workloads={})},
    budget=Budget(),
)


def heartbeat_plan(seconds: int, nodes: int = 5, clients: int = 5) -> Plan:
    """Writes for so many virtual seconds; a write takes about 6 ms, and the next begins 10 ms later."""
    end_ns = seconds * SECOND
    values = count(1)
    return Plan(
        system="heartbeat",
        nodes=nodes,
        links={"*": Link(delay=Delay(min_ns=MS // 2, max_ns=5 * MS // 2))},
        operations=tuple(
            PlannedOperation(client, at_ns, "write", argument=next(values))
            for at_ns in range(0, end_ns, 16 * MS)
            for client in range(clients)
        ),
        phases=Phases(heal_ns=end_ns, quiet_ns=end_ns, final_ns=end_ns, end_ns=end_ns + SECOND),
    )


def pair_ns() -> float:
    """What one heappush and heappop cost: a new entry at a pseudo-random distance, as messages have."""
    heap = [(number * 100, number, None, None, None) for number in range(HEAP)]
    distances = [(number * 7919) % 2400 for number in range(1024)]
    began = process_time()
    for number in range(PAIRS):
        now = heap[0][0]
        heappush(heap, (now + distances[number & 1023], number, None, None, None))
        heappop(heap)
    return (process_time() - began) / PAIRS * 1e9


class Figure(msgspec.Struct, frozen=True):
    """What a workload costs: CPU nanoseconds for a message, and for a pair of the yardstick around it."""

    message_ns: float
    pair_ns: float

    @property
    def pairs(self) -> float:
        """How many pairs a message costs."""
        return self.message_ns / self.pair_ns


def measure(plans: Sequence[Plan], system: System) -> Figure:
    """Run them all, digests and all, between two measurements of the yardstick."""
    before = pair_ns()
    began = process_time()
    messages = sum(run_plan(plan, system).messages for plan in plans)
    message_ns = (process_time() - began) / messages * 1e9
    return Figure(message_ns, (before + pair_ns()) / 2)


def row(name: str, plans: Sequence[Plan], system: System, rounds: int, wanted: str) -> tuple[str, ...]:
    """The best of some rounds, beside what it should be."""
    runs = [run_plan(plan, system) for plan in plans]
    best = min((measure(plans, system) for _ in range(rounds)), key=lambda figure: figure.pairs)
    messages = sum(run.messages for run in runs)
    virtual_ns = sum(run.ended_ns for run in runs)
    return (
        name,
        f"{messages:,}",
        f"{1e9 / best.message_ns:,.0f}",
        f"{best.message_ns:,.0f}",
        f"{best.pair_ns:,.0f}",
        f"{best.pairs:.1f}",
        f"{virtual_ns / (best.message_ns * messages):,.0f}",
        wanted,
    )


def main() -> None:
    """Measure, and print a table."""
    parser = argparse.ArgumentParser(description="How fast the world turns, beside a bare heap in the same run.")
    parser.add_argument("--seconds", type=int, default=20, help="virtual seconds of the heartbeat")
    parser.add_argument(
        "--seeds", type=int, default=40, help="plans of Raft, with and without its nemesis, 5 nodes each"
    )
    parser.add_argument("--rounds", type=int, default=5, help="the best of so many is what counts")
    options = parser.parse_args()
    calm, storms = (
        [
            generate_plan(RAFT, workload="key-value", profile=profile, seed=seed, nodes=5)
            for seed in range(options.seeds)
        ]
        for profile in ("calm", "storm")
    )
    table = Table(title="simulation")
    for column in ("workload", "messages", "messages/s", "ns", "ns per pair", "pairs", "x real time", "wanted"):
        table.add_column(column, justify="right")
    table.add_row(*row("heartbeat", [heartbeat_plan(options.seconds)], HEARTBEAT, options.rounds, "8 pairs at most"))
    table.add_row(*row("raft-kv, calm", calm, RAFT, options.rounds, "14 pairs at most"))
    table.add_row(*row("raft-kv, storm", storms, RAFT, options.rounds, "150 x at least"))
    Console(width=120).print(table)


if __name__ == "__main__":
    main()
