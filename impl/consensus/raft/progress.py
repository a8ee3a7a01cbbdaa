"""What a leader knows of its followers, and what waits for them."""

from __future__ import annotations

from collections import deque
from typing import NamedTuple

from ...node import NodeId, Value


class Progress:
    """What a leader knows of one follower (figure 2, 'volatile state on leaders'; thesis, 10.2).

    A leader that does not know where the logs part *probes*: one message at a time. After the first success it sends
    entries as they come, as if all that it has sent had arrived.

    Attributes:
        next_index: the next entry to send.
        match_index: up to here the logs are known to agree.
        round: the newest round that the follower has answered.
        is_probed: whether only one message may be under way.
        is_awaited: whether a message is under way whose answer will say something new.
        under_way: the last index of each message with entries that was sent ahead, and not answered yet.
        silence: how many heartbeats it has not answered.
    """

    __slots__ = ("is_awaited", "is_probed", "match_index", "next_index", "round", "silence", "under_way")

    def __init__(self, next_index: int) -> None:
        self.next_index = next_index
        self.match_index = 0
        self.round = 0
        self.is_probed = True
        self.is_awaited = False
        self.under_way: deque[int] = deque()
        self.silence = 0


class PendingRead(NamedTuple):
    """A read that waits until round `round` has confirmed the leader, and entry `log_index` has been applied."""

    round: int
    log_index: int
    client: NodeId
    msg_id: int
    key: Value
