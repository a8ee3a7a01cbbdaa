"""What acceptors of Paxos may do, and what a decision rests on: traces by hand, and definitions over all of a trace."""

from __future__ import annotations

from collections.abc import Callable
from itertools import product
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from upheld.checkers.consensus import (
    ChosenByQuorum,
    ChosenStays,
    DecidesAmongRivals,
    DecreesDurable,
    OneValuePerBallot,
    PromisesKept,
)
from upheld.checkers.monitor import SafetyProperty
from upheld.checkers.verdict import Refuted
from upheld.histories.errors import MalformedHistory
from upheld.histories.trace import Note, Trace
from upheld.testing.traces import cases, outcome, story, trace

NODES = ("n1", "n2", "n3")


# --- promises


@pytest.mark.parametrize(
    ("text", "expected"),
    cases(
        ("nobody was bound", "n1 start", "undecided"),
        ("promises grow", 'n1 promised [1,"n1"]; n1 promised [1,"n2"]; n1 promised [2,"n1"]', "upheld"),
        ("each acceptor has its own", 'n1 promised [9,"n1"]; n1 promised [9,"n2"]; n2 promised [1,"n1"]', "upheld"),
        ("it promises less than before", 'n1 promised [2,"n1"]; n1 promised [1,"n2"]', "promise-went-back"),
        ("equal numbers, lower node", 'n1 promised [2,"n2"]; n1 promised [2,"n1"]', "promise-went-back"),
        ("it accepts what it promised", 'n1 promised [2,"n2"]; n1 accepted 1 [2,"n2"] a', "upheld"),
        ("it accepts below", 'n1 promised [2,"n2"]; n1 accepted 1 [1,"n2"] a', "accepted-below-promise"),
        ("a promise holds for all slots", 'n1 promised [2,"n2"]; n1 accepted 7 [1,"n2"] a', "accepted-below-promise"),
        ("an acceptance binds, too", 'n1 accepted 1 [2,"n2"] a; n1 promised [1,"n1"]', "promise-went-back"),
        ("a crash does not free it",
         'n1 promised [2,"n1"]; n1 crash f; n1 restart; n1 promised [1,"n2"]', "promise-went-back"),
        ("it comes back with less",
         'n1 promised [2,"n1"]; n1 crash f; n1 restart; n1 restored 1 n1 0 0', "promise-lost"),
        ("it comes back with none",
         'n1 promised [2,"n1"]; n1 crash f; n1 restart; n1 restored 0 null 0 0', "promise-lost"),
        ("it comes back with all",
         'n1 promised [2,"n1"]; n1 crash f; n1 restart; n1 restored 2 n1 0 0', "upheld"),
        ("it tells again what it had accepted before its last promise",
         'n1 accepted 1 [1,"n1"] a; n1 promised [2,"n1"]; n1 crash f; n1 restart; n1 accepted 1 [1,"n1"] a', "upheld"),
    ),
)  # fmt: skip
def test_an_acceptor_keeps_its_promises(text: str, expected: str) -> None:
    assert outcome(PromisesKept().check(trace(text))) == expected


# --- ballots and choices


@pytest.mark.parametrize(
    ("text", "expected"),
    cases(
        ("nobody accepted", "n1 start", "undecided"),
        ("one value at a ballot", 'n1 accepted 1 [1,"n1"] a; n2 accepted 1 [1,"n1"] a', "upheld"),
        ("another at another ballot", 'n1 accepted 1 [1,"n1"] a; n2 accepted 1 [1,"n2"] b', "upheld"),
        ("another in another slot", 'n1 accepted 1 [1,"n1"] a; n2 accepted 2 [1,"n1"] b', "upheld"),
        ("two values at a ballot", 'n1 accepted 1 [1,"n1"] a; n2 accepted 1 [1,"n1"] b', "two-values"),
        ("values are compared by type", 'n1 accepted 1 [1,"n1"] 1; n2 accepted 1 [1,"n1"] true', "two-values"),
    ),
)
def test_a_ballot_has_one_value(text: str, expected: str) -> None:
    assert outcome(OneValuePerBallot().check(trace(text))) == expected


QUORUM = 'n1 accepted 1 [1,"n1"] a; n2 accepted 1 [1,"n1"] a; '


@pytest.mark.parametrize(
    ("text", "expected"),
    cases(
        ("nothing was decided", QUORUM, "undecided"),
        ("a majority accepted it", QUORUM + "n3 decided 1 a", "upheld"),
        ("nobody accepted it", "n3 decided 1 a", "no-quorum"),
        ("one accepted it", 'n1 accepted 1 [1,"n1"] a; n1 decided 1 a', "no-quorum"),
        ("a majority accepted another", QUORUM + "n3 decided 1 b", "no-quorum"),
        ("in another slot", QUORUM + "n3 decided 2 a", "no-quorum"),
        ("at two ballots", 'n1 accepted 1 [1,"n1"] a; n2 accepted 1 [2,"n1"] a; n1 decided 1 a', "no-quorum"),
        ("one that tells it twice is one",
         'n1 accepted 1 [1,"n1"] a; n1 accepted 1 [1,"n1"] a; n1 decided 1 a', "no-quorum"),
        ("only later", 'n1 accepted 1 [1,"n1"] a; n1 decided 1 a; n2 accepted 1 [1,"n1"] a', "no-quorum"),
    ),
)  # fmt: skip
def test_what_is_decided_was_accepted_by_a_majority_at_one_ballot(text: str, expected: str) -> None:
    assert outcome(ChosenByQuorum().check(trace(text, nodes=NODES))) == expected


def test_half_of_the_nodes_are_no_majority() -> None:
    assert (
        outcome(ChosenByQuorum().check(trace(QUORUM + "n1 decided 1 a", nodes=("n1", "n2", "n3", "n4")))) == "no-quorum"
    )


@pytest.mark.parametrize(
    ("text", "expected"),
    cases(
        ("nothing was chosen", 'n1 accepted 1 [1,"n1"] a; n2 accepted 1 [2,"n2"] b', "undecided"),
        ("the same at a higher ballot", QUORUM + 'n3 accepted 1 [2,"n3"] a', "upheld"),
        ("another at a lower ballot", 'n3 accepted 1 [0,"n3"] b; ' + QUORUM, "upheld"),
        ("another in another slot", QUORUM + 'n3 accepted 2 [2,"n3"] b', "upheld"),
        ("another at a higher ballot", QUORUM + 'n3 accepted 1 [2,"n3"] b', "chosen-overruled"),
        ("it was accepted before", 'n3 accepted 1 [2,"n3"] b; ' + QUORUM, "chosen-overruled"),
        ("two choices, the lower one later",
         'n2 accepted 1 [3,"n3"] b; n3 accepted 1 [3,"n3"] b; ' + QUORUM, "chosen-overruled"),
    ),
)  # fmt: skip
def test_what_is_chosen_stays(text: str, expected: str) -> None:
    assert outcome(ChosenStays().check(trace(text, nodes=NODES))) == expected


# --- disks


@pytest.mark.parametrize(
    ("text", "expected"),
    cases(
        ("nothing was acknowledged", QUORUM, "undecided"),
        ("on two disks of three", QUORUM + "n1 acknowledged 1 0 c0 1", "upheld"),
        ("on one", 'n1 accepted 1 [1,"n1"] a; n1 acknowledged 1 0 c0 1', "too-few-disks"),
        ("two disks hold different values",
         'n1 accepted 1 [1,"n1"] a; n2 accepted 1 [2,"n2"] b; n1 acknowledged 1 0 c0 1', "too-few-disks"),
        ("a snapshot stands for it", QUORUM + "n2 compacted 1 0; n1 acknowledged 1 0 c0 1", "upheld"),
        ("a snapshot from elsewhere", 'n1 accepted 1 [1,"n1"] a; n2 installed 3 0; n1 acknowledged 1 0 c0 1', "upheld"),
        ("a node that is down still has it", QUORUM + "n1 acknowledged 1 0 c0 1; n2 crash f; n2 restart", "upheld"),
        ("it comes back without",
         QUORUM + "n1 acknowledged 1 0 c0 1; n2 crash f; n2 restart; n2 restored 1 n1 0 0", "acknowledged-lost"),
        ("it comes back with nothing at all",
         QUORUM + 'n1 acknowledged 1 0 c0 1; n2 crash f; n2 restart; n2 promised [2,"n2"]', "acknowledged-lost"),
        ("it comes back with it",
         QUORUM + 'n1 acknowledged 1 0 c0 1; n2 crash f; n2 restart; n2 accepted 1 [1,"n1"] a; n2 restored 1 n1 1 0',
         "upheld"),
        ("a node that came back with nothing accepts it",
         "n2 crash f; n2 restart; " + QUORUM + "n1 acknowledged 1 0 c0 1", "upheld"),
        ("it comes back with a snapshot",
         QUORUM + "n1 acknowledged 1 0 c0 1; n2 crash f; n2 restart; n2 restored 1 n1 1 1", "upheld"),
    ),
)  # fmt: skip
def test_an_acknowledged_decree_stays_on_a_majority_of_disks(text: str, expected: str) -> None:
    assert outcome(DecreesDurable().check(trace(text, nodes=NODES))) == expected


# --- duels


def rounds(count: int, *, ends: str = "") -> Trace:
    notes = [f'{node} promised [{number},"{node}"]' for number in range(1, count + 1) for node in ("n1", "n2")]
    return trace(";".join([*notes, ends]))


def test_a_duel_is_two_proposers_that_begin_ballot_after_ballot_and_decide_nothing() -> None:
    assert outcome(DecidesAmongRivals().check(rounds(10))) == "duel"
    assert outcome(DecidesAmongRivals().check(rounds(9))) == "undecided"
    assert outcome(DecidesAmongRivals().check(rounds(10, ends="n3 decided 1 a"))) == "upheld"
    alone = ";".join(f'n1 promised [{number},"n1"]; n2 promised [{number},"n1"]' for number in range(1, 30))
    assert outcome(DecidesAmongRivals().check(trace(alone))) == "undecided"


# --- stories


def test_stories_quote_the_notes() -> None:
    assert story(PromisesKept().check(trace('n1 promised [2,"n2"]; n1 accepted 1 [1,"n2"] a'))) == (
        "n1 accepts at (1, n2) when it was bound by (2, n2):\n"
        "  at 1 ms: n1 promised (ballot (2, 'n2'))\n"
        "  at 2 ms: n1 accepted (slot 1, ballot (1, 'n2'), value a)\n"
        "Below what it has promised, an acceptor does nothing."
    )
    assert story(ChosenByQuorum().check(trace('n1 accepted 1 [1,"n1"] a; n1 decided 1 a', nodes=NODES))) == (
        'n1 decides "a" for slot 1, which 1 of 3 nodes had accepted at one ballot, not more:\n'
        "  at 1 ms: n1 accepted (slot 1, ballot (1, 'n1'), value a)\n"
        "  at 2 ms: n1 decided (slot 1, value a)\n"
        "A value is chosen when a majority has accepted it at one ballot."
    )
    assert story(ChosenStays().check(trace(QUORUM + 'n3 accepted 1 [2,"n3"] b', nodes=NODES))) == (
        'In slot 1, a majority accepts "a" at ballot (1, n1), and n3 accepts "b" at the higher ballot (2, n3):\n'
        "  at 1 ms: n1 accepted (slot 1, ballot (1, 'n1'), value a)\n"
        "  at 2 ms: n2 accepted (slot 1, ballot (1, 'n1'), value a)\n"
        "  at 3 ms: n3 accepted (slot 1, ballot (2, 'n3'), value b)\n"
        "Once a value is chosen, every higher ballot has that value."
    )
    lost = QUORUM + "n1 acknowledged 1 0 c0 1; n2 crash f; n2 restored 1 n1 0 0"
    assert story(DecreesDurable().check(trace(lost, nodes=NODES))) == (
        "Slot 1 was acknowledged; of 3 disks these hold it: n1:\n"
        "  at 1 ms: n1 accepted (slot 1, ballot (1, 'n1'), value a)\n"
        "  at 3 ms: n1 acknowledged (index 1, term 0, client c0, msg_id 1)\n"
        "  at 5 ms: n2 restored (term 1, voted n1, last_index 0, snapshot_index 0)\n"
        "An acknowledged command is on a majority of disks, and no restart loses it."
    )


@pytest.mark.parametrize("facts", ["7", '["one","n1"]', '[true,"n1"]', "[1]"])
def test_a_ballot_that_is_no_number_with_a_node_is_no_evidence(facts: str) -> None:
    with pytest.raises(MalformedHistory, match="the ballot is no number with a node"):
        PromisesKept().check(trace(f"n1 promised {facts}"))


# --- definitions: over all of a trace, as often as it takes

BALLOTS = ((1, "n1"), (1, "n2"), (2, "n1"))


@st.composite
def traces(draw: st.DrawFn) -> Trace:
    """Acceptors that do anything, decisions, acknowledgements and crashes among them."""
    ballots, nodes, values = st.sampled_from(BALLOTS), st.sampled_from(NODES), st.sampled_from(("a", "b"))
    one = st.one_of(
        st.tuples(nodes, st.just("promised"), st.tuples(ballots)),
        st.tuples(nodes, st.just("accepted"), st.tuples(st.just(1), ballots, values)),
        st.tuples(nodes, st.just("accepted"), st.tuples(st.just(1), ballots, values)),
        st.tuples(nodes, st.just("decided"), st.tuples(st.just(1), values)),
        st.tuples(nodes, st.just("acknowledged"), st.just((1, 0, "c0", 1))),
        st.tuples(nodes, st.just("crash"), st.just(("fault",))),
        st.tuples(nodes, st.just("restored"), st.tuples(st.just(1), st.just("n1"), st.just(1), st.just(0))),
    )
    told = draw(st.lists(one, max_size=9))
    return Trace([Note(at, *note) for at, note in enumerate(told)], nodes=NODES)


def acceptances(told: Trace) -> list[tuple[str, tuple[int, str], Any]]:
    return [(note.node, note.facts[1], note.facts[2]) for note in told if note.kind == "accepted"]  # type: ignore[misc]


def voters(told: Trace, ballot: tuple[int, str], value: str) -> set[str]:
    return {node for node, at, what in acceptances(told) if (at, what) == (ballot, value)}


def breaks_promise(told: Trace) -> bool:
    """Some node does something at a ballot, and later something new at a lower one."""
    for node in NODES:
        bound: list[tuple[int, str]] = []
        seen: set[Any] = set()
        for note in told:
            if note.node != node or note.kind not in {"promised", "accepted", "restored"}:
                continue
            ballot: Any = {"promised": 0, "accepted": 1}.get(note.kind)
            at: Any = note.facts[:2] if ballot is None else note.facts[ballot]
            if note.kind == "accepted" and at in seen:
                continue
            if any(at < before for before in bound):
                return True
            bound.append(at)
            if note.kind == "accepted":
                seen.add(at)
    return False


def has_two_values(told: Trace) -> bool:
    """Two acceptances at one ballot differ."""
    return any(one[1] == two[1] and one[2] != two[2] for one, two in product(acceptances(told), repeat=2))


def decides_without_quorum(told: Trace) -> bool:
    """Some decision has no ballot at which a majority had accepted its value."""
    return any(
        note.kind == "decided"
        and not any(len(voters(told[:at], ballot, str(note.facts[1]))) >= 2 for ballot in BALLOTS)
        for at, note in enumerate(told)
    )


def overrules(told: Trace) -> bool:
    """A majority accepts a value at one ballot, and somebody another at a higher one."""
    return any(
        len(voters(told, ballot, value)) >= 2
        and any(at > ballot and what != value for _, at, what in acceptances(told))
        for ballot, value in product(BALLOTS, ("a", "b"))
    )


def value_held(told: Trace, node: str) -> Any:
    """What the node's disk holds in slot 1: what it accepted last, unless it came back without telling so."""
    held: list[Any] = []
    again: list[Any] | None = None
    for note in told:
        if note.node != node:
            continue
        if note.kind == "crash":
            again = []
        elif note.kind == "accepted":
            held.append(note.facts[2])
            if again is not None:
                again.append(note.facts[2])
        elif again is not None:
            held, again = again, None
    return held[-1] if held else None


def loses_acknowledged(told: Trace) -> bool:
    """At some moment from the acknowledgement on, no two disks hold the same value for the slot."""
    acknowledged = False
    for at, note in enumerate(told):
        is_new = note.kind == "acknowledged"
        acknowledged |= is_new
        came_back = (
            value_held(told[:at], note.node) != value_held(told[: at + 1], note.node) and note.kind != "accepted"
        )
        if acknowledged and (is_new or came_back):
            values = [value_held(told[: at + 1], node) for node in NODES]
            if not any(values.count(value) >= 2 for value in ("a", "b")):
                return True
    return False


@pytest.mark.parametrize(
    ("judge", "definition"),
    [
        (PromisesKept, breaks_promise),
        (OneValuePerBallot, has_two_values),
        (ChosenByQuorum, decides_without_quorum),
        (ChosenStays, overrules),
        (DecreesDurable, loses_acknowledged),
    ],
)
def test_the_judge_refutes_exactly_what_the_definition_calls_broken(
    judge: type[SafetyProperty], definition: Callable[[Trace], bool]
) -> None:
    seen = set()

    @settings(max_examples=250, deadline=None, derandomize=True)
    @given(told=traces())
    def agree(told: Trace) -> None:
        broken = definition(told)
        assert isinstance(judge().check(told), Refuted) == broken
        seen.add(broken)

    agree()
    assert seen == {True, False}
