"""What all judges of invariants have in common."""

from __future__ import annotations

from importlib import import_module

import pytest

from upheld.checkers.invariants import INVARIANTS
from upheld.checkers.invariants.invariant import QUOTED_MAX, REDUCED_MAX
from upheld.checkers.verdict import Refuted, Undecided
from upheld.histories.history import Header, History
from upheld.histories.notation import parse

small = import_module("small_invariants")

BROKEN = {
    "bank": '0 invoke read; 0 ok read {"a":-1}',
    "counter": "0 invoke read; 0 ok read 1",
    "logs": '0 invoke poll [["poll"]]; 0 ok poll [["poll",{"k":[[0,1]]}]]',
    "long-fork": '0 invoke txn [["r","x",null],["r","y",null]]; 0 ok txn [["r","x",1],["r","y",null]];'
    '0 invoke txn [["r","x",null],["r","y",null]]; 0 ok txn [["r","x",null],["r","y",1]]',
    "monotonic-keys": "0 invoke read; 0 ok read 2; 0 invoke read; 0 ok read 1",
    "queue": "0 invoke dequeue; 0 ok dequeue 1",
    "set": "0 invoke read; 0 ok read [1]",
    "set-full": "0 invoke read; 0 ok read [1]",
    "total-queue": "0 invoke dequeue; 0 ok dequeue 1",
    "unique-ids": "0 invoke generate; 0 ok generate 1; 0 invoke generate; 0 ok generate 1",
}


def history(text: str) -> History:
    return parse(text.replace(";", "\n"))


def test_every_judge_is_in_the_table_by_its_name() -> None:
    assert sorted(INVARIANTS) == sorted(BROKEN)
    assert all(make().name == name for name, make in INVARIANTS.items())


@pytest.mark.parametrize("name", sorted(BROKEN))
def test_a_judge_refutes_what_breaks_its_rule_and_shows_why(name: str) -> None:
    judge = INVARIANTS[name]()
    verdict = judge.check(history(BROKEN[name]))
    small.shows_its_evidence(judge, verdict, history(BROKEN[name]))
    assert verdict.checker == name


@pytest.mark.parametrize("name", sorted(BROKEN))
@pytest.mark.parametrize("text", ["", "0 invoke other 1; 0 ok other 2", "phases info heal"])
def test_where_nothing_can_be_judged_nobody_knows(name: str, text: str) -> None:
    verdict = INVARIANTS[name]().check(history(text))
    assert isinstance(verdict, Undecided)
    assert verdict.is_vacuous
    assert verdict.reason.startswith("nothing to judge: the history has no ")


@pytest.mark.parametrize("name", sorted(BROKEN))
def test_where_clocks_are_apart_only_rules_without_time_are_judged(name: str) -> None:
    judge = INVARIANTS[name]()
    events = [line.strip() for line in BROKEN[name].split(";")]
    text = "\n".join(f"{line} time={at}" for at, line in enumerate(events))
    verdict = judge.check(parse(text, header=Header(order="time", clocks=2)))
    assert isinstance(verdict, Undecided if judge.needs_real_time else Refuted)


def test_a_long_story_quotes_the_first_operations_and_the_last() -> None:
    adds = "0 invoke add 10\n0 ok add\n" * (REDUCED_MAX + 1)
    verdict = INVARIANTS["counter"]().check(parse(f"{adds}1 invoke read\n1 ok read {10 * REDUCED_MAX}\n"))
    assert isinstance(verdict, Refuted)
    assert len(verdict.anomaly.operations) == REDUCED_MAX + 2
    assert len(verdict.anomaly.story) == QUOTED_MAX + 3
    assert f"  and {REDUCED_MAX + 2 - QUOTED_MAX} more" in verdict.anomaly.story
    assert verdict.anomaly.history is None
