"""Long forks: two reads that see two writes in opposite orders."""

from __future__ import annotations

from importlib import import_module
from itertools import combinations, permutations
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from upheld.checkers.invariants import LongFork
from upheld.checkers.verdict import Undecided
from upheld.histories.errors import MalformedHistory
from upheld.histories.history import History
from upheld.histories.notation import parse
from upheld.testing.traces import story

small = import_module("small_invariants")
WRITTEN = "w(x); w(y); w(z);"


def history(text: str) -> History:
    """`w(x)` writes x; `r(x=1,y)` reads x, which is written, and y, which is not."""
    lines = []
    for number, told in enumerate(filter(None, map(str.strip, text.split(";")))):
        cells = [cell.partition("=") for cell in told[2:-1].split(",")]
        if told.startswith("w"):
            steps = ",".join(f'["w","{key}",1]' for key, _, _ in cells)
            lines += [f"{number} invoke txn [{steps}]", f"{number} ok txn [{steps}]"]
        else:
            asked = ",".join(f'["r","{key}",null]' for key, _, _ in cells)
            shown = ",".join(f'["r","{key}",{value or "null"}]' for key, _, value in cells)
            lines += [f"{number} invoke txn [{asked}]", f"{number} ok txn [{shown}]"]
    return parse("\n".join(lines))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param("r(x=1,y); r(x,y=1)", "long-fork", id="opposite orders"),
        pytest.param("r(x=1,y); r(x=1,y=1)", "upheld", id="one after the other"),
        pytest.param("r(x,y); r(x=1,y)", "upheld", id="the same order"),
        pytest.param("r(x=1,y,z); r(y=1,x,z=1)", "long-fork", id="two of three keys"),
        pytest.param("r(x=1,y); r(y=1,z); r(z=1,x)", "undecided", id="a group for each pair"),
        pytest.param("r(x=1,y,z); r(x,y=1)", "long-fork", id="groups that share two keys"),
        pytest.param("r(x=1,y); r(x,z=1)", "undecided", id="groups that share one key"),
        pytest.param("r(x=1,y)", "undecided", id="one read"),
        pytest.param("r(x=1); r(x)", "undecided", id="reads of one key"),
    ],
)
def test_two_reads_see_two_writes_in_the_same_order(text: str, expected: str) -> None:
    assert small.judged(LongFork(), history(WRITTEN + text)) == expected


def test_the_story_shows_writes_and_reads() -> None:
    assert story(LongFork().check(history("w(x); w(y); r(x=1,y); r(x,y=1)"))) == (
        'One read shows the write of "x" and not that of "y", the other that of "y" and not that of "x":\n'
        '  events 0 to 1, process 0: txn([["w","x",1]]) -> [["w","x",1]]\n'
        '  events 2 to 3, process 1: txn([["w","y",1]]) -> [["w","y",1]]\n'
        '  events 4 to 5, process 2: txn([["r","x",null],["r","y",null]]) -> [["r","x",1],["r","y",null]]\n'
        '  events 6 to 7, process 3: txn([["r","x",null],["r","y",null]]) -> [["r","x",null],["r","y",1]]\n'
        "All observers see two writes in the same order."
    )


def test_a_key_that_is_written_twice_makes_it_not_applicable() -> None:
    verdict = LongFork().check(history("w(x); w(x); r(x=1,y); r(x,y=1)"))
    assert isinstance(verdict, Undecided)
    assert verdict.reason.startswith("not applicable: a key is written twice")
    assert not verdict.is_vacuous


def test_who_writes_a_key_is_no_observer_of_it() -> None:
    own = (
        '9 invoke txn [["w","y",1],["r","x",null],["r","y",null]]\n9 ok txn [["w","y",1],["r","x",null],["r","y",1]]\n'
    )
    other = '8 invoke txn [["r","x",null],["r","y",null]]\n8 ok txn [["r","x",1],["r","y",null]]\n'
    assert small.judged(LongFork(), parse(own + other)) == "undecided"


def test_other_steps_are_no_transaction_of_reads_and_writes() -> None:
    with pytest.raises(MalformedHistory, match="no transaction of reads and writes"):
        LongFork().check(parse('0 invoke txn [["append","x",1]]\n0 ok txn [["append","x",1]]\n'))


READS = st.dictionaries(st.sampled_from("xyz"), st.booleans(), min_size=1, max_size=3)


@given(st.lists(READS, max_size=6))
def test_a_long_fork_is_its_definition(views: list[dict[str, bool]]) -> None:
    told = [",".join(f"{key}=1" if shown else key for key, shown in view.items()) for view in views]
    made = history(WRITTEN + "".join(f"r({each});" for each in told))
    shared = [set(one) & set(other) for one, other in combinations(views, 2)]

    def is_fork(one: dict[str, Any], other: dict[str, Any]) -> bool:
        both = permutations(set(one) & set(other), 2)
        return any(one[x] and not one[y] and other[y] and not other[x] for x, y in both)

    forks = any(is_fork(one, other) for one, other in combinations(views, 2))
    expected = "long-fork" if forks else "upheld" if any(len(keys) > 1 for keys in shared) else "undecided"
    assert small.judged(LongFork(), made) == expected
