"""A planned client: it performs its operations one after another, and is replaced whenever nobody knows how one ended."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any, Final, Protocol

import msgspec

from ..histories.event import MISSING, Kind
from ..histories.values import Value, freeze, identity
from ..impl.node import Context, Invocation, Key, Message, NodeId, Outcome, Request
from .clock import NodeClock
from .disk import SCALARS
from .life import Life
from .plan import LAST, ClockSkew, PlannedOperation
from .randomness import Luck, stream

if TYPE_CHECKING:
    from .world import World


INVOKE, OK, INFO = Kind.INVOKE, Kind.OK, Kind.INFO
KINDS: Final[Mapping[str, Kind]] = {kind.value: kind for kind in Kind}
"""Looking up a member of an enumeration costs as much as sending a message; here it is done once."""


class Session(Protocol):
    """Who goes on when a client has ended."""

    @property
    def name(self) -> str:
        """What plans call it."""
        ...

    def completed(self, outcome: Kind, result: Value, node: NodeId | None, /) -> None:
        """The client says that its operation has ended."""
        ...

    def retried(self, to: NodeId, /) -> None:
        """The client has sent the same request once more."""
        ...

    def failed(self, error: Exception, /) -> None:
        """An exception in the client's code: a crash, and a finding."""
        ...


class ClientLife(Life):
    """One client, from its making until it is given up (see `network.Station`); it has one address and one process.

    Attributes:
        answering: whose message is being handled.
        requests: the msg_ids that the present operation has sent.
    """

    def __init__(self, world: World, caller: Session, address: str) -> None:
        super().__init__(world, self, address, NodeClock(lambda: world.now, ClockSkew(), world.fire))
        self.name = caller.name
        self.life = self
        self.answering: NodeId | None = None
        self.requests: set[int] = set()
        self._caller = caller

    def send(self, to: NodeId, message: Message, /) -> None:
        """Send a message; the same request once more is a retry, which the history notes."""
        if isinstance(message, Request) and not self.busy:
            if message.msg_id in self.requests:
                self._caller.retried(to)
            self.requests.add(message.msg_id)
        super().send(to, message)

    def complete(self, outcome: Outcome, result: Value = None, /) -> None:
        """End the operation, if it is still open."""
        if not self.busy:
            self._caller.completed(KINDS.get(outcome) or Kind(outcome), freeze(result), self.answering)

    def store(self, key: Key, value: Value | Message, /) -> None:
        """Nothing: a client has no disk."""

    def erase(self, key: Key, /) -> None:
        """Nothing: a client has no disk."""

    def sync(self) -> None:
        """Nothing: a client has no disk."""

    def invoke(self, invocation: Invocation) -> None:
        """Begin an operation."""
        self.requests.clear()
        try:
            self.code.on_invoke(invocation, self)
        except Exception as error:  # noqa: BLE001  # whatever a handler raises is a finding
            self._raised(error)

    def receive(self, sender: NodeId, message: Message) -> None:
        """A message has arrived; who sent it has answered whatever it completes."""
        self.answering = sender
        super().receive(sender, message)
        self.answering = None

    def failed(self, error: Exception) -> None:
        """An exception in a handler ends this client, and is a finding."""
        self._caller.failed(error)


class OpenOperation(msgspec.Struct, frozen=True):
    """An operation that has begun; `hurt` says whether a fault was in force then."""

    action: str
    key: Value
    hurt: bool


class Caller:
    """A session of a history: a planned client through all its lives.

    Attributes:
        name: what plans call it; also the address of its first life.
        life: the client that performs the present operation.
    """

    def __init__(self, world: World, number: int, operations: Iterable[PlannedOperation]) -> None:
        self.name = f"c{number}"
        self._world, self._number = world, number
        self._operations = deque(operations)
        self._lives = 0
        self._open: OpenOperation | None = None
        self._deadline = 0
        self._watched = False
        self._observed: dict[Any, Value] = {}
        self.life: ClientLife = self._born()

    @property
    def process(self) -> int:
        """Its process in the history; no two lives of any clients share one."""
        return self._number + (self._lives - 1) * self._world.clients

    @property
    def done(self) -> bool:
        """Whether all its operations have ended."""
        return self._open is None and not self._operations

    def _born(self) -> ClientLife:
        world = self._world
        self._lives += 1
        address = self.name if self._lives == 1 else f"{self.name}.{self._lives}"
        life = ClientLife(world, self, address)
        context = Context(
            id=address,
            peers=world.members,
            clock=life.clock,
            dice=Luck(stream(world.plan.seed, "dice", address)),
            settings=world.settings,
        )
        life.code = world.variant.client(context)
        world.network.join(life)
        return life

    def plan_next(self) -> None:
        """The next operation begins when its time has come, and not before this client is free."""
        if self._operations:
            self._world.at(max(self._world.now, self._operations[0].at_ns), self._begin, None, None)

    def _begin(self, _: None, __: None) -> None:
        world = self._world
        planned = self._operations.popleft()
        key = freeze(planned.key)
        argument = resolve(planned.argument, self._observed.get(identity(key)))
        self._open = OpenOperation(planned.action, key, world.nemesis.hurt > 0)
        self._record(INVOKE, MISSING if argument is None else argument, planned.node or None)
        self._deadline = world.now + world.plan.client_timeout_ns
        if not self._watched:
            self._watched = True
            world.at(self._deadline, self._expire, None, None)
        self.life.invoke(Invocation(action=planned.action, key=key, argument=argument, node=planned.node))

    def _expire(self, _: None, __: None) -> None:
        """The deadline of some operation: of the present one, or of one that has long ended."""
        self._watched = self._open is not None and self._world.now < self._deadline
        if self._watched:
            self._world.at(self._deadline, self._expire, None, None)
        elif self._open is not None:
            self._give_up("timeout")

    def completed(self, outcome: Kind, result: Value, node: NodeId | None) -> None:
        """The client says that its operation has ended."""
        if self._open is None:
            return
        if outcome is INFO:
            self._give_up(result)
            return
        if outcome is OK:
            self._record(outcome, result, node)
            self._observe(result)
        else:
            self._record(outcome, MISSING, node, error=result)
        self._open = None
        self._go_on()

    def _observe(self, result: Value) -> None:
        assert self._open is not None
        if result is not None and not isinstance(result, bool):
            self._observed[identity(self._open.key)] = result
        if self._open.hurt:
            self._world.busy[self._open.action] += 1

    def _give_up(self, why: Value) -> None:
        """Nobody knows how it ended: a new client goes on, with a process and an address of its own."""
        self._record(INFO, MISSING, None, error=why)
        self._open = None
        self._replace()
        self._go_on()

    def _replace(self) -> None:
        self.life.end()
        self.life = self._born()

    def _go_on(self) -> None:
        self.plan_next()
        if not self._operations:
            self._world.finished()

    def failed(self, error: Exception) -> None:
        """An exception in the client's code: a crash, and a finding."""
        world, address = self._world, self.life.address
        world.note(address, "crash", (world.find(address, error),))
        if self._open is None:
            self._replace()
        else:
            self._give_up("the client crashed")

    def retried(self, to: NodeId) -> None:
        """The client has sent the same request once more."""
        if self._open is not None:
            self._world.history.add(
                "retries",
                INFO,
                self._open.action,
                key=self._open.key,
                value=self.process,
                time=self._world.now,
                session=self._number,
                node=to,
            )

    def _record(self, kind: Kind, value: Any, node: NodeId | None, *, error: Value = None) -> None:
        assert self._open is not None
        self._world.history.add(
            self.process,
            kind,
            self._open.action,
            key=self._open.key,
            value=value,
            time=self._world.now,
            session=self._number,
            node=node,
            error=error,
        )


def resolve(argument: Any, last: Value) -> Value:
    """The argument, with what was observed last in the place of LAST."""
    if type(argument) in SCALARS:
        return freeze(argument)
    if isinstance(argument, Mapping):
        if dict(argument) == LAST:
            return last
        return freeze({key: resolve(value, last) for key, value in argument.items()})
    if isinstance(argument, (list, tuple)):
        return tuple(resolve(item, last) for item in argument)
    return freeze(argument)
