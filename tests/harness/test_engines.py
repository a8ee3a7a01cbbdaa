"""Engines give every seed once, name the seed that kills a worker, and lose nothing else."""

from __future__ import annotations

import importlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from types import ModuleType

import pytest

from upheld.harness import engines
from upheld.harness.engines import Done, Engine, Inline, Job, Local
from upheld.histories.errors import NondeterministicRun, UsageError

HERE = Path(__file__).parent


@pytest.fixture
def works(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    monkeypatch.syspath_prepend(HERE)
    return importlib.import_module("engine_works")


@contextmanager
def started(engine: Engine) -> Iterator[Engine]:
    try:
        yield engine
    finally:
        engine.cancel()


def by_seed(done: list[Done]) -> dict[tuple[str, int], object]:
    return {(one.key, one.seed): one.lost or one.result for one in done}


@pytest.mark.parametrize("name", ["inline", "local"])
def test_every_seed_of_every_job_is_done_once(works: ModuleType, name: str) -> None:
    with started(engines.engine(name, jobs=2)) as engine:
        engine.submit(Job("squares", works.square, range(50)))
        engine.submit(Job("cubes", partial(works.power, 3), range(10, 20)))
        done = list(engine.completed())
    assert len(done) == 60
    assert by_seed(done) == {("squares", n): n**2 for n in range(50)} | {("cubes", n): n**3 for n in range(10, 20)}


@pytest.mark.parametrize("name", ["inline", "local"])
def test_a_job_may_be_submitted_while_results_arrive(works: ModuleType, name: str) -> None:
    with started(engines.engine(name, jobs=1)) as engine:
        engine.submit(Job("first", works.square, [1, 2]))
        keys = []
        for done in engine.completed():
            keys.append(done.key)
            if done.seed == 1:
                engine.submit(Job("later", works.square, [7]), first=True)
    assert sorted(keys) == ["first", "first", "later"]


@pytest.mark.parametrize("name", ["inline", "local"])
def test_a_cancelled_job_ends_and_the_others_go_on(works: ModuleType, name: str) -> None:
    with started(engines.engine(name, jobs=1)) as engine:
        engine.submit(Job("long", partial(works.sleep, 0.02), range(1000)))
        engine.submit(Job("other", works.square, range(5)))
        done = []
        for one in engine.completed():
            done.append(one)
            if one.key == "long":
                engine.cancel("long")
    assert len([one for one in done if one.key == "long"]) < 100
    assert len([one for one in done if one.key == "other"]) == 5


def test_the_seed_that_kills_its_worker_is_named_and_no_other_is_lost(works: ModuleType) -> None:
    with started(Local(2)) as engine:
        engine.submit(Job("deadly", partial(works.killed_by, 13), range(40)))
        results = by_seed(list(engine.completed()))
    assert results.pop(("deadly", 13)) == "seed 13 killed its process (signal SIGKILL)"
    assert results == {("deadly", n): n for n in range(40) if n != 13}


def test_the_seed_that_hangs_is_named_and_no_other_is_lost(works: ModuleType) -> None:
    with started(Local(2, hang_s=1.0)) as engine:
        engine.submit(Job("endless", partial(works.hangs_at, 3), range(8)))
        results = by_seed(list(engine.completed()))
    assert results.pop(("endless", 3)) == "seed 3 hung for more than 1 s"
    assert results == {("endless", n): n for n in range(8) if n != 3}


@pytest.mark.parametrize("error", [ValueError, NondeterministicRun])
def test_what_a_work_raises_is_raised_here_and_names_the_seed(works: ModuleType, error: type[Exception]) -> None:
    with started(Local(1)) as engine:
        engine.submit(Job("bad", partial(works.raises, error.__name__), range(3)))
        with pytest.raises(Exception, match="no good") as caught:
            list(engine.completed())
    assert any("seed 0 of bad" in note for note in caught.value.__notes__)


def test_workers_have_a_pinned_hash_seed_and_may_print(works: ModuleType) -> None:
    with started(Local(1)) as engine:
        engine.submit(Job("hash", works.hash_seed, [0]))
        assert [one.result for one in engine.completed()] == ["0"]


def test_workers_go_when_their_parent_is_killed(works: ModuleType, tmp_path: object) -> None:
    program = (
        "from upheld.harness.engines import Job, Local; import engine_works, functools\n"
        "engine = Local(2); engine.submit(Job('k', functools.partial(engine_works.tells_pid, 0.1), range(1000)))\n"
        "for done in engine.completed(): print(done.result, flush=True)\n"
    )
    parent = subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, env=environment())
    assert parent.stdout is not None
    worker = int(parent.stdout.readline())
    parent.kill()
    parent.wait()
    parent.stdout.close()
    assert eventually_gone(worker)


def test_control_c_ends_it_and_its_workers(works: ModuleType) -> None:
    program = (
        "from upheld.harness.engines import Job, Local; import engine_works, functools\n"
        "engine = Local(2); engine.submit(Job('k', functools.partial(engine_works.tells_pid, 0.1), range(1000)))\n"
        "try:\n"
        "    for done in engine.completed(): print(done.result, flush=True)\n"
        "except KeyboardInterrupt: print('interrupted')\n"
        "finally: engine.cancel()\n"
    )
    parent = subprocess.Popen(
        [sys.executable, "-c", program], stdout=subprocess.PIPE, env=environment(), start_new_session=True, text=True
    )
    assert parent.stdout is not None
    worker = int(parent.stdout.readline())
    os.killpg(parent.pid, signal.SIGINT)
    told, _ = parent.communicate(timeout=20)
    assert told.splitlines()[-1] == "interrupted"
    assert parent.returncode == 0
    assert eventually_gone(worker)


@pytest.mark.parametrize(("name", "jobs", "says"), [("ray", 1, "inline, local"), ("local", 0, "at least 1")])
def test_an_engine_that_does_not_exist_is_a_usage_error(name: str, jobs: int, says: str) -> None:
    with pytest.raises(UsageError, match=says):
        engines.engine(name, jobs=jobs)


def test_the_inline_engine_is_lazy(works: ModuleType) -> None:
    engine = Inline()
    engine.submit(Job("endless", works.square, range(10**12)))
    assert next(iter(engine.completed())).result == 0


def environment() -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": os.pathsep.join([str(HERE), *filter(None, sys.path)])}


def eventually_gone(process: int) -> bool:
    for _ in range(100):
        try:
            os.kill(process, 0)
        except ProcessLookupError:
            return True
        time.sleep(0.05)
    return False
