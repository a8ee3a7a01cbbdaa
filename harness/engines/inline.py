"""Seeds one after the other in this process: for debugging, and where processes cannot be had."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator

from .contract import Done, Job


class Inline:
    """Works off everything here. A seed that crashes or hangs takes this process with it."""

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
