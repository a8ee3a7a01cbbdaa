"""What nodes and clients must not reach for: its names, what to use instead, and what virtual fences answer.

A random or secret value that Python makes comes, in the end, from `random`'s hidden generator or from the operating
system. Virtual fences answer at these two sources, from one stream for each node; functions above them (`uuid4`,
`secrets.choice`) are let through, and end there. How `random` makes a choice of its bits may differ between versions of
Python, and so may virtual runs.
"""

from __future__ import annotations

import _thread
import multiprocessing.process
import os
import random
import secrets
import socket
import subprocess
import sys
import threading
import time
import uuid
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from random import Random
from typing import Any, Final, TypeAlias

from ...impl.node import SECOND, Clock


@dataclass(frozen=True, slots=True)
class Guest:
    """Whose code is at work.

    Attributes:
        clock: its own, as faults have it.
        luck: the stream that answers for all dice.
    """

    clock: Clock
    luck: Random


Function: TypeAlias = Callable[..., Any]
Answer: TypeAlias = Callable[[Guest, Function], Function]
"""Given who calls and the original, the function that is called in its place."""


def _always(*_: Any, **__: Any) -> bool:
    return True


@dataclass(frozen=True, eq=False)
class Guarded:
    """One thing that is guarded.

    Attributes:
        module: where it is.
        owner: the class in it that has it; "" for a function.
        attribute: its name there.
        shown: what it is called in a complaint.
        instead: what a node is to use.
        answer: what virtual fences do; None: it is forbidden in any mode.
        offends: which calls are meant, given their arguments.
    """

    module: str
    owner: str
    attribute: str
    shown: str
    instead: str
    answer: Answer | None = None
    offends: Callable[..., bool] = _always

    def find(self) -> tuple[Any, Function | None]:
        """What has it, and itself; None where this Python, or this process, does not have it."""
        owner = sys.modules.get(self.module)
        if owner is not None and self.owner:
            owner = getattr(owner, self.owner, None)
        return owner, getattr(owner, self.attribute, None)


CLOCK: Final = "context.clock"
TIMERS: Final = "timers"
DICE: Final = "context.dice"
SENDING: Final = "out.send"
STEPS: Final = "timers; a handler is one atomic step"


# --- clocks


def _wall_ns(guest: Guest, _: Function) -> Function:
    return lambda: guest.clock.wall_ns()  # noqa: PLW0108  # the call takes no arguments, as the original


def _wall(guest: Guest, _: Function) -> Function:
    return lambda: guest.clock.wall_ns() / SECOND


def _counted_ns(guest: Guest, _: Function) -> Function:
    return lambda: guest.clock.monotonic_ns()  # noqa: PLW0108  # as above


def _counted(guest: Guest, _: Function) -> Function:
    return lambda: guest.clock.monotonic_ns() / SECOND


def _by_number_ns(guest: Guest, _: Function) -> Function:
    def read(clock: int) -> int:
        is_wall = clock == getattr(time, "CLOCK_REALTIME", None)
        return guest.clock.wall_ns() if is_wall else guest.clock.monotonic_ns()

    return read


def _by_number(guest: Guest, original: Function) -> Function:
    return lambda clock: _by_number_ns(guest, original)(clock) / SECOND


def _date(guest: Guest, _: Function) -> Function:
    """Nodes live in the time zone of UTC."""
    return lambda *_: time.gmtime(guest.clock.wall_ns() // SECOND)


def _date_in_words(guest: Guest, _: Function) -> Function:
    return lambda *_: time.asctime(time.gmtime(guest.clock.wall_ns() // SECOND))


def _formatted(guest: Guest, original: Function) -> Function:
    return lambda form: original(form, time.gmtime(guest.clock.wall_ns() // SECOND))


def _now(*arguments: Any) -> bool:
    """A date is asked for, and not of which time: it is that of now."""
    return not arguments or arguments[0] is None


def _formats_now(*arguments: Any) -> bool:
    return len(arguments) == 1


COUNTING: Final = ("monotonic", "perf_counter", "process_time", "thread_time")

CLOCKS: Final[Mapping[str, tuple[Answer, Callable[..., bool]]]] = {
    "time": (_wall, _always),
    "time_ns": (_wall_ns, _always),
    **dict.fromkeys(COUNTING, (_counted, _always)),
    **{f"{name}_ns": (_counted_ns, _always) for name in COUNTING},
    "clock_gettime": (_by_number, _always),
    "clock_gettime_ns": (_by_number_ns, _always),
    **dict.fromkeys(("gmtime", "localtime"), (_date, _now)),
    **dict.fromkeys(("ctime", "asctime"), (_date_in_words, _now)),
    "strftime": (_formatted, _formats_now),
}


def _clocks() -> Iterator[Guarded]:
    for name, (answer, offends) in CLOCKS.items():
        yield Guarded("time", "", name, f"time.{name}", CLOCK, answer, offends)


# --- dice


def _dice(name: str) -> Answer:
    return lambda guest, _: getattr(guest.luck, name)


def _bytes(guest: Guest, _: Function) -> Function:
    return lambda size, _flags=0: guest.luck.randbytes(size)


def _seeded(guest: Guest, original: Function) -> Function:
    return lambda generator, *_, **__: original(generator, guest.luck.getrandbits(128))


def _has_no_seed(_: Random, a: Any = None, *__: Any, **___: Any) -> bool:
    return a is None


def _through(_: Guest, original: Function) -> Function:
    """What it draws is guarded itself."""
    return original


def _dicing() -> Iterator[Guarded]:
    for name in random.__all__:
        if name[0].islower():
            yield Guarded("random", "", name, f"random.{name}", DICE, _dice(name))
    yield Guarded("random", "Random", "seed", "random.Random without a seed", DICE, _seeded, _has_no_seed)
    for name in secrets.__all__:
        if name[0].islower() and name != "compare_digest":
            yield Guarded("secrets", "", name, f"secrets.{name}", DICE, _through)
    yield Guarded("uuid", "", "uuid4", "uuid.uuid4", DICE, _through)
    for name in ("uuid1", "uuid6", "uuid7"):  # they keep the last time in their module
        yield Guarded("uuid", "", name, f"uuid.{name}", DICE)
    yield Guarded("random", "", "_urandom", "random.SystemRandom", DICE, _bytes)
    for name in ("urandom", "getrandom"):
        yield Guarded("os", "", name, f"os.{name}", DICE, _bytes)


# --- the rest of the machine

FORBIDDEN: Final[tuple[tuple[str, str, str, str, str], ...]] = (
    ("time", "", "sleep", "time.sleep", TIMERS),
    ("threading", "Thread", "start", "threading.Thread.start", STEPS),
    ("_thread", "", "start_new_thread", "_thread.start_new_thread", STEPS),
    ("multiprocessing.process", "BaseProcess", "start", "multiprocessing.Process.start", STEPS),
    ("subprocess", "Popen", "__init__", "subprocess.Popen", STEPS),
    ("asyncio.events", "", "new_event_loop", "asyncio.new_event_loop", STEPS),
    *(("os", "", name, f"os.{name}", STEPS) for name in ("fork", "forkpty", "posix_spawn", "posix_spawnp", "system")),
    ("socket", "socket", "__init__", "socket.socket", SENDING),
    *(("socket", "", name, f"socket.{name}", SENDING) for name in ("getaddrinfo", "gethostbyname", "gethostname")),
)
"""Forbidden in any mode: module, class, attribute, what it is called, and what to use instead."""

GUARDED: Final[tuple[Guarded, ...]] = (*_clocks(), *_dicing(), *(Guarded(*told) for told in FORBIDDEN))

IMPORTED: Final = (_thread, multiprocessing.process, os, random, secrets, socket, subprocess, threading, time, uuid)
"""What a node may import at any time is guarded from the start; asyncio, which is heavy, only if somebody has it."""
