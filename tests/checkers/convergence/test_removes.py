"""Removes: what final reads owe to them whatever the semantics, and what comes back after them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from upheld.checkers.convergence import Flapless, Lossless, Unresurrected, decide
from upheld.checkers.verdict import Refuted, word
from upheld.histories.event import Event, Kind
from upheld.histories.history import Header, History
from upheld.histories.notation import parse

QUIET = "phases info heal\nphases info quiet\nphases info final\n"


def update(action: str, process: int, node: str = "a", *, element: int = 1, kind: str = "ok") -> str:
    return f"{process} invoke {action} {element} node={node}\n{process} {kind} {action} node={node}\n"


def read(shown: str, process: int = 9, node: str = "a") -> str:
    return f"{process} invoke read node={node}\n{process} ok read {shown} node={node}\n"


def judged(checker: Lossless | Unresurrected | Flapless, text: str) -> str:
    verdict = checker.check(parse(text))
    return verdict.anomaly.kind if isinstance(verdict, Refuted) else word(verdict)


# --- in the end: an add, a remove, and what a final read then may show. `both`: it may show the element, or not

THERE, GONE, EITHER = {"shown"}, {"not shown"}, {"shown", "not shown"}
OWED: dict[str, tuple[str, set[str]]] = {
    "added": (update("add", 0), THERE),
    "removed where it was added": (update("add", 0) + update("remove", 1), GONE),
    "removed elsewhere, perhaps before the add had come": (update("add", 0) + update("remove", 1, "b"), EITHER),
    "removed elsewhere, where it had been seen": (
        update("add", 0) + read("[1]", 7, "b") + update("remove", 1, "b"),
        GONE,
    ),
    "removed at the same time": (
        "0 invoke add 1 node=a\n1 invoke remove 1 node=a\n0 ok add node=a\n1 ok remove node=a\n",
        EITHER,
    ),
    "added again where it was removed": (update("add", 0) + update("remove", 1) + update("add", 2), THERE),
    "added again elsewhere": (update("add", 0) + update("remove", 1) + update("add", 2, "b"), EITHER),
    "removed where one of two adds was seen": (
        update("add", 0) + update("add", 2, "c") + read("[1]", 7, "b") + update("remove", 1, "b"),
        EITHER,
    ),
    "nobody knows of the remove": (update("add", 0) + update("remove", 1, kind="info"), EITHER),
    "the remove failed": (update("add", 0) + update("remove", 1, kind="fail"), THERE),
    "nobody knows of the add": (update("add", 0, kind="info") + update("remove", 1), EITHER),
    "removed, and never added": (update("add", 0, element=2) + update("remove", 1), EITHER),
}


@pytest.mark.parametrize(("text", "allowed"), OWED.values(), ids=OWED)
def test_final_reads_owe_what_every_semantics_does(text: str, allowed: set[str]) -> None:
    shows = {"shown": "[1,2]", "not shown": "[2]"}
    nodes = [node for node in "abc" if f"node={node}" in text]
    for case, shown in shows.items():
        finals = "".join(read(shown, 20 + at, node) for at, node in enumerate(nodes))
        verdict = judged(Lossless(), text + QUIET + finals)
        assert verdict == ("upheld" if case in allowed else "missing-update")


def test_what_the_collection_held_at_first_is_gone_when_it_was_removed() -> None:
    text = update("remove", 0) + QUIET + read("[1]")
    verdict = Lossless().check(parse(text, header=Header(initial=(1,))))
    assert isinstance(verdict, Refuted)


def test_the_story_of_a_remove_that_does_not_arrive() -> None:
    text = update("add", 0) + update("remove", 1) + QUIET + read("[]") + read("[1]", 8, "b")
    verdict = Lossless().check(parse(text))
    assert isinstance(verdict, Refuted)
    assert verdict.anomaly.story == (
        "process 0: add(1) was over at event 1",
        "process 1: remove(1) was acknowledged at event 3",
        "The read of process 8 at b (event 9) is final and shows 1",
        "The read of process 9 at a (event 7) is final and does not",
    )
    assert verdict.anomaly.history is not None
    assert [operation.action for operation in verdict.anomaly.history.operations] == ["add", "remove", "read"]


def test_a_verdict_says_how_many_elements_are_contested() -> None:
    text = OWED["removed elsewhere, perhaps before the add had come"][0] + QUIET + read("[]") + read("[]", 8, "b")
    verdict = decide(parse(text), ["eventual.visibility"])["eventual.visibility"]
    assert word(verdict) == "upheld"
    assert verdict.evidence["contested"] == 1


# --- what comes back

BACK: dict[str, tuple[str, str, str]] = {
    "once": (update("add", 0) + read("[]") + read("[1]"), "upheld", "upheld"),
    "hidden for a while": (update("add", 0) + read("[1]") + read("[]") + read("[1]"), "upheld", "flapping"),
    "hidden at another place": (
        update("add", 0) + read("[1]") + read("[]", 8, "b") + read("[1]"),
        "upheld",
        "upheld",
    ),
    "removed, and back": (
        update("add", 0) + read("[1]") + update("remove", 1) + read("[]") + read("[1]"),
        "resurrected",
        "upheld",
    ),
    "removed, and added again": (
        update("add", 0) + read("[1]") + update("remove", 1) + read("[]") + update("add", 2) + read("[1]"),
        "upheld",
        "upheld",
    ),
    "removed, and another add that began before comes late": (
        update("add", 0) + update("add", 2, "b") + read("[1]") + update("remove", 1) + read("[]") + read("[1]"),
        "upheld",
        "upheld",
    ),
    "twice back, of two adds": (
        update("add", 0)
        + update("add", 2, "b")
        + read("[1]")
        + update("remove", 1)
        + read("[]")
        + read("[1]")
        + read("[]")
        + read("[1]"),
        "resurrected",
        "upheld",
    ),
    "the remove failed": (
        update("add", 0) + read("[1]") + update("remove", 1, kind="fail") + read("[]") + read("[1]"),
        "upheld",
        "flapping",
    ),
    "the remove began after it was hidden": (
        update("add", 0) + read("[1]") + read("[]") + update("remove", 1) + read("[1]"),
        "upheld",
        "flapping",
    ),
    "reads at the same time stand in no order": (
        update("add", 0)
        + "7 invoke read node=a\n8 invoke read node=a\n7 ok read [1] node=a\n8 ok read [] node=a\n"
        + read("[1]"),
        "upheld",
        "upheld",
    ),
    "a session without a node is a place": (
        "0 invoke add 1\n0 ok add\n9 invoke read\n9 ok read [1]\n9 invoke read\n9 ok read []\n9 invoke read\n9 ok read [1]\n",
        "upheld",
        "flapping",
    ),
}


@pytest.mark.parametrize(("text", "resurrected", "flapping"), BACK.values(), ids=BACK)
def test_what_comes_back(text: str, resurrected: str, flapping: str) -> None:
    assert judged(Unresurrected(), text) == resurrected
    assert judged(Flapless(), text) == flapping


def test_the_story_of_an_element_that_rises_again() -> None:
    verdict = Unresurrected().check(parse(BACK["removed, and back"][0]))
    assert isinstance(verdict, Refuted)
    assert verdict.anomaly.story == (
        "The read of process 9 at a (event 2) shows 1",
        "process 1: remove(1) began at event 4",
        "The read of process 9 at a (event 6), later and at the same place, shows it no more",
        "The read of process 9 at a (event 8), still later, shows it again",
        "It was added once before that: process 0: add(1)",
    )
    assert verdict.anomaly.history is not None
    assert [operation.action for operation in verdict.anomaly.history.operations] == [
        "add",
        "read",
        "remove",
        "read",
        "read",
    ]


# --- laws


@st.composite
def histories(draw: st.DrawFn) -> History:
    """One add, perhaps a remove, and reads of one place that may overlap."""
    count = draw(st.integers(2, 6))
    moments = draw(st.permutations([process for process in range(count) for _ in range(2)]))
    shows = [draw(st.booleans()) for _ in range(count)]
    events = [
        Event(process=50, kind=kind, action="add", value=1 if kind is Kind.INVOKE else None)
        for kind in (Kind.INVOKE, Kind.OK)
    ]
    begun: set[int] = set()
    for process in moments:
        kind = Kind.OK if process in begun else Kind.INVOKE
        begun.add(process)
        shown = (1,) if shows[process] else ()
        events.append(
            Event(process=process, kind=kind, action="read", node="a", value=shown if kind is Kind.OK else None)
        )
    return History.of_events(events)


@given(histories())
def test_flapping_is_three_reads_one_after_another(history: History) -> None:
    reads = [operation for operation in history.operations if operation.action == "read"]
    flaps = any(
        one.result and not two.result and three.result and one.precedes(two) and two.precedes(three)
        for one in reads
        for two in reads
        for three in reads
    )
    verdict = Flapless().check(history)
    assert word(verdict) == ("refuted" if flaps else "upheld")
    if isinstance(verdict, Refuted):
        assert verdict.anomaly.history is not None
        assert len(verdict.anomaly.history.operations) == 3
