"""What befell each message, in place of the luck and the faults that brought it about.

A delicate failure needs one message to be late, and a plan says that with loss, delays and partitions that hit a hundred
others. From a full trace each message gets its own fate (`Plan.deliveries`), all links are calm, and the faults of the
network have nothing left to do; then most fates can be left out. Each that stays counts as a fault.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import product
from statistics import median_low
from typing import Any, Final

from msgspec.structs import replace

from ...histories.trace import Trace
from ...impl.node import MS
from ..plan import Delay, Delivery, Link
from .failure import Failure, Proposals

FATES_MAX: Final = 40
"""Of more than these there will be too many at the end, too."""

LATE: Final = (50, 10, 4, 2, 1)
"""A message is late when it took so many median delays: first few messages are, then more."""


@dataclass
class Fate:
    """What became of one message.

    Attributes:
        name: as in `Plan.deliveries`.
        sent_ns: when it was sent.
        delays: after which times it arrived, each copy.
        why: what lost it, or "".
    """

    name: str
    sent_ns: int
    delays: list[int] = field(default_factory=list)
    why: str = ""


def fixed_fates(failure: Failure) -> Proposals:
    """Messages that were lost or late, and no others, are so whatever acts on the links: first those that no cut hit."""
    if failure.retrace is None or failure.plan.deliveries:
        return
    plan = failure.plan
    fates = fates_of(failure.retrace().evidence.trace)
    delays = [fate.delays[0] for fate in fates if fate.delays]
    if not delays:
        return
    usual_ns = median_low(delays)
    cuts = {fault.fault for fault in plan.faults if fault.sides or fault.cut}
    links = {"*": Link(delay=Delay(shape="constant", min_ns=usual_ns, max_ns=usual_ns))}
    for chosen in ([fate for fate in fates if fate.why not in cuts], fates):
        for late, which in product(LATE, (0, -1)):
            deliveries = _overrides(chosen, late * usual_ns, which)
            if len(deliveries) <= FATES_MAX and (yield replace(plan, links=links, deliveries=deliveries)):
                break


def fates_of(trace: Trace) -> list[Fate]:
    """What became of each message, in the order of sending; nothing of those that are still under way."""
    fates: dict[Any, Fate] = {}
    sent: Counter[str] = Counter()
    for note in trace:
        if note.kind == "send":
            link = f"{note.node}>{note.fact('to')}"
            sent[link] += 1
            fates[note.fact("message_id")] = Fate(f"{link}#{sent[link]}", note.time)
        elif note.kind == "deliver":
            fate = fates[note.fact("message_id")]
            fate.delays.append(note.time - fate.sent_ns)
        elif note.kind == "drop" and note.fact("why") != "its receiver is dead":
            fates[note.fact("message_id")].why = str(note.fact("why"))
    return [fate for fate in fates.values() if fate.delays or fate.why]


def _overrides(fates: Sequence[Fate], late_ns: int, which: int) -> dict[str, Delivery]:
    """By message; of several copies only one arrives, the first or the last."""
    found = {}
    for fate in fates:
        if not fate.delays:
            found[fate.name] = Delivery(None)
        elif fate.delays[which] >= late_ns:
            found[fate.name] = Delivery(fate.delays[which])
    return found


def rounder_fates(failure: Failure) -> Proposals:
    """Messages are late by whole seconds, or tenths, or hundredths, or milliseconds, all or each for itself."""
    plan = failure.plan
    for unit_ns in (1_000 * MS, 100 * MS, 10 * MS, MS):
        rounded = {name: _rounded(fate, unit_ns) for name, fate in plan.deliveries.items()}
        if (yield replace(plan, deliveries=rounded)):
            return
    for rounder in _each_rounder(plan.deliveries):
        if (yield replace(plan, deliveries=rounder)):
            return


def _each_rounder(deliveries: Mapping[str, Delivery]) -> Iterator[dict[str, Delivery]]:
    for name, fate in deliveries.items():
        for unit_ns in (1_000 * MS, 100 * MS, 10 * MS, MS):
            yield {**deliveries, name: _rounded(fate, unit_ns)}


def _rounded(fate: Delivery, unit_ns: int) -> Delivery:
    if fate.delay_ns is None:
        return fate
    return replace(fate, delay_ns=-(-fate.delay_ns // unit_ns) * unit_ns)
