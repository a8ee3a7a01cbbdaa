"""`upheld convert`: from one format of histories to another."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Final

import typer

from ..histories.errors import UsageError
from .face import Face
from .options import FailedCasOption, FormatOption, InitialOption, LenientOption, NilReadOption
from .reading import Reading
from .status import Status

BY_SUFFIX: Final = {".jsonl": "jsonl", ".txt": "short"}
"""The format that the name of a file asks for, `.gz` apart."""


def convert(
    face: Face,
    source: Annotated[str, typer.Argument(metavar="HISTORY", help="A file, or - for standard input.")],
    target: Annotated[str, typer.Argument(metavar="FILE", help="What to write; - for standard output.")],
    *,
    to: Annotated[
        str | None, typer.Option("--to", metavar="F", help="The format to write; by default the name says.")
    ] = None,
    format: FormatOption = None,
    lenient: LenientOption = False,
    initial: InitialOption = None,
    failed_cas: FailedCasOption = "drop",
    nil_read: NilReadOption = "absent",
) -> Status:
    """Read a history in any format that upheld knows, and write it in another one."""
    from ..histories.files import write_history

    if face.json and target == "-":
        raise UsageError("--json and - both want standard output; name a file to write")
    reading = Reading(format=format, lenient=lenient, initial=initial, failed_cas=failed_cas, nil_read=nil_read)
    history = reading.read(source)
    written = to or format_of(target)
    write_history(history, target, format=written)
    face.tell(
        {"path": source, "output": target, "format": written, "events": len(history), "notes": list(history.remarks)}
    )
    return Status.UPHELD


def format_of(name: str) -> str:
    """The format that a file's name asks for; JSON Lines where it says nothing."""
    return BY_SUFFIX.get(Path(name.removesuffix(".gz")).suffix, "jsonl")
