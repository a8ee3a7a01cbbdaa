"""Monotonic keys: no session sees an older version after a newer one."""

from __future__ import annotations

from importlib import import_module
from itertools import combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from upheld.checkers.invariants import MonotonicKeys
from upheld.checkers.verdict import Undecided
from upheld.histories.history import Header, History
from upheld.histories.notation import parse
from upheld.testing.traces import outcome, story

small = import_module("small_invariants")


def reads(*shown: str) -> History:
    """`0 x 3`: process 0 reads 3 from x."""
    lines = []
    for each in shown:
        process, key, value = each.split(maxsplit=2)
        lines += [f"{process} invoke read {key}:", f"{process} ok read {key}: {value}"]
    return parse("\n".join(lines))


@pytest.mark.parametrize(
    ("shown", "expected"),
    [
        pytest.param(["0 x 1", "0 x 1", "0 x 4"], "upheld", id="it grows"),
        pytest.param(["0 x 1", "0 x 4", "0 x 3"], "older-version-read", id="it goes back"),
        pytest.param(["0 x 4", "0 x 1", "0 x 2"], "older-version-read", id="it goes back, and a little forward"),
        pytest.param(["0 x 4", "1 x 1", "0 x 5"], "upheld", id="another session"),
        pytest.param(["0 x 4", "0 y 1", "0 x 5"], "upheld", id="another key"),
        pytest.param(["0 x 4", "0 x null"], "older-version-read", id="it vanishes"),
        pytest.param(["0 x 1.5", "0 x 2"], "upheld", id="numbers of two kinds"),
        pytest.param(["0 x 1"], "undecided", id="one read"),
        pytest.param(['0 x "a"', '0 x "b"'], "undecided", id="no numbers"),
        pytest.param(["0 x true", "0 x false"], "undecided", id="truth is no number"),
    ],
)
def test_a_session_sees_no_older_version_after_a_newer_one(shown: list[str], expected: str) -> None:
    assert small.judged(MonotonicKeys(), reads(*shown)) == expected


def test_the_order_of_versions_may_be_given() -> None:
    judge = MonotonicKeys(versions=("draft", "final", 1))
    assert small.judged(judge, reads("0 x draft", "0 x final", "0 x 1")) == "upheld"
    assert small.judged(judge, reads("0 x final", "0 x draft")) == "older-version-read"
    strange = judge.check(reads("0 x final", "0 x other"))
    assert isinstance(strange, Undecided)
    assert strange.reason.startswith(
        "not applicable: no order of versions tells the age of what was read by events 2 to 3"
    )


def test_one_read_may_show_many_keys() -> None:
    text = '0 invoke read\n0 ok read {"x":3,"y":1}\n0 invoke read\n0 ok read {"x":2,"y":5}\n'
    assert story(MonotonicKeys().check(parse(text))) == (
        'This session sees 3 of "x", and 2 afterwards, which is older:\n'
        '  events 0 to 1, process 0: read() -> {"x":3,"y":1}\n'
        '  events 2 to 3, process 0: read() -> {"x":2,"y":5}\n'
        "A session that has seen a version of a key does not see an older one afterwards."
    )


def test_reads_of_one_session_that_overlap_have_no_order() -> None:
    text = "0 invoke read x: session=7\n1 invoke read x: session=7\n0 ok read x: 3\n1 ok read x: 2\n"
    assert outcome(MonotonicKeys().check(parse(text))) == "undecided"


def test_null_may_be_said_to_tell_nothing() -> None:
    text = "0 invoke read x:\n0 ok read x: 4\n0 invoke read x:\n0 ok read x: null\n"
    assert outcome(MonotonicKeys().check(parse(text, header=Header(nil_read="unknown")))) == "undecided"


REQUESTS = st.tuples(st.just("read"), st.sampled_from("xy"), st.none())


@given(small.histories(REQUESTS, lambda _: st.sampled_from((None, 1, 2, 3))))
def test_monotonic_keys_are_their_definition(history: History) -> None:
    pairs = [
        (one.result or 0, other.result or 0)
        for one, other in combinations(small.ok(history, "read"), 2)
        if one.session == other.session and one.key == other.key and one.precedes(other)
    ]
    backwards = any(other < one for one, other in pairs)
    expected = "older-version-read" if backwards else "upheld" if pairs else "undecided"
    assert small.judged(MonotonicKeys(), history) == expected
