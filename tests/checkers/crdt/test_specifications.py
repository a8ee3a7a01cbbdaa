"""What reads of replicated data types return, given what they saw: by hand, and against the definitions."""

from __future__ import annotations

from collections.abc import Hashable
from itertools import permutations
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from upheld.checkers.crdt import AddWins, Counter, Execution, LastWriterWins, MultiValue, Step, StrongList, execution_of
from upheld.checkers.crdt.judging import OfReads
from upheld.checkers.verdict import Refuted, Undecided, Upheld, word
from upheld.histories.errors import MalformedHistory
from upheld.histories.trace import Note, Trace


def update(
    name: str, action: str, argument: Any = None, *, saw: str = "", at: Any = None, pending: bool = False
) -> Step:
    return Step(id=name, action=action, argument=argument, visible=frozenset(saw), timestamp=at, is_pending=pending)


def read(result: Any, saw: str = "", name: str = "r") -> Step:
    return Step(id=name, action="read", result=result, visible=frozenset(saw))


def judged(judge: OfReads, *steps: Step) -> str:
    verdict = judge.check(Execution(steps))
    return verdict.anomaly.kind if isinstance(verdict, Refuted) else word(verdict)


# --- executions


@pytest.mark.parametrize(
    ("steps", "what"),
    [
        ((update("a", "add", 1), update("a", "add", 2)), "two operations have one id"),
        ((update("a", "add", 1, saw="b"),), "sees what is no operation"),
        ((update("a", "add", 1, saw="a"),), "sees itself"),
        ((update("a", "add", 1, saw="b"), update("b", "add", 2, saw="a")), "sees itself, or what sees it in turn"),
    ],
)
def test_what_is_no_execution_is_malformed(steps: tuple[Step, ...], what: str) -> None:
    with pytest.raises(MalformedHistory, match=what):
        Execution(steps)


def test_concurrent_are_two_updates_of_which_neither_saw_the_other() -> None:
    steps = (update("a", "add", 1), update("b", "add", 2), update("c", "add", 3, saw="a"))
    found = [(one.id, other.id) for one, other in Execution(steps).concurrent_pairs("add")]
    assert found == [("a", "b"), ("b", "c")]


def test_a_trace_tells_what_each_update_and_each_state_saw() -> None:
    notes = [
        Note(1, "n1", "merged", (("a",),)),
        Note(2, "n2", "merged", (("b",),)),
        Note(3, "n2", "merged", (("a", "b"),)),
        Note(4, "n2", "merged", (("c",),)),
        Note(5, "n2", "state", ("x", None)),
        Note(6, "n2", "restart", ()),
        Note(7, "n2", "state", ("y", None)),
    ]
    updates: dict[Hashable, Step] = {name: update(name, "add", name) for name in "abc"}
    execution = execution_of(Trace(notes), updates, lambda note: note.fact("digest"))
    assert {step.id: set(step.visible) for step in execution.steps if step.action == "add"} == {
        "a": set(),
        "b": set(),
        "c": {"a", "b"},
    }
    assert [(step.result, set(step.visible)) for step in execution.reads("read")] == [
        ("x", {"a", "b", "c"}),
        ("y", set()),
    ]


def test_a_trace_must_not_take_in_what_nobody_made() -> None:
    trace = Trace([Note(1, "n1", "merged", (("a",),))])
    with pytest.raises(MalformedHistory, match='n1 takes in "a", which is no known update'):
        execution_of(trace, {}, lambda note: note.fact("digest"))


@pytest.mark.parametrize(
    "judge", [AddWins(), Counter(), LastWriterWins(), MultiValue(), StrongList()], ids=lambda j: j.name
)
def test_without_a_read_there_is_nothing_to_judge(judge: OfReads) -> None:
    verdict = judge.check(Execution((update("a", "other"),)))
    assert isinstance(verdict, Undecided)
    assert verdict.is_vacuous


# --- sets: an add and a remove of 1 that did not see each other (Burckhardt et al. 2014, figure 1)

ADD = update("a", "add", 1)
SETS: dict[str, tuple[tuple[Step, ...], str]] = {
    "an add": ((ADD, read((1,), "a")), "upheld"),
    "an add that was not seen": ((ADD, read((), "")), "upheld"),
    "a remove that saw the add": ((ADD, update("x", "remove", 1, saw="a"), read((), "ax")), "upheld"),
    "a concurrent remove loses": ((ADD, update("x", "remove", 1), read((1,), "ax")), "upheld"),
    "a concurrent remove wins": ((ADD, update("x", "remove", 1), read((), "ax")), "missing-element"),
    "a remove that was not seen": ((ADD, update("x", "remove", 1, saw="a"), read((), "a")), "missing-element"),
    "what was removed comes back": ((ADD, update("x", "remove", 1, saw="a"), read((1,), "ax")), "extra-element"),
    "what nobody added": ((ADD, read((1, 2), "a")), "extra-element"),
    "a remove of another element": ((ADD, update("x", "remove", 2, saw="a"), read((1,), "ax")), "upheld"),
    "one of two adds survives": (
        (ADD, update("b", "add", 1), update("x", "remove", 1, saw="a"), read((1,), "abx")),
        "upheld",
    ),
    "true and 1 are two elements": ((ADD, read((True,), "a")), "missing-element"),
}


@pytest.mark.parametrize(("steps", "expected"), SETS.values(), ids=SETS)
def test_add_wins(steps: tuple[Step, ...], expected: str) -> None:
    assert judged(AddWins(), *steps) == expected


def test_the_story_of_an_element_that_comes_back() -> None:
    verdict = AddWins().check(Execution((ADD, update("x", "remove", 1, saw="a"), read((1,), "ax"))))
    assert isinstance(verdict, Refuted)
    assert verdict.anomaly.story == (
        "r: read() -> [1] saw 2 updates",
        "It shows 1",
        "a: add(1) had been seen by x: remove(1), which the read saw",
    )


# --- registers

A, B = update("a", "write", "A", at=(1, "n1")), update("b", "write", "B", at=(1, "n2"))
LAST: dict[str, tuple[tuple[Step, ...], str]] = {
    "no write": ((A, read(None)), "upheld"),
    "a write that was not seen": ((A, read("A")), "not-the-last-write"),
    "the larger timestamp": ((A, B, read("B", "ab")), "upheld"),
    "the smaller timestamp": ((A, B, read("A", "ab")), "not-the-last-write"),
    "the larger one was not seen": ((A, B, read("A", "a")), "upheld"),
    "one timestamp twice": ((A, update("b", "write", "B", at=(1, "n1")), read("A", "ab")), "undecided"),
    "no timestamp": ((update("a", "write", "A"), read("A", "a")), "undecided"),
    "timestamps of two kinds": ((A, update("b", "write", "B", at=7), read("A", "ab")), "undecided"),
}


@pytest.mark.parametrize(("steps", "expected"), LAST.values(), ids=LAST)
def test_last_writer_wins(steps: tuple[Step, ...], expected: str) -> None:
    assert judged(LastWriterWins(), *steps) == expected


OVER_A = update("c", "write", "C", saw="a")
MANY: dict[str, tuple[tuple[Step, ...], str]] = {
    "nothing": ((A, read(())), "upheld"),
    "two at the same time": ((A, B, read(("B", "A"), "ab")), "upheld"),
    "one of two at the same time": ((A, B, read(("B",), "ab")), "missing-sibling"),
    "what was overwritten": ((A, OVER_A, read(("A", "C"), "ac")), "stale-sibling"),
    "only the later one": ((A, OVER_A, read(("C",), "ac")), "upheld"),
    "the later one was not seen": ((A, OVER_A, read(("A",), "a")), "upheld"),
    "what nobody wrote": ((A, read(("A", "Z"), "a")), "stale-sibling"),
}


@pytest.mark.parametrize(("steps", "expected"), MANY.values(), ids=MANY)
def test_multi_value(steps: tuple[Step, ...], expected: str) -> None:
    assert judged(MultiValue(), *steps) == expected


# --- counters

FIVE, MINUS = update("a", "add", 5), update("b", "add", -2)
MAYBE, MAYBE_NOT = update("c", "add", 10, pending=True), update("d", "add", -1, pending=True)
SUMS: dict[str, tuple[tuple[Step, ...], str]] = {
    "nothing": ((FIVE, read(0)), "upheld"),
    "what was seen": ((FIVE, MINUS, read(3, "ab")), "upheld"),
    "one lost": ((FIVE, MINUS, read(5, "ab")), "wrong-sum"),
    "a pending one counts": ((FIVE, MAYBE, read(15, "ac")), "upheld"),
    "a pending one does not": ((FIVE, MAYBE, read(5, "ac")), "upheld"),
    "within the interval, and no sum": ((FIVE, MAYBE, read(8, "ac")), "wrong-sum"),
    "two pending ones": ((MAYBE, MAYBE_NOT, read(9, "cd")), "upheld"),
    "outside": ((MAYBE, MAYBE_NOT, read(11, "cd")), "wrong-sum"),
    "no number": ((FIVE, read("5", "a")), "undecided"),
    "true is no number": ((update("a", "add", True), read(1, "a")), "undecided"),
}


@pytest.mark.parametrize(("steps", "expected"), SUMS.values(), ids=SUMS)
def test_counters(steps: tuple[Step, ...], expected: str) -> None:
    assert judged(Counter(), *steps) == expected


def test_too_many_sums_are_an_interval_and_no_more() -> None:
    pending = tuple(Step(id=n, action="add", argument=3**n, is_pending=True) for n in range(20))
    seen = frozenset(range(20))
    inside = Step(id="r", action="read", result=2, visible=seen)
    outside = Step(id="r", action="read", result=3**20, visible=seen)
    assert judged(Counter(), *pending, inside) == "undecided"
    assert judged(Counter(), *pending, outside) == "wrong-sum"


# --- lists

X, Y, Z = (update(name, "insert", name) for name in "xyz")
LISTS: dict[str, tuple[tuple[Step, ...], str]] = {
    "one order": ((X, Y, read(("x", "y"), "xy"), read(("x",), "x", "s")), "upheld"),
    "two orders": ((X, Y, read(("x", "y"), "xy"), read(("y", "x"), "xy", "s")), "cyclic-order"),
    "a circle of three reads": (
        (X, Y, Z, read(("x", "y"), "xy"), read(("y", "z"), "yz", "s"), read(("z", "x"), "xz", "t")),
        "cyclic-order",
    ),
    "a circle through what was deleted": (
        (
            X,
            Y,
            Z,
            update("d", "delete", "y", saw="xyz"),
            read(("x", "y"), "xy"),
            read(("y", "z"), "yz", "s"),
            read(("z", "x"), "xyzd", "t"),
        ),
        "cyclic-order",
    ),
    "what was deleted": ((X, update("d", "delete", "x", saw="x"), read(("x",), "xd")), "extra-element"),
    "twice": ((X, read(("x", "x"), "x")), "repeated-element"),
    "not seen": ((X, read(("x",))), "extra-element"),
    "seen, and not there": ((X, read((), "x")), "missing-element"),
    "inserted twice": ((X, update("w", "insert", "x"), read(("x",), "xw")), "undecided"),
}


@pytest.mark.parametrize(("steps", "expected"), LISTS.values(), ids=LISTS)
def test_strong_lists(steps: tuple[Step, ...], expected: str) -> None:
    assert judged(StrongList(), *steps) == expected


def test_the_story_and_the_graph_of_two_orders() -> None:
    verdict = StrongList().check(Execution((X, Y, read(("x", "y"), "xy"), read(("y", "x"), "xy", "s"))))
    assert isinstance(verdict, Refuted)
    assert verdict.anomaly.story == (
        '"x" stands before "y" in r: read() -> ["x","y"]',
        '"y" stands before "x" in s: read() -> ["y","x"]',
        "No order of the elements suits these reads",
    )
    assert verdict.anomaly.graph is not None
    assert set(verdict.anomaly.graph.edges()) == {("x", "y"), ("y", "x")}


# --- against the definitions


@st.composite
def executions(draw: st.DrawFn, *, actions: tuple[str, ...]) -> tuple[Step, ...]:
    """Up to five updates with any visibility that goes back, and a read of anything."""
    steps: list[Step] = []
    for at in range(draw(st.integers(0, 5))):
        saw = draw(st.sets(st.sampled_from([step.id for step in steps]))) if steps else set()
        steps.append(
            Step(
                id=at,
                action=draw(st.sampled_from(actions)),
                argument=draw(st.integers(0, 2)),
                visible=frozenset(saw),
                timestamp=draw(st.permutations(range(6)))[0] * 10 + at,
            )
        )
    saw = draw(st.sets(st.sampled_from([step.id for step in steps]))) if steps else set()
    result = tuple(draw(st.lists(st.integers(0, 2), unique=True, max_size=3)))
    return (*steps, Step(id="r", action="read", result=result, visible=frozenset(saw)))


@given(executions(actions=("add", "remove")))
def test_add_wins_is_its_definition(steps: tuple[Step, ...]) -> None:
    *_, reader = steps
    seen = [step for step in steps if step.id in reader.visible]
    expected = {
        add.argument
        for add in seen
        if add.action == "add"
        and not any(r.action == "remove" and r.argument == add.argument and add.id in r.visible for r in seen)
    }
    assert isinstance(reader.result, tuple)
    right = set(reader.result) == expected
    assert isinstance(AddWins().check(Execution(steps)), Upheld if right else Refuted)


@given(executions(actions=("write",)))
def test_registers_are_their_definitions(steps: tuple[Step, ...]) -> None:
    *_, reader = steps
    seen = [step for step in steps if step.id in reader.visible]
    current = {step.argument for step in seen if not any(step.id in other.visible for other in seen)}
    assert isinstance(reader.result, tuple)
    assert isinstance(MultiValue().check(Execution(steps)), Upheld if set(reader.result) == current else Refuted)
    last = max(seen, key=lambda step: step.timestamp, default=None)  # type: ignore[arg-type,return-value]  # integers, above
    single = Step(id="r", action="read", result=reader.result[0] if reader.result else None, visible=reader.visible)
    right = single.result == (last.argument if last else None)
    assert isinstance(LastWriterWins().check(Execution((*steps[:-1], single))), Upheld if right else Refuted)


@given(st.lists(st.lists(st.sampled_from("wxyz"), unique=True, max_size=4), min_size=1, max_size=4))
def test_reads_are_in_one_order_exactly_when_some_order_of_all_elements_has_them_all(shown: list[list[str]]) -> None:
    inserts = [update(name, "insert", name) for name in "wxyz"]
    reads = [read(tuple(elements), "".join(elements), f"r{at}") for at, elements in enumerate(shown)]
    fits = any(
        all(sorted(elements, key=order.index) == elements for elements in shown) for order in permutations("wxyz")
    )
    assert judged(StrongList(), *inserts, *reads) == ("upheld" if fits else "cyclic-order")
