"""What all commands have in common: quick help, colour, silence, progress, readers that leave."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from upheld.cli.face import Face
from upheld.cli.options import json_value, seconds
from upheld.cli.status import Status, gravest

STALE = "0 invoke write 7\n0 ok write\n1 invoke read\n1 ok read null\n"
HEAVY = ("networkx", "hypothesis", "pytest", "numpy", "rich", "jinja2", "dask", "multiprocessing")
COMMANDS = ("verify", "run", "replay", "check", "show", "list", "runs", "convert")


def test_help_imports_nothing_heavy() -> None:
    code = "import sys; sys.argv = ['upheld', '--help']\nfrom upheld.cli import main\ntry: main()\nexcept SystemExit: pass\n"
    code += f"print([name for name in {HEAVY!r} if name in sys.modules], file=sys.stderr)"
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert "Usage: upheld" in result.stdout
    assert result.stderr.strip() == "[]"


def test_help_takes_less_than_a_third_of_a_second() -> None:
    def once() -> float:
        began = time.perf_counter()
        subprocess.run([sys.executable, "-m", "upheld", "--help"], capture_output=True, check=True)
        return time.perf_counter() - began

    assert min(once() for _ in range(5)) < 0.3


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_has_the_options_that_all_have(name: str, upheld: Callable[..., Any]) -> None:
    result = upheld(name, "--help")
    assert result.status == 0
    for option in ("--json", "--seed", "--quiet", "--no-color", "--help"):
        assert option in result.out


def test_the_version_says_which_engine_serves(upheld: Callable[..., Any]) -> None:
    result = upheld("--version")
    assert result.status == 0
    assert result.out.startswith("upheld ")
    assert result.out.strip().endswith(("(native engine)", "(pure engine)"))


def test_quiet_says_it_by_the_exit_status_alone(upheld: Callable[..., Any]) -> None:
    Path("stale.txt").write_text(STALE)
    result = upheld("check", "stale.txt", "--quiet")
    assert (result.status, result.out, result.err) == (1, "", "")


class TestColour:
    @pytest.fixture
    def terminal(self, tmp_path: Path) -> Callable[..., bytes]:
        """Run the command with a terminal for its output; answers what the terminal got."""
        pty = pytest.importorskip("pty")

        def run(*arguments: str, **more: str) -> bytes:
            (tmp_path / "stale.txt").write_text(STALE)
            ours, theirs = pty.openpty()
            environment = {name: value for name, value in os.environ.items() if name not in {"NO_COLOR", "FORCE_COLOR"}}
            process = subprocess.Popen(
                [sys.executable, "-m", "upheld", "check", "stale.txt", *arguments],
                stdout=theirs, cwd=tmp_path, env={**environment, "TERM": "xterm", **more},
            )  # fmt: skip
            os.close(theirs)
            process.wait()
            got = os.read(ours, 100_000)
            os.close(ours)
            return got

        return run

    def test_is_there_on_a_terminal(self, terminal: Callable[..., Any]) -> None:
        assert b"\x1b[" in terminal()

    def test_is_not_there_when_nobody_wants_it(self, terminal: Callable[..., Any]) -> None:
        assert b"\x1b[" not in terminal("--no-color")
        assert b"\x1b[" not in terminal(NO_COLOR="1")

    def test_is_not_there_when_it_is_no_terminal(self, upheld: Callable[..., Any]) -> None:
        Path("stale.txt").write_text(STALE)
        assert "\x1b[" not in upheld("check", "stale.txt").out


def test_a_reader_that_leaves_changes_no_verdict(start: Callable[..., Any], tmp_path: Path) -> None:
    for number in range(50):
        (tmp_path / f"{number}.txt").write_text(STALE)
    ours, theirs = os.pipe()
    os.close(ours)
    process = start("check", str(tmp_path), stdout=theirs)
    os.close(theirs)
    _, err = process.communicate()
    assert (process.returncode, err) == (1, b"")


def test_a_terminal_without_the_signs_gets_them_spelt_out(start: Callable[..., Any], tmp_path: Path) -> None:
    (tmp_path / "stale.txt").write_text(STALE)
    process = start("check", str(tmp_path / "stale.txt"), env={**os.environ, "PYTHONIOENCODING": "ascii"})
    out, err = process.communicate()
    assert (process.returncode, err) == (1, b"")
    assert b"refuted" in out


class TestProgress:
    def test_is_silent_about_what_is_quick(self, capsys: pytest.CaptureFixture[str]) -> None:
        with Face().progress("thinking"):
            pass
        assert capsys.readouterr().err == ""

    def test_speaks_on_standard_error_about_what_is_not(
        self, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("upheld.cli.progress.PATIENCE_S", 0.01)
        with Face().progress("thinking") as line:
            line.told = "thinking about 7"
            time.sleep(0.3)
        captured = capsys.readouterr()
        assert captured.err.startswith("thinking about 7 ... ")
        assert captured.out == ""

    def test_is_silent_when_silence_was_asked_for(
        self, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("upheld.cli.progress.PATIENCE_S", 0.01)
        with Face(quiet=True).progress("thinking"):
            time.sleep(0.1)
        assert capsys.readouterr().err == ""


GRAVITY = [
    ([], 0),
    ([0, 0], 0),
    ([0, 3], 3),
    ([3, 1, 0], 1),
    ([1, 2, 3], 2),
    ([0, 1, 2, 3, 130], 130),
]


@pytest.mark.parametrize(("statuses", "expected"), GRAVITY)
def test_of_many_inputs_the_gravest_decides(statuses: list[int], expected: int) -> None:
    assert gravest(map(Status, statuses)) == expected


@pytest.mark.parametrize(("text", "expected"), [("90", 90), ("90s", 90), ("2m", 120), ("1.5h", 5400), (None, None)])
def test_durations(text: str | None, expected: float | None) -> None:
    assert seconds(text, "--budget") == expected


@pytest.mark.parametrize(
    ("text", "expected"), [("5", 5), ('"5"', "5"), ("null", None), ("[1,2]", (1, 2)), ("blue", "blue"), ("", "")]
)
def test_an_initial_value_is_json_or_a_word(text: str, expected: object) -> None:
    assert json_value(text) == expected
