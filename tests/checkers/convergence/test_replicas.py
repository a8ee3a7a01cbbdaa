"""What replicas noted: the same updates and the same state, and every update everywhere."""

from __future__ import annotations

import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from upheld.checkers.convergence import StronglyConvergent, TakenInEverywhere
from upheld.checkers.convergence.states import Sums
from upheld.checkers.verdict import Refuted, Undecided, Upheld, Verdict, word
from upheld.histories.errors import MalformedHistory
from upheld.histories.evidence import Evidence
from upheld.histories.notation import parse
from upheld.histories.trace import Note, Trace
from upheld.histories.values import Map


def merged(time: int, node: str, updates: str) -> Note:
    return Note(time, node, "merged", (tuple(updates),))


def state(time: int, node: str, digest: str, **fields: int) -> Note:
    return Note(time, node, "state", (digest, Map(fields)))


def kind_of(verdict: Verdict) -> str:
    return verdict.anomaly.kind if isinstance(verdict, Refuted) else word(verdict)


# --- strong convergence

STATES: dict[str, tuple[tuple[Note, ...], str]] = {
    "the same": ((merged(1, "a", "xy"), state(2, "a", "1"), merged(3, "b", "xy"), state(4, "b", "1")), "upheld"),
    "another order": ((merged(1, "a", "xy"), state(2, "a", "1"), merged(3, "b", "yx"), state(4, "b", "1")), "upheld"),
    "taken in twice": ((merged(1, "a", "xyx"), state(2, "a", "1"), merged(3, "b", "xy"), state(4, "b", "1")), "upheld"),
    "another state": (
        (merged(1, "a", "xy"), state(2, "a", "1"), merged(3, "b", "yx"), state(4, "b", "2")),
        "divergent-states",
    ),
    "other updates": ((merged(1, "a", "x"), state(2, "a", "1"), merged(3, "b", "y"), state(4, "b", "2")), "undecided"),
    "an old state of a replica that has gone on": (
        (merged(1, "a", "x"), state(2, "a", "1"), merged(3, "a", "y"), merged(4, "b", "x"), state(5, "b", "2")),
        "divergent-states",
    ),
    "what a crash took away counts no more": (
        (
            merged(1, "a", "xy"),
            state(2, "a", "1"),
            Note(3, "a", "crash", ("fault",)),
            Note(4, "a", "restart", ()),
            merged(5, "a", "x"),
            state(6, "a", "2"),
        ),
        "undecided",
    ),
    "a replica alone differs from itself": (
        (merged(1, "a", "x"), state(2, "a", "1"), state(3, "a", "2")),
        "divergent-states",
    ),
    "no states": ((merged(1, "a", "x"),), "undecided"),
}


@pytest.mark.parametrize(("notes", "expected"), STATES.values(), ids=STATES)
def test_strong_convergence(notes: tuple[Note, ...], expected: str) -> None:
    assert kind_of(StronglyConvergent().check(Trace(notes))) == expected


def test_the_story_shows_the_first_field_in_which_two_states_differ() -> None:
    notes = (
        merged(1_000_000, "a", "xy"),
        state(2_000_000, "a", "1", size=2, sum=7),
        merged(3_000_000, "b", "yx"),
        state(4_000_000, "b", "2", size=2, sum=8),
    )
    verdict = StronglyConvergent().check(Trace(notes))
    assert isinstance(verdict, Refuted)
    assert verdict.anomaly.story[0] == 'a and b have taken in the same updates ("y", "x") and are in two states'
    assert verdict.anomaly.story[-1] == "The first field in which they differ is sum: 7 at a, 8 at b"


def test_updates_that_are_no_array_are_malformed() -> None:
    with pytest.raises(MalformedHistory, match="the updates are no array"):
        StronglyConvergent().check(Trace([Note(1, "a", "merged", ("x",))]))


@given(st.lists(st.tuples(st.sampled_from("ab"), st.sampled_from("xyz"), st.integers(0, 1)), max_size=8))
def test_it_is_the_comparison_of_each_two_states(told: list[tuple[str, str, int]]) -> None:
    notes, sets, seen = [], {"a": frozenset[str](), "b": frozenset[str]()}, []
    for time, (node, update, digest) in enumerate(told):
        notes += [merged(time, node, update), state(time, node, str(digest))]
        sets[node] |= {update}
        seen.append((sets[node], digest))
    differ = any(one[0] == two[0] and one[1] != two[1] for one in seen for two in seen)
    compared = len({updates for updates, _ in seen}) < len(seen)
    verdict = StronglyConvergent().check(Trace(notes))
    assert word(verdict) == ("refuted" if differ else "upheld" if compared else "undecided")


def test_sums_are_the_same_in_every_process() -> None:
    program = (
        "from upheld.checkers.convergence.states import Sums; from upheld.histories.trace import Note; "
        "sums = Sums(); sums.observe(Note(1, 'a', 'merged', (('x', ('y', 1)),))); print(sums.at('a').total)"
    )
    sums = Sums()
    sums.observe(Note(1, "a", "merged", (("x", ("y", 1)),)))
    for seed in ("1", "2"):
        told = subprocess.run(
            [sys.executable, "-c", program],
            env={"PYTHONHASHSEED": seed, "PYTHONPATH": ":".join(sys.path)},
            capture_output=True,
            text=True,
            check=True,
        )
        assert int(told.stdout) == sums.at("a").total


# --- every update everywhere

PHASES = "phases info heal time=10\nphases info quiet time=50\nphases info final time=90\n"
ADDED = '0 invoke add "x" time=0\n0 ok add time=5\n'


def everywhere(*notes: Note, text: str = ADDED + PHASES) -> Verdict:
    return TakenInEverywhere()(Evidence(parse(text), Trace(notes, nodes=("a", "b"))))


def test_every_replica_has_taken_in_every_update() -> None:
    verdict = everywhere(merged(1, "a", "x"), merged(60, "b", "x"))
    assert isinstance(verdict, Upheld)
    assert verdict.evidence == {"updates": 1, "replicas": 2}


def test_an_update_that_a_replica_lacks_when_the_final_phase_begins_is_missing() -> None:
    deliver = Note(30, "b", "deliver", (7, "a", "sync"))
    verdict = everywhere(merged(1, "a", "x"), deliver, merged(95, "b", "x"))
    assert isinstance(verdict, Refuted)
    assert verdict.anomaly.kind == "missing-update"
    assert verdict.anomaly.story == (
        'process 0: add("x") was acknowledged at event 1',
        'a had taken in "x" at 1e-06 ms',
        "b has not taken it in when the final phase begins at 9e-05 ms",
        "The last message from a came to b at 3e-05 ms",
    )


EVERYWHERE: dict[str, tuple[tuple[Note, ...], str]] = {
    "acknowledged, and taken in by nobody": ((merged(1, "a", "y"), merged(2, "b", "y")), "missing-update"),
    "never acknowledged, and at one replica": (
        (merged(1, "a", "xy"), merged(2, "b", "x")),
        "missing-update",
    ),
    "new in quiet times": ((merged(1, "a", "x"), merged(2, "b", "x"), merged(60, "a", "y")), "upheld"),
    "forgotten in a crash": (
        (merged(1, "a", "x"), merged(2, "b", "x"), Note(20, "b", "crash", ("",)), Note(21, "b", "restart", ())),
        "missing-update",
    ),
    "a replica that is dead for ever owes nothing": (
        (merged(1, "a", "x"), Note(5, "b", "crash", ("",))),
        "upheld",
    ),
    "replicas that note nothing": ((), "undecided"),
}


@pytest.mark.parametrize(("notes", "expected"), EVERYWHERE.values(), ids=EVERYWHERE)
def test_every_update_everywhere(notes: tuple[Note, ...], expected: str) -> None:
    assert kind_of(everywhere(*notes)) == expected


def test_quiescence_is_declared_and_checked() -> None:
    notes = (merged(1, "a", "x"), merged(2, "b", "x"))
    undeclared = everywhere(*notes, text=ADDED)
    assert isinstance(undeclared, Undecided)
    assert "there is no phase 'heal'" in undeclared.reason
    timeless = everywhere(*notes, text=ADDED + "phases info heal\nphases info quiet\nphases info final\n")
    assert isinstance(timeless, Undecided)
    assert "no times" in timeless.reason
