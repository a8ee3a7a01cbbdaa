"""Nodes in blocking style on the contract of `node.py`: for code that waits in the middle of a function.

A task is a coroutine that handler calls drive by hand; there is no event loop. It runs until it has to wait, and whatever
it waits for (an answer, a timer, a lock) comes back as a handler call, which runs it on to its next wait. So each
resumption is one atomic step, and between two of them anything may happen. A crash forgets all tasks with the node.

    class Greeter(SequentialNode):
        async def handle(self, sender: NodeId, message: Message) -> None:
            if isinstance(message, Greet):
                async with self.mutex:
                    answer = await self.call("n2", Ask(msg_id=0, question="Who is there?"))
                self.out.send(sender, Greeted(in_reply_to=message.msg_id, failed=isinstance(answer, Error)))

An exception that a task does not catch leaves the handler, and the world crashes the node: in Go a panic in any goroutine
ends its process.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Coroutine, Generator
from types import TracebackType
from typing import Any, TypeAlias

import msgspec

from .node import MS, SECOND, Context, Error, Message, NodeId, Outbox, Reply, Request

Task: TypeAlias = Coroutine["_Wait", Any, None]


class _Wait:
    """Suspends the task until somebody resumes it under this name; the value that it is resumed with is the result."""

    __slots__ = ("name",)

    def __init__(self, name: str) -> None:
        self.name = name

    def __await__(self) -> Generator[_Wait, Any, Any]:
        return (yield self)


class SequentialNode:
    """A node whose handlers may wait.

    Attributes:
        context: what the node was made from.
        out: the outbox of the current handler call.
        call_timeout_ns: how long a call waits for its answer.
        spawn_delay_ns: a spawned task begins after less than this, drawn from the node's dice.
    """

    call_timeout_ns: int = SECOND
    spawn_delay_ns: int = MS
    out: Outbox

    def __init__(self, context: Context) -> None:
        self.context = context
        self._waiting: dict[str, Task] = {}
        self._spawned: dict[str, Callable[[], Task]] = {}
        # An answer to a call of an earlier life must not find a call of this one: each life counts from elsewhere.
        self._number = context.dice.below(1 << 32) << 20

    # --- what a subclass writes

    async def start(self) -> None:
        """The first task, when the machine has started."""

    async def handle(self, sender: NodeId, message: Message) -> None:
        """A new task for each message that is no answer to a call.

        Raises:
            NotImplementedError: a subclass says what to do with messages.
        """
        raise NotImplementedError(f"{type(self).__name__} does not handle {type(message).__name__} from {sender}")

    # --- what tasks may do

    async def call(self, peer: NodeId, request: Request, *, timeout_ns: int | None = None) -> Reply:
        """The peer's answer to the request, which is sent once, under a fresh `msg_id` in place of the one it has.

        A failure is a value, as in Go: the peer's `Error`, or one with the code TIMEOUT when no answer came in time.
        """
        number = self.fresh()
        name = f"call {number}"
        self.out.send(peer, msgspec.structs.replace(request, msg_id=number))
        self.out.set_timer(name, self.call_timeout_ns if timeout_ns is None else timeout_ns)
        answer: Reply | None = await _Wait(name)
        return answer or Error(in_reply_to=number, code=Error.TIMEOUT, text=f"no answer from {peer}")

    async def sleep(self, delay_ns: int) -> None:
        """Wait, by the node's monotonic clock."""
        name = f"sleep {self.fresh()}"
        self.out.set_timer(name, delay_ns)
        await _Wait(name)

    def spawn(self, function: Callable[..., Task], *arguments: Any) -> None:
        """Begin another task soon (`go function(arguments)`): nothing orders it against other tasks."""
        name = f"spawn {self.fresh()}"
        self._spawned[name] = lambda: function(*arguments)
        self.out.set_timer(name, self.context.dice.below(self.spawn_delay_ns))

    def fresh(self) -> int:
        """A number that this node uses only once, also across its lives."""
        self._number += 1
        return self._number

    # --- the contract of a node

    def on_start(self, out: Outbox, /) -> None:
        """Run the first task."""
        self.out = out
        self._run(self.start())

    def on_message(self, sender: NodeId, message: Message, out: Outbox, /) -> None:
        """Resume the call that it answers (if that still waits), or begin a task that handles it."""
        self.out = out
        if not isinstance(message, Reply):
            self._run(self.handle(sender, message))
            return
        name = f"call {message.in_reply_to}"
        if name in self._waiting:
            out.cancel_timer(name)
            self._run(self._waiting.pop(name), message)

    def on_timer(self, name: str, out: Outbox, /) -> None:
        """Resume the task that waits for this timer, or begin the one that was spawned with it."""
        self.out = out
        spawned = self._spawned.pop(name, None)
        self._run(spawned() if spawned else self._waiting.pop(name))

    def _run(self, task: Task, value: Any = None) -> None:
        """Run the task on to its next wait, or to its end."""
        try:
            wait = task.send(value)
        except StopIteration:
            return
        self._waiting[wait.name] = task


class Lock:
    """Guards the memory of one node among its tasks, first come, first served.

    Like a Go mutex it belongs to nobody: who locks it twice waits for ever, and a crash forgets it.
    """

    def __init__(self, node: SequentialNode) -> None:
        self._node, self._held = node, False
        self._queue: deque[str] = deque()

    async def acquire(self) -> None:
        """Wait until it is free, and take it."""
        if not self._held:
            self._held = True
            return
        name = f"lock {self._node.fresh()}"
        self._queue.append(name)
        await _Wait(name)

    def release(self) -> None:
        """Hand it to the task that has waited longest, which goes on in a step of its own.

        Raises:
            RuntimeError: it is not held (in Go this ends the process).
        """
        if not self._held:
            raise RuntimeError("release of a lock that is not held")
        if self._queue:
            self._node.out.set_timer(self._queue.popleft(), 0)
        else:
            self._held = False

    async def __aenter__(self) -> None:
        await self.acquire()

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.release()
