"""Acceptors: what they may promise and accept, and how they remember it (2.2, 2.5)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final, Generic, TypeVar

from ...node import Context, Key, Outbox
from .messages import NO_BALLOT, Ballot, Vote

PROMISED: Final = "promised"
ACCEPTED: Final = "accepted"

V = TypeVar("V", bound=Vote)


class Acceptor(Generic[V]):
    """A node as far as accepting goes. A promise holds for all slots; an acceptance is of one.

    A crash may leave the key that was being written unreadable, so promises take turns between two keys, and so do the
    acceptances of a slot; of two that are there, the one with the higher ballot is the newer.

    Attributes:
        promised: nothing is promised or accepted below it; an acceptance binds like a promise.
        accepted: what was accepted last, by slot.
        highest: the highest number of a ballot that the node has heard of.
    """

    def __init__(self, context: Context) -> None:
        self.id = context.id
        self.others = tuple(peer for peer in context.peers if peer != context.id)
        self.majority = len(context.peers) // 2 + 1
        self.dice = context.dice
        self.accepted: dict[int, V] = {}
        self.leftovers: list[Key] = []
        self.written: dict[Key, int] = {}  # which of its two keys a place was written to last
        self.promised = self.restored_promise(context.stored)
        self.restore_acceptances(context.stored)
        self.highest = self.promised[0]

    def on_start(self, out: Outbox) -> None:
        """Say what is there again after a crash, and clear away what a crash kept from being erased."""
        for key in self.leftovers:
            out.erase(key)
        for slot in sorted(self.accepted):
            self.note_acceptance(self.accepted[slot], out)
        if self.promised > NO_BALLOT or self.accepted or self.forgotten:
            number, node = self.promised
            last = max(self.accepted, default=self.forgotten)
            out.note("restored", number, node or None, last, self.forgotten)

    @property
    def forgotten(self) -> int:
        """Acceptances up to this slot are not kept any more, since a snapshot stands for them."""
        return 0

    # --- promises

    def may_promise(self, ballot: Ballot) -> bool:
        """P1a, 2.2 phase 1b: promise only at a higher ballot; the same one is asked for again when an answer was lost."""
        return ballot >= self.promised

    def promise(self, ballot: Ballot, out: Outbox) -> None:
        """2.5: a promise is on disk before it is given."""
        if ballot == self.promised:
            return
        self.raise_promise(ballot, out)
        out.sync()
        out.note("promised", ballot)

    def raise_promise(self, ballot: Ballot, out: Outbox) -> None:
        """2.2: from now on, nothing below this ballot."""
        self.promised = ballot
        self.hear_of(ballot)
        self.persist_promise(out)

    def persist_promise(self, out: Outbox) -> None:
        """2.5: what was promised is on stable storage before any message says so."""
        out.store((PROMISED, self.turn(PROMISED)), self.promised)

    def hear_of(self, ballot: Ballot) -> None:
        """2.4: a proposer remembers the highest number that it has heard of."""
        self.highest = max(self.highest, ballot[0])

    def next_ballot(self) -> Ballot:
        """B1, 2.2: a ballot that nobody has used. One's own promise, which is on disk, keeps it from being used again."""
        return self.ballot(self.highest + 1)

    def ballot(self, number: int) -> Ballot:
        """2.5: different proposers choose their numbers from disjoint sets."""
        return (number, self.id)

    # --- acceptances

    def may_accept(self, ballot: Ballot) -> bool:
        """P1a, 2.2 phase 2b: accept unless something higher was promised."""
        return ballot >= self.promised

    def accept(self, votes: Iterable[V], out: Outbox) -> None:
        """2.5: an acceptance is on disk before it is answered. What was accepted already is not written again."""
        new = [vote for vote in votes if self.is_news(vote)]
        if not new:
            return
        if new[0].ballot > self.promised:
            self.raise_promise(new[0].ballot, out)
        for vote in new:
            self.accepted[vote.slot] = vote
            self.persist_acceptance(vote, out)
        out.sync()
        for vote in new:
            self.note_acceptance(vote, out)

    def is_news(self, vote: V) -> bool:
        """Whether it was not accepted before; what a snapshot stands for was."""
        if vote.slot <= self.forgotten:
            return False
        known = self.accepted.get(vote.slot)
        return known is None or known.ballot != vote.ballot

    def persist_acceptance(self, vote: V, out: Outbox) -> None:
        """2.5: what was accepted is on stable storage before any message says so."""
        out.store((ACCEPTED, 2 * vote.slot + self.turn((ACCEPTED, vote.slot))), vote)

    def note_acceptance(self, vote: V, out: Outbox) -> None:
        """Tell the trace."""
        out.note("accepted", vote.slot, vote.ballot, vote.told)

    def forget_acceptance(self, slot: int, out: Outbox) -> None:
        """A snapshot stands for this slot now."""
        self.accepted.pop(slot, None)
        if self.written.pop((ACCEPTED, slot), None) is not None:
            out.erase((ACCEPTED, 2 * slot))
            out.erase((ACCEPTED, 2 * slot + 1))

    # --- the disk

    def turn(self, place: Key) -> int:
        """Which of the two keys of a place is written next: the one that was not written last."""
        turn = 1 - self.written.get(place, 1)
        self.written[place] = turn
        return turn

    def restored_promise(self, stored: Mapping[Key, Any]) -> Ballot:
        """2.5: promises survive a crash."""
        found = {turn: stored[PROMISED, turn] for turn in (0, 1) if (PROMISED, turn) in stored}
        if not found:
            return NO_BALLOT
        self.written[PROMISED] = max(found, key=found.__getitem__)
        number, node = found[self.written[PROMISED]]
        return (number, node)

    def restore_acceptances(self, stored: Mapping[Key, Any]) -> None:
        """2.5: acceptances survive a crash; of two, the one at the higher ballot counts."""
        for key, vote in stored.items():
            if key[0] != ACCEPTED:
                continue
            if vote.slot <= self.forgotten:
                self.leftovers.append(key)
            elif self.is_higher(vote):
                self.accepted[vote.slot] = vote
                self.written[ACCEPTED, vote.slot] = int(key[1]) % 2

    def is_higher(self, vote: V) -> bool:
        """Whether it was accepted at a higher ballot than what is known of its slot."""
        known = self.accepted.get(vote.slot)
        return known is None or vote.ballot > known.ballot
