"""Raft on trial: the reference keeps its claims under storms, each mutant breaks one, the guide's code breaks many."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cache

import pytest

from upheld.checkers.verdict import Refuted
from upheld.claims.claim import Claim, Trials
from upheld.claims.consensus.raft import CLAIMS, SYSTEM
from upheld.claims.consensus.risks import (
    crashes_after_acknowledgement,
    elections_after_commit,
    leader_changes,
    leader_crashes,
    retried_writes,
    writes_elsewhere,
)
from upheld.harness.swarm import generate_plan
from upheld.harness.system import kebab
from upheld.harness.trial import Run, run_plan
from upheld.histories.event import Event, Kind
from upheld.histories.evidence import Evidence
from upheld.histories.history import History
from upheld.histories.trace import FACTS, Note, Trace

BY_ID = {claim.id: claim for claim in CLAIMS}
SEEDS = 40

KILLERS: Mapping[str, tuple[str, ...]] = {
    "consensus.agreement": ("no-log-freshness-check",),
    "consensus.validity": ("follower-accepts",),
    "consensus.decides": ("never-times-out",),
    "raft.election_safety": ("votes-twice",),
    "raft.leader_append_only": ("leader-truncates",),
    "raft.log_matching": ("no-consistency-check",),
    "raft.leader_completeness": ("no-log-freshness-check",),
    "raft.state_machine_safety": ("applies-before-commit",),
    "raft.apply_in_order": ("applies-twice",),
    "raft.linearizable": ("reads-local-state", "answers-before-commit"),
    "raft.durable": ("log-not-persisted", "truncates-matching-entries"),
    "raft.leader_only_writes": ("follower-accepts",),
    "raft.reelection": ("never-times-out",),
    "raft.available_with_majority": ("no-retransmission",),
    "raft.at_most_once": ("no-duplicate-detection",),
}
"""What each claim must refute, within SEEDS."""

RARE: Mapping[str, str] = {
    "vote-not-persisted": "raft.election_safety",
    "counts-a-stale-grant": "raft.election_safety",
    "commits-old-term-by-counting": "raft.leader_completeness",
}
"""What takes hundreds of seeds."""


@cache
def run(seed: int, variant: str = "reference", mutant: str = "") -> Run:
    mutants = (mutant,) if mutant else ()
    plan = generate_plan(SYSTEM, variant=variant, mutants=mutants, workload="key-value", profile="storm", seed=seed)
    return run_plan(plan, SYSTEM)


def is_refuted(claim: Claim, evidence: Evidence) -> bool:
    assert isinstance(claim.by, Trials)
    return isinstance(claim.by.judge(evidence), Refuted)


def refuted_by(claim: Claim, seeds: int, *, variant: str = "reference", mutant: str = "") -> Iterator[int]:
    """The seeds whose runs refute the claim."""
    return (seed for seed in range(seeds) if is_refuted(claim, run(seed, variant, mutant).evidence))


# --- the reference


@pytest.mark.parametrize("claim", CLAIMS, ids=lambda claim: claim.id)
def test_the_reference_keeps_its_claim(claim: Claim) -> None:
    assert list(refuted_by(claim, SEEDS)) == []


@pytest.mark.parametrize("claim", CLAIMS, ids=lambda claim: claim.id)
def test_the_claim_is_at_risk_in_many_runs(claim: Claim) -> None:
    antecedent = claim.antecedent
    if antecedent is not None:
        assert sum(antecedent(run(seed).evidence) > 0 for seed in range(SEEDS)) >= SEEDS // 4


def test_no_handler_of_the_reference_raises() -> None:
    assert [run(seed).findings for seed in range(SEEDS) if run(seed).findings] == []


def test_clusters_of_every_size_are_tried_and_answer_while_faults_act() -> None:
    runs = [run(seed) for seed in range(SEEDS)]
    assert {1, 2, 3, 4, 5} <= {each.plan.nodes for each in runs}
    assert all(sum(each.busy.get(action, 0) for each in runs) > SEEDS for action in ("get", "put", "delete", "cas"))


@pytest.mark.parametrize("variant", sorted(SYSTEM.variants))
def test_every_note_has_the_facts_that_are_listed(variant: str) -> None:
    for seed in range(10):
        for note in run(seed, variant).evidence.trace:
            assert len(note.facts) == len(FACTS[note.kind]), note


# --- mutants


@pytest.mark.parametrize(
    ("claim", "mutant"), [(claim, mutant) for claim, mutants in KILLERS.items() for mutant in mutants]
)
def test_the_claim_kills_its_mutant(claim: str, mutant: str) -> None:
    assert next(refuted_by(BY_ID[claim], SEEDS, mutant=mutant), None) is not None


@pytest.mark.long
@pytest.mark.parametrize(("mutant", "claim"), RARE.items())
def test_rare_mutants_are_killed_too(mutant: str, claim: str) -> None:
    assert next(refuted_by(BY_ID[claim], 4000, mutant=mutant), None) is not None


def test_every_claim_has_a_killer_and_every_mutant_a_claim() -> None:
    mutants = {kebab(mutant.__name__) for mutant in SYSTEM.variants["reference"].mutants}
    named = {mutant for mutants in KILLERS.values() for mutant in mutants} | set(RARE)
    assert set(KILLERS) == set(BY_ID)
    assert mutants - named == {"accepts-stale-leader"}
    assert next(refuted_by(BY_ID["raft.leader_completeness"], SEEDS, mutant="accepts-stale-leader"), None) is not None


# --- the guide's code


@pytest.mark.parametrize(
    "claim",
    [
        "raft.linearizable",
        "raft.apply_in_order",
        "raft.durable",
        "raft.log_matching",
        "raft.leader_completeness",
        "raft.election_safety",
        "raft.at_most_once",
    ],
)
def test_the_guide_breaks_its_claim(claim: str) -> None:
    assert next(refuted_by(BY_ID[claim], SEEDS, variant="as-written"), None) is not None


# --- antecedents


def evidence(*notes: tuple[str, str], events: tuple[Event, ...] = ()) -> Evidence:
    trace = Trace([Note(at, node, kind) for at, (node, kind) in enumerate(notes)], nodes=("n1", "n2", "n3"))
    return Evidence(History.of_events(events), trace)


def test_a_leader_that_is_elected_again_is_no_change() -> None:
    assert leader_changes(evidence(("n1", "leads"), ("n1", "leads"), ("n2", "leads"))) == 1


def test_only_the_crash_of_the_node_elected_last_is_a_leader_crash() -> None:
    told = evidence(("n1", "crash"), ("n1", "leads"), ("n2", "crash"), ("n2", "leads"), ("n2", "crash"))
    assert leader_crashes(told) == 1


def test_what_happened_before_the_first_commit_or_acknowledgement_puts_nothing_at_risk() -> None:
    told = evidence(
        ("n1", "leads"), ("n1", "crash"), ("n2", "leads"), ("n2", "committed"), ("n3", "leads"), ("n3", "acknowledged"),
        ("n3", "crash"),
    )  # fmt: skip
    assert (elections_after_commit(told), crashes_after_acknowledgement(told)) == (1, 1)


def test_writes_to_another_node_than_the_leader_are_counted() -> None:
    events = (
        Event(process=0, kind=Kind.INVOKE, action="put", key="x", value=1, time=5, node="n2"),
        Event(process=1, kind=Kind.INVOKE, action="put", key="x", value=2, time=5, node="n1"),
        Event(process=2, kind=Kind.INVOKE, action="get", key="x", time=5, node="n2"),
        Event(process=3, kind=Kind.INVOKE, action="put", key="x", value=3, time=5),
    )
    assert writes_elsewhere(evidence(("n1", "leads"), events=events)) == 1


def test_retries_of_writes_are_counted() -> None:
    events = tuple(Event(process="retries", kind=Kind.INFO, action=action, key="x") for action in ("put", "get"))
    assert retried_writes(evidence(events=events)) == 1
