"""How fast the search for linearizations is, and how it grows: 8 clients, one cas-register with five values.

    python benchmarks/linearizability.py [--operations 1000 10000 100000] [--pending 0]

`search` is the native core alone, `check` the whole way from a history in memory to its verdict with a witness, `twin` the
same search in Python. The yardstick is the search of Wing, Gong and Lowe as most checkers have it (a bit for each operation
of the history in every remembered configuration), in Python as well; compare it with the twin. Each figure is processor
time, the best of three; the exponent is that of the growth since the row above (1 is linear).
"""

from __future__ import annotations

import argparse
import gc
import math
import random
import time
from collections.abc import Callable, Sequence
from typing import Any

from upheld.checkers.linearizability import Linearizable
from upheld.checkers.linearizability.engine import Pure, engine_for
from upheld.checkers.linearizability.prepare import NEVER, Case, Shard, prepare
from upheld.checkers.linearizability.transitions import Transitions
from upheld.checkers.verdict import Upheld
from upheld.histories.event import MISSING, Kind, Missing
from upheld.histories.history import History, HistoryBuilder
from upheld.histories.values import Value
from upheld.specs.objects import CasRegister

CLIENTS, VALUES = 8, 5
TWIN_MAX, YARDSTICK_MAX = 30_000, 30_000
REPEATS = 3


def honest_history(operations: int, *, pending: int, seed: int) -> History:
    """An atomic register used by clients at once; `pending` operations, spread out, never complete."""
    dice, builder, state = random.Random(seed), HistoryBuilder(), None
    names, doing = list(range(CLIENTS)), dict[int, list[Any]]()
    crashes = {round((number + 1) * operations / (pending + 1)) for number in range(pending)}
    begun = 0
    while begun < operations or doing:
        client = dice.randrange(CLIENTS)
        if client not in doing:
            if begun < operations:
                action, argument = asked(dice)
                builder.add(names[client], Kind.INVOKE, action, value=argument)
                doing[client] = [action, argument, MISSING, begun in crashes]
                begun += 1
            continue
        action, argument, answer, crashes_now = doing[client]
        if answer is MISSING:
            state, doing[client][2] = answered(state, action, argument)
            continue
        if crashes_now:
            builder.add(names[client], Kind.INFO, action)
            names[client] += CLIENTS
        else:
            builder.add(names[client], Kind.OK, action, value=answer)
        del doing[client]
    return builder.build()


def asked(dice: random.Random) -> tuple[str, Value | Missing]:
    """An action and its argument."""
    action = dice.choice(("read", "write", "cas"))
    if action == "read":
        return action, MISSING
    return action, dice.randrange(VALUES) if action == "write" else (dice.randrange(VALUES), dice.randrange(VALUES))


def answered(state: Any, action: str, argument: Any) -> tuple[Any, Any]:
    """The register afterwards, and its answer."""
    if action == "read":
        return state, state
    if action == "write":
        return argument, None
    return (argument[1], True) if state == argument[0] else (state, False)


def yardstick(shard: Shard, step: Callable[[int, int], Sequence[int]]) -> bool:
    """Wing and Gong's search as Lowe's memory prunes it: a list of calls and returns, lifted out and put back."""
    ended, form = shard.ended.tolist(), shard.form.tolist()
    events = sorted(
        [(began, True, at) for at, began in enumerate(shard.began.tolist())]
        + [(end, False, at) for at, end in enumerate(ended)]
    )
    after = [*range(1, len(events) + 1), 0]
    before = [len(events), *range(len(events))]
    place = {(is_call, at): row for row, (_, is_call, at) in enumerate(events)}
    head = len(events)
    needed = sum(end != NEVER for end in ended)
    linearized, state, done, seen = 0, 0, 0, set[tuple[int, int]]()
    taken: list[tuple[int, int]] = []
    row = after[head]
    while done < needed:
        _, is_call, at = events[row]
        reached = step(state, form[at]) if is_call else ()
        if reached and (linearized | 1 << at, reached[0]) not in seen:
            linearized |= 1 << at
            seen.add((linearized, reached[0]))
            taken.append((at, state))
            state = reached[0]
            done += ended[at] != NEVER
            for each in (row, place[False, at]):
                after[before[each]], before[after[each]] = after[each], before[each]
            row = after[head]
        elif is_call:
            row = after[row]
        else:
            if not taken:
                return False
            at, state = taken.pop()
            linearized &= ~(1 << at)
            done -= ended[at] != NEVER
            for each in (place[False, at], place[True, at]):
                after[before[each]] = before[after[each]] = each
            row = after[place[True, at]]
    return True


def seconds(work: Callable[[], object]) -> float:
    """Processor time, the best of some."""
    best = math.inf
    for _ in range(REPEATS):
        gc.collect()
        started = time.process_time()
        work()
        best = min(best, time.process_time() - started)
    return best


def columns(case: Case, history: History) -> dict[str, Callable[[], object] | None]:
    """What is measured; None where it would take too long."""
    operations = len(case.shards[0])
    return {
        "search": lambda: engine_for(case, None).search(case.shards),
        "check": lambda: upheld(history),
        "twin": (lambda: Pure(case.forms).search(case.shards)) if operations <= TWIN_MAX else None,
        "yardstick": (
            (lambda: yardstick(case.shards[0], Transitions(case.forms))) if operations <= YARDSTICK_MAX else None
        ),
    }


def upheld(history: History) -> None:
    """Check a history anew, from its columns."""
    fresh = History(history.columns, header=history.header)
    assert isinstance(Linearizable(CasRegister()).check(fresh), Upheld)


def main() -> None:
    """Measure, and print a table."""
    options = argparse.ArgumentParser(description=(__doc__ or "").split("\n", 1)[0])
    options.add_argument("--operations", type=int, nargs="+", default=[1_000, 4_000, 10_000, 30_000, 100_000])
    options.add_argument("--pending", type=int, default=0)
    chosen = options.parse_args()
    last: dict[str, tuple[int, float]] = {}
    print(f"{'operations':>10}  " + "  ".join(f"{name:>24}" for name in ("search", "check", "twin", "yardstick")))
    for operations in chosen.operations:
        history = honest_history(operations, pending=chosen.pending, seed=operations)
        cells = []
        for name, work in columns(prepare(history, CasRegister()), history).items():
            if work is None:
                cells.append(" " * 24)
                continue
            spent = seconds(work)
            growth = ""
            if name in last:
                fewer, then = last[name]
                growth = f" ^{math.log(spent / then) / math.log(operations / fewer):.2f}"
            last[name] = operations, spent
            cells.append(f"{operations / spent:>13,.0f}/s{growth:>9}")
        print(f"{operations:>10,}  " + "  ".join(cells))


if __name__ == "__main__":
    main()
