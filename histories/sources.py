"""Where lines come from: a file or standard input, plain or compressed, one line at a time and never too much at once."""

from __future__ import annotations

import gzip
import io
import sys
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from typing import Any, Final, TypeAlias

import msgspec

from .errors import MalformedHistory, UsageError
from .values import DEPTH_MAX

STANDARD_INPUT: Final = "standard input"
HEAD_BYTES: Final = 8192
"""How much of a file its format is recognised by."""

_GZIP, _ZSTD = b"\x1f\x8b", b"\x28\xb5\x2f\xfd"
_ZSTD_LIBRARIES: Final = ("compression.zstd", "backports.zstd")
"""The standard library's, and the same for older Pythons. (Others take a file that is cut off for one that has ended.)"""

Damage: TypeAlias = tuple[type[Exception], ...]
"""What a decompressor raises when the data is damaged."""

_BYTE_ORDER_MARK: Final = b"\xef\xbb\xbf"


class Limits(msgspec.Struct, frozen=True, kw_only=True):
    """How much a reader takes in, so that no file can exhaust the memory; sizes are those of the decompressed text.

    Attributes:
        line_bytes_max: of one line.
        bytes_max: of the whole.
        events_max: how many events.
        depth_max: how deeply values are nested.
    """

    line_bytes_max: int = 16 * 2**20
    bytes_max: int = 8 * 2**30
    events_max: int = 100_000_000
    depth_max: int = DEPTH_MAX

    def exceeded(self, name: str, what: str, *, line: int | None = None) -> MalformedHistory:
        """The complaint that something is larger than the limit of that name."""
        return MalformedHistory(
            f"{what} than {getattr(self, name):,} (limit {name})",
            line=line,
            hint=f"If it is meant to be so, raise the limit with Limits({name}=...)",
        )


DEFAULT_LIMITS: Final = Limits()


class Source:
    """The lines of one file, in order, without their ends.

    Attributes:
        path: as errors name it.
        number: of the line that was read last, from 1.
        complete: whether that line had an end; the last line of a recorder that was killed may have none.
    """

    def __init__(self, stream: io.BufferedReader, path: str, limits: Limits) -> None:
        self.path, self.limits = path, limits
        self.number, self.complete = 0, True
        self._stream, self._damage = _decompressed(stream, path)
        self._errors: Damage = (OSError, *self._damage)
        self._taken = 0

    def head(self) -> bytes:
        """The first bytes, which are not consumed."""
        try:
            return self._stream.peek(HEAD_BYTES)[:HEAD_BYTES].removeprefix(_BYTE_ORDER_MARK)
        except self._errors as error:
            raise self._unreadable(error) from error

    def __iter__(self) -> Iterator[bytes]:
        while line := self._next():
            yield line.rstrip(b"\r\n")

    def _next(self) -> bytes:
        limit = self.limits.line_bytes_max
        try:
            line = self._stream.readline(limit + 1)
        except self._errors as error:
            raise self._unreadable(error) from error
        self.number += 1
        self._taken += len(line)
        if len(line) > limit:
            raise self.limits.exceeded("line_bytes_max", "the line has more bytes", line=self.number)
        if self._taken > self.limits.bytes_max:
            raise self.limits.exceeded("bytes_max", "the file has more bytes", line=self.number)
        self.complete = line.endswith(b"\n")
        return line if self.number > 1 else line.removeprefix(_BYTE_ORDER_MARK)

    def _unreadable(self, error: Exception) -> MalformedHistory | UsageError:
        if not isinstance(error, self._damage):
            return UsageError(f"{self.path}: cannot be read: {getattr(error, 'strerror', None) or error}")
        return MalformedHistory(
            f"the compressed data is damaged or cut off ({error})",
            path=self.path,
            hint="Decompress it by hand (`gzip -dc`, `zstd -dc`) and read what is left",
        )


@contextmanager
def open_source(path: Path | str, limits: Limits = DEFAULT_LIMITS) -> Iterator[Source]:
    """The lines of this file, or of standard input for `-`; whether it is compressed is seen from its first bytes.

    Raises:
        UsageError: it cannot be opened.
    """
    if str(path) == "-":
        yield Source(_buffered(sys.stdin.buffer), STANDARD_INPUT, limits)
        return
    try:
        stream = Path(path).open("rb")  # noqa: SIM115  # closed below; what opening raises is not what reading raises
    except (OSError, ValueError) as error:
        raise UsageError(f"{path}: cannot be read: {getattr(error, 'strerror', None) or error}") from error
    with stream:
        yield Source(stream, str(path), limits)


def _buffered(stream: Any) -> io.BufferedReader:
    return stream if isinstance(stream, io.BufferedReader) else io.BufferedReader(stream)


def _decompressed(stream: io.BufferedReader, path: str) -> tuple[io.BufferedReader, Damage]:
    try:
        magic = stream.peek(4)
    except OSError as error:
        raise UsageError(f"{path}: cannot be read: {error.strerror or error}") from error
    if magic.startswith(_GZIP):
        return _buffered(gzip.GzipFile(fileobj=stream)), (EOFError, zlib.error, gzip.BadGzipFile)
    if magic.startswith(_ZSTD):
        return _unpacked_zstd(stream, path)
    return stream, ()


def _unpacked_zstd(stream: io.BufferedReader, path: str) -> tuple[io.BufferedReader, Damage]:
    """A reader of Zstandard data, by whichever library there is."""
    for module in _ZSTD_LIBRARIES:
        try:
            library = import_module(module)
        except ImportError:
            continue
        return _buffered(library.ZstdFile(stream)), (EOFError, library.ZstdError)
    raise UsageError(
        f"{path}: compressed with Zstandard, and no library for it is installed. "
        "`pip install backports.zstd`, or decompress it first: `zstd -d`"
    )
