"""Who read from whom: a history of reads and writes, as the judges of causality, sessions and staleness see it.

A transaction is a list of reads and writes; a single operation is a transaction of one. Every read is traced to the write
whose value it returned, and that needs unique values: where one of two writes may have been read, whatever rests on this
does not apply, and nobody guesses.

What became of a transaction that nobody completed is not searched for. It is *promoted* where somebody saw one of its
writes, since then it certainly took effect; otherwise it is left out, since nothing depends on it, and a history without
it is allowed by whatever allows it. A promoted one may have taken effect after all that its session did next, so it comes
before nothing by the order of its session or by real time; others do come before it.
"""

from .traced import INITIAL, NEVER, NotApplicable, Numbers, Oddity, OddKind, Outside, ReadsFrom
from .tracing import reads_from

__all__ = (
    "INITIAL",
    "NEVER",
    "NotApplicable",
    "Numbers",
    "OddKind",
    "Oddity",
    "Outside",
    "ReadsFrom",
    "reads_from",
)
