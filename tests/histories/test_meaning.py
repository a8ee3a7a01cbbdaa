"""The eight rules of what a history means. Each test fails under the other reading of its rule."""

from __future__ import annotations

from pathlib import Path

import pytest

from upheld.checkers.linearizability import check_linearizability
from upheld.checkers.verdict import Refuted, Undecided, Upheld, Verdict
from upheld.histories.errors import MalformedHistory
from upheld.histories.event import Event, Kind
from upheld.histories.files import read_history
from upheld.histories.history import Header, History
from upheld.histories.notation import parse
from upheld.specs.objects.cas_register import CasRegister
from upheld.specs.objects.register import Register


def verdict(text: str, **header: object) -> type[Verdict]:
    """What a register makes of it."""
    return type(check_linearizability(parse(text, header=Header(**header)), Register()))  # type: ignore[arg-type]  # by name


# --- 1. order


def test_real_time_order_is_the_order_of_lines_whatever_the_times_say() -> None:
    history = parse("""
        0 invoke write 1  time=900
        0 ok     write    time=950
        1 invoke read     time=100
        1 ok     read null time=150
    """)
    write, read = history.operations
    assert write.precedes(read)
    assert isinstance(check_linearizability(history, Register()), Refuted)


def test_a_time_that_goes_back_is_a_note_and_no_error() -> None:
    history = parse("0 invoke write 1 time=9\n0 ok write time=5")
    assert history.remarks == ("times go back; real-time order is the order of lines",)
    assert len(history.operations) == 1


def test_a_header_may_order_by_time_instead() -> None:
    text = """
        0 invoke write 1  time=900
        0 ok     write    time=950
        1 invoke read     time=100
        1 ok     read null time=150
    """
    history = parse(text, header=Header(order="time"))
    read, write = history.operations
    assert read.precedes(write)
    assert history.remarks == ()
    assert verdict(text, order="time") is Upheld


def test_at_the_same_time_invocations_come_before_completions() -> None:
    """Intervals are closed: who ends at the moment in which another begins does not precede it."""
    text = "0 invoke write 1 time=1\n0 ok write time=5\n1 invoke read time=5\n1 ok read null time=9"
    write, read = parse(text, header=Header(order="time")).operations
    assert not write.precedes(read)
    assert verdict(text, order="time") is Upheld
    assert verdict(text) is Refuted


@pytest.mark.parametrize(("clock_error_ns", "precedes"), [(0, True), (1, True), (2, False), (50, False)])
def test_intervals_are_widened_by_the_error_of_the_clocks_on_both_sides(clock_error_ns: int, *, precedes: bool) -> None:
    """A gap of 3 is wider than 1 + 1, and not than 2 + 2."""
    text = "0 invoke write 1 time=10\n0 ok write time=20\n1 invoke read time=23\n1 ok read 1 time=30"
    header = Header(order="time", clocks=2, clock_error_ns=clock_error_ns)
    write, read = parse(text, header=header).operations
    assert write.precedes(read) == precedes


def test_several_clocks_without_a_known_error_tell_no_real_time() -> None:
    assert not Header(order="time", clocks=2).tells_real_time
    assert Header(order="time", clocks=2, clock_error_ns=5).tells_real_time
    assert Header(order="time").tells_real_time
    assert Header(order="lines", clocks=2).tells_real_time
    text = "0 invoke write 1 time=10\n0 ok write time=20\n1 invoke read time=30\n1 ok read null time=40"
    assert verdict(text, order="time", clocks=2) is Undecided


# --- 2. outcome


def test_an_ok_took_effect_a_fail_certainly_did_not_and_an_info_may_have() -> None:
    def read_after(outcome: str, seen: str) -> type[Verdict]:
        return verdict(f"0 invoke write 1\n0 {outcome} write\n1 invoke read\n1 ok read {seen}")

    assert {seen: read_after("ok", seen) for seen in ("1", "null")} == {"1": Upheld, "null": Refuted}
    assert {seen: read_after("fail", seen) for seen in ("1", "null")} == {"1": Refuted, "null": Upheld}
    assert {seen: read_after("info", seen) for seen in ("1", "null")} == {"1": Upheld, "null": Upheld}


def test_a_refusal_that_depends_on_the_state_is_an_observation() -> None:
    """`ok` with the result false says that the register did not hold 2; a `fail` would say nothing."""
    text = "0 invoke write 2\n0 ok write\n1 invoke cas [2,3]\n1 {} cas {}"
    refused = check_linearizability(parse(text.format("ok", "false")), CasRegister())
    failed = check_linearizability(parse(text.format("fail", "")), CasRegister())
    assert (type(refused), type(failed)) == (Refuted, Upheld)


def test_a_failed_cas_of_others_says_nothing_unless_it_is_to_be_observed(tmp_path: Path) -> None:
    path = tmp_path / "jepsen.log"
    lines = ("0\t:invoke\t:write\t2", "0\t:ok\t:write\t2", "1\t:invoke\t:cas\t[2 3]", "1\t:fail\t:cas\t[2 3]")
    path.write_text("".join(f"INFO  jepsen.util - {line}\n" for line in lines))
    dropped = check_linearizability(read_history(path), CasRegister())
    observed = check_linearizability(read_history(path, failed_cas="observe"), CasRegister())
    assert (type(dropped), type(observed)) == (Upheld, Refuted)


# --- 3. uncertainty is sticky (what the recorder does about it is tested there)


def test_an_answer_that_comes_after_an_info_is_a_note_and_the_operation_stays_pending() -> None:
    history = parse("0 invoke write 1\n0 info write\n0 fail write\n1 invoke read\n1 ok read 1")
    write, _ = history.operations
    assert write.is_pending
    assert history.remarks == ("process 0 answers after its info; it stays pending",)
    assert isinstance(check_linearizability(history, Register()), Upheld)


# --- 4. pending


@pytest.mark.parametrize("completion", ["", "0 info write\n"])
def test_what_has_no_known_outcome_may_take_effect_at_any_later_time_or_never(completion: str) -> None:
    begun = f"1 invoke write 4\n1 ok write\n0 invoke write 9\n{completion}"
    for seen in ([4, 4, 4], [9, 9, 9], [4, 9, 9]):
        assert verdict(begun + "".join(f"1 invoke read\n1 ok read {value}\n" for value in seen)) is Upheld
    assert verdict(begun + "".join(f"1 invoke read\n1 ok read {value}\n" for value in (4, 9, 4))) is Refuted


def test_it_takes_effect_at_most_once_and_not_before_it_was_sent() -> None:
    assert verdict("1 invoke read\n1 ok read 9\n0 invoke write 9") is Refuted


def test_a_pending_operation_has_no_end() -> None:
    for text in ("0 invoke write 9", "0 invoke write 9\n0 info write"):
        (write,) = parse(text).operations
        assert (write.is_pending, write.ended) == (True, None)
        assert str(write) == "process 0: write(9) -> ?"


def test_pending_reads_say_nothing() -> None:
    assert verdict("0 invoke read\n1 invoke read\n1 info read\n2 invoke read\n2 ok read null") is Upheld


# --- 5. initial and nil


def test_a_cell_is_absent_at_first_unless_it_is_said_otherwise() -> None:
    assert verdict("0 invoke read\n0 ok read null") is Upheld
    assert verdict("0 invoke read\n0 ok read 5") is Refuted
    assert verdict("0 invoke read\n0 ok read null", initial=5) is Refuted
    assert verdict("0 invoke read\n0 ok read 5", initial=5) is Upheld


def test_null_in_an_ok_read_observes_absence() -> None:
    assert verdict("0 invoke write 1\n0 ok write\n1 invoke read\n1 ok read null") is Refuted


def test_a_read_without_a_value_is_malformed() -> None:
    with pytest.raises(MalformedHistory, match="does not say what it saw"):
        parse("0 invoke read\n0 ok read").operations  # noqa: B018  # it is what raises


def test_null_that_observes_nothing_is_another_reading_that_has_to_be_chosen(tmp_path: Path) -> None:
    path = tmp_path / "history.txt"
    path.write_text("0 invoke write 1\n0 ok write\n1 invoke read\n1 ok read null\n1 invoke read\n1 ok read 1\n")
    knossos = read_history(path, nil_read="unknown")
    assert isinstance(check_linearizability(knossos, Register()), Upheld)
    assert isinstance(check_linearizability(read_history(path), Register()), Refuted)
    assert [str(read) for read in knossos.nil_reads] == ["process 1: read() -> null"]
    assert len(knossos.without(knossos.nil_reads).operations) == 2


def test_without_a_read_of_null_the_choice_makes_no_difference() -> None:
    assert parse("0 invoke write null\n0 ok write null\n1 invoke read\n1 ok read 1").nil_reads == ()


# --- 6. process and session


def test_a_process_does_one_thing_at_a_time() -> None:
    with pytest.raises(MalformedHistory, match="process 0 invokes read while its write is open"):
        parse("0 invoke write 1\n0 invoke read").operations  # noqa: B018  # it is what raises


def test_a_process_that_goes_on_after_its_info_is_a_note() -> None:
    history = parse("0 invoke write 1\n0 info write\n0 invoke read\n0 ok read null")
    write, read = history.operations
    assert write.is_pending
    assert not write.precedes(read)
    assert history.remarks == ("process 0 goes on after its info",)


def test_the_session_is_the_process_unless_it_is_said_otherwise() -> None:
    history = parse("3 invoke write 1\n3 info write\n8 invoke read session=3\n8 ok read 1 session=3")
    assert [operation.session for operation in history.operations] == [3, 3]
    assert history.remarks == ()


# --- 7. nemesis


def test_events_of_others_are_not_paired() -> None:
    history = parse("""
        nemesis info   partition ["n1"]
        nemesis info   partition ["n2"]
        nemesis ok     heal
        phases  info   quiet
        nemesis invoke crash n1
        nemesis invoke crash n2
        0       invoke read
        0       ok     read null
    """)
    assert [operation.process for operation in history.operations] == [0]
    assert len(history.nemesis()) == 6
    assert history.remarks == ()


def test_a_process_that_is_spelt_with_digits_is_no_client() -> None:
    event = Event(process="0", kind=Kind.OK, action="read", value=1)
    assert History.of_events([event]).operations == ()


# --- 8. values


@pytest.mark.parametrize("seen", ["true", "1.0", '"1"', "[1]"])
def test_values_compare_as_json_by_type(seen: str) -> None:
    assert verdict(f"0 invoke write 1\n0 ok write\n1 invoke read\n1 ok read {seen}") is Refuted


def test_objects_are_the_same_whatever_the_order_of_their_keys() -> None:
    assert verdict('0 invoke write {"a":1,"b":2}\n0 ok write\n1 invoke read\n1 ok read {"b":2,"a":1}') is Upheld
