"""A plan that gives two different runs is found out, and the message says where they part."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from importlib import import_module

import pytest

from upheld.harness.determinism import check_determinism, difference, load_system
from upheld.harness.plan import PlannedOperation, write_plan
from upheld.harness.swarm import generate_plan
from upheld.harness.trial import run_plan
from upheld.histories.errors import NondeterministicRun, UsageError

toys, strays = import_module("toys"), import_module("strays")
COUNTERS, plan_of = toys.COUNTERS, toys.plan_of

PLAN = plan_of(operations=[PlannedOperation(0, 0, "add", argument=1)])


REPEATED = "one run differs from the next in the same process"
OUTLIVED = f"{REPEATED}, and fresh processes agree: state in a module or a class outlives a run"
EVERYWHERE = f"{REPEATED}, and so do fresh processes (datetime.now(), id(), or the hash of an object)"
FRESH = "a fresh process with other string hashes, of another user, gives another run"


@pytest.mark.parametrize(
    ("stray", "said"),
    [
        pytest.param("DATE", EVERYWHERE, id="reads the date"),
        pytest.param("PROCESS", FRESH, id="reads the number of its process"),
        pytest.param("ENVIRONMENT", FRESH, id="reads its environment"),
        pytest.param("ZONE", FRESH, id="asks for the hour where it is"),
        pytest.param("SET", FRESH, id="goes through a set of strings"),
        pytest.param("DICT", FRESH, id="fills a dict from a set of strings"),
        pytest.param("STRING_HASH", FRESH, id="hashes a string"),
        pytest.param("OBJECT_HASH", REPEATED, id="hashes an object"),
        pytest.param("IDENTITY", REPEATED, id="asks for an identity"),
        pytest.param("MODULE", OUTLIVED, id="counts in a module"),
        pytest.param("CLASS", OUTLIVED, id="keeps a list in a class"),
        pytest.param("FINALISER", OUTLIVED, id="counts what has been finalised"),
        pytest.param("WEAK", OUTLIVED, id="counts what has not been collected"),
    ],
)
def test_what_no_fence_sees_is_found_by_repetition_and_the_first_difference_is_named(stray: str, said: str) -> None:
    with pytest.raises(NondeterministicRun) as caught:
        check_determinism(PLAN, f"strays:{stray}")
    reason, first = caught.value.difference.split(". The first difference is number ")
    assert reason.startswith(said)
    one, other = first.split(" in one, ")
    noted = r"'.*n1 proposed .*' at \d+ ns"
    assert re.search(noted, one)
    assert re.search(f"{noted} in the other", other)
    assert re.findall(r"'(.*)'", one) != re.findall(r"'(.*)'", other)


def test_a_deterministic_system_passes_with_a_plan_of_any_faults() -> None:
    plan = generate_plan(COUNTERS, workload="adding", seed=5)
    assert check_determinism(plan, "toys:COUNTERS").digest == run_plan(plan, COUNTERS).digest


@pytest.mark.parametrize(
    ("options", "hash_seed"),
    [
        ((), "0"),
        ((), "1"),
        ((), "random"),
        (("-X", "dev"), "2"),
        (("-X", "utf8"), "3"),
        (("-X", "importtime"), "4"),
        (("-O",), "5"),
        (("-OO",), "6"),
    ],
)
def test_the_digest_does_not_depend_on_the_process_its_string_hashes_or_its_options(
    options: tuple[str, ...], hash_seed: str
) -> None:
    plan = generate_plan(COUNTERS, workload="adding", seed=11)
    script = (
        "import sys; from toys import COUNTERS; from upheld.harness.plan import parse_plan, write_plan\n"
        "from upheld.harness.swarm import generate_plan; from upheld.harness.trial import run_plan\n"
        "plan = parse_plan(sys.stdin.buffer.read())\n"
        "again = generate_plan(COUNTERS, workload='adding', seed=11)\n"
        "print(write_plan(plan) == write_plan(again), run_plan(plan, COUNTERS).digest)"
    )
    done = subprocess.run(
        [sys.executable, *options, "-c", script],
        input=write_plan(plan),
        env=os.environ | {"PYTHONHASHSEED": hash_seed, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
        capture_output=True,
        check=True,
    )
    assert done.stdout.decode().split() == ["True", run_plan(plan, COUNTERS).digest]


@pytest.mark.parametrize("hash_seed", ["0", "1", "2", "3", "random"])
def test_a_dependence_on_string_hashes_is_found_whichever_hashes_this_process_has(hash_seed: str) -> None:
    script = (
        "from upheld.harness.determinism import check_determinism\n"
        "from upheld.harness.plan import parse_plan\n"
        "import sys; check_determinism(parse_plan(sys.stdin.buffer.read()), 'strays:SET')"
    )
    done = subprocess.run(
        [sys.executable, "-c", script],
        input=write_plan(PLAN),
        env=os.environ | {"PYTHONHASHSEED": hash_seed, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
        capture_output=True,
        check=False,
    )
    assert f"NondeterministicRun: toy (reference), seed 0, is not deterministic: {FRESH}" in done.stderr.decode()


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
