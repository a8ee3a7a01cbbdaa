"""Reads that no write explains: which anomaly each is, how it is told, and which models it refutes."""

from __future__ import annotations

import pytest

from upheld.checkers.causality.decision import DEMANDS, decide
from upheld.checkers.causality.oddities import KINDS, odd
from upheld.checkers.reads_from import Outside, reads_from
from upheld.checkers.verdict import Anomaly, word
from upheld.histories.notation import parse

CASES = {
    "thin-air": "0 invoke read x:\n0 ok read x: 9\n",
    "aborted": "0 invoke write x: 9\n0 fail write x:\n1 invoke read x:\n1 ok read x: 9\n",
    "intermediate": '0 invoke txn [["w","x",9],["w","x",8]]\n0 ok txn\n1 invoke read x:\n1 ok read x: 9\n',
    "internal": '0 invoke write x: 9\n0 ok write x:\n1 invoke txn\n1 ok txn [["w","x",8],["r","x",9]]\n',
    "future": '0 invoke txn\n0 ok txn [["r","x",9],["w","x",9]]\n',
}
ENDS = {
    "thin-air": "Nor is it the initial value of that key",
    "aborted": 'process 1: read("x") -> 9 read 9 of key "x", which only it would have written',
    "intermediate": 'process 1: read("x") -> 9 read it all the same',
    "internal": "It had written another value there before, and a transaction reads its own writes",
    "future": "Only it writes that value there, and it does so later",
}


def found(text: str, outside: Outside = "nothing") -> Anomaly:
    anomaly = odd(reads_from(parse(text), outside=outside))
    assert anomaly is not None
    return anomaly


def test_every_kind_of_oddity_has_a_case() -> None:
    assert CASES.keys() == ENDS.keys() == KINDS.keys()


@pytest.mark.parametrize(("kind", "name"), KINDS.items())
def test_an_oddity_is_an_anomaly_with_its_story(kind: str, name: str) -> None:
    anomaly = found(CASES[kind])
    assert anomaly.kind == name
    assert anomaly.story[-1] == ENDS[kind]


@pytest.mark.parametrize("kind", KINDS)
def test_what_is_left_of_its_history_shows_it_and_nothing_else_does(kind: str) -> None:
    noise = "7 invoke write y: 1\n7 ok write y:\n"
    anomaly = found(noise + CASES[kind])
    assert anomaly.history is not None
    assert {each.key for each in anomaly.history.operations} <= {"x", None}
    again = odd(reads_from(anomaly.history))
    assert again is not None
    assert again.kind == anomaly.kind
    for operation in anomaly.history.operations:
        less = odd(reads_from(anomaly.history.without([operation])))
        assert less is None or less.kind != anomaly.kind


@pytest.mark.parametrize(("kind", "circular"), [("thin-air", "refuted"), ("internal", "undecided")])
def test_every_causal_model_is_refuted_but_that_of_causes_only_where_it_says_so(kind: str, circular: str) -> None:
    words = {name: word(verdict) for name, verdict in decide(parse(CASES[kind]), list(DEMANDS)).items()}
    assert words.pop("causal.no-circularity") == circular
    assert set(words.values()) == {"refuted"}


def test_of_two_initial_values_of_a_key_the_second_is_odd() -> None:
    text = "0 invoke read x:\n0 ok read x: 1\n1 invoke read x:\n1 ok read x: 2\n"
    anomaly = found(text, outside="start")
    assert anomaly.story[-1] == (
        'Nor can it have been there at first: that was 1, as nobody wrote it and process 0: read("x") -> 1 read it'
    )
    assert len(anomaly.operations) == 2


def test_a_history_without_them_has_none() -> None:
    assert odd(reads_from(parse("0 invoke write x: 1\n0 ok write x:\n1 invoke read x:\n1 ok read x: 1\n"))) is None
