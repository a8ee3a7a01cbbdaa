"""What the judge of linearizability says, and in which words, on histories that a person can check by hand."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Literal

import pytest

from upheld import native
from upheld.checkers.linearizability import Linearizable, check_linearizability, fault_in
from upheld.checkers.verdict import Refuted, Undecided, Upheld, Verdict, word
from upheld.histories.errors import MalformedHistory, UsageError
from upheld.histories.history import Header
from upheld.histories.notation import parse
from upheld.specs.model import Call
from upheld.specs.objects import CasRegister, KeyValue, Register

Engine = Literal["native", "pure"]
ENGINES: tuple[Engine, ...] = ("native", "pure") if native.ENGINE == "native" else ("pure",)
PENDING = "0 invoke write 4\n0 ok write\n0 invoke write 0\n0 info write\n"


@pytest.fixture(params=ENGINES)
def engine(request: pytest.FixtureRequest) -> Engine:
    found: Engine = request.param
    return found


def story(verdict: Verdict) -> str:
    assert isinstance(verdict, Refuted)
    return str(verdict.anomaly)


# --- stories


def test_a_stale_read_is_told_as_a_person_would_tell_it(engine: Engine) -> None:
    history = parse("0 invoke write 7\n0 ok write\n1 invoke read\n1 ok read null")
    assert story(Linearizable(Register(), engine=engine).check(history)) == (
        "not linearizable. After\n"
        "  process 0: write(7) -> null\n"
        "nothing can come next:\n"
        "  process 1: read() -> null, but the register holds 7"
    )


def test_a_pending_write_may_take_effect_between_two_reads(engine: Engine) -> None:
    history = parse(PENDING + "1 invoke read\n1 ok read 4\n1 invoke read\n1 ok read 0")
    verdict = Linearizable(Register(), engine=engine).check(history)
    assert isinstance(verdict, Upheld)
    assert [f"{operation.action} {operation.argument}" for operation in verdict.witness] == [
        "write 4",
        "read None",
        "write 0",
        "read None",
    ]


def test_a_pending_write_takes_effect_once(engine: Engine) -> None:
    reads = "".join(f"1 invoke read\n1 ok read {value}\n" for value in (4, 0, 4))
    assert isinstance(Linearizable(Register(), engine=engine).check(parse(PENDING + reads)), Refuted)


def test_the_very_first_completion_may_be_the_impossible_one(engine: Engine) -> None:
    history = parse("0 invoke read\n1 invoke write 5\n1 fail write\n0 ok read 5")
    verdict = Linearizable(Register(), engine=engine).check(history)
    assert "process 0: read() -> 5" in story(verdict)
    assert isinstance(verdict, Refuted)
    assert [operation.process for operation in verdict.anomaly.operations] == [0]


def test_the_reason_may_lie_far_before_the_read_that_fails(engine: Engine) -> None:
    between = "".join(f"{process} invoke put other: {n}\n{process} ok put\n" for n in range(1000) for process in (9,))
    history = parse(
        "0 invoke put x: 2\n0 ok put\n1 invoke put x: 4\n2 invoke get x:\n2 ok get 4\n"
        + between
        + "3 invoke get x:\n3 ok get 2\n1 ok put"
    )
    verdict = Linearizable(KeyValue(), engine=engine).check(history)
    assert isinstance(verdict, Refuted)
    assert verdict.anomaly.history is not None
    assert len(verdict.anomaly.history.operations) == 4
    assert "on other objects" in " ".join(story(verdict).splitlines())


def test_a_counter_example_is_refuted_by_itself_and_possible_without_its_last_answer(engine: Engine) -> None:
    history = parse(PENDING + "".join(f"1 invoke read\n1 ok read {value}\n" for value in (4, 0, 4, 4)))
    verdict = Linearizable(Register(), engine=engine).check(history)
    assert isinstance(verdict, Refuted)
    assert verdict.anomaly.history is not None
    smallest = verdict.anomaly.history
    assert isinstance(check_linearizability(smallest, Register()), Refuted)
    assert isinstance(check_linearizability(smallest[:-1], Register()), Upheld)
    assert len(smallest.operations) < len(history.operations)


# --- what other checkers got wrong


def test_a_write_that_changes_nothing_now_may_be_needed_later(engine: Engine) -> None:
    history = parse(
        "0 invoke write 1\n0 ok write\n1 invoke write 1\n2 invoke cas [1,2]\n2 ok cas true\n"
        "2 invoke read\n2 ok read 2\n2 invoke read\n2 ok read 1\n1 ok write"
    )
    verdict = Linearizable(CasRegister(), engine=engine).check(history)
    assert isinstance(verdict, Upheld)
    assert fault_in(verdict.witness, history, CasRegister()) is None


@pytest.mark.parametrize(
    ("written", "read"), [("true", "1"), ("1", "1.0"), ("0", "false"), ('"1"', "1"), ("[1]", "[true]")]
)
def test_values_of_different_types_are_different_values(engine: Engine, written: str, read: str) -> None:
    history = parse(f"0 invoke write {written}\n0 ok write\n0 invoke read\n0 ok read {read}")
    assert isinstance(Linearizable(Register(), engine=engine).check(history), Refuted)


@pytest.mark.parametrize("reads", [100, 200])
def test_more_operations_may_be_open_at_once_than_a_word_has_bits(engine: Engine, reads: int) -> None:
    invocations = "".join(f"{process} invoke read\n" for process in range(1, reads + 1))
    answers = "".join(f"{process} ok read {process % 2 or 'null'}\n" for process in range(1, reads + 1))
    history = parse("0 invoke write 1\n" + invocations + answers + "0 ok write")
    assert isinstance(Linearizable(Register(), engine=engine).check(history), Upheld)


# --- what cannot be decided, or asked


def test_a_search_that_runs_out_of_steps_says_how_far_it_came(engine: Engine) -> None:
    writes = "".join(f"{process} invoke write {process}\n" for process in range(8))
    history = parse(writes + "".join(f"{process} ok write\n" for process in range(8)) + "8 invoke read\n8 ok read 99")
    verdict = Linearizable(Register(), engine=engine, steps_max=10).check(history)
    assert isinstance(verdict, Undecided)
    assert "steps" in verdict.reason or "configurations" in verdict.reason


def test_engines_run_out_at_the_same_step() -> None:
    writes = "".join(f"{process} invoke write {process}\n" for process in range(6))
    history = parse(writes + "".join(f"{process} ok write\n" for process in range(6)) + "8 invoke read\n8 ok read 99")
    for steps in (1, 5, 50, 500, 5000):
        verdicts = [Linearizable(Register(), engine=engine, steps_max=steps).check(history) for engine in ENGINES]
        assert len({(word(verdict), getattr(verdict, "reason", "")) for verdict in verdicts}) == 1


def test_an_action_that_the_model_does_not_have_is_misuse() -> None:
    with pytest.raises(UsageError, match="the model register has no action 'cas'"):
        check_linearizability(parse("0 invoke cas [1,2]"), Register())


def test_an_ok_read_without_a_value_is_malformed() -> None:
    with pytest.raises(MalformedHistory, match="field 'value'"):
        check_linearizability(parse("0 invoke read\n0 ok read"), Register())


def test_a_verdict_is_no_bool() -> None:
    with pytest.raises(TypeError, match="no bool"):
        bool(check_linearizability(parse("0 invoke read\n0 ok read null"), Register()))


# --- what the header says


def test_the_header_says_what_a_cell_holds_at_first(engine: Engine) -> None:
    text = "0 invoke read\n0 ok read 9"
    assert isinstance(Linearizable("register", engine=engine).check(parse(text)), Refuted)
    assert isinstance(Linearizable("register", engine=engine).check(parse(text, header=Header(initial=9))), Upheld)


def test_clocks_that_may_be_apart_widen_intervals(engine: Engine) -> None:
    text = "0 invoke write 7 time=10\n0 ok write time=20\n1 invoke read time=25\n1 ok read null time=30"
    strict, widened = (Header(order="time", clock_error_ns=error) for error in (0, 5))
    assert isinstance(Linearizable(Register(), engine=engine).check(parse(text, header=strict)), Refuted)
    assert isinstance(Linearizable(Register(), engine=engine).check(parse(text, header=widened)), Upheld)


# --- models of users


class Mutex:
    """Free, or held by one process."""

    actions = frozenset({"acquire", "release"})
    by_process = True
    acknowledgements = {"acquire": None, "release": None}  # noqa: RUF012  # a model is no dataclass

    def initial(self) -> Any:
        return None

    def step(self, holder: Any, call: Call) -> Iterator[tuple[Any, None]]:
        if call.action == "acquire" and holder is None:
            yield call.process, None
        if call.action == "release" and holder == call.process:
            yield None, None


class Coin:
    """Lands on either side, and stays there."""

    actions = frozenset({"toss", "look"})

    def initial(self) -> str:
        return "edge"

    def step(self, state: str, call: Call) -> Iterator[tuple[str, Any]]:
        if call.action == "look":
            yield state, state
        else:
            yield from (("heads", None), ("tails", None))

    acknowledgements = {"toss": None}  # noqa: RUF012  # a model is no dataclass


@pytest.mark.parametrize(
    ("model", "text", "expected"),
    [
        (
            Mutex(),
            "0 invoke acquire\n0 ok acquire\n0 invoke release\n0 ok release\n1 invoke acquire\n1 ok acquire",
            Upheld,
        ),
        (Mutex(), "0 invoke acquire\n0 ok acquire\n1 invoke acquire\n1 ok acquire", Refuted),
        (Mutex(), "0 invoke acquire\n0 ok acquire\n1 invoke release\n1 ok release", Refuted),
        (Coin(), "0 invoke toss\n0 ok toss\n0 invoke look\n0 ok look tails\n1 invoke look\n1 ok look tails", Upheld),
        (Coin(), "0 invoke toss\n0 ok toss\n0 invoke look\n0 ok look tails\n1 invoke look\n1 ok look heads", Refuted),
    ],
)
def test_a_model_in_python_is_judged_by_every_engine(
    engine: Engine, model: Any, text: str, expected: type[Verdict]
) -> None:
    assert type(Linearizable(model, engine=engine).check(parse(text))) is expected


def test_a_step_is_asked_for_once_for_each_state_and_call(engine: Engine) -> None:
    asked: list[tuple[Any, Any]] = []

    class Counted(Coin):
        def step(self, state: str, call: Call) -> Iterator[tuple[str, Any]]:
            asked.append((state, call))
            return super().step(state, call)

    history = parse("0 invoke toss\n0 ok toss\n" + "0 invoke look\n0 ok look tails\n" * 50)
    assert isinstance(Linearizable(Counted(), engine=engine).check(history), Upheld)
    assert len(asked) <= 10
