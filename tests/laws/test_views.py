"""The search for views in the native core, and its twin in Python, find the same pairs and the same clash."""

from __future__ import annotations

from importlib import import_module
from random import Random

import pytest

from upheld import native
from upheld.checkers.causality.patterns import Patterns
from upheld.checkers.causality.views_search import View, views
from upheld.checkers.reads_from import reads_from

pytestmark = pytest.mark.skipif(native.core is None, reason="the native core is not there")

enumerated, small = import_module("definitions.enumerate"), import_module("definitions.small")

HISTORIES = 1_500


def found(seed: int, *, is_causal: bool, by_key: bool) -> list[View]:
    """The views of a random history; none where causality is broken, so that nobody would look for them."""
    patterns = Patterns(reads_from(small.history_of(enumerated.random_history(Random(seed)))))
    if is_causal and (patterns.circular or patterns.overwritten):
        return []
    return list(views(patterns.past, is_causal=is_causal, by_key=by_key))


def shown(seen: list[View]) -> list[object]:
    return [(view.reader, view.key, view.pairs, view.clash) for view in seen]


@pytest.mark.parametrize(("is_causal", "by_key"), [(True, False), (False, False), (False, True)])
def test_both_find_the_same(monkeypatch: pytest.MonkeyPatch, *, is_causal: bool, by_key: bool) -> None:
    mine = [found(seed, is_causal=is_causal, by_key=by_key) for seed in range(HISTORIES)]
    with monkeypatch.context() as patched:
        patched.setattr(native, "core", None)
        theirs = [found(seed, is_causal=is_causal, by_key=by_key) for seed in range(HISTORIES)]
    assert [shown(each) for each in mine] == [shown(each) for each in theirs]
    assert {view.clash is None for each in mine for view in each} == {True, False}
    assert any(view.pairs for each in mine for view in each)
