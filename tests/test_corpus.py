"""What was kept is judged again: the folder of a history is its verdict, and a kept plan still refutes its claim.

A history with a plan beside it is that of the plan's run; any other one was written down or recorded for a model. One in
a folder `consistency` says in its header what it expects for models of the lattice: `"expect":{"causal.weak":"upheld"}`.
"""

from __future__ import annotations

from collections.abc import Iterable
from importlib import import_module
from pathlib import Path

import pytest

import upheld
from upheld.checkers.linearizability import check_linearizability
from upheld.checkers.verdict import Verdict, word
from upheld.claims.keeping import history_beside
from upheld.claims.registry import Docket, docket
from upheld.claims.verification import replay
from upheld.histories.files import read_history
from upheld.histories.values import thaw
from upheld.specs.consistency import MODELS

CORPUS = Path(str(upheld.__file__)).parent / "histories" / "corpus"
PLANS = sorted(CORPUS.rglob("*.plan.json"))
OF_PLANS = [(path, history) for path in PLANS if (history := history_beside(path)).exists()]
OF_LATTICE = sorted(path for path in CORPUS.rglob("*.jsonl") if path.parent.name == "consistency")
HISTORIES = sorted({*CORPUS.rglob("*.jsonl")} - {*OF_LATTICE} - {history for _, history in OF_PLANS})


def name_of(path: Path) -> str:
    return path.relative_to(CORPUS).as_posix()


@pytest.fixture(scope="module")
def known() -> Docket:
    return docket()


@pytest.mark.parametrize("path", HISTORIES, ids=name_of)
def test_a_history_gets_the_verdict_of_its_folder(path: Path) -> None:
    assert word(check_linearizability(read_history(path))) == path.parent.name


@pytest.mark.parametrize("path", OF_LATTICE, ids=name_of)
def test_models_of_the_lattice_get_the_verdicts_that_a_history_expects(path: Path) -> None:
    history = read_history(path)
    expected = thaw(history.header.extra["expect"])
    assert expected
    got: dict[str, Verdict] = {}
    for judge, ids in by_judge(expected).items():
        got |= import_module(f"upheld.checkers.{judge}").decide(history, ids)
    assert {name: word(verdict) for name, verdict in got.items()} == expected


def by_judge(ids: Iterable[str]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for name in ids:
        found.setdefault(MODELS[name].judge, []).append(name)
    return found


@pytest.mark.parametrize("path", [*HISTORIES, *OF_LATTICE], ids=name_of)
def test_a_history_says_where_it_came_from_and_for_which_model_it_is(path: Path) -> None:
    header = read_history(path).header
    assert header.note
    assert header.model == path.parent.parent.name


@pytest.mark.parametrize("path", PLANS, ids=name_of)
def test_a_plan_refutes_its_claim_by_the_same_kind_of_anomaly(path: Path, known: Docket) -> None:
    replayed = replay(path, docket=known)
    expected = replayed.run.plan.expect.anomaly
    assert {row.id: row.anomaly for row in replayed.results if row.verdict == "refuted"} == expected
    assert path.parent.name == "refuted"
    assert path.parent.parent.name == replayed.run.plan.system


@pytest.mark.parametrize("path", PLANS, ids=name_of)
def test_a_plan_gives_the_run_that_it_gave_when_it_was_kept(path: Path, known: Docket) -> None:
    replayed = replay(path, docket=known)
    assert replayed.digest == replayed.expected != ""


@pytest.mark.parametrize(("path", "kept"), OF_PLANS, ids=name_of)
def test_a_history_beside_a_plan_is_that_of_its_run_and_says_where_it_came_from(
    path: Path, kept: Path, known: Docket
) -> None:
    run, history = replay(path, docket=known).run, read_history(kept)
    assert history == run.evidence.history
    assert (history.header.system, history.header.variant) == (run.plan.system, run.plan.variant)
    (claim,) = run.plan.claims
    built = "+".join((run.plan.variant, *run.plan.mutants))
    assert str(history.header.note).startswith(f"the minimal failure of {claim} in {run.plan.system} {built}")
