"""Session guarantees as they are defined, with sets: the least visibility, and whether arbitration has a cycle. Slow."""

from __future__ import annotations

import random
from collections.abc import Iterable
from dataclasses import replace
from itertools import product

from upheld.checkers.reads_from import INITIAL, ReadsFrom
from upheld.checkers.sessions.guarantees import Guarantees, Scope
from upheld.histories.history import History
from upheld.histories.notation import parse

Pairs = set[tuple[int, int]]


def allows(traced: ReadsFrom, wanted: Guarantees, scope: Scope = "global") -> bool:
    """Whether the guarantees hold: no read of the initial value sees a write, and what orders writes has no cycle."""
    writes, reads = traced.writes.tolist(), traced.reads.tolist()
    writers, readers = {writer for writer, _ in writes}, {reader for reader, _, _ in reads}
    rows = range(len(traced))
    so = {(a, b) for a in rows for b in rows if traced.session[a] == traced.session[b]}
    so = {(a, b) for a, b in so if traced.is_definite[a] and traced.position[a] < traced.position[b]}
    sees: Pairs = {(source, reader) for reader, _, source in reads if source != INITIAL}
    while True:
        more: Pairs = set()
        if wanted.own:
            more |= {(a, b) for a, b in so if a in writers and b in readers}
        if wanted.carry:
            more |= {(w, b) for w, a in sees for c, b in so if c == a and b in readers}
        if wanted.together:
            more |= {(a, r) for w, r in sees for a, b in so if b == w and a in writers}
        if wanted.joined:
            more |= {(v, r) for w, r in sees for a, b in so if b == w for v, c in sees if c == a}
        if more <= sees:
            break
        sees |= more
    order: Pairs = {(a, b) for a, b in so if a in writers and b in writers and wanted.ordered}
    order |= {(w, b) for w, a in sees for c, b in so if c == a and b in writers and wanted.following}
    for session in {*traced.session.tolist()} if scope == "local" else {None}:
        needed = set(order)
        for reader, key, source in reads:
            if session is not None and traced.session[reader] != session:
                continue
            over = {w for w, x in writes if x == key and (w, reader) in sees and w not in (source, reader)}
            if source == INITIAL and over:
                return False
            needed |= {(w, source) for w in over}
        if has_cycle(needed, writers):
            return False
    return True


def holds_for_all_readings(traced: ReadsFrom, wanted: Guarantees) -> bool:
    """Whether the guarantees hold whatever each read had returned: a write of its key, or what was there at first."""
    writes = traced.writes.tolist()
    choices = [
        [INITIAL, *(writer for writer, written in writes if written == key and writer != reader)]
        for reader, key, _ in traced.reads.tolist()
    ]
    for sources in product(*choices):
        reads = traced.reads.copy()
        reads[:, 2] = sources
        if not allows(replace(traced, reads=reads), wanted):
            return False
    return True


def has_cycle(pairs: Pairs, nodes: Iterable[int]) -> bool:
    """Whether the pairs, as edges, have a cycle: what is left when everything that nothing precedes is taken away."""
    left = set(nodes)
    while left:
        first = {node for node in left if not any(b == node and a in left for a, b in pairs)}
        if not first:
            return True
        left -= first
    return False


def a_history(seed: int, *, transactions: bool = False, cas: bool = False, most: int = 9) -> History:
    """Reads and writes of two to four sessions; one in five writes is never completed."""
    dice = random.Random(seed)
    sessions, keys = dice.randint(2, 4), "xyz"[: dice.randint(2, 3)]
    written: dict[str, list[int]] = {key: [] for key in keys}
    plan: list[tuple[int, list[list[object]]]] = []
    value = 0
    for _ in range(dice.randint(4, most)):
        size = dice.randint(1, 3) if transactions else 1
        steps: list[list[object]] = []
        for key in dice.sample(keys, min(size, len(keys))):
            if dice.random() < 0.45:
                value += 1
                written[key].append(value)
                steps.append(["w", key, value])
            else:
                steps.append(["r", key, None])
            if cas and steps[-1][0] == "r" and dice.random() < 0.3:
                value += 1
                written[key].append(value)
                steps.append(["w", key, value])
        plan.append((dice.randrange(sessions), steps))
    return parse("".join(_told(number, session, steps, written, dice) for number, (session, steps) in enumerate(plan)))


def _told(
    number: int, session: int, steps: list[list[object]], written: dict[str, list[int]], dice: random.Random
) -> str:
    own = {step[1]: step[2] for step in steps if step[0] == "w"}
    for step in steps:
        if step[0] == "r":
            choices = [value for value in written[str(step[1])] if value != own.get(step[1])]
            step[2] = dice.choice([None, *choices, *choices, *choices])
    is_pending = all(step[0] == "w" for step in steps) and dice.random() < 0.2
    text = str(steps).replace("'", '"').replace("None", "null")
    end = "" if is_pending else f"{number} ok txn {text} session={session}\n"
    return f"{number} invoke txn {text} session={session}\n{end}"
