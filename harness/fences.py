"""Fences around a run: whatever a simulated system must not reach for says so, and names the line that tried.

They stand for the length of a run, on the simulating thread alone; the simulator itself needs none of what they guard.
What they cannot see (`datetime`, the order of sets, names that were imported before) running a plan twice does see.
"""

from __future__ import annotations

import os
import random
import secrets
import socket
import sys
import sysconfig
import threading
import time
import uuid
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import wraps
from types import FrameType
from typing import Any, Final

from ..histories.errors import NondeterministicRun

INSTEAD: Final[Mapping[str, str]] = {
    "time": "context.clock and timers",
    "random": "context.dice",
    "uuid": "context.dice",
    "secrets": "context.dice",
    "os": "context.dice",
    "threading": "timers; a handler is one atomic step",
    "socket": "out.send",
}
"""What a node is to use in the place of a module."""

CLOCKS: Final = ("time", "monotonic", "perf_counter", "process_time", "thread_time")
DICE: Final = tuple(name for name in random.__all__ if name[0].islower())
SECRETS: Final = ("choice", "randbelow", "randbits", "token_bytes", "token_hex", "token_urlsafe")

GUARDED: Final[tuple[tuple[Any, str, str], ...]] = (
    *((time, name + suffix, "time") for name in CLOCKS for suffix in ("", "_ns")),
    (time, "sleep", "time"),
    *((random, name, "random") for name in DICE),
    *((uuid, name, "uuid") for name in ("uuid1", "uuid4")),
    *((secrets, name, "secrets") for name in SECRETS),
    (os, "urandom", "os"),
    (threading.Thread, "start", "threading"),
    (socket.socket, "__init__", "socket"),
)
"""What is guarded: the owner of a name, the name, and the module that it is known by."""

LIBRARY: Final = sysconfig.get_paths()["stdlib"]


@contextmanager
def fenced(subject: str) -> Iterator[None]:
    """Guard a run of this system on this thread.

    Raises:
        NondeterministicRun: a handler called something that is guarded; even if it caught the exception itself.
    """
    fence = _Fence(subject, threading.get_ident())
    fence.raise_it()
    try:
        yield
    finally:
        fence.take_down()
    if fence.caught is not None:
        raise fence.caught


class _Fence:
    """The guards of one run."""

    def __init__(self, subject: str, thread: int) -> None:
        self.caught: NondeterministicRun | None = None
        self._subject, self._thread = subject, thread
        self._originals: list[tuple[Any, str, Any]] = []

    def raise_it(self) -> None:
        for owner, name, module in GUARDED:
            original = getattr(owner, name)
            self._originals.append((owner, name, original))
            setattr(owner, name, self._guard(original, f"{module}.{_shown(owner, name)}", INSTEAD[module]))

    def take_down(self) -> None:
        for owner, name, original in self._originals:
            setattr(owner, name, original)

    def _guard(self, original: Callable[..., Any], called: str, instead: str) -> Callable[..., Any]:
        @wraps(original)
        def guard(*arguments: Any, **named: Any) -> Any:
            if threading.get_ident() != self._thread or _is_logging(sys._getframe(1)):  # noqa: SLF001  # the caller
                return original(*arguments, **named)
            site = _site(sys._getframe(1))  # noqa: SLF001  # the caller
            caught = NondeterministicRun(self._subject, f"{called} is called at {site}; use {instead} instead")
            self.caught = self.caught or caught
            raise caught

        return guard


def _shown(owner: Any, name: str) -> str:
    if not isinstance(owner, type):
        return name
    return owner.__name__ if name == "__init__" else f"{owner.__name__}.{name}"


def _is_logging(frame: FrameType) -> bool:
    """Whether a log record asks for its time: that changes nothing in the system."""
    return str(frame.f_globals.get("__name__", "")).startswith("logging")


def _site(frame: FrameType) -> str:
    """The nearest line outside Python's own library."""
    found: FrameType | None = frame
    while found is not None and _is_library(found.f_code.co_filename):
        found = found.f_back
    place = found or frame
    return f"{place.f_code.co_filename}:{place.f_lineno}"


def _is_library(filename: str) -> bool:
    return filename.startswith(LIBRARY) and "site-packages" not in filename
