"""Happens-before among messages (Lamport 1978), computed by the judge from posts and deliveries.

A node's own events are in order, across its crashes too, and a post comes before each delivery of its message. Whatever
clocks the system on trial keeps play no part. The judge's clocks count posts: `past` of a message says how many messages
of each node happened before it, itself included. So `a` happened before `b` exactly when `b.past[a.node] >= a.number`,
and all of it takes O(n k) steps for n notes of k nodes.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Hashable, Iterator, Sequence
from dataclasses import dataclass

from ...histories.trace import Note, Trace
from ...histories.values import Value, identity, to_json


@dataclass(frozen=True, slots=True)
class Post:
    """One message.

    Attributes:
        at: the place of its post in the trace.
        note: its post.
        message: its id.
        node: the number of its node.
        number: which one of its node's messages it is, from 1.
        past: by node, how many messages happened before it, itself included.
    """

    at: int
    note: Note
    message: Value
    node: int
    number: int
    past: tuple[int, ...]

    def precedes(self, other: Post) -> bool:
        """Whether it happened before the other."""
        return self.at != other.at and other.past[self.node] >= self.number

    def is_concurrent(self, other: Post) -> bool:
        """Whether neither happened before the other."""
        return self.at != other.at and not self.precedes(other) and not other.precedes(self)

    def __str__(self) -> str:
        return to_json(self.message) if not isinstance(self.message, str) else self.message


class HappensBefore:
    """The order of the messages of a trace.

    Attributes:
        nodes: the names of all nodes.
        posts: in the order of the trace.
        deliveries: how many there are.
        inapplicable: why there is no such order (a delivery of what nobody posted, two posts of one id); "" when there is.
    """

    def __init__(self, trace: Trace) -> None:
        names = dict.fromkeys([*trace.nodes, *(note.node for note in trace)])
        self.nodes = tuple(names)
        self.posts: list[Post] = []
        self.deliveries = 0
        self.inapplicable = ""
        self._numbers = {name: number for number, name in enumerate(names)}
        self._found: dict[Hashable, Post] = {}
        self._of_node: list[list[Post]] = [[] for _ in names]
        self._events: list[list[tuple[int, Note, Post]]] = [[] for _ in names]
        self._knowledge = [[0] * len(names) for _ in names]
        for at, note in enumerate(trace):
            if note.kind == "posted":
                self._post(at, note)
            elif note.kind == "delivered":
                self._deliver(at, note)

    def _post(self, at: int, note: Note) -> None:
        node = self._numbers[note.node]
        message = note.fact("message")
        known = self._found.get(identity(message))
        if known is not None:
            if (known.note.node, known.note.facts) != (note.node, note.facts):
                self.inapplicable = self.inapplicable or f"two messages are called {to_json(message)}"
            return
        self._knowledge[node][node] += 1
        post = Post(at, note, message, node, self._knowledge[node][node], tuple(self._knowledge[node]))
        self._found[identity(message)] = post
        self.posts.append(post)
        self._of_node[node].append(post)
        self._events[node].append((at, note, post))

    def _deliver(self, at: int, note: Note) -> None:
        post = self.post_of(note)
        if post is None:
            told = to_json(note.fact("message"))
            self.inapplicable = self.inapplicable or f"{note.node} takes in {told}, which nobody has posted"
            return
        node = self._numbers[note.node]
        self.deliveries += 1
        self._knowledge[node] = [max(mine, its) for mine, its in zip(self._knowledge[node], post.past, strict=True)]
        self._events[node].append((at, note, post))

    # --- questions

    def post_of(self, note: Note) -> Post | None:
        """The post of the message that a note is about; None when nobody has posted it."""
        return self._found.get(identity(note.fact("message")))

    def find(self, message: Value) -> Post | None:
        """The post of a message."""
        return self._found.get(identity(message))

    def of_node(self, node: int) -> Sequence[Post]:
        """The messages of a node, in its order."""
        return self._of_node[node]

    @property
    def ordered_pairs(self) -> int:
        """How many pairs of messages are ordered."""
        return sum(sum(post.past) - 1 for post in self.posts)

    def path(self, first: Post, last: Post) -> tuple[Note, ...]:
        """How the first happened before the last: posts and deliveries, by way of as few messages as possible."""
        came: dict[int, tuple[Note, Post]] = {}
        looked_at = [0] * len(self.nodes)
        queue = deque([last])
        while first.at not in came:
            later = queue.popleft()
            for note, earlier in self._before(later, looked_at):
                if earlier.at not in came and earlier.at != last.at:
                    came[earlier.at] = (note, later)
                    queue.append(earlier)
        return tuple(_along(first, last, came))

    def _before(self, post: Post, looked_at: list[int]) -> Iterator[tuple[Note, Post]]:
        """Posts and deliveries at a message's node before it, the latest first, but for those looked at before."""
        events = self._events[post.node]
        begin = looked_at[post.node]
        end = next(place for place, (at, _, _) in enumerate(events) if at == post.at)
        looked_at[post.node] = max(begin, end)
        return ((note, earlier) for _, note, earlier in reversed(events[begin:end]))


def _along(first: Post, last: Post, came: dict[int, tuple[Note, Post]]) -> Iterator[Note]:
    """The notes on the way: each post, and the delivery of its message at the node of the next."""
    post = first
    while post.at != last.at:
        yield post.note
        note, later = came[post.at]
        if note.kind == "delivered":
            yield note
        post = later
    yield last.note
