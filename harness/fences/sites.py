"""Who is at work when something guarded is called, and where in its code: read from the frames of the call."""

from __future__ import annotations

import sysconfig
from dataclasses import dataclass
from types import FrameType
from typing import Final

from ...impl.node import Clock
from ..life import Life
from ..machine import Machine

FENCES: Final = __name__.removesuffix(".sites")
HARNESS: Final = FENCES.removesuffix("fences")
LIBRARY: Final = sysconfig.get_paths()["stdlib"]


@dataclass(frozen=True, slots=True)
class Call:
    """A call from the code of a participant.

    Attributes:
        address, clock: whose code it is.
        site: `file:line` of that code.
    """

    address: str
    clock: Clock
    site: str


def call_of(frame: FrameType) -> Call | None:
    """The call that came from this frame; None when no participant is to blame.

    The innermost frame of the harness decides: where a life calls a handler, or a factory is called, everything further in
    is the participant's code. Anywhere else it is our own, or that of a judge. A module that is imported for the first
    time, and a log record that asks for its time, change nothing in the system.
    """
    if _module_of(frame).startswith("logging"):
        return None
    found = frame
    at: FrameType | None = frame
    while at is not None:
        module = _module_of(at)
        if module.startswith(HARNESS) and not module.startswith(FENCES):
            return _call(at, f"{found.f_code.co_filename}:{found.f_lineno}")
        if at.f_code.co_filename.startswith("<frozen importlib"):
            return None
        if _distance(at) < _distance(found):
            found = at
        at = at.f_back
    return None


def _module_of(frame: FrameType) -> str:
    return str(frame.f_globals.get("__name__", ""))


def _call(frame: FrameType, site: str) -> Call | None:
    """By whom it is, if the frame of the harness calls code of a participant."""
    for name in ("self", "life"):
        who = frame.f_locals.get(name)
        if isinstance(who, (Life, Machine)):
            return Call(who.address, who.clock, site)
    return None


def _distance(frame: FrameType) -> int:
    """How far its code is from that of a node: 0: its own, 1: an installed package, 2: Python's library, 3: fences."""
    filename = frame.f_code.co_filename
    if _module_of(frame).startswith(FENCES):
        return 3
    if "site-packages" in filename:
        return 1
    return 2 if filename.startswith((LIBRARY, "<frozen ")) else 0
