"""Progress on standard error, for whatever takes longer than people like to wait without a word."""

from __future__ import annotations

import sys
from shutil import get_terminal_size
from threading import Event, Thread
from time import monotonic
from types import TracebackType
from typing import Final, Self

PATIENCE_S: Final = 2.0
"""What is done sooner is never mentioned."""

PERIOD_S: Final = {True: 0.5, False: 15.0}
"""How often a terminal, and a log, is told."""


class Progress:
    """Says how far something is, once it has taken two seconds: one line that changes, or lines in a log.

    A thread speaks, so that a search in native code need not. Assign to `told` what there is to say.
    """

    def __init__(self, told: str, *, silent: bool = False) -> None:
        self.told = told
        self._silent = silent
        self._started = monotonic()
        self._over = Event()
        self._spoken = False
        self._thread = Thread(target=self._speak, name="upheld-progress", daemon=True)

    def __enter__(self) -> Self:
        if not self._silent:
            self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._over.set()
        if not self._silent:
            self._thread.join()
        self.clear()

    def clear(self) -> None:
        """Take the line off the terminal, so that something else can be printed there."""
        if self._spoken and sys.stderr.isatty():
            sys.stderr.write("\r\x1b[K")
            sys.stderr.flush()

    def _speak(self) -> None:
        terminal = sys.stderr.isatty()
        wait = PATIENCE_S
        while not self._over.wait(wait):
            wait = PERIOD_S[terminal]
            line = f"{self.told} ... {monotonic() - self._started:.0f} s"
            sys.stderr.write(f"\r\x1b[K{line[: get_terminal_size().columns - 1]}" if terminal else f"{line}\n")
            sys.stderr.flush()
            self._spoken = True
