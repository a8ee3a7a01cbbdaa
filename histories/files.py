"""Histories and traces in files: found, recognised by their content, read within limits, and written."""

from __future__ import annotations

import gzip
import os
import sys
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import BinaryIO, Final, TypeVar

import msgspec

from .codecs import jepsen_log, jsonl, kv_log, short
from .codecs import trace as trace_codec
from .codecs.codec import Codec, Draft, FailedCas, Writer
from .errors import MalformedHistory, UsageError
from .event import MISSING, Missing
from .history import EMPTY_HEADER, History, NilRead
from .sources import DEFAULT_LIMITS, Limits, Source, open_source
from .trace import Trace
from .values import Value

C = TypeVar("C", bound=Codec)

CODECS: Final[Sequence[Codec]] = (jsonl, jepsen_log, kv_log, short)
"""Every format that histories are read from, in the order in which they are tried."""

WRITERS: Final[Sequence[Writer]] = (jsonl, short)
"""Every format that histories are written in."""


def read_history(
    path: Path | str,
    *,
    format: str | None = None,  # noqa: A002  # the same word as on the command line
    lenient: bool = False,
    initial: Value | Missing = MISSING,
    failed_cas: FailedCas = "drop",
    nil_read: NilRead = "absent",
    limits: Limits = DEFAULT_LIMITS,
) -> History:
    """The history in a file, or on standard input for `-`.

    Args:
        path: plain, or compressed with gzip or Zstandard.
        format: the name of a codec; by default the file is recognised by its content.
        lenient: leave broken lines and completions without an invocation out, and say so in the history's notes.
        initial: the state of every cell at first, whatever the file says.
        failed_cas: `drop`: a failed cas says nothing; `observe`: it saw another value, and is ok with the result false.
        nil_read: `absent`: an ok read of null observes absence; `unknown`: it observed nothing.
        limits: how much to take in.

    Raises:
        UsageError: there is no such file or format, or it cannot be read.
        MalformedHistory: it is no history; the text names the line and the field, and says what to do.
    """
    with open_source(path, limits) as source:
        try:
            return _read(source, format, Draft(limits, lenient=lenient, failed_cas=failed_cas), initial, nil_read)
        except MalformedHistory as problem:
            raise problem.located(path=source.path) from problem


def _read(source: Source, name: str | None, draft: Draft, initial: Value | Missing, nil_read: NilRead) -> History:
    codec = _named(name, CODECS) if name is not None else recognise(source.head())
    codec.read(source, draft)
    if not len(draft) and draft.header == EMPTY_HEADER:
        raise _empty()
    header = draft.header
    if not isinstance(initial, Missing):
        header = msgspec.structs.replace(header, initial=initial)
    if nil_read != "absent":
        header = msgspec.structs.replace(header, nil_read=nil_read)
    history = draft.build(header=header, path=source.path)
    history.pairing  # noqa: B018  # what cannot be paired is no history; it is said here, while the file is known
    return history


def recognise(head: bytes) -> Codec:
    """The codec for a file that begins like this.

    Raises:
        MalformedHistory: it is empty, or in no known format.
    """
    if not head.strip():
        raise _empty()
    if found := _recognised(head):
        return found
    if head.lstrip().startswith(b"{"):
        return jsonl  # it says which field is missing
    raise MalformedHistory(
        "in no known format" if _is_text(head) else "not UTF-8 text, and in no known format",
        hint=f"Known are {', '.join(codec.NAME for codec in CODECS)}; choose one with --format",
    )


def _empty() -> MalformedHistory:
    return MalformedHistory("the file is empty", hint="A history has at least one line")


def _recognised(head: bytes) -> Codec | None:
    return next((codec for codec in CODECS if codec.recognise(head)), None)


def _is_text(head: bytes) -> bool:
    try:
        head[: head.rfind(b"\n") + 1].decode()
    except UnicodeDecodeError:
        return False
    return b"\0" not in head


def find_histories(directory: Path | str) -> list[Path]:
    """Every file below this directory that begins like a history, sorted by path; names with a leading dot are skipped.

    Raises:
        UsageError: there is no such directory, or no history in it.
    """
    if not Path(directory).is_dir():
        raise UsageError(f"{directory}: no such directory")
    found = sorted(path for path in _files(Path(directory)) if _begins_like_a_history(path))
    if not found:
        raise UsageError(
            f"{directory}: no history in this directory. Histories are recognised by their content; "
            "name a file, and --format, if one was overlooked"
        )
    return found


def _files(directory: Path) -> Iterator[Path]:
    for folder, inner, names in os.walk(directory):
        inner[:] = [name for name in inner if not name.startswith(".")]
        yield from (Path(folder, name) for name in names if not name.startswith("."))


def _begins_like_a_history(path: Path) -> bool:
    if not path.is_file():
        return False
    try:
        with open_source(path) as source:
            return _recognised(source.head()) is not None
    except (MalformedHistory, UsageError):
        return False


def write_history(history: History, path: Path | str, *, format: str = "jsonl") -> None:  # noqa: A002  # see read_history
    """Write a history to a file, all of it or nothing; a name that ends in `.gz` is compressed, `-` is standard output.

    Raises:
        UsageError: the file cannot be written, or no codec of that name writes.
    """
    _write(_named(format, WRITERS).write(history), path)


def read_trace(path: Path | str, *, limits: Limits = DEFAULT_LIMITS) -> Trace:
    """The trace in a file, plain or compressed.

    Raises:
        UsageError: the file cannot be read.
        MalformedHistory: it is no trace; the text names the line and the field.
    """
    with open_source(path, limits) as source:
        try:
            return trace_codec.read(source)
        except MalformedHistory as problem:
            raise problem.located(path=source.path) from problem


def write_trace(trace: Trace, path: Path | str) -> None:
    """Write a trace to a file, all of it or nothing; a name that ends in `.gz` is compressed.

    Raises:
        UsageError: the file cannot be written.
    """
    _write(trace_codec.write(trace), path)


def _named(name: str, codecs: Sequence[C]) -> C:
    for codec in codecs:
        if name == codec.NAME:
            return codec
    raise UsageError(f"no format {name!r}; there are {', '.join(codec.NAME for codec in codecs)}")


def _write(pieces: Iterable[bytes], path: Path | str) -> None:
    if str(path) == "-":
        sys.stdout.buffer.writelines(pieces)
        sys.stdout.buffer.flush()
        return
    path = Path(path)
    beside = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        with beside.open("wb") as file:
            _write_pieces(pieces, file, compressed=path.suffix == ".gz")
        beside.replace(path)
    except OSError as error:
        raise UsageError(f"{path}: cannot be written: {error.strerror or error}") from error
    finally:
        beside.unlink(missing_ok=True)


def _write_pieces(pieces: Iterable[bytes], file: BinaryIO, *, compressed: bool) -> None:
    if not compressed:
        file.writelines(pieces)
        return
    with gzip.GzipFile(filename="", mode="wb", fileobj=file, mtime=0) as packed:  # the same history, the same bytes
        packed.writelines(pieces)
