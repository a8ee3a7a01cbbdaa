"""A chat in which no node shows a message before what it depends on, and every node shows every message in the end.

Messages carry vector clocks. Causal delivery is that of Birman, Schiper and Stephenson, "Lightweight causal and atomic
group multicast" (1991), section 5.1: the clock counts messages, one component for each node, and a message waits until
all that happened before it has been taken in. What gets lost is repaired by anti-entropy (Demers and others, "Epidemic
algorithms for replicated database maintenance", 1987, section 1.3): in turn a node tells each of the others what it has,
and gets what it lacks.

What is acknowledged or shown has been synced before, so a crash takes nothing back that anybody has seen.
"""

from __future__ import annotations

from collections.abc import Sequence

from ...node import Context, Message, NodeId, Outbox
from .messages import ChatMessage, Clock, GetMessages, Messages, Replicate, Send, Sent, Summary, to_wire


class Entry(Message, frozen=True):
    """A line of a node's log: a message, and for one posted here the request that posted it.

    One record, since a crash may part two.
    """

    message: ChatMessage
    client: NodeId = ""
    msg_id: int = 0


class ChatNode:
    """One node of the chat.

    Settings: `anti_entropy_ns`, the period; `waiting_max`, how many messages may wait for what they depend on (a further
    one is dropped, and comes again by anti-entropy); `batch_max`, how many messages one summary is answered with.
    """

    def __init__(self, context: Context) -> None:
        self.context = context
        self.id = context.id
        self.others = tuple(peer for peer in context.peers if peer != context.id)
        self.period_ns: int = context.settings["anti_entropy_ns"]
        self.waiting_max: int = context.settings["waiting_max"]
        self.batch_max: int = context.settings["batch_max"]
        self.turn = 0
        self.clock: dict[NodeId, int] = {}
        self.shown: list[ChatMessage] = []
        self.ids: set[str] = set()
        self.waiting: dict[str, ChatMessage] = {}
        self.sent: dict[NodeId, tuple[int, str]] = {}
        """By client, its last request that posted a message, and the id of that; a client has one request at a time."""

    # --- the contract of a node

    def on_start(self, out: Outbox) -> None:
        """Show again what is on the disk, and begin with anti-entropy at a moment of its own."""
        while isinstance(entry := self.context.stored.get(("log", len(self.shown))), Entry):
            self.add(entry)
            self.tell(entry.message, out)
        out.set_timer("anti-entropy", 1 + self.context.dice.below(self.period_ns))

    def on_message(self, sender: NodeId, message: Message, out: Outbox) -> None:
        """Answer a client, or take in what another node has."""
        match message:
            case Send():
                self.on_send(sender, message, out)
            case GetMessages():
                out.send(sender, Messages(message.msg_id, tuple(self.shown)))
            case Replicate():
                self.on_replicate(sender, message.messages, out)
            case Summary():
                self.on_summary(sender, message.clock, out)

    def on_timer(self, name: str, out: Outbox) -> None:  # noqa: ARG002  # there is only one
        """A period of anti-entropy is over: ask the next node in turn."""
        out.set_timer("anti-entropy", self.period_ns)
        self.repair(out)

    # --- posting

    def on_send(self, client: NodeId, request: Send, out: Outbox) -> None:
        """Post a message, once for each request; it is acknowledged when it is on the disk, and only then sent on."""
        msg_id, posted = self.sent.get(client, (0, ""))
        if request.msg_id > msg_id:
            message = self.post(client, request, out)
            for other in self.others:
                out.send(other, Replicate((message,)))
            posted = message.id
        if request.msg_id >= msg_id:
            out.send(client, Sent(request.msg_id, posted))

    def post(self, client: NodeId, request: Send, out: Outbox) -> ChatMessage:
        """Make the message; its clock counts it and all that was taken in here before."""
        number = self.clock.get(self.id, 0) + 1
        message = ChatMessage(
            id=f"{self.id}/{number}",
            text=request.text,
            sender=self.id,
            timestamp_ns=self.context.clock.wall_ns(),
            clock=to_wire({**self.clock, self.id: number}),
            reply_to=request.reply_to,
        )
        self.keep(Entry(message, client, request.msg_id), out)
        out.sync()
        self.tell(message, out)
        return message

    # --- causal delivery

    def on_replicate(self, sender: NodeId, messages: Sequence[ChatMessage], out: Outbox) -> None:
        """Take in what is new, and all that has waited for it; a full batch of news says that there is more."""
        news: list[ChatMessage] = []
        for message in messages:
            out.note("arrived", message.id)
            self.hold(message)
            news += self.take_in(out)
        if news:
            out.sync()
        for message in news:
            self.tell(message, out)
        if len(news) >= self.batch_max:
            out.send(sender, Summary(to_wire(self.clock)))

    def hold(self, message: ChatMessage) -> None:
        """Let a message wait, unless it is known, or too many wait already."""
        if not self.is_known(message) and (len(self.waiting) < self.waiting_max or self.is_ready(message)):
            self.waiting[message.id] = message

    def take_in(self, out: Outbox) -> list[ChatMessage]:
        """Keep the messages that need not wait any longer, in an order that respects what happened before what."""
        news: list[ChatMessage] = []
        while message := next((message for message in self.waiting.values() if self.is_ready(message)), None):
            del self.waiting[message.id]
            self.keep(Entry(message), out)
            news.append(message)
        return news

    def is_known(self, message: ChatMessage) -> bool:
        """Whether it is shown here."""
        return message.id in self.ids

    def is_ready(self, message: ChatMessage) -> bool:
        """Section 5.1, step 2: whether all that happened before it has been taken in."""
        return all(
            count <= self.clock.get(node, 0) + (1 if node == message.sender else 0) for node, count in message.clock
        )

    def merge(self, message: ChatMessage) -> None:
        """Section 5.1, step 3: from now on all that this node posts has happened after the message."""
        for node, count in message.clock:
            self.clock[node] = max(count, self.clock.get(node, 0))

    # --- the log

    def keep(self, entry: Entry, out: Outbox) -> None:
        """Write it to the log, and show its message; the caller syncs before anybody can see that."""
        out.store(("log", len(self.shown)), entry)
        self.add(entry)

    def add(self, entry: Entry) -> None:
        """Show its message, and remember who posted it."""
        message = entry.message
        self.shown.append(message)
        self.ids.add(message.id)
        self.merge(message)
        if entry.client:
            self.sent[entry.client] = (entry.msg_id, message.id)

    def tell(self, message: ChatMessage, out: Outbox) -> None:
        """Note that it is durable here, and shown; once more in each life, since a crash may come before the note."""
        if message.sender == self.id:
            out.note("posted", message.id, message.clock, message.reply_to, message.text)
        else:
            out.note("delivered", message.id)
        out.note("shown", message.id)

    # --- anti-entropy

    def repair(self, out: Outbox) -> None:
        """Tell the next node in turn what this one has."""
        if self.others:
            out.send(self.others[self.turn % len(self.others)], Summary(to_wire(self.clock)))
            self.turn += 1

    def on_summary(self, sender: NodeId, clock: Clock, out: Outbox) -> None:
        """Send what the other lacks; the beginning of it, in the order of showing, stands on its own."""
        has = dict(clock)
        lacking = [
            message for message in self.shown if dict(message.clock)[message.sender] > has.get(message.sender, 0)
        ]
        if lacking:
            out.send(sender, Replicate(tuple(lacking[: self.batch_max])))
