"""What is being shrunk, and how a pass speaks with the search."""

from __future__ import annotations

from collections.abc import Callable, Generator
from dataclasses import dataclass
from typing import TypeAlias

from ..plan import Plan
from ..trial import Run


@dataclass(frozen=True)
class Failure:
    """A run that fails in the way that is being shrunk.

    Attributes:
        run: what was run.
        at_ns: when all that shows it had happened; the run need not go on after it.
        retrace: makes the same run with a full trace; None where nobody can.
    """

    run: Run
    at_ns: int
    retrace: Callable[[], Run] | None = None

    @property
    def plan(self) -> Plan:
        """What was run."""
        return self.run.plan


Proposals: TypeAlias = Generator[Plan, bool, None]
Simplify: TypeAlias = Callable[[Failure], Proposals]
