"""Which operations an answer may rest on."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from typing import Final

from ...histories.event import Kind
from .prefix import Part
from .transitions import Transitions

ASKED_MAX: Final = 10_000
"""Questions that a model may be asked to find a way."""


def way_to(
    goal: Callable[[int], bool], start: int, parts: Sequence[Part], transitions: Transitions
) -> tuple[Part, ...]:
    """Operations that lead, one after the other, from a state to one that is a goal: a shortest way, by the latest of each form.

    It is empty where the state is a goal, and also where the way is not found soon.
    """
    latest = {part.form: part for part in parts if part.operation.outcome is not Kind.FAIL}
    ways: dict[int, tuple[Part, ...]] = {start: ()}
    waiting, asked = deque([] if goal(start) else [start]), 0
    while waiting and asked < ASKED_MAX:
        state = waiting.popleft()
        for form, part in latest.items():
            if part in ways[state]:
                continue
            asked += 1
            for after in transitions(state, form):
                if after not in ways:
                    ways[after] = (*ways[state], part)
                    if goal(after):
                        return ways[after]
                    waiting.append(after)
    return ()
