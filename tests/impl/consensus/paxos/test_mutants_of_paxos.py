"""Each mutant says which rule it breaks, and breaks little else."""

from __future__ import annotations

import re

import pytest

from upheld.impl.consensus.paxos import multi_mutants, mutants
from upheld.impl.consensus.paxos.multi import MultiPaxos
from upheld.impl.consensus.paxos.reference import Paxos

ALL = [(mutant, Paxos) for mutant in mutants.MUTANTS] + [(mutant, MultiPaxos) for mutant in multi_mutants.MUTANTS]


@pytest.mark.parametrize(("mutant", "reference"), ALL)
def test_a_mutant_names_the_rule_and_overrides_one_part(mutant: type, reference: type) -> None:
    assert issubclass(mutant, reference)
    assert re.match(r"(P1a|P2c|B1|[\d.]+) broken: ", mutant.__doc__ or "")
    assert sum(hasattr(reference, name) for name in vars(mutant) if not name.startswith("_")) == 1
