"""The judges of the lattice together: they do not contradict each other, and what is skipped since it follows is so."""

from __future__ import annotations

import os
from collections import Counter
from importlib import import_module
from random import Random
from typing import Final

import pytest

from upheld.checkers.frontier import Hearing
from upheld.checkers.reads_from import Outside

random_history = import_module("definitions.enumerate").random_history
history_of = import_module("definitions.small").history_of

HISTORIES: Final = 20_000 if os.environ.get("UPHELD_LAWS") == "long" else 60


@pytest.mark.parametrize("outside", ["nothing", "start", "anything"])
def test_asking_every_judge_says_what_follows_from_those_that_are_needed(outside: Outside) -> None:
    seen: Counter[str] = Counter()
    for seed in range(HISTORIES):
        history = history_of(random_history(Random(seed)))
        needed, every = (Hearing(history=history, outside=outside) for _ in range(2))
        needed.hear_all()
        every.ask(every.applicable())
        words, expected = ({name: told.word for name, told in each.conclusions().items()} for each in (needed, every))
        assert words == expected, f"seed {seed}"
        seen.update(words.values())
    assert min(seen["refuted"], seen["upheld"]) > HISTORIES, "both must have been tried"
