"""A variant with mutants in place of its parts."""

from __future__ import annotations

from dataclasses import replace
from importlib import import_module
from typing import Any

import pytest

from upheld.harness.system import System, kebab
from upheld.histories.errors import UsageError

toys = import_module("toys")


class Forgets(toys.Counter):  # type: ignore[misc, name-defined]  # toys is imported by name
    """A node."""

    forgets = True


class Doubles(toys.Counter):  # type: ignore[misc, name-defined]  # toys is imported by name
    """Another."""

    doubles = True


class Shouts(toys.Caller):  # type: ignore[misc, name-defined]  # toys is imported by name
    """A client."""


class Stranger:
    """Neither."""


COUNTERS: System = toys.system_of(toys.Counter, mutants=(Forgets, Doubles, Shouts, Stranger))


def test_a_mutant_replaces_the_part_that_it_derives_from() -> None:
    variant = COUNTERS.variant("reference", ("forgets", "shouts"))
    assert (variant.nodes, variant.client) == (Forgets, Shouts)
    assert COUNTERS.variant("reference") is COUNTERS.variants["reference"]


def test_two_mutants_of_one_part_are_combined() -> None:
    both: Any = COUNTERS.variant("reference", ("forgets", "doubles")).nodes
    assert (both.forgets, both.doubles, both.__name__) == (True, True, "ForgetsAndDoubles")


@pytest.mark.parametrize(
    ("names", "complaint"),
    [
        (("never",), "toy reference has no mutant 'never'; it has doubles, forgets, shouts, stranger"),
        (("stranger",), "Stranger derives neither from the node class"),
    ],
)
def test_a_mutant_that_is_none_is_a_usage_error(names: tuple[str, ...], complaint: str) -> None:
    with pytest.raises(UsageError, match=complaint):
        COUNTERS.variant("reference", names)


def test_a_mutant_of_a_part_that_is_no_class_cannot_replace_it() -> None:
    def make(context: Any) -> Any:
        return toys.Counter(context)

    factory = replace(COUNTERS.variants["reference"], nodes=make)
    with pytest.raises(UsageError, match="derives neither"):
        replace(COUNTERS, variants={"reference": factory}).variant("reference", ("forgets",))


@pytest.mark.parametrize(("name", "kebabbed"), [("VoteNotPersisted", "vote-not-persisted"), ("A", "a"), ("", "")])
def test_the_name_of_a_class_in_kebab_case(name: str, kebabbed: str) -> None:
    assert kebab(name) == kebabbed
