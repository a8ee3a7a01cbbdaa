"""Seeds on a cluster of dask.distributed: one that runs somewhere, or one of our own on this machine.

A block whose worker dies is tried again by the scheduler. One that goes on to end workers is halved, and its halves are run
while nothing else is, down to the seed that does it: so a neighbour on the same worker is never blamed.
"""

from __future__ import annotations

import faulthandler
import pickle
import signal
import sys
from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, redirect_stdout
from threading import Lock
from typing import Any, Final

from ...histories.errors import UsageError
from .backlog import Backlog
from .contract import Done, Job
from .work import HANG_S, MEMORY_MAX, SINGLE_THREADED, Answer, Bench, memory_limited, too_much

try:
    import dask
    import distributed
except ImportError as error:
    raise UsageError(
        f"the engine dask is not installed ({error}); pip install 'upheld[dask]', or use the engine local"
    ) from error

BLOCK_S: Final = 2.0
"""How long a task should take: a thousand times what a scheduler needs for one."""
BLOCK_MAX: Final = 10_000

FAILURES_ALLOWED: Final = 1
"""How often a cluster of our own tries a block again whose worker died."""

CONNECT_S: Final = 10
"""How long a scheduler may take to answer at all."""


class Dask:
    """A cluster, reached when it is needed first. Each of its workers has one block at a time."""

    def __init__(
        self, jobs: int, *, scheduler: str | None = None, memory_max: int = MEMORY_MAX, hang_s: float = HANG_S
    ) -> None:
        """`scheduler`: the address of a cluster; None starts one of `jobs` processes on this machine."""
        self._jobs, self._scheduler = jobs, scheduler
        self._limits = (memory_max, hang_s)
        self._backlog = Backlog(block_s=BLOCK_S, block_max=BLOCK_MAX)
        self._suspects: deque[Job] = deque()
        self._flying: dict[Any, Job] = {}
        self._is_alone = False
        self._client: Any = None
        self._to_close = ExitStack()

    def submit(self, job: Job, *, first: bool = False) -> None:
        """Add a job behind all others, or before them."""
        self._backlog.add(job, first=first)

    def completed(self) -> Iterator[Done]:
        """Every seed as it is done.

        Raises:
            UsageError: the cluster cannot be reached.
        """
        while self._feed():
            with self._client.as_current():
                done = distributed.wait(list(self._flying), return_when="FIRST_COMPLETED").done
            for future in [future for future in self._flying if future in done]:
                if future in self._flying:  # a job may be cancelled while its results are read
                    yield from self._land(self._flying.pop(future), future)

    def cancel(self, key: str | None = None) -> None:
        """Forget what has not arrived of that job, or stop everything; a seed that is being worked off goes on."""
        self._backlog.forget(key)
        self._suspects = deque(job for job in self._suspects if key is not None and job.key != key)
        for future in [future for future, job in self._flying.items() if key in {None, job.key}]:
            del self._flying[future]
            future.cancel()
        if key is None:
            self._to_close.close()
            self._client = None

    def _feed(self) -> bool:
        """Send blocks until every worker has one; of suspects, one and nothing else. Whether any is on its way."""
        if self._client is None and len(self._backlog):
            self._client = self._connected()
        if self._suspects:
            if not self._flying:
                self._is_alone = True
                self._send(self._suspects.popleft())
            return True
        if self._is_alone and self._flying:
            return True
        self._is_alone = False
        workers = max(1, len(self._client.nthreads())) if len(self._backlog) else 0
        while len(self._flying) < workers and (block := self._backlog.next_block(workers)):
            self._send(block)
        return bool(self._flying)

    def _send(self, block: Job) -> None:
        future = self._client.submit(work_off, pickle.dumps(block.work), tuple(block.seeds), *self._limits, pure=False)
        self._flying[future] = block

    def _land(self, block: Job, future: Any) -> Iterator[Done]:
        """What came of a block."""
        if future.status == "finished":
            for seed, answer in zip(block.seeds, future.result(), strict=False):
                if isinstance(answer, str):
                    yield Done(block.key, seed, None, lost=f"seed {seed} {answer}")
                else:
                    yield answer.told(block.key, seed, self._backlog)
            return
        error = future.exception() if future.status == "error" else RuntimeError("the scheduler has lost a block")
        if not isinstance(error, distributed.KilledWorker):
            raise error
        if len(block.seeds) > 1:
            middle = len(block.seeds) // 2
            halves = (block.seeds[:middle], block.seeds[middle:])
            self._suspects.extendleft(Job(block.key, block.work, seeds) for seeds in reversed(halves))
        elif self._is_alone:
            (seed,) = block.seeds
            reason = f"ended every worker that it was given (it crashes, or takes more than {self._limits[1]:g} s)"
            yield Done(block.key, seed, None, lost=f"seed {seed} {reason}")
        else:
            self._suspects.appendleft(block)

    def _connected(self) -> Any:
        address = self._scheduler or self._to_close.enter_context(_cluster(self._jobs))
        try:
            return self._to_close.enter_context(distributed.Client(address, set_as_default=False, timeout=CONNECT_S))
        except (OSError, ValueError) as error:
            raise UsageError(f"no scheduler of dask answers at {address}: {error}") from error


def _cluster(jobs: int) -> Any:
    """A cluster of so many processes on the loopback of this machine, each with one thread and a pinned hash seed."""
    with dask.config.set({"distributed.scheduler.allowed-failures": FAILURES_ALLOWED}):
        return distributed.LocalCluster(
            n_workers=jobs,
            threads_per_worker=1,
            processes=True,
            host="127.0.0.1",
            dashboard_address="127.0.0.1:0",  # a free port, since there may be several clusters
            memory_limit=0,
            env=SINGLE_THREADED,
            preload=[__name__],
            silence_logs="CRITICAL",
        )


# --- on a worker


def dask_setup(_: Any) -> None:
    """What a worker of our own cluster does first: an interrupt is for the parent, which gets it, too, and decides."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)


BENCH: Final = Bench()
TURN: Final = Lock()
"""A process simulates one world at a time, however many threads a cluster gives it."""


def work_off(work: bytes, seeds: Sequence[int], memory_max: int, hang_s: float) -> list[Answer | str]:
    """The answers to these seeds, up to the first error; a text says why a seed is lost.

    A seed that hangs ends this process: nothing else can stop it.
    """
    answers: list[Answer | str] = []
    with TURN, memory_limited(memory_max), redirect_stdout(sys.stderr):  # what a system prints must not mix with ours
        for seed in seeds:
            faulthandler.dump_traceback_later(hang_s, exit=True)
            try:
                answers.append(answer := BENCH.work_off(work, seed))
            except MemoryError:
                answers.append(too_much(memory_max))
                continue
            finally:
                faulthandler.cancel_dump_traceback_later()
            if answer.error is not None:
                break
    return answers
