"""Causal consistency of transactions: Biswas and Enea, "On the Complexity of Checking Transactional Consistency", 2019.

Some total order of the transactions contains the order of sessions and who read from whom, and where t3 reads a key from
t1, and t2 writes that key and is a cause of t3, t2 comes before t1. The initial values are those of a transaction that
comes before all others. That follows section 2.2 there, definition CC, with every total order tried.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import combinations
from random import Random
from typing import Final, NamedTuple

from upheld.histories.history import History
from upheld.histories.notation import parse
from upheld.histories.values import to_json

from .small import INITIAL, KEYS, closed, is_acyclic, members, total_orders, union

START: Final = INITIAL


class Txn(NamedTuple):
    """A transaction: what it read, then what it wrote, each as (key, value); 0 is the initial value."""

    session: int
    reads: tuple[tuple[int, int], ...]
    writes: tuple[tuple[int, int], ...]
    is_pending: bool = False


def told(txns: Sequence[Txn]) -> str:
    """The history in the notation of the product, one transaction after the other."""
    lines = []
    for number, txn in enumerate(txns):
        process = txn.session + 10 * sum(each.is_pending and each.session == txn.session for each in txns[:number])
        asked = [["r", KEYS[key], None] for key, _ in txn.reads] + [
            ["w", KEYS[key], value] for key, value in txn.writes
        ]
        got = [["r", KEYS[key], value or None] for key, value in txn.reads] + asked[len(txn.reads) :]
        lines.append(f"{process} invoke txn {to_json(asked)} session={txn.session}\n")
        if not txn.is_pending:
            lines.append(f"{process} ok txn {to_json(got)} session={txn.session}\n")
    return "".join(lines)


def history_of(txns: Sequence[Txn]) -> History:
    """The history that judges are given."""
    return parse(told(txns))


def is_causal(txns: Sequence[Txn]) -> bool:
    """Whether the history is causally consistent for some choice of the pending transactions that happened."""
    pending = [number for number, txn in enumerate(txns) if txn.is_pending]
    return any(
        _is_causal([txn for number, txn in enumerate(txns) if number not in never])
        for count in range(len(pending) + 1)
        for never in combinations(pending, count)
    )


def _is_causal(txns: Sequence[Txn]) -> bool:
    """The same, when all happened; what a pending one read is not known, and it comes before nothing in its session."""
    writer = {written: number for number, txn in enumerate(txns) for written in txn.writes}
    reads = [
        (number, key, START if value == 0 else writer.get((key, value)))
        for number, txn in enumerate(txns)
        for key, value in txn.reads
        if not txn.is_pending
    ]
    if any(source is None for _, _, source in reads):
        return False
    so, wr = [0] * len(txns), [0] * len(txns)
    for number, txn in enumerate(txns):
        for earlier, other in enumerate(txns[:number]):
            so[number] |= (other.session == txn.session and not other.is_pending) << earlier
    for reader, _, source in reads:
        if source is not None and source != START:
            wr[reader] |= 1 << source
    causes = closed(union(so, wr))
    if not is_acyclic(causes):
        return False
    return any(_is_allowed(order, txns, causes, reads) for order in total_orders(causes))


def _is_allowed(
    order: tuple[int, ...],
    txns: Sequence[Txn],
    causes: Sequence[int],
    reads: Sequence[tuple[int, int, int | None]],
) -> bool:
    place = {number: at for at, number in enumerate(order)} | {START: -1}
    return all(
        place[other] < place[source if source is not None else START]
        for reader, key, source in reads
        for other in members(causes[reader])
        if other != source and any(written == key for written, _ in txns[other].writes)
    )


def random_transactions(random: Random) -> tuple[Txn, ...]:
    """Up to 3 sessions, 3 keys and 6 transactions; what is read was mostly written before."""
    sessions, count, pending = random.randint(2, 3), random.randint(2, 6), random.choice((0.0, 0.3))
    written: dict[int, int] = {}
    shapes = []
    for _ in range(count):
        read = tuple(random.sample(range(3), random.choice((0, 1, 2, 2))))
        wrote = tuple(random.sample(range(3), random.choice((0, 1, 1, 2)) if read else random.choice((1, 2))))
        shapes.append((random.randrange(sessions), read, wrote, random.random() < pending))
    return tuple(_filled(random, shapes, written))


def _filled(
    random: Random, shapes: list[tuple[int, tuple[int, ...], tuple[int, ...], bool]], written: dict[int, int]
) -> Iterator[Txn]:
    total = {key: sum(key in wrote for _, _, wrote, _ in shapes) for key in range(3)}
    for session, read, wrote, is_pending in shapes:
        ever = random.random() < 0.1
        reads = tuple((key, random.randint(0, total[key] if ever else written.get(key, 0))) for key in read)
        for key in wrote:
            written[key] = written.get(key, 0) + 1
        yield Txn(session, reads, tuple((key, written[key]) for key in wrote), is_pending)
