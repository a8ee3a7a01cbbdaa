"""Traces written by hand, for tables of traces and the verdicts that a judge must give on them.

@pytest.mark.parametrize(("text", "expected"), cases(
("one leader to each term", "n1 leads 1; n2 leads 2", "upheld"),
("two leaders in one term", "n1 leads 1; n2 leads 1", "two-leaders"),
))
def test_a_term_has_at_most_one_leader(text: str, expected: str) -> None:
assert outcome(ElectionSafety().check(trace(text))) == expected
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from ..checkers.verdict import Refuted, Verdict, word
from ..histories.errors import UsageError
from ..histories.trace import Note, Trace
from ..histories.values import Value, freeze

MS = 1_000_000


def trace(text: str, *, nodes: Sequence[str] | None = None) -> Trace:
    """The trace in this text: one note a line (or between semicolons), `n1 leads 3`.

    Facts are JSON without spaces, or bare words; `#` begins a comment. The k-th note happens after k milliseconds;
    `@250` before a note sets the clock.

    Args:
        text: the notes.
        nodes: of the cluster; by default those that the text speaks of.

    Raises:
        UsageError: a note has no kind, or the clock is no number.
    """
    notes: list[Note] = []
    clock = 0
    for line in text.replace(";", "\n").splitlines():
        words = line.split("#")[0].split()
        clock = _clock(words, clock)
        if words:
            notes.append(_note(clock, words))
    return Trace(notes, nodes=sorted({note.node for note in notes}) if nodes is None else nodes)


def outcome(verdict: Verdict) -> str:
    """`upheld`, `undecided`, or the kind of the anomaly."""
    return verdict.anomaly.kind if isinstance(verdict, Refuted) else word(verdict)


def story(verdict: Verdict) -> str:
    """The story of a refutation; any other verdict fails the test."""
    assert isinstance(verdict, Refuted), f"there is no story in {verdict}"
    return str(verdict.anomaly)


def cases(*rows: tuple[str, str, str]) -> list[Any]:
    """A table of (why, trace, expected outcome) as parameters for `text` and `expected`; the first column names them."""
    import pytest  # noqa: PLC0415  # only test suites ask for it

    return [pytest.param(text, expected, id=why) for why, text, expected in rows]


def _clock(words: list[str], clock: int) -> int:
    if not words or not words[0].startswith("@"):
        return clock + bool(words)
    told = words.pop(0)[1:]
    if not told.isdigit():
        raise UsageError(f"the clock in '@{told}' is no number of milliseconds")
    return int(told)


def _note(clock: int, words: Sequence[str]) -> Note:
    if len(words) < 2:
        raise UsageError(f"a note is a node, a kind and its facts; '{words[0]}' has no kind")
    return Note(clock * MS, words[0], words[1], tuple(map(_fact, words[2:])))


def _fact(text: str) -> Value:
    try:
        return freeze(json.loads(text))
    except json.JSONDecodeError:
        return text
