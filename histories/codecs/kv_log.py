"""Key-value histories, one EDN map a line, in which a key that was never written reads as the empty string.

{:process 0, :type :invoke, :f :append, :key "4", :value "x 0 1 y"}
{:process 0, :type :ok, :f :get, :key "7", :value ""}
"""

from __future__ import annotations

import re
from typing import Final

import msgspec

from ..errors import MalformedHistory
from ..sources import Source
from ..values import Map
from .codec import Draft, read_lines
from .edn import parse_edn
from .fields import add_fields, decode

NAME = "kv-log"

_FIRST: Final = re.compile(rb"\s*\{(?=[^}\n]*:process\b)(?=[^}\n]*:type\b)(?=[^}\n]*:f\b)(?=[^}\n]*:key\b)")


def recognise(head: bytes) -> bool:
    """Whether the first line is such a map."""
    return _FIRST.match(head) is not None


def read(source: Source, draft: Draft) -> None:
    """Add the events; every key is the empty string at first."""
    draft.header = msgspec.structs.replace(draft.header, initial="")
    read_lines(source, draft, _line)


def _line(line: bytes, number: int, draft: Draft) -> None:
    told = parse_edn(decode(line), depth_max=draft.limits.depth_max + 1)
    if not isinstance(told, Map):
        raise MalformedHistory("not a map", hint="One map a line is expected, such as {:process 0, :type :invoke, ...}")
    add_fields(told, number, draft)
