"""What is put on trial: a system, its variants, and the faults that it says it survives."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal, Protocol, TypeAlias

import msgspec

from ..histories.errors import UsageError
from ..impl.node import Client, Context, Dice, Node
from .plan import PlannedOperation

NodeFactory: TypeAlias = Callable[[Context], Node]
ClientFactory: TypeAlias = Callable[[Context], Client]


class Stage(msgspec.Struct, frozen=True, kw_only=True):
    """What a workload is written for.

    Attributes:
        nodes: their names.
        clients: how many there are.
        begin_ns, heal_ns: operations of the storm begin between these.
        quiet_ns: operations between the heal and this show whether the system recovers.
        final_ns: final reads begin here.
        settings: the parameters of the system in this run.
        intensity: how many operations a client is to invoke in the storm, about.
    """

    nodes: tuple[str, ...]
    clients: int
    begin_ns: int
    heal_ns: int
    quiet_ns: int
    final_ns: int
    settings: Mapping[str, Any]
    intensity: int = 20


class Workload(Protocol):
    """Clients and what they do.

    Values that are written are unique in the whole run and never the initial one, unless the workload is about small
    domains. `minimum` is what has to complete ok, by action, while faults act; below it a run proves nothing.
    """

    @property
    def minimum(self) -> Mapping[str, int]:
        """The least number of ok operations while faults act, by action."""
        ...

    def operations(self, stage: Stage, dice: Dice) -> Sequence[PlannedOperation]:
        """All operations of a run, the final reads included (pinned to a node each)."""
        ...


@dataclass(frozen=True, kw_only=True)
class Variant:
    """One way to build the system.

    Attributes:
        nodes: makes a node from its context.
        client: makes a client from its context.
        workloads: by name; a variant may lack operations that others have.
        mutants: broken subclasses of the class in `nodes` or `client`, one small method overridden in each. A mutant that
            another rule makes up for names the masks that switch such rules off in its class attribute `masked_by`.
        masks: subclasses, too, which switch one of these rules off and are not wrong themselves.
        settings: the parameters that a run begins with; plans may draw others from `ranges`.
        ranges: for each parameter that plans scale: draws a value, given the dice.
        front: whether an object in front of the machines is shared by all clients; `both` lets plans draw.
        operator: makes the client that changes who is a member: it understands the actions `join` and `leave`, whose
            argument is a node, and completes `ok` when the change has happened (or had already). None: the members are
            fixed, and faults that need another set of them are beyond the system.
    """

    nodes: NodeFactory
    client: ClientFactory
    workloads: Mapping[str, Workload]
    mutants: tuple[type[Any], ...] = ()
    masks: tuple[type[Any], ...] = ()
    settings: Mapping[str, Any] = field(default_factory=dict)
    ranges: Mapping[str, Callable[[Dice], Any]] = field(default_factory=dict)
    front: Literal["one", "per_client", "both"] = "per_client"
    operator: ClientFactory | None = None


@dataclass(frozen=True, kw_only=True)
class Budget:
    """The faults that a system declares to survive; plans stay within it unless they are told otherwise.

    Within a budget, the nodes that leave, lose their disk or part of it, or are dead for ever are together a minority of
    those that the cluster began with, since each of them takes one from the quorum; and whoever loses a disk comes back
    under another name, as a member that must be taken in. So wipe, rollback, join and leave need an operator.

    Attributes:
        faults: the kinds of fault, by the names in `harness.faults.FAULTS`.
        crashed_max: how many nodes may be down at the same time, those that are lost or have left included.
        torn: whether a crash may leave a torn write.
        forsaken: whether the heal may be that of a quorum only, the rest being dead for ever.
    """

    faults: frozenset[str] = frozenset()
    crashed_max: Literal["none", "minority", "all"] = "all"
    torn: bool = False
    forsaken: bool = False


@dataclass(frozen=True, kw_only=True)
class System:
    """A system on trial. The fault budget is shared by all variants.

    Attributes:
        name: in kebab case.
        variants: `reference`, and `as-written`, `as-meant` where there are such.
        budget: what it declares to survive.
        sizes: how many nodes plans may have.
        clients_pinned: every client stays with one node (plans pin its operations).
    """

    name: str
    variants: Mapping[str, Variant]
    budget: Budget
    sizes: tuple[int, ...] = (1, 2, 3, 4, 5, 6, 7)
    clients_pinned: bool = False

    def variant(self, name: str, mutants: Sequence[str] = ()) -> Variant:
        """A variant, with these mutants in place of its own parts.

        Raises:
            UsageError: there is no such variant or mutant; the text lists those that there are.
        """
        if name not in self.variants:
            raise UsageError(f"{self.name} has no variant {name!r}; it has {', '.join(self.variants)}")
        return with_mutants(self.variants[name], mutants, of=f"{self.name} {name}")


def kebab(name: str) -> str:
    """`VoteNotPersisted` is `vote-not-persisted`."""
    return "".join(f"-{letter.lower()}" if letter.isupper() else letter for letter in name).lstrip("-")


def with_mutants(variant: Variant, names: Sequence[str], *, of: str) -> Variant:
    """The variant with its node or client class replaced by one that has these mutations, all of them at once.

    Raises:
        UsageError: there is no mutant of that name, or it would replace nothing.
    """
    if not names:
        return variant
    known = {kebab(mutant.__name__): mutant for mutant in (*variant.mutants, *variant.masks)}
    unknown = [name for name in names if name not in known]
    if unknown:
        raise UsageError(f"{of} has no mutant {unknown[0]!r}; it has {', '.join(sorted(known)) or 'none'}")
    chosen = [known[name] for name in names]
    for mutant in chosen:
        if not any(isinstance(part, type) and issubclass(mutant, part) for part in (variant.nodes, variant.client)):
            raise UsageError(f"{mutant.__name__} derives neither from the node class of {of} nor from its client class")
    return replace(variant, nodes=_mutated(variant.nodes, chosen), client=_mutated(variant.client, chosen))


def _mutated(original: Any, mutants: Sequence[type[Any]]) -> Any:
    mine = tuple(mutant for mutant in mutants if isinstance(original, type) and issubclass(mutant, original))
    if not mine:
        return original
    return mine[0] if len(mine) == 1 else type("And".join(mutant.__name__ for mutant in mine), mine, {})
