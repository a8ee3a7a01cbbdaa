"""Multi-Paxos with its key-value store on trial."""

from __future__ import annotations

from typing import Final

from ...checkers.consensus import (
    Agreement,
    ChosenByQuorum,
    ChosenStays,
    DecreesDurable,
    OneValuePerBallot,
    PromisesKept,
    Validity,
)
from ...checkers.duplication import AtMostOnce
from ...checkers.linearizability import Linearizable
from ...checkers.progress import Progress
from ...checkers.verdict import Judge, on_history
from ...harness.system import System, Variant
from ...harness.workloads import KeyValue
from ...impl.consensus.client import StoreClient
from ...impl.consensus.paxos.multi import MultiPaxos
from ...impl.consensus.paxos.multi_mutants import MUTANTS
from ...impl.node import MS, SECOND, Dice
from ...specs.objects.kv import KeyValue as KeyValueModel
from ..claim import Claim, Trials
from .paxos import BUDGET, crashes_of_acceptors
from .risks import (
    consensus_bound_ns,
    crashes_after_acknowledgement,
    is_owed_an_answer,
    leader_changes,
    longest_election_ns,
    retried_writes,
)

SETTINGS: Final = {
    "election_min_ns": 50 * MS,
    "election_max_ns": 100 * MS,
    "heartbeat_ns": 17 * MS,
    "retry_ns": 100 * MS,
    "sessions_max": 1000,
    "snapshot_every": 1000,
    "recovery_ns": 4 * SECOND,
}
"""As those of Raft. Recovery outlasts every bound."""


def snapshot_every(dice: Dice) -> int:
    """Often enough that followers fall behind the log, and never, so that nothing but the log counts."""
    return dice.choice((5, 20, 1000))


SYSTEM: Final = System(
    name="multipaxos",
    variants={
        "reference": Variant(
            nodes=MultiPaxos,
            client=StoreClient,
            workloads={"key-value": KeyValue(after_heal=3)},
            mutants=MUTANTS,
            settings=SETTINGS,
            ranges={
                "election_max_ns": lambda dice: dice.choice((70, 85, 100)) * MS,
                "sessions_max": lambda dice: dice.choice((1000, 1000, 1000, 4)),
                "snapshot_every": snapshot_every,
            },
        ),
    },
    budget=BUDGET,
)


def trials(judge: Judge) -> Trials:
    """All claims about Multi-Paxos share their runs."""
    return Trials(system="multipaxos", workload="key-value", faults="storm", judge=judge)


GUIDE: Final = "guide, 2, takeaways: 'both ensure safety and liveness'"
SIMPLE: Final = "Lamport, Paxos Made Simple"

CLAIMS: Final = (
    Claim(
        id="multipaxos.agreement",
        chapter="consensus",
        kind="always",
        statement="No slot is decided, or applied, with two different commands.",
        source=f"{SIMPLE}, 3; {GUIDE}",
        by=trials(Agreement()),
        antecedent=leader_changes,
        variants=("reference",),
    ),
    Claim(
        id="multipaxos.validity",
        chapter="consensus",
        kind="always",
        statement="Only a command that was proposed, or a no-op, is decided.",
        source=f"{SIMPLE}, 2.1 and 3",
        by=trials(Validity()),
        variants=("reference",),
    ),
    Claim(
        id="multipaxos.promises_kept",
        chapter="consensus",
        kind="always",
        statement="An acceptor accepts nothing below what it has promised, and its promises never go back, across restarts.",
        source=f"{SIMPLE}, 2.2, P1a, and 2.5",
        by=trials(PromisesKept()),
        antecedent=crashes_of_acceptors,
        variants=("reference",),
    ),
    Claim(
        id="multipaxos.one_value_per_ballot",
        chapter="consensus",
        kind="always",
        statement="In a slot, at one ballot only one command is accepted.",
        source="Lamport, The Part-Time Parliament, B1",
        by=trials(OneValuePerBallot()),
        antecedent=leader_changes,
        variants=("reference",),
    ),
    Claim(
        id="multipaxos.chosen_by_quorum",
        chapter="consensus",
        kind="always",
        statement="What is decided for a slot was accepted by a majority at one ballot.",
        source=f"{SIMPLE}, 2.2",
        by=trials(ChosenByQuorum()),
        variants=("reference",),
    ),
    Claim(
        id="multipaxos.chosen_stays",
        chapter="consensus",
        kind="always",
        statement="Once a command is chosen for a slot, every higher ballot that is accepted there has that command.",
        source=f"{SIMPLE}, 2.2, P2a and P2c",
        by=trials(ChosenStays()),
        antecedent=leader_changes,
        variants=("reference",),
    ),
    Claim(
        id="multipaxos.linearizable",
        chapter="consensus",
        kind="always",
        statement="The store is linearizable.",
        source=f"{SIMPLE}, 3: 'the servers execute the same sequence of commands'",
        by=trials(on_history(Linearizable(KeyValueModel()))),
        antecedent=leader_changes,
        variants=("reference",),
    ),
    Claim(
        id="multipaxos.durable",
        chapter="consensus",
        kind="always",
        statement="Each acknowledged command is on a majority of synced disks, and a restart of any nodes loses none.",
        source=f"{SIMPLE}, 2.5",
        by=trials(DecreesDurable()),
        antecedent=crashes_after_acknowledgement,
        variants=("reference",),
    ),
    Claim(
        id="multipaxos.at_most_once",
        chapter="consensus",
        kind="always",
        statement="Each command takes effect at most once, and an acknowledged one exactly once.",
        source="Chandra, Griesemer and Redstone, Paxos Made Live, 5; Paxos Made Moderately Complex, 2.1",
        by=trials(AtMostOnce()),
        antecedent=retried_writes,
        variants=("reference",),
    ),
    Claim(
        id="multipaxos.available_with_majority",
        chapter="consensus",
        kind="eventually",
        statement="Once a majority is up and connected, operations complete.",
        source=f"{SIMPLE}, 2.4 and 3; {GUIDE}",
        by=trials(Progress(bound=consensus_bound_ns, period=longest_election_ns, counts=is_owed_an_answer)),
        bound="20 largest election timeouts and a client timeout after the heal",
        variants=("reference",),
    ),
)
