"""Traces of a few messages: written by hand, drawn at random, and judged by the definitions, slowly."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import combinations, product
from typing import Any, TypeAlias, cast

from hypothesis import strategies as st

from upheld.histories.trace import Note, Trace

NODES = ("n1", "n2", "n3")
KINDS = (("delivered", "shown", "shown", "crash"), ("delivered", "delivered", "shown"), ("shown",))
"""What happens besides posts, some of it more often than the rest."""

Clock: TypeAlias = Mapping[str, int]


def trace_of(text: str, *, nodes: tuple[str, ...] = NODES) -> Trace:
    """A trace by hand, a note to each line, one nanosecond apart.

    `n1 posted a {n1: 1} answers b`, `n2 delivered a`, `n2 shown a`, `n2 crash`, `n2 restart`.
    """
    lines = [line.split() for line in text.strip().splitlines()]
    return Trace((_note(at, *line) for at, line in enumerate(lines)), nodes=nodes)


def _note(at: int, node: str, kind: str, message: str = "", *rest: str) -> Note:
    if kind == "crash":
        return Note(at, node, kind, ("fault",))
    if kind != "posted":
        return Note(at, node, kind, (message,) if message else ())
    told = " ".join(rest)
    clock, _, answered = told.partition("answers")
    pairs = [pair.split(":") for pair in clock.strip(" {}").replace(",", " ").split()]
    return Note(
        at, node, kind, (message, tuple((name, int(count)) for name, count in pairs), answered.strip() or None, message)
    )


# --- at random


@st.composite
def traces(draw: st.DrawFn, *, clocks: bool = False) -> Trace:
    """Posts, deliveries, showings and crashes in any order that has each message posted first.

    With `clocks`, messages carry vector clocks that are right, right but for a few, or anything.
    """
    posted: list[str] = []
    notes: list[tuple[str, str, str]] = []
    posts_max, kinds = draw(st.integers(1, 5)), draw(st.sampled_from(KINDS))
    for _ in range(draw(st.integers(0, 16))):
        node = draw(st.sampled_from(NODES))
        may_post = ("posted", "posted") if len(posted) < posts_max else ()
        kind = draw(st.sampled_from((*may_post, *kinds) if posted else ("posted",)))
        message = f"m{len(posted)}" if kind == "posted" else draw(st.sampled_from(posted)) if kind != "crash" else ""
        posted += [message] if kind == "posted" else []
        notes.append((node, kind, message))
    told = draw(_clocks(notes)) if clocks else {}
    return Trace((_drawn(at, *note, told) for at, note in enumerate(notes)), nodes=NODES)


@st.composite
def showings(draw: st.DrawFn) -> Trace:
    """A few posts and deliveries, and then every node shows all messages in some order."""
    posted = [(draw(st.sampled_from(NODES)), "posted", f"m{number}") for number in range(draw(st.integers(1, 4)))]
    notes = []
    for post in posted:
        notes.append(post)
        notes += [(node, "delivered", post[2]) for node in draw(st.lists(st.sampled_from(NODES), max_size=1))]
    for node in NODES:
        notes += [(node, "shown", message) for _, _, message in draw(st.permutations(posted))]
    return Trace((_drawn(at, *note, {}) for at, note in enumerate(notes)), nodes=NODES)


def _drawn(at: int, node: str, kind: str, message: str, clocks: Mapping[str, Clock]) -> Note:
    match kind:
        case "posted":
            return Note(at, node, kind, (message, tuple(sorted(clocks.get(message, {}).items())), None, message))
        case "crash":
            return Note(at, node, kind, ("fault",))
    return Note(at, node, kind, (message,))


def _clocks(notes: list[tuple[str, str, str]]) -> st.SearchStrategy[dict[str, Clock]]:
    right = vector_clocks(notes)
    components = st.dictionaries(st.sampled_from(NODES), st.integers(0, 3))
    return st.one_of(
        st.just(right),
        st.just({message: _stretched(clock) for message, clock in right.items()}),
        st.fixed_dictionaries({message: st.one_of(st.just(clock), components) for message, clock in right.items()}),
        st.fixed_dictionaries(dict.fromkeys(right, components)),
    )


def _stretched(clock: Clock) -> Clock:
    return {node: 10**30 * count + 7 for node, count in clock.items()}


def vector_clocks(notes: list[tuple[str, str, str]]) -> dict[str, Clock]:
    """The textbook's clocks, counting messages."""
    at_node: dict[str, dict[str, int]] = {node: {} for node in NODES}
    carried: dict[str, Clock] = {}
    for node, kind, message in notes:
        mine = at_node[node]
        if kind == "posted":
            mine[node] = mine.get(node, 0) + 1
            carried[message] = dict(mine)
        elif kind == "delivered":
            for name, count in carried[message].items():
                mine[name] = max(count, mine.get(name, 0))
    return carried


# --- by definition


def happened_before(trace: Trace) -> set[tuple[str, str]]:
    """Pairs of messages: the transitive closure over all posts and deliveries, by trying every way."""
    events = [(at, note) for at, note in enumerate(trace) if note.kind in {"posted", "delivered"}]
    later = {
        (one, two)
        for (one, first), (two, second) in combinations(events, 2)
        if first.node == second.node
        or (first.kind == "posted" and second.kind == "delivered" and first.facts[0] == second.facts[0])
    }
    places = [at for at, _ in events]
    for middle, one, two in product(places, repeat=3):
        if (one, middle) in later and (middle, two) in later:
            later.add((one, two))
    posts = {at: str(note.facts[0]) for at, note in events if note.kind == "posted"}
    return {(posts[one], posts[two]) for one, two in later if one in posts and two in posts}


def is_causally_delivered(trace: Trace) -> bool:
    """Whether every message was shown after all that happened before it, or after its node had it and crashed."""
    before = happened_before(trace)
    return all(
        _was_had(trace[:at], note.node, earlier)
        for at, note in enumerate(trace)
        if note.kind == "shown"
        for earlier, later in before
        if later == note.facts[0]
    )


def _was_had(past: Trace, node: str, message: str) -> bool:
    mine = [note for note in past if note.node == node]
    crashes = [at for at, note in enumerate(mine) if note.kind == "crash"]
    had = [at for at, note in enumerate(mine) if note.kind in {"posted", "delivered"} and note.facts[0] == message]
    shown = any(note.kind == "shown" and note.facts[0] == message for note in mine)
    return shown or any(one < two for one, two in product(had, crashes))


def meets_the_clock_condition(trace: Trace) -> bool:
    """Whether of every two messages one happened before the other exactly when its clock is less."""
    before = happened_before(trace)
    clocks: dict[str, Clock] = {
        str(note.facts[0]): dict(cast("Any", note.facts[1])) for note in trace.of_kind("posted")
    }
    return all(
        is_less(clocks[one], clocks[two]) == ((one, two) in before)
        for one, two in product(clocks, repeat=2)
        if one != two
    )


def is_less(one: Clock, two: Clock) -> bool:
    """Less in the order of vectors."""
    names = sorted({*one, *two})
    mine, theirs = [one.get(name, 0) for name in names], [two.get(name, 0) for name in names]
    return mine != theirs and all(a <= b for a, b in zip(mine, theirs, strict=True))


def is_in_one_order(trace: Trace) -> bool:
    """Whether no two nodes show two concurrent messages in different orders."""
    before = happened_before(trace)
    orders = [
        list(dict.fromkeys(str(note.facts[0]) for note in trace if note.node == node and note.kind == "shown"))
        for node in NODES
    ]
    return not any(
        here.index(one) < here.index(two) and there.index(two) < there.index(one)
        for here, there in product(orders, repeat=2)
        for one, two in product(here, repeat=2)
        if one in there and two in there and one != two and (one, two) not in before and (two, one) not in before
    )
