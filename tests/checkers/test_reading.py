"""What verdicts on reads and writes say, and the parts of a history in which every read keeps its write."""

from __future__ import annotations

from functools import partial
from itertools import combinations

import pytest

from upheld.checkers.reading import Parts, findings, minimal_anomaly, operations_of
from upheld.checkers.reads_from import ReadsFrom, reads_from
from upheld.checkers.verdict import Anomaly
from upheld.histories.notation import parse

HANDED_ON = parse(
    "0 invoke cas x: [null,1]\n0 ok cas x: true\n"
    "1 invoke cas x: [1,2]\n1 ok cas x: true\n"
    "2 invoke cas x: [2,3]\n2 ok cas x: true\n"
    "3 invoke write y: 4\n3 ok write y:\n"
    "4 invoke read y:\n4 ok read y: 4\n"
)
EACH_OTHER = parse(
    '0 invoke txn\n0 ok txn [["r","y",2],["w","x",1]]\n1 invoke txn\n1 ok txn [["r","x",1],["w","y",2]]\n'
    "2 invoke write z: 3\n2 ok write z:\n"
)


def many(size: int, traced: ReadsFrom) -> Anomaly | None:
    """As if so many reads were an anomaly."""
    if len(traced.reads) < size:
        return None
    return Anomaly("many", ("there they are",), operations_of(traced, traced.reads[:, 0].tolist()))


def left(traced: ReadsFrom, size: int) -> frozenset[int]:
    """The operations that are left of so many reads."""
    anomaly = minimal_anomaly(traced, range(len(traced)), partial(many, size), outside="nothing")
    assert anomaly.history is not None
    return frozenset(each.invocation for each in anomaly.history.operations)


def test_a_part_holds_all_that_its_reads_rest_on() -> None:
    parts = Parts(reads_from(HANDED_ON))
    assert parts.closed({4}) == {0, 2, 4}
    assert parts.closed({8}) == {6, 8}
    assert [each.invocation for each in parts.history({0, 4}).operations] == [0, 4]


@pytest.mark.parametrize("size", [1, 2, 3, 4])
def test_no_operation_that_is_left_can_be_left_out(size: int) -> None:
    traced = reads_from(HANDED_ON)
    parts, chosen = Parts(traced), left(traced, size)
    assert parts.find_in(chosen, partial(many, size), "nothing") is not None
    for each in chosen:
        assert parts.find_in(chosen - {each}, partial(many, size), "nothing") is None


def test_transactions_that_read_from_each_other_are_left_together() -> None:
    assert left(reads_from(EACH_OTHER), 1) == {0, 2}


def test_a_part_in_which_a_read_lost_its_write_shows_nothing() -> None:
    parts = Parts(reads_from(HANDED_ON))
    shown = {
        chosen
        for size in range(1, 6)
        for chosen in combinations((0, 2, 4, 6, 8), size)
        if parts.find_in(chosen, partial(many, 0), "nothing") is not None
    }
    assert shown == {chosen for chosen in shown if parts.closed(chosen) == frozenset(chosen)}
    assert len(shown) == 4 * 3 - 1  # the first so many of the three that hand on, with what others do to y


def test_findings_count_what_took_effect() -> None:
    text = (
        "0 invoke write x: 1\n0 info write x:\n1 invoke read x:\n1 ok read x: 1\n2 invoke write x: 2\n2 fail write x:\n"
    )
    told = findings(reads_from(parse(text)), checker="c", consistency="m", method="by hand")
    assert told["operations"] == 2
    assert told["evidence"] == {"sessions": 2, "keys": 1, "reads": 1, "writes": 1, "promoted": 1}


def test_findings_name_what_is_taken_for_granted() -> None:
    text = "".join(f"0 invoke read {key}:\n0 ok read {key}: 1\n" for key in "abcde")
    told = findings(reads_from(parse(text), outside="start"), checker="c", consistency="m", method="by hand")
    assert told["notes"] == (
        "; ".join([*(f'key "{key}" is taken to have begun with 1' for key in "abc"), "and 2 more keys likewise"]),
    )
    excerpt = findings(reads_from(parse(text), outside="anything"), checker="c", consistency="m", method="by hand")
    assert excerpt["operations"] == 5
    assert excerpt["notes"] == ("5 of the values that were read came from outside of this history",)


def test_operations_come_in_the_order_in_which_they_began() -> None:
    traced = reads_from(HANDED_ON)
    assert [each.invocation for each in operations_of(traced, [3, 0, 3])] == [0, 6]
