"""A campaign: the runs of one group of claims, counted in the order of their seeds.

So the lowest failing seed of a claim, and everything else that is counted, does not depend on how many workers there were,
nor on which of them was first.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from .engines import Done
from .hearing import Heard, Judged


@dataclass
class Tally:
    """What came of the runs of one claim.

    Attributes:
        runs: judged upheld, with the claim at risk and enough operations under faults; refuted ones, too.
        undecided, vacuous: runs that prove nothing.
        at_risk, operations: sums over `runs`.
        failures: by kind of anomaly, the lowest seed.
        refuted: by kind of anomaly, how many runs.
        reasons: why runs were undecided or vacuous, with how often.
    """

    runs: int = 0
    undecided: int = 0
    vacuous: int = 0
    at_risk: int = 0
    operations: int = 0
    failures: dict[str, int] = field(default_factory=dict)
    refuted: Counter[str] = field(default_factory=Counter)
    reasons: Counter[str] = field(default_factory=Counter)

    def add(self, seed: int, judged: Judged, heard: Heard) -> None:
        """Count one run; a refutation counts whatever the run lacks."""
        if judged.word == "undecided":
            self.undecided += 1
            self.reasons[judged.reason] += 1
        elif judged.word == "upheld" and (heard.lacking or not judged.at_risk):
            self.vacuous += 1
            self.reasons[heard.lacking or "the claim was never at risk"] += 1
        else:
            self.runs += 1
            self.at_risk += judged.at_risk
            self.operations += heard.operations
        if judged.word == "refuted":
            self.failures.setdefault(judged.kind, seed)
            self.refuted[judged.kind] += 1


class Campaign:
    """Takes the results of one group in the order of its seeds.

    A claim is closed at its first failure, unless the campaign keeps going. The campaign is over when its claims are closed
    or have the runs they need, and every kind of fault has fired; whatever arrives later is left aside, so that results do
    not depend on the engine.

    Attributes:
        seeds: all that it may need.
        needed: how many judged runs content a claim.
        tallies: by claim.
        fired: by kind of fault.
        findings: exceptions in handlers, with how often.
        unproven: why runs prove nothing whatever the claim, with how many of them: lost ones, too.
        taken: how many results were taken.
        first_digest: of the first seed's run.
        is_over: nothing more will be taken.
    """

    def __init__(
        self,
        claims: Mapping[str, bool],
        seeds: Sequence[int],
        *,
        needed: int,
        kinds: Sequence[str] = (),
        keeps_going: bool = False,
    ) -> None:
        """Begin with nothing.

        Args:
            claims: whether each is content with `needed` runs; otherwise only a failure or the last seed ends it.
            seeds: in their order.
            needed: how many judged runs content a claim.
            kinds: the kinds of fault that have to fire.
            keeps_going: whether a claim is judged on although it has failed.
        """
        self.seeds, self.taken, self.first_digest, self.is_over = seeds, 0, "", not claims
        self.tallies = {claim: Tally() for claim in claims}
        self.fired: Counter[str] = Counter()
        self.findings: Counter[str] = Counter()
        self.unproven: Counter[str] = Counter()
        self.needed = needed
        self._content, self._kinds, self._keeps_going = claims, tuple(kinds), keeps_going
        self._early: dict[int, Done] = {}

    @property
    def open_claims(self) -> tuple[str, ...]:
        """The claims that are judged on: those that have no failure yet, or all."""
        return tuple(claim for claim, tally in self.tallies.items() if self._keeps_going or not tally.failures)

    @property
    def quiet_kinds(self) -> tuple[str, ...]:
        """The kinds of fault that have not fired."""
        return tuple(kind for kind in self._kinds if not self.fired[kind])

    @property
    def completed(self) -> int:
        """How many runs completed the minimum of their workload while faults acted."""
        return self.taken - self.unproven.total()

    def take(self, done: Done) -> Iterator[tuple[str, str, int]]:
        """Take a result, and those that waited for it.

        Yields:
            Claim, kind and seed of the first failure of each claim; if it keeps going, of each kind.
        """
        self._early[done.seed] = done
        while not self.is_over and (due := self._early.pop(self.seeds[self.taken], None)) is not None:
            self.taken += 1
            yield from self._count(due.seed, due.result or Heard(lacking=due.lost), due.lost)
            self.is_over = self.taken == len(self.seeds) or self._is_content()

    def _count(self, seed: int, heard: Heard, lost: str) -> Iterator[tuple[str, str, int]]:
        self.first_digest = self.first_digest or heard.digest
        self.fired.update(heard.fired)
        self.findings.update(heard.findings)
        self.unproven.update([heard.lacking] if heard.lacking else [])
        for claim in self.open_claims:
            judged = Judged("undecided", reason=lost) if lost else heard.judged[claim]
            is_news = judged.word == "refuted" and judged.kind not in self.tallies[claim].failures
            self.tallies[claim].add(seed, judged, heard)
            if is_news:
                yield claim, judged.kind, seed

    def _is_content(self) -> bool:
        def is_content(claim: str) -> bool:
            return self._content[claim] and self.tallies[claim].runs >= self.needed

        is_quiet = bool(self.open_claims and self.quiet_kinds)
        return not is_quiet and all(is_content(claim) for claim in self.open_claims)
