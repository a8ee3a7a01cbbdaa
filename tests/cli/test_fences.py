"""`--fences` of `upheld run` and `upheld verify`: for a system that looks at a clock of its own."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

CELL = Path(__file__).resolve().parents[2] / "examples" / "cell.py"
INLINE = ("--engine", "inline")


@pytest.fixture
def clocked(tmp_path: Path) -> Path:
    """The example of a cell, except that its nodes remember when they were asked."""
    source = CELL.read_text(encoding="utf-8")
    changed = source.replace('"""Answer a request."""', "self.asked_at = time.time()").replace(
        "from collections.abc", "import time\nfrom collections.abc", 1
    )
    path = tmp_path / "clocked.py"
    path.write_text(changed, encoding="utf-8")
    assert "self.asked_at = time.time()" in changed
    return path


def test_strict_fences_name_the_line_and_what_to_do(upheld: Callable[..., Any], clocked: Path) -> None:
    line = clocked.read_text(encoding="utf-8").splitlines().index("        self.asked_at = time.time()") + 1
    for fences in ((), ("--fences", "strict")):
        result = upheld("verify", clocked, "--runs", "5", *INLINE, *fences)
        assert result.status == 2
        assert f"time.time is called at {clocked}:{line}; use context.clock instead" in result.err
        assert "--fences virtual" in result.err


def test_behind_virtual_fences_the_same_system_is_put_to_the_test(upheld: Callable[..., Any], clocked: Path) -> None:
    result = upheld("verify", clocked, "--runs", "5", *INLINE, "--fences", "virtual", "--json")
    assert result.status == 0, result.err
    assert [row["verdict"] for row in json.loads(result.out)["claims"]] == ["upheld", "refuted"]


def test_a_plan_found_behind_virtual_fences_says_so_and_is_replayed_behind_them(
    upheld: Callable[..., Any], clocked: Path
) -> None:
    result = upheld("run", clocked, "--variant", "as-written", *INLINE, "--fences", "virtual", "--json")
    assert result.status == 1, result.err
    (row,) = json.loads(result.out)["claims"]
    plan = Path(row["history"]).with_name("plan.json")
    assert json.loads(plan.read_bytes())["fences"] == "virtual"
    assert upheld("replay", plan, clocked).status == 1


def test_other_fences_are_misuse_that_says_which_there_are(upheld: Callable[..., Any]) -> None:
    result = upheld("run", CELL, "--fences", "high")
    assert result.status == 2
    assert "--fences: there are no 'high'; there are strict and virtual" in result.err
