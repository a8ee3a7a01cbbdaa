"""Keys whose versions have a known order: no session sees an older one after a newer one."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, NamedTuple

from ...histories.event import Operation
from ...histories.history import History
from ...histories.values import Map, Value, identity, to_json
from ..verdict import Anomaly
from .invariant import Invariant, Look, answered, by_session, quote, result_of, with_largest_before


class _Seen(NamedTuple):
    """A version that a read showed."""

    version: Value
    read: Operation


@dataclass(frozen=True, kw_only=True)
class MonotonicKeys(Invariant):
    """No read of a session shows an older version of a key than an earlier read of that session did. O(n log n).

    A read that answers with an object, and has no key itself, reads several keys at once. Null is older than everything,
    unless the header says that it tells nothing.

    Attributes:
        versions: all versions, of whatever key, from the oldest to the newest; by default they are numbers that grow.
        read: the action that reads.
    """

    versions: Sequence[Value] | None = None
    read: str = "read"

    name: ClassVar[str] = "monotonic-keys"
    rule: ClassVar[str] = "A session that has seen a version of a key does not see an older one afterwards."
    judges: ClassVar[str] = "two answered reads of a key in one session"

    def look(self, history: History) -> Look:
        """What one pass over the history finds."""
        ages = None if self.versions is None else {identity(each): age for age, each in enumerate(self.versions)}
        judged = 0
        for mine in by_session(answered(history, self.read)):
            for key, line in self._lines(mine, history):
                aged = {seen.read.invocation: _age(seen.version, ages) for seen in line}
                unknown = next((seen.read for seen in line if aged[seen.read.invocation] is None), None)
                if unknown is not None:
                    reason = f"no order of versions tells the age of what was read by {quote(unknown)}"
                    return Look(doubt=f"not applicable: {reason}")
                pairs, anomaly = self._older(key, line, aged)
                judged += pairs
                if anomaly is not None:
                    return Look(anomaly=anomaly, judged=judged)
        return Look(judged=judged)

    def _older(self, key: Value, line: Sequence[_Seen], aged: Mapping[int, float | None]) -> tuple[int, Anomaly | None]:
        """How many reads had one before them, and the first that shows an older version."""
        versions = {seen.read.invocation: to_json(seen.version) for seen in line}
        pairs = 0

        def age(read: Operation) -> float:
            return aged[read.invocation] or 0

        for newer, later in with_largest_before([seen.read for seen in line], age):
            pairs += 1
            if age(later) < age(newer):
                of = "" if key is None else f" of {to_json(key)}"
                headline = (
                    f"This session sees {versions[newer.invocation]}{of}, "
                    f"and {versions[later.invocation]} afterwards, which is older:"
                )
                return pairs, self.breach("older-version-read", headline, newer, later)
        return pairs, None

    @staticmethod
    def _lines(reads: Sequence[Operation], history: History) -> Iterator[tuple[Value, Sequence[_Seen]]]:
        """Each key, and what these reads showed of it, in the order in which they began."""
        keys: dict[Any, Value] = {}
        lines: dict[Any, list[_Seen]] = {}
        for read in reads:
            result = result_of(read, history, "what it read")
            shown = result.items() if isinstance(result, Map) and read.key is None else ((read.key, result),)
            for key, version in shown:
                if version is not None or history.header.nil_read == "absent":
                    keys.setdefault(identity(key), key)
                    lines.setdefault(identity(key), []).append(_Seen(version, read))
        return ((keys[name], line) for name, line in lines.items())


def _age(version: Value, ages: dict[Any, int] | None) -> float | None:
    """A number that grows with the version, or None where nothing tells."""
    if version is None:
        return float("-inf")
    if ages is not None:
        return ages.get(identity(version))
    return version if type(version) in {int, float} else None  # type: ignore[return-value]  # one of the two
