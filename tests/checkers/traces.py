"""Traces written by hand: one note a line, `n1 leads 3`, facts as JSON or bare words.

The k-th line happens after k milliseconds; `@250` before a line sets the clock. `;` is as good as a new line.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from upheld.checkers.verdict import Refuted, Verdict, word
from upheld.histories.trace import Note, Trace
from upheld.histories.values import Value, freeze

MS = 1_000_000


def trace(text: str, *, nodes: Sequence[str] | None = None) -> Trace:
    """The trace in this text; its nodes are those that it speaks of, unless it is told."""
    notes, clock = [], 0
    for line in text.replace(";", "\n").splitlines():
        words = line.split("#")[0].split()
        if words and words[0].startswith("@"):
            clock = int(words.pop(0)[1:]) - 1
        if words:
            clock += 1
            node, kind, *facts = words
            notes.append(Note(clock * MS, node, kind, tuple(map(_fact, facts))))
    return Trace(notes, nodes=sorted({note.node for note in notes}) if nodes is None else nodes)


def _fact(text: str) -> Value:
    try:
        return freeze(json.loads(text))
    except json.JSONDecodeError:
        return text


def outcome(verdict: Verdict) -> str:
    """`upheld`, `undecided`, or the kind of the anomaly."""
    return verdict.anomaly.kind if isinstance(verdict, Refuted) else word(verdict)


def story(verdict: Verdict) -> str:
    """The story of a refutation."""
    assert isinstance(verdict, Refuted)
    return str(verdict.anomaly)


def cases(*rows: tuple[str, str, str]) -> list[Any]:
    """A table of (why, trace, expected outcome), ready for `pytest.mark.parametrize`."""
    import pytest

    return [pytest.param(text, expected, id=why) for why, text, expected in rows]
