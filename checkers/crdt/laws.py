"""The laws of merges and of concurrent updates, tried on states that replicas were recorded in.

A law that fails on recorded states refutes; one that holds on all that were tried is upheld for these, and the evidence
says how many of how many combinations that were. Where there are more than `tries_max`, they are sampled at equal steps,
the same ones every time. What is found is shrunk: no part of it can be replaced by a smaller recorded state.

Merges are given copies, so that one that changes its arguments cannot hide what it does.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from copy import deepcopy
from itertools import product
from math import gcd
from operator import eq
from typing import Any, Final, NamedTuple, TypeAlias, TypeVar

from ..verdict import Anomaly, Refuted, Undecided, Upheld, Verdict

S = TypeVar("S")
U = TypeVar("U")
Merge: TypeAlias = Callable[[S, S], S]
Equal: TypeAlias = Callable[[S, S], bool]

TRIES_MAX: Final = 10_000


class _Law(NamedTuple):
    """A law of so many states: two sides that have to be equal."""

    name: str
    says: str
    arity: int
    sides: Callable[..., tuple[Any, Any]]


def merge_is_a_join(
    states: Sequence[S], merge: Merge[S], *, equal: Equal[S] = eq, tries_max: int = TRIES_MAX
) -> Verdict:
    """Whether a merge is idempotent, commutative, associative and inflationary on these states.

    `a` is at most `b` when merging them gives `b`; inflationary means that a merge is at least either of its arguments.
    At most `tries_max` combinations for each law, each of up to four merges.
    """

    def join(one: S, other: S) -> S:
        return merge(deepcopy(one), deepcopy(other))

    laws = (
        _Law("idempotent", "merge(a, a) = a", 1, lambda a: (join(a, a), a)),
        _Law("commutative", "merge(a, b) = merge(b, a)", 2, lambda a, b: (join(a, b), join(b, a))),
        _Law("inflationary", "merge(a, merge(a, b)) = merge(a, b)", 2, lambda a, b: (join(a, join(a, b)), join(a, b))),
        _Law(
            "associative",
            "merge(merge(a, b), c) = merge(a, merge(b, c))",
            3,
            lambda a, b, c: (join(join(a, b), c), join(a, join(b, c))),
        ),
    )
    return _try("merge-is-a-join", laws, _by_size(states), equal, tries_max)


def updates_inflate(
    changes: Sequence[tuple[S, S]], merge: Merge[S], *, equal: Equal[S] = eq, tries_max: int = TRIES_MAX
) -> Verdict:
    """Whether every update takes a replica to a larger state: merging the state before into that after changes nothing.

    Args:
        changes: the state before an update and the one after it, as recorded.
        merge: of the data type.
        equal: when two states are the same.
        tries_max: how many changes are tried.
    """

    def sides(change: tuple[S, S]) -> tuple[S, S]:
        before, after = deepcopy(change)
        return merge(before, after), change[1]

    law = _Law("inflationary update", "merge(before, after) = after", 1, sides)
    return _try("updates-inflate", (law,), _by_size(changes), equal, tries_max)


def concurrent_steps_commute(
    states: Sequence[S],
    pairs: Sequence[tuple[U, U]],
    apply: Callable[[S, U], S],
    *,
    equal: Equal[S] = eq,
    tries_max: int = TRIES_MAX,
) -> Verdict:
    """Whether concurrent updates may be applied in either order (Shapiro et al. 2011, 2.3), on each of these states.

    Args:
        states: in which replicas were recorded; both updates have to be possible there.
        pairs: of concurrent updates, such as those of `Execution.concurrent_pairs`.
        apply: the state after an update; its first argument is a copy.
        equal: when two states are the same.
        tries_max: how many combinations are tried.
    """

    def sides(state: S, pair: tuple[U, U]) -> tuple[S, S]:
        one, other = pair
        return apply(apply(deepcopy(state), one), other), apply(apply(deepcopy(state), other), one)

    law = _Law("commuting updates", "first a, then b = first b, then a", 2, sides)
    ordered = _by_size(states)
    return _judge("concurrent-steps-commute", [(law, [ordered, _by_size(pairs)])], equal, tries_max)


def _by_size(states: Sequence[S]) -> list[S]:
    """Small ones first, so that what is found first is small, too."""
    return sorted(states, key=lambda state: len(repr(state)))


def _try(
    checker: str, laws: Sequence[_Law], states: Sequence[Any], equal: Callable[[Any, Any], bool], tries_max: int
) -> Verdict:
    return _judge(checker, [(law, [states] * law.arity) for law in laws], equal, tries_max)


def _judge(
    checker: str,
    laws: Sequence[tuple[_Law, Sequence[Sequence[Any]]]],
    equal: Callable[[Any, Any], bool],
    tries_max: int,
) -> Verdict:
    tried = {}
    for law, domains in laws:
        count = 0
        for chosen in _chosen([len(domain) for domain in domains], tries_max):
            count += 1
            if not _holds(law, domains, chosen, equal):
                smallest = _shrink(law, domains, chosen, equal)
                return Refuted(_broken(law, domains, smallest), checker=checker, method="tried on recorded states")
        tried[law.name] = f"{count} of {_size(domains)}"
    if not all(_size(domains) for _, domains in laws):
        return Undecided("there are no recorded states to try it on", is_vacuous=True, checker=checker)
    return Upheld(checker=checker, method="tried on recorded states", evidence={"tried": tried})


def _size(domains: Sequence[Sequence[Any]]) -> int:
    size = 1
    for domain in domains:
        size *= len(domain)
    return size


def _chosen(sizes: Sequence[int], tries_max: int) -> Iterator[tuple[int, ...]]:
    """Places in the domains: all combinations, or, when they are too many, some at equal steps through all of them."""
    total = 1
    for size in sizes:
        total *= size
    if total <= tries_max:
        yield from product(*map(range, sizes))
        return
    step = next(each for each in range(max(1, total * 618 // 1000), total + 2) if gcd(each, total) == 1)
    for number in range(tries_max):
        rest, places = number * step % total, []
        for size in reversed(sizes):
            rest, place = divmod(rest, size)
            places.append(place)
        yield tuple(reversed(places))


def _holds(
    law: _Law, domains: Sequence[Sequence[Any]], chosen: tuple[int, ...], equal: Callable[[Any, Any], bool]
) -> bool:
    left, right = law.sides(*(domain[place] for domain, place in zip(domains, chosen, strict=True)))
    return equal(left, right)


def _shrink(
    law: _Law, domains: Sequence[Sequence[Any]], chosen: tuple[int, ...], equal: Callable[[Any, Any], bool]
) -> tuple[int, ...]:
    """Replace parts by smaller ones as long as the law still fails."""
    at = 0
    while at < len(chosen):
        for place in range(chosen[at]):
            smaller = (*chosen[:at], place, *chosen[at + 1 :])
            if not _holds(law, domains, smaller, equal):
                chosen, at = smaller, -1
                break
        at += 1
    return chosen


def _broken(law: _Law, domains: Sequence[Sequence[Any]], chosen: tuple[int, ...]) -> Anomaly:
    parts = [domain[place] for domain, place in zip(domains, chosen, strict=True)]
    left, right = law.sides(*parts)
    names = ("a", "b", "c")
    told = [f"{name} = {_told(part)}" for name, part in zip(names, parts, strict=False)]
    return Anomaly(
        kind=f"not-{law.name.replace(' ', '-')}",
        story=(
            f"{law.name}: {law.says}",
            *told,
            f"On the left comes {_told(left)}",
            f"On the right comes {_told(right)}",
        ),
    )


def _told(state: Any) -> str:
    """A state as stories quote it: its repr, but for sets, whose repr differs from one process to the next."""
    match state:
        case set() | frozenset():
            return "{" + ", ".join(sorted(map(_told, state))) + "}"
        case dict():
            return "{" + ", ".join(f"{_told(key)}: {_told(value)}" for key, value in state.items()) + "}"
        case tuple() if type(state) is tuple:
            return "(" + ", ".join(map(_told, state)) + ")"
    return repr(state)
