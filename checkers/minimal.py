"""From a history that shows an anomaly to the fewest operations that show it."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from itertools import pairwise

from ..histories.event import Operation
from ..histories.history import History


def minimal_history(
    history: History, fails: Callable[[History], bool], *, begin_with: Collection[Operation] | None = None
) -> History:
    """A part of the history that fails, and of which no operation can be left out without its ceasing to fail.

    What is left out is struck, as if it had never been, so `fails` must ask for the kind of the anomaly: a read of what a
    struck write wrote is another one. Halves are left out first, then smaller parts, down to single operations (Zeller
    and Hildebrandt, Simplifying and Isolating Failure-Inducing Input, 2002, section 3). It asks O(m^2) times at worst, for
    the m operations that it begins with. Events of no client stay.

    Args:
        history: fails.
        fails: whether a history shows the anomaly in question; it must say the same of the same history.
        begin_with: the operations of the anomaly; if these alone do not fail, all of the history is begun with.
    """
    if begin_with is not None:
        excerpt = _only(history, begin_with)
        history = excerpt if fails(excerpt) else history
    left, parts = history.operations, 2
    while len(left) > 1:
        for begin, end in _bounds(len(left), parts):
            rest = left[:begin] + left[end:]
            smaller = history.without(left[begin:end])
            if fails(smaller):
                history, left, parts = smaller, rest, max(2, parts - 1)
                break
        else:
            if parts == len(left):
                break
            parts = min(len(left), 2 * parts)
    return history


def _bounds(size: int, parts: int) -> Sequence[tuple[int, int]]:
    """Where parts of about equal size begin and end."""
    bounds = [size * number // parts for number in range(parts + 1)]
    return [(begin, end) for begin, end in pairwise(bounds) if begin < end]


def _only(history: History, operations: Collection[Operation]) -> History:
    """The events of these operations, and those of no client."""
    kept = {index for operation in operations for index in (operation.invocation, operation.completion)}
    return history.filter(lambda event: event.index in kept or not event.is_client)
