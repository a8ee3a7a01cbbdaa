"""The lattice of consistency models: what the data says, and what follows from verdicts."""

from __future__ import annotations

from importlib import import_module

import networkx as nx
import pytest

from upheld.histories.errors import UsageError
from upheld.specs.consistency import (
    ANOMALIES,
    AXIOMS,
    MODELS,
    Contradiction,
    consistency,
    frontier,
    refuting,
    spread,
    stronger,
    weaker,
)
from upheld.specs.consistency.lattice import graph

IMPLIED = [
    ("linearizable", "sequential"),
    ("sequential", "causal.memory"),
    ("sequential", "causal.convergence"),
    ("causal.memory", "fifo.pram"),
    ("causal.memory", "causal.weak"),
    ("causal.convergence", "session.read-your-writes"),
    ("isolation.serializable.strict", "linearizable"),
    ("isolation.serializable.strong-session", "isolation.causal"),
    ("isolation.snapshot.strong-session", "isolation.snapshot.parallel"),
    ("isolation.causal", "causal.convergence"),
]
NOT_IMPLIED = [
    ("causal.convergence", "fifo.pram"),
    ("causal.convergence", "causal.memory"),
    ("causal.memory", "causal.convergence"),
    ("causal.weak", "session.read-your-writes"),
    ("fifo.pram", "session.three.global"),
    ("isolation.serializable", "isolation.causal"),
    ("isolation.snapshot", "isolation.read-atomic"),
    ("isolation.repeatable-read", "isolation.consistent-view"),
]


def test_nothing_implies_itself_by_a_detour() -> None:
    assert nx.is_directed_acyclic_graph(graph())


def test_no_implication_is_written_that_follows_from_others() -> None:
    assert set(nx.transitive_reduction(graph()).edges) == set(graph().edges)


def test_models_name_axioms_anomalies_and_models_that_there_are() -> None:
    for model in MODELS.values():
        assert set(model.axioms) <= set(AXIOMS), model.id
        assert set(model.refuted_by) <= set(ANOMALIES), model.id
        assert set(model.implies) <= set(MODELS), model.id
        assert model.source, model.id


def test_every_axiom_and_every_kind_of_anomaly_belongs_to_a_model() -> None:
    assert {axiom for model in MODELS.values() for axiom in model.axioms} == set(AXIOMS)
    assert {kind for model in MODELS.values() for kind in model.refuted_by} == set(ANOMALIES)


@pytest.mark.parametrize(("strong", "weak"), IMPLIED)
def test_what_implies_what(strong: str, weak: str) -> None:
    assert weak in weaker(strong)
    assert strong in stronger(weak)


@pytest.mark.parametrize(("one", "other"), NOT_IMPLIED)
def test_what_is_often_said_to_imply_and_does_not(one: str, other: str) -> None:
    assert other not in weaker(one)


def test_a_model_is_refuted_by_the_anomalies_of_all_weaker_ones() -> None:
    assert {"thin-air-read", "overwritten-read", "cyclic-arbitration"} <= set(refuting("causal.convergence"))
    assert "cyclic-arbitration" not in refuting("causal.memory")


def test_refuted_spreads_up_and_upheld_spreads_down() -> None:
    told = spread({"causal.memory": "upheld", "causal.convergence": "refuted"})
    assert told["causal.weak"].word == "upheld"
    assert told["causal.weak"].because == "causal.memory"
    assert told["linearizable"].word == "refuted"
    assert told["causal.convergence"].because == "causal.convergence"
    assert "register.safe" not in told


def test_a_model_that_is_upheld_and_refuted_is_an_error_of_ours() -> None:
    with pytest.raises(Contradiction, match=r"causal\.memory is upheld, .* causal\.weak"):
        spread({"causal.weak": "refuted", "causal.memory": "upheld"})


def test_the_frontier_is_the_weakest_refuted_and_the_strongest_upheld() -> None:
    told = frontier(spread({"causal.memory": "upheld", "causal.convergence": "refuted"}))
    assert told.refuted == ("causal.convergence",)
    assert told.upheld == ("causal.memory",)


def test_a_short_name_is_refused_with_the_qualified_ones() -> None:
    with pytest.raises(UsageError, match=r"causal\.weak, causal\.memory, causal\.convergence"):
        consistency("causal")


def test_a_model_that_says_who_decides_it_names_a_module_of_checkers() -> None:
    deciders = {model.judge for model in MODELS.values()} - {""}
    assert deciders
    for judge in deciders:
        import_module(f"upheld.checkers.{judge}")
