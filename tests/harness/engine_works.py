"""Functions for workers; a worker imports them, so they stand in a module of their own."""

from __future__ import annotations

import os
import signal
import time

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
