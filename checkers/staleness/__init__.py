"""How stale are reads of registers: what is promised of each, and the least bounds that explain them all together."""

from .judge import NoStalerThan, decide
from .prefix import ConsistentPrefix, Prefixes
from .report import Staleness, staleness
from .witness import Arbitration, Faulty, Orders, Sources

__all__ = [
    "Arbitration",
    "ConsistentPrefix",
    "Faulty",
    "NoStalerThan",
    "Orders",
    "Prefixes",
    "Sources",
    "Staleness",
    "decide",
    "staleness",
]
