"""The guide's chat as it is written ("Distributed Chat System"), its faults included.

A `ChatNode` is a machine; what `ChatSystem` does with one under its lock is done there. `ChatSystem` itself only knows
who takes part, as `context.peers` does. Nothing is stored: a crash loses the struct.
"""

from __future__ import annotations

from ...node import Context, Message, NodeId
from ...sequential import Lock, SequentialNode
from .messages import ChatMessage, GetMessages, Messages, Replicate, Send, Sent, to_wire


class ChatNode(SequentialNode):
    """`ChatNode`: the messages that it shows, its vector clock, and the mutex that guards both (`AddNode`)."""

    def __init__(self, context: Context) -> None:
        super().__init__(context)
        self.id = context.id
        self.messages: list[ChatMessage] = []
        self.vector_clock: dict[NodeId, int] = {}
        self.mutex = Lock(self)

    async def handle(self, sender: NodeId, message: Message) -> None:
        """The method that a request calls; what it answers is the method's return value."""
        match message:
            case Send():
                posted = await self.send_message(message.text)
                self.out.send(sender, Sent(message.msg_id, posted))
            case GetMessages():
                self.out.send(sender, Messages(message.msg_id, await self.get_messages()))
            case Replicate():
                for copied in message.messages:
                    self.out.note("arrived", copied.id)
                    await self.add_replica(copied)

    async def send_message(self, content: str) -> str:
        """`SendMessage`. It knows no replies. It returns nil; our answer names the message instead."""
        async with self.mutex:
            self.vector_clock[self.id] = self.vector_clock.get(self.id, 0) + 1
            message = ChatMessage(
                id=self.generate_message_id(),
                text=content,
                sender=self.id,
                timestamp_ns=self.context.clock.wall_ns(),
                clock=to_wire(self.vector_clock),
            )
            self.messages.append(message)
            self.out.note("posted", message.id, message.clock, message.reply_to, message.text)
            self.out.note("shown", message.id)
            self.spawn(self.replicate_message, message)
        return message.id

    def generate_message_id(self) -> str:
        """`generateMessageID`, which the guide does not define: an id that nobody else gives."""
        return f"{self.id}-{self.context.dice.below(1 << 32):08x}"

    async def replicate_message(self, message: ChatMessage) -> None:
        """`replicateMessage`: one goroutine for each other node. Nobody looks whether it succeeds."""
        for node in self.context.peers:
            if node != message.sender:
                self.spawn(self.replicate_to, node, message)

    async def replicate_to(self, node: NodeId, message: ChatMessage) -> None:
        """The function in `replicateMessage` as far as the sender's machine: it calls the other node."""
        self.out.send(node, Replicate((message,)))

    async def add_replica(self, message: ChatMessage) -> None:
        """The function in `replicateMessage` at the other node: update the clock, and append the message."""
        async with self.mutex:
            for node, clock in message.clock:
                if self.vector_clock.get(node, 0) < clock:
                    self.vector_clock[node] = clock
            self.messages.append(message)
            self.out.note("delivered", message.id)
            self.out.note("shown", message.id)

    async def get_messages(self) -> tuple[ChatMessage, ...]:
        """`GetMessages`: a copy."""
        async with self.mutex:
            return tuple(self.messages)
