"""Calmer links, disks and clocks, and fewer messages with a fate of their own."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from msgspec.structs import replace

from ...impl.node import MS
from ..plan import Delay, Link
from .ddmin import ddmin
from .failure import Failure, Proposals

CALM: Final = Link(delay=Delay(shape="constant", min_ns=MS, max_ns=MS), fifo=True)


def calmer_world(failure: Failure) -> Proposals:
    """A constant delay, messages in order, none lost or repeated; ordinary disks and clocks: at once, or part by part."""
    plan = failure.plan
    if (yield replace(plan, links={"*": CALM}, disks={}, clocks={}, deliveries={})):
        return
    ordinary: Mapping[str, Any] = {
        "disks": {},
        "clocks": {},
        "links": {"*": plan.links.get("*", CALM)},
    }
    for part, value in ordinary.items():
        if (yield (calmer := replace(plan, **{part: value}))):
            plan = calmer
    for part in Link.__struct_fields__:
        links = {name: replace(link, **{part: getattr(CALM, part)}) for name, link in plan.links.items()}
        if (yield (calmer := replace(plan, links=links))):
            plan = calmer


def fewer_deliveries(failure: Failure) -> Proposals:
    """Let messages fare as their link says."""
    plan = failure.plan
    yield from ddmin(tuple(plan.deliveries.items()), lambda kept: replace(plan, deliveries=dict(kept)))
