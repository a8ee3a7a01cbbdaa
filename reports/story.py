"""A verdict in words: one line that says what was decided and how, and the story below it.

It is told from the same object that `--json` prints (`checkers.verdict.describe`), so that both say the same.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from rich.text import Text

from ..checkers.frontier import BOUNDS
from .lattice import bounded
from .words import counted, indented, plain, tally, verdict_word


def told(subject: str, verdict: Mapping[str, Any]) -> Text:
    """What was decided about a subject: verdict, method and operations in a line, then story, reason and notes."""
    line = Text.assemble(
        verdict_word(verdict["verdict"]), "  ", (plain(subject), "bold"), "  ", (basis(verdict), "dim")
    )
    anomaly = verdict["anomaly"]
    because = anomaly["story"] if anomaly else [verdict["reason"]] if verdict["reason"] else []
    for lines, style in ((because, ""), ([f"note: {note}" for note in verdict["notes"]], "dim")):
        if lines:
            line.append("\n").append_text(indented(lines, style))
    return line


def basis(verdict: Mapping[str, Any]) -> str:
    """What a verdict rests on, in a few words: `linearizability of cas-register, by search, 170 operations`."""
    subject = verdict["checker"] + (f" of {verdict['model']}" if verdict.get("model") else "")
    consistency = verdict.get("consistency", "")
    if consistency and (consistency, verdict["checker"]) != ("linearizable", "linearizability"):
        bounds = {name: bound for name, bound in verdict["evidence"].items() if name in BOUNDS}
        subject += f" ({consistency}{bounded(bounds)})"
    method = f", by {verdict['method']}" if verdict["method"] else ""
    return f"{subject}{method}, {counted(verdict['operations'], 'operation')}"


def conclusion(words: Sequence[str], errors: int = 0, *, interrupted: bool = False) -> Text:
    """The last line about many histories: `36 histories: 13 upheld, 23 refuted`."""
    said = f"{counted(len(words), 'history', 'histories')}: {tally(words)}"
    said += f"; {errors:,} could not be judged" if errors else ""
    said += "; interrupted before the end" if interrupted else ""
    return Text(said, style="bold")
