"""The chat on trial: the reference with causal delivery, and the guide's code as written."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from ...checkers.causality.clocks import ClockCondition
from ...checkers.causality.delivery import CausallyDelivered
from ...checkers.causality.total_order import OneOrder
from ...checkers.convergence import DuplicateFree
from ...checkers.convergence.eventual import Delivered, missing_at_heal
from ...checkers.verdict import Judge, Verdict, on_history, on_trace
from ...harness.plan import PlannedOperation
from ...harness.swarm import DELAY_MAX_NS
from ...harness.system import Budget, Stage, System, Variant
from ...harness.workloads import RARELY_TO_OFTEN, drawn, spread
from ...histories.evidence import Evidence
from ...impl.convergence.chat.as_written import ChatNode as ChatNodeAsWritten
from ...impl.convergence.chat.client import ChatClient
from ...impl.convergence.chat.mutants import MUTANTS
from ...impl.convergence.chat.reference import ChatNode
from ...impl.node import MS, SECOND, Dice
from ..claim import Claim, Trials
from .risks import caused_messages, copies, overtaking_arrivals

POSTS: Final = ("send", "reply")
"""The actions that post their argument as a message."""

ANTI_ENTROPY_NS: Final = 100 * MS
RECOVERY_NS: Final = 4 * SECOND
"""From the heal to the quiet: longer than a message has time to be delivered, and than it takes to see that nothing moves."""


@dataclass(frozen=True, kw_only=True)
class Conversation:
    """People at their nodes post messages, answer what they have read, and read.

    Every text is unique. A client stays with its node; at the end each node is read once.

    Attributes:
        after_heal: how many messages each client posts soon after the heal.
        minimum: see `system.Workload`.
    """

    after_heal: int = 1
    minimum: Mapping[str, int] = field(default_factory=lambda: {"send": 3, "read": 1})

    def operations(self, stage: Stage, dice: Dice) -> Sequence[PlannedOperation]:
        """All operations of a run."""
        weights = {"send": 1.0, "read": 1.0, "reply": dice.choice(RARELY_TO_OFTEN)}
        homes = dice.shuffled(stage.nodes)
        soon_ns = stage.heal_ns + (stage.quiet_ns - stage.heal_ns) // 10
        planned: list[PlannedOperation] = []
        for client in range(stage.clients):
            home = homes[client % len(homes)]
            times = spread(dice, stage.intensity, stage.begin_ns, stage.heal_ns)
            asked = [(at_ns, drawn(dice, weights)) for at_ns in times]
            asked += [(at_ns, "send") for at_ns in spread(dice, self.after_heal, stage.heal_ns, soon_ns)]
            for at_ns, action in asked:
                text = f"m{len(planned) + 1}" if action in POSTS else None
                planned.append(PlannedOperation(client=client, at_ns=at_ns, action=action, argument=text, node=home))
        return [*planned, *self._final_reads(stage)]

    @staticmethod
    def _final_reads(stage: Stage) -> list[PlannedOperation]:
        return [
            PlannedOperation(client=number % stage.clients, at_ns=stage.final_ns, action="read", node=node)
            for number, node in enumerate(stage.nodes)
        ]


SETTINGS: Final = {
    "anti_entropy_ns": ANTI_ENTROPY_NS,
    "waiting_max": 100,
    "batch_max": 64,
    "retry_ns": 100 * MS,
    "recovery_ns": RECOVERY_NS,
}

SYSTEM: Final = System(
    name="chat",
    variants={
        "reference": Variant(
            nodes=ChatNode,
            client=ChatClient,
            workloads={"conversation": Conversation()},
            mutants=MUTANTS,
            settings=SETTINGS,
            ranges={
                "waiting_max": lambda dice: dice.choice((100, 100, 2)),
                "batch_max": lambda dice: dice.choice((64, 64, 3)),
            },
        ),
        "as-written": Variant(
            nodes=ChatNodeAsWritten,
            client=ChatClient,
            workloads={"conversation": Conversation()},
            settings={**SETTINGS, "retry_ns": 0},
        ),
    },
    budget=Budget(
        faults=frozenset({"loss", "duplication", "delay", "partition", "crash"}), crashed_max="all", torn=True
    ),
    sizes=(2, 3, 4, 5, 6, 7),
    clients_pinned=True,
)


def delivered(evidence: Evidence) -> Verdict:
    """Delivered within ten periods of anti-entropy and four of the largest delays."""
    settings: Any = evidence.history.header.extra.get("settings") or {}
    period_ns = settings.get("anti_entropy_ns", ANTI_ENTROPY_NS)
    judge = Delivered(bound_ns=10 * period_ns + 4 * DELAY_MAX_NS, still_ns=3 * period_ns + DELAY_MAX_NS, adds=POSTS)
    return judge(evidence)


def missing(evidence: Evidence) -> int:
    """How much was still to be delivered when the network healed."""
    return missing_at_heal(evidence, POSTS)


def trials(judge: Judge) -> Trials:
    """All claims about the chat share their runs."""
    return Trials(system="chat", workload="conversation", faults="storm", judge=judge)


GUIDE: Final = "guide, 5, Vector Clocks"
CAUSAL: Final = "Birman, Schiper and Stephenson, Lightweight causal and atomic group multicast"

CLAIMS: Final = (
    Claim(
        id="chat.clock_condition",
        chapter="convergence",
        kind="always",
        statement="Vector clocks track causality: a message happened before another exactly when its clock is less.",
        source=f"{GUIDE}: 'Vector clocks are used to track causality in distributed systems'",
        by=trials(on_trace(ClockCondition())),
        antecedent=caused_messages,
    ),
    Claim(
        id="chat.causal_order",
        chapter="convergence",
        kind="always",
        statement="No node shows a reply before what it answers, nor any message before one that happened before it.",
        source=f"{CAUSAL}, section 2; the guide does not say it",
        by=trials(on_trace(CausallyDelivered())),
        antecedent=overtaking_arrivals,
    ),
    Claim(
        id="chat.delivered",
        chapter="convergence",
        kind="eventually",
        statement="Every node shows every acknowledged message.",
        source="guide, 5, What is Eventual Consistency: 'the system will eventually become consistent'",
        by=trials(delivered),
        antecedent=missing,
        bound="10 periods of anti-entropy and 4 of the largest delays after the heal",
    ),
    Claim(
        id="chat.concurrent_order",
        chapter="convergence",
        kind="sometimes",
        statement="Two nodes show concurrent messages in different orders.",
        source=f"{CAUSAL}, section 2: causal order leaves concurrent messages unordered; the guide does not say it",
        by=trials(on_trace(OneOrder())),
    ),
    Claim(
        id="chat.no_duplicates",
        chapter="convergence",
        kind="always",
        statement="A message shows once.",
        source="what readers expect of a chat; the guide does not say it",
        by=trials(on_history(DuplicateFree(adds=POSTS, read="read"))),
        antecedent=copies,
    ),
)
