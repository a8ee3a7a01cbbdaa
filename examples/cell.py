"""A system of your own on trial: a cell on one node, its client, a workload, and a claim.

    upheld verify examples/cell.py
    upheld run examples/cell.py --variant as-written

The reference answers when the value is durable. As written, it only remembers the value, and a crash takes it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from upheld import (
    Budget,
    Claim,
    Context,
    Evidence,
    Invocation,
    Linearizable,
    Message,
    Register,
    Reply,
    Request,
    System,
    Trials,
    Variant,
    on_history,
)
from upheld.harness.plan import PlannedOperation
from upheld.harness.system import Stage
from upheld.impl.node import ClientOutbox, Dice, Outbox


class Write(Request, frozen=True):
    """Replace the value."""

    value: int


class Read(Request, frozen=True):
    """Ask for the value."""


class Value(Reply, frozen=True):
    """The value after the request."""

    value: int | None


class Cell:
    """Keeps the value on its disk."""

    def __init__(self, context: Context) -> None:
        self.value: int | None = context.stored.get("value")

    def on_start(self, out: Outbox) -> None:
        """It has nothing to do until somebody asks."""

    def on_message(self, sender: str, message: Message, out: Outbox) -> None:
        """Answer a request."""
        if isinstance(message, Write):
            self.value = message.value
            self.keep(out)
        if isinstance(message, Request):
            out.send(sender, Value(in_reply_to=message.msg_id, value=self.value))

    def keep(self, out: Outbox) -> None:
        """Make the value durable before anybody hears of it."""
        out.store("value", self.value)
        out.sync()

    def on_timer(self, name: str, out: Outbox) -> None:
        """It sets no timers."""


class ForgetfulCell(Cell):
    """Keeps the value in its memory."""

    def keep(self, out: Outbox) -> None:
        """Memory is good enough."""


class CellClient:
    """Asks the first node, once."""

    def __init__(self, context: Context) -> None:
        self.node = context.peers[0]
        self.msg_id = 0

    def on_invoke(self, invocation: Invocation, out: ClientOutbox) -> None:
        """Send the request."""
        self.msg_id += 1
        match invocation.action, invocation.argument:
            case "write", int(value):
                out.send(self.node, Write(msg_id=self.msg_id, value=value))
            case _:
                out.send(self.node, Read(msg_id=self.msg_id))

    def on_message(self, sender: str, message: Message, out: ClientOutbox) -> None:  # noqa: ARG002  # there is one node
        """The answer is the result of a read; a write has none."""
        if isinstance(message, Value) and message.in_reply_to == self.msg_id:
            out.complete("ok", message.value)

    def on_timer(self, name: str, out: ClientOutbox) -> None:
        """It sets no timers."""


@dataclass(frozen=True)
class WritesAndReads:
    """Each client writes and reads; values are unique. Nothing need be answered while the only node is down."""

    minimum: Mapping[str, int] = field(default_factory=dict)

    def operations(self, stage: Stage, dice: Dice) -> Sequence[PlannedOperation]:
        """All operations of a run."""
        step_ns = (stage.heal_ns - stage.begin_ns) // stage.intensity
        planned = [
            PlannedOperation(
                client=client,
                at_ns=stage.begin_ns + turn * step_ns,
                action=action,
                argument=turn * stage.clients + client + 1 if action == "write" else None,
            )
            for turn in range(stage.intensity)
            for client in range(stage.clients)
            for action in [dice.choice(("write", "read"))]
        ]
        return [*planned, PlannedOperation(client=0, at_ns=stage.final_ns, action="read")]


def _variant(nodes: type[Cell], **more: Any) -> Variant:
    return Variant(nodes=nodes, client=CellClient, workloads={"cell": WritesAndReads()}, **more)


def restarts(evidence: Evidence) -> int:
    """How often durability was at risk."""
    return len(evidence.trace.of_kind("restart"))


SYSTEM = System(
    name="cell",
    variants={"reference": _variant(Cell, mutants=(ForgetfulCell,)), "as-written": _variant(ForgetfulCell)},
    budget=Budget(faults=frozenset({"crash"}), crashed_max="all"),
    sizes=(1,),
)

CLAIMS = (
    Claim(
        id="cell.linearizable",
        chapter="replication",
        kind="always",
        statement="the cell is linearizable, and survives a crash",
        source="this file",
        by=Trials(system="cell", workload="cell", faults="crashes", judge=on_history(Linearizable(Register()))),
        antecedent=restarts,
    ),
)
