"""Raft on trial: the reference keeps its claims under storms, each mutant breaks one, the guide's code breaks many."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cache, partial
from typing import Any

import pytest

from upheld.checkers.verdict import Refuted
from upheld.claims.claim import Claim, Trials
from upheld.claims.consensus.raft import CLAIMS, SYSTEM
from upheld.claims.consensus.risks import (
    changes_under_faults,
    crashes_after_acknowledgement,
    elections_after_commit,
    leader_changes,
    leader_crashes,
    retried_writes,
    writes_elsewhere,
)
from upheld.harness.hearing import without
from upheld.harness.swarm import generate_plan
from upheld.harness.system import kebab
from upheld.harness.trial import Run, run_plan
from upheld.histories.event import Event, Kind
from upheld.histories.evidence import Evidence
from upheld.histories.history import History
from upheld.histories.trace import FACTS, Note, Trace

BY_ID = {claim.id: claim for claim in CLAIMS}
SEEDS = 40
WITNESSES = 80
"""Within so many seeds what may happen does."""

ALSO: Mapping[str, tuple[str, ...]] = {
    "consensus.agreement": ("no-log-freshness-check",),
    "consensus.validity": ("follower-accepts",),
    "consensus.decides": ("never-times-out",),
    "raft.election_safety": ("counts-a-stale-grant",),
    "raft.durable": ("truncates-matching-entries",),
    "raft.membership": ("removed-leader-counts-itself", "snapshot-drops-membership"),
    "raft.snapshots": ("commits-old-term-by-counting", "compacts-uncommitted", "installs-old-snapshots"),
}
"""What a claim refutes besides its killers."""

RARE = {"vote-not-persisted", "counts-a-stale-grant", "snapshot-drops-membership", "membership-without-commit"}
"""What takes more seeds than SEEDS, most of them hundreds."""


ALWAYS = [claim for claim in CLAIMS if claim.kind != "sometimes"]
SOMETIMES = [claim for claim in CLAIMS if claim.kind == "sometimes"]
each_claim = partial(pytest.mark.parametrize, "claim", ids=lambda claim: claim.id)


@cache
def run(
    seed: int,
    variant: str = "reference",
    mutants: tuple[str, ...] = (),
    profile: str = "storm",
    settings: tuple[tuple[str, Any], ...] = (),
) -> Run:
    plan = generate_plan(
        SYSTEM,
        variant=variant,
        mutants=mutants,
        workload="key-value",
        profile=profile,
        seed=seed,
        settings=dict(settings),
    )
    return run_plan(plan, SYSTEM)


def trials(claim: Claim) -> Trials:
    assert isinstance(claim.by, Trials)
    return claim.by


def run_of(claim: Claim, seed: int, variant: str = "reference", mutants: tuple[str, ...] = ()) -> Run:
    """The run of this seed in the group of the claim."""
    by = trials(claim)
    return run(seed, variant, mutants, by.faults, tuple(sorted(by.settings.items())))


def is_refuted(claim: Claim, evidence: Evidence) -> bool:
    return isinstance(trials(claim).judge(evidence), Refuted)


def refuted_by(claim: Claim, seeds: int, *, variant: str = "reference", mutant: str = "") -> Iterator[int]:
    """The seeds whose runs refute the claim; a mutant comes with what masks it switched off."""
    mutants = (mutant, *MASKS.get(mutant, ())) if mutant else ()
    return (seed for seed in range(seeds) if is_refuted(claim, run_of(claim, seed, variant, mutants).evidence))


MASKS = {
    kebab(mutant.__name__): tuple(kebab(mask.__name__) for mask in getattr(mutant, "masked_by", ()))
    for mutant in SYSTEM.variants["reference"].mutants
}


# --- the reference


@each_claim(ALWAYS)
def test_the_reference_keeps_its_claim(claim: Claim) -> None:
    assert list(refuted_by(claim, SEEDS)) == []


@each_claim(ALWAYS)
def test_the_claim_is_at_risk_in_many_runs(claim: Claim) -> None:
    antecedent = claim.antecedent
    if antecedent is not None:
        assert sum(antecedent(run_of(claim, seed).evidence) > 0 for seed in range(SEEDS)) >= SEEDS // 4


@pytest.mark.parametrize("variant", sorted(SYSTEM.variants))
@each_claim(SOMETIMES)
def test_what_may_happen_is_shown_and_is_gone_without_the_fault_that_is_blamed(claim: Claim, variant: str) -> None:
    blames = trials(claim).blames
    assert blames
    shown = (run_of(claim, seed, variant).plan for seed in refuted_by(claim, WITNESSES, variant=variant))
    assert any(not is_refuted(claim, run_plan(without(plan, blames), SYSTEM).evidence) for plan in shown)


def test_pre_vote_and_check_quorum_keep_a_leader_where_there_is_none_without_them() -> None:
    claim = BY_ID["raft.partial_connectivity"]
    witness = next(refuted_by(claim, WITNESSES))
    assert not is_refuted(claim, run(witness, profile="partition").evidence)


def test_settings_of_a_claim_are_those_of_its_plans() -> None:
    plan = run_of(BY_ID["raft.partial_connectivity"], 0).plan
    assert (plan.settings["pre_vote"], plan.settings["check_quorum"]) == (False, False)


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


def kills(claim: Claim) -> tuple[str, ...]:
    """The mutants that a claim must be seen to refute."""
    return (*claim.killers, *ALSO.get(claim.id, ()))


KILLS = [(claim, mutant) for claim in ALWAYS for mutant in kills(claim)]
each_kill = partial(pytest.mark.parametrize, ("claim", "mutant"), ids=lambda told: getattr(told, "id", told))


@each_kill([(claim, mutant) for claim, mutant in KILLS if mutant not in RARE])
def test_the_claim_kills_its_mutant(claim: Claim, mutant: str) -> None:
    assert next(refuted_by(claim, SEEDS, mutant=mutant), None) is not None


@pytest.mark.long
@each_kill([(claim, mutant) for claim, mutant in KILLS if mutant in RARE])
def test_rare_mutants_are_killed_too(claim: Claim, mutant: str) -> None:
    assert next(refuted_by(claim, 4000, mutant=mutant), None) is not None


def test_every_claim_that_must_hold_has_a_killer() -> None:
    assert [claim.id for claim in ALWAYS if not kills(claim)] == []


def test_every_mutant_that_is_rare_is_killed_by_some_claim() -> None:
    assert {mutant for _, mutant in KILLS} >= RARE


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


def test_a_change_of_the_members_counts_when_it_first_comes_into_force_while_a_fault_lasts() -> None:
    def configured(at: int, node: str, index: int) -> Note:
        return Note(at, node, "configured", (index, ("n1", "n2")))

    notes = [configured(0, "n1", 0), configured(2, "n1", 4), configured(6, "n2", 4), configured(7, "n1", 9)]
    events = (
        Event(process="nemesis", kind=Kind.INFO, action="crash", value=("n3",), time=5),
        Event(process="nemesis", kind=Kind.INFO, action="undo-crash", value=("n3",), time=8),
    )
    told = Evidence(History.of_events(events), Trace([*notes, configured(9, "n1", 12)], nodes=("n1", "n2", "n3")))
    assert changes_under_faults(told) == 1


def test_retries_of_writes_are_counted() -> None:
    events = tuple(Event(process="retries", kind=Kind.INFO, action=action, key="x") for action in ("put", "get"))
    assert retried_writes(evidence(events=events)) == 1
