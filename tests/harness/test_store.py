"""Runs are kept whole, under a name, and the one in progress grows line by line."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path

import pytest

from upheld.harness.plan import PlannedOperation, read_plan
from upheld.harness.store import Store, clear_running
from upheld.harness.trial import Run, run_plan
from upheld.histories.codecs import jsonl
from upheld.histories.errors import UsageError
from upheld.histories.files import find_histories, read_history, read_trace
from upheld.histories.history import Header

toys = import_module("toys")
COUNTERS, plan_of = toys.COUNTERS, toys.plan_of

REFUTED = {"claim": "counter.counts", "verdict": "refuted", "anomaly": {"kind": "count-repeats"}}


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "runs")


@pytest.fixture(scope="module")
def run() -> Run:
    adds = [PlannedOperation(0, at_ns, "add", argument=1, node="n1") for at_ns in (1, 2, 3)]
    return run_plan(plan_of(operations=adds), COUNTERS)


def test_a_kept_run_reads_back_as_it_was(store: Store, run: Run) -> None:
    folder = store.keep("first", run, [REFUTED])
    assert read_plan(folder / "plan.json") == run.plan
    assert read_history(folder / "history.jsonl") == run.evidence.history
    assert list(read_trace(folder / "trace.jsonl")) == list(run.evidence.trace)


def test_the_same_run_gives_the_same_bytes(store: Store, run: Run) -> None:
    def content(name: str) -> dict[str, bytes]:
        folder = store.keep(name, run_plan(run.plan, COUNTERS), [REFUTED])
        return {path.name: path.read_bytes() for path in folder.iterdir()}

    assert content("one") == content("two")


def test_a_list_tells_verdicts_and_sizes(store: Store, run: Run) -> None:
    store.keep("first", run, [REFUTED])
    (kept,) = store.runs()
    assert (kept.run, kept.verdicts, kept.anomalies) == (
        "first",
        {"counter.counts": "refuted"},
        {"counter.counts": "count-repeats"},
    )
    assert (kept.operations, kept.faults) == run.plan.size


def test_latest_is_the_last_one_that_was_kept(store: Store, run: Run) -> None:
    store.keep("first", run, [])
    second = store.keep("second", run, [])
    assert store.find("latest") == second.resolve()


@pytest.mark.parametrize("name", ["third", "toy/third"])
def test_a_run_that_is_not_there_is_asked_for_in_vain(store: Store, run: Run, name: str) -> None:
    store.keep("first", run, [])
    with pytest.raises(UsageError, match="holds no run"):
        store.find(name)


def test_a_run_in_progress_can_be_read_line_by_line(store: Store, run: Run) -> None:
    with store.stream(run.plan) as history:
        run_plan(run.plan, COUNTERS, history=history)
        (path,) = store.root.glob("*/running-*/history.jsonl")
        assert read_history(path) == run.evidence.history
    assert [kept.is_running for kept in store.runs()] == [True]


def test_until_a_run_has_its_first_line_the_history_of_the_run_before_stays(
    store: Store, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    with store.stream(run.plan) as history:
        run_plan(run.plan, COUNTERS, history=history)

    def killed(header: Header) -> bytes:
        raise KeyboardInterrupt

    monkeypatch.setattr(jsonl, "encode_header", killed)
    with pytest.raises(KeyboardInterrupt), store.stream(run.plan):
        pytest.fail("it has begun")
    (path,) = store.root.glob("*/running-*/history.jsonl")
    assert read_history(path) == run.evidence.history
    assert find_histories(store.root) == [path]


def test_what_was_in_progress_is_cleared_away_by_the_process_that_began_it(store: Store, run: Run) -> None:
    folder = store.keep("first", run, [])
    clear_running(store)
    assert [kept.folder for kept in store.runs()] == [folder]
