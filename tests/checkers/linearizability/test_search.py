"""Each rule of the search has a history that it would get wrong if it went too far."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from typing import Literal

import pytest

from upheld import native
from upheld.checkers.linearizability import Linearizable, check_linearizability, fault_in
from upheld.checkers.verdict import Refuted, Undecided, Upheld, describe
from upheld.histories.errors import UsageError
from upheld.histories.event import MISSING, Event, Kind, Missing
from upheld.histories.history import History
from upheld.histories.notation import parse
from upheld.histories.values import Value
from upheld.specs.objects import CasRegister

Engine = Literal["native", "pure"]

ENGINES = [
    pytest.param("native", marks=pytest.mark.skipif(native.core is None, reason="the native core is not there")),
    "pure",
]

LINEARIZABLE = {
    "a pending operation that was not used stays usable where another led to the same state": """
        0 invoke write 1
        0 info write
        1 invoke cas [null,1]
        1 info cas
        2 invoke read
        2 ok read 1
        3 invoke write 2
        3 ok write
        4 invoke read
        4 ok read 1
    """,
    "whoever used fewer pending operations is not stopped by somebody who used more": """
        0 invoke write 1
        0 info write
        1 invoke write 1
        2 invoke write 2
        3 invoke read
        3 ok read 2
        3 invoke read
        3 ok read 1
        1 ok write
        2 ok write
        3 invoke write 3
        3 ok write
        3 invoke read
        3 ok read 3
        3 invoke read
        3 ok read 1
    """,
    "what a pending operation made possible lasts longer than the next operation": """
        0 invoke write 1
        0 info write
        1 invoke cas [1,2]
        2 invoke write 3
        2 ok write
        1 ok cas true
        3 invoke read
        3 ok read 3
    """,
    "a pending operation may take effect long after others of its kind": """
        0 invoke write 1
        0 info write
        1 invoke write 1
        1 info write
        2 invoke read
        2 ok read 1
        2 invoke write 2
        2 ok write
        2 invoke read
        2 ok read 1
        2 invoke write 2
        2 ok write
        2 invoke read
        2 ok read 2
    """,
    "of two pending operations one enables the other": """
        0 invoke write 1
        0 info write
        1 invoke cas [1,2]
        1 info cas
        2 invoke read
        2 ok read 2
    """,
    "a cas that was refused observes another value": """
        0 invoke write 1
        1 invoke cas [1,2]
        1 ok cas false
        0 ok write
    """,
}

NOT_LINEARIZABLE = {
    "a pending operation takes effect once": """
        0 invoke write 1
        0 info write
        2 invoke read
        2 ok read 1
        2 invoke write 2
        2 ok write
        2 invoke read
        2 ok read 1
    """,
    "a pending operation takes no effect before it begins": """
        1 invoke read
        1 ok read 1
        0 invoke write 1
        0 info write
    """,
    "a failed operation takes no effect": """
        0 invoke write 1
        0 fail write
        1 invoke read
        1 ok read 1
    """,
    "a refused cas did not see the value that it expects": """
        0 invoke write 1
        0 ok write
        1 invoke cas [1,2]
        1 ok cas false
    """,
}


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("name", LINEARIZABLE)
def test_what_is_linearizable_is_upheld_with_an_order(name: str, engine: Engine) -> None:
    history = parse(LINEARIZABLE[name])
    verdict = Linearizable("cas-register", engine=engine).check(history)
    assert isinstance(verdict, Upheld)
    assert fault_in(verdict.witness, history, CasRegister()) is None


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("name", NOT_LINEARIZABLE)
def test_what_is_not_linearizable_is_refuted(name: str, engine: Engine) -> None:
    assert isinstance(Linearizable("cas-register", engine=engine).check(parse(NOT_LINEARIZABLE[name])), Refuted)


def concurrent(writers: int, readers: int) -> History:
    """Every operation is open at once; each value is read by one of the readers."""
    asked: list[Value | Missing] = [*range(writers), *[MISSING] * readers]
    told: list[Value | Missing] = [*[MISSING] * writers, *(reader % writers for reader in range(readers))]
    actions = ["write"] * writers + ["read"] * readers
    names = range(writers + readers)
    begins = [Event(process=n, kind=Kind.INVOKE, action=actions[n], value=asked[n]) for n in names]
    ends = [Event(process=n, kind=Kind.OK, action=actions[n], value=told[n]) for n in reversed(names)]
    return History.of_events([*begins, *ends])


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("width", [63, 64, 65, 256, 257, 1100])
def test_any_number_of_operations_may_be_open_at_once(width: int, engine: Engine) -> None:
    history = concurrent(width // 2, width - width // 2)
    verdict = Linearizable("register", engine=engine).check(history)
    assert isinstance(verdict, Upheld)
    assert fault_in(verdict.witness, history, CasRegister()) is None


@pytest.mark.parametrize("engine", ENGINES)
def test_in_a_long_history_the_operations_that_matter_are_found_wherever_they_are(engine: Engine) -> None:
    between = "".join(f"9 invoke write {value}\n9 ok write\n9 invoke read\n9 ok read {value}\n" for value in range(500))
    history = parse("0 invoke write 1000\n0 ok write\n" + between + "1 invoke read\n1 ok read 1000")
    verdict = Linearizable("register", engine=engine).check(history)
    assert isinstance(verdict, Refuted)
    story = str(verdict.anomaly).splitlines()
    assert story[1] == "  process 0: write(1000) -> null"
    assert story[2].startswith("  process 9: write(")
    assert story[4].startswith("  process 1: read() -> 1000, but the register holds ")
    assert story[5:] == ["Left out: 999 operations that make no difference"]


def crashes(number: int) -> History:
    """So many pending writes of four values, and a read of a value that nobody wrote, far behind."""
    events: list[Event] = []
    for name in range(number):
        events.append(Event(process=name, kind=Kind.INVOKE, action="cas", value=(name % 4, (name + 1) % 4)))
        events.append(Event(process=name, kind=Kind.INFO, action="cas"))
    events.append(Event(process=-1, kind=Kind.INVOKE, action="write", value=0))
    events.append(Event(process=-1, kind=Kind.OK, action="write"))
    for value in (*range(4), 9):
        events.append(Event(process=-1, kind=Kind.INVOKE, action="read"))
        events.append(Event(process=-1, kind=Kind.OK, action="read", value=value))
    return History.of_events(events)


@pytest.mark.parametrize("engine", ENGINES)
def test_a_budget_leaves_it_open_and_says_how_far_the_history_is_verified(engine: Engine) -> None:
    verdict = Linearizable("cas-register", steps_max=6, engine=engine).check(crashes(12))
    assert isinstance(verdict, Undecided)
    assert verdict.evidence["steps"] == 6
    assert verdict.evidence["verified_before"] == 31
    assert "6 configurations were looked at" in verdict.reason
    assert "verified up to event 31, at which process -1: read() -> 2 completes" in verdict.reason


@pytest.mark.skipif(native.core is None, reason="the native core is not there")
def test_engines_say_the_same_word_for_word() -> None:
    for history in (crashes(8), concurrent(20, 20), *map(parse, NOT_LINEARIZABLE.values())):
        first, second = (Linearizable("cas-register", engine=each).check(history) for each in ("native", "pure"))
        assert describe(first) == describe(second)


def test_an_engine_that_is_not_there_is_a_usage_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(native, "core", None)
    with pytest.raises(UsageError, match="build it"):
        Linearizable("register", engine="native").check(parse("0 invoke read"))
    with pytest.raises(UsageError, match="native or pure, not 'fast'"):
        check_linearizability(parse("0 invoke read"), "register", engine="fast")


HARD = """
import sys
from upheld.checkers.linearizability import Linearizable
from upheld.histories.notation import parse
from upheld.specs.objects import KeyValue

class Mine(KeyValue):
    pass

appends = "".join(f"{name} invoke append x: {letter}\\n" for name, letter in enumerate("abcdefghijklmnop"))
history = parse(appends + "99 invoke get x:\\n99 ok get nobody")
print("ready", flush=True)
model = KeyValue() if sys.argv[1] == "shipped" else Mine()
Linearizable(model, engine="native", steps_max=10**12).check(history)
"""


@pytest.mark.skipif(native.core is None, reason="the native core is not there")
@pytest.mark.parametrize("model", ["shipped", "mine"])
def test_an_interrupt_ends_a_search_in_the_native_core(model: str) -> None:
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    with subprocess.Popen(
        [sys.executable, "-c", HARD, model], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        with pytest.raises(subprocess.TimeoutExpired):
            process.wait(0.5)
        process.send_signal(signal.SIGINT)
        _, errors = process.communicate(timeout=10)
    assert "KeyboardInterrupt" in errors
