"""Each mutant says which rule it breaks, and breaks little else."""

from __future__ import annotations

import re

import pytest

from upheld.impl.consensus.raft.mutants import MUTANTS
from upheld.impl.consensus.raft.reference import Raft


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: mutant.__name__)
def test_a_mutant_names_the_rule_that_it_breaks(mutant: type[Raft]) -> None:
    assert issubclass(mutant, Raft)
    assert re.match(r"((Thesis, |§)[\d.]+|Figure 2) broken\b", mutant.__doc__ or "")


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: mutant.__name__)
def test_a_mutant_overrides_one_part_or_two(mutant: type[Raft]) -> None:
    assert 1 <= sum(hasattr(Raft, name) for name in vars(mutant) if not name.startswith("_")) <= 2
