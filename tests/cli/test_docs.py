"""Every command that the documents show is run, in the order of the page, and prints what the page says it prints."""

from __future__ import annotations

import re
import shlex
import shutil
import subprocess
import sys
import tomllib
from dataclasses import dataclass, field
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PAGES = [ROOT / "README.md", *sorted(page for page in (ROOT / "docs").glob("*.md") if "```sh" in page.read_text())]
PIECE = re.compile(r"^```(\S*) ?(\S*)\n(.*?)^```$|^((?: {4}[^\n]*\n)+)", re.MULTILINE | re.DOTALL)
VERDICTS = {0, 1, 3}


@dataclass
class Step:
    """A command of a page, and the lines that the page shows below it."""

    command: list[str]
    shown: list[str] = field(default_factory=list)


def read(page: Path, folder: Path) -> list[Step]:
    """The commands of a page in order; the files that it shows by name are written."""
    steps: list[Step] = []
    for language, name, content, shown in PIECE.findall(page.read_text()):
        if name:
            (folder / name).write_text(content)
        elif language == "sh":
            steps += [Step(shlex.split(line)) for line in content.splitlines() if line.startswith("upheld ")]
        elif shown and steps:
            steps[-1].shown += [line.strip() for line in shown.splitlines() if line.strip()]
    return steps


def is_in_order(wanted: list[str], lines: list[str]) -> bool:
    rest = iter(lines)
    return all(any(want == line.strip() for line in rest) for want in wanted)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_what_a_page_shows_is_what_happens(page: Path, tmp_path: Path) -> None:
    shutil.copytree(ROOT / "examples", tmp_path / "examples")
    steps = read(page, tmp_path)
    assert steps, "a page without a command"
    for step in steps:
        result = subprocess.run(
            [sys.executable, "-m", *step.command], cwd=tmp_path, capture_output=True, encoding="utf-8", check=False
        )
        assert result.returncode in VERDICTS, f"{shlex.join(step.command)}\n{result.stderr}"
        assert is_in_order(step.shown, result.stdout.splitlines()), f"{shlex.join(step.command)}\n{result.stdout}"
        refuted = "✗ refuted" in "".join(step.shown)
        assert result.returncode == 1 or not refuted


EXAMPLES = {
    "check_a_history.py": "process 1: read() -> null, but the register holds 7",
    "instrumented_client.py": "not linearizable",
}


@pytest.mark.parametrize("name", EXAMPLES)
def test_an_example_runs_and_finds_what_is_wrong(name: str) -> None:
    result = subprocess.run([sys.executable, ROOT / "examples" / name], capture_output=True, text=True, check=True)
    assert EXAMPLES[name] in result.stdout


def test_every_example_is_run() -> None:
    """The cell is put on trial in `test_trials.py`."""
    assert {path.name for path in (ROOT / "examples").glob("*.py")} == {*EXAMPLES, "cell.py"}


def test_the_picture_of_the_house_has_every_room_and_no_other() -> None:
    picture = (ROOT / "ARCHITECTURE.md").read_text().split("```")[1]
    drawn = {room for path in re.findall(r"\b([a-z_/]+)/", picture) for room in path.split("/")}
    packages = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["setuptools"]["packages"]
    assert drawn == {room for package in packages for room in package.split(".")[1:]}
