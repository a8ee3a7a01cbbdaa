"""Native core, Python twin and definition agree about every history; what they show for it can be checked."""

from __future__ import annotations

from collections import Counter
from typing import Any, Final, Literal

from hypothesis import given
from hypothesis import strategies as st
from linearizability_by_definition import can_be_left_out, first_impossible_event, is_linearizable, same
from linearizability_worlds import WORLDS, history_of

from upheld import native
from upheld.checkers.linearizability import Linearizable, fault_in
from upheld.checkers.verdict import Refuted, Undecided, Upheld, Verdict, describe
from upheld.histories.history import History

ENGINES: Final[tuple[Literal["native", "pure"], ...]] = ("native", "pure") if native.core is not None else ("pure",)

numbers = st.integers(0, 2**16 - 1)
moves = st.lists(numbers, min_size=15, max_size=30)
lies = st.lists(numbers, max_size=3)


def verdicts(history: History, model: Any, **options: Any) -> list[Verdict]:
    return [Linearizable(model, engine=engine, **options).check(history) for engine in ENGINES]


def test_engines_and_definition_agree_and_their_evidence_holds() -> None:
    seen: Counter[tuple[str, type]] = Counter()

    @given(st.sampled_from(sorted(WORLDS)), moves, lies)
    def agree(name: str, moves: list[int], lies: list[int]) -> None:
        world = WORLDS[name]
        history, model = history_of(world, moves, lies), world.make()
        first, *others = verdicts(history, model)
        assert isinstance(first, Upheld) == is_linearizable(history, model)
        assert not isinstance(first, Undecided)
        assert all(describe(other) == describe(first) for other in others)
        if isinstance(first, Upheld):
            assert fault_in(first.witness, history, model) is None
            assert all(isinstance(other, Upheld) and other.witness == first.witness for other in others)
        elif isinstance(first, Refuted):
            holds(first, history, model)
        seen[name, type(first)] += 1

    agree()
    assert {name for name, _ in seen} == set(WORLDS)
    for name in WORLDS:
        both = seen[name, Upheld], seen[name, Refuted]
        assert min(both) * 20 >= sum(both), f"{name}: {both} upheld and refuted"


def holds(verdict: Refuted, history: History, model: Any) -> None:
    """The counter-example is impossible, begins to be so with its last event, and needs all of its operations."""
    anomaly = verdict.anomaly
    assert anomaly.history is not None
    assert not is_linearizable(anomaly.history, model)
    assert is_linearizable(anomaly.history[:-1], model)
    event = anomaly.history[-1].index
    assert event == verdict.evidence["first_impossible_event"] == first_impossible_event(history, model)
    last = next(each for each in anomaly.operations if each.completion == event)
    for one in anomaly.operations:
        if not same(one, last):
            assert not can_be_left_out(history, anomaly.operations, one, last, model), f"{one} can be left out"


@given(st.sampled_from(sorted(WORLDS)), moves, lies, st.integers(0, 12))
def test_a_budget_ends_both_engines_at_the_same_step(
    name: str, moves: list[int], lies: list[int], steps_max: int
) -> None:
    world = WORLDS[name]
    history = history_of(world, moves, lies)
    first, *others = verdicts(history, world.make(), steps_max=steps_max)
    assert all(describe(other) == describe(first) for other in others)
    if isinstance(first, Undecided):
        verified = first.evidence["verified_before"]
        assert is_linearizable(history.filter(lambda event: event.index < verified), world.make())
