"""The world that a system lives in: one thread, one agenda, and virtual time in integer nanoseconds.

Whatever happens is an entry `(time, sequence, step, a, b)` of the agenda, and happens as `step(a, b)`. Simultaneous
events happen in the order in which they were asked for. A handler takes no virtual time; disks and links do.
"""

from __future__ import annotations

import traceback
from array import array
from collections import Counter
from collections.abc import Callable, Iterable
from heapq import heappop, heappush
from itertools import count, repeat
from pathlib import Path
from typing import Any, Final, TypeAlias

from ..histories.event import Kind
from ..histories.history import HistoryBuilder
from ..histories.trace import Note
from ..histories.values import Value
from .caller import Caller
from .disk import NodeDisk
from .machine import Machine
from .nemesis import Nemesis
from .network import Network
from .operator import Operator
from .plan import Plan, PlannedOperation
from .system import Variant

Watch: TypeAlias = Callable[[Note], bool]
Step: TypeAlias = Callable[[Any, Any], None]
Entry: TypeAlias = tuple[int, int, Step, Any, Any]

EVENTS_MAX: Final = 300_000
"""After so many events a run is cut off, whatever its plan says; a run of some seconds has some thousands."""


BEFORE_ALL: Final = -1
"""The place among simultaneous events of the one that ends the run."""


class Over(Exception):
    """The run has ended; no error."""


class World:
    """One run in progress.

    Attributes:
        now: virtual time.
        agenda: what is still to happen, a heap.
        sequence: gives the next place among simultaneous events.
        full: whether messages and timers are noted, too.
        nemesis: does the faults.
        operator: changes who is a member.
        members: the nodes that clients made from now on know of: those of the plan, those that the operator has taken in,
            and not those that it has taken out.
        history, notes, findings, fired, busy, order: what a `trial.Run` is made of.
    """

    def __init__(
        self, plan: Plan, variant: Variant, *, full: bool, watch: Watch | None, history: HistoryBuilder
    ) -> None:
        self.plan, self.variant, self.full = plan, variant, full
        self.settings = {**variant.settings, **plan.settings}
        self.now = 0
        self.agenda: list[Entry] = []
        self.sequence = count().__next__
        self.order = array("q")
        self.history = history
        self.notes: list[Note] = []
        self.findings: list[str] = []
        self.fired: Counter[str] = Counter()
        self.busy: Counter[str] = Counter()
        self.stopped = False
        self._watch = watch
        self.nemesis = Nemesis(self)
        self.network = Network(self)
        self.machines: dict[str, Machine] = {}
        for name in plan.node_ids:
            self._install(name)
        self.members = plan.node_ids
        self.operator = Operator(self)
        by_client = _by_client(plan.operations)
        self.clients = len(by_client) and max(by_client) + 1
        self.callers = [Caller(self, number, mine) for number, mine in by_client.items()]

    # --- time

    def at(self, time: int, step: Step, a: Any, b: Any) -> None:
        """Do `step(a, b)` at `time`; of two at the same time, the first one asked for goes first."""
        assert time >= self.now, f"cannot schedule at {time}: it is already {self.now}"
        heappush(self.agenda, (time, self.sequence(), step, a, b))

    def run(self) -> None:
        """Let everything happen, until the plan ends, or all operations have ended after the final phase began."""
        self._prepare()
        told = self.order.append
        try:
            for time, sequence, step, a, b in map(heappop, repeat(self.agenda, EVENTS_MAX)):
                self.now = time
                told(time)
                told(sequence)
                step(a, b)
        except Over:
            return
        self.findings.append(
            f"the run was cut off at {self.now} ns, after {EVENTS_MAX} events: do messages breed messages?"
        )

    def _stop(self) -> None:
        """Let the present event be the last."""
        last: Entry = (self.now, BEFORE_ALL, _end, None, None)
        heappush(self.agenda, last)

    def _prepare(self) -> None:
        phases = self.plan.phases
        self.at(0, self._phase, "storm", None)
        for machine in self.machines.values():
            machine.boot()
        for caller in self.callers:
            caller.plan_next()
        self.nemesis.prepare()
        self.at(phases.heal_ns, self._heal, None, None)
        self.at(phases.quiet_ns, self._phase, "quiet", None)
        self.at(phases.final_ns, self._final, None, None)
        self.at(phases.end_ns, self._end, None, None)

    def _phase(self, name: str, _: None) -> None:
        self.history.add("phases", Kind.INFO, name, time=self.now)

    def _heal(self, _: None, __: None) -> None:
        self._phase("heal", None)
        self.nemesis.heal()

    def _final(self, _: None, __: None) -> None:
        self._phase("final", None)
        self.finished()

    def _end(self, _: None, __: None) -> None:
        self._stop()

    def finished(self) -> None:
        """A client has nothing left to do: perhaps nobody has."""
        if self.now >= self.plan.phases.final_ns and all(caller.done for caller in self.callers):
            self._stop()

    # --- machines

    @property
    def present(self) -> tuple[str, ...]:
        """All nodes that have not gone for ever."""
        return tuple(name for name, machine in self.machines.items() if not machine.gone)

    def admit(self, name: str, disk: NodeDisk | None = None) -> None:
        """Start a node that the run did not begin with, on an empty disk or on this one."""
        self._install(name, disk).boot()

    def _install(self, name: str, disk: NodeDisk | None = None) -> Machine:
        machine = self.machines[name] = Machine(self, name, disk)
        self.network.join(machine)
        return machine

    # --- what is told

    def note(self, node: str, kind: str, facts: tuple[Value, ...]) -> None:
        """Something has happened at a node."""
        note = Note(self.now, node, kind, facts)
        self.notes.append(note)
        if self._watch is not None and self._watch(note):
            self.stopped = True
            self._stop()

    def transport(self, node: str, kind: str, facts: tuple[Value, ...]) -> None:
        """Something that only a full trace holds; no watching judge sees it."""
        self.notes.append(Note(self.now, node, kind, facts))

    def fire(self, kind: str) -> None:
        """A fault of this kind has changed the fate of a message, a write, a clock reading or a node."""
        self.fired[kind] += 1

    def find(self, who: str, error: Exception) -> str:
        """Code of a node or client has raised this, which is a finding; answers what and where, in a few words."""
        what, where = type(error).__name__, place_of(error)
        self.findings.append(f"{who} at {self.now} ns: {what}: {error} ({where})")
        return f"{what} at {where}"


def _end(_: None, __: None) -> None:
    raise Over


def place_of(error: Exception) -> str:
    """`file.py:17`, where it was raised; without the folder, which differs from one machine to the next."""
    frames = traceback.extract_tb(error.__traceback__)
    return f"{Path(frames[-1].filename).name}:{frames[-1].lineno}" if frames else "?"


def _by_client(operations: Iterable[PlannedOperation]) -> dict[int, list[PlannedOperation]]:
    """The operations of each client, in the order of their times; clients in the order of their numbers."""
    found: dict[int, list[PlannedOperation]] = {}
    for operation in sorted(operations, key=lambda operation: (operation.client, operation.at_ns)):
        found.setdefault(operation.client, []).append(operation)
    return found
