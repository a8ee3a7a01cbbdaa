"""Faults that wait for an event instead of a time, and the other way round.

A fault at a time misses its moment as soon as something before it is left out; a fault at the third vote of n2 does not.
Neither is simpler: these are detours, taken for what the passes can leave out afterwards.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from itertools import chain
from typing import Final

from msgspec.structs import replace

from ...histories.event import Event
from ...histories.trace import LIFECYCLE, Note
from ..plan import LEADER, Fault, Occurrence, Plan
from .edits import with_fault, with_faults
from .failure import Failure, Proposals

SHORTLY: Final = 6
"""So many notes before a fault began may have been what it waited for."""


def at_events(failure: Failure) -> Proposals:
    """Each fault at a time waits for what a node that it hits had noted shortly before it began, or what any node had."""
    plan = failure.plan
    notes = [note for note in failure.run.evidence.trace if note.node in plan.node_ids and note.kind not in LIFECYCLE]
    for at, fault in enumerate(plan.faults):
        if fault.at_ns:
            for on in _before(fault, notes, plan):
                candidate = with_fault(plan, at, replace(fault, at_ns=None, on=on))
                if (yield candidate):
                    plan = candidate
                    break


def earlier_events(failure: Failure) -> Proposals:
    """A fault waits for the first time of its event, or for half as many, or one less."""
    plan = failure.plan
    for at in range(len(plan.faults)):
        earlier = True
        while earlier:
            earlier = False
            for candidate in _with_smaller_k(plan, at):
                if (yield candidate):
                    plan, earlier = candidate, True
                    break


def _with_smaller_k(plan: Plan, at: int) -> Iterator[Plan]:
    on = plan.faults[at].on
    if on is not None:
        for k in sorted({1, on.k // 2, on.k - 1} - {0, on.k}):
            yield with_fault(plan, at, replace(plan.faults[at], on=replace(on, k=k)))


def at_times(failure: Failure) -> Proposals:
    """All faults, or one, begin at the time at which what they waited for happened."""
    plan = failure.plan
    begun: dict[str, list[Event]] = defaultdict(list)
    for event in failure.run.evidence.history.nemesis():
        if event.process == "nemesis":
            begun[str(event.action)].append(event)
    for fault in plan.faults:
        at_time = next((event for event in begun[fault.fault] if event.time == fault.at_ns), None)
        if at_time is not None:
            begun[fault.fault].remove(at_time)
    timed = {}
    for at, fault in enumerate(plan.faults):
        if fault.on is not None and begun[fault.fault]:
            event = begun[fault.fault].pop(0)
            nodes = fault.nodes if fault.nodes or fault.sides or fault.cut else _nodes(event)
            timed[at] = replace(fault, on=None, at_ns=event.time, nodes=nodes)
    yield from _all_or_one(plan, timed)


def _all_or_one(plan: Plan, instead: Mapping[int, Fault]) -> Iterator[Plan]:
    if len(instead) > 1:
        yield with_faults(plan, (instead.get(at, fault) for at, fault in enumerate(plan.faults)))
    for at, fault in instead.items():
        yield with_fault(plan, at, fault)


def _before(fault: Fault, notes: list[Note], plan: Plan) -> Iterator[Occurrence]:
    """What happened shortly before the fault began, where it hits and anywhere; of that the rarest."""
    at_ns = fault.at_ns or 0
    times: Counter[tuple[str, str]] = Counter()
    happened = []
    for note in notes:
        if note.time > at_ns:
            break
        times[note.node, note.kind] += 1
        happened.append(Occurrence(note.node, f"note:{note.kind}", times[note.node, note.kind]))
    names = set(chain(fault.nodes, *fault.sides[:1]))
    if LEADER in names:
        names.add(next((on.node for on in reversed(happened) if on.event == "note:leads"), plan.node_ids[0]))
    for places in (names, set(plan.node_ids)):
        recent = [on for on in happened if on.node in places][-SHORTLY:]
        if recent:
            yield min(reversed(recent), key=lambda on: on.k)


def _nodes(event: Event) -> tuple[str, ...]:
    """Whom the fault hit that the history tells of."""
    value = event.value
    return tuple(str(name) for name in value) if isinstance(value, tuple) else ()
