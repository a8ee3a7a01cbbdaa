"""The add-wins set (observed-remove set): an element is there when some add of it was seen that no seen remove had seen."""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass
from typing import Any

from ...histories.values import identity, to_json
from ..verdict import Anomaly
from .execution import Execution, Step
from .judging import Finding, OfReads


@dataclass(frozen=True, kw_only=True)
class AddWins(OfReads):
    """Reads return the elements of adds that no remove among what they saw had seen (Burckhardt et al. 2014, figure 1).

    O(updates) for each read, and for each remove among them O(adds of its element).
    """

    add: str = "add"
    remove: str = "remove"
    name = "add-wins-set"

    def look(self, execution: Execution, read: Step) -> Finding:
        """What there is to say against a read."""
        adds = execution.seen_by(read, self.add)
        removes = execution.seen_by(read, self.remove)
        adds_of: dict[Hashable, list[Step]] = {}
        for add in adds:
            adds_of.setdefault(_element(add), []).append(add)
        covered: dict[Hashable, Step] = {}
        for remove in removes:
            for add in adds_of.get(_element(remove), ()):
                if add.id in remove.visible:
                    covered.setdefault(add.id, remove)
        expected = {_element(add): add for add in adds if add.id not in covered}
        result = read.result if isinstance(read.result, tuple) else ()
        shown = {identity(element): element for element in result}
        missing = next((add for element, add in expected.items() if element not in shown), None)
        if missing is not None:
            return _anomaly(
                "missing-element",
                read,
                f"It saw {missing}",
                "No remove that it saw had seen that add, so the element is there",
                f"It does not show {to_json(missing.argument)}",
            )
        extra = next((element for element in shown if element not in expected), None)
        return None if extra is None else _anomaly("extra-element", read, *_why_not(extra, shown[extra], adds, covered))


def _why_not(element: Any, value: Any, adds: list[Step], covered: dict[Hashable, Step]) -> tuple[str, ...]:
    mine = [add for add in adds if _element(add) == element]
    told = tuple(f"{add} had been seen by {covered[add.id]}, which the read saw" for add in mine)
    return (f"It shows {to_json(value)}", *(told or ("It saw no add of it",)))


def _element(update: Step) -> Hashable:
    element: Hashable = identity(update.argument)
    return element


def _anomaly(kind: str, read: Step, *lines: str) -> Anomaly:
    return Anomaly(kind=kind, story=(f"{read} saw {len(read.visible)} updates", *lines))
