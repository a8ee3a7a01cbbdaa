"""The plan of a run: everything that happens to a system from outside, as explicit data.

A run is a pure function of its plan; a seed only generates one. A plan is JSON, so it can be kept, shrunk, sent to a
colleague and replayed.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final, Literal, TypeAlias

import msgspec

from ..histories.errors import UsageError
from ..histories.values import freeze, thaw

LEADER: Final = "leader"
"""In a fault: the node that began to lead last, when the fault begins; the first node while nobody has."""

LAST: Final = {"last": True}
"""Inside an argument: what the client observed last, resolved when the operation begins: the result of its session's last
ok operation on the same key that had one (neither null nor a truth value, which say nothing about the state), or null."""


Fences: TypeAlias = Literal["strict", "virtual"]
"""What happens when code reaches for a clock or dice of its own: it ends the run, or it is answered (`harness.fences`)."""


class PlannedOperation(msgspec.Struct, frozen=True, omit_defaults=True):
    """What a client is to do.

    Attributes:
        client: which one, from 0.
        at_ns: not before this; it begins at max(at_ns, the client is free).
        action, key, argument: as in `impl.node.Invocation`; the argument may hold LAST.
        node: the node to turn to first; "" leaves it to the client.
    """

    client: int
    at_ns: int
    action: str
    key: Any = None
    argument: Any = None
    node: str = ""


class Occurrence(msgspec.Struct, frozen=True):
    """The k-th time (from 1) that something happens at a node.

    An effect (`send`, `store`, `sync`, `set_timer`, ...), an input (`message`, `timer`), or a note of that kind
    (`note:leads`). An effect is counted when it has been carried out (a `sync` when it begins), an input before it is
    handled. A `node` of "*" counts over all nodes.
    """

    node: str
    event: str
    k: int = 1


class Fault(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True):
    """One thing done to the system.

    Attributes:
        fault: its kind; `harness.faults.FAULTS` lists them with what they read from here.
        at_ns: when it begins; None when `on` says so.
        on: what it waits for instead.
        undo_after_ns: how long until its inverse (restart, heal); None leaves it until the heal of the plan.
        nodes: who is hit; nobody means all, or, with `on`, the node where it happened. "leader" is resolved when the
            fault begins: whoever led last, or the first node.
        sides: the sides of a partition; who is on no side is cut from all of them. Clients stand with the node they talk
            to unless they are named.
        cut: the links of a partition, in place of sides, each in one direction: "n1>n2". So can be said what no sides can:
            a bridge, a ring of majorities, any directed graph.
        mode: `drop`, `hold` (delivered after the heal) or `slow` (`amount_ns` late).
        one_way: only what the first side sends to the others is hit.
        rate: a probability, or a factor, by kind.
        amount_ns: a duration, by kind.
        count: how many, by kind.
        joins: the name of the node that comes in, by kind: one that the plan does not begin with (n6 after five).
    """

    fault: str
    at_ns: int | None = None
    on: Occurrence | None = None
    undo_after_ns: int | None = None
    nodes: tuple[str, ...] = ()
    sides: tuple[tuple[str, ...], ...] = ()
    cut: tuple[str, ...] = ()
    mode: Literal["drop", "hold", "slow"] = "drop"
    one_way: bool = False
    rate: float = 0.0
    amount_ns: int = 0
    count: int = 0
    joins: str = ""


class Delay(msgspec.Struct, frozen=True, omit_defaults=True):
    """How long a message is under way.

    `constant` is `min_ns`; `uniform` lies between both; `exponential` has `mean_ns` on top of `min_ns` and ends at
    `max_ns`; other shapes are listed in `harness.randomness`.
    """

    shape: str = "uniform"
    min_ns: int = 500_000
    max_ns: int = 2_500_000
    mean_ns: int = 0


class Link(msgspec.Struct, frozen=True, omit_defaults=True):
    """What a link does to messages all along.

    Attributes:
        delay, loss, duplicate: of each message.
        fifo: whether it keeps the order of sending.
        bytes_per_s: its bandwidth; a message waits until those before it are through. 0: no limit.
        queue: how many messages may be under way or wait; what is sent beyond that is lost. 0: no limit.
    """

    delay: Delay = Delay()
    loss: float = 0.0
    duplicate: float = 0.0
    fifo: bool = False
    bytes_per_s: int = 0
    queue: int = 0


class Disk(msgspec.Struct, frozen=True, omit_defaults=True):
    """How a node's disk behaves: the duration of a `sync`, and whether a crash may leave a torn prefix of unsynced writes."""

    sync_ns: int = 100_000
    torn: bool = False


class ClockSkew(msgspec.Struct, frozen=True, omit_defaults=True):
    """How a node's clocks differ from virtual time: offset of the wall clock, and drift of both in parts per million."""

    offset_ns: int = 0
    drift_ppm: int = 0


class Delivery(msgspec.Struct, frozen=True, omit_defaults=True):
    """The fate of one message, whatever its link says: `delay_ns`, or lost when that is None; how many copies arrive."""

    delay_ns: int | None = None
    copies: int = 1


class Phases(msgspec.Struct, frozen=True):
    """When the storm ends (everything heals), when workloads fall quiet, when final reads begin, and the end at the latest."""

    heal_ns: int = 0
    quiet_ns: int = 0
    final_ns: int = 0
    end_ns: int = 0


class Expectation(msgspec.Struct, frozen=True, omit_defaults=True):
    """What a replay must find again: the digest, and the kind of anomaly by claim."""

    digest: str = ""
    anomaly: dict[str, str] = {}


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """One run, from outside.

    Attributes:
        system, variant, mutants: what is on trial.
        claims: the claims that a replay judges; none means all of the system's.
        workload, profile: where operations and faults came from; a replay does not need them.
        seed: of all luck inside the run.
        nodes: how many; they are called n1, n2, ...
        front: whether an object in front of the machines is shared (`one`) or belongs to each client.
        client_timeout_ns: after this an operation ends `info`, and its client is replaced.
        settings: the system's parameters.
        links: by link, "n1>n2", or "*" for all others; `disks` and `clocks` likewise by node.
        deliveries: by message, "n1>n2#17" is the 17th (from 1) that n1 sends to n2.
        forsaken: nodes that are dead for ever from the heal on: the heal is that of a quorum only.
        fences: what happens when code reaches for a clock or dice of its own.
    """

    upheld: int = 1
    system: str
    variant: str = "reference"
    mutants: tuple[str, ...] = ()
    claims: tuple[str, ...] = ()
    workload: str = ""
    profile: str = ""
    seed: int = 0
    nodes: int = 3
    front: Literal["one", "per_client"] = "per_client"
    client_timeout_ns: int = 1_000_000_000
    settings: dict[str, Any] = {}
    operations: tuple[PlannedOperation, ...] = ()
    faults: tuple[Fault, ...] = ()
    links: dict[str, Link] = {}
    disks: dict[str, Disk] = {}
    clocks: dict[str, ClockSkew] = {}
    deliveries: dict[str, Delivery] = {}
    forsaken: tuple[str, ...] = ()
    phases: Phases = Phases()
    fences: Fences = "strict"
    expect: Expectation = Expectation()

    @property
    def node_ids(self) -> tuple[str, ...]:
        """n1, n2, ..."""
        return tuple(f"n{number}" for number in range(1, self.nodes + 1))

    @property
    def size(self) -> tuple[int, int]:
        """How many operations it invokes, final reads included; and how many faults it has, and messages with a fate of their own."""
        return len(self.operations), len(self.faults) + len(self.deliveries)


def write_plan(plan: Plan) -> bytes:
    """The plan as canonical JSON, one line to each operation and fault, so that two plans can be compared by eye.

    Strict fences are not mentioned.
    """
    told: dict[str, Any] = msgspec.to_builtins(plan, enc_hook=_plain)
    if plan.fences == "strict":
        del told["fences"]
    lines = []
    for name, value in told.items():
        if isinstance(value, list) and name in {"operations", "faults"} and value:
            inner = ",\n  ".join(msgspec.json.encode(item, enc_hook=_plain).decode() for item in value)
            lines.append(f'"{name}":[\n  {inner}]')
        else:
            lines.append(f'"{name}":{msgspec.json.encode(value, enc_hook=_plain).decode()}')
    return ("{" + ",\n ".join(lines) + "}\n").encode()


def read_plan(path: Path) -> Plan:
    """The plan in a file.

    Raises:
        UsageError: the file cannot be read, or holds no plan; the text names the field.
    """
    try:
        return parse_plan(path.read_bytes())
    except OSError as error:
        raise UsageError(f"{path}: cannot read the plan: {error.strerror or error}") from error
    except UsageError as error:
        raise UsageError(f"{path}: {error}") from error


def parse_plan(text: bytes) -> Plan:
    """The plan in this JSON.

    Raises:
        UsageError: it holds no plan; the text names the field.
    """
    try:
        plan = msgspec.json.decode(text, type=Plan)
    except (msgspec.DecodeError, RecursionError) as error:
        raise UsageError(f"not a plan: {error}. Plans are written by `upheld run`") from error
    if plan.upheld != 1:
        raise UsageError(f"a plan of format {plan.upheld}; this upheld reads format 1")
    frozen = tuple(
        msgspec.structs.replace(operation, key=freeze(operation.key), argument=freeze(operation.argument))
        for operation in plan.operations
    )
    return msgspec.structs.replace(plan, operations=frozen)


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return thaw(value)
    raise NotImplementedError(f"{type(value).__name__} cannot stand in a plan")
