"""Single-decree Paxos on trial."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from ...checkers.consensus import (
    Agreement,
    ChosenByQuorum,
    ChosenStays,
    DecidesAmongRivals,
    OneAnswer,
    OneValuePerBallot,
    PromisesKept,
    Validity,
)
from ...checkers.consensus.paxos import ballot_of
from ...checkers.progress import Progress, heal_ns
from ...checkers.verdict import Judge, on_history
from ...harness.plan import PlannedOperation
from ...harness.system import Budget, Stage, System, Variant
from ...harness.workloads import RARELY_TO_OFTEN, drawn, spread
from ...histories.event import Operation
from ...histories.evidence import Evidence
from ...histories.trace import Note
from ...impl.consensus.paxos.client import PaxosClient
from ...impl.consensus.paxos.mutants import MUTANTS
from ...impl.consensus.paxos.reference import Paxos
from ...impl.node import MS, SECOND, Dice
from ..claim import Claim, Trials

SETTINGS: Final = {
    "retransmit_ns": 20 * MS,
    "back_off_ns": 10 * MS,
    "back_off_max_ns": 200 * MS,
    "retry_ns": 100 * MS,
    "recovery_ns": 4 * SECOND,
}
"""Recovery outlasts every bound."""


def back_off_ns(dice: Dice) -> int:
    """The shorter it is, the more often proposers overtake each other."""
    return dice.choice((1, 3, 10)) * MS


@dataclass(frozen=True, kw_only=True)
class Decree:
    """Clients propose values, all of them different, and ask what was chosen.

    There is one decision in a run, so the first proposals come at any moment of the storm, when faults act, and within
    `rush_ns`; or, in some runs, there are none in the storm. After the heal all proposals go to one node. At the end each
    node is asked.

    Attributes:
        rush_ns: how close together the clients make their first proposals.
        after_heal: how many proposals each client makes after the heal.
        minimum: see `system.Workload`. Nothing: what is at risk without an answer, the antecedents of claims say.
    """

    rush_ns: int = 20 * MS
    after_heal: int = 1
    minimum: Mapping[str, int] = field(default_factory=dict)

    def operations(self, stage: Stage, dice: Dice) -> Sequence[PlannedOperation]:
        """All operations of a run."""
        weights = {"propose": 1.0, "learn": dice.choice(RARELY_TO_OFTEN)}
        proposer = dice.choice(stage.nodes)
        opening_ns = stage.begin_ns + dice.below((stage.heal_ns - stage.begin_ns) * 3 // 4)
        planned: list[PlannedOperation] = []
        for client in range(stage.clients):
            asked = [(opening_ns + dice.below(self.rush_ns), "propose", dice.choice(stage.nodes))]
            times = spread(dice, stage.intensity, opening_ns, stage.heal_ns)
            asked += [(at_ns, drawn(dice, weights), dice.choice(stage.nodes)) for at_ns in times]
            late = spread(dice, self.after_heal, stage.heal_ns, stage.quiet_ns)
            asked += [(at_ns, "propose", proposer) for at_ns in late]
            for at_ns, action, node in asked:
                value = len(planned) + 1 if action == "propose" else None
                planned.append(PlannedOperation(client=client, at_ns=at_ns, action=action, argument=value, node=node))
        return [*planned, *_final_questions(stage)]


@dataclass(frozen=True, kw_only=True)
class Duel:
    """Two clients propose at two nodes, at the same time, and nothing else happens.

    Attributes:
        minimum: see `system.Workload`; a duel has no answers.
    """

    minimum: Mapping[str, int] = field(default_factory=dict)

    def operations(self, stage: Stage, dice: Dice) -> Sequence[PlannedOperation]:
        """The two operations of a run."""
        rivals = dice.shuffled(stage.nodes)[:2]
        return [
            PlannedOperation(client=number, at_ns=stage.begin_ns, action="propose", argument=number + 1, node=node)
            for number, node in enumerate(rivals)
        ]


def _final_questions(stage: Stage) -> list[PlannedOperation]:
    return [
        PlannedOperation(client=number % stage.clients, at_ns=stage.final_ns, action="learn", node=node)
        for number, node in enumerate(stage.nodes)
    ]


BUDGET: Final = Budget(
    faults=frozenset(
        {
            *("loss", "duplication", "delay", "reordering", "heavy-tail", "bandwidth", "queue", "partition"),
            *("crash", "crash-loop", "pause", "slow-node"),
            *("fsync-error", "disk-full", "disk-slow", "read-error"),
            "clock-drift",
        }
    ),
    crashed_max="all",
    torn=True,
)
"""What Paxos survives, and Multi-Paxos: everything but a disk that loses what it has synced. No node reads a wall clock."""

SYSTEM: Final = System(
    name="paxos",
    variants={
        "reference": Variant(
            nodes=Paxos,
            client=PaxosClient,
            workloads={"decree": Decree(), "duel": Duel()},
            mutants=MUTANTS,
            settings=SETTINGS,
            ranges={"back_off_ns": back_off_ns},
        ),
    },
    budget=BUDGET,
)


# --- antecedents and bounds


def ballots(evidence: Evidence) -> list[Note]:
    """The promise that each proposer gave itself, ballot by ballot."""
    return [note for note in evidence.trace.of_kind("promised") if ballot_of(note)[1] == note.node]


def rivals(evidence: Evidence) -> int:
    """How many nodes began a ballot, besides one."""
    return max(0, len({note.node for note in ballots(evidence)}) - 1)


def ballots_after_decision(evidence: Evidence) -> int:
    """How many ballots were begun when somebody knew what is chosen."""
    decided = evidence.trace.of_kind("decided")
    return sum(note.time > decided[0].time for note in ballots(evidence)) if decided else 0


def ballots_after_heal(evidence: Evidence) -> int:
    """How many ballots were begun after the heal: until then nothing was chosen, or the proposer did not know what."""
    healed = heal_ns(evidence.history)
    return 0 if healed is None else sum(note.time >= healed for note in ballots(evidence))


def crashes_of_acceptors(evidence: Evidence) -> int:
    """How often a node crashed that had promised something."""
    bound: set[str] = set()
    count = 0
    for note in evidence.trace:
        if note.kind == "promised":
            bound.add(note.node)
        count += note.kind == "crash" and note.node in bound
    return count


def bound_ns(evidence: Evidence) -> int:
    """15 of the longest back-offs, and a client timeout."""
    told: Mapping[str, Any] = evidence.history.header.extra
    return 15 * attempt_ns(evidence) + int(told["client_timeout_ns"])


def attempt_ns(evidence: Evidence) -> int:
    """The longest back-off: after it, something happens at a proposer that has not given up."""
    told: Mapping[str, Any] = evidence.history.header.extra
    return int(told["settings"]["back_off_max_ns"])


def is_proposal(operation: Operation, _evidence: Evidence) -> bool:
    """Only a proposal is owed a decision."""
    return operation.action == "propose"


def trials(judge: Judge) -> Trials:
    """All claims but the duel share their runs."""
    return Trials(system="paxos", workload="decree", faults="storm", judge=judge)


GUIDE: Final = "guide, 2, takeaways: 'both ensure safety and liveness'"
SIMPLE: Final = "Lamport, Paxos Made Simple"

CLAIMS: Final = (
    Claim(
        id="paxos.agreement",
        chapter="consensus",
        kind="always",
        statement="No two nodes decide different values.",
        source=f"{SIMPLE}, 2.1: 'only a single value is chosen'; {GUIDE}",
        by=trials(Agreement()),
        antecedent=rivals,
        variants=("reference",),
    ),
    Claim(
        id="paxos.validity",
        chapter="consensus",
        kind="always",
        statement="Only a value that was proposed is decided.",
        source=f"{SIMPLE}, 2.1; {GUIDE}",
        by=trials(Validity()),
        variants=("reference",),
    ),
    Claim(
        id="paxos.one_answer",
        chapter="consensus",
        kind="always",
        statement="All clients that are told a value are told the same, and somebody proposed it.",
        source=f"{SIMPLE}, 2.1 and 2.3",
        by=trials(on_history(OneAnswer())),
        variants=("reference",),
    ),
    Claim(
        id="paxos.promises_kept",
        chapter="consensus",
        kind="always",
        statement="An acceptor accepts nothing below what it has promised, and its promises never go back, across restarts.",
        source=f"{SIMPLE}, 2.2, P1a, and 2.5",
        by=trials(PromisesKept()),
        antecedent=crashes_of_acceptors,
        variants=("reference",),
    ),
    Claim(
        id="paxos.one_value_per_ballot",
        chapter="consensus",
        kind="always",
        statement="At one ballot only one value is accepted.",
        source="Lamport, The Part-Time Parliament, B1; Paxos Made Simple, 2.2",
        by=trials(OneValuePerBallot()),
        antecedent=rivals,
        variants=("reference",),
    ),
    Claim(
        id="paxos.chosen_by_quorum",
        chapter="consensus",
        kind="always",
        statement="What is decided was accepted by a majority at one ballot.",
        source=f"{SIMPLE}, 2.2",
        by=trials(ChosenByQuorum()),
        variants=("reference",),
    ),
    Claim(
        id="paxos.chosen_stays",
        chapter="consensus",
        kind="always",
        statement="Once a value is chosen, every higher ballot that is accepted has that value.",
        source=f"{SIMPLE}, 2.2, P2a and P2c",
        by=trials(ChosenStays()),
        antecedent=ballots_after_decision,
        variants=("reference",),
    ),
    Claim(
        id="paxos.terminates",
        chapter="consensus",
        kind="eventually",
        statement="Once a majority is up and connected, whoever proposes learns what is chosen, if all propose at one node.",
        source=f"{SIMPLE}, 2.4; {GUIDE}",
        by=trials(Progress(bound=bound_ns, period=attempt_ns, counts=is_proposal)),
        antecedent=ballots_after_heal,
        bound="15 longest back-offs and a client timeout after the heal",
        variants=("reference",),
    ),
    Claim(
        id="paxos.duel",
        chapter="consensus",
        kind="sometimes",
        statement="Without a back-off, two proposers can keep each other from deciding for as long as the run lasts.",
        source=f"{SIMPLE}, 2.4: 'two proposers each keep issuing a sequence of proposals'",
        by=Trials(
            system="paxos",
            workload="duel",
            faults="calm",
            judge=DecidesAmongRivals(),
            settings={"back_off": False, "retry_ns": 100 * SECOND},
        ),
        variants=("reference",),
    ),
)
