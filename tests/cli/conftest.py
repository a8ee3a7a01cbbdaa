"""The real command, run inside of this process, or in one of its own."""

from __future__ import annotations

import io
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from upheld import cli


@dataclass(frozen=True)
class Result:
    """What a command did."""

    status: int
    out: str
    err: str


@pytest.fixture
def upheld(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> Callable[..., Result]:
    """`upheld("check", path)`: the real `main`, in an empty folder, with nothing but its arguments."""
    monkeypatch.chdir(tmp_path)
    for name in ("UPHELD_STORE", "FORCE_COLOR", "NO_COLOR", "COLUMNS"):
        monkeypatch.delenv(name, raising=False)

    def run(*arguments: object, stdin: bytes = b"") -> Result:
        monkeypatch.setattr(sys, "argv", ["upheld", *map(str, arguments)])
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(stdin)))
        capsys.readouterr()
        try:
            cli.main()
        except SystemExit as end:
            captured = capsys.readouterr()
            return Result(int(end.code or 0), captured.out, captured.err)
        raise AssertionError("main did not exit")

    return run


@pytest.fixture(scope="session")
def start() -> Callable[..., subprocess.Popen[bytes]]:
    """`start("check", path)`: the command as a process of its own."""

    def begin(*arguments: object, **options: Any) -> subprocess.Popen[bytes]:
        command = [sys.executable, "-m", "upheld", *map(str, arguments)]
        pipes: dict[str, Any] = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
        return subprocess.Popen(command, **{**pipes, **options})

    return begin


def kill_group(process: subprocess.Popen[bytes]) -> None:
    """End a process, which leads a group of its own, and its children, as `kill -9` does."""
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
