"""Prefixes of a known order of writes: by hand, and against all prefixes."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

import pytest

from upheld.checkers.staleness import ConsistentPrefix, Faulty
from upheld.checkers.verdict import Refuted, Undecided, Upheld, Verdict
from upheld.histories.event import Operation
from upheld.histories.history import History
from upheld.histories.notation import parse

SEEDS = range(150)


def txn(process: int, steps: str, kind: str = "ok") -> str:
    return f"{process} invoke txn {steps}\n{process} {kind} txn {steps}\n"


WRITES = txn(0, '[["w","x",1]]') + txn(0, '[["w","y",2]]')


def version(operation: Operation) -> int:
    """The largest number that it writes."""
    steps: Any = operation.argument
    return max(int(step[2]) for step in steps if step[0] == "w")


def judged(text: str, *, sessions: bool = False) -> Verdict:
    return ConsistentPrefix(version, sessions=sessions).check(parse(text))


@pytest.mark.parametrize(
    "steps", ['[["r","x",null],["r","y",null]]', '[["r","x",1],["r","y",null]]', '[["r","x",1],["r","y",2]]']
)
def test_a_transaction_that_sees_a_prefix_is_upheld(steps: str) -> None:
    history = parse(WRITES + txn(1, steps))
    found = ConsistentPrefix(version).check(history)
    assert isinstance(found, Upheld)
    found.witness.recheck(history)


def test_one_that_sees_the_later_write_and_not_the_earlier_is_refuted(golden: Callable[[str, str], None]) -> None:
    found = judged(WRITES + txn(1, '[["r","x",null],["r","y",2]]') + txn(2, '[["w","z",3]]'))
    assert isinstance(found, Refuted)
    golden("prefix.txt", "\n".join(found.anomaly.story) + "\n")


def test_a_transaction_must_not_see_what_comes_after_itself() -> None:
    found = judged(txn(0, '[["w","x",3]]') + txn(1, '[["r","x",3],["w","z",2]]'))
    assert isinstance(found, Refuted)
    assert any("It has version 2 itself" in sentence for sentence in found.anomaly.story)


def test_the_prefixes_of_a_session_may_have_to_grow() -> None:
    back = WRITES + txn(1, '[["r","y",2]]') + txn(1, '[["r","x",null]]')
    assert isinstance(judged(back), Upheld)
    found = judged(back, sessions=True)
    assert isinstance(found, Refuted)
    assert found.anomaly.history is not None
    assert len(found.anomaly.history.operations) == 4


def test_two_with_one_version_have_no_order() -> None:
    found = judged(txn(0, '[["w","x",1]]') + txn(0, '[["w","y",1]]'))
    assert isinstance(found, Undecided)
    assert "two have version 1" in found.reason


def test_a_witness_for_another_history_is_found_out() -> None:
    found = judged(WRITES + txn(1, '[["r","x",1],["r","y",null]]'))
    assert isinstance(found, Upheld)
    with pytest.raises(Faulty):
        found.witness.recheck(parse(WRITES + txn(1, '[["r","x",null],["r","y",2]]')))


def random_history(dice: random.Random) -> str:
    """Writers of distinct versions, in any order, and readers of what anybody writes."""
    count = dice.randint(1, 4)
    keys = {value: dice.choice("xyz") for value in range(1, count + 1)}
    lines = [txn(0, f'[["w","{key}",{value}]]', dice.choice(("ok", "ok", "info"))) for value, key in keys.items()]
    for _ in range(dice.randint(1, 3)):
        seen = {key: dice.choice([None, *(value for value in keys if keys[value] == key)]) for key in "xyz"}
        steps = ",".join(f'["r","{key}",{value or "null"}]' for key, value in seen.items() if dice.random() < 0.7)
        lines.append(txn(1, f"[{steps}]"))
    dice.shuffle(lines)
    return "".join(lines)


def sees_a_prefix(history: History) -> bool:
    """Whether each reader finds all that it read in the state after some number of writes."""
    reads: list[Any] = [each.result for each in history.operations if each.process == 1]
    seen = {step[2] for steps in reads for step in steps}
    writes = [
        each for each in history.operations if each.process == 0 and (not each.is_pending or version(each) in seen)
    ]
    states: list[dict[object, object]] = [{}]
    for write in sorted(writes, key=version):
        steps: Any = write.argument
        states.append({**states[-1], steps[0][1]: steps[0][2]})
    return all(any(all(state.get(step[1]) == step[2] for step in steps) for state in states) for steps in reads)


@pytest.mark.parametrize("seed", SEEDS)
def test_verdicts_are_those_of_the_definition(seed: int) -> None:
    history = parse(random_history(random.Random(seed)))
    judge = ConsistentPrefix(version)
    found = judge.check(history)
    assert isinstance(found, Upheld if sees_a_prefix(history) else Refuted)
    if isinstance(found, Upheld):
        found.witness.recheck(history)
        return
    assert isinstance(found, Refuted)
    left = found.anomaly.history
    assert left is not None
    assert isinstance(judge.check(left), Refuted)
    for each in left.operations:
        part = judge.check(left.without([each]))
        assert isinstance(part, Upheld) or (isinstance(part, Refuted) and part.anomaly.kind == "thin-air-read")


def test_the_sample_has_both_verdicts() -> None:
    words = {sees_a_prefix(parse(random_history(random.Random(seed)))) for seed in SEEDS}
    assert words == {True, False}
