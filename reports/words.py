"""The small pieces that all reports are made of: signs, numbers, and text that cannot disturb a terminal."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Final

from rich.text import Text

SIGNS: Final = {"upheld": "✓", "refuted": "✗", "undecided": "?"}
STYLES: Final = {"upheld": "green", "refuted": "bold red", "undecided": "yellow"}

WORD_WIDTH: Final = len("? undecided")
"""The room that a verdict takes in a table."""


def verdict_word(word: str) -> Text:
    """A verdict as sign and word: `✓ upheld`."""
    return Text(f"{SIGNS[word]} {word}".ljust(WORD_WIDTH), style=STYLES[word])


def counted(number: int, one: str, many: str = "") -> str:
    """`1 run`, `2,000 runs`."""
    return f"{number:,} {one if number == 1 else many or one + 's'}"


def listed(counts: Mapping[str, int]) -> str:
    """`crash 3, partition 1`, in the order of the names."""
    return ", ".join(f"{name} {counts[name]:,}" for name in sorted(counts))


def tally(words: Iterable[str]) -> str:
    """`3 upheld, 1 refuted`, without what there is none of."""
    counts = Counter(words)
    return ", ".join(f"{counts[word]:,} {word}" for word in SIGNS if counts[word]) or "no verdict"


def plain(text: str) -> str:
    """The text with control characters spelt out, so that nothing in a history can steer the terminal."""
    return "".join(letter if letter.isprintable() else letter.encode("unicode_escape").decode() for letter in text)


def shortened(text: str, width_max: int) -> str:
    """The text, cut off where it is too long for its place."""
    return text if len(text) <= width_max else text[: width_max - 1] + "…"


def indented(lines: tuple[str, ...] | list[str], style: str = "") -> Text:
    """The lines, four spaces in."""
    pieces = [piece for line in lines for piece in line.split("\n")]
    return Text("\n".join(f"    {plain(piece)}" for piece in pieces), style=style)
