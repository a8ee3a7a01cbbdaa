"""Judges of growing collections: histories of known verdict, what others overlook, and the definitions."""

from __future__ import annotations

import json
from collections import Counter
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from upheld.checkers.convergence import Convergent, DuplicateFree, Lossless, PhantomFree
from upheld.checkers.verdict import Checker, Refuted, Undecided, Upheld, word
from upheld.histories.errors import MalformedHistory
from upheld.histories.event import Event, Kind, Operation
from upheld.histories.history import Header, History
from upheld.histories.notation import parse

QUIET = "phases info heal\nphases info quiet\nphases info final\n"
ADDED = "0 invoke add 1\n0 ok add\n1 invoke add 2\n1 ok add\n"


def final(*shown: str, after: str = ADDED) -> History:
    """These adds, the phases, and a final read of each node, one after another."""
    reads = "".join(
        f"{process} invoke read node=n{process}\n{process} ok read {elements} node=n{process}\n"
        for process, elements in enumerate(shown, start=10)
    )
    return parse(after + QUIET + reads)


def judged(checker: Checker, history: History) -> str:
    verdict = checker.check(history)
    return verdict.anomaly.kind if isinstance(verdict, Refuted) else word(verdict)


# --- four things that a search for lost elements in global read order overlooks


@pytest.mark.parametrize("shown", [("[1,2]", "[2]"), ("[2]", "[1,2]")], ids=["lagging last", "lagging first"])
def test_a_lagging_replica_is_found_in_whatever_order_replicas_are_read(shown: tuple[str, str]) -> None:
    assert judged(Lossless(), final(*shown)) == "missing-update"
    assert judged(Convergent(), final(*shown)) == "divergent-finals"


def test_an_element_that_shows_three_times_is_a_duplicate() -> None:
    assert judged(DuplicateFree(), final("[1,1,1,2]")) == "duplicate"


def test_an_element_that_nobody_added_is_a_phantom() -> None:
    assert judged(PhantomFree(), final("[1,2,3]")) == "phantom"


def test_reads_before_the_end_and_the_equality_of_replicas_are_judged_too() -> None:
    early = ADDED + "2 invoke read\n2 ok read [1,1,9]\n"
    assert judged(DuplicateFree(), parse(early)) == "duplicate"
    assert judged(PhantomFree(), parse(early)) == "phantom"
    unacknowledged = ADDED + "2 invoke add 3\n2 info add\n"
    assert judged(Lossless(), final("[1,2]", "[1,2,3]", after=unacknowledged)) == "upheld"
    assert judged(Convergent(), final("[1,2]", "[1,2,3]", after=unacknowledged)) == "divergent-finals"


# --- in the end

ENDS: dict[str, tuple[History, str, str]] = {
    "all agree": (final("[1,2]", "[1,2]"), "upheld", "upheld"),
    "order is another question": (final("[1,2]", "[2,1]"), "upheld", "upheld"),
    "all agree, and an element is lost": (final("[1]", "[1]"), "upheld", "missing-update"),
    "all agree on nothing": (final("null", "[]"), "upheld", "missing-update"),
    "one shows an element more often": (final("[1,2]", "[1,1,2]"), "divergent-finals", "upheld"),
    "a single replica has nobody to agree with": (final("[1,2]"), "undecided", "upheld"),
    "nobody was read": (final(), "undecided", "undecided"),
    "a failed add need not be there": (
        final("[1,2]", "[1,2]", after=ADDED + "2 invoke add 3\n2 fail add\n"),
        "upheld",
        "upheld",
    ),
    "a replica that does not answer may hide anything": (
        parse(
            ADDED
            + QUIET
            + "2 invoke read\n2 ok read [1,2]\n3 invoke read\n3 ok read [1,2]\n4 invoke read\n4 info read\n"
        ),
        "undecided",
        "undecided",
    ),
    "what is wrong already is wrong whoever does not answer": (
        parse(
            ADDED + QUIET + "2 invoke read\n2 ok read [1]\n3 invoke read\n3 ok read [2]\n4 invoke read\n4 info read\n"
        ),
        "divergent-finals",
        "missing-update",
    ),
    "reads before the final phase may lag": (
        final("[1,2]", "[1,2]", after=ADDED + "2 invoke read\n2 ok read []\n"),
        "upheld",
        "upheld",
    ),
    "each key is a collection of its own": (
        parse(
            "0 invoke add x: 1\n0 ok add x:\n0 invoke add y: 1\n0 ok add y:\n"
            + QUIET
            + "2 invoke read x:\n2 ok read x: [1]\n3 invoke read y:\n3 ok read y: []\n"
            "4 invoke read x:\n4 ok read x: [1]\n5 invoke read y:\n5 ok read y: []\n"
        ),
        "upheld",
        "missing-update",
    ),
    "true and 1 are two elements": (final("[true,2]", "[1,2]"), "divergent-finals", "missing-update"),
}


@pytest.mark.parametrize(("history", "convergent", "lossless"), ENDS.values(), ids=ENDS)
def test_in_the_end(history: History, convergent: str, lossless: str) -> None:
    assert judged(Convergent(), history) == convergent
    assert judged(Lossless(), history) == lossless


RESTLESS = {
    "no phases": (ADDED, "there is no phase 'heal'"),
    "no final phase": (ADDED + "phases info heal\nphases info quiet\n", "there is no phase 'final'"),
    "phases in another order": (
        ADDED + "phases info quiet\nphases info heal\nphases info final\n",
        "do not come in this order",
    ),
    "a fault after the heal": (
        ADDED + "phases info heal\nnemesis info crash\nphases info quiet\nphases info final\n",
        "crash at event 5 comes after the heal",
    ),
    "an add that begins in quiet times": (
        "phases info heal\nphases info quiet\n" + ADDED + "phases info final\n",
        "process 0: add(1) was not over",
    ),
    "an add that is still waited for": (
        "0 invoke add 1\n" + QUIET + "0 ok add\n",
        "process 0: add(1) was not over",
    ),
    "an add that nobody ended": ("0 invoke add 1\n" + QUIET, "process 0: add(1) -> ? was not over"),
}


@pytest.mark.parametrize(("text", "reason"), RESTLESS.values(), ids=RESTLESS)
@pytest.mark.parametrize("checker", [Convergent(), Lossless()], ids=["convergent", "lossless"])
def test_quiescence_is_declared_and_checked(checker: Checker, text: str, reason: str) -> None:
    history = parse(text + "8 invoke read\n8 ok read []\n9 invoke read\n9 ok read [7]\n")
    verdict = checker.check(history)
    assert isinstance(verdict, Undecided)
    assert reason in verdict.reason


def test_faults_that_end_at_the_heal_and_adds_that_gave_up_before_are_no_unrest() -> None:
    text = ADDED + "nemesis info crash\n2 invoke add 3\n2 info add\nphases info heal\nnemesis info undo-crash\n"
    reads = "8 invoke read\n8 ok read [1,2]\n9 invoke read\n9 ok read [2,1]\n"
    assert judged(Convergent(), parse(text + "phases info quiet\nphases info final\n" + reads)) == "upheld"


def test_where_times_give_the_order_phases_go_by_time_too() -> None:
    text = (
        "phases info final time=30\nphases info heal time=10\nphases info quiet time=20\n"
        "0 invoke add 1 time=0\n0 ok add time=5\n"
        "1 invoke read time=40\n1 ok read [] time=50\n2 invoke read time=25\n2 ok read [1] time=26\n"
    )
    assert judged(Lossless(), parse(text, header=Header(order="time"))) == "missing-update"


# --- never

NEVER: dict[str, tuple[str, str, str]] = {
    "what was added": ("0 invoke add 1\n0 ok add\n1 invoke read\n1 ok read [1]\n", "upheld", "upheld"),
    "what is being added": ("0 invoke add 1\n1 invoke read\n1 ok read [1]\n0 ok add\n", "upheld", "upheld"),
    "what may have been added": ("0 invoke add 1\n0 info add\n1 invoke read\n1 ok read [1]\n", "upheld", "upheld"),
    "what was added while the read went on": ("1 invoke read\n0 invoke add 1\n1 ok read [1]\n", "upheld", "upheld"),
    "what is added later": ("1 invoke read\n1 ok read [1]\n0 invoke add 1\n0 ok add\n", "phantom", "upheld"),
    "what was refused": ("0 invoke add 1\n0 fail add\n1 invoke read\n1 ok read [1]\n", "phantom", "upheld"),
    "what was added under another key": (
        "0 invoke add x: 1\n0 ok add x:\n1 invoke read y:\n1 ok read y: [1]\n",
        "phantom",
        "upheld",
    ),
    "twice, added twice": (
        "0 invoke add 1\n0 ok add\n2 invoke add 1\n1 invoke read\n1 ok read [1,1]\n",
        "upheld",
        "upheld",
    ),
    "twice, added once": ("0 invoke add 1\n0 ok add\n1 invoke read\n1 ok read [1,1]\n", "upheld", "duplicate"),
    "twice, added once more later": (
        "0 invoke add 1\n0 ok add\n1 invoke read\n1 ok read [1,1]\n2 invoke add 1\n",
        "upheld",
        "duplicate",
    ),
}


@pytest.mark.parametrize(("text", "phantom", "duplicate"), NEVER.values(), ids=NEVER)
def test_what_is_read_at_any_time(text: str, phantom: str, duplicate: str) -> None:
    assert judged(PhantomFree(), parse(text)) == phantom
    assert judged(DuplicateFree(), parse(text)) == duplicate


def test_what_a_collection_holds_at_first_is_no_phantom() -> None:
    history = parse("1 invoke read\n1 ok read [0]\n", header=Header(initial=(0,)))
    assert judged(PhantomFree(), history) == "upheld"


def test_a_read_that_shows_no_collection_is_malformed() -> None:
    with pytest.raises(MalformedHistory, match="does not show a collection"):
        PhantomFree().check(parse("1 invoke read\n1 ok read 7\n"))


def test_actions_may_have_other_names() -> None:
    history = parse('0 invoke send "hi"\n0 ok send\n1 invoke get\n1 ok get ["hi","hi"]\n')
    assert judged(DuplicateFree(adds=("send", "reply"), read="get"), history) == "duplicate"


# --- stories


def test_the_story_of_a_missing_element() -> None:
    verdict = Lossless().check(final("[1,2]", "[2]"))
    assert isinstance(verdict, Refuted)
    assert verdict.anomaly.story == (
        "process 0: add(1) was acknowledged at event 1",
        "The read of process 11 at n11 (event 9) is final and does not show 1",
        "The read of process 10 at n10 (event 7) is final and does",
    )


def test_the_story_of_divergent_reads() -> None:
    verdict = Convergent().check(final("[1,2]", "[2]"))
    assert isinstance(verdict, Refuted)
    assert verdict.anomaly.story == (
        "The system was quiet when these two final reads began, and they differ",
        "Shown more often by the read of process 10 at n10 (event 7): 1",
    )


def test_the_story_of_a_duplicate() -> None:
    verdict = DuplicateFree().check(final("[1,2,2]"))
    assert isinstance(verdict, Refuted)
    assert verdict.anomaly.story == (
        "2 was added once before the read ended: process 1: add(2)",
        "The read of process 10 at n10 (event 7) shows it twice",
    )


def test_the_story_of_a_phantom() -> None:
    verdict = PhantomFree().check(final("[1,2,3]"))
    assert isinstance(verdict, Refuted)
    assert verdict.anomaly.story == (
        "The read of process 10 at n10 (event 7) shows 3",
        "Nobody added it, or all who did were told that they failed",
    )


# --- laws


@st.composite
def histories(draw: st.DrawFn) -> History:
    """Adds and reads of a few elements, some of them at the same time, and final reads of two or three nodes."""
    elements = st.integers(0, 3)
    shown = st.lists(elements, max_size=4)
    operations = draw(
        st.lists(st.tuples(st.sampled_from(("add", "read")), elements, shown, st.sampled_from(Kind)), max_size=5)
    )
    moments = draw(st.permutations([number for number in range(len(operations)) for _ in range(2)]))
    begun: set[int] = set()
    events = []
    for number in moments:
        action, element, seen, kind = operations[number]
        if number not in begun:
            begun.add(number)
            events.append(_event(number, Kind.INVOKE, action, element if action == "add" else None))
        elif kind is not Kind.INVOKE:
            events.append(_event(number, kind, action, seen if action == "read" and kind is Kind.OK else None))
    events += [Event(process="phases", kind=Kind.INFO, action=phase) for phase in ("heal", "quiet", "final")]
    same = draw(shown)
    for number in range(100, 100 + draw(st.integers(2, 3))):
        events += [
            _event(number, Kind.INVOKE, "read", None),
            _event(number, Kind.OK, "read", draw(st.just(same) | shown)),
        ]
    return History.of_events(events)


def _event(process: int, kind: Kind, action: str, value: object) -> Event:
    told = None if value is None else tuple(value) if isinstance(value, list) else value
    return Event(process=process, kind=kind, action=action, value=told)  # type: ignore[arg-type]  # a tuple of the plain values above


@given(histories())
def test_verdicts_are_those_of_the_definitions(history: History) -> None:
    adds = [op for op in history.operations if op.action == "add"]
    reads: list[tuple[Operation, Any]] = [
        (op, op.result or ()) for op in history.operations if op.action == "read" and op.outcome is Kind.OK
    ]
    finals = [elements for op, elements in reads if op.process >= 100]  # type: ignore[operator]  # clients here are integers

    def tried(element: object, before: int | None) -> int:
        return sum(op.argument == element and op.outcome is not Kind.FAIL and op.began < (before or 0) for op in adds)

    pairs = [(op, element, elements) for op, elements in reads for element in elements]
    phantom = any(not tried(element, op.ended) for op, element, _ in pairs)
    duplicate = any(elements.count(element) > max(1, tried(element, op.ended)) for op, element, elements in pairs)
    restless = any(op.completion is None for op in adds)
    divergent = any(Counter(one) != Counter(two) for one in finals for two in finals)
    lost = any(op.outcome is Kind.OK and op.argument not in elements for op in adds for elements in finals)

    assert word(PhantomFree().check(history)) == ("refuted" if phantom else "upheld")
    assert word(DuplicateFree().check(history)) == ("refuted" if duplicate else "upheld")
    assert word(Convergent().check(history)) == ("undecided" if restless else "refuted" if divergent else "upheld")
    assert word(Lossless().check(history)) == ("undecided" if restless else "refuted" if lost else "upheld")


@given(histories())
@pytest.mark.parametrize(
    "checker", [Convergent(), Lossless(), PhantomFree(), DuplicateFree()], ids=lambda c: type(c).__name__
)
def test_the_history_of_an_anomaly_is_refuted_by_itself(checker: Checker, history: History) -> None:
    match checker.check(history):
        case Refuted(anomaly):
            assert anomaly.history is not None
            alone = checker.check(anomaly.history)
            assert isinstance(alone, Refuted)
            assert json.dumps(alone.evidence)
        case Upheld() | Undecided():
            pass


@given(histories(), st.randoms(use_true_random=False))
def test_the_order_of_final_reads_makes_no_difference(history: History, random: Any) -> None:
    events = list(history)
    cut = next(at for at, event in enumerate(events) if event.action == "final") + 1
    reads = [events[at : at + 2] for at in range(cut, len(events), 2)]
    random.shuffle(reads)
    shuffled = History.of_events([*events[:cut], *(event for read in reads for event in read)])
    for checker in (Convergent(), Lossless()):
        assert word(checker.check(shuffled)) == word(checker.check(history))
