"""Models with one order for each session: the figures of the literature, pending operations, and every order tried."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from random import Random
from typing import TypeAlias

import networkx as nx
import pytest

from upheld.checkers.causality import decision, order, views
from upheld.checkers.causality.views_witness import Views
from upheld.checkers.causality.witness import NoWitness
from upheld.checkers.verdict import Refuted, Undecided, Upheld, word
from upheld.histories.history import History
from upheld.histories.notation import parse

SLOW, PRAM, MEMORY, CONVERGENCE = "fifo.slow", "fifo.pram", "causal.memory", "causal.convergence"
IDS = (SLOW, PRAM, MEMORY)

Deed: TypeAlias = tuple[bool, str, int]
"""A write (True) or a read of a key, and the value; 0 is the initial one."""
Sessions: TypeAlias = Sequence[Sequence[Deed]]
Place: TypeAlias = tuple[int, int]
"""The session of a deed, and its place there."""


def sessions(*told: str) -> list[list[Deed]]:
    """Sessions by hand: `wx1 ry0` writes 1 to x, then reads the initial value of y."""
    return [[(deed[0] == "w", deed[1], int(deed[2:])) for deed in each.split()] for each in told]


def history_of(told: Sessions) -> History:
    lines = []
    for session, deeds in enumerate(told):
        for is_write, key, value in deeds:
            name = f"{session} invoke {'write' if is_write else 'read'} {key}:"
            answer = "" if is_write else str(value or "null")
            lines.append(f"{name} {value if is_write else ''}\n{name.replace('invoke', 'ok')} {answer}\n")
    return parse("".join(lines))


def words(told: Sessions) -> dict[str, str]:
    """The verdicts on a history, of which each is checked by its witness or its history."""
    history = history_of(told)
    verdicts = views.decide(history, IDS)
    for name, verdict in verdicts.items():
        match verdict:
            case Upheld(witness=Views() as witness):
                witness.recheck(history)
            case Refuted(anomaly=anomaly):
                assert anomaly.history is not None
                again = views.decide(anomaly.history, [name])[name]
                assert isinstance(again, Refuted)
                assert again.anomaly.kind == anomaly.kind
            case _:
                pytest.fail(f"{name}: {verdict}")
    return {name: word(verdict) for name, verdict in verdicts.items()}


# --- figure 3 of Bouajjani, Enea, Guerraoui and Hamza, On Verifying Causal Consistency, 2017

FIGURES = {
    "a: causal memory, no convergence": (("wx1 rx2", "wx2 rx1"), "upheld", "refuted"),
    "b: convergence, no causal memory": (("wz1 wx1 wy1", "wx2 rz0 ry1 rx2"), "refuted", "upheld"),
    "c: weak causal consistency only": (("wx1", "wx2 rx1 rx2"), "refuted", "refuted"),
    "d: all, and not sequential": (("wx1 ry0 wy1 rx1", "wx2 ry0 wy2 rx2"), "upheld", "upheld"),
    "e: none": (("wx1 wy1", "ry1 wx2", "rx2 rx1"), "refuted", "refuted"),
}


@pytest.mark.parametrize(("told", "memory", "convergence"), FIGURES.values(), ids=FIGURES)
def test_the_figures_have_their_verdicts(told: tuple[str, ...], memory: str, convergence: str) -> None:
    figure = sessions(*told)
    verdicts = words(figure) | {
        name: word(verdict) for name, verdict in decision.decide(history_of(figure), [CONVERGENCE]).items()
    }
    assert (verdicts[MEMORY], verdicts[CONVERGENCE]) == (memory, convergence)


# --- what tells the models apart

APART = {
    "causes across sessions do not matter to PRAM": (("wx1", "rx1 wy1", "ry1 rx0"), "upheld", "upheld", "refuted"),
    "what others read does not matter to PRAM, even if it is its own cause": (
        ("rx1 wy1", "ry1 wx1"),
        "upheld",
        "upheld",
        "refuted",
    ),
    "order across keys does not matter to slow memory": (("wx1 wy1", "ry1 rx0"), "upheld", "refuted", "refuted"),
    "a session that goes back on one key has no order": (
        ("wx1", "wx2", "rx1 rx2 rx1"),
        "refuted",
        "refuted",
        "refuted",
    ),
    "two sessions may disagree about two writes": (("wx1", "wx2", "rx1 rx2", "rx2 rx1"), "upheld", "upheld", "upheld"),
    "nobody reads what nobody wrote": (("wx1", "rx2"), "refuted", "refuted", "refuted"),
    "nobody reads what it will write": (("rx1 wx1",), "refuted", "refuted", "refuted"),
    "nothing happened": ((), "upheld", "upheld", "upheld"),
}


@pytest.mark.parametrize(("told", "slow", "pram", "memory"), APART.values(), ids=APART)
def test_each_model_asks_for_its_own_order(told: tuple[str, ...], slow: str, pram: str, memory: str) -> None:
    assert words(sessions(*told)) == {SLOW: slow, PRAM: pram, MEMORY: memory}


# --- how it is told


def test_a_cycle_is_told_by_the_reads_that_imply_it() -> None:
    verdict = views.decide(history_of(sessions("wx1", "wx2 rx1 rx2")), [PRAM])[PRAM]
    assert isinstance(verdict, Refuted)
    assert verdict.anomaly.kind == "cyclic-view"
    because = (
        "Session 1 must take {} before {}, because its read {} returned the value of key {} that {} wrote, "
        "and {} comes before {}"
    )
    assert verdict.anomaly.story == (
        '#0 is process 0: write("x", 1)',
        '#2 is process 1: write("x", 2)',
        '#4 is process 1: read("x") -> 1',
        '#6 is process 1: read("x") -> 2',
        '#4 read the value of key "x" that #0 wrote',
        "#6 comes after #4 in session 1",
        "#4 comes after #2 in session 1",
        because.format("#2", "#0", "#4", '"x"', "#0", "#2", "#4"),
        because.format("#0", "#2", "#6", '"x"', "#2", "#0", "#6"),
        "So no order suits session 1: #2 before #0, #0 before #2",
    )
    assert verdict.anomaly.graph is not None
    assert any(set(cycle) == {0, 2} for cycle in nx.simple_cycles(verdict.anomaly.graph))


def test_a_read_of_the_initial_value_is_told_by_the_write_before_it() -> None:
    verdict = views.decide(history_of(sessions("wz1 wx1 wy1", "wx2 rz0 ry1 rx2")), [MEMORY])[MEMORY]
    assert isinstance(verdict, Refuted)
    assert verdict.anomaly.kind == "view-initial-read"
    assert verdict.anomaly.story[-1] == (
        'But #8 read what was there at first of key "z", before any write, #0 among them'
    )
    assert verdict.anomaly.graph is not None
    assert not nx.is_directed_acyclic_graph(verdict.anomaly.graph)
    assert all(told["reason"] for _, _, told in verdict.anomaly.graph.edges(data=True))


def test_the_history_of_an_anomaly_holds_what_shows_it_and_no_more() -> None:
    noise = [[(True, "v", value), (False, "v", value)] for value in range(10, 30)]
    history = history_of([*sessions("wx1", "wx2 rx1 rx2"), *noise])
    for name in IDS:
        verdict = views.decide(history, [name])[name]
        assert isinstance(verdict, Refuted)
        assert verdict.anomaly.history is not None
        assert [each.invocation for each in verdict.anomaly.history.operations] == [0, 2, 4, 6]


# --- witnesses


def test_an_order_that_is_not_one_is_no_witness() -> None:
    history = history_of(sessions("wx1", "wx2 rx2 rx1"))
    for name in IDS:
        verdict = views.decide(history, [name])[name]
        assert isinstance(verdict, Upheld)
        forgetful = replace(verdict.witness, views=tuple(replace(view, pairs=()) for view in verdict.witness.views))
        twisted = replace(
            verdict.witness,
            views=tuple(
                replace(view, pairs=tuple((after, before) for before, after in view.pairs))
                for view in verdict.witness.views
            ),
        )
        verdict.witness.recheck(history)
        with pytest.raises(NoWitness):
            twisted.recheck(history)
        with pytest.raises(NoWitness):
            replace(forgetful, views=()).recheck(history)


def test_the_order_of_a_session_holds_all_writes_and_its_own_reads() -> None:
    history = history_of(sessions("wx1 wy1", "rx1 rx1", "ry0"))
    verdict = views.decide(history, [PRAM])[PRAM]
    assert isinstance(verdict, Upheld)
    assert [sorted(order) for order in verdict.witness.orders(history)] == [[0, 1, 2, 3], [0, 1, 4]]


# --- pending operations

UNSEEN = "0 invoke write x: 1\n1 invoke read x:\n1 ok read x: null\n"
LATE = (
    "0 invoke write x: 1 session=0\n"
    "1 invoke read x: session=0\n1 ok read x: null session=0\n"
    "1 invoke read x: session=0\n1 ok read x: 1 session=0\n"
)
AFTER = "0 invoke write y: 1 session=0\n0 ok write y: session=0\n" + LATE
SEEN_TOO_EARLY = AFTER + "2 invoke read x:\n2 ok read x: 1\n2 invoke read y:\n2 ok read y: null\n"


@pytest.mark.parametrize(
    "text", [UNSEEN, LATE, AFTER], ids=["nobody saw it", "later than its session went on", "after"]
)
def test_a_pending_write_may_take_effect_late_or_never(text: str) -> None:
    history = parse(text)
    for verdict in views.decide(history, IDS).values():
        assert isinstance(verdict, Upheld)
        verdict.witness.recheck(history)


def test_a_pending_write_comes_after_what_its_session_had_done() -> None:
    verdicts = {name: word(verdict) for name, verdict in views.decide(parse(SEEN_TOO_EARLY), IDS).items()}
    assert verdicts == {SLOW: "upheld", PRAM: "refuted", MEMORY: "refuted"}


def test_a_pending_cas_that_took_effect_has_read_what_it_replaced() -> None:
    begun = "0 invoke write x: 1 session=0\n0 ok write x: session=0\n"
    over = "0 invoke write x: 2 session=0\n0 ok write x: session=0\n"
    pending, seen = "0 invoke cas x: [1,3] session=0\n", "1 invoke read x:\n1 ok read x: 3\n"
    for text, expected in ((begun + pending + seen, "upheld"), (begun + over + pending + seen, "refuted")):
        assert {word(verdict) for verdict in views.decide(parse(text), IDS).values()} == {expected}


# --- transactions, and what does not apply


def test_a_transaction_happens_at_once() -> None:
    text = (
        '0 invoke txn [["w","x",1],["w","y",1]]\n0 ok txn [["w","x",1],["w","y",1]]\n'
        '1 invoke txn [["r","x",null],["r","y",null]]\n1 ok txn [["r","x",1],["r","y",null]]\n'
    )
    verdicts = {name: word(verdict) for name, verdict in views.decide(parse(text), IDS).items()}
    assert verdicts == {SLOW: "upheld", PRAM: "refuted", MEMORY: "refuted"}


def test_a_value_that_two_wrote_leaves_it_undecided_and_is_named() -> None:
    history = history_of(sessions("wx1", "wx1", "rx1"))
    for verdict in views.decide(history, IDS).values():
        assert isinstance(verdict, Undecided)
        assert verdict.reason.startswith("not applicable: ")
        assert 'process 0: write("x", 1)' in verdict.reason


# --- against the definitions


def _places(told: Sessions) -> list[Place]:
    return [(session, at) for session, deeds in enumerate(told) for at in range(len(deeds))]


def _has_order(told: Sessions, held: Sequence[Place], before: set[tuple[Place, Place]], checked: set[Place]) -> bool:
    """Whether some order of what is held keeps `before`, with each checked read returning the last value written."""

    def go_on(left: frozenset[Place], latest: Mapping[str, int]) -> bool:
        return not left or any(
            go_on(left - {place}, {**latest, key: value} if is_write else latest)
            for place in sorted(left)
            for is_write, key, value in [told[place[0]][place[1]]]
            if not any((other, place) in before for other in left)
            and (is_write or place not in checked or latest.get(key, 0) == value)
        )

    return go_on(frozenset(held), {})


def _session_order(told: Sessions) -> set[tuple[Place, Place]]:
    places = _places(told)
    return {(one, two) for one in places for two in places if one[0] == two[0] and one[1] < two[1]}


def is_pram(told: Sessions, key: str | None = None) -> bool:
    places = [place for place in _places(told) if key is None or told[place[0]][place[1]][1] == key]
    writes = [place for place in places if told[place[0]][place[1]][0]]
    return all(
        _has_order(told, sorted({*writes, *own}), _session_order(told), own)
        for session in range(len(told))
        if (own := {place for place in places if place[0] == session})
    )


def is_causal_memory(told: Sessions) -> bool:
    places, causes = _places(told), _session_order(told)
    writer = {told[one][at][1:]: (one, at) for one, at in places if told[one][at][0]}
    for place in places:
        is_write, key, value = told[place[0]][place[1]]
        if not is_write and value:
            causes.add((writer[key, value], place))
    for middle in places:
        causes |= {(one, two) for one in places for two in places if {(one, middle), (middle, two)} <= causes}
    return not any((place, place) in causes for place in places) and all(
        _has_order(
            told,
            [each for each in places if each == last or (each, last) in causes],
            causes,
            {place for place in places if place[0] == last[0]},
        )
        for session, deeds in enumerate(told)
        if deeds
        for last in [(session, len(deeds) - 1)]
    )


def random_sessions(random: Random) -> list[list[Deed]]:
    """At most six deeds of three sessions on three keys; reads return something that is written, or nothing."""
    told: list[list[Deed]] = [[], [], []]
    kinds = [random.random() < 0.5 for _ in range(6)]
    keys = [random.choice("xyz"[: random.randint(1, 3)]) for _ in kinds]
    written = [(key, number) for number, (is_write, key) in enumerate(zip(kinds, keys, strict=True), 1) if is_write]
    for number, (is_write, key) in enumerate(zip(kinds, keys, strict=True), 1):
        values = [0, *(value for each, value in written if each == key)]
        told[random.randrange(3)].append((is_write, key, number if is_write else random.choice(values)))
    return told


def some_sessions() -> Iterator[list[list[Deed]]]:
    random = Random(5)
    for _ in range(150):
        yield random_sessions(random)


def test_they_agree_with_every_order_tried() -> None:
    seen = set()
    for told in some_sessions():
        defined = {
            SLOW: all(is_pram(told, key) for key in "xyz"),
            PRAM: is_pram(told),
            MEMORY: is_causal_memory(told),
        }
        found = words(told)
        assert {name: each == "upheld" for name, each in found.items()} == defined, told
        seen.add(tuple(found.values()))
    assert len(seen) == 4, "some of the models were never told apart"


# --- as histories grow


def replicated(operations: int, random: Random) -> History:
    """Clients of four replicas that apply each other's writes late, each replica's in its order."""
    logs: list[list[tuple[str, int]]] = [[] for _ in range(4)]
    applied = [[0] * 4 for _ in range(4)]
    state: list[dict[str, int]] = [{} for _ in range(4)]
    told: list[str] = []
    for number in range(1, operations + 1):
        me, key = random.randrange(4), random.choice("xyz")
        for other in range(4):
            if other != me and random.random() < 0.3:
                state[me].update(logs[other][applied[me][other] :])
                applied[me][other] = len(logs[other])
        if random.random() < 0.5:
            logs[me].append((key, number))
            state[me][key] = number
            told.append(f"{me} invoke write {key}: {number}\n{me} ok write {key}:\n")
        else:
            told.append(f"{me} invoke read {key}:\n{me} ok read {key}: {state[me].get(key, 'null')}\n")
    return parse("".join(told))


def test_long_histories_of_replicas_in_order_are_pram() -> None:
    history = replicated(2_000, Random(1))
    for verdict in views.decide(history, [SLOW, PRAM]).values():
        assert isinstance(verdict, Upheld)
        assert verdict.evidence["inferred"] > 100
        verdict.witness.recheck(history)


def test_clocks_that_would_not_fit_are_not_begun_with(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(order, "ENTRIES_MAX", 1)
    history = parse("0 invoke write 1\n0 ok write\n1 invoke read\n1 ok read 1\n")
    found = views.decide(history, ["fifo.pram"])["fifo.pram"]
    assert isinstance(found, Undecided)
    assert "2 operations in 2 sessions take 4 entries, more than 1" in found.reason
