"""What consistency models demand, in the one vocabulary that all of them share.

An abstract execution of a history (Burckhardt, "Principles of Eventual Consistency", 2014, chapter 3; Viotti and Vukolic,
"Consistency in Non-Transactional Distributed Storage Systems", 2016) adds two relations to what clients saw: *visibility*,
who saw whose effect, and *arbitration*, one total order that settles conflicts. A model is a set of demands on them.
In formulas `so` is the order of a session, `rb` is returned-before, `vis` visibility, `ar` arbitration, `;` composition, and
`|w->r` keeps the pairs from a write to a read. `hb` is the transitive closure of so and vis.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import msgspec


class Axiom(msgspec.Struct, frozen=True):
    """One demand.

    Attributes:
        name: in kebab case.
        formula: over so, rb, vis, ar and hb.
        words: the same in a sentence.
    """

    name: str
    formula: str
    words: str


AXIOMS: Final[Mapping[str, Axiom]] = {
    axiom.name: axiom
    for axiom in (
        Axiom(
            "return-value",
            "r returns the ar-last write in vis^-1(r)",
            "a read returns the last write, in the order of arbitration, of those that it sees; without one, the initial value",
        ),
        Axiom("eventual-visibility", "finitely many r with not (w vis r)", "every write is seen by all but finitely many reads"),
        Axiom("no-circular-causality", "hb is acyclic", "nothing is its own cause"),
        Axiom("strong-convergence", "same vis^-1 of updates => same state", "replicas that have the same updates have the same state"),
        Axiom("read-your-writes", "so|w->r in vis", "a session sees what it has written"),
        Axiom("monotonic-reads", "vis ; so|r->r in vis", "what a session has seen, it goes on seeing"),
        Axiom("monotonic-writes-weak", "so|w->w in ar", "a session's writes are arbitrated in its order"),
        Axiom(
            "monotonic-writes",
            "so|w->w in ar, and so|w->w ; vis in vis",
            "a session's writes are arbitrated in its order, and whoever sees one sees those before it",
        ),
        Axiom("writes-follow-reads-weak", "vis ; so|r->w in ar", "a write is arbitrated after all that its session had seen"),
        Axiom(
            "writes-follow-reads",
            "vis ; so|r->w in ar, and vis ; so|r->w ; vis in vis",
            "a write is arbitrated after all that its session had seen, and whoever sees it sees that, too",
        ),
        Axiom("causal-visibility", "hb in vis", "whoever sees an operation sees its causes"),
        Axiom("causal-arbitration", "hb in ar", "causes are arbitrated before their effects"),
        Axiom("session-views", "for each session a legal order of all writes and its own reads, respecting so", "each session has one legal order of all writes and its own reads"),
        Axiom("key-views", "session-views, for each key by itself", "each session has, for each key, one legal order of all writes and its own reads"),
        Axiom("causal-views", "for each session a legal order of its causal past, respecting hb", "each session has one legal order of all that it may know of, which respects causes"),
        Axiom("causal-past", "for each r a legal order of its causal past, in which only r returns anything", "the past of each read, taken by itself, explains what it returned"),
        Axiom("timed-visibility", "a returned d before b began => a vis b", "what was done some time ago is seen"),
        Axiom("real-time", "rb in ar", "what returned before another began comes before it"),
        Axiom("single-order", "vis = ar", "there is one order, and everybody sees all that comes before"),
        Axiom("prefix", "ar ; vis in vis", "whoever sees a transaction sees all that is arbitrated before it"),
        Axiom("no-conflict", "two writers of a key are ordered by vis", "of two transactions that write the same key, one saw the other"),
        Axiom("external-reads", "return-value, for transactions", "a transaction reads from one snapshot: all of another transaction, or nothing of it"),
        Axiom("session-order", "so in vis", "a transaction sees what its session did before"),
        Axiom("committed-reads", "no read from an aborted or intermediate write", "only final writes of committed transactions are read"),
    )
}  # fmt: skip
"""Every axiom by name."""
