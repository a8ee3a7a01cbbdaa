"""Nodes that are not deterministic, each in its own way; fences or repetition must catch every one of them."""

from __future__ import annotations

import random
import socket
import threading
import time
import uuid
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from toys import Counter, system_of

from upheld.impl.node import Outbox

runs_so_far: list[int] = []


class Notes(Counter):
    """Notes something in each timer."""

    def on_timer(self, name: str, out: Outbox) -> None:
        out.note("proposed", str(self.something()))
        super().on_timer(name, out)

    def something(self) -> Any:
        return ""


class ReadsTheClock(Notes):
    def something(self) -> Any:
        return time.time()


class ReadsTheDate(Notes):
    def something(self) -> Any:
        return datetime.now(UTC)


class RollsItsOwnDice(Notes):
    def something(self) -> Any:
        return random.choice((1, 2, 3))


class MakesUpNames(Notes):
    def something(self) -> Any:
        return uuid.uuid4()


class StartsAThread(Notes):
    def something(self) -> Any:
        threading.Thread(target=print).start()


class OpensASocket(Notes):
    def something(self) -> Any:
        return socket.socket()


class SwallowsTheComplaint(Notes):
    def something(self) -> Any:
        try:
            return time.monotonic_ns()
        except Exception:  # noqa: BLE001  # this is the fault
            return 0


class IteratesOverASet(Notes):
    def something(self) -> Any:
        return "".join({f"{letter}{number}" for letter in "abcdef" for number in range(10)})


class KeepsStateInAModule(Notes):
    def something(self) -> Any:
        runs_so_far.append(1)
        return len(runs_so_far)


def system(node: Callable[..., Any]) -> Any:
    return system_of(node)


CLOCK = system(ReadsTheClock)
DATE = system(ReadsTheDate)
DICE = system(RollsItsOwnDice)
NAMES = system(MakesUpNames)
THREAD = system(StartsAThread)
SOCKET = system(OpensASocket)
SWALLOWED = system(SwallowsTheComplaint)
SET = system(IteratesOverASet)
MODULE = system(KeepsStateInAModule)
