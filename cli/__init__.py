"""The command line: `upheld verify`, `run`, `replay`, `check`, `show`, `list`, `explain`, `runs`, `convert`.

Each command is a module of its own here. Whatever is heavy is imported inside of it, so that `upheld --help` is quick.
"""

from __future__ import annotations

import io
import sys
import traceback
from typing import Annotated, Final

import typer

from ..histories.errors import UpheldError
from .check import check
from .convert import convert
from .explain import explain
from .face import command, complain
from .listing import list_known
from .replay import replay
from .run import run
from .runs import runs
from .show import show
from .status import Status
from .verify import verify

app: Final = typer.Typer(
    name="upheld",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)

BROKEN: Final = 70
"""The exit status when upheld itself has a bug (EX_SOFTWARE of sysexits.h): it must not look like a verdict."""

for name, function in (
    ("verify", verify),
    ("run", run),
    ("replay", replay),
    ("check", check),
    ("show", show),
    ("list", list_known),
    ("explain", explain),
    ("runs", runs),
    ("convert", convert),
):
    app.command(name)(command(function))


def _version(*, wanted: bool) -> None:
    if wanted:
        from .version import version

        typer.echo(version())
        raise typer.Exit


@app.callback()
def _upheld(
    *,
    version: Annotated[
        bool,
        typer.Option("--version", callback=_version, is_eager=True, help="The version, and the engine that serves."),
    ] = False,
) -> None:
    """Does a distributed system do what it claims? Run it under faults, record what clients saw, judge the history.

    Exit status: 0 upheld, 1 refuted, 2 misuse or malformed input, 3 undecided, 130 interrupted.
    """


def main() -> None:
    """Run the command that `sys.argv` names, and exit with its status."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(
                errors="backslashreplace"
            )  # a path or a sign that the terminal cannot show is no failure
    try:
        app(prog_name="upheld")
    except UpheldError as error:
        complain(str(error))
        sys.exit(Status.MISUSE)
    except KeyboardInterrupt:
        sys.exit(Status.INTERRUPTED)
    except Exception:  # noqa: BLE001  # shown in full; status 1 would say 'refuted'
        traceback.print_exc()
        complain("this is a bug of upheld, and no verdict")
        sys.exit(BROKEN)
