"""What a kind of fault is: how it is done and undone, and how a storm draws one."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, TypeAlias

import msgspec

from ..plan import Fault

if TYPE_CHECKING:
    from ..storm import Storm
    from ..world import World

Undo: TypeAlias = Callable[[], None]


def _nothing(_: Fault) -> str:
    return ""


class FaultKind(msgspec.Struct, frozen=True, kw_only=True):
    """A kind of fault.

    Attributes:
        name: in plans, budgets and reports.
        does: what it does, in a sentence.
        inverse: what ends it, in a sentence; "" where nothing does.
        reads: which fields of `plan.Fault` it reads, besides those of when it begins and ends.
        begin: does it, and answers how to undo it. `nodes` are never empty there: nobody named means all.
        draw: draws one for a plan, or a series of them that belong together; none where the budget leaves no room.
        amiss: what is wrong with one of a plan, in words that follow its name; "" where nothing is.
        most: how many times a storm draws it at most.
        weight: how likely a storm is to have it, beside the others.
    """

    name: str
    does: str
    inverse: str
    reads: tuple[str, ...]
    begin: Callable[[World, Fault], Undo]
    draw: Callable[[Storm], list[Fault]]
    amiss: Callable[[Fault], str] = _nothing
    most: int = 4
    weight: int = 1
