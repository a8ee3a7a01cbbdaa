"""The contract between an implementation and whatever world it runs in.

A node answers, it never acts: a handler takes an input and an `Outbox`, and writes down effects in the order in which the
world must carry them out. No clock, no dice, no socket and no thread of its own, so the same node runs in the simulator,
in a unit test, as a process and over TCP. One handler call is one atomic step.

    class Echo:
        def __init__(self, context: Context) -> None: ...
        def on_start(self, out: Outbox) -> None: ...
        def on_message(self, sender: NodeId, message: Message, out: Outbox) -> None:
            if isinstance(message, Ask):
                out.send(sender, Answer(in_reply_to=message.msg_id, text=message.text))
        def on_timer(self, name: str, out: Outbox) -> None: ...
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, Final, Literal, Protocol, TypeAlias, TypeVar

import msgspec

NodeId: TypeAlias = str
Key: TypeAlias = "str | tuple[str, int]"
"""A place on a node's disk; a pair names a row of a table, such as ("log", 17)."""

Value: TypeAlias = "None | bool | int | float | str | tuple[Value, ...] | Mapping[str, Value]"
Outcome: TypeAlias = Literal["ok", "fail", "info"]

MS: Final = 1_000_000
"""Nanoseconds in a millisecond."""
SECOND: Final = 1_000_000_000
"""Nanoseconds in a second."""

T = TypeVar("T")


def snake(name: str) -> str:
    """The name of a message type on the wire: `AppendEntries` is `append_entries`."""
    return "".join(f"_{letter.lower()}" if letter.isupper() else letter for letter in name).lstrip("_")


class Message(msgspec.Struct, frozen=True, tag_field="type", tag=snake):
    """What nodes and clients send each other; it *is* the body of a Maelstrom message.

    Each subclass repeats `frozen=True`. Fields are immutable all the way down (scalars, tuples, frozen structs), since
    the world hands the receiver the sender's own object.
    """


class Request(Message, frozen=True):
    """A message that wants an answer. `msg_id` is unique at its sender, and stays the same when the request is retried."""

    msg_id: int


class Reply(Message, frozen=True):
    """The answer to the request with that `msg_id`."""

    in_reply_to: int


class Error(Reply, frozen=True):
    """A refusal, with Maelstrom's code; a *definite* one rules out that the request took effect, or ever will."""

    code: int
    text: str = ""

    TIMEOUT: ClassVar[int] = 0
    NODE_NOT_FOUND: ClassVar[int] = 1
    NOT_SUPPORTED: ClassVar[int] = 10
    TEMPORARILY_UNAVAILABLE: ClassVar[int] = 11
    MALFORMED_REQUEST: ClassVar[int] = 12
    CRASH: ClassVar[int] = 13
    ABORT: ClassVar[int] = 14
    KEY_DOES_NOT_EXIST: ClassVar[int] = 20
    KEY_ALREADY_EXISTS: ClassVar[int] = 21
    PRECONDITION_FAILED: ClassVar[int] = 22
    TXN_CONFLICT: ClassVar[int] = 30

    @property
    def definite(self) -> bool:
        """Whether the request certainly took no effect. Codes that nobody knows are not definite."""
        return self.code in DEFINITE


DEFINITE: Final = frozenset({1, 10, 11, 12, 14, 20, 21, 22, 30})


class Invocation(msgspec.Struct, frozen=True):
    """What a client is asked to do; `node` is the one that it should turn to first, and "" leaves that to it."""

    action: str
    key: Value = None
    argument: Value = None
    node: NodeId = ""


class Outbox(Protocol):
    """Where a handler writes its effects. One per incarnation of a node; a crash makes it inert."""

    def send(self, to: NodeId, message: Message, /) -> None:
        """Send a message; it may be lost, late, repeated, or overtaken. To oneself is allowed and goes the same way."""
        ...

    def set_timer(self, name: str, delay_ns: int, /) -> None:
        """Call `on_timer(name)` after this long by the node's monotonic clock; replaces a timer of that name."""
        ...

    def cancel_timer(self, name: str, /) -> None:
        """Forget the timer of that name, if there is one."""
        ...

    def store(self, key: Key, value: Value | Message, /) -> None:
        """Write to the disk; lost in a crash until `sync` has returned."""
        ...

    def erase(self, key: Key, /) -> None:
        """Remove from the disk; undone by a crash until `sync` has returned."""
        ...

    def sync(self) -> None:
        """Make all writes so far durable. Later effects of this handler, and later inputs, wait until it has ended."""
        ...

    def note(self, kind: str, /, *facts: Value) -> None:
        """Tell the trace what just happened; the kinds and their facts are listed in `histories.trace.FACTS`."""
        ...


class ClientOutbox(Outbox, Protocol):
    """What a client may do besides; it has no disk to speak of."""

    def complete(self, outcome: Outcome, result: Value = None, /) -> None:
        """End the operation. A second completion of the same operation is ignored."""
        ...


class Clock(Protocol):
    """A node's own clocks, which faults may skew."""

    def wall_ns(self) -> int:
        """What the node believes the time to be; it may step back."""
        ...

    def monotonic_ns(self) -> int:
        """Time since the node's machine started; it never goes back, but its rate may be off."""
        ...


class Dice(Protocol):
    """A node's own luck, drawn from the plan's seed."""

    def random(self) -> float:
        """A number in [0, 1)."""
        ...

    def below(self, n: int, /) -> int:
        """An integer in [0, n)."""
        ...

    def choice(self, options: Sequence[T], /) -> T:
        """One of them."""
        ...

    def shuffled(self, options: Sequence[T], /) -> list[T]:
        """All of them, in a random order."""
        ...


class Context(msgspec.Struct, frozen=True):
    """What a node or a client is made from.

    Attributes:
        id: its own address.
        peers: all nodes of the cluster in a fixed order, itself included where it is a node.
        clock: its clocks.
        dice: its luck.
        stored: what its disk holds, for a node that starts again; empty for a client.
        damaged: keys whose last value was torn by a crash or has rotted; they are not in `stored`.
        settings: the system's own parameters, in nanoseconds where they are times.
    """

    id: NodeId
    peers: tuple[NodeId, ...]
    clock: Clock
    dice: Dice
    stored: Mapping[Key, Any] = {}
    damaged: frozenset[Key] = frozenset()
    settings: Mapping[str, Any] = {}


class Node(Protocol):
    """A participant. It is made anew by its factory, `factory(context)`, whenever its machine starts."""

    def on_start(self, out: Outbox, /) -> None:
        """The machine has started."""
        ...

    def on_message(self, sender: NodeId, message: Message, out: Outbox, /) -> None:
        """A message has arrived."""
        ...

    def on_timer(self, name: str, out: Outbox, /) -> None:
        """The timer of that name has run out."""
        ...


class Client(Protocol):
    """What turns an invocation into messages. It belongs to its system, and may retry with the same `msg_id`.

    It never gives up by itself: the world owns the timeout. When an attempt may have taken effect, and a later one is
    refused, the operation still ends `info`.
    """

    def on_invoke(self, invocation: Invocation, out: ClientOutbox, /) -> None:
        """Begin an operation; the last one has ended."""
        ...

    def on_message(self, sender: NodeId, message: Message, out: ClientOutbox, /) -> None:
        """A message has arrived."""
        ...

    def on_timer(self, name: str, out: ClientOutbox, /) -> None:
        """The timer of that name has run out."""
        ...


class Effect(msgspec.Struct, frozen=True):
    """One line that a handler wrote into a `RecordingOutbox`: the name of the method, and its arguments."""

    name: str
    arguments: tuple[Any, ...] = ()


class RecordingOutbox:
    """An outbox for unit tests: it keeps the effects, and carries none of them out."""

    def __init__(self) -> None:
        self.effects: list[Effect] = []

    def send(self, to: NodeId, message: Message, /) -> None:
        """Kept as `Effect("send", (to, message))`."""
        self.effects.append(Effect("send", (to, message)))

    def set_timer(self, name: str, delay_ns: int, /) -> None:
        """Kept as `Effect("set_timer", (name, delay_ns))`."""
        self.effects.append(Effect("set_timer", (name, delay_ns)))

    def cancel_timer(self, name: str, /) -> None:
        """Kept as `Effect("cancel_timer", (name,))`."""
        self.effects.append(Effect("cancel_timer", (name,)))

    def store(self, key: Key, value: Value | Message, /) -> None:
        """Kept as `Effect("store", (key, value))`."""
        self.effects.append(Effect("store", (key, value)))

    def erase(self, key: Key, /) -> None:
        """Kept as `Effect("erase", (key,))`."""
        self.effects.append(Effect("erase", (key,)))

    def sync(self) -> None:
        """Kept as `Effect("sync")`."""
        self.effects.append(Effect("sync"))

    def note(self, kind: str, /, *facts: Value) -> None:
        """Kept as `Effect("note", (kind, *facts))`."""
        self.effects.append(Effect("note", (kind, *facts)))

    def complete(self, outcome: Outcome, result: Value = None, /) -> None:
        """Kept as `Effect("complete", (outcome, result))`."""
        self.effects.append(Effect("complete", (outcome, result)))

    def sent(self, *kinds: type[Message]) -> list[tuple[NodeId, Message]]:
        """The messages of these types (of all, if none is named) that were sent, with their receivers, in order."""
        return [
            effect.arguments
            for effect in self.effects
            if effect.name == "send" and isinstance(effect.arguments[1], kinds or Message)
        ]
