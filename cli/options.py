"""Options that several commands share, and how their values are read."""

from __future__ import annotations

import json
import os
import re
from pathlib import Path
from time import monotonic
from typing import TYPE_CHECKING, Annotated, Final, cast, get_args

import typer

from ..histories.errors import UsageError

if TYPE_CHECKING:
    from ..claims.proceedings import Progress, Report
    from ..harness.engines import Engine
    from ..harness.plan import Fences
    from ..histories.values import Value
    from .progress import Progress as Line

StoreOption = Annotated[
    Path, typer.Option("--store", envvar="UPHELD_STORE", metavar="DIR", help="Where runs are kept.")
]
JobsOption = Annotated[int | None, typer.Option("--jobs", "-j", min=1, help="Processes; by default one per core.")]
EngineOption = Annotated[
    str, typer.Option("--engine", help="What does the work: local (processes), dask (a cluster) or inline (this one).")
]
SchedulerOption = Annotated[
    str | None,
    typer.Option("--scheduler", metavar="ADDRESS", help="Of a dask cluster; without it one is started here."),
]
MemoryOption = Annotated[
    str, typer.Option("--memory", metavar="4G", help="What a process may hold; a seed that needs more is lost.")
]
FencesOption = Annotated[
    str,
    typer.Option(
        "--fences",
        help="What becomes of a node that reads a clock or rolls dice of its own: strict (caught) or virtual (answered).",
    ),
]
FormatOption = Annotated[
    str | None, typer.Option("--format", metavar="F", help="The format of the input; recognised by content by default.")
]
LenientOption = Annotated[bool, typer.Option("--lenient", help="Leave torn or broken lines out, and say so.")]
FailedCasOption = Annotated[
    str, typer.Option("--failed-cas", help="drop: a failed cas says nothing; observe: it saw another value.")
]
NilReadOption = Annotated[
    str, typer.Option("--nil-read", help="absent: an ok read of null observed absence; unknown: it observed nothing.")
]
InitialOption = Annotated[
    str | None,
    typer.Option(
        "--initial", metavar="JSON", help="What every cell holds at first; absent by default; unknown: nobody knows."
    ),
]
ExcerptOption = Annotated[
    bool,
    typer.Option(
        "--excerpt", help="The history is a part of a longer one: what nobody in it wrote, somebody outside may have."
    ),
]

UNKNOWN: Final = "unknown"
"""The word for `--initial` that leaves open what cells hold; the string is `'"unknown"'`, as JSON."""

STORE: Final = Path("runs")
MEMORY: Final = "4G"
_UNITS: Final = {"": 1.0, "s": 1.0, "m": 60.0, "h": 3600.0}
_SIZES: Final = {"M": 1 << 20, "G": 1 << 30, "T": 1 << 40}


def seconds(text: str | None, option: str) -> float | None:
    """A duration such as `90`, `90s`, `2m` or `1h`, in seconds.

    Raises:
        UsageError: it is none.
    """
    if text is None:
        return None
    match = re.fullmatch(r"(\d+(?:\.\d+)?)([smh]?)", text)
    if match is None:
        raise UsageError(f"{option}: {text!r} is no duration; say 90s, 2m or 1h")
    return float(match[1]) * _UNITS[match[2]]


def size(text: str, option: str) -> int:
    """An amount of memory such as `800M` or `4G`, in bytes.

    Raises:
        UsageError: it is none.
    """
    match = re.fullmatch(r"([1-9]\d*)([MGT])", text)
    if match is None:
        raise UsageError(f"{option}: {text!r} is no amount of memory; say 800M or 4G")
    return int(match[1]) * _SIZES[match[2]]


def fences_named(name: str) -> Fences:
    """The fences of that name.

    Raises:
        UsageError: there are none.
    """
    from ..harness.plan import Fences

    if name not in get_args(Fences):
        raise UsageError(f"--fences: there are no {name!r}; there are {' and '.join(get_args(Fences))}")
    return cast("Fences", name)


def json_value(text: str) -> Value:
    """A value as JSON; a word that is no JSON stands for itself, as a string."""
    from ..histories.values import freeze

    try:
        return freeze(json.loads(text))
    except (ValueError, RecursionError):
        return text


def processes(jobs: int | None) -> int:
    """How many processes to use."""
    available = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    return jobs or available or 1


def workers(engine: str, jobs: int | None, scheduler: str | None, memory: str) -> Engine:
    """The engine of that name, with so many processes."""
    from ..harness.engines import engine as engine_of

    return engine_of(engine, jobs=processes(jobs), scheduler=scheduler, memory_max=size(memory, "--memory"))


def reporting(line: Line) -> Report:
    """What tells that line how far a campaign has come, how fast it goes, and what has failed.

    The pace is that of the runs that were made since then: those that a file of results had before do not count.
    """
    begun = monotonic()

    def report(progress: Progress) -> None:
        pace = (progress.done - progress.resumed) / max(monotonic() - begun, 0.001)
        told = [f"{progress.done:,} of {progress.planned:,} runs"]
        told += [f"{pace:,.0f}/s"] if progress.done < progress.planned else []
        told += [f"{claim} refuted in {count:,}" for claim, count in sorted(progress.failures.items())]
        line.told = f"{progress.doing}: {', '.join(told)}"

    return report
