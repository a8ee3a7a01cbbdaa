"""Contradictions of session guarantees in sentences that a reader can check against the history, and as graphs."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, Final

from ..naming import Naming
from ..reading import operations_of
from ..reads_from import INITIAL, ReadsFrom
from ..verdict import Anomaly
from .execution import Contradiction, Hop
from .guarantees import Guarantees

if TYPE_CHECKING:
    import networkx as nx

KIND: Final = "session-guarantee-cycle"

_KINDS: Final = {"wr": "wr", "conflict": "conflict"}
"""Kinds of edges; all others come from the order of a session."""


def involved(traced: ReadsFrom, found: Contradiction) -> list[int]:
    """The transactions that show it by themselves."""
    hops = [*found.cycle, *(hop for way in found.seen for hop in way)]
    reads = {hop.read for hop in hops} | {found.initial}
    rows = {row for hop in hops for row in (hop.before, hop.after)}
    rows |= {int(row) for read in reads if read >= 0 for row in traced.reads[read, [0, 2]]}
    return sorted(rows - {INITIAL})


def tell(traced: ReadsFrom, found: Contradiction, wanted: Guarantees) -> Anomaly:
    """The anomaly. Its story names operations by the number of the event that began them."""
    teller = _Teller(traced, wanted)
    rows = involved(traced, found)
    lines = teller.introduction(rows)
    lines += dict.fromkeys(teller.hop(hop) for way in found.seen for hop in way)
    lines += dict.fromkeys(teller.hop(hop) for hop in found.cycle)
    lines.append(teller.end(found))
    return Anomaly(
        kind=KIND, story=tuple(dict.fromkeys(lines)), operations=operations_of(traced, rows), graph=teller.graph(found)
    )


class _Teller(Naming):
    def __init__(self, traced: ReadsFrom, wanted: Guarantees) -> None:
        super().__init__(traced)
        self.wanted = wanted

    def hop(self, hop: Hop) -> str:
        before, after = self.name(hop.before), self.name(hop.after)
        order = f"in session {self.session(hop.after)} {after} follows {before}"
        match hop.why:
            case "wr":
                return self.returned(hop.before, hop.after, hop.read)
            case "own":
                return f"{order}: it sees what {before} wrote (read-your-writes)"
            case "carry":
                return f"{order}: it sees all that {before} saw (monotonic reads)"
            case "together":
                return f"{order}: {self._sees('ordered', after)}its write is ordered after that of {before} (monotonic writes)"
            case "joined":
                return (
                    f"{order}: {self._sees('following', after)}its write is ordered after all that {before} saw "
                    "(writes-follow-reads)"
                )
            case _:
                reader = self.name(int(self.traced.reads[hop.read, 0]))
                return (
                    f"{reader} saw the write{self.key(hop.read)} of {before} and returned that of {after}: "
                    f"so that of {after} is ordered after that of {before}"
                )

    def _sees(self, which: str, after: str) -> str:
        is_strong = self.wanted.together if which == "ordered" else self.wanted.joined
        return f"who sees {after} sees that, too, and " if is_strong else ""

    def end(self, found: Contradiction) -> str:
        names = (
            " and ".join(name.replace("-", " ") for name in self.wanted.names)
            or "a transaction that is seen as a whole"
        )
        if found.initial >= 0:
            return f"{self._missed(found)}: {names} cannot hold"
        return f"So each of these writes is ordered before itself: {names} cannot hold"

    def _missed(self, found: Contradiction) -> str:
        reader = self.name(int(self.traced.reads[found.initial, 0]))
        over = self.name(found.seen[0][0].before)
        return f"So {reader} saw the write of {over}, and read what was there{self.key(found.initial)} at first, before any write"

    def graph(self, found: Contradiction) -> nx.MultiDiGraph[Any]:
        """What comes before what; where a read of the initial value saw a write, an edge (`rw`) from the one to the other."""
        import networkx as nx  # noqa: PLC0415  # heavy, and only a refutation needs it

        graph: nx.MultiDiGraph[Any] = nx.MultiDiGraph()
        for hop in self._distinct([*found.cycle, *(found.seen[0] if found.initial >= 0 else ())]):
            kind = _KINDS.get(hop.why, "so")
            graph.add_edge(self.node(hop.before), self.node(hop.after), kind=kind, reason=self.hop(hop))
        if found.initial >= 0:
            reader, over = int(self.traced.reads[found.initial, 0]), found.seen[0][0].before
            reason = self._missed(found).removeprefix("So ")
            graph.add_edge(self.node(reader), self.node(over), kind="rw", reason=reason)
        return graph

    def _distinct(self, hops: Iterable[Hop]) -> Iterable[Hop]:
        return dict.fromkeys(hops)
