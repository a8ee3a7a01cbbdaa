"""Where seeds are worked off: an ordered list of jobs, on this process or on several.

An engine has three calls: `submit` a job, take what is `completed`, `cancel`. A worker that a seed kills, or that hangs
in one, is replaced: the seed is reported as lost, by name, and nothing else is. (An executor of the standard library
loses all that is in flight; Pebble loses the chunk.) Workers answer seed by seed and in order, so the first seed without
an answer is the one that did it.
"""

from __future__ import annotations

import gc
import os
import pickle
import signal
import subprocess
import sys
import time
import traceback
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from multiprocessing.connection import Connection, Pipe, wait
from typing import Any, Final, Protocol

from ..histories.errors import UsageError

BLOCK_S: Final = 0.5
"""How long a worker should be busy with what it is given at once."""
BLOCK_MAX: Final = 1_000
HANG_S: Final = 120.0
"""A seed that takes longer than this hangs."""
STANDARD_ERROR: Final = 2
"""What a system prints must not mix with what we print."""


@dataclass(frozen=True)
class Job:
    """One function, applied to many seeds.

    Attributes:
        key: names it.
        work: called with a seed; for other processes it must be picklable (a module's function, a `partial`, a dataclass).
        seeds: in the order in which they are to be worked off.
    """

    key: str
    work: Callable[[int], Any]
    seeds: Sequence[int]


@dataclass(frozen=True)
class Done:
    """One seed of a job that was worked off.

    Attributes:
        key, seed: whose.
        result: what the work answered; None where it was lost.
        lost: why there is no result (the worker died, or hung); "" where there is one.
    """

    key: str
    seed: int
    result: Any
    lost: str = ""


class Engine(Protocol):
    """Works off jobs. Nothing about results may depend on which engine did it, only their order of arrival."""

    def submit(self, job: Job, *, first: bool = False) -> None:
        """Add a job behind all others, or before them; allowed while `completed` is being read."""
        ...

    def completed(self) -> Iterator[Done]:
        """Every seed as it is done, until there is nothing left.

        Raises:
            Exception: whatever a work raised, with its place as a note.
        """
        ...

    def cancel(self, key: str | None = None) -> None:
        """Forget the seeds of that job that have not begun; without a key: stop everything, workers too, at once."""
        ...


def engine(name: str, *, jobs: int) -> Engine:
    """The engine of that name: `local` (that many processes) or `inline` (this one).

    Raises:
        UsageError: there is no such engine, or no job for it.
    """
    if jobs < 1:
        raise UsageError(f"{jobs} jobs cannot work anything off; it takes at least 1")
    match name:
        case "inline":
            return Inline()
        case "local":
            return Local(jobs)
    raise UsageError(f"there is no engine {name!r}; there are inline, local")


class Inline:
    """One after the other, in this process: for debugging."""

    def __init__(self) -> None:
        self._queue: deque[Job] = deque()

    def submit(self, job: Job, *, first: bool = False) -> None:
        """Add a job behind all others, or before them."""
        (self._queue.appendleft if first else self._queue.append)(job)

    def completed(self) -> Iterator[Done]:
        """Every seed in order."""
        while self._queue:
            job = self._queue[0]
            if not job.seeds:
                self._queue.popleft()
                continue
            self._queue[0] = Job(job.key, job.work, job.seeds[1:])
            yield Done(job.key, job.seeds[0], job.work(job.seeds[0]))

    def cancel(self, key: str | None = None) -> None:
        """Forget the seeds of that job, or of all."""
        self._queue = deque(job for job in self._queue if key is not None and job.key != key)


class Local:
    """Processes of this machine, started once, each with a connection of its own."""

    def __init__(self, jobs: int, *, hang_s: float = HANG_S) -> None:
        self._jobs, self._hang_s = jobs, hang_s
        self._queue: deque[Job] = deque()
        self._workers: list[_Worker] = []
        self._seed_s: dict[str, float] = {}

    def submit(self, job: Job, *, first: bool = False) -> None:
        """Add a job behind all others, or before them."""
        (self._queue.appendleft if first else self._queue.append)(job)

    def completed(self) -> Iterator[Done]:
        """Every seed as it is done."""
        while self._feed():
            ready = wait([worker.connection for worker in self._workers if worker.seeds], timeout=1.0)
            for worker in [worker for worker in self._workers if worker.connection in ready]:
                yield from self._take(worker)
            for worker in [worker for worker in self._workers if worker.waited_s() > self._hang_s]:
                worker.kill()
                yield self._lose(worker, f"hung for more than {self._hang_s:g} s")

    def cancel(self, key: str | None = None) -> None:
        """Forget the seeds of that job that no worker has, or stop everything."""
        self._queue = deque(job for job in self._queue if key is not None and job.key != key)
        if key is None:
            for worker in self._workers:
                worker.kill()
                worker.seeds.clear()
            self._workers.clear()

    def _feed(self) -> bool:
        """Give every idle worker a block of seeds; whether anybody is at work."""
        while len(self._workers) < self._jobs and sum(len(job.seeds) for job in self._queue) > self._idle():
            self._workers.append(_Worker.start())
        for worker in self._workers:
            if not worker.seeds and (block := self._next_block()):
                worker.give(block)
        return any(worker.seeds for worker in self._workers)

    def _idle(self) -> int:
        return sum(not worker.seeds for worker in self._workers)

    def _next_block(self) -> Job | None:
        while self._queue:
            job = self._queue[0]
            count = self._block_size(job)
            if count < len(job.seeds):
                self._queue[0] = Job(job.key, job.work, job.seeds[count:])
            else:
                self._queue.popleft()
            if job.seeds:
                return Job(job.key, job.work, job.seeds[:count])
        return None

    def _block_size(self, job: Job) -> int:
        """As many seeds as half a second holds, but never more than leaves the other workers their share."""
        known = self._seed_s.get(job.key)
        wanted = 1 if known is None else int(BLOCK_S / max(known, 1e-6))
        return max(1, min(wanted, BLOCK_MAX, -(-len(job.seeds) // self._jobs)))

    def _take(self, worker: _Worker) -> Iterator[Done]:
        """All answers that lie ready."""
        while worker.seeds and worker.connection.poll():
            try:
                answer = worker.connection.recv()
            except (EOFError, ConnectionResetError):
                yield self._lose(worker, f"killed its process ({worker.ended()})")
                return
            if isinstance(answer, _Answer):
                yield self._tell(*worker.answered(), answer)
            worker.greeted = True

    def _tell(self, key: str, seed: int, answer: _Answer) -> Done:
        if answer.error is not None:
            answer.error.add_note(f"while working on seed {seed} of {key}\n{answer.place}")
            raise answer.error
        before = self._seed_s.get(key, answer.took_s)
        self._seed_s[key] = 0.7 * before + 0.3 * answer.took_s
        return Done(key, seed, answer.result)

    def _lose(self, worker: _Worker, why: str) -> Done:
        """Report the seed that a dead worker was at, and put back the rest of its block."""
        if not worker.greeted:
            raise RuntimeError(f"a worker process does not start: {sys.executable}: {why}")
        key, seed = worker.answered()
        self._workers.remove(worker)
        if worker.seeds:
            self._queue.appendleft(Job(key, worker.work, tuple(worker.seeds)))
        return Done(key, seed, None, lost=f"seed {seed} {why}")


@dataclass(frozen=True)
class _Answer:
    """What a worker says about one seed."""

    result: Any = None
    took_s: float = 0.0
    error: BaseException | None = None
    place: str = ""


@dataclass(eq=False)
class _Worker:
    """A process, its connection, and the seeds that it was given and has not answered."""

    process: subprocess.Popen[bytes]
    connection: Connection
    key: str = ""
    work: Callable[[int], Any] = int
    seeds: deque[int] = field(default_factory=deque)
    since: float = 0.0
    greeted: bool = False

    @classmethod
    def start(cls) -> _Worker:
        """A fresh interpreter that knows our path, with its hash seed pinned and its libraries on one thread each."""
        ours, theirs = Pipe()
        pinned = {"PYTHONHASHSEED": "0", "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
        single = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "RAYON_NUM_THREADS"), "1")
        process = subprocess.Popen(  # noqa: S603  # our own interpreter
            [sys.executable, "-P", "-c", f"from {__name__} import serve; serve({theirs.fileno()})"],
            env={**os.environ, **single, **pinned},
            pass_fds=[theirs.fileno()],
            stdin=subprocess.DEVNULL,
            stdout=STANDARD_ERROR,
        )
        theirs.close()
        return cls(process, ours)

    def give(self, block: Job) -> None:
        """Let it work off these seeds."""
        self.key, self.work, self.since = block.key, block.work, time.monotonic()
        self.seeds.extend(block.seeds)
        with suppress(BrokenPipeError, ConnectionResetError):  # if it has died, its connection says so when it is read
            self.connection.send((pickle.dumps(block.work), tuple(block.seeds)))

    def answered(self) -> tuple[str, int]:
        """The seed that it was at is done with."""
        self.since = time.monotonic()
        return self.key, self.seeds.popleft()

    def waited_s(self) -> float:
        """How long the seed that it is at has taken."""
        return time.monotonic() - self.since if self.seeds else 0.0

    def kill(self) -> None:
        """End the process, whatever it does."""
        self.process.kill()
        self.ended()

    def ended(self) -> str:
        """How the process ended; waits for it."""
        status = self.process.wait()
        self.connection.close()
        return f"signal {signal.Signals(-status).name}" if status < 0 else f"exit status {status}"


def serve(descriptor: int) -> None:
    """Work off blocks that come through that file descriptor, until it is closed; what a worker process does."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent gets it, too, and decides
    with Connection(descriptor) as connection:
        works: dict[bytes, Callable[[int], Any]] = {}
        try:
            connection.send("here")
            while True:
                pickled, seeds = connection.recv()
                for seed in seeds:
                    connection.send(_work_off(works, pickled, seed))
        except (EOFError, BrokenPipeError, ConnectionResetError):
            return  # the parent is gone, or done


def _work_off(works: dict[bytes, Callable[[int], Any]], pickled: bytes, seed: int) -> _Answer:
    began, known = time.perf_counter(), pickled in works
    try:
        if not known:
            works[pickled] = pickle.loads(pickled)  # noqa: S301  # from our own parent
        result = works[pickled](seed)
    except Exception as error:  # noqa: BLE001  # it is raised again in the parent
        return _Answer(error=_portable(error), place=traceback.format_exc())
    if not known:
        gc.freeze()  # what the imports made stays for ever
    return _Answer(result, time.perf_counter() - began)


def _portable(error: Exception) -> Exception:
    """The exception itself where it survives the way to another process, otherwise one that says the same."""
    try:
        copy = pickle.loads(pickle.dumps(error))  # noqa: S301  # our own
    except Exception:  # noqa: BLE001  # its constructor may do anything
        return RuntimeError(f"{type(error).__name__}: {error}")
    return error if str(copy) == str(error) else RuntimeError(f"{type(error).__name__}: {error}")
