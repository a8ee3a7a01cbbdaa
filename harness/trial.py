"""One run of a plan: what it gave."""

from __future__ import annotations

from array import array
from collections.abc import Mapping
from dataclasses import dataclass, field

from ..histories.evidence import Evidence
from .plan import Plan


@dataclass(frozen=True, kw_only=True)
class Run:
    """What a run of a plan gave.

    The history holds client events with `session`, `node` and `time`; faults as `info` events of the process "nemesis"
    (action: the kind of fault, or `undo-` and the kind; value: whom it hit); phases as `info` events of the process
    "phases" (`storm`, `heal`, `quiet`, `final`). Retries are notes there too, by process "retries".

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
