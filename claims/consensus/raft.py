"""Raft with its key-value store on trial: the reference, and the guide's code as written."""

from __future__ import annotations

from typing import Final

from ...checkers.consensus import (
    Agreement,
    AppliesInOrder,
    CatchesUp,
    CommitByQuorum,
    CommitStands,
    Decides,
    DecidesInStorm,
    ElectionSafety,
    LeaderAppendOnly,
    LeaderCompleteness,
    LedThroughCuts,
    LogMatching,
    StateMachineSafety,
    TermMonotone,
    Validity,
    VotesOnce,
)
from ...checkers.consensus.catching_up import behind_at_heal
from ...checkers.duplication import AtMostOnce
from ...checkers.durability import Durable
from ...checkers.linearizability import Linearizable
from ...checkers.progress import Progress, Reelection
from ...checkers.roles import EntitledAnswers
from ...checkers.verdict import Judge, all_of, on_history
from ...harness.faults import FAULTS
from ...harness.system import Budget, System, Variant
from ...harness.workloads import KeyValue
from ...histories.event import Operation
from ...impl.consensus.client import StoreClient
from ...impl.consensus.raft.as_written import CallingClient, DistributedKVStore
from ...impl.consensus.raft.mutants import MASKS, MUTANTS
from ...impl.consensus.raft.operator import RaftOperator
from ...impl.consensus.raft.reference import Raft
from ...impl.node import MS, SECOND, Dice
from ...specs.objects.kv import KeyValue as KeyValueModel
from ..claim import Claim, Trials
from .risks import (
    WRITES,
    changes_under_faults,
    consensus_bound_ns,
    crashes_after_acknowledgement,
    elections,
    elections_after_commit,
    installed_snapshots,
    is_owed_an_answer,
    leader_changes,
    leader_crashes,
    longest_election_ns,
    retried_writes,
    twenty_elections_ns,
    writes_elsewhere,
)

SETTINGS: Final = {
    "election_min_ns": 50 * MS,
    "election_max_ns": 100 * MS,
    "heartbeat_ns": 17 * MS,
    "retry_ns": 100 * MS,
    "sessions_max": 1000,
    "snapshot_every": 20,
    "batch_max": 64,
    "window": 8,
    "pre_vote": True,
    "check_quorum": True,
    "recovery_ns": 4 * SECOND,
}
"""A third of the guide's times, so that a run of a few seconds holds many elections. Recovery outlasts every bound."""


BEYOND: Final = frozenset({"rot", "clock-offset", "clock-step", "clock-strobe"})
"""What is durable is to stay as it is; and no node reads a wall clock, so that nothing could happen to it."""


def election_max_ns(dice: Dice) -> int:
    """With timeouts that lie close together several nodes stand for election at once, again and again."""
    return dice.choice((70, 85, 100)) * MS


SYSTEM: Final = System(
    name="raft-kv",
    variants={
        "reference": Variant(
            nodes=Raft,
            client=StoreClient,
            workloads={"key-value": KeyValue(after_heal=3)},
            mutants=MUTANTS,
            masks=MASKS,
            settings=SETTINGS,
            ranges={
                "election_max_ns": election_max_ns,
                "sessions_max": lambda dice: dice.choice((1000, 1000, 1000, 4)),
                "snapshot_every": lambda dice: dice.choice((0, 0, 40, 20, 10, 5)),
                "batch_max": lambda dice: dice.choice((64, 64, 64, 1)),
            },
            operator=RaftOperator,
        ),
        "as-written": Variant(
            nodes=DistributedKVStore,
            client=CallingClient,
            workloads={"key-value": KeyValue(actions=("get", "put"), after_heal=3)},
            settings=SETTINGS,
            ranges={"election_max_ns": election_max_ns},
        ),
    },
    budget=Budget(faults=frozenset(FAULTS) - BEYOND, crashed_max="all", torn=True),
)


def trials(judge: Judge) -> Trials:
    """All claims about Raft share their runs."""
    return Trials(system="raft-kv", workload="key-value", faults="storm", judge=judge)


SAFE: Final = all_of(
    ElectionSafety(),
    VotesOnce(),
    TermMonotone(),
    LeaderAppendOnly(),
    LogMatching(),
    LeaderCompleteness(),
    CommitByQuorum(),
    CommitStands(),
    StateMachineSafety(),
    AppliesInOrder(),
    Durable(),
    AtMostOnce(),
    on_history(Linearizable(KeyValueModel())),
)
"""Safety and linearizability: all that holds whatever happens to the cluster."""

MEMBERSHIP: Final = "loss,delay,partition,crash,join,leave,wipe,rollback"
"""Changes of who is a member, and what makes them hard."""

HASTY: Final = {"election_min_ns": 10 * MS, "election_max_ns": 20 * MS, "heartbeat_ns": 4 * MS}
"""Election timeouts that are shorter than messages take when they are late. No timeout is longer than any delay."""


def is_write(operation: Operation) -> bool:
    """Only a write needs a decision."""
    return operation.action in WRITES


GUIDE: Final = "guide, 2, Consensus Algorithms"
RAFT: Final = "Ongaro and Ousterhout, In Search of an Understandable Consensus Algorithm (extended version)"
BOUND: Final = "20 largest election timeouts and a client timeout after the heal"

CLAIMS: Final = (
    Claim(
        id="consensus.agreement",
        chapter="consensus",
        kind="always",
        statement="All nodes agree on the same value.",
        source=f"{GUIDE}: 'Safety: all nodes agree on the same value'",
        by=trials(Agreement()),
    ),
    Claim(
        id="consensus.validity",
        chapter="consensus",
        kind="always",
        statement="A decided value was proposed.",
        source="part of every definition of consensus; the guide leaves it out",
        by=trials(Validity()),
    ),
    Claim(
        id="consensus.decides",
        chapter="consensus",
        kind="eventually",
        statement="Eventually a decision is made, once a majority is up and connected.",
        source=f"{GUIDE}: 'Liveness: eventually, a decision is made'",
        by=trials(Decides(bound=consensus_bound_ns, period=longest_election_ns, asks=is_write)),
        bound="20 largest election timeouts and a client timeout after the first write since the heal",
    ),
    Claim(
        id="consensus.may_not_decide",
        chapter="consensus",
        kind="sometimes",
        statement="While messages are late, no decision may be made, although none is lost and at most one node is down.",
        source="Fischer, Lynch and Paterson, Impossibility of Distributed Consensus with One Faulty Process; the guide does "
        "not say it",
        by=Trials(
            system="raft-kv",
            workload="key-value",
            faults="delay",
            judge=DecidesInStorm(bound=twenty_elections_ns, asks=is_write),
            blames=frozenset({"delay"}),
            settings=HASTY,
        ),
    ),
    Claim(
        id="raft.election_safety",
        chapter="consensus",
        kind="always",
        statement="A term has at most one leader.",
        source=f"{RAFT}, figure 3 and 5.2",
        by=trials(ElectionSafety()),
        antecedent=elections,
        killers=(
            "vote-not-persisted",
            "votes-twice",
        ),
    ),
    Claim(
        id="raft.leader_append_only",
        chapter="consensus",
        kind="always",
        statement="A leader never overwrites or deletes entries in its log.",
        source=f"{RAFT}, figure 3 and 5.3",
        by=trials(LeaderAppendOnly()),
        antecedent=leader_changes,
        killers=("leader-truncates",),
    ),
    Claim(
        id="raft.log_matching",
        chapter="consensus",
        kind="always",
        statement="Two logs with an entry of the same index and term are the same up to that entry.",
        source=f"{RAFT}, figure 3 and 5.3",
        by=trials(LogMatching()),
        antecedent=leader_changes,
        killers=("no-consistency-check",),
    ),
    Claim(
        id="raft.leader_completeness",
        chapter="consensus",
        kind="always",
        statement="A committed entry is in the log of the leader of every later term.",
        source=f"{RAFT}, figure 3 and 5.4",
        by=trials(LeaderCompleteness()),
        antecedent=elections_after_commit,
        killers=("no-log-freshness-check",),
    ),
    Claim(
        id="raft.state_machine_safety",
        chapter="consensus",
        kind="always",
        statement="No two nodes apply different commands at one index.",
        source=f"{RAFT}, figure 3 and 5.4.3",
        by=trials(StateMachineSafety()),
        killers=("applies-before-commit",),
    ),
    Claim(
        id="raft.apply_in_order",
        chapter="consensus",
        kind="always",
        statement="Each node applies entries in ascending order, without gaps, each index once.",
        source=f"{RAFT}, figure 2 and 5.3; the guide does not say it",
        by=trials(AppliesInOrder()),
        killers=("applies-twice",),
    ),
    Claim(
        id="raft.linearizable",
        chapter="consensus",
        kind="always",
        statement="The store is linearizable.",
        source=f"{GUIDE}: 'getting all nodes to agree on a single value'; {RAFT}, 8",
        by=trials(on_history(Linearizable(KeyValueModel()))),
        killers=(
            "reads-local-state",
            "answers-before-commit",
            "leader-reads-without-quorum",
        ),
    ),
    Claim(
        id="raft.durable",
        chapter="consensus",
        kind="always",
        statement="Each acknowledged entry is on a majority of synced disks, and a restart of any nodes loses none.",
        source=f"{RAFT}, figure 2 and 5.3",
        by=trials(Durable()),
        antecedent=crashes_after_acknowledgement,
        killers=("log-not-persisted",),
    ),
    Claim(
        id="raft.leader_only_writes",
        chapter="consensus",
        kind="always",
        statement="Every acknowledged write was acknowledged by the one leader of its entry's term.",
        source=f"{GUIDE}, `Set`: 'Only leader can accept writes'",
        by=trials(EntitledAnswers()),
        antecedent=writes_elsewhere,
        killers=("follower-accepts",),
    ),
    Claim(
        id="raft.reelection",
        chapter="consensus",
        kind="eventually",
        statement="A leader is selected when the current leader fails.",
        source=f"{GUIDE}: 'Leader Election: Select a leader when current leader fails'",
        by=trials(Reelection(bound=consensus_bound_ns, period=longest_election_ns)),
        antecedent=leader_crashes,
        bound=BOUND,
        killers=("never-times-out",),
    ),
    Claim(
        id="raft.available_with_majority",
        chapter="consensus",
        kind="eventually",
        statement="With a majority pairwise connected, and every other node cut from all of it or connected to all of it, "
        "operations complete.",
        source=f"{GUIDE}: 'even in the presence of failures'; {RAFT}, 5.6",
        by=trials(Progress(bound=consensus_bound_ns, period=longest_election_ns, counts=is_owed_an_answer)),
        bound=BOUND,
        killers=("no-retransmission",),
    ),
    Claim(
        id="raft.catches_up",
        chapter="consensus",
        kind="eventually",
        statement="After the heal every living member comes to know all that was committed.",
        source=f"{RAFT}, 5.3 and 7; the guide does not say it",
        by=trials(CatchesUp(bound=consensus_bound_ns, period=longest_election_ns)),
        antecedent=behind_at_heal,
        bound=BOUND,
        variants=("reference",),
        killers=("never-installs-snapshots",),
    ),
    Claim(
        id="raft.at_most_once",
        chapter="consensus",
        kind="always",
        statement="Each command takes effect at most once, and an acknowledged one exactly once.",
        source=f"{RAFT}, 8; the guide does not say it",
        by=trials(AtMostOnce()),
        antecedent=retried_writes,
        killers=("no-duplicate-detection",),
    ),
    Claim(
        id="raft.partial_connectivity",
        chapter="consensus",
        kind="sometimes",
        statement="Without pre-vote and check-quorum, a partially connected cluster gets no stable leader.",
        source="Ongaro, Consensus: Bridging Theory and Practice, 4.2.3 and 9.6; the guide does not say it",
        by=Trials(
            system="raft-kv",
            workload="key-value",
            faults="partition",
            judge=LedThroughCuts(timeout=longest_election_ns),
            blames=frozenset({"partition"}),
            settings={"pre_vote": False, "check_quorum": False},
        ),
    ),
    Claim(
        id="raft.membership",
        chapter="consensus",
        kind="always",
        statement="Safety and linearizability hold while single servers join and leave.",
        source="Ongaro, Consensus: Bridging Theory and Practice, 4.1; the guide does not say it",
        by=Trials(system="raft-kv", workload="key-value", faults=MEMBERSHIP, judge=SAFE),
        antecedent=changes_under_faults,
        variants=("reference",),
        killers=("membership-without-commit",),
    ),
    Claim(
        id="raft.snapshots",
        chapter="consensus",
        kind="always",
        statement="Safety and linearizability hold through snapshots and log compaction.",
        source=f"{RAFT}, 7; the guide does not say it",
        by=Trials(
            system="raft-kv",
            workload="key-value",
            faults="loss,duplication,delay,partition,crash",
            judge=SAFE,
            settings={"snapshot_every": 8},
        ),
        antecedent=installed_snapshots,
        variants=("reference",),
        killers=("snapshot-drops-sessions",),
    ),
)
