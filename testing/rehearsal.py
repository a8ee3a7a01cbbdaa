"""A stage for nodes under test: a few of them, their messages, timers and disks, and a schedule that decides what comes next.

It is no simulator: there is no time but a count of steps, and any message or timer may come next.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple

from ..harness.randomness import Luck, stream
from ..impl.node import MS, Context, Effect, Key, Message, Node, NodeId, RecordingOutbox

CLIENT: Final = "c0"
"""Who sends the requests; what is sent to it is looked at and goes nowhere."""


class StageClock:
    """Ten milliseconds to a step, for all nodes alike."""

    def __init__(self) -> None:
        self.steps = 0

    def wall_ns(self) -> int:
        """Time since the first step, as everything here begins at the epoch."""
        return self.monotonic_ns()

    def monotonic_ns(self) -> int:
        """Time since the first step."""
        return self.steps * 10 * MS


class CutOutbox(RecordingOutbox):
    """The outbox of a node that crashes in the middle of a handler: inert after so many effects."""

    def __init__(self, effects_max: int) -> None:
        super().__init__()
        self.effects = _Bounded(effects_max)


class _Bounded(list[Effect]):
    def __init__(self, length_max: int) -> None:
        super().__init__()
        self._length_max = length_max

    def append(self, effect: Effect, /) -> None:
        if len(self) < self._length_max:
            super().append(effect)


class Choice(NamedTuple):
    """What may come next: a name for reports, where it happens, and what is done to the node there."""

    name: str
    node: NodeId
    act: Callable[[RecordingOutbox], None]


@dataclass
class Step:
    """What happened in one step."""

    name: str
    node: NodeId
    effects: Sequence[Effect]
    sent_as: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        """Keep how every message looked when it was sent."""
        self.sent_as = [repr(effect.arguments) for effect in self.effects]


class Rehearsal:
    """Nodes on the stage. The same schedule makes the same rehearsal, if the nodes are deterministic."""

    def __init__(
        self,
        factory: Callable[[Context], Node],
        *,
        nodes: int,
        settings: Mapping[str, Any],
        requests: Sequence[Message] = (),
    ) -> None:
        self._factory, self._settings = factory, settings
        self._names = tuple(f"n{number}" for number in range(1, nodes + 1))
        self._clock = StageClock()
        self._disks: dict[NodeId, dict[Key, Any]] = {name: {} for name in self._names}
        self._unsynced: dict[NodeId, list[Effect]] = {name: [] for name in self._names}
        self._timers: dict[tuple[NodeId, str], None] = {}
        self._flying = [(CLIENT, name, request) for request in requests for name in self._names]
        self._nodes: dict[NodeId, Node] = {}
        self.steps: list[Step] = []
        for name in self._names:
            self._perform(Choice(f"{name} starts", name, self._starter(name)), RecordingOutbox())

    def go_on(self, number: int, *, cut_after: int | None = None) -> None:
        """One of the things that may come next happens; `cut_after` is the number of effects after which its node dies."""
        choices = self._choices()
        out = RecordingOutbox() if cut_after is None else CutOutbox(cut_after)
        self._clock.steps += 1
        self._perform(choices[number % len(choices)], out)

    def _choices(self) -> list[Choice]:
        deliveries = [
            Choice(f"{receiver} gets {message} from {sender}", receiver, self._postman(at))
            for at, (sender, receiver, message) in enumerate(self._flying)
        ]
        timers = [
            Choice(f"timer {name} of {node} runs out", node, self._alarm(node, name)) for node, name in self._timers
        ]
        crashes = [Choice(f"{name} crashes and starts again", name, self._starter(name)) for name in self._names]
        return [*deliveries, *timers, *crashes]

    def _postman(self, at: int) -> Callable[[RecordingOutbox], None]:
        def deliver(out: RecordingOutbox) -> None:
            sender, receiver, message = self._flying.pop(at)
            self._nodes[receiver].on_message(sender, message, out)

        return deliver

    def _alarm(self, node: NodeId, name: str) -> Callable[[RecordingOutbox], None]:
        def ring(out: RecordingOutbox) -> None:
            del self._timers[node, name]
            self._nodes[node].on_timer(name, out)

        return ring

    def _starter(self, name: NodeId) -> Callable[[RecordingOutbox], None]:
        def start(out: RecordingOutbox) -> None:
            self._unsynced[name].clear()
            self._timers = {timer: None for timer in self._timers if timer[0] != name}
            luck = Luck(stream(len(self.steps), "rehearsal", name))
            self._nodes[name] = self._factory(
                Context(
                    id=name,
                    peers=self._names,
                    clock=self._clock,
                    dice=luck,
                    stored=dict(self._disks[name]),
                    settings=self._settings,
                )
            )
            self._nodes[name].on_start(out)

        return start

    def _perform(self, choice: Choice, out: RecordingOutbox) -> None:
        choice.act(out)
        self.steps.append(Step(choice.name, choice.node, tuple(out.effects)))
        for effect in out.effects:
            self._carry_out(choice.node, effect)

    def _carry_out(self, node: NodeId, effect: Effect) -> None:
        match effect.name, effect.arguments:
            case "send", (to, message) if to in self._nodes:
                self._flying.append((node, to, message))
            case "set_timer", (name, _):
                self._timers[node, name] = None
            case "cancel_timer", (name,):
                self._timers.pop((node, name), None)
            case "store" | "erase", _:
                self._unsynced[node].append(effect)
            case "sync", _:
                self._sync(node)

    def _sync(self, node: NodeId) -> None:
        for effect in self._unsynced[node]:
            if effect.name == "store":
                self._disks[node][effect.arguments[0]] = effect.arguments[1]
            else:
                self._disks[node].pop(effect.arguments[0], None)
        self._unsynced[node].clear()
