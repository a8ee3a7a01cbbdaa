"""`upheld run --keep-going`: every seed is judged, and what came of it is kept, whatever ends the campaign in between."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import time
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

CELL = Path(__file__).resolve().parents[2] / "examples" / "cell.py"
FORGETFUL = ("run", CELL, "--variant", "as-written", "--keep-going", "--no-shrink")
INLINE = ("--engine", "inline")

needs_dask = pytest.mark.skipif(find_spec("distributed") is None, reason="dask.distributed is not installed")


def test_every_seed_is_counted_and_the_report_says_what_the_runs_are_worth(upheld: Callable[..., Any]) -> None:
    result = upheld("run", CELL, "--variant", "as-written", "--keep-going", "--runs", "30", *INLINE)
    assert result.status == 1
    assert re.search(r"✗ refuted +cell\.linearizable +as-written +30 runs", result.out)
    assert re.search(r"^    not-linearizable: \d+ runs, first by seed \d+$", result.out, re.MULTILINE)
    assert len(re.findall(r"^    upheld replay ", result.out, re.MULTILINE)) == 1
    assert "    30 of 30 runs (100 %) completed the workload's minimum while faults acted" in result.out
    assert re.search(r"^    faults that fired: crash [1-9]\d*", result.out, re.MULTILINE)


def test_without_it_a_campaign_stops_at_the_first_failure_and_says_so_much(upheld: Callable[..., Any]) -> None:
    told = json.loads(upheld("run", CELL, "--variant", "as-written", *INLINE, "--json").out)
    (row,), (group,) = told["claims"], told["groups"]
    (failure,) = row["failures"]
    assert failure["runs"] == 1
    assert group["runs"] == failure["seed"] + 1 < 1000


def test_a_campaign_that_is_killed_goes_on_where_it_stopped(
    upheld: Callable[..., Any], start: Callable[..., subprocess.Popen[bytes]], tmp_path: Path
) -> None:
    command = (*FORGETFUL, "--runs", "80")
    killed, whole = tmp_path / "killed.jsonl", tmp_path / "whole.jsonl"
    process = start(*command, "--results", killed, "--jobs", "2", cwd=tmp_path, start_new_session=True)
    try:
        _wait_for_lines(killed, 10, process)
    finally:
        os.killpg(process.pid, signal.SIGKILL)
        process.communicate()
    before = killed.read_bytes()
    resumed = upheld(*command, "--results", killed, *INLINE, "--json")
    told = upheld(*command, "--results", whole, *INLINE, "--json")
    assert killed.read_bytes() == whole.read_bytes()
    assert whole.read_bytes().startswith(before)
    assert len(before.splitlines()) < 81
    for name in ("claims", "groups"):
        assert json.loads(resumed.out)[name] == json.loads(told.out)[name]


def _wait_for_lines(path: Path, least: int, process: subprocess.Popen[bytes]) -> None:
    until = time.monotonic() + 60
    while time.monotonic() < until:
        if path.is_file() and path.read_bytes().count(b"\n") >= least:
            return
        assert process.poll() is None, process.stderr.read() if process.stderr else ""
        time.sleep(0.01)
    raise AssertionError("it keeps no results")


@needs_dask
def test_a_cluster_gives_the_same_file(
    upheld: Callable[..., Any], start: Callable[..., subprocess.Popen[bytes]], tmp_path: Path
) -> None:
    command = (*FORGETFUL, "--runs", "20")
    here, there = tmp_path / "here.jsonl", tmp_path / "there.jsonl"
    process = start(*command, "--results", there, "--engine", "dask", "--jobs", "2", "--json", cwd=tmp_path)
    out, error = process.communicate()
    assert process.returncode == 1, error
    told = json.loads(upheld(*command, "--results", here, *INLINE, "--json").out)
    assert json.loads(out)["claims"] == told["claims"]
    assert there.read_bytes() == here.read_bytes()


def test_the_share_of_runs_that_prove_something_decides_when_it_is_asked_for(
    upheld: Callable[..., Any], tmp_path: Path
) -> None:
    path = tmp_path / "results.jsonl"
    command = ("run", CELL, "--keep-going", "--runs", "20", "--results", path, *INLINE)
    assert upheld(*command).status == 0
    path.write_text(path.read_text().replace('"fired"', '"lacking":"only 0 of 1 write completed","fired"'))
    assert upheld(*command, "--require-share", "0.8").status == 3


def test_results_of_another_campaign_are_left_alone(upheld: Callable[..., Any], tmp_path: Path) -> None:
    path = tmp_path / "results.jsonl"
    upheld(*FORGETFUL, "--runs", "5", "--results", path, *INLINE)
    before = path.read_bytes()
    result = upheld(*FORGETFUL, "--runs", "6", "--results", path, *INLINE)
    assert result.status == 2
    assert "runs is 5 there and 6 here. Name another file, or remove this one" in result.err
    assert path.read_bytes() == before


MISUSES = {
    "results of a campaign that stops": (("--results", "r.jsonl"), "add --keep-going"),
    "a share of a campaign that stops": (("--require-share", "0.5"), "add --keep-going"),
    "a scheduler without a cluster": (("--scheduler", "tcp://127.0.0.1:1"), "a scheduler is for the engine dask"),
    "no amount of memory": (("--memory", "lots"), "--memory: 'lots' is no amount of memory; say 800M or 4G"),
}


@pytest.mark.parametrize("case", MISUSES)
def test_misuse_is_named(case: str, upheld: Callable[..., Any]) -> None:
    options, says = MISUSES[case]
    result = upheld("run", CELL, "--runs", "5", *options)
    assert result.status == 2
    assert says in result.err
    assert not Path("r.jsonl").exists()
