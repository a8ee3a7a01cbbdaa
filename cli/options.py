"""Options that several commands share, and how their values are read."""

from __future__ import annotations

import json
import os
import re
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final, cast, get_args

import typer

from ..histories.errors import UsageError

if TYPE_CHECKING:
    from ..claims.proceedings import Progress, Report
    from ..harness.plan import Fences
    from ..histories.values import Value
    from .progress import Progress as Line

StoreOption = Annotated[
    Path, typer.Option("--store", envvar="UPHELD_STORE", metavar="DIR", help="Where runs are kept.")
]
JobsOption = Annotated[int | None, typer.Option("--jobs", "-j", min=1, help="Processes; by default one per core.")]
EngineOption = Annotated[
    str, typer.Option("--engine", help="What does the work: local (processes) or inline (this one).")
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
    str | None, typer.Option("--initial", metavar="JSON", help="What every cell holds at first; absent by default.")
]

STORE: Final = Path("runs")
_UNITS: Final = {"": 1.0, "s": 1.0, "m": 60.0, "h": 3600.0}


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


def reporting(line: Line) -> Report:
    """What tells that line how far a campaign has come."""

    def report(progress: Progress) -> None:
        line.told = f"{progress.doing}: {progress.done:,} of {progress.planned:,} runs, {progress.refuted} refuted"

    return report
