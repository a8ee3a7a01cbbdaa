"""A node in blocking style, driven by hand: each handler call runs one task on to its next wait."""

from __future__ import annotations

from typing import Any

import pytest

from upheld.impl.node import MS, SECOND, Context, Effect, Error, Message, NodeId, RecordingOutbox, Reply, Request
from upheld.impl.sequential import Lock, SequentialNode


class Ask(Request, frozen=True):
    question: str = ""


class Told(Reply, frozen=True):
    text: str = ""


class Tick(Message, frozen=True):
    name: str


class Dice:
    """Always the least luck, unless told otherwise."""

    def __init__(self, *draws: int) -> None:
        self.draws = list(draws)

    def random(self) -> float:
        return 0.0

    def below(self, n: int, /) -> int:
        return self.draws.pop(0) if self.draws else 0

    def choice(self, options: Any, /) -> Any:
        return options[0]

    def shuffled(self, options: Any, /) -> Any:
        return list(options)


class Clock:
    def wall_ns(self) -> int:
        return 0

    def monotonic_ns(self) -> int:
        return 0


class Diary(SequentialNode):
    """Does what its messages name, and keeps what it lived through."""

    def __init__(self, dice: Dice | None = None) -> None:
        super().__init__(Context(id="n1", peers=("n1", "n2"), clock=Clock(), dice=dice or Dice()))
        self.told: list[object] = []
        self.mutex = Lock(self)

    async def start(self) -> None:
        self.told.append("started")

    async def handle(self, sender: NodeId, message: Message) -> None:
        assert isinstance(message, Tick)
        await getattr(self, message.name)()

    async def asks(self) -> None:
        self.told.append(await self.call("n2", Ask(msg_id=0, question="who?")))

    async def sleeps(self) -> None:
        await self.sleep(5 * MS)
        self.told.append("awake")

    async def spawns(self) -> None:
        self.spawn(self.remembers, "child")
        self.told.append("parent")

    async def remembers(self, what: str) -> None:
        self.told.append(what)

    async def locks(self) -> None:
        async with self.mutex:
            self.told.append("in")
            await self.sleep(MS)
            self.told.append("out")

    async def panics(self) -> None:
        await self.sleep(MS)
        raise ZeroDivisionError

    async def unlocks(self) -> None:
        self.mutex.release()


def tick(node: Diary, name: str) -> RecordingOutbox:
    out = RecordingOutbox()
    node.on_message("n2", Tick(name), out)
    return out


def ring(node: Diary, name: str) -> RecordingOutbox:
    out = RecordingOutbox()
    node.on_timer(name, out)
    return out


def timer(out: RecordingOutbox) -> str:
    """The name of the one timer that was set."""
    (name,) = [effect.arguments[0] for effect in out.effects if effect.name == "set_timer"]
    return str(name)


def test_the_first_task_runs_when_the_machine_starts() -> None:
    node = Diary()
    node.on_start(RecordingOutbox())
    assert node.told == ["started"]


def test_a_call_sends_the_request_under_a_fresh_number_and_waits() -> None:
    node = Diary()
    out = tick(node, "asks")
    assert out.effects == [
        Effect("send", ("n2", Ask(msg_id=1, question="who?"))),
        Effect("set_timer", ("call 1", SECOND)),
    ]
    assert node.told == []


def test_a_call_resumes_on_its_answer_and_forgets_its_timer() -> None:
    node = Diary()
    tick(node, "asks")
    out = RecordingOutbox()
    node.on_message("n2", Told(in_reply_to=1, text="me"), out)
    assert node.told == [Told(in_reply_to=1, text="me")]
    assert out.effects == [Effect("cancel_timer", ("call 1",))]


def test_a_call_without_an_answer_ends_in_an_error_value_that_is_not_definite() -> None:
    node = Diary()
    ring(node, timer(tick(node, "asks")))
    (error,) = node.told
    assert isinstance(error, Error)
    assert error.code == Error.TIMEOUT
    assert not error.definite


@pytest.mark.parametrize("number", [1, 2])
def test_an_answer_that_nobody_waits_for_does_nothing(number: int) -> None:
    node = Diary()
    ring(node, timer(tick(node, "asks")))
    out = RecordingOutbox()
    node.on_message("n2", Told(in_reply_to=number), out)
    assert out.effects == []
    assert len(node.told) == 1


def test_two_calls_resume_each_on_its_own_answer() -> None:
    node = Diary()
    tick(node, "asks")
    tick(node, "asks")
    node.on_message("n2", Told(in_reply_to=2, text="second"), RecordingOutbox())
    node.on_message("n2", Told(in_reply_to=1, text="first"), RecordingOutbox())
    assert [answer.text for answer in node.told if isinstance(answer, Told)] == ["second", "first"]


def test_a_later_life_counts_its_calls_from_elsewhere() -> None:
    numbers = [
        message.msg_id
        for draw in (3, 4)
        for _, message in tick(Diary(Dice(draw)), "asks").sent(Ask)
        if isinstance(message, Ask)
    ]
    assert len(set(numbers)) == 2


def test_sleep_resumes_when_its_time_is_over() -> None:
    node = Diary()
    out = tick(node, "sleeps")
    assert out.effects == [Effect("set_timer", ("sleep 1", 5 * MS))]
    ring(node, "sleep 1")
    assert node.told == ["awake"]


def test_a_spawned_task_begins_in_a_later_step_after_a_delay_from_the_dice() -> None:
    node = Diary(Dice(0, 77))
    out = tick(node, "spawns")
    assert node.told == ["parent"]
    assert out.effects == [Effect("set_timer", ("spawn 1", 77))]
    ring(node, "spawn 1")
    assert node.told == ["parent", "child"]


def test_a_lock_lets_tasks_in_one_after_another_first_come_first_served() -> None:
    node = Diary()
    first = timer(tick(node, "locks"))
    assert tick(node, "locks").effects == []
    assert tick(node, "locks").effects == []
    assert node.told == ["in"]
    second = timer(ring(node, first))
    third = timer(ring(node, timer(ring(node, second))))
    ring(node, timer(ring(node, third)))
    assert node.told == ["in", "out"] * 3
    assert timer(tick(node, "locks"))


def test_releasing_a_lock_that_is_not_held_is_an_error() -> None:
    with pytest.raises(RuntimeError, match="not held"):
        tick(Diary(), "unlocks")


def test_an_exception_in_a_task_is_an_exception_in_the_handler() -> None:
    node = Diary()
    out = tick(node, "panics")
    with pytest.raises(ZeroDivisionError):
        ring(node, timer(out))


def test_a_task_that_ended_in_an_exception_is_gone() -> None:
    node = Diary()
    name = timer(tick(node, "panics"))
    with pytest.raises(ZeroDivisionError):
        ring(node, name)
    with pytest.raises(KeyError):
        ring(node, name)


def test_a_node_says_what_it_does_not_handle() -> None:
    node = SequentialNode(Context(id="n1", peers=("n1",), clock=Clock(), dice=Dice()))
    with pytest.raises(NotImplementedError, match="does not handle Tick from n2"):
        node.on_message("n2", Tick("x"), RecordingOutbox())
