"""The world that a system lives in: one thread, one agenda, and virtual time in integer nanoseconds.

Whatever happens is an entry `(time, sequence, step, a, b)` of the agenda, and happens as `step(a, b)`. Simultaneous
events happen in the order in which they were asked for. A handler takes no virtual time; disks and links do.
"""

from __future__ import annotations

from array import array
from collections import Counter
from collections.abc import Callable, Iterable
from heapq import heappop, heappush
from itertools import count, repeat
from typing import Any, Final, TypeAlias

import msgspec

from ..histories.event import Kind
from ..histories.history import HistoryBuilder
from ..histories.trace import Note
from ..histories.values import Value
from .caller import Caller
from .faults import FAULTS
from .machine import Machine
from .network import Network
from .plan import LEADER, Fault, Plan, PlannedOperation
from .system import Variant

Watch: TypeAlias = Callable[[Note], bool]
Step: TypeAlias = Callable[[Any, Any], None]

EVENTS_MAX: Final = 300_000
"""After so many events a run is cut off, whatever its plan says; a run of some seconds has some thousands."""


class Tally:
    """How often something has happened, and which faults wait for which time of it."""

    def __init__(self, begin: Callable[[int, Fault], None]) -> None:
        self.waiting: dict[int, list[tuple[int, Fault]]] = {}
        self._begin = begin
        self._count = 0

    def tell(self, node: str) -> None:
        """It has happened once more, at this node."""
        self._count += 1
        for number, fault in self.waiting.get(self._count, ()):
            self._begin(number, fault if fault.nodes else msgspec.structs.replace(fault, nodes=(node,)))


class World:
    """One run in progress.

    Attributes:
        now: virtual time.
        agenda: what is still to happen, a heap.
        sequence: gives the next place among simultaneous events.
        full: whether messages and timers are noted, too.
        tallies: of what faults wait for, by node and event.
        hurt: how many faults are in force.
        history, notes, findings, fired, busy, order: what a `trial.Run` is made of.
    """

    def __init__(
        self, plan: Plan, variant: Variant, *, full: bool, watch: Watch | None, history: HistoryBuilder
    ) -> None:
        self.plan, self.variant, self.full = plan, variant, full
        self.settings = {**variant.settings, **plan.settings}
        self.now = 0
        self.agenda: list[tuple[int, int, Step, Any, Any]] = []
        self.sequence = count().__next__
        self.order = array("q")
        self.history = history
        self.notes: list[Note] = []
        self.findings: list[str] = []
        self.fired: Counter[str] = Counter()
        self.busy: Counter[str] = Counter()
        self.hurt = 0
        self.stopped = False
        self._watch = watch
        self._running = True
        self._healed = False
        self._undo: dict[int, tuple[Fault, Callable[[], None]]] = {}
        self.tallies: dict[tuple[str, str], Tally] = {}
        for number, fault in enumerate(plan.faults):
            if fault.on is not None:
                tally = self.tallies.setdefault((fault.on.node, fault.on.event), Tally(self._begin))
                tally.waiting.setdefault(fault.on.k, []).append((number, fault))
        self.network = Network(self)
        self.machines = {name: Machine(self, name) for name in plan.node_ids}
        for machine in self.machines.values():
            self.network.join(machine)
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
        agenda, told = self.agenda, self.order.append
        for _ in repeat(None, EVENTS_MAX):
            if not self._running:
                return
            time, sequence, step, a, b = heappop(agenda)
            self.now = time
            told(time)
            told(sequence)
            step(a, b)
        self.findings.append(
            f"the run was cut off at {self.now} ns, after {EVENTS_MAX} events: do messages breed messages?"
        )

    def _prepare(self) -> None:
        phases = self.plan.phases
        self.at(0, self._phase, "storm", None)
        for machine in self.machines.values():
            machine.boot()
            self.at(0, machine.life.start, None, None)
        for caller in self.callers:
            caller.plan_next()
        for number, fault in enumerate(self.plan.faults):
            if fault.at_ns is not None and fault.at_ns < phases.heal_ns:
                self.at(fault.at_ns, self._begin, number, fault)
        self.at(phases.heal_ns, self._heal, None, None)
        self.at(phases.quiet_ns, self._phase, "quiet", None)
        self.at(phases.final_ns, self._final, None, None)
        self.at(phases.end_ns, self._end, None, None)

    def _phase(self, name: str, _: None) -> None:
        self.history.add("phases", Kind.INFO, name, time=self.now)

    def _final(self, _: None, __: None) -> None:
        self._phase("final", None)
        self.finished()

    def _end(self, _: None, __: None) -> None:
        self._running = False

    def finished(self) -> None:
        """A client has nothing left to do: perhaps nobody has."""
        if self.now >= self.plan.phases.final_ns and all(caller.done for caller in self.callers):
            self._running = False

    # --- what is told

    def note(self, node: str, kind: str, facts: tuple[Value, ...]) -> None:
        """Something has happened at a node."""
        note = Note(self.now, node, kind, facts)
        self.notes.append(note)
        if self._watch is not None and self._watch(note):
            self.stopped, self._running = True, False

    def transport(self, node: str, kind: str, facts: tuple[Value, ...]) -> None:
        """Something that only a full trace holds; no watching judge sees it."""
        self.notes.append(Note(self.now, node, kind, facts))

    def fire(self, kind: str) -> None:
        """A fault of this kind has changed the fate of a message, a write, a clock reading or a node."""
        self.fired[kind] += 1

    # --- faults

    def _begin(self, number: int, fault: Fault) -> None:
        """A fault begins, unless all has healed."""
        if self._healed:
            return
        fault = self._resolved(fault)
        self.history.add("nemesis", Kind.INFO, fault.fault, value=whom(fault), time=self.now)
        self.hurt += 1
        self._undo[number] = fault, FAULTS[fault.fault].begin(self, fault)
        if fault.undo_after_ns is not None:
            self.at(self.now + fault.undo_after_ns, self._undo_one, number, None)

    def _undo_one(self, number: int, _: None) -> None:
        found = self._undo.pop(number, None)
        if found is not None:
            fault, undo = found
            self.hurt -= 1
            self.history.add("nemesis", Kind.INFO, f"undo-{fault.fault}", value=whom(fault), time=self.now)
            undo()

    def _heal(self, _: None, __: None) -> None:
        """The storm is over: all faults end, and all nodes run."""
        self._healed = True
        self._phase("heal", None)
        for number in list(self._undo):
            self._undo_one(number, None)
        for machine in self.machines.values():
            machine.restart()

    def _resolved(self, fault: Fault) -> Fault:
        """With names in the place of "leader", and of nobody, which means all nodes."""
        leaders = (note.node for note in reversed(self.notes) if note.kind == "leads")
        leader = next(leaders, self.plan.node_ids[0])

        def named(names: Iterable[str]) -> tuple[str, ...]:
            return tuple(leader if name == LEADER else name for name in names)

        return msgspec.structs.replace(
            fault,
            nodes=named(fault.nodes) or self.plan.node_ids,
            sides=tuple(named(side) for side in fault.sides),
        )


def whom(fault: Fault) -> tuple[Value, ...]:
    """Whom a fault hits, as the history tells it: the sides of a partition, or the nodes."""
    return fault.sides or fault.nodes


def _by_client(operations: Iterable[PlannedOperation]) -> dict[int, list[PlannedOperation]]:
    """The operations of each client, in the order of their times; clients in the order of their numbers."""
    found: dict[int, list[PlannedOperation]] = {}
    for operation in sorted(operations, key=lambda operation: (operation.client, operation.at_ns)):
        found.setdefault(operation.client, []).append(operation)
    return found
