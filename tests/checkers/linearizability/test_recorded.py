"""Histories that others recorded, with their verdicts: the folder is the verdict."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import pytest

from upheld import native
from upheld.checkers.linearizability import Linearizable, fault_in
from upheld.checkers.verdict import Refuted, Undecided, Upheld
from upheld.histories.files import find_histories, read_history
from upheld.specs.model import started
from upheld.specs.objects import guess_model

Engine = Literal["native", "pure"]
EXPECTED = {"linearizable": Upheld, "not-linearizable": Refuted}
ENGINES: tuple[Engine, ...] = ("native", "pure") if native.ENGINE == "native" else ("pure",)


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize(("folder", "count"), [("etcd", 32), ("kv", 4)])
def test_every_recorded_history_gets_its_verdict(data: Path, folder: str, count: int, engine: Engine) -> None:
    paths = find_histories(data / folder)
    assert len(paths) == count
    for path in paths:
        verdict = Linearizable(engine=engine).check(read_history(path))
        assert type(verdict) is EXPECTED[path.parent.name], path


@pytest.mark.parametrize("engine", ENGINES)
def test_every_witness_replays_and_every_counter_example_is_refuted_by_itself(data: Path, engine: Engine) -> None:
    for path in find_histories(data / "etcd"):
        history = read_history(path)
        model = started(guess_model(history).model, history)
        match Linearizable(engine=engine).check(history):
            case Upheld(witness):
                assert fault_in(witness, history, model) is None
            case Refuted(anomaly):
                assert anomaly.history is not None
                assert isinstance(Linearizable(model, engine="pure").check(anomaly.history), Refuted)
            case Undecided(reason):
                pytest.fail(f"{path}: {reason}")
