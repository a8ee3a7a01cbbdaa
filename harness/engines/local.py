"""Seeds on the processes of this machine, which are started once and replaced when a seed ends one."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from multiprocessing.connection import wait
from typing import Final

from .backlog import Backlog
from .contract import Done, Job
from .work import HANG_S, MEMORY_MAX
from .worker import Worker

BLOCK_S: Final = 0.5
"""How long a worker should be busy with what it is given at once."""
BLOCK_MAX: Final = 1_000

UNEXPLAINED_MAX: Final = 5
"""How many workers in a row may end between two seeds, before somebody has to look at it."""


class Local:
    """Processes of this machine, each with a connection of its own.

    A process that a seed ends is replaced, and the rest of its block goes on there. A seed is lost when it hangs, or when
    it ends a second process, which is a fresh one: so nobody pays for what an earlier seed left behind, or for a signal
    from outside.
    """

    def __init__(self, jobs: int, *, hang_s: float = HANG_S, memory_max: int = MEMORY_MAX) -> None:
        """`memory_max`: how many bytes of data each process may hold."""
        self._jobs, self._hang_s, self._memory_max = jobs, hang_s, memory_max
        self._backlog = Backlog(block_s=BLOCK_S, block_max=BLOCK_MAX)
        self._workers: list[Worker] = []
        self._suspects: set[tuple[str, int]] = set()
        self._unexplained = 0

    def submit(self, job: Job, *, first: bool = False) -> None:
        """Add a job behind all others, or before them."""
        self._backlog.add(job, first=first)

    def completed(self) -> Iterator[Done]:
        """Every seed as it is done."""
        while self._feed():
            wait([worker.connection for worker in self._workers if worker.seeds], timeout=1.0)
            for worker in [worker for worker in self._workers if worker.seeds]:
                yield from self._take(worker)
                if worker.waited_s() > self._hang_s:
                    worker.kill()
                    yield from self._replace(worker, f"hung for more than {self._hang_s:g} s", is_sure=True)
                elif worker.seeds and (fate := worker.fate()):
                    yield from self._replace(worker, fate)

    def cancel(self, key: str | None = None) -> None:
        """Forget the seeds of that job that no worker has, or stop everything."""
        self._backlog.forget(key)
        if key is None:
            for worker in self._workers:
                worker.seeds.clear()
                worker.close()
            self._workers.clear()

    def _feed(self) -> bool:
        """Give every idle worker a block of seeds; whether anybody is at work."""
        idle = sum(not worker.seeds for worker in self._workers)
        while len(self._workers) < self._jobs and len(self._backlog) > idle:
            self._workers.append(Worker.start(self._memory_max))
            idle += 1
        for worker in self._workers:
            if not worker.seeds and (block := self._backlog.next_block(self._jobs)):
                worker.give(block)
        return any(worker.seeds for worker in self._workers)

    def _take(self, worker: Worker) -> Iterator[Done]:
        """All answers that lie ready."""
        for seed, answer in worker.answers():
            self._unexplained = 0
            yield answer.told(worker.key, seed, self._backlog)

    def _replace(self, worker: Worker, why: str, *, is_sure: bool = False) -> Iterator[Done]:
        """A worker has ended: a fresh one goes on with its block, without the seed that is to blame for sure."""
        yield from self._take(worker)  # what it said before
        culprit, rest = worker.culprit(), list(worker.seeds)
        worker.seeds.clear()
        worker.close()
        self._workers.remove(worker)
        self._check(worker, culprit, why)
        if culprit is not None:
            rest.remove(culprit)
            if is_sure or (worker.key, culprit) in self._suspects:
                yield Done(worker.key, culprit, None, lost=f"seed {culprit} {why}")
            else:
                self._suspects.add((worker.key, culprit))
                rest.insert(0, culprit)
        if rest:
            fresh = Worker.start(self._memory_max)
            fresh.give(Job(worker.key, worker.work, rest))
            self._workers.append(fresh)

    def _check(self, worker: Worker, culprit: int | None, why: str) -> None:
        """A worker that never said a word, or the last of many that ended between seeds, is no seed's fault."""
        self._unexplained += culprit is None
        if not worker.greeted:
            raise RuntimeError(f"a worker process does not start: {sys.executable}: {why}")
        if self._unexplained > UNEXPLAINED_MAX:
            raise RuntimeError(f"{self._unexplained} workers in a row ended between two seeds; the last {why}")
