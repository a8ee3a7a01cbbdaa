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
from importlib.util import find_spec
from pathlib import Path
from types import ModuleType

import pytest

from upheld.harness import engines
from upheld.harness.engines import Done, Engine, Inline, Job, Local
from upheld.histories.errors import NondeterministicRun, UsageError

HERE = Path(__file__).parent
MB = 1 << 20

needs_dask = pytest.mark.skipif(find_spec("distributed") is None, reason="dask.distributed is not installed")
every_engine = pytest.mark.parametrize("name", ["inline", "local", pytest.param("dask", marks=needs_dask)])
processes = pytest.mark.parametrize("name", ["local", pytest.param("dask", marks=needs_dask)])


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


@every_engine
def test_every_seed_of_every_job_is_done_once(works: ModuleType, name: str) -> None:
    with started(engines.engine(name, jobs=2)) as engine:
        engine.submit(Job("squares", works.square, range(50)))
        engine.submit(Job("cubes", partial(works.power, 3), range(10, 20)))
        done = list(engine.completed())
    assert len(done) == 60
    assert by_seed(done) == {("squares", n): n**2 for n in range(50)} | {("cubes", n): n**3 for n in range(10, 20)}


@every_engine
def test_a_job_may_be_submitted_while_results_arrive(works: ModuleType, name: str) -> None:
    with started(engines.engine(name, jobs=1)) as engine:
        engine.submit(Job("first", works.square, [1, 2]))
        keys = []
        for done in engine.completed():
            keys.append(done.key)
            if done.seed == 1:
                engine.submit(Job("later", works.square, [7]), first=True)
    assert sorted(keys) == ["first", "first", "later"]


@every_engine
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


def test_what_an_earlier_seed_left_behind_is_not_the_fault_of_a_later_one(works: ModuleType) -> None:
    with started(Local(1)) as engine:
        engine.submit(Job("exhausting", partial(works.dies_of_exhaustion, 5), range(12)))
        results = by_seed(list(engine.completed()))
    assert results == {("exhausting", n): n for n in range(12)}


def test_a_worker_that_ends_while_it_answers_is_nobodys_fault(works: ModuleType, tmp_path: Path) -> None:
    mark = tmp_path / "killed"
    with started(Local(1)) as engine:
        engine.submit(Job("torn", partial(works.kills_once_when_sent, mark, 5), range(10)))
        results = by_seed(list(engine.completed()))
    assert mark.exists()
    assert results == {("torn", n): n for n in range(10)} | {("torn", 5): "sent"}


def test_workers_that_end_between_seeds_again_and_again_are_a_fault_of_the_engine(works: ModuleType) -> None:
    with started(Local(1)) as engine:
        engine.submit(Job("mute", works.cannot_be_sent, range(3)))
        with pytest.raises(RuntimeError, match="6 workers in a row ended between two seeds; the last killed its"):
            list(engine.completed())


@processes
def test_a_seed_that_needs_more_memory_than_there_is_is_named_and_no_other_is_lost(
    works: ModuleType, name: str
) -> None:
    with started(engines.engine(name, jobs=2, memory_max=512 * MB)) as engine:
        engine.submit(Job("greedy", partial(works.needs_memory, 4, 600 * MB), range(10)))
        results = by_seed(list(engine.completed()))
    assert results.pop(("greedy", 4)) == "seed 4 needed more than 512 MB of memory"
    assert results == {("greedy", n): n for n in range(10) if n != 4}


@processes
def test_a_worker_that_is_killed_from_outside_costs_no_seed(works: ModuleType, name: str) -> None:
    with started(engines.engine(name, jobs=2)) as engine:
        engine.submit(Job("disturbed", partial(works.tells_pid, 0.02), range(60)))
        done: list[Done] = []
        for one in engine.completed():
            done.append(one)
            if len(done) == 10:
                os.kill(one.result, signal.SIGKILL)
    assert [one.lost for one in done] == [""] * 60
    assert sorted(one.seed for one in done) == list(range(60))
    assert len({one.result for one in done}) > 1


@needs_dask
def test_a_block_that_ends_its_workers_is_halved_down_to_the_seed_that_does_it(works: ModuleType) -> None:
    with started(engines.engine("dask", jobs=2)) as engine:
        engine.submit(Job("deadly", partial(works.killed_by, 5), range(8)))
        results = by_seed(list(engine.completed()))
    assert "seed 5 ended every worker that it was given" in str(results.pop(("deadly", 5)))
    assert results == {("deadly", n): n for n in range(8) if n != 5}


@needs_dask
def test_a_scheduler_that_does_not_answer_is_a_usage_error(works: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.import_module("upheld.harness.engines.dask"), "CONNECT_S", 0.2)
    with started(engines.engine("dask", jobs=1, scheduler="tcp://127.0.0.1:1")) as engine:
        engine.submit(Job("squares", works.square, range(3)))
        with pytest.raises(UsageError, match=r"no scheduler of dask answers at tcp://127\.0\.0\.1:1"):
            list(engine.completed())


@needs_dask
def test_a_cluster_that_runs_somewhere_does_the_work_and_stays(works: ModuleType) -> None:
    distributed = importlib.import_module("distributed")
    with distributed.LocalCluster(
        n_workers=1, threads_per_worker=2, host="127.0.0.1", dashboard_address="127.0.0.1:0", silence_logs="CRITICAL"
    ) as cluster:
        for _ in range(2):
            with started(engines.engine("dask", jobs=1, scheduler=cluster.scheduler_address)) as engine:
                engine.submit(Job("squares", works.square, range(20)))
                assert by_seed(list(engine.completed())) == {("squares", n): n**2 for n in range(20)}


def test_without_its_library_the_engine_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "distributed", None)
    monkeypatch.delitem(sys.modules, "upheld.harness.engines.dask", raising=False)
    with pytest.raises(UsageError, match=r"pip install 'upheld\[dask\]'"):
        engines.engine("dask", jobs=1)


def test_the_seed_that_hangs_is_named_and_no_other_is_lost(works: ModuleType) -> None:
    with started(Local(2, hang_s=1.0)) as engine:
        engine.submit(Job("endless", partial(works.hangs_at, 3), range(8)))
        results = by_seed(list(engine.completed()))
    assert results.pop(("endless", 3)) == "seed 3 hung for more than 1 s"
    assert results == {("endless", n): n for n in range(8) if n != 3}


@processes
@pytest.mark.parametrize("error", [ValueError, NondeterministicRun])
def test_what_a_work_raises_is_raised_here_and_names_the_seed(
    works: ModuleType, error: type[Exception], name: str
) -> None:
    with started(engines.engine(name, jobs=1)) as engine:
        engine.submit(Job("bad", partial(works.raises, error.__name__), range(3)))
        with pytest.raises(Exception, match="no good") as caught:
            list(engine.completed())
    assert any("seed 0 of bad" in note for note in caught.value.__notes__)


@pytest.mark.parametrize(("name", "pinned"), [("local", "0"), pytest.param("dask", "6640", marks=needs_dask)])
def test_workers_have_a_pinned_hash_seed_and_may_print(
    works: ModuleType, name: str, pinned: str, capfd: pytest.CaptureFixture[str]
) -> None:
    with started(engines.engine(name, jobs=1)) as engine:
        engine.submit(Job("hash", works.hash_seed, [0]))
        assert [one.result for one in engine.completed()] == [pinned]
    printed = capfd.readouterr()
    assert printed.out == ""
    assert "this must not go to standard output" in printed.err


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


@processes
def test_control_c_ends_it_and_its_workers_without_a_word(name: str) -> None:
    program = (
        "from upheld.harness.engines import Job, engine; import engine_works, functools\n"
        f"engine = engine({name!r}, jobs=2); engine.submit(Job('k', functools.partial(engine_works.tells_pid, 0.1), range(1000)))\n"
        "try:\n"
        "    for done in engine.completed(): print(done.result, flush=True)\n"
        "except KeyboardInterrupt: print('interrupted')\n"
        "finally: engine.cancel()\n"
    )
    parent = subprocess.Popen(
        [sys.executable, "-c", program],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=environment(),
        start_new_session=True,
        text=True,
    )
    assert parent.stdout is not None
    worker = int(parent.stdout.readline())
    os.killpg(parent.pid, signal.SIGINT)
    told, complaint = parent.communicate(timeout=20)
    assert complaint == ""
    assert told.splitlines()[-1] == "interrupted"
    assert parent.returncode == 0
    assert eventually_gone(worker)


@pytest.mark.parametrize(
    ("name", "jobs", "scheduler", "says"),
    [
        ("ray", 1, None, "there are inline, local, dask"),
        ("local", 0, None, "at least 1"),
        ("local", 1, "tcp://127.0.0.1:1", "a scheduler is for the engine dask"),
    ],
)
def test_an_engine_that_does_not_exist_is_a_usage_error(name: str, jobs: int, scheduler: str | None, says: str) -> None:
    with pytest.raises(UsageError, match=says):
        engines.engine(name, jobs=jobs, scheduler=scheduler)


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
