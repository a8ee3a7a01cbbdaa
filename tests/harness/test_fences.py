"""What a node must not reach for: caught at its line by strict fences, answered the same in every run by virtual ones."""

from __future__ import annotations

import _thread
import asyncio
import logging
import multiprocessing
import os
import random
import secrets
import socket
import subprocess
import sys
import threading
import time
import uuid
from collections.abc import Callable
from importlib import import_module
from random import choice as picked
from time import monotonic_ns as counted
from typing import Any

import pytest
from msgspec.structs import replace

from upheld.harness.determinism import check_determinism
from upheld.harness.plan import ClockSkew, Fault, Plan, PlannedOperation, parse_plan, write_plan
from upheld.harness.system import System
from upheld.harness.trial import run_plan
from upheld.histories.errors import NondeterministicRun, UsageError
from upheld.impl.node import SECOND, ClientOutbox, Context, Invocation, Message, Outbox
from upheld.impl.sequential import SequentialNode

toys = import_module("toys")
COUNTERS, plan_of, system_of = toys.COUNTERS, toys.plan_of, toys.system_of

PLAN: Plan = plan_of(operations=[PlannedOperation(0, 0, "add", argument=1)])
VIRTUAL: Plan = replace(PLAN, fences="virtual")

KNOWN = {module.__name__: module for module in (
    asyncio, multiprocessing, os, random, secrets, socket, subprocess, threading, time, uuid, _thread,
)}  # fmt: skip


def noting(something: Callable[[Context], object]) -> System:
    """Counters that note this whenever their timer runs out."""

    class Noting(toys.Counter):  # type: ignore[misc, name-defined]  # toys is imported by name
        def on_timer(self, name: str, out: Outbox) -> None:
            out.note("proposed", str(something(self.context)))
            super().on_timer(name, out)

    made: System = system_of(Noting)
    return made


def doing(source: str) -> System:
    """Nodes that note the value of this expression, which is line 17 of node.py."""
    code = compile("\n" * 16 + source, "node.py", "eval")
    return noting(lambda _: eval(code, dict(KNOWN)))  # the source is ours


def noted(system: System, plan: Plan, node: str) -> list[object]:
    """What a node noted, in order."""
    return [
        note.facts[0] for note in run_plan(plan, system).evidence.trace if (note.node, note.kind) == (node, "proposed")
    ]


def complaint(system: System, plan: Plan = PLAN) -> str:
    """What a fence says of a run."""
    with pytest.raises(NondeterministicRun) as caught:
        run_plan(plan, system)
    return caught.value.difference


# --- strict fences

CLOCK, DICE, TIMERS, SENDING = "context.clock", "context.dice", "timers", "out.send"
STEPS = "timers; a handler is one atomic step"

SOURCES = [
    ("time.time()", "time.time", CLOCK),
    ("time.time_ns()", "time.time_ns", CLOCK),
    ("time.monotonic()", "time.monotonic", CLOCK),
    ("time.perf_counter_ns()", "time.perf_counter_ns", CLOCK),
    ("time.process_time()", "time.process_time", CLOCK),
    ("time.clock_gettime(time.CLOCK_REALTIME)", "time.clock_gettime", CLOCK),
    ("time.clock_gettime_ns(time.CLOCK_MONOTONIC)", "time.clock_gettime_ns", CLOCK),
    ("time.localtime()", "time.localtime", CLOCK),
    ("time.gmtime(None)", "time.gmtime", CLOCK),
    ("time.ctime()", "time.ctime", CLOCK),
    ("time.asctime()", "time.asctime", CLOCK),
    ("time.strftime('%H:%M:%S')", "time.strftime", CLOCK),
    ("random.random()", "random.random", DICE),
    ("random.choice([1, 2, 3])", "random.choice", DICE),
    ("random.shuffle([1, 2, 3])", "random.shuffle", DICE),
    ("random.seed(7)", "random.seed", DICE),
    ("random.Random().random()", "random.Random without a seed", DICE),
    ("random.SystemRandom().random()", "random.SystemRandom", DICE),
    ("secrets.token_hex(8)", "secrets.token_hex", DICE),
    ("secrets.randbelow(1000)", "secrets.randbelow", DICE),
    ("secrets.SystemRandom().getrandbits(64)", "random.SystemRandom", DICE),
    ("uuid.uuid4()", "uuid.uuid4", DICE),
    ("os.urandom(8)", "os.urandom", DICE),
    ("os.getrandom(8)", "os.getrandom", DICE),
]
"""What virtual fences answer, too."""

FORBIDDEN = [
    ("uuid.uuid1()", "uuid.uuid1", DICE),
    ("time.sleep(0)", "time.sleep", TIMERS),
    ("threading.Thread(target=print).start()", "threading.Thread.start", STEPS),
    ("threading.Timer(1, print).start()", "threading.Thread.start", STEPS),
    ("_thread.start_new_thread(print, ())", "_thread.start_new_thread", STEPS),
    ("multiprocessing.Process(target=print).start()", "multiprocessing.Process.start", STEPS),
    ("subprocess.run(['true'])", "subprocess.Popen", STEPS),
    ("os.system('true')", "os.system", STEPS),
    ("os.fork()", "os.fork", STEPS),
    ("asyncio.Runner().get_loop()", "asyncio.new_event_loop", STEPS),
    ("socket.socket()", "socket.socket", SENDING),
    ("socket.create_connection(('localhost', 1))", "socket.getaddrinfo", SENDING),
    ("socket.gethostname()", "socket.gethostname", SENDING),
]
"""What no fence lets through."""


@pytest.mark.parametrize(("source", "called", "instead"), [*SOURCES, *FORBIDDEN], ids=lambda told: told)
def test_what_a_node_reaches_for_is_caught_at_its_line(source: str, called: str, instead: str) -> None:
    assert complaint(doing(source)).startswith(f"{called} is called at node.py:17; use {instead} instead")


@pytest.mark.parametrize(("source", "called", "instead"), SOURCES, ids=lambda told: told)
def test_whoever_is_caught_at_what_can_be_answered_hears_of_virtual_fences(
    source: str, called: str, instead: str
) -> None:
    assert complaint(doing(source)) == (
        f"{called} is called at node.py:17; use {instead} instead (or let it be answered virtually: --fences virtual)"
    )


@pytest.mark.parametrize(("source", "called", "instead"), FORBIDDEN, ids=lambda told: told)
@pytest.mark.parametrize("plan", [PLAN, VIRTUAL], ids=["strict", "virtual"])
def test_some_things_are_forbidden_behind_any_fence(source: str, called: str, instead: str, plan: Plan) -> None:
    assert complaint(doing(source), plan) == f"{called} is called at node.py:17; use {instead} instead"


class RollsAtBirth(toys.Counter):  # type: ignore[misc, name-defined]  # toys is imported by name
    def __init__(self, context: Context) -> None:
        super().__init__(context)
        self.luck = random.random()


def by_a_factory(context: Context) -> RollsAtBirth:
    return RollsAtBirth(context)


class RollsAtStart(toys.Counter):  # type: ignore[misc, name-defined]
    def on_start(self, out: Outbox) -> None:
        out.note("proposed", random.random())


class RollsAtMessage(toys.Counter):  # type: ignore[misc, name-defined]
    def on_message(self, sender: str, message: Message, out: Outbox) -> None:
        out.note("proposed", random.random())


class RollsInATask(SequentialNode):
    async def start(self) -> None:
        await self.sleep(1)
        self.out.note("proposed", random.random())


class CallerIsBornRolling(toys.Caller):  # type: ignore[misc, name-defined]
    def __init__(self, context: Context) -> None:
        super().__init__(context)
        self.luck = random.random()


class CallerRolls(toys.Caller):  # type: ignore[misc, name-defined]
    def on_invoke(self, invocation: Invocation, out: ClientOutbox) -> None:
        out.complete("ok", random.random())


class Swallows(toys.Counter):  # type: ignore[misc, name-defined]
    def on_timer(self, name: str, out: Outbox) -> None:
        try:
            out.note("proposed", random.random())
        except Exception:  # noqa: BLE001  # this is the fault
            out.note("proposed", 0)


class RollsByAnImportedName(toys.Counter):  # type: ignore[misc, name-defined]
    def on_timer(self, name: str, out: Outbox) -> None:
        out.note("proposed", picked((1, 2, 3)) or random.random())


@pytest.mark.parametrize(
    "system",
    [
        pytest.param(system_of(RollsAtBirth), id="when a node is made"),
        pytest.param(system_of(RollsAtStart), id="when it starts"),
        pytest.param(system_of(RollsAtMessage), id="at a message"),
        pytest.param(system_of(RollsInATask), id="in a task that waits"),
        pytest.param(system_of(Swallows), id="and catches the complaint itself"),
        pytest.param(system_of(RollsByAnImportedName), id="by a name that it imported"),
        pytest.param(system_of(toys.Counter, CallerIsBornRolling), id="when a client is made"),
        pytest.param(system_of(toys.Counter, CallerRolls), id="at an invocation"),
        pytest.param(system_of(by_a_factory), id="in what a factory makes"),
    ],
)
def test_dice_are_caught_wherever_the_code_of_nodes_and_clients_is_called(system: System) -> None:
    said = complaint(system)
    assert said.startswith(("random.random is called at ", "random.choice is called at "))
    line = int(said.split(f"{__file__}:")[1].split(";")[0])
    with open(__file__, encoding="utf-8") as source:  # noqa: PTH123  # one line of this very file
        assert "random.random()" in source.read().splitlines()[line - 1]


def test_a_call_within_a_library_is_blamed_on_the_line_that_called_the_library() -> None:
    assert "is called at node.py:17;" in complaint(doing("__import__('email.utils').utils.make_msgid()"))


# --- what fences leave alone


@pytest.mark.parametrize(
    "source",
    [
        "time.gmtime(0).tm_year",
        "time.strftime('%Y', time.gmtime(0))",
        "random.Random(7).random()",
        "uuid.uuid5(uuid.NAMESPACE_DNS, 'n1')",
        "secrets.compare_digest('a', 'a')",
        "__import__('logging').getLogger('toy').warning('now')",
        "threading.Lock().acquire()",
    ],
)
def test_what_depends_on_nothing_outside_is_no_offence(source: str, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.ERROR, "toy")
    first, second = noted(doing(source), PLAN, "n1"), noted(doing(source), PLAN, "n1")
    assert first == second != []


def test_a_module_that_a_handler_imports_may_do_as_it_likes_while_it_is_imported(
    tmp_path: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "imported_late.py").write_text("import os\nKEY = os.urandom(4)\nanswer = 42\n", encoding="utf-8")
    monkeypatch.syspath_prepend(str(tmp_path))
    assert set(noted(doing("__import__('imported_late').answer"), PLAN, "n1")) == {"42"}
    del sys.modules["imported_late"]


def test_a_judge_that_watches_a_run_may_look_at_the_clock() -> None:
    seen: list[float] = []

    def watch(_: object) -> bool:
        seen.append(time.time())
        return False

    run_plan(PLAN, COUNTERS, watch=watch)
    assert seen
    assert min(seen) > 1_700_000_000


STANDING: list[Callable[[], tuple[object, ...]]] = [
    lambda: (time.time, time.monotonic_ns, time.sleep, random.choice, random.Random.seed, vars(random)["_urandom"]),
    lambda: (uuid.uuid4, os.urandom, os.fork, secrets.token_hex, threading.Thread.start, subprocess.Popen.__init__),
    lambda: (socket.socket.__init__, socket.getaddrinfo, _thread.start_new_thread, asyncio.events.new_event_loop),
    lambda: (picked, counted),
]


def stand() -> list[object]:
    """Whatever stands at the guarded names now."""
    return [each for names in STANDING for each in names()]


BEFORE = stand()


def interrupt(_: Context) -> None:
    raise KeyboardInterrupt


@pytest.mark.parametrize(
    ("system", "ends_with"),
    [
        (COUNTERS, None),
        (doing("time.time()"), NondeterministicRun),
        (system_of(Swallows), NondeterministicRun),
        (noting(interrupt), KeyboardInterrupt),
        (system_of(RollsByAnImportedName), NondeterministicRun),
    ],
    ids=["well", "with a complaint", "with one that was caught", "by an interrupt", "at an imported name"],
)
def test_no_fence_outlives_its_run_however_it_ends(system: System, ends_with: type[BaseException] | None) -> None:
    if ends_with is None:
        run_plan(PLAN, system)
    else:
        with pytest.raises(ends_with):
            run_plan(PLAN, system)
    assert stand() == BEFORE


def test_a_run_within_a_run_has_a_fence_of_its_own_and_the_outer_one_stands_on() -> None:
    inner: list[str] = []
    names: set[bool] = set()

    def watch(_: object) -> bool:
        if not inner:
            inner.append(run_plan(PLAN, COUNTERS).digest)
        names.add(stand() == BEFORE)
        return False

    assert run_plan(PLAN, COUNTERS, watch=watch).digest == inner[0]
    assert names == {False}
    assert stand() == BEFORE


def test_other_threads_are_free_while_a_run_goes_on() -> None:
    seen: list[float] = []
    begun, over = threading.Event(), threading.Event()

    def look(_: object) -> bool:
        begun.set()
        while not seen:
            time.sleep(0)
        return False

    def looks() -> None:
        begun.wait()
        seen.append(time.time() + random.random() + len(os.urandom(1)))
        over.set()

    watcher = threading.Thread(target=looks)
    watcher.start()
    run_plan(PLAN, COUNTERS, watch=look)
    watcher.join()
    assert over.is_set()
    assert seen[0] > 1_700_000_000


def test_runs_on_several_threads_at_once_each_have_their_own_fence() -> None:
    both = threading.Barrier(2)
    said: dict[str, str] = {}

    def meet(_: Context) -> str:
        both.wait()
        return "met"

    def run(name: str, plan: Plan) -> None:
        meets = [meet]
        system = noting(lambda context: (meets and meets.pop()(context)) or time.time())
        try:
            run_plan(plan, system)
        except NondeterministicRun as caught:
            said[name] = caught.difference
        else:
            said[name] = "fine"

    threads = [threading.Thread(target=run, args=told) for told in (("strict", PLAN), ("virtual", VIRTUAL))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert said["strict"].startswith("time.time is called at ")
    assert said["virtual"] == "fine"
    assert stand() == BEFORE


# --- virtual fences


ROLLS = [
    "random.random()",
    "random.choice(range(10**6))",
    "random.sample(range(10**6), 3)",
    "random.gauss(0, 1)",
    "random.Random().random()",
    "random.SystemRandom().random()",
    "secrets.token_hex(8)",
    "secrets.randbelow(10**9)",
    "uuid.uuid4().hex",
    "os.urandom(8)",
    "os.getrandom(8)",
]


@pytest.mark.parametrize("source", ROLLS)
def test_virtual_dice_fall_the_same_in_every_run_and_differently_for_each_node_and_seed(source: str) -> None:
    system = doing(source)
    first = noted(system, VIRTUAL, "n1")
    assert len(set(first)) == len(first) > 10
    assert first == noted(system, VIRTUAL, "n1")
    others = noted(system, VIRTUAL, "n2") + noted(system, replace(VIRTUAL, seed=1), "n1")
    assert not set(first) & set(others)


@pytest.mark.parametrize(
    ("source", "own"),
    [
        ("time.time_ns()", "context.clock.wall_ns()"),
        ("time.time()", "context.clock.wall_ns() / 10**9"),
        ("time.clock_gettime_ns(time.CLOCK_REALTIME)", "context.clock.wall_ns()"),
        ("time.clock_gettime(time.CLOCK_MONOTONIC)", "context.clock.monotonic_ns() / 10**9"),
        ("time.monotonic_ns()", "context.clock.monotonic_ns()"),
        ("time.perf_counter_ns()", "context.clock.monotonic_ns()"),
        ("time.process_time_ns()", "context.clock.monotonic_ns()"),
        ("time.thread_time()", "context.clock.monotonic_ns() / 10**9"),
        ("time.gmtime()", "time.gmtime(context.clock.wall_ns() // 10**9)"),
        ("time.localtime()", "time.gmtime(context.clock.wall_ns() // 10**9)"),
        ("time.ctime()", "time.asctime(time.gmtime(context.clock.wall_ns() // 10**9))"),
        ("time.strftime('%S')", "time.strftime('%S', time.gmtime(context.clock.wall_ns() // 10**9))"),
    ],
)
def test_a_virtual_clock_is_the_node_s_own_with_all_its_faults(source: str, own: str) -> None:
    skewed = replace(VIRTUAL, clocks={"n1": ClockSkew(offset_ns=-7 * SECOND, drift_ppm=900_000)})
    shown = compile(f"({source}, {own})", "node.py", "eval")
    read = noting(lambda context: eval(shown, KNOWN | {"context": context}))  # the source is ours
    compared = noting(lambda context: eval(f"{source} == {own}", KNOWN | {"context": context}))  # as above
    assert set(noted(compared, skewed, "n1")) == {"True"}
    assert noted(read, skewed, "n1")[:5] != noted(read, skewed, "n2")[:5]


def test_virtual_dice_of_one_node_do_not_depend_on_what_others_do() -> None:
    system = doing("random.random()")
    crashed = replace(VIRTUAL, faults=(Fault(fault="crash", at_ns=0, nodes=("n2",)),))
    assert noted(system, crashed, "n1") == noted(system, VIRTUAL, "n1")
    assert noted(system, crashed, "n2") != noted(system, VIRTUAL, "n2")


def test_virtual_dice_go_on_after_a_restart() -> None:
    crash = Fault(fault="crash", at_ns=300_000_000, undo_after_ns=0, nodes=("n1",))
    drawn = noted(doing("random.random()"), replace(VIRTUAL, faults=(crash,)), "n1")
    assert len(set(drawn)) == len(drawn) > 10


def test_a_node_that_seeds_the_dice_seeds_its_own() -> None:
    before = random.getstate()
    system = doing("random.seed(7) or random.random()")
    assert set(noted(system, VIRTUAL, "n1")) == {str(random.Random(7).random())}
    assert random.getstate() == before
    odd = noting(lambda context: (context.id == "n1" and random.seed(7)) or random.random())
    assert len(set(noted(odd, VIRTUAL, "n1"))) == 1
    assert noted(odd, VIRTUAL, "n2") == noted(doing("random.random()"), VIRTUAL, "n2")


def test_a_virtual_uuid_is_one() -> None:
    assert {uuid.UUID(str(each)).version for each in noted(doing("uuid.uuid4()"), VIRTUAL, "n1")} == {4}


def test_a_virtual_run_is_the_same_in_a_fresh_process() -> None:
    with pytest.raises(NondeterministicRun, match=r"time.time is called at .*strays.py:"):
        check_determinism(PLAN, "strays:OUTSIDE")
    check_determinism(VIRTUAL, "strays:OUTSIDE")


def test_virtual_fences_do_not_hide_what_no_fence_sees() -> None:
    with pytest.raises(NondeterministicRun, match="one run differs from the next"):
        check_determinism(VIRTUAL, "strays:DATE")


# --- in plans


def test_a_plan_says_how_its_fences_answer_unless_they_are_strict() -> None:
    assert b"fences" not in write_plan(PLAN)
    assert b'"fences":"virtual"' in write_plan(VIRTUAL)
    assert [parse_plan(write_plan(plan)) for plan in (PLAN, VIRTUAL)] == [PLAN, VIRTUAL]


def test_fences_of_another_kind_are_a_usage_error() -> None:
    with pytest.raises(UsageError, match="fences"):
        parse_plan(write_plan(VIRTUAL).replace(b"virtual", b"lenient"))


def test_fences_of_either_kind_change_nothing_for_a_system_that_needs_none() -> None:
    assert run_plan(PLAN, COUNTERS).digest == run_plan(VIRTUAL, COUNTERS).digest
