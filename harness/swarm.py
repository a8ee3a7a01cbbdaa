"""From a seed to a plan: what happens to a system from outside, drawn swarm-fashion.

Each seed switches whole kinds of fault and of operation on or off and draws rates on a logarithmic scale, so that rare
combinations do occur (Groce et al., Swarm Testing, ISSTA 2012). Many faults begin at the k-th occurrence of an event, which
gets deeper than faults by the clock.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from decimal import Decimal, localcontext
from typing import Any, Final, TypeVar

import msgspec
from msgspec.structs import replace

from ..histories.errors import UsageError
from ..impl.node import MS, SECOND
from .faults import kinds_of
from .plan import Delay, Disk, Fault, Link, Occurrence, Phases, Plan, PlannedOperation
from .randomness import QUANTILES, Luck, delays, stream
from .system import Budget, Stage, System, Variant, Workload
from .world import LEADER

T = TypeVar("T")

EFFECTS: Final = ("store", "sync", "send", "message", "timer", "set_timer")
NOTES: Final[Mapping[str, int]] = {
    "voted": 4,
    "leads": 3,
    "acknowledged": 2,
    "committed": 1,
    "appended": 1,
    "decided": 1,
    "posted": 1,
    "delivered": 1,
}
"""What a crash may wait for, notes with their weights: promises and answers are the delicate moments of a protocol. A note
that a system never makes is waited for in vain."""

STORM_NS: Final = (2 * SECOND, 4 * SECOND)
RECOVERY_NS: Final = 2 * SECOND
"""From the heal to the quiet, unless the settings of the system say `recovery_ns`."""
END_NS: Final = 8 * SECOND

SIZE_WEIGHTS: Final[Mapping[int, int]] = {1: 1, 2: 1, 3: 7, 4: 2, 5: 4, 6: 1, 7: 1}


def generate_plan(
    system: System,
    *,
    variant: str = "reference",
    mutants: Sequence[str] = (),
    workload: str,
    profile: str = "storm",
    seed: int,
    nodes: int | None = None,
    beyond_budget: bool = False,
    claims: Sequence[str] = (),
) -> Plan:
    """The plan of this seed; the same for the same arguments, everywhere.

    Args:
        system: whose budget says which faults there may be, and how many nodes.
        variant: what is on trial.
        mutants: in place of its own parts.
        workload: one of the variant's.
        profile: one of `faults.PROFILES`, or kinds of fault such as "crash,partition".
        seed: of the plan, and of all luck in its run.
        nodes: how many; None draws one of the system's sizes.
        beyond_budget: whether faults may leave the budget.
        claims: what a replay is to judge.

    Raises:
        UsageError: there is no such variant, mutant, workload, profile or size.
    """
    built = system.variant(variant, mutants)
    if workload not in built.workloads:
        raise UsageError(
            f"{system.name} {variant} has no workload {workload!r}; it has {', '.join(built.workloads) or 'none'}"
        )
    if nodes is not None and nodes < 1:
        raise UsageError(f"a plan of {nodes} nodes; there must be one at least")
    draw = _Draw(Luck(stream(seed, "swarm", "cluster")))
    size = nodes or draw.weighted({size: SIZE_WEIGHTS.get(size, 1) for size in system.sizes})
    settings = {**built.settings, **_scaled(built, seed)}
    delay = _delay(draw)
    timeout_ns = _client_timeout(draw, settings, delay)
    phases = _phases(draw, settings, timeout_ns)
    names = tuple(f"n{number}" for number in range(1, size + 1))
    stage = Stage(
        nodes=names,
        clients=draw.weighted({1: 1, 2: 3, 3: 4, 4: 3, 5: 3, 6: 1}),
        begin_ns=draw.between(0, 200) * MS,
        heal_ns=phases.heal_ns,
        quiet_ns=phases.quiet_ns,
        final_ns=phases.final_ns,
        settings=settings,
        intensity=draw.logarithmic(8, 30),
    )
    kinds = tuple(kind for kind in kinds_of(profile) if beyond_budget or _allowed(system.budget, kind))
    storm = _Storm(
        _Draw(Luck(stream(seed, "swarm", "faults"))),
        names=names,
        clients=tuple(f"c{number}" for number in range(stage.clients)),
        heal_ns=phases.heal_ns,
        timeout_ns=timeout_ns,
        down_max=_down_max(system.budget, size, beyond_budget=beyond_budget),
    )
    return Plan(
        system=system.name,
        variant=variant,
        mutants=tuple(mutants),
        claims=tuple(claims),
        workload=workload,
        profile=profile,
        seed=seed,
        nodes=size,
        client_timeout_ns=timeout_ns,
        settings=settings,
        operations=_operations(built.workloads[workload], stage, seed),
        faults=storm.faults(kinds),
        links={"*": Link(delay=delay)},
        disks={"*": Disk(sync_ns=draw.logarithmic(20, 5_000) * 1_000)},
        phases=phases,
    )


# --- the cluster


def _scaled(variant: Variant, seed: int) -> dict[str, Any]:
    """The parameters that plans scale, each from luck of its own."""
    return {name: drawn(Luck(stream(seed, "setting", name))) for name, drawn in variant.ranges.items()}


def _delay(draw: _Draw) -> Delay:
    """A third of a millisecond to twenty-five on average, in any shape."""
    mean_ns = draw.logarithmic(300, 25_000) * 1_000
    shape = draw.weighted({"uniform": 4, "exponential": 3, "lognormal": 2, "heavy_tail": 1, "constant": 1})
    if shape == "uniform":
        return Delay(min_ns=mean_ns // 4, max_ns=2 * mean_ns)
    if shape == "constant":
        return Delay(shape=shape, min_ns=mean_ns, max_ns=mean_ns)
    return Delay(shape=shape, min_ns=mean_ns // 10, mean_ns=mean_ns, max_ns=50 * mean_ns)


def _client_timeout(draw: _Draw, settings: Mapping[str, Any], delay: Delay) -> int:
    """Ten median round trips at least; and what the system asks for by `client_timeout_ns`, or 0.3 to 1 s."""
    asked = int(settings.get("client_timeout_ns") or draw.logarithmic(300, 1_000) * MS)
    return max(asked, 20 * delays(delay)[QUANTILES // 2])


def _phases(draw: _Draw, settings: Mapping[str, Any], timeout_ns: int) -> Phases:
    heal_ns = draw.between(*(bound // MS for bound in STORM_NS)) * MS
    quiet_ns = heal_ns + int(settings.get("recovery_ns", RECOVERY_NS))
    final_ns = quiet_ns + timeout_ns // 2
    end_ns = max(END_NS, final_ns + timeout_ns) if "recovery_ns" in settings else min(END_NS, final_ns + 2 * timeout_ns)
    return Phases(heal_ns=heal_ns, quiet_ns=quiet_ns, final_ns=final_ns, end_ns=max(end_ns, final_ns))


def _operations(workload: Workload, stage: Stage, seed: int) -> tuple[PlannedOperation, ...]:
    """What the workload asks for, but for the kinds of operation that this seed leaves out of the storm.

    Kinds without which a run would prove nothing stay.
    """
    planned = workload.operations(stage, Luck(stream(seed, "swarm", "operations")))
    draw = _Draw(Luck(stream(seed, "swarm", "actions")))
    actions = dict.fromkeys(operation.action for operation in planned if operation.at_ns < stage.heal_ns)
    left_out = {action for action in actions if action not in workload.minimum and draw.happens(1, 4)}
    return tuple(
        operation for operation in planned if operation.action not in left_out or operation.at_ns >= stage.heal_ns
    )


# --- the faults


def _allowed(budget: Budget, kind: str) -> bool:
    if kind == "torn":
        return budget.torn and "crash" in budget.faults
    return kind in budget.faults and not (kind == "crash" and budget.crashed_max == "none")


def _down_max(budget: Budget, size: int, *, beyond_budget: bool) -> int:
    """How many nodes may be down at the same time."""
    if beyond_budget:
        return size
    return {"none": 0, "minority": (size - 1) // 2, "all": size}[budget.crashed_max]


class _Storm:
    """Draws the faults of one plan."""

    def __init__(
        self,
        draw: _Draw,
        *,
        names: tuple[str, ...],
        clients: tuple[str, ...],
        heal_ns: int,
        timeout_ns: int,
        down_max: int,
    ) -> None:
        self._draw, self._names, self._clients = draw, names, clients
        self._heal_ns, self._down_max = heal_ns, down_max
        self._tempo_ms = draw.logarithmic(20, 6 * timeout_ns // MS)
        self._down: list[tuple[int, int]] = []

    def faults(self, kinds: Sequence[str]) -> tuple[Fault, ...]:
        """The faults of a storm of these kinds, some of which are switched off, in the order of their times."""
        drawn = self._draw
        kept = [kind for kind in kinds if drawn.happens(3, 5)] or [drawn.luck.choice(kinds)] if kinds else []
        found: list[Fault] = []
        for kind in kept:
            for _ in range(drawn.between(1, self._many(kind))):
                found += self._one(kind)
        return tuple(sorted(found, key=lambda fault: fault.at_ns or 0))

    def _many(self, kind: str) -> int:
        """How many faults of a kind there may be: more in a fast storm."""
        return min(MANY[kind], max(3, self._heal_ns // (self._tempo_ms * MS)))

    def _one(self, kind: str) -> list[Fault]:
        makers: Mapping[str, Callable[[str], list[Fault]]] = {
            "loss": self._on_messages,
            "duplication": self._on_messages,
            "delay": self._on_messages,
            "partition": self._partition,
            "crash": self._crash,
            "torn": self._torn,
            "clock-offset": self._offset,
            "clock-drift": self._drift,
        }
        return makers[kind](kind)

    def _begin_ns(self) -> int:
        return self._draw.between(0, self._heal_ns // MS) * MS

    def _lasts_ns(self) -> int:
        """A third of the tempo of this storm to three times that; what reaches beyond the heal ends there."""
        return self._draw.logarithmic(self._tempo_ms // 3, 3 * self._tempo_ms) * MS

    def _some(self) -> tuple[str, ...]:
        """All nodes (named by nobody), or one."""
        return () if self._draw.happens(1, 2) else (self._draw.luck.choice(self._names),)

    def _on_messages(self, kind: str) -> list[Fault]:
        throughout = self._draw.happens(1, 3)
        amount_ns = 0 if kind == "loss" else self._draw.logarithmic(2, 1_000) * MS
        rate = self._draw.rate(*RATES[kind])
        return [
            Fault(
                fault=kind,
                at_ns=0 if throughout else self._begin_ns(),
                undo_after_ns=None if throughout else self._lasts_ns(),
                nodes=self._some(),
                rate=rate,
                amount_ns=amount_ns,
            )
        ]

    def _partition(self, kind: str) -> list[Fault]:
        draw = self._draw
        sides = self._sides()
        if draw.happens(1, 4):
            sides = self._with_clients(sides)
        cut = Fault(
            fault=kind,
            undo_after_ns=self._lasts_ns(),
            sides=sides,
            mode="hold" if draw.happens(1, 3) else "drop",
            one_way=draw.happens(1, 4),
        )
        if draw.happens(1, 4):
            return [replace(cut, on=on) for on in self._series("*")]
        return [replace(cut, at_ns=self._begin_ns())]

    def _sides(self) -> tuple[tuple[str, ...], ...]:
        """Whoever leads alone, one node alone, or two parts of any size; whoever is not named is on one more side."""
        shape = self._draw.weighted({"leader": 3, "one": 1, "halves": 2})
        if shape == "leader":
            return ((LEADER,),)
        mixed = self._draw.luck.shuffled(self._names)
        cut = 1 if shape == "one" else self._draw.between(1, max(1, len(mixed) - 1))
        return (_sorted(mixed[:cut]), _sorted(mixed[cut:]))

    def _with_clients(self, sides: tuple[tuple[str, ...], ...]) -> tuple[tuple[str, ...], ...]:
        """Each client on a side of its own choice."""
        both = [list(side) for side in (*sides, ())][:2]
        for client in self._clients:
            both[self._draw.luck.below(2)].append(client)
        return tuple(tuple(side) for side in both)

    def _crash(self, kind: str) -> list[Fault]:
        shape = self._draw.weighted({"event": 6, "one": 1, "leader": 3, "all": 1, "some": 1})
        if shape == "event":
            return self._crash_on_event(kind)
        lasts_ns = self._restart_ns()
        at_ns = self._begin_ns()
        if shape == "leader":
            return self._within_budget(kind, (LEADER,), at_ns, lasts_ns)
        many = {"one": 1, "some": self._draw.between(1, len(self._names)), "all": len(self._names)}[shape]
        many = max(1, min(many, self._down_max))
        return self._within_budget(kind, _sorted(self._draw.luck.shuffled(self._names)[:many]), at_ns, lasts_ns)

    def _within_budget(self, kind: str, nodes: tuple[str, ...], at_ns: int, lasts_ns: int) -> list[Fault]:
        if not self._may_be_down(len(nodes), at_ns, at_ns + lasts_ns):
            return []
        return [Fault(fault=kind, at_ns=at_ns, undo_after_ns=lasts_ns, nodes=nodes)]

    def _crash_on_event(self, kind: str) -> list[Fault]:
        draw = self._draw
        node = "*" if draw.happens(1, 4) else draw.luck.choice(self._names)
        series = self._series(node)
        restart_ns = draw.logarithmic(1, 20) * MS if draw.happens(1, 2) else self._restart_ns()
        if not self._may_be_down(len(series) if node == "*" else 1, 0, self._heal_ns):  # nobody knows when
            return []
        return [Fault(fault=kind, on=on, undo_after_ns=restart_ns) for on in series]

    def _series(self, node: str) -> list[Occurrence]:
        """The k-th occurrence of some event; or also the 2k-th, the 3k-th and so on."""
        draw = self._draw
        if draw.happens(1, 2):
            event, largest = draw.luck.choice(EFFECTS), 200
        else:
            event, largest = f"note:{draw.weighted(NOTES)}", 10
        k = draw.logarithmic(1, largest)
        many = draw.between(2, 12) if draw.happens(1, 2) else 1
        return [Occurrence(node, event, k * time) for time in range(1, many + 1)]

    def _restart_ns(self) -> int:
        """At once, or a millisecond to two seconds later."""
        return 0 if self._draw.happens(1, 4) else self._draw.logarithmic(1, 2_000) * MS

    def _may_be_down(self, many: int, begin_ns: int, end_ns: int) -> bool:
        """Whether so many more nodes may be down then; if so, they are counted from now on."""
        if self._down_max >= len(self._names):
            return True
        overlapping = sum(1 for begin, end in self._down if begin <= end_ns and begin_ns <= end)
        if overlapping + many > self._down_max:
            return False
        self._down += [(begin_ns, end_ns)] * many
        return True

    def _torn(self, kind: str) -> list[Fault]:
        return [Fault(fault=kind, at_ns=0, nodes=self._some())]

    def _offset(self, kind: str) -> list[Fault]:
        sign = 1 if self._draw.happens(1, 2) else -1
        return [
            Fault(
                fault=kind,
                at_ns=self._begin_ns(),
                undo_after_ns=self._lasts_ns(),
                nodes=(self._draw.luck.choice(self._names),),
                amount_ns=sign * self._draw.logarithmic(1, 10_000) * MS,
            )
        ]

    def _drift(self, kind: str) -> list[Fault]:
        faster = self._draw.happens(1, 2)
        by = self._draw.rate("0.0001", "0.5")
        return [
            Fault(
                fault=kind,
                at_ns=self._begin_ns(),
                undo_after_ns=self._lasts_ns(),
                nodes=(self._draw.luck.choice(self._names),),
                rate=round(1 + by if faster else 1 - by, 6),
            )
        ]


MANY: Final[Mapping[str, int]] = {
    "loss": 3,
    "duplication": 3,
    "delay": 3,
    "partition": 20,
    "crash": 16,
    "torn": 1,
    "clock-offset": 4,
    "clock-drift": 4,
}
RATES: Final[Mapping[str, tuple[str, str]]] = {
    "loss": ("0.005", "0.4"),
    "duplication": ("0.01", "0.5"),
    "delay": ("0.02", "1"),
}
"""Of messages, at least and at most."""


def _sorted(names: Iterable[str]) -> tuple[str, ...]:
    return tuple(sorted(names, key=lambda name: int(name[1:])))


# --- draws


class _Draw(msgspec.Struct, frozen=True):
    """Draws that a swarm needs, from integers and decimal arithmetic alone."""

    luck: Luck

    def happens(self, of: int, among: int) -> bool:
        return self.luck.below(among) < of

    def between(self, low: int, high: int) -> int:
        """An integer in [low, high], each equally likely."""
        return low + self.luck.below(high - low + 1)

    def weighted(self, weights: Mapping[T, int]) -> T:
        drawn = self.luck.below(sum(weights.values()))
        for option, weight in weights.items():
            drawn -= weight
            if drawn < 0:
                return option
        raise AssertionError("weights do not add up")

    def logarithmic(self, low: int, high: int) -> int:
        """An integer in [low, high], each order of magnitude equally likely; rounded to two digits."""
        return int(self._between_logarithms(Decimal(max(1, low)), Decimal(max(1, high)))) if high > low else low

    def rate(self, low: str, high: str) -> float:
        """Likewise, for probabilities."""
        return float(self._between_logarithms(Decimal(low), Decimal(high)))

    def _between_logarithms(self, low: Decimal, high: Decimal) -> Decimal:
        part = Decimal(self.luck.below(1 << 16)) / (1 << 16)
        with localcontext() as context:
            context.prec = 12
            drawn = low * ((high / low).ln() * part).exp()
            context.prec = 2
            return min(high, max(low, +drawn))
