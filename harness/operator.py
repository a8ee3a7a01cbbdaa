"""The operator: a client that changes who is a member of the cluster, one change after the other."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final, Literal, TypeAlias

import msgspec

from ..histories.event import Kind
from ..histories.values import Value
from ..impl.node import MS, Context, Invocation, NodeId
from .caller import ClientLife
from .randomness import Luck, stream

if TYPE_CHECKING:
    from .world import World

Action: TypeAlias = Literal["join", "leave"]

AGAIN_NS: Final = 100 * MS
"""After a change that was not answered ok, the operator waits for so long before it asks again."""


class Request(msgspec.Struct, frozen=True):
    """A change that the operator is to make, and what is to be done when it has been made."""

    action: Action
    node: NodeId
    then: Callable[[], None] | None


class Operator:
    """Asks for each change until it is answered ok, or the plan ends; each time as a new client (see `caller.Session`).

    Its operations are events of the process "operator" in the history; the value is the node.
    """

    name = "operator"

    def __init__(self, world: World) -> None:
        self._world = world
        self._requests: deque[Request] = deque()
        self._lives = 0
        self._open = False
        self.life: ClientLife | None = None

    def ask(self, action: Action, node: NodeId, then: Callable[[], None] | None = None) -> None:
        """Have a node join or leave, after all changes that were asked for before."""
        self._requests.append(Request(action, node, then))
        if len(self._requests) == 1:
            self._world.at(self._world.now, self._invoke, None, None)

    def _invoke(self, _: None, __: None) -> None:
        world, request = self._world, self._requests[0]
        self._lives += 1
        life = self.life = self._born()
        self._open = True
        self._record(Kind.INVOKE)
        world.at(world.now + world.plan.client_timeout_ns, self._expire, life, None)
        life.invoke(Invocation(action=request.action, argument=request.node))

    def _born(self) -> ClientLife:
        world = self._world
        address = self.name if self._lives == 1 else f"{self.name}.{self._lives}"
        life = ClientLife(world, self, address)
        context = Context(
            id=address,
            peers=world.members,
            clock=life.clock,
            dice=Luck(stream(world.plan.seed, "dice", address)),
            settings=world.settings,
        )
        assert world.variant.operator is not None, "a plan that needs an operator was let through"
        life.code = world.variant.operator(context)
        world.network.join(life)
        return life

    def _expire(self, life: ClientLife, _: None) -> None:
        if self._open and life is self.life:
            self._ended(Kind.INFO, "timeout")

    def completed(self, outcome: Kind, result: Value, node: NodeId | None, /) -> None:
        """The client says that the change was made, or was not, or that nobody knows."""
        if self._open:
            self._ended(outcome, result, node)

    def _ended(self, outcome: Kind, result: Value, node: NodeId | None = None) -> None:
        self._record(outcome, node=node, error=None if outcome is Kind.OK else result)
        self._open = False
        if self.life is not None:
            self.life.end()
        if outcome is not Kind.OK:
            self._world.at(self._world.now + AGAIN_NS, self._invoke, None, None)
            return
        self._made(self._requests.popleft())
        if self._requests:
            self._world.at(self._world.now, self._invoke, None, None)

    def _made(self, request: Request) -> None:
        world = self._world
        others = tuple(name for name in world.members if name != request.node)
        world.members = (*others, request.node) if request.action == "join" else others
        if request.then is not None:
            request.then()

    def retried(self, to: NodeId, /) -> None:
        """Retries within one operation are the client's own affair."""

    def failed(self, error: Exception, /) -> None:
        """An exception in the client's code: a finding, and nobody knows what became of the change."""
        world = self._world
        why = world.find(self.name, error)
        world.note(self.name, "crash", (why,))
        if self._open:
            self._ended(Kind.INFO, why)

    def _record(self, kind: Kind, **more: Any) -> None:
        request = self._requests[0]
        self._world.history.add(self.name, kind, request.action, value=request.node, time=self._world.now, **more)
