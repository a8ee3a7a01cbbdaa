"""Registers in the end: after quiescence all replicas read the same value, and it is one that was written.

Eventual visibility asks for no more: every final read sees every acknowledged write, so all of them return the last one in
the same order of writes, and that order is any. O(n).
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import pairwise
from typing import Final

from ...histories.event import Kind, Missing, Operation
from ...histories.history import History
from ...histories.values import identity, to_json
from ..minimal import minimal_history
from ..verdict import Anomaly
from .judging import Finding
from .quiescence import Phases
from .witness import WitnessFails

WRITES: Final = frozenset({"write", "put"})
READS: Final = frozenset({"read", "get"})


@dataclass(frozen=True)
class Settled:
    """What every final read of each register returns: the witness."""

    values: Mapping[Hashable, Hashable]

    def recheck(self, history: History) -> None:
        """Hold every final read against it, O(n).

        Raises:
            WitnessFails: one of them returns something else.
        """
        for key, reads in Registers(history).finals.items():
            for read in reads:
                if identity(read.result) != self.values[key]:
                    raise WitnessFails(f"{_told(read)} returns something else")


@dataclass(frozen=True)
class Registers:
    """The writes and final reads of a history of registers.

    Attributes:
        history: all of it.
        knows_start: whether it is known what registers hold at first; if not, whatever nobody wrote was there.
    """

    history: History
    knows_start: bool = True

    @cached_property
    def writes(self) -> list[Operation]:
        """Those that may have taken effect."""
        return [each for each in self.history.operations if each.action in WRITES and each.outcome is not Kind.FAIL]

    @cached_property
    def reads(self) -> list[Operation]:
        """All of them."""
        return [each for each in self.history.operations if each.action in READS]

    @cached_property
    def finals(self) -> dict[Hashable, list[Operation]]:
        """The answered final reads of each register that tell something."""
        phases = Phases(self.history)
        found: dict[Hashable, list[Operation]] = {}
        for read in self.reads:
            if read.outcome is Kind.OK and phases.is_final(read) and _tells(read, self.history):
                found.setdefault(identity(read.key), []).append(read)
        return found

    @property
    def settled(self) -> Settled:
        """What the first final read of each returns."""
        return Settled({key: identity(reads[0].result) for key, reads in self.finals.items()})

    def find(self) -> Finding:
        """An anomaly with a minimal history; why nothing can be said; or nothing to say against it."""
        found = self._look()
        if not isinstance(found, Anomaly):
            return found
        involved = {operation.invocation for operation in found.operations}
        excerpt = self.history.without(each for each in self.history.operations if each.invocation not in involved)

        def fails(part: History) -> bool:
            again = Registers(part, self.knows_start)._look()  # noqa: SLF001  # one of its own kind
            return isinstance(again, Anomaly) and again.kind == found.kind

        return replace(found, history=minimal_history(excerpt, fails))

    def _look(self) -> Finding:
        phases = Phases(self.history)
        restless = phases.restless(self.writes)
        if restless:
            return restless
        pairs = [pair for reads in self.finals.values() for pair in pairwise(reads)]
        apart = next(((one, two) for one, two in pairs if identity(one.result) != identity(two.result)), None)
        if apart is not None:
            return _differ(*apart)
        written = {(identity(write.key), identity(write.argument)) for write in self.writes}
        acknowledged = {identity(write.key): write for write in reversed(self.writes) if write.outcome is Kind.OK}
        for key, (read, *_) in self.finals.items():
            is_initial = not self.knows_start or _is_initial(read, self.history)
            if (key, identity(read.result)) not in written and not (is_initial and key not in acknowledged):
                return _strange(read, acknowledged[key] if is_initial else None)
        unseen = next((write for key, write in acknowledged.items() if key not in self.finals), None)
        if unseen is not None:
            return f"no final read shows the register of {unseen}"
        return phases.unread(self.reads, self.writes) or (
            None if pairs else "no register has two final reads to compare"
        )


def _tells(read: Operation, history: History) -> bool:
    """Whether a read observes anything: one of null does not where the header says so."""
    return read.result is not None or history.header.nil_read == "absent"


def _is_initial(read: Operation, history: History) -> bool:
    initial = history.header.initial
    return bool(identity(read.result) == (None if isinstance(initial, Missing) else identity(initial)))


def _differ(one: Operation, other: Operation) -> Anomaly:
    return Anomaly(
        kind="divergent-finals",
        story=("The system was quiet when these two final reads began, and they differ", _told(one), _told(other)),
        operations=(one, other),
    )


def _strange(read: Operation, write: Operation | None) -> Anomaly:
    if write is None:
        return Anomaly(
            kind="phantom",
            story=(
                f"{_told(read)} is final",
                f"Nobody wrote {to_json(read.result)}, or all who did were told that they failed",
            ),
            operations=(read,),
        )
    return Anomaly(
        kind="missing-update",
        story=(
            f"{write} was acknowledged at event {write.completion}",
            f"{_told(read)} is final and returns what was there at first",
        ),
        operations=(write, read),
    )


def _told(read: Operation) -> str:
    where = f" at {read.node}" if read.node else ""
    return f"{str(read)[0].upper()}{str(read)[1:]}{where} (event {read.invocation})"
