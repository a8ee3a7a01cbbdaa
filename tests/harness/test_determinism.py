"""Nodes that are not deterministic are caught, and the message says where."""

from __future__ import annotations

import os
import random
import subprocess
import sys
import threading
import time
import uuid
from importlib import import_module
from pathlib import Path

import pytest

from upheld.harness.determinism import check_determinism, difference, load_system
from upheld.harness.plan import PlannedOperation, write_plan
from upheld.harness.swarm import generate_plan
from upheld.harness.trial import run_plan
from upheld.histories.errors import NondeterministicRun, UsageError

toys = import_module("toys")
COUNTERS, plan_of = toys.COUNTERS, toys.plan_of

PLAN = plan_of(operations=[PlannedOperation(0, 0, "add", argument=1)])


@pytest.mark.parametrize(
    ("system", "called"),
    [
        ("CLOCK", "time.time"),
        ("DICE", "random.choice"),
        ("NAMES", "uuid.uuid4"),
        ("THREAD", "threading.Thread.start"),
        ("SOCKET", "socket.socket"),
        ("SWALLOWED", "time.monotonic_ns"),
    ],
)
def test_a_fence_names_what_was_called_and_the_line_that_called_it(system: str, called: str) -> None:
    with pytest.raises(NondeterministicRun) as caught:
        run_plan(PLAN, getattr(toys, system))
    assert f"{called} is called at {toys.__file__}:" in caught.value.difference
    line = int(caught.value.difference.split(f"{toys.__file__}:")[1].split(";")[0])
    module, _ = called.split(".", maxsplit=1)
    assert module in Path(str(toys.__file__)).read_text(encoding="utf-8").splitlines()[line - 1]


def test_fences_are_gone_after_a_run_and_never_stand_around_other_threads() -> None:
    before = time.time, random.choice, uuid.uuid4, os.urandom, threading.Thread.start
    seen: list[float] = []
    stop = threading.Event()

    def looks() -> None:
        while not stop.is_set():
            seen.append(time.time())

    watcher = threading.Thread(target=looks)
    watcher.start()
    try:
        run_plan(PLAN, COUNTERS)
        with pytest.raises(NondeterministicRun):
            run_plan(PLAN, toys.CLOCK)
    finally:
        stop.set()
        watcher.join()
    assert seen
    assert (time.time, random.choice, uuid.uuid4, os.urandom, threading.Thread.start) == before


@pytest.mark.parametrize(
    ("system", "words"),
    [
        ("DATE", ["one run differs from the next", "n1 proposed"]),
        ("SET", ["a fresh process with other string hashes", "n1 proposed", "set of strings"]),
        ("MODULE", ["one run differs from the next", "outlives a run", "proposed (value 1)"]),
    ],
)
def test_what_no_fence_sees_is_found_by_repetition_and_the_first_difference_is_named(
    system: str, words: list[str]
) -> None:
    toys.runs_so_far.clear()
    with pytest.raises(NondeterministicRun) as caught:
        check_determinism(PLAN, f"toys:{system}")
    for word in words:
        assert word in str(caught.value)


def test_a_deterministic_system_passes_with_a_plan_of_any_faults() -> None:
    plan = generate_plan(COUNTERS, workload="adding", seed=5)
    assert check_determinism(plan, "toys:COUNTERS").digest == run_plan(plan, COUNTERS).digest


def test_the_digest_does_not_depend_on_the_process_or_its_string_hashes() -> None:
    plan = generate_plan(COUNTERS, workload="adding", seed=11)
    script = (
        "import sys; from toys import COUNTERS; from upheld.harness.plan import parse_plan, write_plan\n"
        "from upheld.harness.swarm import generate_plan; from upheld.harness.trial import run_plan\n"
        "plan = parse_plan(sys.stdin.buffer.read())\n"
        "assert write_plan(plan) == write_plan(generate_plan(COUNTERS, workload='adding', seed=11))\n"
        "print(run_plan(plan, COUNTERS).digest)"
    )
    digests = {
        subprocess.run(
            [sys.executable, "-c", script],
            input=write_plan(plan),
            env=os.environ | {"PYTHONHASHSEED": seed, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
            capture_output=True,
            check=True,
        )
        .stdout.decode()
        .strip()
        for seed in ("0", "1", "2")
    }
    assert digests == {run_plan(plan, COUNTERS).digest}


@pytest.mark.parametrize("reference", ["nowhere:SYSTEM", "toys:NOTHING", "toys:Counter", "toys", ""])
def test_a_reference_to_no_system_is_a_usage_error(reference: str) -> None:
    with pytest.raises(UsageError, match="system"):
        load_system(reference)


def test_runs_that_differ_only_in_the_order_of_events_are_told_apart_by_it() -> None:
    from msgspec.structs import replace

    from upheld.harness.determinism import account_of

    account = account_of(run_plan(PLAN, COUNTERS, trace="full"))
    shorter = replace(account, order=account.order[:-16])
    assert "nothing more in the other" in difference(account, shorter)
