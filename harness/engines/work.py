"""How a worker works off one seed, whatever engine it belongs to, and how its memory is limited."""

from __future__ import annotations

import gc
import pickle
import resource
import time
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Final

from .backlog import Backlog
from .contract import Done

MEMORY_MAX: Final = 4 << 30
"""How many bytes of data a worker may hold, unless somebody says otherwise: far more than a run should need."""

HANG_S: Final = 120.0
"""A seed that takes longer than this hangs."""

SINGLE_THREADED: Final = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "RAYON_NUM_THREADS"), "1")
"""For the environment of a worker: its libraries stay on one thread each, since there is a worker for each core."""


@dataclass(frozen=True)
class Answer:
    """What a worker says about one seed.

    Attributes:
        result: of the work.
        took_s: how long it took.
        error: what the work raised; `place`: where.
    """

    result: Any = None
    took_s: float = 0.0
    error: BaseException | None = None
    place: str = ""

    def told(self, key: str, seed: int, backlog: Backlog) -> Done:
        """The seed as done; the backlog learns how long it took.

        Raises:
            Exception: what the work raised, with its place as a note.
        """
        if self.error is not None:
            self.error.add_note(f"while working on seed {seed} of {key}\n{self.place}")
            raise self.error
        backlog.learn(key, self.took_s)
        return Done(key, seed, self.result)


class Bench:
    """Where a process works: keeps the functions that it was given, unpickled, from seed to seed."""

    def __init__(self) -> None:
        self._works: dict[bytes, Callable[[int], Any]] = {}

    def work_off(self, pickled: bytes, seed: int) -> Answer:
        """What came of that seed.

        Raises:
            MemoryError: it needed more than this process may have.
        """
        began, known = time.perf_counter(), pickled in self._works
        try:
            if not known:
                self._works[pickled] = pickle.loads(pickled)  # noqa: S301  # from our own parent
            result = self._works[pickled](seed)
        except MemoryError:
            raise
        except Exception as error:  # noqa: BLE001  # it is raised again in the parent
            return Answer(error=_portable(error), place=traceback.format_exc())
        if not known:
            gc.freeze()  # what the imports made stays for ever
        return Answer(result, time.perf_counter() - began)


def _portable(error: Exception) -> Exception:
    """The exception itself where it survives the way to another process, otherwise one that says the same."""
    try:
        copy = pickle.loads(pickle.dumps(error))  # noqa: S301  # our own
    except Exception:  # noqa: BLE001  # its constructor may do anything
        return RuntimeError(f"{type(error).__name__}: {error}")
    return error if str(copy) == str(error) else RuntimeError(f"{type(error).__name__}: {error}")


@contextmanager
def memory_limited(memory_max: int) -> Iterator[None]:
    """This process may hold so many bytes of data; what asks for more gets a MemoryError (native code may abort)."""
    soft, hard = resource.getrlimit(resource.RLIMIT_DATA)
    wanted = memory_max if hard == resource.RLIM_INFINITY else min(memory_max, hard)
    resource.setrlimit(resource.RLIMIT_DATA, (wanted, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_DATA, (soft, hard))


def too_much(memory_max: int) -> str:
    """Why a seed is lost that needed more memory than there was."""
    return f"needed more than {memory_max >> 20:,} MB of memory"
