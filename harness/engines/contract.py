"""What every engine promises: it works off jobs, seed by seed, and names the seed that it loses."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Protocol


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
        lost: why there is no result (it killed its process, hung, or needed too much memory); "" where there is one.
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
