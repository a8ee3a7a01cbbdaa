"""Who read from whom: every read is traced to its write, or said to be odd, or nobody guesses."""

from __future__ import annotations

import pytest

from upheld.checkers.reads_from import INITIAL, NEVER, NotApplicable, Outside, ReadsFrom, reads_from
from upheld.histories.errors import MalformedHistory
from upheld.histories.history import Header, History
from upheld.histories.notation import parse

WROTE_1 = "0 invoke write 1\n0 ok write\n"


def traced(text: str, *, outside: Outside = "nothing") -> ReadsFrom:
    return reads_from(parse(text), outside=outside)


def sources(found: ReadsFrom) -> list[tuple[int, int]]:
    """Which transaction read from which."""
    return [(reader, source) for reader, _, source in found.reads.tolist()]


def oddities(found: ReadsFrom) -> list[tuple[str, int, object]]:
    """The kind, the reader and the value of each."""
    return [(odd.kind, odd.reader, odd.value) for odd in found.oddities]


def txn(process: int, steps: str, kind: str = "ok") -> str:
    """A transaction that ends like this."""
    return f"{process} invoke txn {steps}\n{process} {kind} txn {steps}\n"


# --- a read and its write


def test_a_read_is_traced_to_the_write_of_its_value() -> None:
    assert sources(traced(WROTE_1 + "1 invoke read\n1 ok read 1\n")) == [(1, 0)]


def test_a_read_of_null_saw_what_was_there_at_first() -> None:
    assert sources(traced(WROTE_1 + "1 invoke read\n1 ok read null\n")) == [(1, INITIAL)]


def test_the_header_says_what_cells_begin_with() -> None:
    events = list(parse("0 invoke read\n0 ok read 7\n1 invoke read\n1 ok read null\n"))
    found = reads_from(History.of_events(events, header=Header(initial=7)))
    assert sources(found) == [(0, INITIAL)]
    assert oddities(found) == [("thin-air", 1, None)]


def test_a_read_of_null_tells_nothing_where_the_header_says_so() -> None:
    events = list(parse("0 invoke read\n0 ok read null\n" + txn(1, '[["r","x",null]]')))
    assert sources(reads_from(History.of_events(events))) == [(0, INITIAL), (1, INITIAL)]
    assert sources(reads_from(History.of_events(events, header=Header(nil_read="unknown")))) == []


def test_a_cas_has_read_the_one_value_and_written_the_other() -> None:
    text = WROTE_1 + "1 invoke cas [1,2]\n1 ok cas true\n2 invoke read\n2 ok read 2\n"
    assert sources(traced(text)) == [(1, 0), (2, 1)]


def test_a_transaction_reads_from_others_and_shows_the_last_of_its_writes() -> None:
    text = txn(0, '[["w","x",1],["w","x",2],["r","x",2],["w","y",3]]') + txn(1, '[["r","y",3],["r","x",2]]')
    found = traced(text)
    assert sources(found) == [(1, 0), (1, 0)]
    assert [found.keys[key] for _, key in found.writes.tolist()] == ["x", "y"]
    assert found.oddities == ()


# --- what nobody completed


def test_a_write_that_nobody_completed_counts_only_where_somebody_read_it() -> None:
    unseen = traced("0 invoke write 1\n1 invoke read\n1 ok read null\n")
    assert unseen.numbers.tolist() == [1]
    seen = traced("0 invoke write 1\n1 invoke read\n1 ok read 1\n")
    assert seen.numbers.tolist() == [0, 1]
    assert seen.is_definite.tolist() == [False, True]
    assert seen.ended.tolist()[0] == NEVER


def test_a_promoted_cas_promotes_the_write_that_it_read() -> None:
    found = traced("0 invoke write 1\n1 invoke cas [1,2]\n2 invoke read\n2 ok read 2\n")
    assert found.numbers.tolist() == [0, 1, 2]
    assert sorted(sources(found)) == [(1, 0), (2, 1)]


# --- reads that no write explains


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("1 invoke read\n1 ok read 9\n", "thin-air"),
        ("0 invoke write 9\n0 fail write\n1 invoke read\n1 ok read 9\n", "aborted"),
        (txn(0, '[["w","x",9],["w","x",2]]', "fail") + txn(1, '[["r","x",9]]'), "aborted"),
        (txn(0, '[["w","x",9],["w","x",2]]') + txn(1, '[["r","x",9]]'), "intermediate"),
        (txn(0, '[["w","x",1],["r","x",9]]'), "internal"),
        (txn(0, '[["r","x",9],["w","x",9]]'), "future"),
        (txn(0, '[["r","x",9],["w","x",9],["w","x",2]]'), "future"),
    ],
)
def test_a_read_that_no_write_explains_is_odd(text: str, kind: str) -> None:
    found = traced(text)
    assert oddities(found) == [(kind, len(found) - 1, 9)]
    assert sources(found) == []


def test_a_value_that_its_transaction_wrote_again_in_the_end_is_not_intermediate() -> None:
    assert sources(traced(txn(0, '[["w","x",1],["w","x",2],["w","x",1]]') + txn(1, '[["r","x",1]]'))) == [(1, 0)]


# --- values from outside


def test_a_key_may_have_started_as_one_value_that_nobody_wrote() -> None:
    found = traced("0 invoke read\n0 ok read 9\n1 invoke read\n1 ok read 8\n", outside="start")
    assert sources(found) == [(0, INITIAL)]
    assert found.started_as == ((None, 9),)
    assert oddities(found) == [("thin-air", 1, 8)]


def test_in_an_excerpt_somebody_else_wrote_what_nobody_wrote() -> None:
    found = traced("0 invoke read\n0 ok read 9\n1 invoke read\n1 ok read 9\n", outside="anything")
    assert sources(found) == [(0, 2), (1, 2)]
    assert found.numbers.tolist() == [0, 1, -1]
    assert found.sessions[found.session.tolist()[2]] is None
    assert found.oddities == ()


# --- what does not apply


def test_a_value_that_two_wrote_does_not_apply_once_it_is_read() -> None:
    twice = WROTE_1 + "1 invoke write 1\n1 ok write\n"
    assert sources(traced(twice)) == []
    with pytest.raises(NotApplicable, match="2 operations wrote 1") as refused:
        traced(twice + "2 invoke read\n2 ok read 1\n")
    assert [operation.invocation for operation in refused.value.operations] == [0, 2, 4]


def test_a_value_that_was_written_and_there_at_first_does_not_apply_once_it_is_read() -> None:
    with pytest.raises(NotApplicable, match="null was written, and there at first"):
        traced("0 invoke write null\n0 ok write\n1 invoke read\n1 ok read null\n")


def test_a_value_that_one_wrote_in_the_end_and_another_on_the_way_does_not_apply() -> None:
    failed = txn(2, '[["w","x",1]]', "fail")
    with pytest.raises(NotApplicable, match="2 operations wrote 1 of key"):
        traced(failed + txn(0, '[["w","x",1],["w","x",2]]') + txn(1, '[["w","x",1]]') + txn(3, '[["r","x",1]]'))


def test_an_operation_that_neither_reads_nor_writes_does_not_apply() -> None:
    with pytest.raises(NotApplicable, match="enqueue is neither a read nor a write"):
        traced("0 invoke enqueue 1\n0 ok enqueue\n")


def test_a_step_that_is_neither_a_read_nor_a_write_is_malformed() -> None:
    with pytest.raises(MalformedHistory, match="is neither"):
        traced(txn(0, '[["append","x",1]]'))


# --- sessions and time


def test_a_transaction_has_its_place_in_its_session_and_in_time() -> None:
    found = traced("0 invoke write 1\n1 invoke write 2\n1 ok write\n0 ok write\n0 invoke read\n0 ok read 2\n")
    assert [found.sessions[each] for each in found.session.tolist()] == [0, 1, 0]
    assert found.position.tolist() == [0, 0, 1]
    began, ended = found.began.tolist(), found.ended.tolist()
    assert began == sorted(began)
    assert ended[1] < ended[0] < began[2]
    assert str(found.operation(2)) == str(found.history.operations[2])
