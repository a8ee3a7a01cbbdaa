"""How fast the judges of consistency are, how they grow, and what memory they take: 20 sessions, 1,000 keys.

    python benchmarks/judges.py [--operations 100000 1000000] [--judge causality.weak ...]

The history is upheld by all of them, so that none stops early: in each round every session does one operation, all at once,
and reads see the end of the round before; sets are read at every node in the end; transactions follow one another, and have
eight operations each. A figure is the processor time of one judge that decides all its models, from a history in memory that
is paired already, in a process of its own; `MB` is the most memory that this process had, of which the history itself has a
part (row `history`). The yardstick is one pass in Python over the columns of the same history, in the same process; `x` is
how many such passes the judge costs. `growth` is the time in relation to that of the row above (for ten times as many
operations 10 is linear).
"""

from __future__ import annotations

import argparse
import random
import resource
from collections import deque
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from importlib import import_module
from multiprocessing import get_context
from time import process_time

import msgspec
import numpy as np
import numpy.typing as npt
from rich.console import Console
from rich.table import Table

from upheld.checkers.verdict import word
from upheld.histories.columns import ABSENT, Columns
from upheld.histories.event import MISSING, Kind, Missing
from upheld.histories.history import History, HistoryBuilder
from upheld.specs.consistency.models import MODELS

SESSIONS, KEYS, NODES, ELEMENTS, TRANSACTION = 20, 1_000, 5, 20, 8
NOTHING = "history"
"""In place of a judge: nothing is decided, so that what is left is the history itself."""


def rounds_of_sessions(operations: int, *, seed: int) -> History:
    """Half reads, half writes of values that are never written twice; atomic, and so all that is weaker."""
    dice = np.random.default_rng(seed)
    rounds = operations // SESSIONS
    shape = rounds, SESSIONS
    is_write = dice.random(shape) < 0.5
    key = dice.integers(0, KEYS, shape, dtype=np.int32)
    null = KEYS
    written = null + np.cumsum(is_write).reshape(shape)
    value = np.where(is_write, written, null)
    held = np.full(KEYS, null, dtype=np.int64)
    for reads, keys, values in zip(~is_write, key, value, strict=True):
        values[reads] = held[keys[reads]]
        held[keys[~reads]] = values[~reads]

    def column(asked: object, told: object) -> npt.NDArray[np.int32]:
        both = [np.broadcast_to(np.asarray(part), shape) for part in (asked, told)]
        return np.stack(both, axis=1).reshape(-1).astype(np.int32)

    events = 2 * rounds * SESSIONS
    return History(
        Columns(
            index=np.arange(events, dtype=np.int64),
            process=column(np.arange(SESSIONS), np.arange(SESSIONS)),
            kind=column(0, 1).astype(np.int8),
            action=column(is_write, is_write),
            key=column(key, key),
            value=column(np.where(is_write, value, ABSENT), np.where(is_write, ABSENT, value)),
            time=np.arange(events, dtype=np.int64),
            session=np.full(events, ABSENT, dtype=np.int32),
            node=np.full(events, ABSENT, dtype=np.int32),
            processes=range(SESSIONS),
            actions=("get", "put"),
            values=(*range(KEYS), None, *range(KEYS + 1, KEYS + 1 + int(is_write.sum()))),
            sessions=(),
            nodes=(),
            errors={},
            extras={},
        )
    )


def collections_of_sessions(operations: int, *, seed: int) -> History:
    """Half adds, half reads of collections that get about 20 elements each; then quiet, and all five nodes are read."""
    dice, builder = random.Random(seed), HistoryBuilder()
    collections = operations // (2 * ELEMENTS)
    elements: list[list[int]] = [[] for _ in range(collections)]

    def ask(session: int, action: str, key: int, argument: int | Missing = MISSING) -> None:
        node = f"n{session % NODES + 1}"
        builder.add(session, Kind.INVOKE, action, key=key, value=argument, node=node)
        answer = tuple(elements[key]) if action == "read" else MISSING
        builder.add(session, Kind.OK, action, key=key, value=answer, node=node)

    for number in range(operations - collections * NODES):
        session, key = number % SESSIONS, dice.randrange(collections)
        if dice.random() < 0.5:
            elements[key].append(number)
            ask(session, "add", key, number)
        else:
            ask(session, "read", key)
    for phase in ("heal", "quiet", "final"):
        builder.add("phases", Kind.INFO, phase)
    for key in range(collections):
        for session in range(NODES):
            ask(session, "read", key)
    return builder.build()


def transactions_of_sessions(operations: int, *, seed: int) -> History:
    """Transactions of 8 reads and writes each, one after the other: serializable, and so all that is weaker."""
    dice, builder = random.Random(seed), HistoryBuilder()
    held: dict[int, int] = {}
    for number in range(0, operations, TRANSACTION):
        steps: list[tuple[str, int, int | None]] = []
        for at in range(TRANSACTION):
            key = dice.randrange(KEYS)
            if dice.random() < 0.5:
                held[key] = number + at
                steps.append(("w", key, number + at))
            else:
                steps.append(("r", key, held.get(key)))
        session = number // TRANSACTION % SESSIONS
        builder.add(session, Kind.INVOKE, "txn", value=tuple(steps))
        builder.add(session, Kind.OK, "txn", value=tuple(steps))
    return builder.build()


class Figure(msgspec.Struct, frozen=True):
    """What one judge costs: processor seconds, those of the yardstick, the most memory in MB, and its verdicts."""

    seconds: float
    yardstick: float
    memory: float
    verdicts: str


def measure(judge: str, kind: str, operations: int) -> Figure:
    """Let it decide all its models, once."""
    history = HISTORIES[kind](operations, seed=operations)
    assert len(history.pairing) > 0  # paired, and the pairing is kept
    ids = [name for name, model in MODELS.items() if model.judge == judge]
    began = process_time()
    verdicts = {} if judge == NOTHING else import_module(f"upheld.checkers.{judge}").decide(history, ids)
    seconds = process_time() - began
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    words = sorted({word(verdict) for verdict in verdicts.values()})
    return Figure(seconds, yardstick(history), memory, ", ".join(words))


def yardstick(history: History) -> float:
    """Seconds for one pass over its columns."""
    columns = history.columns
    members = (columns.process, columns.kind, columns.action, columns.key, columns.value)
    began = process_time()
    deque(zip(*(member.tolist() for member in members), strict=True), maxlen=0)
    return process_time() - began


SINGLE, SETS, TRANSACTIONS = "reads and writes", "sets", "transactions of 8"
HISTORIES = {SINGLE: rounds_of_sessions, SETS: collections_of_sessions, TRANSACTIONS: transactions_of_sessions}


def given(judge: str) -> tuple[str, ...]:
    """Which histories a judge is given."""
    return {"convergence.decision": (SETS,), "causality.decision": (SINGLE, TRANSACTIONS)}.get(judge, (SINGLE,))


def judges() -> list[str]:
    """Those that decide models by `decide`."""
    return sorted({model.judge for model in MODELS.values()} - {"", "linearizability"})


def table(chosen: Sequence[str], sizes: Sequence[int]) -> Table:
    """Every judge at every size."""
    shown = Table(title="judges")
    for heading in ("judge", "history", "operations", "CPU s", "yardstick s", "x", "growth", "MB", "verdicts"):
        shown.add_column(heading, justify="right")
    with ProcessPoolExecutor(max_workers=1, max_tasks_per_child=1, mp_context=get_context("spawn")) as alone:
        for judge, kind in [(name, kind) for name in (NOTHING, *chosen) for kind in given(name)]:
            before: float | None = None
            for operations in sizes:
                figure = alone.submit(measure, judge, kind, operations).result()
                growth = f"{figure.seconds / before:.1f}" if before else ""
                before = figure.seconds
                shown.add_row(
                    judge,
                    kind,
                    f"{operations:,}",
                    f"{figure.seconds:.2f}",
                    f"{figure.yardstick:.2f}",
                    f"{figure.seconds / figure.yardstick:.1f}",
                    growth,
                    f"{figure.memory:,.0f}",
                    figure.verdicts,
                )
    return shown


def main() -> None:
    """Measure, and print a table."""
    options = argparse.ArgumentParser(description=(__doc__ or "").split("\n", 1)[0])
    options.add_argument("--operations", type=int, nargs="+", default=[100_000, 1_000_000])
    options.add_argument("--judge", nargs="*", default=judges(), help="modules of `upheld.checkers`")
    chosen = options.parse_args()
    Console(width=140).print(table(chosen.judge, chosen.operations))


if __name__ == "__main__":
    main()
