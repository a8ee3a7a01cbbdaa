"""One process that works off blocks of seeds: what its parent holds of it, and what it does.

It answers seed by seed, in order. Which seed it is at stands in memory that both share, so that a process that ends
without a word still tells whose fault it was: that of the seed that it was at, and nobody's when it was between two.
"""

from __future__ import annotations

import os
import pickle
import signal
import subprocess
import sys
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from mmap import mmap
from multiprocessing.connection import Connection, Pipe
from tempfile import TemporaryFile
from typing import Any, Final

from .contract import Job
from .work import SINGLE_THREADED, Answer, Bench, memory_limited, too_much

STANDARD_ERROR: Final = 2
"""What a system prints must not mix with what we print."""

OUT_OF_MEMORY: Final = 112
"""The exit status of a worker whose seed needed more memory than it may have."""

PLACE_BYTES: Final = 8
"""The shared memory: the place in its block, from 1, of the seed that a worker is at; 0 between seeds."""


@dataclass(eq=False)
class Worker:
    """A process, its connection, and the block that it was given.

    Attributes:
        process, connection, place: the process, and what is shared with it.
        memory_max: how many bytes of data it may hold.
        key, work: of its block.
        seeds: those of its block that it has not answered.
        greeted: whether it has ever said a word.
    """

    process: subprocess.Popen[bytes]
    connection: Connection
    place: mmap
    memory_max: int
    key: str = ""
    work: Callable[[int], Any] = int
    seeds: deque[int] = field(default_factory=deque)
    greeted: bool = False
    _given: int = 0
    _since: float = 0.0
    _is_cut_off: bool = False

    @classmethod
    def start(cls, memory_max: int) -> Worker:
        """A fresh interpreter that knows our path, with its hash seed pinned and its libraries on one thread each."""
        ours, theirs = Pipe()
        pinned = {"PYTHONHASHSEED": "0", "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
        with TemporaryFile() as shared:
            shared.write(bytes(PLACE_BYTES))
            shared.flush()
            serving = f"from {__name__} import serve; serve({theirs.fileno()}, {shared.fileno()}, {memory_max})"
            process = subprocess.Popen(  # noqa: S603  # our own interpreter
                [sys.executable, "-u", "-P", "-c", serving],
                env={**os.environ, **SINGLE_THREADED, **pinned},
                pass_fds=[theirs.fileno(), shared.fileno()],
                stdin=subprocess.DEVNULL,
                stdout=STANDARD_ERROR,
            )
            place = mmap(shared.fileno(), PLACE_BYTES)
        theirs.close()
        return cls(process, ours, place, memory_max)

    def give(self, block: Job) -> None:
        """Let it work off these seeds."""
        self.key, self.work, self._given = block.key, block.work, len(block.seeds)
        self._since = time.monotonic()
        self.seeds.extend(block.seeds)
        with suppress(BrokenPipeError, ConnectionResetError):  # if it has died, its connection says so when it is read
            self.connection.send((pickle.dumps(block.work), tuple(block.seeds)))

    def answers(self) -> Iterator[tuple[int, Answer]]:
        """The seeds whose answers lie ready."""
        try:
            while self.seeds and self.connection.poll():
                answer = self.connection.recv()
                if isinstance(answer, Answer):
                    self._since = time.monotonic()
                    yield self.seeds.popleft(), answer
                self.greeted = True
        except (EOFError, OSError):  # nothing comes any more; an answer may be torn
            self._is_cut_off = True

    def culprit(self) -> int | None:
        """The seed that a worker was at when it ended; None when it was between two, or had answered."""
        place = int.from_bytes(self.place, sys.byteorder) - 1
        answered = self._given - len(self.seeds)
        return self.seeds[place - answered] if place >= answered else None

    def waited_s(self) -> float:
        """How long the seed that it is at has taken."""
        return time.monotonic() - self._since if self.seeds else 0.0

    def fate(self) -> str:
        """How it ended, when it has."""
        if self.process.poll() is None and not self._is_cut_off:
            return ""
        status = self.process.wait()
        if status == OUT_OF_MEMORY:
            return too_much(self.memory_max)
        return f"killed its process ({_told(status)})"

    def kill(self) -> None:
        """End the process, whatever it does."""
        self.process.kill()
        self.process.wait()

    def close(self) -> None:
        """End it, and all that is shared with it."""
        self.kill()
        self.connection.close()
        self.place.close()


def _told(status: int) -> str:
    return f"signal {signal.Signals(-status).name}" if status < 0 else f"exit status {status}"


def serve(descriptor: int, shared: int, memory_max: int) -> None:
    """Work off blocks that come through that file descriptor, until it is closed; what a worker process does."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent gets it, too, and decides
    bench = Bench()
    with Connection(descriptor) as connection, mmap(shared, PLACE_BYTES) as place, memory_limited(memory_max):
        try:
            connection.send("here")
            while True:
                pickled, seeds = connection.recv()
                for number, seed in enumerate(seeds, start=1):
                    place[:] = number.to_bytes(PLACE_BYTES, sys.byteorder)
                    answer = bench.work_off(pickled, seed)
                    place[:] = bytes(PLACE_BYTES)
                    connection.send(answer)
        except (EOFError, BrokenPipeError, ConnectionResetError):
            return  # the parent is gone, or done
        except MemoryError:
            os._exit(OUT_OF_MEMORY)
