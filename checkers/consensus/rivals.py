"""Proposers of Paxos that keep each other from deciding (Lamport, "Paxos Made Simple", 2.4)."""

from __future__ import annotations

from typing import ClassVar, Final

from ...histories.evidence import Evidence
from ...histories.trace import Note, Trace
from ..notes import milliseconds, quote
from ..verdict import Anomaly, Refuted, Undecided, Upheld, Verdict
from .paxos import Ballot, ballot_of

ROUNDS_MIN: Final = 10
"""How many ballots each of two proposers must have begun before anybody speaks of a duel."""


class DecidesAmongRivals:
    """While several nodes propose, one value is decided before the run ends.

    Refuted when none is, although two nodes or more have begun at least `ROUNDS_MIN` ballots each: they have kept each
    other from deciding for as long as the run lasted.
    """

    name: ClassVar[str] = "decides-among-rivals"

    def __call__(self, evidence: Evidence, /) -> Verdict:
        """The verdict on the trace; Undecided where there were no rivals, or hardly any ballots."""
        return self.check(evidence.trace)

    def check(self, trace: Trace, /) -> Verdict:
        """The verdict on this trace."""
        begun: dict[str, dict[Ballot, Note]] = {}
        for note in trace.of_kind("promised"):
            ballot = ballot_of(note)
            if ballot[1] == note.node:
                begun.setdefault(note.node, {}).setdefault(ballot, note)
        told = {"ballots": {node: len(ballots) for node, ballots in begun.items()}}
        if len(begun) < 2:
            return Undecided("nothing to judge: fewer than two nodes proposed", checker=self.name, evidence=told)
        if trace.of_kind("decided"):
            return Upheld(checker=self.name, evidence=told)
        rivals = {node: ballots for node, ballots in begun.items() if len(ballots) >= ROUNDS_MIN}
        if len(rivals) < 2:
            return Undecided(f"no two nodes began {ROUNDS_MIN} ballots", checker=self.name, evidence=told)
        return Refuted(_duel(rivals, trace), checker=self.name, evidence=told)


def _duel(rivals: dict[str, dict[Ballot, Note]], trace: Trace) -> Anomaly:
    lasts = sorted((list(ballots.values())[-1] for ballots in rivals.values()), key=lambda note: note.time)
    firsts = sorted((next(iter(ballots.values())) for ballots in rivals.values()), key=lambda note: note.time)
    counts = " and ".join(f"{node} {len(ballots)}" for node, ballots in rivals.items())
    story = (
        "Nothing is decided, since proposers overtake each other again and again:",
        *map(quote, firsts),
        f"and so on. Ballots begun: {counts}. The last ones:",
        *map(quote, lasts),
        f"When the trace ends, at {milliseconds(trace[-1].time)}, no node has noted a decision.",
    )
    return Anomaly("duel", story, facts=(*firsts, *lasts))
