"""Logs with offsets, such as Kafka's: what is sent stays where it was put, and consumers see all of it in order."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar, Final

from ...histories.errors import UsageError
from ...histories.event import Kind
from ...histories.history import History
from ...histories.values import identity, to_json
from ..verdict import Anomaly
from .invariant import Invariant, Look
from .log_order import breaches_of_order
from .log_records import Breach, Log, Polled, Transaction, logs_of, transactions

KINDS: Final[Mapping[str, str]] = {
    "inconsistent-offsets": "one offset holds two values",
    "aborted-read": "a poll shows what only a failed operation had sent",
    "thin-air-read": "a poll shows what nobody had sent",
    "precommitted-read": "a transaction polls what it sends itself",
    "lost-write": "what was sent is below what was polled, and was never polled",
    "duplicate": "a value is at more offsets than it was sent to",
    "int-poll-skip": "the polls of one transaction leave out an offset",
    "int-nonmonotonic-poll": "the polls of one transaction go back",
    "int-nonmonotonic-send": "what one transaction sends comes to lie in another order",
    "poll-skip": "a process polls, and its next poll leaves out an offset",
    "nonmonotonic-poll": "a process polls, and its next poll goes back",
    "nonmonotonic-send": "a process sends, and what it sends next comes to lie before it",
    "unseen": "what was sent was never polled by the end",
}
"""The anomalies of logs, in the order in which a verdict picks one."""


@dataclass(frozen=True, kw_only=True)
class Logs(Invariant):
    """None of the anomalies of Jepsen's Kafka workload, as KINDS has them in words. O(n log n) for values sent and polled.

    Offsets need not follow each other: what is skipped is an offset that is known to hold a value. Between two polls of one
    process, `assign`, `subscribe`, a poll that failed and a rebalance (a field `rebalance-log`) excuse what follows. Of a
    pending transaction all sends count as acknowledged once one of them was polled; none of its offsets is known.

    Attributes:
        allowed: kinds that are no breach: `unseen` by default, since a consumer may not have come so far yet.
    """

    allowed: Collection[str] = frozenset({"unseen"})

    name: ClassVar[str] = "logs"
    rule: ClassVar[str] = (
        "A value that was sent is at one offset for good, and consumers are shown all offsets in their order."
    )
    judges: ClassVar[str] = "value that was polled"

    def __post_init__(self) -> None:
        unknown = sorted(set(self.allowed) - set(KINDS))
        if unknown:
            raise UsageError(f"there is no anomaly {unknown[0]!r} of logs; there are {', '.join(KINDS)}")

    @property
    def needs_real_time(self) -> bool:
        """It does not: what a process did in turn is all that it asks."""
        return False

    def look(self, history: History) -> Look:
        """What one pass over the history finds."""
        told = list(transactions(history))
        found, counts = self._found(history, told)
        forbidden = [kind for kind in KINDS if kind in found and kind not in self.allowed]
        judged = sum(len(transaction.polled) for transaction in told)
        sent = sum(len(transaction.sent) for transaction in told)
        evidence = {"sent": sent, **{kind: counts[kind] for kind in KINDS if counts[kind]}}
        return Look(anomaly=found[forbidden[0]] if forbidden else None, judged=judged, evidence=evidence)

    def shows(self, history: History, kind: str) -> bool:
        """Whether the history has an anomaly of that kind, be there others or not."""
        return kind in self._found(history, list(transactions(history)))[0]

    def _found(self, history: History, told: Sequence[Transaction]) -> tuple[dict[str, Anomaly], Counter[str]]:
        """The first anomaly of each kind, and how many there are."""
        logs = logs_of(told)
        found: dict[str, Anomaly] = {}
        counts: Counter[str] = Counter()
        kinds = (
            _of_offsets(logs),
            _of_values(told, logs),
            _of_losses(told, logs),
            breaches_of_order(history, told, logs),
        )
        for breaches in kinds:
            for kind, headline, operations in breaches:
                counts[kind] += 1
                if kind not in found:
                    unique = {each.invocation: each for each in operations}
                    found[kind] = self.breach(kind, headline, *(unique[number] for number in sorted(unique)))
        return found, counts


def _of_offsets(logs: Mapping[str, Log]) -> Iterator[Breach]:
    """Offsets with two values, values with too many offsets."""
    for log in logs.values():
        for offset, values in log.at.items():
            if len(values) > 1:
                one, other = list(values.values())[:2]
                headline = f"Offset {offset} of {log.key} holds {to_json(one.value)} and {to_json(other.value)}:"
                yield Breach("inconsistent-offsets", headline, (one.by, other.by))
        for name, offsets in log.offsets.items():
            sent = log.attempts.get(name, ())
            if len(offsets) > max(1, len(sent)):
                shown = list(offsets.values())
                places = ", ".join(map(str, sorted(offsets)))
                headline = f"{to_json(shown[0].value)} of {log.key} is at the offsets {places}:"
                yield Breach("duplicate", headline, [each.by for each in (*sent, *shown)])


def _of_values(told: Sequence[Transaction], logs: Mapping[str, Log]) -> Iterator[Breach]:
    """Values that were polled, and not sent, or not yet."""
    for log in logs.values():
        for name, polled in log.polled.items():
            if name in log.attempts:
                continue
            value, aborted = to_json(polled.value), log.aborted.get(name)
            if aborted is None:
                yield Breach("thin-air-read", f"{value} is polled from {log.key}, and nobody sent it:", (polled.by,))
            else:
                headline = f"{value} is polled from {log.key}, and the operation that sent it failed:"
                yield Breach("aborted-read", headline, (aborted.by, polled.by))
    for transaction in told:
        mine = {(sent.key, identity(sent.value)) for sent in transaction.sent}
        for polled in transaction.polled if mine else ():
            if (polled.key, identity(polled.value)) in mine:
                headline = f"{to_json(polled.value)} is polled from {polled.key} by the transaction that sends it:"
                yield Breach("precommitted-read", headline, (polled.by,))


def _of_losses(told: Sequence[Transaction], logs: Mapping[str, Log]) -> Iterator[Breach]:
    """What was sent and never polled: lost, where something that lies above it was polled."""
    for transaction in told:
        if transaction.operation.outcome is Kind.FAIL:
            continue
        above: dict[str, Polled] = {}
        for sent in reversed(transaction.sent):
            polled = logs[sent.key].polled.get(identity(sent.value))
            if polled is not None:
                above[sent.key] = polled
                continue
            top = logs[sent.key].highest
            is_below = sent.offset is not None and top is not None and sent.offset < top.offset
            beyond = top if is_below else above.get(sent.key)
            if beyond is not None:
                headline = (
                    f"{to_json(sent.value)} was sent to {sent.key} and never polled, though offset {beyond.offset}, "
                    "which lies above it, was:"
                )
                yield Breach("lost-write", headline, (sent.by, beyond.by))
            elif transaction.operation.outcome is Kind.OK:
                yield Breach("unseen", f"{to_json(sent.value)} was sent to {sent.key}, and never polled:", (sent.by,))
