"""A broken store for each judge: its judge catches it, and nobody who asks for less has anything to say against it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from importlib import import_module
from typing import TypeAlias

import pytest

from upheld.checkers.linearizability import check_linearizability
from upheld.checkers.verdict import Refuted, Verdict
from upheld.histories.history import History
from upheld.specs.consistency.lattice import weaker
from upheld.specs.consistency.models import MODELS

stores, single_copy = import_module("stores"), import_module("single_copy")

Broken: TypeAlias = Callable[[int], History]

SEEDS = 300


def replicated(steps: Callable[[int], object], delivery: object, *replaces: object, **options: float) -> Broken:
    store = stores.Store(delivery, *replaces, **options)

    def run(seed: int) -> History:
        history: History = store.run(steps(seed), seed)
        return history

    return run


BROKEN: dict[str, Broken] = {
    "fifo.slow": replicated(stores.anything, stores.at_any_time),
    "fifo.pram": replicated(stores.in_a_row, stores.by_causality, stores.last_stamp_wins),
    "causal.no-circularity": single_copy.tells_what_will_be,
    "causal.weak": replicated(stores.passed_on, stores.by_sender, at_once=1),
    "causal.convergence": replicated(stores.relayed, stores.by_causality, at_once=2, haste=0.9),
    "causal.memory": replicated(stores.passed_on_to_a_writer, stores.by_causality, stores.last_stamp_wins),
    "causal.real-time": replicated(stores.anything, stores.by_causality, stores.last_stamp_wins),
    "session.read-your-writes": single_copy.reads_behind_own_writes,
    "session.monotonic-reads": single_copy.reads_that_go_back,
    "session.three.local": single_copy.writes_overtake_each_other,
    "session.three.global": single_copy.shards_that_order_for_themselves,
    "register.safe": single_copy.reads_behind_the_last_write,
    "register.regular": single_copy.flickers_to_old_values,
    "linearizable": single_copy.flickers_to_the_value_before,
    "eventual.visibility": single_copy.forgets_an_element,
}
"""By the weakest model that it breaks."""


def decided(history: History, names: Sequence[str]) -> dict[str, Verdict]:
    """The verdicts on those of these models that somebody decides."""
    found: dict[str, Verdict] = {}
    for judge in {MODELS[name].judge for name in names} - {"", "linearizability"}:
        mine = [name for name in names if MODELS[name].judge == judge]
        found |= import_module(f"upheld.checkers.{judge}").decide(history, mine)
    if "linearizable" in names:
        found["linearizable"] = check_linearizability(history, "register")
    return found


def refuted(broken: Broken, names: Sequence[str]) -> set[str]:
    """Those that are refuted by a run or more."""
    runs = (decided(broken(seed), names) for seed in range(SEEDS))
    return {name for verdicts in runs for name, verdict in verdicts.items() if isinstance(verdict, Refuted)}


@pytest.mark.parametrize("name", BROKEN)
def test_it_is_caught_by_its_judge_and_by_no_weaker_one(name: str) -> None:
    assert MODELS[name].judge, f"nobody decides {name}"
    assert refuted(BROKEN[name], [name, *sorted(weaker(name))]) == {name}
