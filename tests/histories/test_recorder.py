"""The recorder: what is in the file, whatever the body does, whoever writes beside it, and whenever it dies."""

from __future__ import annotations

import asyncio
import multiprocessing
import os
import pickle
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from contextlib import nullcontext
from pathlib import Path

import pytest

from upheld.histories.errors import UsageError
from upheld.histories.event import MISSING, Kind
from upheld.histories.files import read_history
from upheld.histories.history import Header, History
from upheld.histories.notation import render
from upheld.histories.open_operation import OpenOperation
from upheld.histories.recorder import Recorder, record


class Refused(Exception):
    """An error that rules the effect out."""


def told(path: Path) -> str:
    """The recording without its times."""
    return "\n".join(
        " ".join(word for word in line.split(" ") if not word.startswith("time="))
        for line in render(read_history(path)).splitlines()
    )


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "history.jsonl"


# --- one operation


def test_the_invocation_is_in_the_file_before_the_body_runs(path: Path) -> None:
    with record(path) as recorder:
        with recorder.operation(process=3, action="write", key="x", argument=1, node="n1"):
            assert told(path) == "3 invoke write x: 1 node=n1"
        assert told(path) == "3 invoke write x: 1 node=n1\n3 ok write x: node=n1"


def answers(operation: OpenOperation) -> None:
    operation.result = [1, {"a": None}]


def answers_nothing(operation: OpenOperation) -> None:
    operation.result = None


def says_nothing(operation: OpenOperation) -> None:
    del operation


def is_refused(operation: OpenOperation) -> None:
    raise Refused("no leader")


def times_out(operation: OpenOperation) -> None:
    raise TimeoutError("after 1 s")


def is_interrupted(operation: OpenOperation) -> None:
    raise KeyboardInterrupt


def says_that_it_failed(operation: OpenOperation) -> None:
    operation.fail("full")


def says_that_nobody_knows(operation: OpenOperation) -> None:
    operation.info()


def answers_from_another_node(operation: OpenOperation) -> None:
    operation.node, operation.result = "n2", 1


@pytest.mark.parametrize(
    ("body", "completion", "raised"),
    [
        (answers, '0 ok take [1,{"a":null}]', None),
        (answers_nothing, "0 ok take null", None),
        (says_nothing, "0 ok take", None),
        (is_refused, '0 fail take error="Refused: no leader"', Refused),
        (times_out, '0 info take error="TimeoutError: after 1 s"', TimeoutError),
        (is_interrupted, "0 info take error=KeyboardInterrupt", KeyboardInterrupt),
        (says_that_it_failed, "0 fail take error=full", None),
        (says_that_nobody_knows, "0 info take", None),
        (answers_from_another_node, "0 ok take 1 node=n2", None),
    ],
)
def test_a_body_ends_its_operation_and_what_it_raises_goes_on(
    path: Path, body: Callable[[OpenOperation], None], completion: str, raised: type[BaseException] | None
) -> None:
    with (
        record(path, definite=(Refused,)) as recorder,
        pytest.raises(raised) if raised else nullcontext(),
        recorder.operation(process=0, action="take") as operation,
    ):
        body(operation)
    assert told(path) == f"0 invoke take\n{completion}"


def test_a_read_that_does_not_say_what_it_saw_is_no_observation(path: Path) -> None:
    with (
        record(path) as recorder,
        pytest.raises(UsageError, match=r"assign operation\.result"),
        recorder.operation(process=0, action="read"),
    ):
        pass
    (read,) = read_history(path).operations
    assert read.is_pending


def test_a_result_that_is_no_value_leaves_the_operation_pending(path: Path) -> None:
    with (
        record(path) as recorder,
        pytest.raises(UsageError, match="no JSON value"),
        recorder.operation(process=0, action="take") as operation,
    ):
        operation.result = object()
    assert read_history(path).operations[0].is_pending


def test_an_argument_that_is_no_value_is_refused_before_anything_happens(path: Path) -> None:
    with record(path) as recorder:
        with (
            pytest.raises(UsageError, match="no JSON value"),
            recorder.operation(process=0, action="put", argument=b"1"),
        ):
            pytest.fail("the body must not run")
        with recorder.operation(process=0, action="put", argument=1):
            pass
    assert told(path) == "0 invoke put 1\n0 ok put"


def test_an_error_is_one_short_line_of_text(path: Path) -> None:
    with (
        record(path) as recorder,
        pytest.raises(ValueError, match="one"),
        recorder.operation(process=0, action="put"),
    ):
        raise ValueError("one\ntwo\ud800 " + "x" * 1000)
    (put,) = read_history(path).operations
    assert isinstance(put.error, str)
    assert put.error.startswith("ValueError: one two? xxx")
    assert len(put.error) == 500


# --- uncertainty is sticky


@pytest.mark.parametrize(
    ("attempts", "outcome"),
    [
        ([Refused, None], Kind.OK),
        ([TimeoutError, None], Kind.OK),
        ([Refused, Refused], Kind.FAIL),
        ([TimeoutError, Refused], Kind.INFO),
        ([Refused, TimeoutError], Kind.INFO),
        ([TimeoutError, Refused, Refused], Kind.INFO),
    ],
)
def test_once_an_attempt_is_indeterminate_the_operation_never_fails(
    path: Path, attempts: list[type[Exception] | None], outcome: Kind
) -> None:
    def retries(recorder: Recorder) -> None:
        with recorder.operation(process=0, action="write", argument=1) as operation:
            for number, error in enumerate(attempts, start=1):
                try:
                    with operation.attempt():
                        if error is not None:
                            raise error
                        return
                except (Refused, TimeoutError):
                    if number == len(attempts):
                        raise

    with record(path, definite=(Refused,)) as recorder:
        try:
            retries(recorder)
        except (Refused, TimeoutError):
            assert outcome is not Kind.OK
    (write,) = read_history(path).operations
    assert write.outcome is outcome


def test_a_body_cannot_talk_an_indeterminate_attempt_away(path: Path) -> None:
    with record(path) as recorder, recorder.operation(process=0, action="write") as operation:
        with pytest.raises(TimeoutError), operation.attempt():
            raise TimeoutError
        operation.fail("gave up")
    assert told(path) == '0 invoke write\n0 info write error="gave up"'


# --- processes and sessions


def test_a_process_does_one_thing_at_a_time(path: Path) -> None:
    with (
        record(path) as recorder,
        recorder.operation(process=0, action="write"),
        pytest.raises(UsageError, match="process 0 has an open write"),
        recorder.operation(process=0, action="read"),
    ):
        pytest.fail("the body must not run")
    assert told(path) == "0 invoke write\n0 ok write"


def test_after_an_info_the_client_goes_on_as_a_new_process_in_the_same_session(path: Path) -> None:
    with record(path) as recorder:
        for _ in range(3):
            with recorder.operation(process=4, action="write") as operation:
                operation.info()
    history = read_history(path)
    assert [(operation.process, operation.session) for operation in history.operations] == [
        (4, 4),
        (1_000_004, 4),
        (2_000_004, 4),
    ]
    assert history.remarks == ()


# --- the file


def test_events_of_others_are_written_as_they_are_told(path: Path) -> None:
    with record(path, header=Header(system="mine", seed=7)) as recorder:
        recorder.event("nemesis", Kind.INFO, "partition", value=("n1",), time=12)
        recorder.event(0, Kind.INVOKE, "get", key="x")
    history = read_history(path)
    assert (history.header.system, history.header.seed) == ("mine", 7)
    assert history[0].time == 12
    assert history[1].value is MISSING
    assert history[1].time is not None


def test_time_is_counted_from_the_beginning_of_the_recording(path: Path) -> None:
    begun = time.monotonic_ns()
    with record(path) as recorder:
        for _ in range(20):
            with recorder.operation(process=0, action="write"):
                pass
    times = [event.time or 0 for event in read_history(path)]
    assert times == sorted(times)
    assert 0 <= times[0] <= times[-1] <= time.monotonic_ns() - begun


def test_a_clock_of_ones_own_leaves_nothing_of_the_wall_in_the_file(path: Path) -> None:
    with record(path, clock=lambda: 42) as recorder:
        recorder.event(0, Kind.INVOKE, "get")
    assert path.read_text() == '{"upheld":1}\n{"process":0,"type":"invoke","f":"get","time":42}\n'


def test_a_recording_is_never_written_over(path: Path) -> None:
    record(path).close()
    before = path.read_bytes()
    with pytest.raises(UsageError, match="there is a recording already"):
        record(path)
    assert path.read_bytes() == before


def test_a_recording_that_has_ended_takes_nothing_more(path: Path) -> None:
    recorder = record(path)
    recorder.close()
    recorder.close()
    with pytest.raises(UsageError, match="the recording has ended"):
        recorder.event(0, Kind.INVOKE, "get")


def test_a_place_that_cannot_be_written_is_said(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="cannot be recorded into: No such file or directory"):
        record(tmp_path / "missing" / "history.jsonl")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
def test_a_full_disk_is_said_and_no_operation_begins() -> None:
    recorder = Recorder("/dev/full", 0, fsync="never")
    for _ in range(2):
        with pytest.raises(UsageError, match="No space left"), recorder.operation(process=0, action="put"):
            pytest.fail("the body must not run")


@pytest.mark.parametrize(("fsync", "times"), [("never", 0), ("close", 1), ("always", 4)])
def test_the_file_is_forced_to_the_disk_as_often_as_asked(
    path: Path, monkeypatch: pytest.MonkeyPatch, fsync: str, times: int
) -> None:
    forced: list[int] = []
    monkeypatch.setattr(os, "fsync", forced.append)
    with record(path, fsync=fsync) as recorder, recorder.operation(process=0, action="write"):  # type: ignore[arg-type]  # a table
        pass
    assert len(forced) == times


def test_every_event_is_one_write(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    written: list[bytes] = []
    real = os.write

    def write(descriptor: int, line: bytes) -> int:
        written.append(line)
        return real(descriptor, line)

    with record(path) as recorder:
        monkeypatch.setattr(os, "write", write)
        with recorder.operation(process=0, action="write", argument="x" * 100_000):
            pass
        monkeypatch.undo()
    assert [line.count(b"\n") for line in written] == [1, 1]
    assert all(line.endswith(b"\n") for line in written)


# --- several at a time


def several(recorder: Recorder, process: int, count: int = 50) -> None:
    for number in range(count):
        with recorder.operation(process=process, action="write", argument=number):
            pass


def is_whole(history: History, processes: int, count: int = 50) -> None:
    assert history.remarks in {(), ("times go back; real-time order is the order of lines",)}
    assert len(history.operations) == processes * count
    for process in range(processes):
        mine = [operation.argument for operation in history.operations if operation.process == process]
        assert mine == list(range(count))


def test_threads_record_into_one_file(path: Path) -> None:
    with record(path) as recorder:
        threads = [threading.Thread(target=several, args=(recorder, process)) for process in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    history = read_history(path)
    is_whole(history, 4)
    assert history.remarks == ()


def test_tasks_record_into_one_file(path: Path) -> None:
    async def client(recorder: Recorder, process: int) -> None:
        for number in range(50):
            with recorder.operation(process=process, action="write", argument=number):
                await asyncio.sleep(0)

    async def clients(recorder: Recorder) -> None:
        await asyncio.gather(*(client(recorder, process) for process in range(4)))

    with record(path) as recorder:
        asyncio.run(clients(recorder))
    history = read_history(path)
    is_whole(history, 4)
    assert any(not one.precedes(other) for one, other in zip(history.operations, history.operations[1:], strict=False))


def test_a_cancelled_task_leaves_its_operation_pending(path: Path) -> None:
    async def waits(recorder: Recorder) -> None:
        with recorder.operation(process=0, action="write"):
            await asyncio.sleep(60)

    async def cancels(recorder: Recorder) -> None:
        task = asyncio.create_task(waits(recorder))
        await asyncio.sleep(0)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)

    with record(path) as recorder:
        asyncio.run(cancels(recorder))
    assert told(path) == "0 invoke write\n0 info write error=CancelledError"


def test_a_recorder_in_another_process_is_the_same_recording(path: Path) -> None:
    with record(path, definite=(Refused,)) as recorder:
        again: Recorder = pickle.loads(pickle.dumps(recorder))
        with pytest.raises(Refused), again.operation(process=1, action="write"):
            raise Refused
        again.close()
        several(recorder, 0)
    history = read_history(path)
    assert history.operations[0].outcome is Kind.FAIL
    assert history.remarks == ()


OTHER = """
import sys
from upheld.histories.recorder import record
with record(sys.argv[1], join=True) as recorder:
    for number in range(50):
        with recorder.operation(process=int(sys.argv[2]), action="write", argument=number):
            pass
"""


def test_processes_join_a_recording(path: Path) -> None:
    with record(path) as recorder:
        others = [subprocess.Popen([sys.executable, "-c", OTHER, str(path), str(process)]) for process in (1, 2)]
        several(recorder, 0)
        assert [other.wait(60) for other in others] == [0, 0]
    history = read_history(path)
    is_whole(history, 3)
    last = max(event.time or 0 for event in history)
    assert last < 60_000_000_000  # counted from the same beginning, not from the machine's


def test_only_a_recording_can_be_joined(path: Path) -> None:
    with pytest.raises(UsageError, match="No such file"):
        record(path, join=True)
    path.write_text('{"upheld":1}\n')
    with pytest.raises(UsageError, match="does not tell when the recording began"):
        record(path, join=True)
    record(path, join=True, clock=lambda: 0).close()


ENDLESS = """
import sys
from upheld.histories.recorder import record
with record(sys.argv[1], fsync="never") as recorder:
    number = 0
    while True:
        with recorder.operation(process=0, action="write", argument=[number, "x" * 3000]):
            number += 1
"""


@pytest.mark.parametrize("after_lines", [1, 40, 400])
def test_a_recording_that_is_killed_reads(path: Path, after_lines: int) -> None:
    process = subprocess.Popen([sys.executable, "-c", ENDLESS, str(path)])
    deadline = time.monotonic() + 60
    while not path.exists() or path.read_bytes().count(b"\n") <= after_lines:
        assert time.monotonic() < deadline
        assert process.poll() is None
    process.send_signal(signal.SIGKILL)
    process.wait()
    lines = path.read_bytes().split(b"\n")
    history = read_history(path, lenient=bool(lines[-1]))
    assert len(history) >= len(lines) - 2
    assert len(history.operations) >= after_lines // 2
    assert len(history.notes) <= 1


def test_a_forked_child_goes_on_with_the_recording(path: Path) -> None:
    if "fork" not in multiprocessing.get_all_start_methods():
        pytest.skip("this system cannot fork")
    script = f"""
import os
from upheld.histories.recorder import record
with record({str(path)!r}) as recorder:
    child = os.fork()
    for number in range(50):
        with recorder.operation(process=int(child == 0), action="write", argument=number):
            pass
    if child:
        os.waitpid(child, 0)
"""
    subprocess.run([sys.executable, "-c", script], check=True, timeout=60)
    is_whole(read_history(path), 2)
