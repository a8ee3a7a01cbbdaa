"""Fewer and simpler faults."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations
from typing import Any, Final

from msgspec.structs import replace

from ...impl.node import MS, SECOND
from ..faults import FAULTS
from ..plan import Fault, Plan
from .ddmin import ddmin
from .edits import with_fault, with_faults
from .failure import Failure, Proposals

UNITS_NS: Final = (SECOND, 100 * MS, 10 * MS, MS)
ONE_OF: Final = {"crash-loop": "crash"}
"""By kind: the kind of which it is a series."""


def fewer_faults(failure: Failure) -> Proposals:
    """Leave faults out."""
    yield from ddmin(failure.plan.faults, lambda faults: with_faults(failure.plan, faults))


def merged_faults(failure: Failure) -> Proposals:
    """Let one fault do what two of its kind did: hit whom both hit, at the time of either, until both are over."""
    plan, merged = failure.plan, True
    while merged:
        merged = False
        for candidate in _with_two_in_one(plan):
            if (yield candidate):
                plan, merged = candidate, True
                break


def simpler_faults(failure: Failure) -> Proposals:
    """Each fault for itself: without what its kind does not read, never undone, both ways, dropping, hitting one node."""
    plan = failure.plan
    for at in range(len(plan.faults)):
        simpler = True
        while simpler:
            simpler = False
            for fault in _simpler(plan.faults[at], plan.node_ids):
                candidate = with_fault(plan, at, fault)
                if (yield candidate):
                    plan, simpler = candidate, True
                    break


def _with_two_in_one(plan: Plan) -> Iterator[Plan]:
    for (first, one), (second, other) in combinations(enumerate(plan.faults), 2):
        if one.fault == other.fault and not (one.joins or other.joins):
            rest = [fault for at, fault in enumerate(plan.faults) if at not in (first, second)]
            for both in filter(_makes_sense, _two_in_one(one, other)):
                yield with_faults(plan, [*rest[:first], both, *rest[first:]])


def _two_in_one(one: Fault, other: Fault) -> Iterator[Fault]:
    earlier, later = sorted((one, other), key=lambda fault: fault.at_ns or 0)
    nodes = tuple(dict.fromkeys((*one.nodes, *other.nodes))) if one.nodes and other.nodes else ()
    if earlier.at_ns is not None and later.at_ns is not None:
        yield replace(earlier, nodes=nodes, undo_after_ns=_until(earlier, later))
    if earlier.nodes != later.nodes:
        yield replace(earlier, nodes=nodes)
        yield replace(later, nodes=nodes)


def _until(earlier: Fault, later: Fault) -> int | None:
    """How long the earlier one lasts if it ends with the later one."""
    if later.undo_after_ns is None or earlier.at_ns is None or later.at_ns is None:
        return None
    return later.at_ns + later.undo_after_ns - earlier.at_ns


def _simpler(fault: Fault, nodes: tuple[str, ...]) -> Iterator[Fault]:
    """The fault with one thing about it simpler; each step makes it simpler for good, so that there is an end to them."""
    for change in _simplifications(fault, nodes):
        simpler = replace(fault, **change)
        if simpler != fault and _makes_sense(simpler):
            yield simpler


def _makes_sense(fault: Fault) -> bool:
    return fault.fault not in FAULTS or not FAULTS[fault.fault].amiss(fault)


def _simplifications(fault: Fault, nodes: tuple[str, ...]) -> Iterator[dict[str, Any]]:
    plain = Fault(fault="")
    kind = FAULTS.get(fault.fault)
    if kind is not None:
        unread = set(Fault.__struct_fields__) - {"fault", "at_ns", "on", "undo_after_ns", "joins", "nodes", *kind.reads}
        yield {name: getattr(plain, name) for name in sorted(unread)}
    if fault.fault in ONE_OF:
        yield {"fault": ONE_OF[fault.fault], "amount_ns": 0, "count": 0}
    if fault.undo_after_ns is not None:
        yield {"undo_after_ns": None}
    if fault.one_way:
        yield {"one_way": False}
    if fault.mode != "drop":
        yield {"mode": "drop", "amount_ns": 0}
    yield from _fewer_hit(fault, nodes)
    yield from _rounder(fault)


def _fewer_hit(fault: Fault, nodes: tuple[str, ...]) -> Iterator[dict[str, Any]]:
    if len(fault.nodes) > 1:
        yield from ({"nodes": (node,)} for node in fault.nodes)
        yield from ({"nodes": tuple(other for other in fault.nodes if other != node)} for node in fault.nodes)
    if not fault.nodes and fault.on is None and "nodes" in getattr(FAULTS.get(fault.fault), "reads", ()):
        yield from ({"nodes": (node,)} for node in nodes)
    if fault.cut:
        yield from ({"cut": (), "sides": ((node,),)} for node in nodes)
        yield from ({"cut": fault.cut[:at] + fault.cut[at + 1 :]} for at in range(len(fault.cut)) if len(fault.cut) > 1)
    if sum(map(len, fault.sides)) > 1:
        yield from ({"sides": ((node,),)} for node in nodes)
        yield from ({"sides": sides} for sides in _smaller_sides(fault.sides))


def _smaller_sides(sides: tuple[tuple[str, ...], ...]) -> Iterator[tuple[tuple[str, ...], ...]]:
    """Without one of the sides, who then are on the side of whoever is named nowhere; or without one name."""
    for at in reversed(range(len(sides))):
        if len(sides) > 1:
            yield sides[:at] + sides[at + 1 :]
        for name in sides[at]:
            if len(sides[at]) > 1:
                smaller = tuple(other for other in sides[at] if other != name)
                yield (*sides[:at], smaller, *sides[at + 1 :])


def _rounder(fault: Fault) -> Iterator[dict[str, Any]]:
    """Numbers of the kind: certain, or of one digit; once; a round duration."""
    if fault.rate not in (0.0, 1.0):
        yield {"rate": 1.0}
        yield {"rate": round(fault.rate, 1) or fault.rate}
    if fault.count > 1:
        yield from ({"count": count} for count in (1, fault.count // 2, fault.count - 1))
    if fault.amount_ns:
        rounded = (round(fault.amount_ns / unit_ns) * unit_ns for unit_ns in UNITS_NS)
        yield from ({"amount_ns": amount_ns} for amount_ns in rounded if amount_ns)
    if fault.undo_after_ns and fault.at_ns is None:
        yield from ({"undo_after_ns": round(fault.undo_after_ns / unit_ns) * unit_ns} for unit_ns in UNITS_NS)
