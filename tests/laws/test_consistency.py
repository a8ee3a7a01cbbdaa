"""Judges of causality, sessions, views and staleness agree with the definitions, and what they show can be checked.

First the definitions themselves: what they take for granted, against true enumeration. Then the judges: on every history of
a few operations, and on random ones. Judges are those that the lattice names, so that a new one is held to this at once.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from importlib import import_module
from itertools import chain, islice, product
from random import Random
from typing import Any, Final, TypeAlias

import pytest

from upheld.checkers.verdict import Refuted, Undecided, Upheld, Verdict, describe, word
from upheld.histories.history import History
from upheld.specs.consistency import MODELS, refuting, spread

enumerated = import_module("definitions.enumerate")
executions = import_module("definitions.executions")
models = import_module("definitions.models")
small = import_module("definitions.small")
transactions = import_module("definitions.transactions")

LONG: Final = os.environ.get("UPHELD_LAWS") == "long"
SHARDS: Final = 32 if LONG else 1
RANDOM_HISTORIES: Final = 32_000 if LONG else 96
"""Against the definitions; a quarter as many for each of the laws whose histories are judged several times."""

shards = pytest.mark.parametrize("shard", range(SHARDS))
Small: TypeAlias = tuple[Any, ...]
Record = Callable[[str, object], None]
Decide = Callable[..., Mapping[str, Verdict]]


def judges() -> dict[str, tuple[Decide, list[str]]]:
    """Every judge that decides models which are defined here, with those."""
    found: dict[str, tuple[Decide, list[str]]] = {}
    for name in models.DEFINITIONS:
        module = MODELS[name].judge
        decide = module and getattr(import_module(f"upheld.checkers.{module}"), "decide", None)
        if decide:
            found.setdefault(module, (decide, []))[1].append(name)
    return found


JUDGES: Final = judges()
JUDGED: Final = [name for _, names in JUDGES.values() for name in names]
OUTSIDE: Final = ("nothing", "start", "anything")
ODD: Final = frozenset({"thin-air-read", "own-future-read"})
"""What no model allows that asks where a value came from."""
DECIDES: Final = {name: decide for decide, names in JUDGES.values() for name in names}


def verdicts_on(history: History) -> dict[str, Verdict]:
    return {name: verdict for decide, names in JUDGES.values() for name, verdict in decide(history, names).items()}


def words_on(history: History) -> dict[str, str]:
    return {name: word(verdict) for name, verdict in verdicts_on(history).items()}


class Broken:
    """What laws were broken, each with the smallest history that shows it."""

    def __init__(self) -> None:
        self.shown: dict[tuple[str, str], Small] = {}
        self.times: Counter[tuple[str, str]] = Counter()

    def note(self, name: str, what: str, ops: Small) -> None:
        self.times[name, what] += 1
        known = self.shown.setdefault((name, what), ops)
        if len(ops) < len(known):
            self.shown[name, what] = ops

    def expect(self, holds: object, name: str, what: str, ops: Small) -> None:
        if not holds:
            self.note(name, what, ops)

    def none(self) -> None:
        assert not self.shown, "\n\n".join(
            f"{name}: {what} ({self.times[name, what]} times)\n{small.told(ops)}"
            for (name, what), ops in sorted(self.shown.items())
        )


def part(histories: Iterable[Small], shard: int) -> Iterator[Small]:
    """The part of these that this shard looks at."""
    return islice(histories, shard, None, SHARDS)


def every(sizes: Iterable[int]) -> Iterator[Any]:
    return chain.from_iterable(map(enumerated.every_history, sizes))


# --- the definitions


def test_every_history_is_enumerated_once() -> None:
    for operations, count in enumerated.COUNTS.items():
        if operations < 5 or LONG:
            found = list(enumerated.every_history(operations))
            assert len(found) == len(set(found)) == count


def test_no_history_is_forgotten() -> None:
    """Against all deeds in all sessions, without a thought of symmetry."""
    deeds = [
        enumerated.Deed(*deed) for deed in product((False, True), (0, 1), (0, 1, 2)) if not (deed[0] and not deed[2])
    ]
    found = set()
    for chosen, owners in product(product(deeds, repeat=3), product(range(3), repeat=3)):
        written = [deed[1:] for deed in chosen if deed.is_write]
        read = {deed[1:] for deed in chosen if not deed.is_write and deed.value}
        if len(set(written)) == len(written) and read <= set(written):
            sessions = [tuple(deed for deed, owner in zip(chosen, owners, strict=True) if owner == s) for s in range(3)]
            found.add(enumerated.canonical(tuple(filter(None, sessions))))
    assert found == set(enumerated.every_history(3))


def test_partial_orders_are_all_there_are() -> None:
    """Labelled strict partial orders, sequence A001035 of the encyclopedia of integer sequences."""
    for size, count in enumerate((1, 1, 3, 19, 219, 4231)):
        found = list(small.partial_orders((0,) * size))
        assert len(found) == len(set(found)) == count
        assert all(small.closed(order) == order and small.is_acyclic(order) for order in found)


@shards
def test_what_definitions_leave_out_does_not_matter(shard: int, record_property: Record) -> None:
    """The least visibility, the least causal order and the absence of cycles decide as trying everything does."""
    count, broken = 0, Broken()
    for ops in part(_at_times(every(range(1, 6 if LONG else 4)), of_all=4 if LONG else 3), shard):
        count += 1
        for facts in small.settled(ops):
            for name, definition in models.BY_EVERYTHING.items():
                broken.expect(definition(facts) == models.DEFINITIONS[name](facts), name, "another verdict", ops)
    record_property("histories: definitions", count)
    broken.none()


def _at_times(histories: Iterable[Any], *, of_all: int) -> Iterator[Small]:
    """Each at some time; those of so many operations at all times."""
    for sessions in histories:
        if sum(map(len, sessions)) < of_all:
            yield from enumerated.at_every_time(sessions)
        else:
            yield enumerated.at_some_time(sessions)


# --- the judges


@shards
def test_judges_and_definitions_agree_on_every_small_history(shard: int, record_property: Record) -> None:
    """In the long run all of up to 5 operations, those of up to 4 at all times, those of up to 4 with pending writes."""
    count, broken = 0, Broken()
    for ops in part(_all_small(), shard):
        count += 1
        _agree(ops, small.history_of(ops), broken)
    record_property("histories: judges, every one", count)
    broken.none()


def _all_small() -> Iterator[Small]:
    largest = 4 if LONG else 2
    yield from _at_times(every(range(1, largest + 2)), of_all=largest + 1)
    for sessions in every(range(1, largest + 1)):
        yield from enumerated.with_pending(enumerated.at_some_time(sessions))


@shards
def test_judges_and_definitions_agree_on_random_histories(shard: int, record_property: Record) -> None:
    random, broken, words = Random(f"agree {shard}"), Broken(), Counter[tuple[str, str]]()
    for _ in range(RANDOM_HISTORIES // SHARDS):
        ops = enumerated.random_history(random)
        words.update((name, word(verdict)) for name, verdict in _agree(ops, small.history_of(ops), broken).items())
    record_property("histories: judges, random", RANDOM_HISTORIES // SHARDS)
    broken.none()
    for name in JUDGED:
        if not any(name.startswith(never) for never in NEVER_REFUTED):
            assert min(words[name, "upheld"], words[name, "refuted"]) > 0, f"{name}: {words}"


NEVER_REFUTED: Final = ("session.monotonic-writes", "register.t-visible")
"""What no history of single reads and writes refutes, and what holds for some bound where nothing else is wrong."""


def _agree(ops: Small, history: History, broken: Broken) -> dict[str, Verdict]:
    verdicts, truth = verdicts_on(history), models.allowed(ops, JUDGED)
    for name, verdict in verdicts.items():
        if isinstance(verdict, Undecided):
            broken.expect(verdict.is_vacuous and truth[name], name, f"undecided: {verdict.reason}", ops)
        elif isinstance(verdict, Upheld) != truth[name]:
            broken.note(name, f"is {word(verdict)}, and should not be", ops)
        elif name in models.BOUNDED and isinstance(verdict, Upheld):
            broken.expect(_is_least(name, ops, verdict), name, f"{dict(verdict.evidence)} is not the least bound", ops)
    try:
        spread({name: word(verdict) for name, verdict in verdicts.items() if not isinstance(verdict, Undecided)})  # type: ignore[misc]  # a comprehension of the two words
    except AssertionError as problem:
        broken.note("lattice", str(problem), ops)
    return verdicts


def _is_least(name: str, ops: Small, verdict: Upheld) -> bool:
    told, least, definition = models.BOUNDED[name]
    bound = verdict.evidence[told]
    choices = [facts for facts in small.settled(ops) if facts.is_explained]
    return any(definition(facts, bound) for facts in choices) and (
        bound == least or not any(definition(facts, bound - 1) for facts in choices)
    )


@shards
def test_what_verdicts_show_can_be_checked(shard: int, record_property: Record) -> None:
    """A witness is re-checked; a counter-example is refuted by itself, by definition too, and needs all of its operations."""
    random, broken = Random(f"evidence {shard}"), Broken()
    for _ in range(RANDOM_HISTORIES // SHARDS // 4):
        ops = enumerated.random_history(random)
        history = small.history_of(ops)
        for name, verdict in verdicts_on(history).items():
            if isinstance(verdict, Upheld):
                _recheck(name, verdict, history, ops, broken)
            elif isinstance(verdict, Refuted):
                _is_minimal(name, verdict, ops, broken)
    record_property("histories: evidence", RANDOM_HISTORIES // SHARDS // 4)
    broken.none()


def _recheck(name: str, verdict: Upheld, history: History, ops: Small, broken: Broken) -> None:
    try:
        verdict.witness.recheck(history)
    except Exception as problem:  # noqa: BLE001  # whatever it raises, the witness does not stand
        broken.note(name, f"the witness does not stand: {problem!r}", ops)


def _is_minimal(name: str, verdict: Refuted, ops: Small, broken: Broken) -> None:
    kind, smallest = verdict.anomaly.kind, verdict.anomaly.history
    if smallest is None:
        broken.note(name, "no counter-example of its own", ops)
        return
    broken.expect(kind in refuting(name) or kind in ODD, name, f"{kind} refutes no model that it implies", ops)
    broken.expect(
        not models.allowed(small.small_of(smallest), [name])[name], name, f"{kind}: counter-example holds", ops
    )
    broken.expect(_kind(name, smallest) == kind, name, f"{kind}: counter-example is of another kind", ops)
    for each in smallest.operations:
        broken.expect(_kind(name, smallest.without([each])) != kind, name, f"{kind}: not minimal", ops)


def _kind(name: str, history: History) -> str | None:
    verdict = DECIDES[name](history, [name])[name]
    return verdict.anomaly.kind if isinstance(verdict, Refuted) else None


@shards
def test_what_says_the_same_is_judged_the_same(shard: int, record_property: Record) -> None:
    """Names tell nothing; a pending write that nobody read tells nothing; judging one model or many is the same.

    In a safe register such a write does tell something: a read that overlaps any write may return anything.
    """
    random, broken = Random(f"same {shard}"), Broken()
    for _ in range(RANDOM_HISTORIES // SHARDS // 4):
        ops = enumerated.random_history(random)
        verdicts = verdicts_on(small.history_of(ops))
        words = {name: word(verdict) for name, verdict in verdicts.items()}
        for what, alike in (
            ("renamed", enumerated.renamed(random, ops)),
            ("with an unread write", enumerated.with_unread_write(random, ops)),
        ):
            others = words_on(small.history_of(alike))
            for name in JUDGED:
                if name != "register.safe" or what == "renamed":
                    broken.expect(others[name] == words[name], name, f"{what}: another verdict", alike)
        alone = random.choice(JUDGED)
        told = describe(DECIDES[alone](small.history_of(ops), [alone])[alone])
        broken.expect(told == describe(verdicts[alone]), alone, "alone: another verdict", ops)
    record_property("histories: the same", RANDOM_HISTORIES // SHARDS // 4)
    broken.none()


@shards
def test_what_is_not_known_refutes_nothing(shard: int, record_property: Record) -> None:
    """A part of a history: as if it were all, with keys that began with whatever suits the reads, and as an excerpt.

    As a part of all, values may come from nowhere. As an excerpt, it is upheld where the whole is.
    """
    random, broken = Random(f"outside {shard}"), Broken()
    for _ in range(RANDOM_HISTORIES // SHARDS // 4):
        whole = enumerated.random_history(random)
        upheld = {name for name, told in words_on(small.history_of(whole)).items() if told == "upheld"}
        ops = tuple(op for op in whole if random.random() < 0.8)
        history, begun = small.history_of(ops), models.begun_somehow(ops)
        for decide, names in JUDGES.values():
            as_all, of_start, as_excerpt = (decide(history, names, outside=known) for known in OUTSIDE)
            truth, truths = models.allowed(ops, names), [models.allowed(each, names) for each in begun]
            for name in names:
                broken.expect(isinstance(as_all[name], Refuted) != truth[name], name, "as all: another verdict", ops)
                is_allowed = any(each[name] for each in truths)
                broken.expect(isinstance(of_start[name], Refuted) != is_allowed, name, "start: another verdict", ops)
                if name in upheld:
                    broken.expect(not isinstance(as_excerpt[name], Refuted), name, "excerpt: refuted", ops)
    record_property("histories: something unknown", RANDOM_HISTORIES // SHARDS // 4)
    broken.none()


@shards
def test_judge_and_definition_agree_on_transactions(shard: int, record_property: Record) -> None:
    random, words, name = Random(f"transactions {shard}"), Counter[str](), "isolation.causal"
    decide = import_module(f"upheld.checkers.{MODELS[name].judge}").decide
    for _ in range(RANDOM_HISTORIES // SHARDS // 4):
        txns = transactions.random_transactions(random)
        history = transactions.history_of(txns)
        verdict = decide(history, [name])[name]
        words[word(verdict)] += 1
        expected = Upheld if transactions.is_causal(txns) else Refuted
        assert isinstance(verdict, expected), f"{expected.__name__} expected, {verdict}\n{transactions.told(txns)}"
        if isinstance(verdict, Upheld):
            verdict.witness.recheck(history)
    assert min(words["upheld"], words["refuted"]) * 10 >= words.total(), words
    record_property("histories: transactions", RANDOM_HISTORIES // SHARDS // 4)
