"""What each session guarantee refutes, alone and together with others; in histories that one can check by hand."""

from __future__ import annotations

from dataclasses import replace
from importlib import import_module

import networkx as nx
import pytest

from upheld.checkers.causality import order
from upheld.checkers.reads_from import reads_from
from upheld.checkers.sessions.decision import decide, guarantees
from upheld.checkers.sessions.execution import Explanation, explain
from upheld.checkers.sessions.guarantees import FOUR, MODELS, THREE, Guarantees, Scope, combinations
from upheld.checkers.sessions.steps import Steps
from upheld.checkers.verdict import Refuted, Undecided, Upheld, Verdict
from upheld.histories.history import History
from upheld.histories.notation import parse

defined = import_module("visibilities")


def history(*operations: str) -> History:
    """Operations one after the other: "0 write x 1", "1 read x null"; "0 write? x 1" is never completed."""
    lines = []
    for number, text in enumerate(operations):
        session, action, key, value = text.split()
        is_write = action.startswith("write")
        lines.append(f"{number} invoke {action.rstrip('?')} {key}: {value if is_write else ''} session={session}")
        if not action.endswith("?"):
            lines.append(f"{number} ok {action} {key}: {'' if is_write else value} session={session}")
    return parse("".join(f"{line}\n" for line in lines))


def verdict(of: History, name: str) -> Verdict:
    return decide(of, [name])[name]


STALE = history("0 write x 1", "0 read x null")
FLIP = history("0 write x 1", "1 write x 2", "2 read x 1", "2 read x 2", "2 read x 1")
OPPOSITE = history("0 write x 1", "1 write x 2", "2 read x 1", "2 read x 2", "3 read x 2", "3 read x 1")
LATE = history("0 write x 1", "0 write x 2", "1 read x 2", "1 read x 1")
BEHIND = history("0 write x 1", "0 write y 1", "1 read y 1", "1 read x null")
HEARSAY = history("0 write x 1", "1 read x 1", "1 write y 1", "2 read y 1", "2 read x null")
CIRCLE = history("0 read x 1", "0 write y 1", "1 read y 1", "1 write x 1")


@pytest.mark.parametrize(
    ("of", "refuted"),
    [
        (STALE, {("read-your-writes",)}),
        (FLIP, {("monotonic-reads",)}),
        (OPPOSITE, {("monotonic-reads",)}),
        (LATE, {("monotonic-reads", "monotonic-writes")}),
        (BEHIND, {("monotonic-reads", "monotonic-writes")}),
        (HEARSAY, {("monotonic-reads", "writes-follow-reads")}),
        (CIRCLE, {("writes-follow-reads",)}),
    ],
)
def test_the_smallest_combinations_that_a_history_refutes_are_told(of: History, refuted: set[tuple[str, ...]]) -> None:
    report = guarantees(of)
    assert set(report.refuted) == refuted
    assert len(report.verdicts) == 16
    for names, found in report.verdicts.items():
        assert isinstance(found, Refuted) == any({*each} <= {*names} for each in refuted), names


def test_what_two_sessions_saw_in_opposite_orders_is_allowed_where_each_has_an_order_of_its_own() -> None:
    assert guarantees(OPPOSITE, scope="local").refuted == ()
    assert guarantees(FLIP, scope="local").refuted == (("monotonic-reads",),)
    assert isinstance(verdict(OPPOSITE, "session.three.global"), Refuted)
    assert isinstance(verdict(OPPOSITE, "session.three.local"), Upheld)
    assert isinstance(verdict(OPPOSITE, "session.four.local"), Upheld)


def test_weak_forms_order_writes_and_say_nothing_of_who_sees_them() -> None:
    assert guarantees(BEHIND, weak=True).refuted == ()
    assert guarantees(LATE, weak=True).refuted == (("monotonic-reads", "monotonic-writes.weak"),)


def test_a_write_that_nobody_completed_comes_before_nothing_in_its_session() -> None:
    assert guarantees(history("0 write? x 1", "0 read x null", "1 read x 1")).refuted == ()
    completed = history("0 write x 1", "0 read x null", "1 read x 1")
    assert guarantees(completed).refuted == (("read-your-writes",),)


@pytest.mark.parametrize("of", [history("0 write x 1", "1 write x 2"), history("0 read x null"), parse("")])
def test_without_reads_or_writes_everything_holds(of: History) -> None:
    for found in guarantees(of).verdicts.values():
        assert isinstance(found, Upheld)
        found.witness.recheck(of)


def test_of_a_transaction_that_is_seen_all_is_seen() -> None:
    wrote = '0 invoke txn [["w","x",1],["w","y",1]]\n0 ok txn [["w","x",1],["w","y",1]]\n'
    read = '1 invoke txn [["r","x",1],["r","y",null]]\n1 ok txn [["r","x",1],["r","y",null]]\n'
    assert guarantees(parse(wrote + read)).refuted == ((),)


def test_a_value_that_nobody_wrote_refutes_all_of_them() -> None:
    found = verdict(history("0 read x 1"), "session.monotonic-writes")
    assert isinstance(found, Refuted)
    assert found.anomaly.kind == "thin-air-read"


def test_a_value_that_two_wrote_makes_them_not_applicable() -> None:
    found = verdict(history("0 write x 1", "1 write x 1", "2 read x 1"), "session.three.global")
    assert isinstance(found, Undecided)
    assert found.reason.startswith("not applicable: 2 operations wrote 1 of key")


def test_beyond_the_limit_nobody_knows() -> None:
    of = history("0 write x 1", "0 write x 2", "0 write x 3", "0 read x 1")
    assert isinstance(guarantees(of).verdicts["read-your-writes",], Upheld)
    limited = guarantees(of, limit=1).verdicts["read-your-writes",]
    assert isinstance(limited, Undecided)
    assert limited.reason == "more than 1 pairs of writes that no session orders"


# --- anomalies


def test_a_cycle_is_told_in_sentences_that_one_can_check() -> None:
    found = verdict(BEHIND, "session.three.global")
    assert isinstance(found, Refuted)
    assert found.evidence["refuted"] == ["monotonic-reads", "monotonic-writes"]
    assert found.anomaly.kind == "session-guarantee-cycle"
    assert found.anomaly.story[-1] == (
        'So #6 saw the write of #0, and read what was there of key "x" at first, before any write: '
        "monotonic reads and monotonic writes cannot hold"
    )
    assert '#4 read the value of key "y" that #2 wrote' in found.anomaly.story
    assert "in session 1 #6 follows #4: it sees all that #4 saw (monotonic reads)" in found.anomaly.story


@pytest.mark.parametrize("of", [STALE, FLIP, OPPOSITE, LATE, BEHIND, HEARSAY, CIRCLE])
def test_an_anomaly_needs_each_of_its_operations_and_has_a_cycle(of: History) -> None:
    anomalies = [found.anomaly for found in guarantees(of).verdicts.values() if isinstance(found, Refuted)]
    assert anomalies
    for anomaly in anomalies[:2]:
        assert anomaly.history is not None
        assert guarantees(anomaly.history).refuted
        assert anomaly.graph is not None
        assert nx.find_cycle(anomaly.graph)
        assert all(edge["reason"] for _, _, edge in anomaly.graph.edges(data=True))
        for operation in anomaly.history.operations:
            rest = guarantees(anomaly.history.without([operation])).verdicts.values()
            assert not any(
                isinstance(found, Refuted) and found.anomaly.kind == "session-guarantee-cycle" for found in rest
            )


# --- witnesses


def test_a_witness_is_rechecked_and_a_wrong_one_is_not_believed() -> None:
    of = history("0 write x 1", "0 write x 2", "1 read x 2", "1 write y 1", "2 read y 1", "2 read x 2")
    found = verdict(of, "session.four.local")
    assert isinstance(found, Upheld)
    found.witness.recheck(of)
    explanation = found.witness.explanation
    backwards = replace(explanation, orders=tuple(order[::-1] for order in explanation.orders))
    with pytest.raises(ValueError, match="ordered before what it must follow"):
        replace(found.witness, explanation=backwards).recheck(of)
    explanation.sight.limits = 0 * explanation.sight.limits
    with pytest.raises(ValueError, match="the witness does not hold"):
        found.witness.recheck(of)


def test_a_witness_has_an_order_of_writes_for_each_session_that_reads() -> None:
    of = history("0 write x 1", "1 write x 2", "2 read x null", "0 read x 2", "1 read x 1")
    found = verdict(of, "session.four.local")
    assert isinstance(found, Upheld)
    assert len(found.witness.explanation.orders) == 3
    found.witness.recheck(of)


# --- vacuity


def test_a_guarantee_that_no_observation_could_have_refuted_is_said_to_be_vacuous() -> None:
    found = verdict(BEHIND, "session.read-your-writes")
    assert isinstance(found, Upheld)
    assert found.evidence["vacuous"] is True
    assert found.notes[-1].startswith("vacuous: ")
    assert guarantees(BEHIND).vacuous == (
        "read-your-writes",
        "monotonic-reads",
        "monotonic-writes",
        "writes-follow-reads",
    )
    assert "read-your-writes" not in guarantees(history("0 write x 1", "0 read x 1")).vacuous


@pytest.mark.parametrize("seed", range(40))
def test_vacuous_is_what_holds_whatever_the_reads_had_returned(seed: int) -> None:
    of = defined.a_history(seed, cas=seed % 2 == 1, most=6)
    traced = reads_from(of)
    if traced.oddities or len(traced.reads) > 4:
        return
    told = guarantees(of).vacuous
    for wanted in combinations():
        if len(wanted.names) == 1 and isinstance(guarantees(of).verdicts[wanted.names], Upheld):
            assert (wanted.names[0] in told) == defined.holds_for_all_readings(traced, wanted), wanted.names


# --- the definition


@pytest.mark.parametrize("seed", range(45))
def test_the_judge_says_what_the_definition_says(seed: int) -> None:
    traced = reads_from(defined.a_history(seed, transactions=seed % 3 == 1, cas=seed % 3 == 2))
    if traced.oddities:
        return
    steps = Steps(traced)
    scopes: tuple[Scope, ...] = ("global", "local")
    wanted = [THREE, FOUR, *(each for each, _ in MODELS.values()), Guarantees(own=True, joined=True, following=True)]
    for each in [*wanted, *combinations(), *combinations(weak=True)][seed % 3 :: 3]:
        for scope in scopes:
            found = explain(steps, each, scope)
            assert isinstance(found, Explanation) == defined.allows(traced, each, scope), (each.names, scope)


@pytest.mark.parametrize("seed", range(24))
def test_every_witness_passes_its_recheck(seed: int) -> None:
    of = defined.a_history(seed, transactions=seed % 3 == 1, cas=seed % 3 == 2)
    found = [each for each in decide(of, list(MODELS)).values() if isinstance(each, Upheld)]
    for each in found:
        each.witness.recheck(of)


def test_clocks_that_would_not_fit_are_not_begun_with(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(order, "ENTRIES_MAX", 1)
    history = parse("0 invoke write 1\n0 ok write\n1 invoke read\n1 ok read 1\n")
    for found in decide(history, list(MODELS)).values():
        assert isinstance(found, Undecided)
        assert "more than 1; judge a part of the history" in found.reason
