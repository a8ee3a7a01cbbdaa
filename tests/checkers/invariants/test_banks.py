"""Bank: the total of all accounts stays, and none is overdrawn."""

from __future__ import annotations

from importlib import import_module
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from upheld.checkers.invariants import Bank
from upheld.checkers.verdict import Undecided
from upheld.histories.errors import MalformedHistory
from upheld.histories.history import Header, History
from upheld.histories.notation import parse
from upheld.histories.values import freeze
from upheld.testing.traces import outcome, story

small = import_module("small_invariants")
RICH = Header(initial=freeze({"a": 10, "b": 5}))


def reads(*shown: str, header: Header = RICH) -> History:
    return parse("".join(f"0 invoke read\n0 ok read {each}\n" for each in shown), header=header)


@pytest.mark.parametrize(
    ("shown", "expected"),
    [
        pytest.param(['{"a":10,"b":5}', '{"a":0,"b":15}'], "upheld", id="money moves"),
        pytest.param(['{"a":10,"b":4}'], "wrong-total", id="money is lost"),
        pytest.param(['{"a":10,"b":5}', '{"a":10,"b":6}'], "wrong-total", id="money appears"),
        pytest.param(['{"a":16,"b":-1}'], "negative-balance", id="an overdraft"),
        pytest.param(['{"a":10,"b":5,"c":0}'], "unexpected-account", id="an account that nobody opened"),
        pytest.param(['{"a":3}'], "undecided", id="a read of one account says nothing about the total"),
        pytest.param(['{"a":-3}'], "negative-balance", id="though it may show an overdraft"),
        pytest.param([], "undecided", id="nothing is read"),
    ],
)
def test_the_total_stays_and_nobody_is_overdrawn(shown: list[str], expected: str) -> None:
    assert small.judged(Bank(), reads(*shown)) == expected


def test_without_a_total_reads_are_held_against_the_first() -> None:
    no_header = Header()
    one = reads('{"a":1,"b":2}', header=no_header)
    assert outcome(Bank().check(one)) == "undecided"
    other = reads('{"a":1,"b":2}', '{"a":3}', '{"a":2,"b":2}', header=no_header)
    assert story(Bank().check(other)) == (
        "The first of these reads adds up to 3, the other to 4:\n"
        '  events 0 to 1, process 0: read() -> {"a":1,"b":2}\n'
        '  events 4 to 5, process 0: read() -> {"a":2,"b":2}\n'
        "Transfers move money between accounts: the total stays, and no account pays what it does not have."
    )


def test_an_account_that_only_transfers_name_is_one_of_all() -> None:
    moved = '0 invoke transfer {"from":"a","to":"b","amount":1}\n0 ok transfer\n'
    history = parse(moved + '0 invoke read\n0 ok read {"a":1}\n0 invoke read\n0 ok read {"a":2}\n')
    assert outcome(Bank().check(history)) == "undecided"


def test_overdrafts_may_be_allowed_and_totals_given() -> None:
    history = reads('{"a":20,"b":-5}')
    assert outcome(Bank(may_be_negative=True).check(history)) == "upheld"
    assert outcome(Bank(total=14, accounts=("a", "b")).check(reads('{"a":10,"b":5}', header=Header()))) == "wrong-total"


@pytest.mark.parametrize("shown", ["[1,2]", '{"a":1.5,"b":1}', '{"a":null,"b":1}', "7"])
def test_what_shows_no_balances_is_no_bank(shown: str) -> None:
    with pytest.raises(MalformedHistory, match="balance"):
        Bank().check(reads(shown))


BALANCES = st.dictionaries(st.sampled_from("ab"), st.integers(-1, 6), max_size=2).map(freeze)


@given(small.histories(st.just(("read", None, None)), lambda _: BALANCES))
def test_a_bank_is_refuted_when_a_read_breaks_its_definition(history: History) -> None:
    shown: list[Any] = [read.result for read in small.ok(history, "read")]
    header = History(history.columns, header=Header(initial=freeze({"a": 3, "b": 2})))
    broken = any(min(each.values(), default=0) < 0 or (len(each) == 2 and sum(each.values()) != 5) for each in shown)
    verdict = small.judged(Bank(), header)
    if broken:
        assert verdict in {"negative-balance", "wrong-total"}
    else:
        assert verdict == ("upheld" if any(len(each) == 2 for each in shown) else "undecided")


def test_a_bank_without_reads_is_vacuous() -> None:
    verdict = Bank().check(parse("0 invoke read\n0 info read\n"))
    assert isinstance(verdict, Undecided)
    assert verdict.is_vacuous
