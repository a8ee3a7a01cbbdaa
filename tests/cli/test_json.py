"""`--json`: one object on standard output, with the fields that `docs/json.md` promises."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]
PROMISED = (ROOT / "docs" / "json.md").read_text()
CELL = ROOT / "examples" / "cell.py"

VERDICT = {
    "verdict", "checker", "model", "consistency", "method", "operations", "reason", "anomaly", "evidence", "notes", "implied_by",
}  # fmt: skip
FRONTIER = {"refuted", "upheld", "bounds", "undecided", "notes"}
ROW = {
    "id", "chapter", "system", "variant", "kind", "statement", "verdict", "reason", "runs", "runs_undecided", "runs_vacuous",
    "operations", "faults", "failure_rate_below", "mutants_killed", "anomaly", "story", "seed", "plan_operations",
    "plan_faults", "history", "plan", "digest", "replay", "required", "failures",
}  # fmt: skip
FAILURE = {
    "anomaly", "runs", "seed", "story", "plan_operations", "plan_faults", "history", "plan", "digest", "replay",
}  # fmt: skip
GROUP = {
    "system", "variant", "mutants", "workload", "profile", "settings", "runs", "completed", "unproven", "faults", "spared",
    "findings",
}  # fmt: skip
KEPT = {
    "system", "run", "folder", "variant", "mutants", "seed", "operations", "faults", "verdicts", "anomalies", "is_running",
}  # fmt: skip

COMMANDS: dict[str, tuple[list[object], set[str]]] = {
    "check": (["check", "stale.txt", "nowhere.txt"], {"verdict", "histories", "errors"}),
    "show": (["show", "stale.txt"], {"path", "events", "marked", "verdicts"}),
    "convert": (["convert", "stale.txt", "out.jsonl"], {"path", "output", "format", "events", "notes"}),
    "list": (["list", "models"], {"models"}),
    "runs": (["runs"], {"store", "runs"}),
    "verify": (["verify", CELL, "--runs", "3", "--engine", "inline"], {"claims"}),
    "run": (["run", CELL, "--runs", "3", "--engine", "inline", "--variant", "as-written"], {"claims", "groups"}),
    "replay": (["replay", "runs/latest/plan.json", CELL], {"plan", "digest", "expected", "claims"}),
}


@pytest.fixture
def told(upheld: Callable[..., Any]) -> Callable[[str], dict[str, Any]]:
    """What a command prints, in a folder with a history and a store with a run."""
    Path("stale.txt").write_text("0 invoke write 7\n0 ok write\n1 invoke read\n1 ok read null\n")

    def run(name: str) -> dict[str, Any]:
        if name in {"runs", "replay"}:
            upheld(*COMMANDS["run"][0])
        result = upheld(*COMMANDS[name][0], "--json")
        found: dict[str, Any] = json.loads(result.out)
        return found

    return run


def names(value: Any) -> Iterator[str]:
    """The names of all members, however deep."""
    match value:
        case dict():
            for name, inner in value.items():
                yield name
                yield from names(inner)
        case list():
            for inner in value:
                yield from names(inner)


@pytest.mark.parametrize("name", COMMANDS)
def test_a_command_prints_one_object_with_the_promised_fields(name: str, told: Callable[[str], dict[str, Any]]) -> None:
    found = told(name)
    assert set(found) == {*COMMANDS[name][1], "timing"}
    assert list(names(found)).count("timing") == 1
    assert all(f"`{field}`" in PROMISED for field in COMMANDS[name][1] if field != "models")


def test_a_verdict_has_the_promised_fields(told: Callable[[str], dict[str, Any]]) -> None:
    found = told("check")
    assert found["verdict"] == "refuted"
    (history,) = found["histories"]
    (verdict,) = history["verdicts"]
    assert set(verdict) == VERDICT
    assert set(verdict["anomaly"]) == {"kind", "operations", "story", "facts"}
    assert verdict["anomaly"]["operations"] == [0, 2]
    assert found["errors"][0].keys() == {"path", "error"}
    assert set(history["frontier"]) == FRONTIER
    assert all(f"`{field}`" in PROMISED for field in VERDICT | FRONTIER | set(verdict["anomaly"]))


@pytest.mark.parametrize("name", ["verify", "run", "replay"])
def test_a_row_has_the_promised_fields(name: str, told: Callable[[str], dict[str, Any]]) -> None:
    for row in told(name)["claims"]:
        assert row.keys() >= ROW
        assert all(set(failure) == FAILURE for failure in row["failures"])
    assert all(f"`{field}`" in PROMISED for field in ROW | FAILURE)


def test_the_runs_of_a_group_have_the_promised_fields(told: Callable[[str], dict[str, Any]]) -> None:
    assert [set(group) for group in told("run")["groups"]] == [GROUP]
    assert all(f"`{field}`" in PROMISED for field in GROUP)


def test_a_kept_run_has_the_promised_fields(told: Callable[[str], dict[str, Any]]) -> None:
    assert [set(kept) for kept in told("runs")["runs"]] == [KEPT]
    assert all(f"`{field}`" in PROMISED for field in KEPT)


def test_the_same_input_gives_the_same_object_but_for_the_timing(told: Callable[[str], dict[str, Any]]) -> None:
    first, second = told("check"), told("check")
    assert first.pop("timing").keys() == second.pop("timing").keys() == {"seconds"}
    assert first == second
