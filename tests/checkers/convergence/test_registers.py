"""Registers in the end: final reads agree about something that was written."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from upheld.checkers.convergence import decide
from upheld.checkers.convergence.registers import Settled
from upheld.checkers.convergence.witness import WitnessFails
from upheld.checkers.verdict import Refuted, Undecided, Upheld, Verdict, word
from upheld.histories.history import Header, History
from upheld.histories.notation import parse

QUIET = "phases info heal\nphases info quiet\nphases info final\n"
WRITTEN = "0 invoke write 1 node=a\n0 ok write node=a\n1 invoke write 2 node=b\n1 ok write node=b\n"


def finals(*values: str, key: str = "") -> str:
    return "".join(
        f"{process} invoke read {key} node={node}\n{process} ok read {key} {value} node={node}\n"
        for process, (node, value) in enumerate(zip("abc", values, strict=False), start=10)
    )


def judged(history: History, **options: Any) -> Verdict:
    return decide(history, ["eventual.visibility"], **options)["eventual.visibility"]


def kind_of(verdict: Verdict) -> str:
    return verdict.anomaly.kind if isinstance(verdict, Refuted) else word(verdict)


CASES = {
    "any one of the writes": (WRITTEN + QUIET + finals("1", "1"), "upheld"),
    "the other one": (WRITTEN + QUIET + finals("2", "2"), "upheld"),
    "two values": (WRITTEN + QUIET + finals("1", "2"), "divergent-finals"),
    "nothing": (WRITTEN + QUIET + finals("null", "null"), "missing-update"),
    "what nobody wrote": (WRITTEN + QUIET + finals("3", "3"), "phantom"),
    "what failed": ("0 invoke write 1 node=a\n0 fail write node=a\n" + QUIET + finals("1", "1"), "phantom"),
    "what may have been written": (
        "0 invoke write 1 node=a\n0 info write node=a\n" + QUIET + finals("1", "1"),
        "upheld",
    ),
    "what may not have been written": (
        "0 invoke write 1 node=a\n0 info write node=a\n" + QUIET + finals("null", "null"),
        "upheld",
    ),
    "a replica is not read": (WRITTEN + QUIET + finals("1"), "undecided"),
    "only one replica": ("0 invoke write 1 node=a\n0 ok write node=a\n" + QUIET + finals("1"), "undecided"),
    "no phases": (WRITTEN + finals("1", "2"), "undecided"),
    "another register is not read": (
        WRITTEN + "0 invoke write x: 1 node=a\n0 ok write x: node=a\n" + QUIET + finals("1", "1"),
        "undecided",
    ),
    "nobody writes": (QUIET + finals('"x"', '"x"'), "phantom"),
    "true is not 1": (WRITTEN + QUIET + finals("true", "true"), "phantom"),
}


@pytest.mark.parametrize(("text", "expected"), CASES.values(), ids=CASES)
def test_registers(text: str, expected: str) -> None:
    assert kind_of(judged(parse(text))) == expected


def test_a_read_of_null_tells_nothing_where_the_header_says_so() -> None:
    history = parse(WRITTEN + QUIET + finals("null", "1"), header=Header(nil_read="unknown"))
    verdict = judged(history)
    assert isinstance(verdict, Undecided)
    assert verdict.reason == "no register has two final reads to compare"


def test_what_registers_hold_at_first_is_no_phantom() -> None:
    history = parse(QUIET + finals("7", "7") + "", header=Header(initial=7))
    assert kind_of(judged(history)) == "undecided"
    unknown = parse(
        "0 invoke write x: 1 node=a\n0 ok write x: node=a\n" + QUIET + finals("7", "7") + finals("1", "1", key="x:")
    )
    assert kind_of(judged(unknown)) == "phantom"
    assert kind_of(judged(unknown, outside="start")) == "upheld"


@pytest.mark.parametrize("shown", [("1", "2"), ("null", "null"), ("3", "3")])
def test_the_history_of_an_anomaly_shows_it_by_itself(shown: tuple[str, str]) -> None:
    verdict = judged(parse(WRITTEN + QUIET + finals(*shown)))
    assert isinstance(verdict, Refuted)
    part = verdict.anomaly.history
    assert part is not None
    assert len(part.operations) == len(verdict.anomaly.operations)
    assert kind_of(judged(part)) == verdict.anomaly.kind


def test_the_story_of_two_replicas_that_differ() -> None:
    verdict = judged(parse(WRITTEN + QUIET + finals("1", "2")))
    assert isinstance(verdict, Refuted)
    assert verdict.anomaly.story == (
        "The system was quiet when these two final reads began, and they differ",
        "Process 10: read() -> 1 at a (event 7)",
        "Process 11: read() -> 2 at b (event 9)",
    )


def test_the_witness_is_what_final_reads_return() -> None:
    history = parse(WRITTEN + QUIET + finals("1", "1"))
    verdict = judged(history)
    assert isinstance(verdict, Upheld)
    assert verdict.witness == Settled({None: 1})
    verdict.witness.recheck(history)
    with pytest.raises(WitnessFails):
        Settled({None: 2}).recheck(history)


@given(
    st.lists(st.tuples(st.integers(1, 2), st.sampled_from(("ok", "info", "fail"))), max_size=3),
    st.lists(st.sampled_from(("null", "1", "2", "3")), min_size=2, max_size=2),
)
def test_verdicts_are_those_of_some_order_of_the_writes_that_took_effect(
    writes: list[tuple[int, str]], shown: list[str]
) -> None:
    text = "".join(
        f"{n} invoke write {value} node=a\n{n} {kind} write node=a\n" for n, (value, kind) in enumerate(writes)
    )
    acknowledged = any(kind == "ok" for _, kind in writes)
    last = {str(value) for value, kind in writes if kind != "fail"} | (set() if acknowledged else {"null"})
    right = shown[0] == shown[1] and shown[0] in last
    verdict = judged(parse(text + QUIET + finals(*shown)))
    if any(kind != "fail" for _, kind in writes):
        assert word(verdict) == ("upheld" if right else "refuted")
    else:
        assert word(verdict) == ("undecided" if right else "refuted")
