"""Tables and stories, as they are printed."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from upheld.claims.results import ClaimResult, FailureResult, GroupResult
from upheld.harness.store import Kept
from upheld.reports.story import conclusion, told
from upheld.reports.tables import claims_table, evidence, groups_table, rows_table, runs_table
from upheld.reports.words import counted, listed, plain, shortened


def row(claim: str, variant: str, verdict: str, **more: Any) -> ClaimResult:
    said: dict[str, Any] = {
        "chapter": "consensus",
        "system": "raft-kv",
        "kind": "always",
        "statement": "it holds",
        "runs": 200,
    }
    return ClaimResult(id=claim, variant=variant, verdict=verdict, **{**said, "operations": 12_345, **more})


RESULTS = [
    row(
        "raft.election_safety", "reference", "upheld",
        faults={"partition": 310, "crash": 99}, failure_rate_below=0.0149, mutants_killed=("vote-not-persisted",),
    ),
    row(
        "raft.election_safety", "as-written", "refuted",
        runs=1, operations=17, faults={"crash": 1}, anomaly="two-leaders",
        story=("In term 2 two nodes lead:", "  n1 from event 40 on", "  n3 from event 71 on"),
        plan_operations=2, plan_faults=1, replay="upheld replay /runs/raft-kv/7/plan.json",
    ),
    row("raft.reelection", "reference", "undecided", runs=3, runs_vacuous=12, reason="3 judged runs; 200 are needed"),
    row("raft.log_matching", "reference", "upheld", mutants_killed=(), runs_undecided=2),
    row("chat.delivered", "reference", "upheld", chapter="convergence", runs=60, operations=1),
    row("chat.terminates", "reference", "upheld", chapter="convergence", runs=0, operations=0),
]  # fmt: skip


def test_the_claims_table_has_a_row_a_claim_by_chapter_and_stories_below(
    drawn: Callable[..., Any], golden: Callable[..., Any]
) -> None:
    golden("claims.txt", drawn(claims_table(RESULTS)))


def test_a_row_with_many_failures_says_how_often_each_came_and_how_each_replays(
    drawn: Callable[..., Any], golden: Callable[..., Any]
) -> None:
    first = FailureResult(anomaly="two-leaders", runs=40, seed=3, replay="upheld replay /runs/raft-kv/3/plan.json")
    second = FailureResult(anomaly="no-leader", runs=1, seed=71, replay="upheld replay /runs/raft-kv/71/plan.json")
    told = row(
        "raft.election_safety", "reference", "refuted", story=("In term 2 two nodes lead",), replay=first.replay,
        failures=(first, second, FailureResult(anomaly="late", runs=2, seed=900)),
    )  # fmt: skip
    golden("failures.txt", drawn(claims_table([told])))


def test_the_runs_of_a_group_are_told_with_what_they_are_worth(
    drawn: Callable[..., Any], golden: Callable[..., Any]
) -> None:
    group = GroupResult(
        system="raft-kv", variant="reference", mutants=("vote-not-persisted",), workload="key-value", profile="storm",
        runs=20_000, completed=19_990, faults={"crash": 1_234, "delay": 0, "loss": 56},
        unproven={"seed 7 hung for more than 120 s": 1, "only 0 of 1 get completed while faults acted": 9},
        findings={"n1 at 17 ns: KeyError: 'x' (node.py:3)": 2},
    )  # fmt: skip
    calm = GroupResult(
        system="cell", variant="reference", workload="cell", profile="calm", settings={"ttl_ns": 5}, runs=1, completed=1,
    )  # fmt: skip
    golden("groups.txt", drawn(groups_table([group, calm])))


def test_a_narrow_terminal_folds_the_evidence_and_loses_nothing(
    drawn: Callable[..., Any], golden: Callable[..., Any]
) -> None:
    golden("claims-narrow.txt", drawn(claims_table(RESULTS), width=90))


def test_a_claim_that_kills_no_mutant_is_untested() -> None:
    assert evidence(RESULTS[3]).endswith("kills no mutant: untested")
    assert "kills" not in evidence(RESULTS[2])


def test_no_results_are_no_verdict(drawn: Callable[..., Any]) -> None:
    assert drawn(claims_table([])).strip() == "no claim was put to the test"


def test_the_runs_table_says_what_each_run_showed(drawn: Callable[..., Any], golden: Callable[..., Any]) -> None:
    common: dict[str, Any] = {"system": "raft-kv", "folder": Path("/runs"), "seed": 7, "operations": 4, "faults": 1}
    runs = [
        Kept(
            run="7", variant="as-written", mutants=(), is_running=False, **common,
            verdicts={"raft.linearizable": "refuted", "raft.durable": "upheld"},
            anomalies={"raft.linearizable": "not-linearizable"},
        ),
        Kept(run="8", variant="reference", mutants=("a", "b"), is_running=False, verdicts={"raft.durable": "upheld"}, anomalies={}, **common),
        Kept(run="running-1-2", variant="reference", mutants=(), is_running=True, verdicts={}, anomalies={}, **common),
    ]  # fmt: skip
    golden("runs.txt", drawn(runs_table(runs)))


def test_rows_stand_below_their_headings(drawn: Callable[..., Any]) -> None:
    table = drawn(rows_table(("model", "actions"), [("register", "read, write"), ("kv", "get")]))
    assert table == "model     actions\nregister  read, write\nkv        get\n"


REFUTED = {
    "verdict": "refuted", "checker": "linearizability", "model": "register", "method": "search", "operations": 1,
    "reason": "", "anomaly": {"kind": "x", "operations": [0], "story": ["It broke:", "  here\n  and there"]},
    "evidence": {}, "notes": ["guessed"],
}  # fmt: skip

TOLD = {
    "a refuted one has its story": (REFUTED, [
        "✗ refuted    h.jsonl  linearizability of register, by search, 1 operation",
        "    It broke:", "      here", "      and there", "    note: guessed",
    ]),
    "an undecided one has its reason": (
        {**REFUTED, "verdict": "undecided", "anomaly": None, "reason": "the steps ran out", "model": "", "notes": []},
        ["? undecided  h.jsonl  linearizability, by search, 1 operation", "    the steps ran out"],
    ),
    "an upheld one has its line": (
        {**REFUTED, "verdict": "upheld", "anomaly": None, "consistency": "causal", "notes": []},
        ["✓ upheld     h.jsonl  linearizability of register (causal), by search, 1 operation"],
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", TOLD)
def test_a_verdict_in_words(case: str, drawn: Callable[..., Any]) -> None:
    verdict, lines = TOLD[case]
    assert drawn(told("h.jsonl", verdict)).splitlines() == lines


def test_the_conclusion_counts_everything(drawn: Callable[..., Any]) -> None:
    words = ["upheld", "refuted", "upheld"]
    assert drawn(conclusion(words)) == "3 histories: 2 upheld, 1 refuted\n"
    assert drawn(conclusion(words[:1], 2)) == "1 history: 1 upheld; 2 could not be judged\n"
    assert drawn(conclusion([], 0, interrupted=True)) == "0 histories: no verdict; interrupted before the end\n"


def test_the_small_pieces() -> None:
    assert counted(1, "run") == "1 run"
    assert counted(2000, "history", "histories") == "2,000 histories"
    assert listed({"partition": 1200, "crash": 3}) == "crash 3, partition 1,200"
    assert plain("a\tb\x1b✓é") == r"a\tb\x1b✓é"
    assert shortened("abcdef", 4) == "abc…"
    assert shortened("abcd", 4) == "abcd"
