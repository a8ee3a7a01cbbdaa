"""One run of a plan, and what it gave."""

from __future__ import annotations

import gc
import json
import re
from array import array
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from hashlib import blake2b
from typing import Any, Final, Literal

import msgspec
import numpy as np

from ..histories.errors import UsageError
from ..histories.evidence import Evidence
from ..histories.history import Header, HistoryBuilder
from ..histories.trace import TRANSPORT, Note, Trace
from ..histories.values import Map, freeze, thaw
from .faults import FAULTS
from .faults.membership import needs_operator
from .fences import fenced
from .plan import LEADER, Fault, Plan
from .system import System
from .tallies import EFFECTS, INPUTS
from .world import World


@dataclass(frozen=True, kw_only=True)
class Run:
    """What a run of a plan gave.

    The history holds client events with `session`, `node` and `time`; faults as `info` events of the process "nemesis"
    (action: the kind of fault, or `undo-` and the kind; value: whom it hit; `forsake` and the nodes that are dead for ever);
    changes of members as operations of the process "operator" (`join`, `leave`; value: the node); phases as `info` events of
    the process "phases" (`storm`, `heal`, `quiet`, `final`). Retries are notes there too, by process "retries".

    Attributes:
        plan: what was run.
        evidence: all that a judge may see.
        digest: blake2b, in hex, over the order of all events, then the canonical JSON of history and notes.
        order: (time, sequence) of each event of the world, flat; yields the first difference between two runs.
        fired: by kind of fault, how often it changed the fate of a message, a write, a clock reading or a node.
        busy: by action, how many operations completed ok that were invoked while at least one fault was in force.
        findings: exceptions in handlers, one line each; such a node has crashed.
        messages: how many messages were sent.
        ended_ns: virtual time at the end.
        stopped: whether a watching judge ended it before its plan did.
    """

    plan: Plan
    evidence: Evidence
    digest: str
    order: array[int] = field(repr=False)
    fired: Mapping[str, int]
    busy: Mapping[str, int]
    findings: tuple[str, ...] = ()
    messages: int = 0
    ended_ns: int = 0
    stopped: bool = False


def run_plan(
    plan: Plan,
    system: System,
    *,
    trace: Literal["notes", "full"] = "notes",
    watch: Callable[[Note], bool] | None = None,
    history: HistoryBuilder | None = None,
) -> Run:
    """Run a plan: a pure function of the plan and the system.

    Args:
        plan: what happens from outside.
        system: whose nodes and clients it happens to.
        trace: `full` also keeps every message and timer; the digest stays the same.
        watch: is shown each note as it happens; when it answers True the run stops there.
        history: collects the events, for callers who want to see each of them at once.

    Raises:
        UsageError: the plan is not about this system, or makes no sense; or the system misuses the world.
        NondeterministicRun: a handler looked at a clock, rolled its own dice, or reached out of the world.
    """
    check_plan(plan, system)
    variant = system.variant(plan.variant, plan.mutants)
    with collector_paused(), fenced(plan, (variant.nodes, variant.client, variant.operator)):
        world = World(
            plan,
            variant,
            full=trace == "full",
            watch=watch,
            history=HistoryBuilder() if history is None else history,
        )
        world.run()
    header = header_of(msgspec.structs.replace(plan, settings=world.settings))
    evidence = Evidence(world.history.build(header=header), Trace(world.notes, nodes=plan.node_ids))
    return Run(
        plan=plan,
        evidence=evidence,
        digest=digest_of(world.order, evidence),
        order=world.order,
        fired=dict(world.fired),
        busy=dict(world.busy),
        findings=tuple(world.findings),
        messages=world.network.messages,
        ended_ns=world.now,
        stopped=world.stopped,
    )


@contextmanager
def collector_paused() -> Iterator[None]:
    """No garbage is collected during a run, since when that happens depends on what ran before."""
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()


def header_of(plan: Plan) -> Header:
    """What a run's history says about itself: where it came from, and what the bounds of judges are made of."""
    return Header(
        system=plan.system,
        variant=plan.variant,
        workload=plan.workload or None,
        seed=plan.seed,
        extra=Map(
            {
                "nodes": plan.nodes,
                "client_timeout_ns": plan.client_timeout_ns,
                "settings": freeze(plan.settings),
            }
        ),
    )


def digest_of(order: array[int], evidence: Evidence) -> str:
    """blake2b, in hex, over the order of events, then the canonical JSON of history and notes.

    Messages and timers, which only a full trace holds, do not count.
    """
    digest = blake2b(order.tobytes(), digest_size=16)
    columns = msgspec.structs.asdict(evidence.history.columns)
    digest.update(_canonical({name: _plain(column) for name, column in columns.items()}))
    digest.update(_canonical([msgspec.structs.astuple(note) for note in evidence.trace if note.kind not in TRANSPORT]))
    return digest.hexdigest()


def _plain(column: Any) -> Any:
    return column.tolist() if isinstance(column, np.ndarray) else column


def _canonical(told: Any) -> bytes:
    """JSON, the same for the same thing: no spaces, objects sorted by key."""
    try:
        return CANONICAL.encode(told)
    except (OverflowError, UnicodeEncodeError):  # an integer of more than 64 bits, or half a surrogate pair
        return json.dumps(thaw(told), separators=(",", ":"), sort_keys=True).encode()


def _object(value: Any) -> Any:
    if isinstance(value, Mapping):
        return dict(sorted(value.items()))
    raise NotImplementedError(f"{type(value).__name__} is no JSON value")


CANONICAL: Final = msgspec.json.Encoder(enc_hook=_object)


NODE: Final = re.compile(r"n[1-9]\d*")
FORTH_AND_BACK: Final = ("clock-offset", "clock-step", "clock-strobe")
"""Faults whose `amount_ns` may be negative."""
CLIENT: Final = re.compile(r"c\d+")
"""A client on a side of a partition; it may have nothing to do in this plan."""
STATION: Final = re.compile(r"(c\d+|operator)(\.[1-9]\d*)?")
"""Who is no node, in one of its lives."""
MESSAGE: Final = re.compile(r"([^>#]+)>([^>#]+)#[1-9]\d*")


def check_plan(plan: Plan, system: System) -> None:
    """A plan that makes sense for this system.

    Raises:
        UsageError: it does not; the text says why.
    """
    if plan.system != system.name:
        raise UsageError(f"the plan is about {plan.system!r}, and this system is {system.name!r}")
    if plan.nodes < 1:
        raise UsageError(f"a plan of {plan.nodes} nodes; there must be one at least")
    if plan.front != "per_client":
        raise UsageError("a front that is shared by all clients cannot be simulated; use per_client")
    phases = plan.phases
    if not 0 <= phases.heal_ns <= phases.quiet_ns <= phases.final_ns <= phases.end_ns or not phases.end_ns:
        raise UsageError(f"phases must go forward (0 <= heal <= quiet <= final <= end, and end > 0): {phases}")
    names = _names(plan)
    for operation in plan.operations:
        if operation.node and operation.node not in names:
            raise UsageError(f"an operation turns to {operation.node!r}; the nodes are {', '.join(names)}")
        if operation.client < 0 or operation.at_ns < 0:
            raise UsageError(f"an operation of client {operation.client} at {operation.at_ns} ns: neither is negative")
    for fault in plan.faults:
        _check_fault(plan, fault)
    _check_links(plan)
    _check_newcomers(plan, system)


def _check_links(plan: Plan) -> None:
    """Links lie between nodes and clients; messages are counted from 1 by address, which a client's later lives change."""
    known = _names(plan)
    for name, link in plan.links.items():
        ends = name.split(">")
        if name != "*" and (len(ends) != 2 or not all(end in known or STATION.fullmatch(end) for end in ends)):
            raise UsageError(f"there is no link {name!r}: write 'n1>n2', or '*' for all others; {_who(known)}")
        if not (0 <= link.loss <= 1 and 0 <= link.duplicate <= 1) or min(link.bytes_per_s, link.queue) < 0:
            raise UsageError(f"the link {name!r} has a probability outside [0, 1], or less than no room: {link}")
    for name, delivery in plan.deliveries.items():
        found = MESSAGE.fullmatch(name)
        if found is None or not all(end in known or STATION.fullmatch(end) for end in found.groups()):
            raise UsageError(f"there is no message {name!r}: the 17th from n1 to n2 is 'n1>n2#17'; {_who(known)}")
        if (delivery.delay_ns or 0) < 0 or delivery.copies < 1:
            raise UsageError(f"the message {name!r} cannot arrive before it is sent, or less than once: {delivery}")


def _who(nodes: Sequence[str]) -> str:
    return f"the nodes are {', '.join(nodes)}, and clients c0, c1, ..."


def _names(plan: Plan) -> tuple[str, ...]:
    """The nodes that it begins with, and those that join."""
    return (*plan.node_ids, *(fault.joins for fault in plan.faults if fault.joins))


def _check_newcomers(plan: Plan, system: System) -> None:
    """Nodes that come and go have names of their own, and somebody who takes them in and out."""
    if any(needs_operator(fault) for fault in plan.faults) and system.variant(plan.variant).operator is None:
        raise UsageError(f"{system.name} {plan.variant} has no operator, so its members cannot change")
    names = _names(plan)
    for name in names[plan.nodes :]:
        if not NODE.fullmatch(name) or names.count(name) > 1:
            raise UsageError(
                f"{name!r} cannot join: the name must be n and a number, and that of no other node; "
                f"the plan begins with {', '.join(plan.node_ids)}"
            )
    for name in plan.forsaken:
        if name not in names:
            raise UsageError(f"the plan forsakes {name!r}; the nodes are {', '.join(names)}")


def _check_fault(plan: Plan, fault: Fault) -> None:
    if fault.fault not in FAULTS:
        raise UsageError(f"there is no fault {fault.fault!r}; there are {', '.join(FAULTS)}")
    if (fault.at_ns is None) == (fault.on is None):
        raise UsageError(f"a {fault.fault} begins either `at_ns` or `on` an occurrence: {fault}")
    if min(fault.at_ns or 0, fault.undo_after_ns or 0) < 0 or (
        fault.amount_ns < 0 and fault.fault not in FORTH_AND_BACK
    ):
        raise UsageError(f"a {fault.fault} has a negative time: {fault}")
    if fault.on is not None and fault.on.event.partition(":")[0] not in {*INPUTS, *EFFECTS}:
        raise UsageError(
            f"a {fault.fault} waits for {fault.on.event!r}; there are {', '.join([*INPUTS, *EFFECTS])} and note:KIND"
        )
    amiss = FAULTS[fault.fault].amiss(fault)
    if amiss:
        raise UsageError(f"a {fault.fault} {amiss}: {fault}")
    if fault.joins and "joins" not in FAULTS[fault.fault].reads:
        raise UsageError(f"nobody joins by a {fault.fault}: {fault}")
    if fault.count < 0:
        raise UsageError(f"a {fault.fault} that happens {fault.count} times: {fault}")
    known = _names(plan)
    places = {*fault.nodes, *([fault.on.node] if fault.on else [])}
    sides = {name for side in fault.sides for name in side} | {name for link in fault.cut for name in link.split(">")}
    strangers = (places - {LEADER, "*", *known}) | {
        name for name in sides - {LEADER, *known} if not CLIENT.fullmatch(name)
    }
    if strangers:
        raise UsageError(f"a {fault.fault} hits {min(strangers)!r}; the nodes are {', '.join(known)}")
