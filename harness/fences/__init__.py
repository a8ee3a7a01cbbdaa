"""Fences around a run: whatever a simulated system must not reach for says so, and names the line that tried.

They stand for the length of a run, on the simulating thread alone, around the code of nodes and clients: their factories
and their handlers. Judges, other threads and the simulator itself do not notice them. There are two modes:

- *strict*: a call to anything in `guarded.GUARDED` ends the run with the place of the call;
- *virtual*, for code that was not written for a simulator: clocks answer with the node's own clock, dice with a stream of
  the plan's seed; threads, processes, sockets and sleep stay forbidden.

No fence sees `datetime` (its clock is read in C, and its types cannot be changed), the order of sets, `id()`, or state
that a module keeps; what depends on them is found by running a plan twice (`harness.determinism`).
"""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from functools import partial, wraps
from random import Random
from threading import get_ident
from types import FrameType, ModuleType
from typing import Any, Final

from ...histories.errors import NondeterministicRun
from ..plan import Plan
from ..randomness import stream
from .guarded import GUARDED, Guarded, Guest
from .sites import Call, call_of

Guard = Callable[..., Any]


@contextmanager
def fenced(plan: Plan, factories: Iterable[Any] = ()) -> Iterator[None]:
    """Guard a run of this plan on this thread.

    Args:
        plan: its `fences` say which mode.
        factories: of nodes and clients; names that their modules imported from guarded modules are guarded, too.

    Raises:
        NondeterministicRun: a node or a client called something that is guarded; even if it caught the exception itself.
    """
    fence = _Fence(plan)
    with _standing(fence, modules_of(factories)):
        yield
    if fence.caught is not None:
        raise fence.caught


class _Fence:
    """The guards of one run, as far as they know who it is that calls.

    Attributes:
        caught: the first call that was forbidden.
    """

    def __init__(self, plan: Plan) -> None:
        self.caught: NondeterministicRun | None = None
        self._plan = plan
        self._luck: dict[str, Random] = {}

    def answer(self, thing: Guarded, original: Guard, call: Call) -> Guard:
        """What is called in the place of the original.

        Raises:
            NondeterministicRun: nothing is.
        """
        if self._plan.fences == "virtual" and thing.answer is not None:
            return thing.answer(Guest(call.clock, self._luck_of(call.address)), original)
        alternative = " (or let it be answered virtually: --fences virtual)" if thing.answer is not None else ""
        caught = NondeterministicRun(
            f"{self._plan.system} ({self._plan.variant})",
            f"{thing.shown} is called at {call.site}; use {thing.instead} instead{alternative}",
        )
        self.caught = self.caught or caught
        raise caught

    def _luck_of(self, address: str) -> Random:
        if address not in self._luck:
            self._luck[address] = stream(self._plan.seed, "virtual", address)
        return self._luck[address]


# --- guards stand in the place of their originals while any thread has a fence

_fences: Final[dict[int, list[_Fence]]] = {}
"""Those that stand, by thread, the innermost last."""

_replaced: Final[list[tuple[Any, str, Guard]]] = []
"""What stood where, in the order in which it was replaced."""

_guards: Final[dict[Guarded, tuple[Guard, Guard]]] = {}
"""Originals and the guards that were made for them; an original that somebody else has changed gets a new one."""

_changing: Final = threading.Lock()


@contextmanager
def _standing(fence: _Fence, modules: Iterable[ModuleType]) -> Iterator[None]:
    thread = get_ident()
    with _changing:
        _fences.setdefault(thread, []).append(fence)
    try:
        with _changing:
            _replace(modules)
        yield
    finally:
        with _changing:
            _fences[thread].remove(fence)
            if not _fences[thread]:
                del _fences[thread]
            if not _fences:
                _restore()


def _replace(modules: Iterable[ModuleType]) -> None:
    """Put guards in the place of all that is guarded, where they do not stand yet."""
    if not _replaced:
        for thing in GUARDED:
            owner, original = thing.find()
            if original is not None:
                _put(owner, thing.attribute, original, _guard_of(thing, original))
    by_identity = {id(original): guard for original, guard in _guards.values()}
    for module in modules:
        for name, value in list(vars(module).items()):
            guard = by_identity.get(id(value))
            if guard is not None:
                _put(module, name, value, guard)


def _put(owner: Any, name: str, original: Guard, guard: Guard) -> None:
    _replaced.append((owner, name, original))
    setattr(owner, name, guard)


def _restore() -> None:
    while _replaced:
        owner, name, original = _replaced.pop()
        setattr(owner, name, original)


def _guard_of(thing: Guarded, original: Guard) -> Guard:
    made = _guards.get(thing)
    if made is None or made[0] is not original:
        made = _guards[thing] = original, _new_guard(thing, original)
    return made[1]


def _new_guard(thing: Guarded, original: Guard) -> Guard:
    @wraps(original)
    def guard(*arguments: Any, **named: Any) -> Any:
        standing = _fences.get(get_ident())
        if standing and thing.offends(*arguments, **named):
            call = call_of(_caller())
            if call is not None:
                return standing[-1].answer(thing, original, call)(*arguments, **named)
        return original(*arguments, **named)

    return guard


def _caller() -> FrameType:
    """Who called the guard."""
    return sys._getframe(2)  # noqa: SLF001  # the only way to a frame that costs nothing


def modules_of(factories: Iterable[Any]) -> list[ModuleType]:
    """The modules that hold the code of these factories: of a class, those of its bases, too."""
    names: dict[str, None] = {}
    for factory in factories:
        made = factory.func if isinstance(factory, partial) else factory
        for part in made.__mro__ if isinstance(made, type) else (made,):
            names[str(getattr(part, "__module__", ""))] = None
    return [module for name in names if name != "builtins" and (module := sys.modules.get(name)) is not None]
