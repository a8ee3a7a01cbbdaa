"""Eventual visibility of collections, decided from a history; what a history cannot say about strong convergence."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from upheld.checkers.convergence import decide
from upheld.checkers.convergence.witness import Ending, WitnessFails
from upheld.checkers.verdict import Refuted, Undecided, Upheld, Verdict, word
from upheld.histories.event import Event, Kind
from upheld.histories.history import Header, History
from upheld.histories.notation import parse
from upheld.specs.consistency import MODELS, refuting

QUIET = "phases info heal\nphases info quiet\nphases info final\n"
ADDED = "0 invoke add 1 node=a\n0 ok add node=a\n0 invoke add 2 node=a\n0 ok add node=a\n"
BOTH = ("eventual.visibility", "eventual.strong")


def read(process: int, shown: str, node: str) -> str:
    return f"{process} invoke read node={node}\n{process} ok read {shown} node={node}\n"


def visibility(text: str, **options: Any) -> Verdict:
    return decide(parse(text), ["eventual.visibility"], **options)["eventual.visibility"]


def kind_of(verdict: Verdict) -> str:
    return verdict.anomaly.kind if isinstance(verdict, Refuted) else word(verdict)


# --- four things that a search for lost elements in the order of all reads overlooks (jepsen's set-full)

OVERLOOKED = {
    "missing at b's last read, there at a's later one": (
        ADDED + QUIET + read(1, "[2]", "b") + read(2, "[1,2]", "a"),
        "missing-update",
    ),
    "shown three times everywhere": (
        ADDED + QUIET + read(1, "[1,1,1,2]", "b") + read(2, "[1,1,1,2]", "a"),
        "duplicate",
    ),
    "never added, and shown everywhere": (
        ADDED + QUIET + read(1, "[1,2,3]", "b") + read(2, "[1,2,3]", "a"),
        "phantom",
    ),
    "wrong before the final reads": (
        ADDED + read(1, "[3]", "b") + QUIET + read(1, "[1,2]", "b") + read(2, "[1,2]", "a"),
        "phantom",
    ),
}


@pytest.mark.parametrize(("text", "kind"), OVERLOOKED.values(), ids=OVERLOOKED)
def test_what_is_often_overlooked_is_refuted(text: str, kind: str) -> None:
    assert kind_of(visibility(text)) == kind


# --- verdicts

CASES = {
    "all came": (ADDED + QUIET + read(1, "[1,2]", "a") + read(2, "[2,1]", "b"), "upheld"),
    "replicas differ about what nobody acknowledged": (
        ADDED + "3 invoke add 3\n3 info add\n" + QUIET + read(1, "[1,2,3]", "a") + read(2, "[2,1]", "b"),
        "divergent-finals",
    ),
    "one replica is not read": (
        ADDED + read(1, "[]", "c") + QUIET + read(1, "[1,2]", "a") + read(2, "[2,1]", "b"),
        "undecided",
    ),
    "no phases": (ADDED + read(1, "[1,2]", "a") + read(2, "[2,1]", "b"), "undecided"),
    "no phases, and from nowhere": (ADDED + read(1, "[1,2,3]", "a"), "phantom"),
    "one read": (ADDED + QUIET + read(1, "[1,2]", "a"), "undecided"),
    "a collection is not read": (
        ADDED
        + "0 invoke add x: 1 node=a\n0 ok add x: node=a\n"
        + QUIET
        + read(1, "[1,2]", "a")
        + read(2, "[1,2]", "b"),
        "undecided",
    ),
    "nobody adds": (QUIET + read(1, "[]", "a") + read(2, "[]", "b"), "undecided"),
    "a register that is only read": ("1 invoke read\n1 ok read 1\n", "undecided"),
    "a register": ("0 invoke write 1\n0 ok write\n1 invoke read\n1 ok read 1\n", "undecided"),
}


@pytest.mark.parametrize(("text", "expected"), CASES.values(), ids=CASES)
def test_eventual_visibility(text: str, expected: str) -> None:
    assert kind_of(visibility(text)) == expected


@pytest.mark.parametrize(
    ("text", "operation"),
    [
        ("0 invoke cas [1,2]\n0 ok cas true\n", "process 0: cas([1,2]) -> true"),
        ("0 invoke add 1\n0 ok add\n1 invoke write 1\n1 ok write\n", "process 1: write(1)"),
        ("0 invoke add 1\n0 ok add\n1 invoke read\n1 ok read 1\n", "process 1: read() -> 1"),
    ],
    ids=["another object", "two kinds of object", "a counter"],
)
def test_what_is_neither_a_collection_nor_a_register_names_the_operation(text: str, operation: str) -> None:
    verdict = visibility(text)
    assert isinstance(verdict, Undecided)
    assert verdict.reason == f"not applicable: {operation} belongs neither to a collection nor to a register"


def test_strong_convergence_is_refuted_with_visibility_and_cannot_be_upheld_by_a_history() -> None:
    fine = parse(CASES["all came"][0])
    assert isinstance(decide(fine, BOTH)["eventual.visibility"], Upheld)
    strong = decide(fine, BOTH)["eventual.strong"]
    assert isinstance(strong, Undecided)
    assert "needs the states of replicas" in strong.reason
    assert strong.consistency == "eventual.strong"
    refuted = decide(parse(OVERLOOKED["never added, and shown everywhere"][0]), BOTH)
    assert {name: kind_of(verdict) for name, verdict in refuted.items()} == dict.fromkeys(BOTH, "phantom")


def test_kinds_are_those_of_the_lattice() -> None:
    found = {kind_of(visibility(text)) for text, _ in (*CASES.values(), *OVERLOOKED.values())}
    assert found - {"upheld", "undecided"} == set(MODELS["eventual.visibility"].refuted_by)
    assert set(MODELS["eventual.visibility"].refuted_by) < set(refuting("eventual.strong"))


def test_an_unknown_start_may_hold_anything_and_says_so() -> None:
    text = OVERLOOKED["never added, and shown everywhere"][0]
    verdict = visibility(text, outside="start")
    assert isinstance(verdict, Upheld)
    assert verdict.notes[0] == "1 elements that nobody added are taken to have been there at first"
    assert kind_of(visibility(OVERLOOKED["missing at b's last read, there at a's later one"][0], outside="start")) == (
        "missing-update"
    )


def test_an_excerpt_shows_no_quiescence() -> None:
    verdict = visibility(CASES["all came"][0], outside="anything")
    assert isinstance(verdict, Undecided)
    assert "excerpt" in verdict.reason


# --- witnesses


def test_the_witness_is_checked_against_the_events() -> None:
    history = parse(CASES["all came"][0])
    verdict = decide(history, BOTH)["eventual.visibility"]
    assert isinstance(verdict, Upheld)
    assert isinstance(verdict.witness, Ending)
    verdict.witness.recheck(history)


@pytest.mark.parametrize(
    "text",
    [
        ADDED + QUIET + read(1, "[1]", "a") + read(2, "[2,1]", "b"),
        ADDED + QUIET + read(1, "[1,1,2]", "a") + read(2, "[1,1,2]", "b"),
        ADDED + "0 invoke add 3\n0 ok add\n" + QUIET + read(1, "[1,2]", "a") + read(2, "[1,2]", "b"),
        ADDED,
    ],
    ids=["a read differs", "an element more", "an add is lost", "no final read"],
)
def test_a_witness_of_another_history_fails(text: str) -> None:
    witness = Ending({None: Counter([1, 2])}, adds=("add",), removes=("remove",), read="read")
    with pytest.raises(WitnessFails):
        witness.recheck(parse(text))


def test_a_witness_that_shows_what_nobody_added_fails() -> None:
    text = ADDED + QUIET + read(1, "[1,2,3]", "a") + read(2, "[1,2,3]", "b")
    witness = Ending({None: Counter([1, 2, 3])}, adds=("add",), removes=("remove",), read="read")
    with pytest.raises(WitnessFails, match="comes from nowhere"):
        witness.recheck(parse(text))


# --- laws


@st.composite
def histories(draw: st.DrawFn) -> History:
    """Adds and removes of a few elements at two nodes, reads between them, and final reads of both."""
    events: list[Event] = []
    shown = st.lists(st.integers(0, 2), max_size=3)

    def operation(action: str, value: Any, answer: Any, kind: Kind = Kind.OK) -> None:
        process, node = len(events), draw(st.sampled_from("ab"))
        begin = Event(process=process, kind=Kind.INVOKE, action=action, node=node)
        end = Event(process=process, kind=kind, action=action, node=node)
        events.append(Event(**{**_fields(begin), "value": value}) if value is not None else begin)
        events.append(Event(**{**_fields(end), "value": answer}) if answer is not None else end)

    for _ in range(draw(st.integers(0, 5))):
        action = draw(st.sampled_from(("add", "add", "remove", "read")))
        if action == "read":
            operation(action, None, tuple(draw(shown)))
        else:
            operation(action, draw(st.integers(0, 2)), None, draw(st.sampled_from((Kind.OK, Kind.FAIL, Kind.INFO))))
    events += [Event(process="phases", kind=Kind.INFO, action=phase) for phase in ("heal", "quiet", "final")]
    same = draw(shown)
    for _ in range(2):
        operation("read", None, tuple(draw(st.just(same) | shown)))
    return History.of_events(events, header=Header())


def _fields(event: Event) -> dict[str, Any]:
    return {"process": event.process, "kind": event.kind, "action": event.action, "node": event.node}


@given(histories())
def test_whatever_is_upheld_has_a_witness_and_whatever_is_refuted_a_minimal_history(history: History) -> None:
    verdict = decide(history, ["eventual.visibility"])["eventual.visibility"]
    if isinstance(verdict, Upheld):
        verdict.witness.recheck(history)
    if isinstance(verdict, Refuted):
        part = verdict.anomaly.history
        assert part is not None
        assert isinstance(decide(part, BOTH)["eventual.visibility"], Refuted)
        assert set(part.operations) <= set(history.operations)
        assert len(part.operations) <= len(verdict.anomaly.operations)
