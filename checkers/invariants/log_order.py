"""Whether each process sends and polls in the order of offsets, leaving out none."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from ...histories.event import Kind, Operation, Process
from ...histories.history import History
from .log_records import Breach, Log, Polled, Sent, Transaction

MOVES: Final = frozenset({"assign", "subscribe", "crash"})
"""Actions after which a consumer may stand anywhere."""


@dataclass(slots=True)
class _Client:
    """What a process last sent to each log, and last polled from it."""

    sent: dict[str, Sent] = field(default_factory=dict)
    polled: dict[str, Polled] = field(default_factory=dict)


def breaches_of_order(history: History, told: Sequence[Transaction], logs: Mapping[str, Log]) -> Iterator[Breach]:
    """Polls that skip or go back, and sends that go back, within a transaction (`int-`) and from one to the next."""
    transactions = {transaction.operation.invocation: transaction for transaction in told}
    clients: dict[Process, _Client] = {}
    for operation in history.operations:
        client = clients.setdefault(operation.process, _Client())
        transaction = transactions.get(operation.invocation)
        if transaction is None:
            if operation.action in MOVES:
                client.polled.clear()
            continue
        was_moved = _was_rebalanced(history, operation)
        if was_moved:
            client.polled.clear()
        yield from _of_sends(transaction, client)
        yield from _of_polls(transaction, client, logs)
        if was_moved or (operation.outcome is not Kind.OK and operation.action != "send"):
            client.polled.clear()


def _of_sends(transaction: Transaction, client: _Client) -> Iterator[Breach]:
    for sent in transaction.sent:
        if sent.offset is None:
            continue
        before = client.sent.get(sent.key)
        client.sent[sent.key] = sent
        if before is not None and before.offset is not None and sent.offset <= before.offset:
            kind = "int-nonmonotonic-send" if before.by is sent.by else "nonmonotonic-send"
            headline = f"What is sent to {sent.key} comes to lie at offset {before.offset}, and what is sent next at {sent.offset}:"
            yield Breach(kind, headline, (before.by, sent.by))


def _of_polls(transaction: Transaction, client: _Client, logs: Mapping[str, Log]) -> Iterator[Breach]:
    for polled in transaction.polled:
        before = client.polled.get(polled.key)
        client.polled[polled.key] = polled
        if before is None:
            continue
        log = logs[polled.key]
        steps = log.rank[polled.offset] - log.rank[before.offset]
        prefix = "int-" if before.by is polled.by else ""
        where = f"Of {polled.key}, offset {before.offset} is polled, and next {polled.offset}"
        if steps < 1:
            yield Breach(f"{prefix}nonmonotonic-poll", f"{where}:", (before.by, polled.by))
        elif steps > 1:
            between = log.in_order[log.rank[before.offset] + 1]
            witness = next(iter(log.at[between].values())).by
            headline = f"{where}, though offset {between} holds a value:"
            yield Breach(f"{prefix}poll-skip", headline, (before.by, polled.by, witness))


def _was_rebalanced(history: History, operation: Operation) -> bool:
    """Whether a consumer was given other logs during an operation: Jepsen notes it beside its answer."""
    told = None if operation.completion is None else history.columns.extras.get(operation.completion)
    return told is not None and bool(told.get("rebalance-log"))
