"""The chat on trial: the reference keeps its claims under storms, each mutant breaks one, the guide's code breaks most."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache

import pytest

from upheld.checkers.verdict import Refuted
from upheld.claims.claim import Claim, Trials
from upheld.claims.convergence.chat import CLAIMS, SYSTEM
from upheld.harness.swarm import generate_plan
from upheld.harness.system import kebab
from upheld.harness.trial import Run, run_plan
from upheld.histories.trace import FACTS

BY_ID = {claim.id: claim for claim in CLAIMS}
SEEDS = 40

KILLERS = {
    "chat.clock_condition": "no-merge",
    "chat.causal_order": "shows-on-arrival",
    "chat.delivered": "no-retry",
    "chat.no_duplicates": "no-deduplication",
}
"""What each claim must refute, within SEEDS."""


@cache
def run(seed: int, variant: str = "reference", mutant: str = "") -> Run:
    mutants = (mutant,) if mutant else ()
    plan = generate_plan(SYSTEM, variant=variant, mutants=mutants, workload="conversation", profile="storm", seed=seed)
    return run_plan(plan, SYSTEM)


def refuted_by(claim: Claim, *, variant: str = "reference", mutant: str = "") -> Iterator[int]:
    """The seeds whose runs the claim's judge refutes."""
    assert isinstance(claim.by, Trials)
    judge = claim.by.judge
    return (seed for seed in range(SEEDS) if isinstance(judge(run(seed, variant, mutant).evidence), Refuted))


@pytest.mark.parametrize("claim", [claim for claim in CLAIMS if claim.kind != "sometimes"], ids=lambda claim: claim.id)
def test_the_reference_keeps_its_claim(claim: Claim) -> None:
    assert list(refuted_by(claim)) == []


@pytest.mark.parametrize("variant", ["reference", "as-written"])
def test_concurrent_messages_are_shown_in_different_orders(variant: str) -> None:
    assert next(refuted_by(BY_ID["chat.concurrent_order"], variant=variant), None) is not None


@pytest.mark.parametrize("claim", CLAIMS, ids=lambda claim: claim.id)
def test_the_claim_is_at_risk_in_many_runs(claim: Claim) -> None:
    antecedent = claim.antecedent
    if antecedent is not None:
        assert sum(antecedent(run(seed).evidence) > 0 for seed in range(SEEDS)) >= SEEDS // 4


@pytest.mark.parametrize(("claim", "mutant"), KILLERS.items())
def test_the_claim_kills_its_mutant(claim: str, mutant: str) -> None:
    assert next(refuted_by(BY_ID[claim], mutant=mutant), None) is not None


def test_every_mutant_has_a_claim_that_must_kill_it() -> None:
    assert {kebab(mutant.__name__) for mutant in SYSTEM.variants["reference"].mutants} == set(KILLERS.values())


@pytest.mark.parametrize("claim", KILLERS)
def test_the_guides_code_breaks_the_claim(claim: str) -> None:
    assert next(refuted_by(BY_ID[claim], variant="as-written"), None) is not None


@pytest.mark.parametrize("variant", sorted(SYSTEM.variants))
def test_no_handler_raises_and_every_note_has_the_facts_that_are_listed(variant: str) -> None:
    for seed in range(10):
        assert run(seed, variant).findings == ()
        for note in run(seed, variant).evidence.trace:
            assert len(note.facts) == len(FACTS[note.kind]), note
