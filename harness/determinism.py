"""Whether a plan gives the same run every time: again and again in this process, and in a fresh one that is another's.

The repeats find what one run leaves behind for the next (in a module, in a class, or as garbage: once it is still there,
and once it has been collected), and whatever depends on identity or on a clock. The fresh process has other string hashes,
which finds iteration over sets of strings, and another user, home and time zone. What no fence intercepts is found so, and
the first difference named.
"""

from __future__ import annotations

import gc
import os
import subprocess
import sys
from array import array
from collections.abc import Mapping
from importlib import import_module
from itertools import zip_longest
from typing import Final, TypeAlias

import msgspec

from ..histories.errors import NondeterministicRun, UsageError
from ..histories.event import Event, Missing
from ..histories.values import to_json
from .plan import Plan, parse_plan, write_plan
from .system import System
from .trial import Run, collector_paused, run_plan

Moments: TypeAlias = tuple[tuple[int, str], ...]
"""What happened, in order, as (virtual nanoseconds, in words)."""

HASH_SEEDS: Final = ("1", "2", "3")

ANOTHER: Final[Mapping[str, str]] = {
    "HOME": "/home/another",
    "HOSTNAME": "another",
    "LOGNAME": "another",
    "TZ": "UTC-13",
    "USER": "another",
}
"""What is different for another user on another machine."""


class Account(msgspec.Struct, frozen=True):
    """All of a run that must be the same in every run of its plan.

    Attributes:
        digest: of the run.
        order: the bytes of `Run.order`.
        trace: every note, message and timer.
        history: every event.
    """

    digest: str
    order: bytes
    trace: Moments
    history: Moments


def check_determinism(plan: Plan, system_reference: str) -> Run:
    """Run a plan four times; answers the first of the runs, with its full trace.

    Args:
        plan: what is run.
        system_reference: where its system is, as "module:ATTRIBUTE"; the fresh process imports it from there.

    Raises:
        NondeterministicRun: two runs differ; the text names the first difference, with both sides.
        UsageError: there is no such system.
    """
    system = load_system(system_reference)
    subject = f"{plan.system} ({plan.variant}), seed {plan.seed},"
    run, first, *repeats = _repeated(plan, system)
    here, *others = (seed for seed in HASH_SEEDS if seed != os.environ.get("PYTHONHASHSEED"))
    fresh = _in_fresh_process(plan, system_reference, here)
    for again in repeats:
        if first != again:
            reason = "one run differs from the next in the same process"
            if fresh == _in_fresh_process(plan, system_reference, others[0]):
                reason += (
                    ", and fresh processes agree: state in a module or a class outlives a run, "
                    "or somebody loops over a set of objects"
                )
            else:
                reason += ", and so do fresh processes (datetime.now(), id(), or the hash of an object)"
            raise NondeterministicRun(subject, f"{reason}. {difference(first, again)}")
    if first != fresh:
        raise NondeterministicRun(
            subject,
            "a fresh process with other string hashes, of another user, gives another run (a loop over a set of strings, "
            f"hash(), the environment, or state that a module kept). {difference(first, fresh)}",
        )
    return run


def _repeated(plan: Plan, system: System) -> tuple[Run, Account, Account, Account]:
    """The first run, its account, and those of two repeats: with the garbage of the first one about, and without."""
    with collector_paused():
        run = run_plan(plan, system, trace="full")
        first, second = account_of(run), account_of(run_plan(plan, system, trace="full"))
        gc.collect()
        return run, first, second, account_of(run_plan(plan, system, trace="full"))


def load_system(reference: str) -> System:
    """The system at "module:ATTRIBUTE".

    Raises:
        UsageError: there is none.
    """
    module, _, attribute = reference.partition(":")
    try:
        found = getattr(import_module(module), attribute)
    except (ImportError, AttributeError, ValueError) as error:
        raise UsageError(f"no system at {reference!r}: {error}. Write it as module:ATTRIBUTE") from error
    if not isinstance(found, System):
        raise UsageError(f"{reference!r} is a {type(found).__name__}, and no system")
    return found


def account_of(run: Run) -> Account:
    """What must be the same; of a run with a full trace."""
    return Account(
        digest=run.digest,
        order=run.order.tobytes(),
        trace=tuple((note.time, str(note)) for note in run.evidence.trace),
        history=tuple((event.time or 0, _words(event)) for event in run.evidence.history),
    )


def _words(event: Event) -> str:
    value = "" if isinstance(event.value, Missing) else f" {to_json(event.value)}"
    key = "" if event.key is None else f" {to_json(event.key)}"
    return f"process {event.process} {event.kind} {event.action}{key}{value}"


def difference(first: Account, second: Account) -> str:
    """Where two runs part, in a sentence: the earliest of trace and history, or else the place in the order of events."""
    parted = [
        found
        for ours, theirs in ((first.trace, second.trace), (first.history, second.history))
        if (found := _first_apart(ours, theirs)) is not None
    ]
    if parted:
        return min(parted)[1]
    ours, theirs = _events(first.order), _events(second.order)
    found = _first_apart(ours, theirs)
    return found[1] if found is not None else "Only the canonical form of what they told differs"


def _first_apart(ours: Moments, theirs: Moments) -> tuple[int, str] | None:
    """The time and the description of the first pair that differs."""
    for number, (mine, other) in enumerate(zip_longest(ours, theirs)):
        if mine != other:
            time = min(moment[0] for moment in (mine, other) if moment is not None)
            return time, f"The first difference is number {number}: {_told(mine)} in one, {_told(other)} in the other"
    return None


def _told(moment: tuple[int, str] | None) -> str:
    return "nothing more" if moment is None else f"'{moment[1]}' at {moment[0]} ns"


def _events(order: bytes) -> Moments:
    flat = array("q", order)
    return tuple((time, f"event {sequence}") for time, sequence in zip(flat[::2], flat[1::2], strict=True))


# --- the fresh process


def _in_fresh_process(plan: Plan, system_reference: str, hash_seed: str) -> Account:
    ours = {"PYTHONHASHSEED": hash_seed, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    done = subprocess.run(  # noqa: S603  # our own interpreter and module
        [sys.executable, "-m", __name__, system_reference],
        input=write_plan(plan),
        capture_output=True,
        env=os.environ | ANOTHER | ours,
        check=False,
    )
    if done.returncode:
        complaint = done.stderr.decode(errors="replace").strip().splitlines() or [f"exit status {done.returncode}"]
        raise UsageError(f"a fresh process could not run {system_reference}: {complaint[-1]}")
    return msgspec.msgpack.decode(done.stdout, type=Account)


def main() -> None:
    """Run the plan on standard input, and write its account to standard output; what the system prints goes elsewhere."""
    with os.fdopen(os.dup(1), "wb") as output:
        os.dup2(2, 1)
        run = run_plan(parse_plan(sys.stdin.buffer.read()), load_system(sys.argv[1]), trace="full")
        output.write(msgspec.msgpack.encode(account_of(run)))


if __name__ == "__main__":
    main()
