"""A small system for tests of the docket: one node that counts, as it should be, and a mutant that forgets."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from upheld.checkers.verdict import Anomaly, Refuted, Upheld, Verdict
from upheld.claims.claim import Claim, Derived, Examination, Trials
from upheld.harness.plan import PlannedOperation
from upheld.harness.system import Budget, Stage, System, Variant
from upheld.histories.event import Kind
from upheld.histories.evidence import Evidence
from upheld.impl.node import ClientOutbox, Context, Dice, Invocation, Message, NodeId, Outbox, Reply, Request


class Add(Request, frozen=True):
    pass


class Count(Reply, frozen=True):
    count: int


class Counter:
    """Counts what is added, and answers how much that is."""

    def __init__(self, context: Context) -> None:
        self.count = 0

    def on_start(self, out: Outbox) -> None:
        pass

    def on_message(self, sender: NodeId, message: Message, out: Outbox) -> None:
        if isinstance(message, Add):
            self.add(out)
            out.send(sender, Count(message.msg_id, self.count))

    def add(self, out: Outbox) -> None:
        self.count += 1

    def on_timer(self, name: str, out: Outbox) -> None:
        pass


class StopsCounting(Counter):
    """Counts to three."""

    def add(self, out: Outbox) -> None:
        self.count = min(3, self.count + 1)


class CounterClient:
    """Asks the node that it is told to ask."""

    def __init__(self, context: Context) -> None:
        self.asked = 0

    def on_invoke(self, invocation: Invocation, out: ClientOutbox) -> None:
        self.asked += 1
        out.send(invocation.node, Add(self.asked))

    def on_message(self, sender: NodeId, message: Message, out: ClientOutbox) -> None:
        if isinstance(message, Count) and message.in_reply_to == self.asked:
            out.complete("ok", message.count)

    def on_timer(self, name: str, out: ClientOutbox) -> None:
        pass


@dataclass(frozen=True)
class Adding:
    minimum: dict[str, int] = field(default_factory=dict)

    def operations(self, stage: Stage, dice: Dice) -> Sequence[PlannedOperation]:
        return [
            PlannedOperation(0, stage.begin_ns + 1_000_000 * number, "add", node="n1")
            for number in range(dice.below(8))
        ]


def counts(evidence: Evidence) -> list[int]:
    return [
        result
        for operation in evidence.history.operations
        if operation.outcome is Kind.OK and isinstance(result := operation.result, int)
    ]


def counts_on(evidence: Evidence) -> Verdict:
    seen = counts(evidence)
    if seen == sorted(set(seen)):
        return Upheld(witness=seen)
    return Refuted(Anomaly(kind="count-repeats", story=(f"the counts are {seen}",)))


def never_counts_to_five(evidence: Evidence) -> Verdict:
    seen = counts(evidence)
    return Refuted(Anomaly(kind="five", story=("it counts to five",))) if 5 in seen else Upheld(witness=seen)


def trials(judge: object) -> Trials:
    return Trials(system="counter", workload="adding", faults="calm", judge=judge)  # type: ignore[arg-type]  # a judge


SYSTEM = System(
    name="counter",
    variants={
        "reference": Variant(
            nodes=Counter, client=CounterClient, workloads={"adding": Adding()}, mutants=(StopsCounting,)
        ),
        "as-written": Variant(nodes=StopsCounting, client=CounterClient, workloads={"adding": Adding()}),
    },
    budget=Budget(),
    sizes=(1,),
)

CLAIMS = (
    Claim(
        id="counter.counts",
        chapter="cap",
        kind="always",
        statement="No count comes twice.",
        source="this test",
        by=trials(counts_on),
        antecedent=lambda evidence: max(0, len(counts(evidence)) - 1),
    ),
    Claim(
        id="counter.five",
        chapter="cap",
        kind="sometimes",
        statement="It counts to five.",
        source="this test",
        by=trials(never_counts_to_five),
    ),
    Claim(
        id="counter.arithmetic",
        chapter="cap",
        kind="always",
        statement="One and one is two.",
        source="this test",
        by=Examination(examine=lambda: Upheld(operations=1, method="by addition")),
        variants=("reference",),
    ),
    Claim(
        id="counter.both",
        chapter="cap",
        kind="always",
        statement="It counts, and arithmetic holds.",
        source="this test",
        by=Derived(
            claims=("counter.counts", "counter.arithmetic"),
            judge=lambda found: next(
                (verdict for verdict in found.values() if not isinstance(verdict, Upheld)), Upheld(method="from both")
            ),
        ),
        variants=("reference",),
    ),
)
