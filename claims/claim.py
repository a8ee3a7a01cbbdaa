"""What is said about a system, and how it is put to the test."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, TypeAlias

from ..checkers.verdict import Judge, Verdict
from ..histories.evidence import Evidence

Antecedent: TypeAlias = Callable[[Evidence], int]
"""How often the claim was at risk in a run; a run in which it never was proves nothing."""


@dataclass(frozen=True, kw_only=True)
class Trials:
    """Put to the test by runs. Claims with the same system, workload and faults share their runs.

    Attributes:
        system: its name.
        workload: one of the variant's workloads.
        faults: a profile of `harness.faults.PROFILES`.
        judge: decides from the evidence of one run. For a *sometimes* claim it decides the opposite: one refuted run is
            the witness.
        blames: for a *sometimes* claim that blames faults: the kinds of fault without which the witness must be gone.
        settings: parameters of the system with which its runs are made, in place of its own and of drawn ones; claims
            with other settings have runs of their own.
    """

    system: str
    workload: str
    faults: str
    judge: Judge
    blames: frozenset[str] = frozenset()
    settings: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Examination:
    """Put to the test by looking at everything there is: an exhaustive or a property check, without runs."""

    examine: Callable[[], Verdict]


@dataclass(frozen=True, kw_only=True)
class Derived:
    """Follows from other claims: `judge` gets their verdicts by id."""

    claims: tuple[str, ...]
    judge: Callable[[Mapping[str, Verdict]], Verdict]


@dataclass(frozen=True, kw_only=True)
class Claim:
    """A sentence about a system that upheld tries to refute.

    Attributes:
        id: `raft.linearizable`.
        chapter: of the guide: cap, consensus, replication, sharding, convergence.
        kind: *always* (one run refutes), *sometimes* (one run establishes), *eventually* (after the heal, within a bound).
        statement: what is said, in one sentence.
        source: where: the guide's passage, a paper's section.
        by: how it is put to the test.
        antecedent: how often it was at risk in a run; None: it always is.
        bound: for *eventually*, in words: what the bound is made of.
        variants: whom it is said about.
        required: whether the reference must have it (a statement *as stated* has not).
        killers: mutants of the reference that it must refute.
    """

    id: str
    chapter: Literal["cap", "consensus", "replication", "sharding", "convergence"]
    kind: Literal["always", "sometimes", "eventually"]
    statement: str
    source: str
    by: Trials | Examination | Derived
    antecedent: Antecedent | None = None
    bound: str = ""
    variants: tuple[str, ...] = ("reference", "as-written")
    required: bool = True
    killers: tuple[str, ...] = ()
