"""Functions for workers; a worker imports them, so they stand in a module of their own."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path

from upheld.histories.errors import NondeterministicRun


def square(seed: int) -> int:
    return seed**2


def power(exponent: int, seed: int) -> int:
    return int(seed**exponent)


def sleep(seconds: float, seed: int) -> int:
    time.sleep(seconds)
    return seed


def killed_by(deadly: int, seed: int) -> int:
    if seed == deadly:
        os.kill(os.getpid(), signal.SIGKILL)
    return seed


def hangs_at(endless: int, seed: int) -> int:
    while seed == endless:
        time.sleep(0.1)
    return seed


def raises(name: str, seed: int) -> int:
    if name == "NondeterministicRun":
        raise NondeterministicRun("no good", "a clock")
    raise ValueError("no good")


def hash_seed(seed: int) -> str | None:
    print("this must not go to standard output")  # noqa: T201  # the point
    return os.environ.get("PYTHONHASHSEED")


def tells_pid(seconds: float, seed: int) -> int:
    time.sleep(seconds)
    return os.getpid()


def needs_memory(greedy: int, size: int, seed: int) -> int:
    return len(bytes(size if seed == greedy else 1)) and seed


WORKED_OFF: list[int] = []


def cannot_be_sent(seed: int) -> object:
    return lambda: seed


def dies_of_exhaustion(after: int, seed: int) -> int:
    WORKED_OFF.append(seed)
    if len(WORKED_OFF) > after:
        os.kill(os.getpid(), signal.SIGKILL)
    return seed


class KillsOnceWhenSent:
    """An answer that ends its process on the way to the parent, the first time."""

    def __init__(self, mark: Path) -> None:
        self.mark = mark

    def __reduce__(self) -> tuple[type[str], tuple[str]]:
        if not self.mark.exists():
            self.mark.touch()
            os.kill(os.getpid(), signal.SIGKILL)
        return str, ("sent",)


def kills_once_when_sent(mark: Path, deadly: int, seed: int) -> object:
    return KillsOnceWhenSent(mark) if seed == deadly else seed
