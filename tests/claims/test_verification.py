"""Claims are put to the test by rules: who is upheld, refuted or undecided, on how much, and with which minimal plan."""

from __future__ import annotations

from pathlib import Path

import pytest

from upheld.claims.registry import Docket, docket
from upheld.claims.results import ClaimResult
from upheld.claims.verification import replay, run_system, verify
from upheld.harness.store import Store
from upheld.histories.errors import UsageError
from upheld.histories.files import read_history

HERE = str(Path(__file__).parent / "systems.py")


@pytest.fixture(scope="module")
def counters() -> Docket:
    return docket([HERE])


@pytest.fixture(scope="module")
def rows(counters: Docket, tmp_path_factory: pytest.TempPathFactory) -> dict[tuple[str, str], ClaimResult]:
    found = verify(
        counters.select(["counter.counts", "counter.five", "counter.arithmetic", "counter.both"]),
        docket=counters,
        variants=("reference", "as-written"),
        runs=20,
        engine="inline",
        store=Store(tmp_path_factory.mktemp("runs")),
    )
    return {(row.id, row.variant): row for row in found}


class TestAlways:
    def test_it_is_upheld_on_enough_runs_in_which_it_was_at_risk(
        self, rows: dict[tuple[str, str], ClaimResult]
    ) -> None:
        row = rows["counter.counts", "reference"]
        assert row.verdict == "upheld"
        assert row.runs >= 20
        assert row.failure_rate_below == pytest.approx(1 - 0.05 ** (1 / row.runs))

    def test_runs_in_which_it_was_not_at_risk_are_counted_apart(self, rows: dict[tuple[str, str], ClaimResult]) -> None:
        assert rows["counter.counts", "reference"].runs_vacuous > 0

    def test_one_run_refutes_it_and_the_plan_is_minimal(self, rows: dict[tuple[str, str], ClaimResult]) -> None:
        row = rows["counter.counts", "as-written"]
        assert (row.verdict, row.anomaly) == ("refuted", "count-repeats")
        assert (row.plan_operations, row.plan_faults) == (4, 0)
        assert row.story == ("the counts are [1, 2, 3, 3]",)

    def test_too_few_runs_leave_it_undecided(self, counters: Docket) -> None:
        claims = counters.select(["counter.counts"])
        (row,) = verify(claims, docket=counters, runs=1_000, engine="inline", budget_s=0.0)
        assert row.verdict == "undecided"
        assert "of 1000 that it needs, and the time was up" in row.reason


class TestSometimes:
    def test_one_run_shows_it(self, rows: dict[tuple[str, str], ClaimResult]) -> None:
        row = rows["counter.five", "reference"]
        assert (row.verdict, row.plan_operations) == ("upheld", 5)

    def test_none_that_shows_it_leaves_it_undecided(self, rows: dict[tuple[str, str], ClaimResult]) -> None:
        row = rows["counter.five", "as-written"]
        assert row.verdict == "undecided"
        assert "do not show it" in row.reason


def test_an_examination_needs_no_runs(rows: dict[tuple[str, str], ClaimResult]) -> None:
    row = rows["counter.arithmetic", "reference"]
    assert (row.verdict, row.runs, row.reason) == ("upheld", 0, "by addition")
    assert ("counter.arithmetic", "as-written") not in rows


def test_a_derived_claim_follows_from_others(rows: dict[tuple[str, str], ClaimResult]) -> None:
    assert rows["counter.both", "reference"].verdict == "upheld"


def test_the_result_does_not_depend_on_the_number_of_processes(counters: Docket) -> None:
    def with_jobs(engine: str, jobs: int) -> list[ClaimResult]:
        claims = counters.select(["counter.counts"])
        return verify(claims, docket=counters, variants=("reference", "as-written"), runs=10, engine=engine, jobs=jobs)

    assert with_jobs("inline", 1) == with_jobs("local", 2)


def test_running_a_mutant_finds_the_lowest_seed_and_shrinks_it(counters: Docket, tmp_path: Path) -> None:
    found = run_system(
        "counter", docket=counters, mutants=["stops-counting"], runs=50, engine="inline", store=Store(tmp_path)
    )
    (refuted,) = (row for row in found.claims if row.verdict == "refuted")
    assert refuted.id == "counter.counts"
    assert refuted.replay is not None
    assert refuted.replay.startswith("upheld replay /")


def test_a_minimal_failure_replays_to_the_same_digest(
    counters: Docket, rows: dict[tuple[str, str], ClaimResult]
) -> None:
    row = rows["counter.counts", "as-written"]
    assert row.plan is not None
    replayed = replay(Path(row.plan), docket=counters)
    assert replayed.digest == replayed.expected == row.digest
    assert [(each.id, each.verdict) for each in replayed.results] == [("counter.counts", "refuted")]


def test_its_history_is_kept_beside_it(rows: dict[tuple[str, str], ClaimResult]) -> None:
    row = rows["counter.counts", "as-written"]
    assert row.history is not None
    assert len(read_history(row.history).operations) == row.plan_operations


@pytest.mark.parametrize(
    ("named", "message"),
    [
        ({"variant": "as-meant"}, "has no variant 'as-meant'; it has reference, as-written"),
        ({"mutants": ["stops-countin"]}, "has no mutant 'stops-countin'; it has stops-counting"),
        ({"engine": "steam"}, "there is no engine 'steam'; there are inline, local, dask"),
    ],
)
def test_what_does_not_exist_is_named_with_what_does(counters: Docket, named: dict[str, str], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        run_system("counter", docket=counters, **{"engine": "inline", **named})  # type: ignore[arg-type]  # by name
