"""Sets that grow: the last read, and the time line of every element at every place."""

from __future__ import annotations

from importlib import import_module
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from upheld.checkers.invariants import Set, SetFull
from upheld.histories.errors import MalformedHistory
from upheld.histories.history import Header, History
from upheld.histories.notation import parse
from upheld.testing.traces import cases, outcome, story

small = import_module("small_invariants")


def history(text: str) -> History:
    """`+1` adds by process 0; `n1 [1]` is a read at n1 by process 1; the rest is notation."""
    lines = []
    for line in map(str.strip, text.split(";")):
        if line.startswith("+"):
            lines += [f"0 invoke add {line[1:]}", "0 ok add"]
        elif line.startswith("n"):
            node, shown = line.split()
            lines += [f"1 invoke read node={node}", f"1 ok read {shown} node={node}"]
        else:
            lines.append(line)
    return parse("\n".join(lines))


PENDING = "0 invoke add 1; 0 info add;"
UNDER_WAY = "0 invoke add 1;"


@pytest.mark.parametrize(
    ("text", "expected"),
    cases(
        ("all are there", "+1; +2; n1 [1,2]", "upheld"),
        ("one is lost", "+1; +2; n1 [2]", "lost-element"),
        ("it was lost, and is there in the end", "+1; +2; n1 [2]; n1 [1,2]", "upheld"),
        ("it was added after the read", "n1 []; +1", "upheld"),
        ("under way", UNDER_WAY + "n1 []; 0 ok add", "upheld"),
        ("pending, and not there", PENDING + "n1 []", "upheld"),
        ("pending, and there", PENDING + "n1 [1]", "upheld"),
        ("failed, and there", "0 invoke add 1; 0 fail add; n1 [1]", "unexpected-element"),
        ("nobody added it", "+1; n1 [1,2]", "unexpected-element"),
        ("in a read that is not the last", "+1; n1 [1,2]; n1 [1]", "unexpected-element"),
        ("there before it was added", "n1 [1]; +1", "unexpected-element"),
        ("nobody reads", "+1", "undecided"),
        ("null is the empty set", "+1; n1 null", "lost-element"),
    ),
)
def test_the_last_read_shows_what_was_acknowledged_and_nothing_else(text: str, expected: str) -> None:
    assert small.judged(Set(), history(text)) == expected


@pytest.mark.parametrize(
    ("text", "expected", "linearizable"),
    [
        pytest.param("+1; n1 [1]; n1 [1]", "upheld", "upheld", id="stable"),
        pytest.param("+1; n1 []; n1 [1]", "upheld", "stale-element", id="stale"),
        pytest.param("+1; n1 [1]; n1 []", "lost-element", "lost-element", id="lost"),
        pytest.param("+1; n1 []", "undecided", "never-read", id="never read"),
        pytest.param("+1; n2 [1]; n1 []", "lost-element", "lost-element", id="lacking at the place that is read last"),
        pytest.param("+1; n1 []; n2 [1]", "lost-element", "lost-element", id="lacking at the place that is read first"),
        pytest.param("n1 []; +1; n2 [1]", "upheld", "upheld", id="nobody looked at n1 any more"),
        pytest.param(
            PENDING + "n2 [1]; n1 []", "lost-element", "lost-element", id="a pending one was seen, and is lost"
        ),
        pytest.param(PENDING + "n1 []; n2 [1]", "upheld", "upheld", id="a pending one came after n1 was read"),
        pytest.param(PENDING + "n1 []", "upheld", "upheld", id="a pending one never came"),
        pytest.param("+1; n1 [1,1]", "duplicate-element", "duplicate-element", id="shown twice"),
        pytest.param("+1; n1 [1,7]", "unexpected-element", "unexpected-element", id="shown though nobody added it"),
        pytest.param("+1", "undecided", "undecided", id="nobody reads"),
        pytest.param(
            UNDER_WAY + "n1 [1]; n1 []; n1 [1]; 0 ok add", "upheld", "stale-element", id="known since it was seen"
        ),
    ],
)
def test_an_element_stays_wherever_it_is_read(text: str, expected: str, linearizable: str) -> None:
    assert small.judged(SetFull(), history(text)) == expected
    assert small.judged(SetFull(linearizable=True), history(text)) == linearizable


def test_where_no_node_is_named_all_reads_are_of_one_place() -> None:
    text = "0 invoke add 1\n0 ok add\n1 invoke read\n1 ok read []\n2 invoke read\n2 ok read [1]\n"
    assert outcome(SetFull().check(parse(text))) == "upheld"


def test_a_set_holds_at_first_what_the_header_says() -> None:
    text = "1 invoke read\n1 ok read [4]\n"
    for judge in (Set(), SetFull()):
        assert outcome(judge.check(parse(text))) == "unexpected-element"
        assert outcome(judge.check(parse(text, header=Header(initial=(4,))))) == "upheld"


def test_a_read_of_null_may_be_said_to_tell_nothing() -> None:
    text = "0 invoke add 1\n0 ok add\n1 invoke read\n1 ok read null\n"
    assert outcome(Set().check(parse(text, header=Header(nil_read="unknown")))) == "undecided"


def test_fates_and_times_are_told() -> None:
    text = """
    0 invoke add 1 time=0
    0 ok add time=10
    0 invoke add 2 time=11
    0 ok add time=20
    1 invoke read time=50 node=n1
    1 ok read [1] time=60
    1 invoke read time=70 node=n1
    1 ok read [1,2] time=80
    0 invoke add 3 time=90
    0 ok add time=91
    """
    evidence = dict(SetFull().check(parse(text)).evidence)
    assert evidence == {
        "judged": 2,
        "stable": 1,
        "stale": 1,
        "lag_median_ns": 0,
        "lag_p99_ns": 0,
        "lag_max_ns": 30,
        "unread": 1,
    }


def test_the_story_tells_who_saw_it_and_who_does_not() -> None:
    assert story(SetFull().check(history("+1; n2 [1]; n1 []"))) == (
        "1 was in the set, and the last read at n1 that began after that lacks it:\n"
        "  events 0 to 1, process 0: add(1)\n"
        "  events 2 to 3, process 1: read() -> [1]\n"
        "  events 4 to 5, process 1: read() -> []\n"
        "An element that was added stays in the set, once, and shows wherever it is read."
    )


def test_a_read_of_a_set_shows_an_array() -> None:
    for judge in (Set(), SetFull()):
        with pytest.raises(MalformedHistory, match="does not show a collection"):
            judge.check(history("n1 7"))


REQUESTS = st.one_of(st.tuples(st.just("add"), st.none(), st.integers(1, 2)), st.just(("read", None, None)))


def answers(request: Any) -> st.SearchStrategy[Any]:
    shown = st.lists(st.sampled_from((1, 1, 2, 2, 9)), max_size=2).map(tuple)
    return shown if request[0] == "read" else st.none()


def is_strange(history: History) -> bool:
    """Whether a read shows what nobody may have added before it ended."""
    adds = small.possible(history, "add")
    return any(
        not any(add.argument == element and small.may_precede(add, read) for add in adds)
        for read in small.ok(history, "read")
        for element in read.result
    )


@given(small.histories(REQUESTS, answers, size=14))
def test_a_set_is_its_definition(history: History) -> None:
    reads = small.ok(history, "read")
    lost = any(
        add.precedes(reads[-1]) and add.argument not in reads[-1].result for add in small.ok(history, "add") if reads
    )
    expected = "lost-element" if lost else "unexpected-element" if is_strange(history) else "upheld"
    assert small.judged(Set(), history) == (expected if reads else "undecided")


def fate(history: History, element: int, node: str) -> str:
    """What became of an element at a node, from the definition: with every read, and with every moment."""
    reads = small.ok(history, "read")
    seen = [read for read in reads if element in read.result]
    known = [*(add for add in small.ok(history, "add") if add.argument == element), *seen]
    if not known or not any(add.argument == element for add in small.possible(history, "add")):
        return ""
    first = min(known, key=lambda operation: operation.ended)
    here = [read for read in reads if read.node == node]
    lacking = [read for read in here if first.precedes(read) and element not in read.result]
    if not lacking:
        return "stable"
    if element in here[-1].result:
        return "stale"
    return "lost" if seen else "never-read"


@given(small.histories(REQUESTS, answers, size=16))
def test_a_time_line_is_its_definition(history: History) -> None:
    reads = small.ok(history, "read")
    nodes = sorted({read.node for read in reads})
    fates = {fate(history, element, node) for element in (1, 2) for node in nodes}
    strange = is_strange(history)
    twice = any(len(set(read.result)) < len(read.result) for read in reads)
    verdict, strict = small.judged(SetFull(), history), small.judged(SetFull(linearizable=True), history)
    late = fates & {"never-read", "stale"}
    if "lost" in fates:
        assert verdict == "lost-element"
        assert strict in {"lost-element", "never-read", "stale-element"}
    elif strange or twice:
        wrong = "duplicate-element" if twice else "unexpected-element"
        assert verdict == wrong
        assert strict in ({"never-read", "stale-element"} if late else {wrong})
    else:
        assert verdict == ("undecided" if "never-read" in fates or not reads else "upheld")
        allowed = {"never-read", "stale-element"} if late else {"upheld" if reads else "undecided"}
        assert strict in allowed
