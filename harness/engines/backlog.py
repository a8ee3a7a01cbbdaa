"""What is still to be done, and how much of it a worker is given at once."""

from __future__ import annotations

from collections import deque
from typing import Final

from .contract import Job

MEMORY_OF_PACE: Final = 0.7
"""How much of the pace so far stays when a seed has taken another time."""


class Backlog:
    """Jobs in their order, cut into blocks that take about `block_s` seconds each.

    How long a seed takes is learnt job by job; a job that nobody knows begins with a block of one.
    """

    def __init__(self, *, block_s: float, block_max: int) -> None:
        self._block_s, self._block_max = block_s, block_max
        self._jobs: deque[Job] = deque()
        self._seed_s: dict[str, float] = {}

    def __len__(self) -> int:
        """How many seeds there are."""
        return sum(len(job.seeds) for job in self._jobs)

    def add(self, job: Job, *, first: bool = False) -> None:
        """Behind all others, or before them."""
        (self._jobs.appendleft if first else self._jobs.append)(job)

    def forget(self, key: str | None) -> None:
        """Drop that job, or all."""
        self._jobs = deque(job for job in self._jobs if key is not None and job.key != key)

    def learn(self, key: str, took_s: float) -> None:
        """A seed of that job has taken so long."""
        before = self._seed_s.get(key, took_s)
        self._seed_s[key] = MEMORY_OF_PACE * before + (1 - MEMORY_OF_PACE) * took_s

    def next_block(self, workers: int) -> Job | None:
        """The next seeds for one of so many workers; None when nothing is left."""
        while self._jobs:
            job = self._jobs.popleft()
            count = self._block_size(job, workers)
            if count < len(job.seeds):
                self._jobs.appendleft(Job(job.key, job.work, job.seeds[count:]))
            if job.seeds:
                return Job(job.key, job.work, job.seeds[:count])
        return None

    def _block_size(self, job: Job, workers: int) -> int:
        """As many seeds as the time holds, but never more than leaves the other workers their share."""
        known = self._seed_s.get(job.key)
        wanted = 1 if known is None else int(self._block_s / max(known, 1e-6))
        return max(1, min(wanted, self._block_max, -(-len(job.seeds) // workers)))
