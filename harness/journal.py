"""The journal of a campaign: a file of JSON Lines that says what the campaign is, and then what came of each seed.

Lines stand in the order of the seeds and hold no timings, so a campaign gives the same bytes whoever works it off, and
however often it is interrupted: a journal that ends early is the beginning of the whole one, and is gone on with. A last
line that was torn when its writer was killed is cut off.

    {"upheld":1,"campaign":{"seed":0,"runs":20000,"groups":[{"system":"raft-kv","variant":"reference",...}],...}}
    {"seed":0,"runs":[{"digest":"1304...","operations":38,"judged":{"raft.linearizable":{"verdict":"upheld"},...},...}]}
    {"seed":1,"lost":"seed 1 needed more than 4,096 MB of memory"}
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from io import FileIO
from itertools import islice
from pathlib import Path
from typing import Any, Final

import msgspec

from ..histories.errors import UsageError
from .engines import Done
from .hearing import Heard

FORMAT: Final = 1
DIFFERENCES_MAX: Final = 3
"""How many differences from another campaign are named."""


class Line(msgspec.Struct, frozen=True, omit_defaults=True):
    """What came of one seed.

    Attributes:
        seed: which.
        runs: one for each run group.
        lost: why there are none.
    """

    seed: int
    runs: tuple[Heard, ...] = ()
    lost: str = ""


class Journal:
    """An open journal. Results are written as they come, each as soon as all before it are there.

    Attributes:
        path: of the file.
        written: how many seeds it holds.
    """

    def __init__(self, path: Path, file: FileIO, seeds: Sequence[int]) -> None:
        self.path, self.written = path, 0
        self._file, self._seeds = file, seeds

    def read(self) -> Iterator[Line]:
        """The lines that it holds; the first thing to do with it, once.

        Raises:
            UsageError: a line is none, or not that of its seed.
        """
        with self.path.open("rb") as lines:
            next(lines)
            for number, text in enumerate(lines, start=2):
                try:
                    line = DECODER.decode(text)
                except msgspec.DecodeError as error:
                    raise UsageError(f"{self.path}, line {number}: not what came of a seed: {error}") from error
                if self.written == len(self._seeds) or line.seed != self._seeds[self.written]:
                    raise UsageError(f"{self.path}, line {number}: seed {line.seed} does not belong here")
                self.written += 1
                yield line

    def write(self, done: Done) -> None:
        """Append what came of the next seed."""
        assert done.seed == self._seeds[self.written], "results come in the order of seeds"
        self._file.write(_encoded(Line(done.seed, done.result or (), done.lost)))
        self.written += 1


DECODER: Final = msgspec.json.Decoder(Line)


@contextmanager
def open_journal(path: Path, campaign: Mapping[str, Any], seeds: Sequence[int]) -> Iterator[Journal]:
    """The journal of a campaign, begun, or found as it was left.

    Args:
        path: of the file; its folder is made.
        campaign: all that decides what is in it, as JSON can say it.
        seeds: all that the campaign has.

    Raises:
        UsageError: the file is that of another campaign (the text names the differences) or no journal, or somebody is
            writing it.
    """
    header = msgspec.json.encode({"upheld": FORMAT, "campaign": campaign}) + b"\n"
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        file = FileIO(os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o666), "a+")
    except OSError as error:
        raise UsageError(f"{path}: cannot keep results there: {error.strerror or error}") from error
    with file:
        _lock(file, path)
        _check(path, header)
        _mend(file, header)
        yield Journal(path, file, seeds)


def _lock(file: FileIO, path: Path) -> None:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        raise UsageError(f"{path}: another campaign is writing it") from error


def _check(path: Path, header: bytes) -> None:
    """Whether the file is ours to go on with: it has our header, or the beginning of it, or nothing."""
    with path.open("rb") as lines:
        found = next(lines, b"")
    if header.startswith(found):
        return
    try:
        told = msgspec.json.decode(found)
    except msgspec.DecodeError:
        told = None
    if not isinstance(told, dict) or "campaign" not in told:
        raise UsageError(f"{path}: holds no results of a campaign, and is left as it is; name another file")
    parted = list(islice(_differences(told, msgspec.json.decode(header), ""), DIFFERENCES_MAX))
    raise UsageError(
        f"{path}: holds results of another campaign: {'; '.join(parted)}. Name another file, or remove this one"
    )


def _mend(file: FileIO, header: bytes) -> None:
    """Cut off what was torn; a file without a whole header begins anew."""
    whole = _end_of_last_line(file)
    file.truncate(whole)
    if not whole:
        file.write(header)


def _end_of_last_line(file: FileIO) -> int:
    """How many bytes there are up to the last line feed, searched from the end."""
    end = file.seek(0, os.SEEK_END)
    while end > 0:
        begin = max(0, end - (1 << 16))
        file.seek(begin)
        found = file.read(end - begin).rfind(b"\n")
        if found >= 0:
            return begin + found + 1
        end = begin
    return 0


def _differences(there: Any, here: Any, place: str) -> Iterator[str]:
    """Where two campaigns differ, each with what the file says and what was asked for."""
    if isinstance(there, dict) and isinstance(here, dict):
        for name in dict.fromkeys([*here, *there]):
            yield from _differences(there.get(name), here.get(name), f"{place}.{name}".lstrip("."))
    elif isinstance(there, list) and isinstance(here, list) and len(there) == len(here):
        for number, (mine, other) in enumerate(zip(there, here, strict=True)):
            yield from _differences(mine, other, f"{place}[{number}]")
    elif there != here:
        yield f"{place.removeprefix('campaign.')} is {_short(there)} there and {_short(here)} here"


def _short(value: Any) -> str:
    text = msgspec.json.encode(value).decode()
    return text if len(text) <= 60 else f"{text[:57]}..."


def _encoded(told: Any) -> bytes:
    """One line; objects sorted by key."""
    return msgspec.json.encode(told, order="deterministic") + b"\n"
