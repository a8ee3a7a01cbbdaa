"""What clients do: the parts that workloads share, and the workloads of stores of keys and values."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, TypeAlias

from ..impl.node import Dice
from .plan import LAST, PlannedOperation
from .system import Stage

Places: TypeAlias = Callable[[], str]
"""Names the node that the next operation turns to; "" leaves it to the client."""


def spread(dice: Dice, count: int, begin_ns: int, end_ns: int) -> list[int]:
    """So many moments between two, in order."""
    return sorted(begin_ns + dice.below(max(1, end_ns - begin_ns)) for _ in range(count))


def places(stage: Stage, dice: Dice) -> Places:
    """How a client chooses nodes: it is free to, it stays with one, or it turns to any."""
    match dice.below(3):
        case 0:
            return lambda: ""
        case 1:
            mine = dice.choice(stage.nodes)
            return lambda: mine
        case _:
            return lambda: dice.choice(stage.nodes)


def drawn(dice: Dice, weights: Mapping[str, float]) -> str:
    """One of the names, each with its weight."""
    possible = [name for name, weight in weights.items() if weight > 0]
    left = dice.random() * sum(weights.values())
    for name in possible[:-1]:
        left -= weights[name]
        if left < 0:
            return name
    return possible[-1]


RARELY_TO_OFTEN: Final = (0.0, 0.25, 1.0, 3.0)
"""The weights that a run may give to an action; 0 leaves it out."""


@dataclass(frozen=True, kw_only=True)
class KeyValue:
    """Clients of a store read and write a few keys.

    Every value that is written is unique: 1, 2, 3, ... A `cas` expects what its client saw last of that key. Each run
    draws its own mix of actions; those in `always` are never rare. At the end every node is asked for every key.

    Attributes:
        actions: those of get, put, delete and cas that the system has.
        always: which of them every run has in numbers.
        keys_max: how many keys a run has at most.
        per_key: how many operations a key gets in the storm, about; further keys are taken into use when there are more.
        after_heal: how many operations each client invokes between the heal and the quiet phase.
        minimum: see `system.Workload`.
    """

    actions: tuple[str, ...] = ("get", "put", "delete", "cas")
    always: tuple[str, ...] = ("get", "put")
    keys_max: int = 4
    per_key: int = 25
    after_heal: int = 2
    minimum: Mapping[str, int] = field(default_factory=lambda: {"get": 2, "put": 2})

    def operations(self, stage: Stage, dice: Dice) -> Sequence[PlannedOperation]:
        """All operations of a run."""
        keys = self._keys(stage, dice)
        values = iter(range(1, 1_000_000_000))
        weights = self._mix(dice)
        planned: list[PlannedOperation] = []
        for client in range(stage.clients):
            place = places(stage, dice)
            times = spread(dice, stage.intensity, stage.begin_ns, stage.heal_ns)
            times += spread(dice, self.after_heal, stage.heal_ns, stage.quiet_ns)
            planned += [
                operation(client, at_ns, drawn(dice, weights), dice.choice(keys), values, place()) for at_ns in times
            ]
        return [*planned, *final_reads(stage, keys)]

    def _keys(self, stage: Stage, dice: Dice) -> tuple[str, ...]:
        needed = stage.clients * stage.intensity // self.per_key
        count = max(1, min(self.keys_max, needed + dice.below(2)))
        return tuple("xyzuvwrst"[:count])

    def _mix(self, dice: Dice) -> dict[str, float]:
        usual = {action: dice.choice(RARELY_TO_OFTEN) for action in self.actions}
        return usual | {action: max(1.0, usual[action]) for action in self.always}


def operation(
    client: int, at_ns: int, action: str, key: str, values: Iterator[int], node: str = ""
) -> PlannedOperation:
    """One operation on a key; what it writes is the next of the values."""
    argument: Any = None
    match action:
        case "put":
            argument = next(values)
        case "cas":
            argument = (LAST, next(values))
    return PlannedOperation(client=client, at_ns=at_ns, action=action, key=key, argument=argument, node=node)


def final_reads(stage: Stage, keys: Sequence[str], action: str = "get") -> list[PlannedOperation]:
    """Each node is asked for each key, by clients in turn."""
    asked = [(node, key) for key in keys for node in stage.nodes]
    return [
        PlannedOperation(client=number % stage.clients, at_ns=stage.final_ns, action=action, key=key, node=node)
        for number, (node, key) in enumerate(asked)
    ]
