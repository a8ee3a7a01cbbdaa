"""How a cluster gets other members, one at a time (thesis, chapter 4)."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Final

from ...node import Context, Error, NodeId, Outbox
from ..messages import Answer
from .election import LEADER
from .messages import Change, Entry
from .snapshots import Compactor

JOIN: Final = "join"
LEAVE: Final = "leave"

ROUNDS_MAX: Final = 10
"""A node that needs more rounds than these to catch up is too slow to be a member (thesis, 4.2.1)."""


class CatchUp:
    """A node on its way to become a member; it gets the log, and has no vote (thesis, 4.2.1).

    Attributes:
        node: its name.
        goal: the end of the log when the present round began; the round ends when the node has come that far.
        beats: for how many heartbeats the round has lasted.
        rounds: how many have ended.
    """

    __slots__ = ("beats", "goal", "node", "rounds")

    def __init__(self, node: NodeId, goal: int) -> None:
        self.node, self.goal = node, goal
        self.beats = self.rounds = 0


class Reconfigurer(Compactor, ABC):
    """A node that can change the members of its cluster.

    An operator is answered when the change that it asked for is committed; one change is under way at a time.
    """

    def __init__(self, context: Context) -> None:
        super().__init__(context)
        self.newcomer: CatchUp | None = None
        self.operators: dict[NodeId, int] = {}
        self.handlers[Change] = self.on_change

    # --- a change is asked for

    def on_change(self, sender: NodeId, message: Change, out: Outbox) -> None:
        """Thesis, 4.1: the leader takes a change in when it may, and answers when it is committed."""
        if message.action not in {JOIN, LEAVE}:
            out.send(sender, Error(message.msg_id, Error.MALFORMED_REQUEST, f"no change: {message.action}"))
        elif self.role != LEADER:
            self.refuse(sender, message.msg_id, out)
        elif self.is_under_way(message):
            self.operators[sender] = message.msg_id
            self.answer_operators(out)
        elif not self.may_change():
            text = "another change is under way, or the leader is new"
            out.send(sender, Error(message.msg_id, Error.TEMPORARILY_UNAVAILABLE, text))
        elif self.members == (message.node,):
            out.send(sender, Error(message.msg_id, Error.PRECONDITION_FAILED, "the last member cannot leave"))
        else:
            self.operators = {sender: message.msg_id}
            self.begin(message, out)
            self.answer_operators(out)

    @abstractmethod
    def refuse(self, client: NodeId, msg_id: int, out: Outbox) -> None:
        """Tell who leads."""

    def is_under_way(self, message: Change) -> bool:
        """Whether the change is in the log already, committed or not, or the node catches up in order to join."""
        if self.newcomer is not None:
            return message.action == JOIN and message.node == self.newcomer.node
        return (message.action == JOIN) == (message.node in self.members)

    def may_change(self) -> bool:
        """Thesis, 4.1: one change at a time, and none before an entry of the leader's own term is committed.

        Two majorities overlap only when the configurations differ by one node; and what a leader finds in its log may be a
        configuration that others have replaced (the rule that was found missing in 2015).
        """
        return self.newcomer is None and self.is_settled() and self.commit_index >= self.no_op_index

    def is_settled(self) -> bool:
        """Whether the configuration in force is committed."""
        return self.configurations[-1].log_index <= self.commit_index

    def begin(self, message: Change, out: Outbox) -> None:
        """Thesis, 4.2.1: whoever joins catches up first; whoever leaves is out with the next entry."""
        if message.action == JOIN:
            self.newcomer = CatchUp(message.node, self.log.last_index)
            self.survey()
            self.send_entries(message.node, self.progress[message.node], out)
        else:
            self.change_to([member for member in self.members if member != message.node], out)

    def change_to(self, members: Sequence[NodeId], out: Outbox) -> None:
        """Thesis, 4.1: a configuration is an entry like any other."""
        self.propose(Entry(self.term, None, tuple(members)), out)

    # --- catching up

    def followers(self) -> Sequence[NodeId]:
        """Thesis, 4.2.1: a node that catches up gets entries, too."""
        return self.others if self.newcomer is None else (*self.others, self.newcomer.node)

    def on_heartbeat(self, out: Outbox) -> None:
        """Thesis, 4.2.1: see how the newcomer does; nobody waits for a node that does not answer."""
        super().on_heartbeat(out)
        newcomer = self.newcomer
        if newcomer is None:
            return
        newcomer.beats += 1
        progress = self.progress[newcomer.node]
        if progress.match_index >= newcomer.goal:
            self.end_round(newcomer, out)
        elif progress.silence > self.silence_max:
            self.give_up(out)

    def end_round(self, newcomer: CatchUp, out: Outbox) -> None:
        """Thesis, 4.2.1: who gets all that a round began with within an election timeout is fast enough for a member."""
        newcomer.rounds += 1
        if newcomer.beats * self.heartbeat_ns <= self.timeout_ns:
            self.newcomer = None
            self.change_to((*self.members, newcomer.node), out)
        elif newcomer.rounds < ROUNDS_MAX:
            newcomer.goal, newcomer.beats = self.log.last_index, 0
        else:
            self.give_up(out)

    def give_up(self, out: Outbox) -> None:
        """Thesis, 4.2.1: the newcomer is unavailable, or too slow."""
        self.newcomer = None
        self.survey()
        for operator, msg_id in self.operators.items():
            out.send(operator, Error(msg_id, Error.TEMPORARILY_UNAVAILABLE, "the node does not keep up"))
        self.operators.clear()

    # --- a change is committed

    def commit(self, index: int, out: Outbox) -> None:
        """Thesis, 4.2.2: a leader that is no member resigns when that is committed, and not earlier."""
        super().commit(index, out)
        if self.role != LEADER:
            return
        if self.operators:
            self.answer_operators(out)
        if not self.is_member and self.is_settled():
            self.step_down(out)

    def answer_operators(self, out: Outbox) -> None:
        """Tell those who asked for it that the change is committed."""
        if self.newcomer is None and self.is_settled():
            for operator, msg_id in self.operators.items():
                out.send(operator, Answer(msg_id))
            self.operators.clear()

    def step_down(self, out: Outbox) -> None:
        """§5.1: whoever is deposed changes nothing; operators turn to others."""
        self.newcomer = None
        self.operators.clear()
        super().step_down(out)
