"""What is left of a failing history fails, and every operation of it is needed."""

from __future__ import annotations

from collections.abc import Callable

from hypothesis import given
from hypothesis import strategies as st

from upheld.checkers.minimal import minimal_history
from upheld.histories.history import History
from upheld.histories.notation import parse

EIGHT = parse("".join(f"{number % 3} invoke write {number}\n{number % 3} ok write\n" for number in range(8)))


def written(history: History) -> set[object]:
    return {operation.argument for operation in history.operations}


def needs(*values: int) -> Callable[[History], bool]:
    """Fails while all of these are written."""
    return lambda history: set(values) <= written(history)


@given(st.sets(st.integers(0, 7), min_size=1))
def test_exactly_what_is_needed_is_left(values: set[int]) -> None:
    assert written(minimal_history(EIGHT, needs(*values))) == values


@given(st.lists(st.sets(st.integers(0, 7), min_size=1), min_size=1, max_size=4))
def test_no_operation_of_what_is_left_can_be_left_out(reasons: list[set[int]]) -> None:
    def fails(history: History) -> bool:
        return any(needs(*reason)(history) for reason in reasons)

    left = minimal_history(EIGHT, fails)
    assert fails(left)
    assert not any(fails(left.without([operation])) for operation in left.operations)


def test_what_is_known_to_suffice_is_begun_with() -> None:
    asked: list[int] = []

    def fails(history: History) -> bool:
        asked.append(len(history.operations))
        return needs(3, 5)(history)

    known = [operation for operation in EIGHT.operations if operation.argument in {3, 4, 5}]
    assert written(minimal_history(EIGHT, fails, begin_with=known)) == {3, 5}
    assert max(asked) == 3


def test_what_does_not_suffice_is_not_trusted() -> None:
    assert written(minimal_history(EIGHT, needs(3, 5), begin_with=EIGHT.operations[:2])) == {3, 5}


def test_faults_stay_where_they_are() -> None:
    history = parse("nemesis info crash n1\n0 invoke write 1\n0 ok write\n1 invoke write 2\n1 ok write\n")
    left = minimal_history(history, needs(2))
    assert [event.process for event in left] == ["nemesis", 1, 1]
