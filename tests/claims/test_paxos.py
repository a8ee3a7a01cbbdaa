"""Paxos and Multi-Paxos on trial: the references keep their claims under storms, and each mutant breaks one."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import cache

import pytest

from upheld.checkers.verdict import Refuted, Upheld
from upheld.claims.claim import Claim, Trials
from upheld.claims.consensus import multipaxos, paxos
from upheld.claims.consensus.paxos import ballots_after_decision, ballots_after_heal, crashes_of_acceptors, rivals
from upheld.harness.swarm import generate_plan
from upheld.harness.system import System, kebab
from upheld.harness.trial import Run, run_plan
from upheld.histories.event import Event, Kind
from upheld.histories.evidence import Evidence
from upheld.histories.history import History
from upheld.histories.trace import FACTS
from upheld.testing.traces import trace

SYSTEMS: Mapping[str, System] = {"paxos": paxos.SYSTEM, "multipaxos": multipaxos.SYSTEM}
DUEL = next(claim for claim in paxos.CLAIMS if claim.id == "paxos.duel")
CLAIMS = [claim for claim in (*paxos.CLAIMS, *multipaxos.CLAIMS) if claim is not DUEL]
BY_ID = {claim.id: claim for claim in CLAIMS}
SEEDS: Mapping[str, int] = {"paxos": 80, "multipaxos": 40}

KILLERS: Mapping[str, tuple[str, ...]] = {
    "paxos.agreement": ("ignores-accepted-value", "acceptance-not-persisted", "ballots-collide"),
    "paxos.promises_kept": ("accepts-below-promise", "promises-backwards", "promise-not-persisted"),
    "paxos.one_answer": ("answers-before-decided",),
    "paxos.one_value_per_ballot": ("ballots-collide",),
    "paxos.chosen_by_quorum": ("minority-decides",),
    "paxos.chosen_stays": ("smallest-accepted-value",),
    "paxos.terminates": ("no-retransmission",),
    "multipaxos.agreement": ("ignores-accepted-value",),
    "multipaxos.promises_kept": ("accepts-below-promise", "promise-not-persisted"),
    "multipaxos.chosen_by_quorum": ("minority-decides",),
    "multipaxos.chosen_stays": ("acceptance-not-persisted",),
    "multipaxos.linearizable": ("answers-before-decided",),
    "multipaxos.durable": ("acceptance-not-persisted",),
    "multipaxos.at_most_once": ("no-duplicate-detection", "forgets-gaps"),
}
"""What each claim must refute, within SEEDS."""

RARE: Mapping[str, str] = {
    "leader-reads-without-quorum": "multipaxos.linearizable",
    "smallest-accepted-value": "multipaxos.chosen_stays",
    "counts-a-stale-promise": "paxos.chosen_stays",
}
"""What takes hundreds of seeds."""


def system_of(claim: Claim) -> str:
    assert isinstance(claim.by, Trials)
    return claim.by.system


@cache
def run(system: str, seed: int, mutant: str = "") -> Run:
    workload = {"paxos": "decree", "multipaxos": "key-value"}[system]
    mutants = (mutant,) if mutant else ()
    plan = generate_plan(SYSTEMS[system], mutants=mutants, workload=workload, profile="storm", seed=seed)
    return run_plan(plan, SYSTEMS[system])


def refuted_by(claim: Claim, seeds: int, *, mutant: str = "") -> Iterator[int]:
    """The seeds whose runs refute the claim."""
    assert isinstance(claim.by, Trials)
    judge = claim.by.judge
    return (seed for seed in range(seeds) if isinstance(judge(run(system_of(claim), seed, mutant).evidence), Refuted))


# --- the references


@pytest.mark.parametrize("claim", CLAIMS, ids=lambda claim: claim.id)
def test_the_reference_keeps_its_claim(claim: Claim) -> None:
    assert list(refuted_by(claim, SEEDS[system_of(claim)])) == []


@pytest.mark.parametrize("claim", CLAIMS, ids=lambda claim: claim.id)
def test_the_claim_is_at_risk_in_many_runs(claim: Claim) -> None:
    antecedent, seeds = claim.antecedent, SEEDS[system_of(claim)]
    if antecedent is not None:
        at_risk = sum(antecedent(run(system_of(claim), seed).evidence) > 0 for seed in range(seeds))
        assert at_risk >= seeds // 10


@pytest.mark.parametrize("system", SYSTEMS)
def test_no_handler_of_the_reference_raises(system: str) -> None:
    assert [seed for seed in range(SEEDS[system]) if run(system, seed).findings] == []


@pytest.mark.parametrize("system", SYSTEMS)
def test_every_note_has_the_facts_that_are_listed(system: str) -> None:
    for seed in range(10):
        for note in run(system, seed).evidence.trace:
            assert len(note.facts) == len(FACTS[note.kind]), note


def test_snapshots_are_made_and_installed() -> None:
    kinds = {note.kind for seed in range(SEEDS["multipaxos"]) for note in run("multipaxos", seed).evidence.trace}
    assert {"compacted", "installed"} <= kinds


# --- duels


def duel(seed: int, *, back_off: bool) -> Evidence:
    assert isinstance(DUEL.by, Trials)
    plan = generate_plan(
        paxos.SYSTEM,
        workload=DUEL.by.workload,
        profile=DUEL.by.faults,
        seed=seed,
        nodes=3,
        settings={**DUEL.by.settings, "back_off": back_off},
    )
    return run_plan(plan, paxos.SYSTEM).evidence


def test_two_proposers_duel_without_a_back_off_and_never_with_one() -> None:
    assert isinstance(DUEL.by, Trials)
    judge = DUEL.by.judge
    without = [judge(duel(seed, back_off=False)) for seed in range(10)]
    assert any(isinstance(verdict, Refuted) for verdict in without)
    backed_off = [judge(duel(seed, back_off=True)) for seed in range(10)]
    assert any(isinstance(verdict, Upheld) for verdict in backed_off)
    assert not any(isinstance(verdict, Refuted) for verdict in backed_off)


# --- mutants


@pytest.mark.parametrize(
    ("claim", "mutant"), [(claim, mutant) for claim, mutants in KILLERS.items() for mutant in mutants]
)
def test_the_claim_kills_its_mutant(claim: str, mutant: str) -> None:
    assert next(refuted_by(BY_ID[claim], SEEDS[system_of(BY_ID[claim])], mutant=mutant), None) is not None


@pytest.mark.long
@pytest.mark.parametrize(("mutant", "claim"), RARE.items())
def test_rare_mutants_are_killed_too(mutant: str, claim: str) -> None:
    assert next(refuted_by(BY_ID[claim], 1000, mutant=mutant), None) is not None


@pytest.mark.parametrize("system", SYSTEMS)
def test_every_mutant_has_a_claim_that_kills_it(system: str) -> None:
    mutants = {kebab(mutant.__name__) for mutant in SYSTEMS[system].variants["reference"].mutants}
    named = {mutant for claim, killed in KILLERS.items() if system_of(BY_ID[claim]) == system for mutant in killed}
    named |= {mutant for mutant, claim in RARE.items() if system_of(BY_ID[claim]) == system}
    assert mutants == named


# --- antecedents


def evidence(text: str, events: Sequence[Event] = ()) -> Evidence:
    return Evidence(History.of_events(events), trace(text))


def test_rivals_are_those_who_promise_their_own_ballots() -> None:
    assert rivals(evidence('n1 promised [1,"n1"]; n2 promised [1,"n1"]; n1 promised [2,"n1"]')) == 0
    assert rivals(evidence('n1 promised [1,"n1"]; n2 promised [2,"n2"]; n3 promised [3,"n3"]')) == 2


def test_what_is_chosen_is_at_risk_from_ballots_that_begin_later() -> None:
    assert ballots_after_decision(evidence('n1 promised [1,"n1"]; n1 decided 1 a; n2 promised [1,"n1"]')) == 0
    assert ballots_after_decision(evidence('n1 promised [1,"n1"]; n1 decided 1 a; n2 promised [2,"n2"]')) == 1


def test_only_crashes_of_nodes_that_have_promised_something_count() -> None:
    assert crashes_of_acceptors(evidence('n1 crash f; n1 promised [1,"n2"]; n2 crash f; n1 crash f')) == 1


def test_termination_is_at_risk_where_a_ballot_begins_after_the_heal() -> None:
    heal = [Event(process="phases", kind=Kind.INFO, action="heal", time=2_000_000)]
    assert ballots_after_heal(evidence('n1 promised [1,"n1"]', heal)) == 0
    assert ballots_after_heal(evidence('n1 start; n2 promised [1,"n1"]; n1 promised [1,"n1"]', heal)) == 1
