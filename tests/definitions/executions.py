"""Models that are defined by abstract executions: who sees which write, and one order of the writes.

Burckhardt, "Principles of Eventual Consistency", 2014, chapter 5; Viotti and Vukolic, "Consistency in Non-Transactional
Distributed Storage Systems", 2016, section 3; Terry et al., "Session Guarantees for Weakly Consistent Replicated Data",
1994, for the strong forms of monotonic writes and writes-follow-reads. A read returns the last write, as arbitrated, of
those of its key that it sees, or the initial value. Where guarantees are those of each session by itself, all sessions
share what is seen, and each has an arbitration of its own, in which its own reads return what they did.

An execution is sought in two ways, which `tests/laws/test_consistency.py` compares:

- `by_every_execution`: every visibility of writes to reads, and every arbitration order;
- `by_least_constraints`: the least visibility that the guarantees and the values that were read force, and whether what
  arbitration has to contain has a cycle.

The least visibility suffices. Each rule about visibility says that some pairs force another, so there is a least
visibility that has every read see the write that it returned, and any other one that explains the reads contains it. The
rules about arbitration demand less of it. And it explains the reads under the same arbitration: a read sees the write that
it returned, which was last among more; one that returned the initial value saw no write, and sees none. That some total
order contains given pairs means that they have no cycle (Szpilrajn).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import permutations

from .serialisations import Relation, explains, last_write, reads_of_sessions
from .small import Facts, closed, is_acyclic, mask, members, partial_orders, reads_from, total_orders, union


@dataclass(frozen=True, slots=True)
class Guarantees:
    """Which session guarantees are demanded.

    Attributes:
        own: read your writes, so|w->r in vis.
        monotonic: monotonic reads, vis;so|r->r in vis.
        ordered: monotonic writes, so|w->w in ar.
        together: their strong form besides, so|w->w;vis in vis.
        following: writes follow reads, vis;so|r->w in ar.
        carried: their strong form besides, vis;so|r->w;vis in vis.
    """

    own: bool = False
    monotonic: bool = False
    ordered: bool = False
    together: bool = False
    following: bool = False
    carried: bool = False

    def adds(self, facts: Facts, vis: Relation, read: int) -> int:
        """What the read must see, too, where visibility is this."""
        so, seen = facts.so, vis[read]
        needed = seen
        if self.own:
            needed |= so[read] & facts.writes
        if self.monotonic:
            for earlier in members(so[read] & facts.reads):
                needed |= vis[earlier]
        for write in members(seen):
            if self.together:
                needed |= so[write] & facts.writes
            if self.carried:
                for earlier in members(so[write] & facts.reads):
                    needed |= vis[earlier]
        return needed

    def arbitrated(self, facts: Facts, vis: Relation) -> Relation:
        """What arbitration has to contain, as the predecessors of each write."""
        found = [0] * len(facts.ops)
        for write in members(facts.writes):
            if self.ordered:
                found[write] |= facts.so[write] & facts.writes
            if self.following:
                for read in members(facts.so[write] & facts.reads):
                    found[write] |= vis[read]
        return tuple(found)


def least_visibility(facts: Facts, wanted: Guarantees) -> Relation:
    """The least visibility that has every read see the write that it returned."""
    vis = list(reads_from(facts))
    while True:
        grown = [wanted.adds(facts, tuple(vis), each) if facts.reads >> each & 1 else 0 for each in range(len(vis))]
        if grown == vis:
            return tuple(vis)
        vis = grown


def scopes(facts: Facts, *, each_session: bool) -> list[int]:
    """The sets of reads that share an arbitration: all of them, or those of each session."""
    return [*reads_of_sessions(facts), 0] if each_session else [facts.reads]


def by_least_constraints(facts: Facts, wanted: Guarantees, *, each_session: bool = False) -> bool:
    """Whether the history has an execution with these guarantees; `each_session`: an arbitration for every session."""
    vis = least_visibility(facts, wanted)
    needed = wanted.arbitrated(facts, vis)
    return all(explains(facts, vis, needed, among) for among in scopes(facts, each_session=each_session))


def by_every_execution(facts: Facts, wanted: Guarantees, *, each_session: bool = False) -> bool:
    """The same, with every arbitration tried, and every visibility in which each read sees the write that it returned."""
    returned = reads_from(facts)
    among_all = scopes(facts, each_session=each_session)
    return any(
        all(_some_arbitration(facts, wanted, vis, among) for among in among_all)
        for vis in _visibilities(facts)
        if all(wanted.adds(facts, vis, read) | returned[read] == vis[read] for read in members(facts.reads))
    )


def _visibilities(facts: Facts) -> Iterator[Relation]:
    """Every relation from writes to reads."""
    reads = list(members(facts.reads))
    writes = list(members(facts.writes))
    for choice in range(1 << len(reads) * len(writes)):
        vis = [0] * len(facts.ops)
        for bit in members(choice):
            vis[reads[bit // len(writes)]] |= 1 << writes[bit % len(writes)]
        yield tuple(vis)


def _some_arbitration(facts: Facts, wanted: Guarantees, vis: Relation, among: int) -> bool:
    needed = wanted.arbitrated(facts, vis)
    return any(
        _respects(order, needed) and _returns(facts, vis, order, among) for order in permutations(members(facts.writes))
    )


def _respects(order: tuple[int, ...], needed: Relation) -> bool:
    left = sum(1 << each for each in order)
    for each in order:
        if needed[each] & left:
            return False
        left &= ~(1 << each)
    return True


def _returns(facts: Facts, vis: Relation, order: tuple[int, ...], among: int) -> bool:
    return all(
        last_write(order, vis[read] & facts.others[read]) == facts.source[read] for read in members(facts.reads & among)
    )


# --- causal convergence, with real time


def real_time_causal_by_every_execution(facts: Facts) -> bool:
    """Causal visibility and arbitration, hb in vis and hb in ar, and rb in ar, with every visibility and arbitration.

    hb is the closure of so and vis, and it has no cycle and lies in vis; so vis is a partial order that contains so.
    """
    return any(
        _returns(facts, vis, order, -1)
        for vis in partial_orders(facts.so)
        if is_acyclic(union(vis, facts.rb))
        for order in total_orders(union(vis, facts.rb))
    )


def real_time_causal(facts: Facts) -> bool:
    """The same by the least visibility, and whether what arbitration has to contain has a cycle."""
    hb = closed(union(facts.so, reads_from(facts)))
    return is_acyclic(hb) and explains(facts, hb, union(hb, facts.rb))


# --- visibility after a time


def t_visible(facts: Facts, bound: int) -> bool:
    """Some execution has every operation seen by those that begin more than `bound` after it returned.

    Visibility has no cycle: what began so long after a read had ended sees it, and cannot be seen by it. Arbitration keeps
    the writes in real time.
    """
    vis = union(timed_visibility(facts, bound), reads_from(facts))
    return is_acyclic(vis) and explains(facts, vis, _real_time_writes(facts))


def t_visible_by_every_execution(facts: Facts, bound: int) -> bool:
    """The same, with every visibility of writes to reads, and every arbitration tried."""
    must, needed = timed_visibility(facts, bound), _real_time_writes(facts)
    return any(
        _respects(order, needed) and _returns(facts, vis, order, -1)
        for chosen in _visibilities(facts)
        for vis in [union(chosen, must)]
        if is_acyclic(vis)
        for order in permutations(members(facts.writes))
    )


def timed_visibility(facts: Facts, bound: int) -> Relation:
    """What had returned long enough before each operation began."""
    return tuple(mask(n for n, other in enumerate(facts.ops) if other.ended + bound < op.began) for op in facts.ops)


def _real_time_writes(facts: Facts) -> Relation:
    return tuple(before & facts.writes if facts.writes >> each & 1 else 0 for each, before in enumerate(facts.rb))
