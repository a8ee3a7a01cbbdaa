"""Models that are defined by legal orders of operations, and the causal ones by a causal order that explains the reads.

Bouajjani, Enea, Guerraoui and Hamza, "On Verifying Causal Consistency", 2017, section 2, for CC, CCv and CM; Lipton and
Sandberg, "PRAM", 1988; Hutto and Ahamad, "Slow Memory", 1990; Lamport 1979 and Goodman 1989 for sequential consistency;
Herlihy and Wing 1990; Shao, Pierce and Welch, "Multi-writer Consistency Conditions for Shared Memory Objects", 2003, and
Lamport 1986 for regular and safe registers.

The definitions of CC, CCv and CM begin with "there is a causal order". Those that end in `_by_every_order` try every
strict partial order that contains the order of sessions. The others take the least one, the closure of the order of
sessions and of who read from whom, which suffices: a causal order under which the reads are explained has every read
behind the write that it returned, so it contains the least one; and when a causal order explains the reads, so does every
smaller one that still has each read behind its write. For its pasts are smaller, and an explanation (a total order of a
past) that is cut down to a smaller past respects the smaller order and stays legal: the write that a read returned is
still there, and what followed it and is gone had not come between. `tests/laws/test_consistency.py` compares the two.
"""

from __future__ import annotations

from collections.abc import Iterator

from .small import INITIAL, Facts, causal_order, is_acyclic, members, partial_orders, reads_from, total_orders, union

Relation = tuple[int, ...]


def has_order(facts: Facts, among: int, before: Relation, checked: int) -> bool:
    """Whether some total order of `among` that respects `before` has each read of `checked` return the last write of its key.

    Every order is tried; of two that began with the same operations and left the same values, one.
    """
    ops = facts.ops
    last = [INITIAL] * (1 + max((op.key for op in ops), default=0))
    tried = set()

    def go_on(left: int) -> bool:
        if not left:
            return True
        state = (left, *last)
        if state in tried:
            return False
        tried.add(state)
        for each in members(left):
            key, rest = ops[each].key, left & ~(1 << each)
            if before[each] & left:
                continue
            if ops[each].is_write:
                overwritten, last[key] = last[key], each
                if go_on(rest):
                    return True
                last[key] = overwritten
            elif (not checked >> each & 1 or last[key] == facts.source[each]) and go_on(rest):
                return True
        return False

    return go_on(among & facts.every)


# --- causality


def is_cc_under(facts: Facts, co: Relation) -> bool:
    """CC: the past of each operation, in which all but its own answer is hidden, has a legal order."""
    return all(has_order(facts, past(co, each), co, 1 << each) for each in range(len(facts.ops)))


def is_cm_under(facts: Facts, co: Relation) -> bool:
    """CM: the past of each operation, in which the answers of its session stay, has a legal order."""
    return all(has_order(facts, past(co, each), co, facts.so[each] | 1 << each) for each in range(len(facts.ops)))


def is_ccv_under(facts: Facts, co: Relation) -> bool:
    """CCv: one total order contains the causal one, and of every past it is a legal order for the last answer."""
    return any(_explains_pasts(facts, co, order) for order in total_orders(co))


def _explains_pasts(facts: Facts, co: Relation, order: tuple[int, ...]) -> bool:
    return all(last_write(order, co[read] & facts.others[read]) == facts.source[read] for read in members(facts.reads))


def last_write(order: tuple[int, ...], seen: int) -> int:
    """The last of these in this order, INITIAL where there are none."""
    return next((each for each in reversed(order) if seen >> each & 1), INITIAL)


def past(co: Relation, each: int) -> int:
    """An operation and its causes."""
    return co[each] | 1 << each


def causal_orders(facts: Facts) -> Iterator[Relation]:
    """Every strict partial order that contains the order of sessions."""
    return partial_orders(facts.so)


def weak_by_every_order(facts: Facts) -> bool:
    return any(is_cc_under(facts, co) for co in causal_orders(facts))


def memory_by_every_order(facts: Facts) -> bool:
    return any(is_cm_under(facts, co) for co in causal_orders(facts))


def convergence_by_every_order(facts: Facts) -> bool:
    return any(is_ccv_under(facts, co) for co in causal_orders(facts))


def no_circularity(facts: Facts) -> bool:
    """Nothing is its own cause: Burckhardt's hb, for the least visibility, which is who read from whom."""
    return is_acyclic(union(facts.so, reads_from(facts)))


def weak(facts: Facts) -> bool:
    return no_circularity(facts) and is_cc_under(facts, causal_order(facts))


def memory(facts: Facts) -> bool:
    return no_circularity(facts) and is_cm_under(facts, causal_order(facts))


def convergence(facts: Facts) -> bool:
    """CCv; that a total order contains given pairs is asked as whether they have a cycle."""
    if not no_circularity(facts):
        return False
    co = causal_order(facts)
    return explains(facts, co, co)


def explains(facts: Facts, seen: Relation, arbitrated: Relation, among: int = -1) -> bool:
    """Whether an order of all operations that contains `arbitrated` has the reads of `among` return the last write they see."""
    constraints = list(arbitrated)
    for read in members(facts.reads & among):
        source, visible = facts.source[read], seen[read] & facts.others[read]
        if source == INITIAL:
            if visible:
                return False
        elif not visible >> source & 1:
            return False
        else:
            constraints[source] |= visible & ~(1 << source)
    return is_acyclic(constraints)


# --- one order for each session


def pram(facts: Facts) -> bool:
    """Each session has a legal order of all writes and its own reads, in which every session's order is kept."""
    return all(has_order(facts, facts.writes | own, facts.so, own) for own in reads_of_sessions(facts))


def slow(facts: Facts) -> bool:
    """The same for each key by itself."""
    return all(
        has_order(facts, (facts.writes | own) & on_key, facts.so, own)
        for own in reads_of_sessions(facts)
        for on_key in keys(facts)
    )


def reads_of_sessions(facts: Facts) -> list[int]:
    """The reads of each session that has any."""
    found: dict[int, int] = {}
    for read in members(facts.reads):
        session = facts.ops[read].session
        found[session] = found.get(session, 0) | 1 << read
    return list(found.values())


def keys(facts: Facts) -> list[int]:
    """The operations of each key."""
    found: dict[int, int] = {}
    for number, op in enumerate(facts.ops):
        found[op.key] = found.get(op.key, 0) | 1 << number
    return list(found.values())


# --- one order for all


def sequential(facts: Facts) -> bool:
    return has_order(facts, facts.every, facts.so, facts.reads)


def sequential_per_key(facts: Facts) -> bool:
    return all(has_order(facts, on_key, facts.so, facts.reads) for on_key in keys(facts))


def linearizable(facts: Facts) -> bool:
    return has_order(facts, facts.every, union(facts.so, facts.rb), facts.reads)


# --- registers: each read by itself


def regular(facts: Facts) -> bool:
    """Each read has a legal order of the writes of its key and itself that keeps real time."""
    return all(_is_placed(facts, read) for read in members(facts.reads))


def safe(facts: Facts) -> bool:
    """The same for those reads that overlap no write of their key."""
    return all(_is_placed(facts, read) for read in members(facts.reads) if not _overlapped(facts, read))


def _is_placed(facts: Facts, read: int) -> bool:
    return has_order(facts, facts.others[read] | 1 << read, facts.rb, 1 << read)


def _overlapped(facts: Facts, read: int) -> bool:
    return any(not facts.rb[read] >> w & 1 and not facts.rb[w] >> read & 1 for w in members(facts.others[read]))
