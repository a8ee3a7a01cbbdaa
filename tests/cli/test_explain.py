"""`upheld explain`: what a model promises, what follows from it, and what an anomaly refutes."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from upheld.specs.consistency import MODELS


def test_a_model_is_told_with_its_axioms_and_its_place_in_the_lattice(upheld: Callable[..., Any]) -> None:
    told = upheld("explain", "causal.convergence")
    assert told.status == 0
    assert "causal-visibility: whoever sees an operation sees its causes [hb in vis]" in told.out
    assert "linearizable" in told.out
    assert "fifo.pram" not in told.out


def test_an_anomaly_is_told_with_the_models_that_it_refutes(upheld: Callable[..., Any]) -> None:
    told = json.loads(upheld("explain", "thin-air-read", "--json").out)
    assert told["anomaly"] == "thin-air-read"
    assert {"causal.no-circularity", "linearizable"} <= set(told["refutes"])
    assert "eventual.visibility" not in told["refutes"]


def test_a_name_that_stands_for_several_models_is_refused_with_all_of_them(upheld: Callable[..., Any]) -> None:
    told = upheld("explain", "snapshot")
    assert told.status == 2
    assert "isolation.snapshot.strong-session" in told.err


def test_who_decides_a_model_and_at_which_cost_is_told_by_explain_and_list(upheld: Callable[..., Any]) -> None:
    listed = json.loads(upheld("list", "consistency", "--json").out)["consistency"]
    assert [row["consistency"] for row in listed] == list(MODELS)
    for row in listed:
        model = MODELS[row["consistency"]]
        told = json.loads(upheld("explain", model.id, "--json").out)
        assert row["decided by"] == told["decided by"] == (model.judge or "no judge yet")
        assert told["cost"] == model.cost
        assert len(told["demands"]) == len(model.axioms)
    assert {"linearizability", "no judge yet"} <= {row["decided by"] for row in listed}
