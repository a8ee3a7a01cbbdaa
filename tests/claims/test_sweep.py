"""A campaign that keeps going counts every seed, gives one file whoever works it off, and can be taken up again."""

from __future__ import annotations

import json
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

from upheld.claims.registry import Docket, docket
from upheld.claims.results import SystemResult
from upheld.claims.verification import Sweep, run_system
from upheld.harness.engines import Engine, Local, engine
from upheld.harness.plan import Phases, Plan, PlannedOperation
from upheld.harness.store import Store
from upheld.harness.system import System, Variant
from upheld.harness.trial import run_plan
from upheld.histories.errors import UsageError

HERE = Path(__file__).parent
MB = 1 << 20

needs_dask = pytest.mark.skipif(find_spec("distributed") is None, reason="dask.distributed is not installed")
ENGINES = [("inline", 1), ("local", 1), ("local", 2), pytest.param("dask", 2, marks=needs_dask)]


@pytest.fixture(scope="module")
def known() -> Docket:
    return docket([str(HERE / "systems.py"), str(HERE / "doomed.py")])


def sweep(known: Docket, system: str, engine: str | Engine = "inline", **more: Any) -> SystemResult:
    swept = {name: more.pop(name) for name in ("results", "minimises", "share_min") if name in more}
    return run_system(system, docket=known, engine=engine, sweep=Sweep(**swept), **more)


def lines(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text().splitlines()]


CAMPAIGNS = [
    pytest.param(("counter", "as-written", 200), id="counter"),
    pytest.param(("chat", "reference", 40), id="chat"),
    pytest.param(("chat", "reference", 400), id="chat at length", marks=pytest.mark.long),
]


@pytest.fixture(scope="module", params=CAMPAIGNS)
def campaign(request: pytest.FixtureRequest) -> dict[str, Any]:
    system, variant, runs = request.param
    return {"system": system, "variant": variant, "runs": runs, "minimises": False}


@pytest.fixture(scope="module")
def expected(campaign: dict[str, Any], known: Docket, tmp_path_factory: pytest.TempPathFactory) -> bytes:
    path = tmp_path_factory.mktemp("whole") / "results.jsonl"
    sweep(known, results=path, **campaign)
    return path.read_bytes()


@pytest.mark.parametrize(("name", "jobs"), ENGINES)
def test_the_file_is_the_same_whoever_works_the_seeds_off(
    name: str, jobs: int, campaign: dict[str, Any], expected: bytes, known: Docket, tmp_path: Path
) -> None:
    path = tmp_path / "results.jsonl"
    sweep(known, engine=engine(name, jobs=jobs), results=path, **campaign)
    assert path.read_bytes() == expected
    assert len(lines(path)) == campaign["runs"] + 1


def test_what_is_gone_on_with_gives_the_same_file_and_the_same_rows(
    campaign: dict[str, Any], expected: bytes, known: Docket, tmp_path: Path
) -> None:
    path, whole = tmp_path / "results.jsonl", tmp_path / "whole.jsonl"
    path.write_bytes(expected[: len(expected) * 2 // 3])
    resumed = sweep(known, engine="local", jobs=2, results=path, **campaign)
    assert path.read_bytes() == expected
    whole.write_bytes(expected)
    assert resumed == sweep(known, results=whole, **campaign)


def test_a_finished_file_is_summed_up_and_no_run_is_made_but_the_first(known: Docket, tmp_path: Path) -> None:
    path = tmp_path / "results.jsonl"
    first = sweep(known, "counter", results=path, runs=20, minimises=False)
    text = path.read_text().replace('"operations":3', '"operations":1003')
    path.write_text(text)
    again = sweep(known, "counter", results=path, runs=20, minimises=False)
    more = [row.operations for row in again.claims]
    assert more != [row.operations for row in first.claims]
    assert path.read_text() == text


def test_all_runs_that_fail_are_counted_and_the_first_is_made_minimal(known: Docket, tmp_path: Path) -> None:
    found = sweep(known, "counter", variant="as-written", runs=40, store=Store(tmp_path / "runs"))
    (row,) = (row for row in found.claims if row.verdict == "refuted")
    (failure,) = row.failures
    assert failure.anomaly == row.anomaly == "count-repeats"
    assert failure.runs > 1
    assert row.reason == f"{failure.runs} runs refute it"
    assert (row.plan_operations, row.seed) == (4, failure.seed)
    assert row.replay == failure.replay
    assert row.replay is not None


def test_it_may_leave_failures_as_they_are(known: Docket) -> None:
    found = sweep(known, "counter", variant="as-written", runs=40, minimises=False)
    (row,) = (row for row in found.claims if row.verdict == "refuted")
    assert (row.plan_operations, row.replay, row.story) == (None, None, ())
    assert row.seed is not None


def test_the_runs_of_a_group_are_told_with_the_faults_that_never_fired(known: Docket) -> None:
    (group,) = sweep(known, "chat", runs=1, seed=1, minimises=False).groups
    assert (group.system, group.workload, group.profile, group.runs) == ("chat", "conversation", "storm", 1)
    assert group.completed + sum(group.unproven.values()) == 1
    assert {"crash", "loss", "delay"} <= group.faults.keys()
    assert 0 in group.faults.values()


def test_a_kind_of_fault_that_never_fires_leaves_claims_undecided(known: Docket) -> None:
    found = sweep(known, "chat", runs=1, seed=1, minimises=False)
    reasons = [row.reason for row in found.claims if row.verdict == "undecided" and row.runs]
    assert reasons
    assert all("changed anything in any run" in reason for reason in reasons)


def test_too_small_a_share_of_runs_that_prove_something_leaves_claims_undecided(known: Docket, tmp_path: Path) -> None:
    path = tmp_path / "results.jsonl"
    sweep(known, "counter", results=path, runs=20)
    header, *rest = path.read_text().splitlines(keepends=True)
    lacking = [line.replace('"judged"', '"lacking":"only 0 of 1 add completed","judged"') for line in rest[10:]]
    path.write_text("".join([header, *rest[:10], *lacking]))
    rows = {
        share: next(
            row
            for row in sweep(known, "counter", results=path, runs=20, share_min=share).claims
            if row.id == "counter.counts"
        )
        for share in (0.5, 0.51)
    }
    assert rows[0.5].verdict == "upheld"
    assert rows[0.51].reason == ("only 50.0 % of 20 runs completed the workload's minimum while faults acted, not 51 %")


@pytest.mark.parametrize(
    ("asked", "says"),
    [
        ({"runs": 21}, "runs is 20 there and 21 here"),
        ({"seed": 1}, "seed is 0 there and 1 here"),
        ({"variant": "as-written"}, 'variant is "reference" there and "as-written" here'),
        ({"nodes": 1}, "nodes is null there and 1 here"),
        ({"mutants": ["stops-counting"]}, r'mutants is \[\] there and \["stops-counting"\] here'),
    ],
)
def test_other_arguments_than_those_of_the_file_are_named(
    asked: dict[str, Any], says: str, known: Docket, tmp_path: Path
) -> None:
    path = tmp_path / "results.jsonl"
    sweep(known, "counter", results=path, runs=20)
    with pytest.raises(UsageError, match=says):
        sweep(known, "counter", results=path, **{"runs": 20, **asked})


def test_results_of_other_code_are_not_gone_on_with(known: Docket, tmp_path: Path) -> None:
    path = tmp_path / "results.jsonl"
    sweep(known, "counter", results=path, runs=5)
    code = lines(path)[0]["campaign"]["code"]
    path.write_text(path.read_text().replace(code, "0" * len(code)))
    with pytest.raises(UsageError, match="code is"):
        sweep(known, "counter", results=path, runs=5)


def test_a_system_that_runs_differently_now_is_not_gone_on_with(known: Docket, tmp_path: Path) -> None:
    path = tmp_path / "results.jsonl"
    sweep(known, "counter", results=path, runs=5)
    digest = lines(path)[1]["runs"][0]["digest"]
    path.write_text(path.read_text().replace(digest, "0" * len(digest)))
    with pytest.raises(UsageError, match="was begun by another system: the first run of counter"):
        sweep(known, "counter", results=path, runs=5)


def test_seeds_that_end_their_worker_are_named_and_nothing_else_is_lost(known: Docket, tmp_path: Path) -> None:
    path = tmp_path / "results.jsonl"
    workers = Local(2, hang_s=8.0, memory_max=512 * MB)
    found = sweep(known, "doomed", engine=workers, results=path, runs=24)
    lost = {line["seed"]: line["lost"] for line in lines(path)[1:] if "lost" in line}
    assert lost == {
        5: "seed 5 hung for more than 8 s",
        11: "seed 11 killed its process (signal SIGKILL)",
        17: "seed 17 needed more than 512 MB of memory",
    }
    assert [line["seed"] for line in lines(path)[1:]] == list(range(24))
    (row,) = found.claims
    assert (row.runs, row.runs_undecided) == (21, 3)
    assert found.groups[0].unproven == dict.fromkeys(sorted(lost.values()), 1)


def test_a_lack_of_memory_in_a_node_ends_the_run_and_is_no_finding(known: Docket) -> None:
    reference = known.system("counter").variants["reference"]

    class Greedy(reference.nodes):  # type: ignore[name-defined, misc]  # the class that the variant has
        def add(self, out: object) -> None:
            raise MemoryError

    greedy = Variant(nodes=Greedy, client=reference.client, workloads=reference.workloads)
    system = System(name="greedy", variants={"reference": greedy}, budget=known.system("counter").budget)
    plan = Plan(
        system="greedy",
        nodes=1,
        operations=(PlannedOperation(0, 1, "add", node="n1"),),
        phases=Phases(0, 0, 0, 1_000_000_000),
    )
    with pytest.raises(MemoryError):
        run_plan(plan, system)
