"""`upheld verify`, `run`, `replay`, `runs` and `show`, on the example of a system of one's own: a cell on one node."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from upheld import read_history

CELL = Path(__file__).resolve().parents[2] / "examples" / "cell.py"
INLINE = ("--engine", "inline")


@pytest.fixture
def refuted(upheld: Callable[..., Any]) -> dict[str, Any]:
    """The row of a claim about a cell that forgets, with its minimal plan in the store."""
    result = upheld("run", CELL, "--variant", "as-written", *INLINE, "--json")
    assert result.status == 1, result.err
    (row,) = json.loads(result.out)["claims"]
    assert isinstance(row, dict)
    return row


def test_verifying_prints_a_row_a_variant_and_a_story_below_what_is_refuted(upheld: Callable[..., Any]) -> None:
    result = upheld("verify", CELL, "--runs", "10", *INLINE)
    assert result.status == 0, result.err
    assert re.search(
        r"✓ upheld +cell\.linearizable  reference +10 runs, [\d,]+ operations; fails in .*; crash", result.out
    )
    assert re.search(r"✗ refuted +cell\.linearizable  as-written .*minimal: \d+ operations, \d+ faults?", result.out)
    assert "not linearizable" in result.out
    assert re.search(r"^    upheld replay /.*/plan\.json /.*/cell\.py$", result.out, re.MULTILINE)
    assert result.out.endswith("reference: 1 upheld; other variants: 1 refuted\n")


def test_verifying_as_json_tells_the_same(upheld: Callable[..., Any]) -> None:
    told = json.loads(upheld("verify", CELL, "--runs", "5", *INLINE, "--json").out)
    assert [row["variant"] for row in told["claims"]] == ["reference", "as-written"]
    assert [row["verdict"] for row in told["claims"]] == ["upheld", "refuted"]


def test_the_same_command_gives_the_same_rows(upheld: Callable[..., Any]) -> None:
    command = ("verify", CELL, "--runs", "5", "--json", "--seed", "3")
    first, second = (json.loads(upheld(*command, *engine).out) for engine in (INLINE, ("--jobs", "2")))
    assert first["claims"] == second["claims"]


VARIANTS = {
    "a refuted finding about another variant": (("--variant", "as-written"), 0),
    "references alone": (("--variant", "reference", "--runs", "5"), 0),
    "too few runs within the time": (("--variant", "reference", "--budget", "0.001s", "--runs", "100000"), 3),
}


@pytest.mark.parametrize("case", VARIANTS)
def test_the_exit_status_of_verify_is_about_references(case: str, upheld: Callable[..., Any]) -> None:
    options, status = VARIANTS[case]
    assert upheld("verify", CELL, *options, *INLINE).status == status


def test_a_mutant_of_the_reference_is_refuted_by_run(upheld: Callable[..., Any]) -> None:
    result = upheld("run", CELL, "--mutant", "forgetful-cell", *INLINE)
    assert result.status == 1
    assert "✗ refuted" in result.out


def test_what_holds_is_upheld_by_run(upheld: Callable[..., Any]) -> None:
    assert upheld("run", CELL, "--runs", "5", *INLINE).status == 0


class TestReplay:
    def test_of_a_refuting_plan_prints_story_and_timeline(
        self, upheld: Callable[..., Any], refuted: dict[str, Any]
    ) -> None:
        result = upheld("replay", refuted["plan"], CELL)
        assert result.status == 1
        assert "not linearizable" in result.out
        assert "═ crash" in result.out
        assert "┏ " in result.out

    def test_from_the_line_that_was_printed_gives_the_same_digest_in_another_folder(
        self, refuted: dict[str, Any], start: Callable[..., Any], tmp_path_factory: pytest.TempPathFactory
    ) -> None:
        words = refuted["replay"].split()
        assert words[0] == "upheld"
        process = start(*words[1:], "--json", cwd=tmp_path_factory.mktemp("elsewhere"))
        out, _ = process.communicate()
        told = json.loads(out)
        assert process.returncode == 1
        assert told["digest"] == told["expected"] == refuted["digest"]

    def test_that_gives_another_run_is_no_replay(self, upheld: Callable[..., Any], refuted: dict[str, Any]) -> None:
        plan = Path(refuted["plan"]).read_text()
        Path("other.json").write_text(plan.replace(refuted["digest"], "0" * len(refuted["digest"])))
        result = upheld("replay", "other.json", CELL)
        assert result.status == 2
        assert "this run is not the one that the plan expects" in result.err
        assert "not linearizable" in result.out


def test_the_store_lists_what_was_kept(upheld: Callable[..., Any], refuted: dict[str, Any]) -> None:
    told = json.loads(upheld("runs", "--json").out)
    assert str(Path(refuted["plan"]).parent) in [run["folder"] for run in told["runs"]]
    assert "cell.linearizable (not-linearizable)" in upheld("runs").out


@pytest.mark.usefixtures("refuted")
def test_a_kept_run_is_shown_by_its_name_with_the_anomaly_marked(upheld: Callable[..., Any]) -> None:
    (run,) = [run for run in json.loads(upheld("runs", "--json").out)["runs"] if not run["is_running"]]
    by_name = upheld("show", f"{run['system']}/{run['run']}").out
    assert "┏ " in by_name
    assert "not linearizable" in by_name
    assert upheld("show", "latest").out == by_name
    assert upheld("show", run["folder"]).out == by_name


def test_a_run_that_is_killed_leaves_a_history_that_can_be_judged(
    start: Callable[..., subprocess.Popen[bytes]], upheld: Callable[..., Any], tmp_path: Path
) -> None:
    process = start("run", "raft-kv", "--runs", "100000", "--jobs", "2", cwd=tmp_path, start_new_session=True)
    try:
        history = _growing(tmp_path / "runs", process)
    finally:
        os.killpg(process.pid, signal.SIGKILL)
        process.communicate()
    assert len(read_history(history, lenient=True)) > 0
    assert upheld("check", history).status in {0, 3}
    assert upheld("show", history.parent).status == 0


def _growing(store: Path, process: subprocess.Popen[bytes]) -> Path:
    """The history of a run in progress that has some events."""
    until = time.monotonic() + 60
    while time.monotonic() < until:
        assert process.poll() is None, process.stderr.read() if process.stderr else ""
        for path in sorted(store.glob("*/running-*/history.jsonl")):
            if path.stat().st_size > 1000:
                return path
        time.sleep(0.01)
    raise AssertionError("no run was seen in progress")
