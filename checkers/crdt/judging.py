"""What judges of executions share: one read after the other, against what it saw."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, TypeAlias

from ..verdict import Anomaly, Refuted, Undecided, Upheld, Verdict
from .execution import Execution, Step

Finding: TypeAlias = "Anomaly | str | None"
"""An anomaly; why nothing can be said; or nothing to say against it."""


@dataclass(frozen=True, kw_only=True)
class OfReads:
    """Decides whether every read returned what its specification says.

    Attributes:
        read: the action of reads.
    """

    read: str = "read"
    name: ClassVar[str]

    def check(self, execution: Execution, /) -> Verdict:
        """The verdict; the first refutation refutes, then the first doubt leaves it open."""
        method = "each read against the updates that it saw"
        reads = list(execution.reads(self.read))
        evidence = {"steps": len(execution.steps), "reads": len(reads)}
        doubt = self.doubt(execution)
        for read in reads if not doubt else ():
            match self.look(execution, read):
                case Anomaly() as anomaly:
                    return Refuted(
                        anomaly, checker=self.name, method=method, operations=len(execution.steps), evidence=evidence
                    )
                case str(reason):
                    doubt = doubt or reason
        if doubt or not reads:
            reason = doubt or "there is no read"
            return Undecided(
                reason, is_vacuous=not reads, checker=self.name, method=method, operations=len(execution.steps)
            )
        return Upheld(checker=self.name, method=method, operations=len(execution.steps), evidence=evidence)

    def doubt(self, execution: Execution) -> str:  # noqa: ARG002  # most have none
        """Why the specification does not apply; "" when it does."""
        return ""

    def look(self, execution: Execution, read: Step) -> Finding:
        """What there is to say against a read."""
        raise NotImplementedError
