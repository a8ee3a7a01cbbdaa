"""How commands read the histories that they are given."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from .face import one_of
from .options import json_value

if TYPE_CHECKING:
    from ..histories.history import History


@dataclass(frozen=True, kw_only=True)
class Reading:
    """The options of reading, as the command line gives them; `histories.files.read_history` has their meaning."""

    format: str | None = None
    lenient: bool = False
    initial: str | None = None
    failed_cas: str = "drop"
    nil_read: str = "absent"

    def __post_init__(self) -> None:
        one_of("--failed-cas", self.failed_cas, ("drop", "observe"))
        one_of("--nil-read", self.nil_read, ("absent", "unknown"))

    def read(self, path: str) -> History:
        """The history in that file, or on standard input for `-`.

        Raises:
            UsageError: it cannot be read.
            MalformedHistory: it is no history.
        """
        from ..histories.event import MISSING
        from ..histories.files import read_history

        return read_history(
            path,
            format=self.format,
            lenient=self.lenient,
            initial=MISSING if self.initial is None else json_value(self.initial),
            failed_cas=cast("Any", self.failed_cas),
            nil_read=cast("Any", self.nil_read),
        )


def files(path: str) -> Sequence[str]:
    """The file itself; for a directory, every history below it.

    Raises:
        UsageError: the directory holds none.
    """
    from ..histories.files import find_histories

    return [str(found) for found in find_histories(path)] if Path(path).is_dir() else [path]
