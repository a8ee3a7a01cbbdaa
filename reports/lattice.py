"""What a history says about all consistency models, in a few lines."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from typing import Any, Final

from rich.text import Text

from .words import indented

NAMED_MAX: Final = 3
"""How many undecided models are named for one reason; `--json` has them all."""


def standing(frontier: Mapping[str, Any], asked: Collection[str]) -> Text | None:
    """The weakest models refuted, the strongest upheld, and what is undecided and why; None when a verdict says it all.

    Args:
        frontier: as `check --json` has it.
        asked: the models that have verdicts of their own, which are shown beside this.
    """
    refuted, upheld = frontier["refuted"], frontier["upheld"]
    unknown = {name: reason for name, reason in frontier["undecided"].items() if name not in asked}
    if len(asked) == 1 and not unknown and set(asked) >= {*refuted, *upheld}:
        return None
    lines = [f"weakest refuted: {', '.join(refuted)}"] if refuted else []
    named = [name + bounded(frontier["bounds"].get(name, {})) for name in upheld]
    lines += [f"strongest upheld: {', '.join(named)}"] if named else []
    lines += [f"undecided: {_some(names)}: {reason}" for reason, names in _by_reason(unknown).items()]
    lines += [f"note: {note}" for note in frontier["notes"]]
    return indented(lines) if lines else None


def bounded(bounds: Mapping[str, Any]) -> str:
    """` with k = 2`: the bounds that a model was found to keep."""
    return f" with {', '.join(f'{name} = {bound:,}' for name, bound in bounds.items())}" if bounds else ""


def _by_reason(undecided: Mapping[str, str]) -> dict[str, list[str]]:
    grouped: dict[str, list[str]] = defaultdict(list)
    for name, reason in undecided.items():
        grouped[reason].append(name)
    return grouped


def _some(names: Sequence[str]) -> str:
    more = len(names) - NAMED_MAX
    return ", ".join(names) if more <= 0 else f"{', '.join(names[:NAMED_MAX])} and {more} more"
