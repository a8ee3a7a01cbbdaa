"""Nodes that are not deterministic, each in its own way: each notes something that a plan does not decide."""

from __future__ import annotations

import gc
import os
import random
import secrets
import time
import uuid
from collections.abc import Callable
from datetime import UTC, datetime
from importlib import import_module
from typing import Any, ClassVar
from weakref import WeakSet

from upheld.harness.system import System
from upheld.impl.node import Outbox

toys = import_module("toys")


def noting(something: Callable[[Any], object]) -> System:
    """Counters that note this whenever their timer runs out."""

    class Noting(toys.Counter):  # type: ignore[misc, name-defined]  # toys is imported by name
        def on_timer(self, name: str, out: Outbox) -> None:
            out.note("proposed", str(something(self)))
            super().on_timer(name, out)

    made: System = toys.system_of(Noting)
    return made


calls = 0
letters = [f"{letter}{number}" for letter in "abcdef" for number in range(10)]


def count_in_a_module(_: Any) -> int:
    global calls  # noqa: PLW0603  # this is the fault
    calls += 1
    return calls


class Shared:
    """What all nodes of all runs in one process have in common."""

    seen: ClassVar[list[str]] = []
    finalised: ClassVar[int] = 0
    about: ClassVar[WeakSet[Any]] = WeakSet()


def keep_in_a_class(node: Any) -> int:
    Shared.seen.append(node.context.id)
    return len(Shared.seen)


class Cycle:
    """Garbage that only the collector finds."""

    def __init__(self) -> None:
        self.itself = self


class Finalised(Cycle):
    def __del__(self) -> None:
        Shared.finalised += 1


def count_the_finalised(_: Any) -> int:
    Finalised()
    return Shared.finalised


def count_what_is_about(_: Any) -> int:
    Shared.about.add(Cycle())
    return len(Shared.about)


def collect(_: Any) -> bool:
    """Whether there was much garbage, which is what others have left behind."""
    return gc.collect() > 100


DATE = noting(lambda _: datetime.now(UTC))
MODULE = noting(count_in_a_module)
CLASS = noting(keep_in_a_class)
IDENTITY = noting(id)
OBJECT_HASH = noting(lambda node: hash(node.context.clock))
FINALISER = noting(count_the_finalised)
WEAK = noting(count_what_is_about)
PROCESS = noting(lambda _: os.getpid())
SET = noting(lambda _: "".join(set(letters)))
DICT = noting(lambda _: list(dict.fromkeys(set(letters))))
STRING_HASH = noting(lambda _: hash("n1"))
ENVIRONMENT = noting(lambda _: os.environ.get("HOME"))
ZONE = noting(lambda _: datetime.fromtimestamp(0).hour)  # noqa: DTZ006  # this is the fault
OUTSIDE = noting(lambda _: (time.time(), random.random(), secrets.token_hex(8), uuid.uuid4(), os.urandom(8)))
