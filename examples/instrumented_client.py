"""Record what the clients of your own system see, and have it judged.

The system here is a store with a cache in front of it that nobody invalidates. Four threads use it through `record`; any
client can be instrumented like this: one `operation` around each request, and the result that came back.
"""

from __future__ import annotations

import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Lock

from upheld import Header, Refuted, check_linearizability, read_history, record
from upheld.histories.recorder import Recorder


class Refused(Exception):
    """The store certainly did nothing."""


class Store:
    """A cell that two front ends share; each front end remembers the first value that it has read."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._value: int | None = None
        self._cached: dict[int, int | None] = {}

    def write(self, value: int) -> None:
        """Replace the value; zero is refused."""
        if value == 0:
            raise Refused
        with self._lock:
            self._value = value

    def read(self, front: int) -> int | None:
        """The value, as this front end remembers it."""
        with self._lock:
            return self._cached.setdefault(front, self._value)


def client(recorder: Recorder, store: Store, process: int) -> None:
    """Write and read in turns. What was refused is `fail`; any other exception would be `info`: nobody knows."""
    for number in range(5):
        try:
            with recorder.operation(process=process, action="write", argument=number * 10 + process):
                store.write(number * 10 + process)
        except Refused:
            continue
        with recorder.operation(process=process, action="read") as operation:
            operation.result = store.read(front=process % 2)


def main() -> None:
    """Record four clients, and judge what they saw."""
    with TemporaryDirectory() as folder:
        path = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(folder) / "history.jsonl"
        store = Store()
        recording = record(path, header=Header(model="register"), definite=(Refused,))
        with recording as recorder, ThreadPoolExecutor(max_workers=4) as pool:
            for running in [pool.submit(client, recorder, store, process) for process in range(4)]:
                running.result()
        verdict = check_linearizability(read_history(path))
    print(verdict.anomaly if isinstance(verdict, Refuted) else verdict)


if __name__ == "__main__":
    main()
