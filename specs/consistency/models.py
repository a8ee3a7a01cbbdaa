"""The consistency models, from weak to strong, as data: what each promises, demands, implies, and is refuted by.

Ids are qualified, since one short name stands for several models: "causal" alone says nothing. Implications are the
published ones, but for those that a history of a few operations refutes: causal convergence does not imply PRAM by views
(Bouajjani et al. 2017, figure 3b), weak causal consistency does not imply the session guarantees together, and what
says nothing of sessions (plain snapshot isolation, plain serializability) implies nothing that keeps them, read atomicity
and causality among those.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import msgspec

UNIQUE: Final = "unique writes: no two of a key write the same value, nor its initial one"
QUIET: Final = "a quiescence that is declared and checked"
STATES: Final = "the states of replicas"
CLOCK: Final = "one clock, or a known bound on the error of several"
VERSIONS: Final = "a known order of versions"
TRANSACTIONS: Final = "transactions"

BURCKHARDT: Final = "Burckhardt, Principles of Eventual Consistency, 2014"
BOUAJJANI: Final = "Bouajjani, Enea, Guerraoui and Hamza, On Verifying Causal Consistency, 2017"
TERRY: Final = "Terry et al., Session Guarantees for Weakly Consistent Replicated Data, 1994"
VIOTTI: Final = "Viotti and Vukolic, Consistency in Non-Transactional Distributed Storage Systems, 2016"
LIPTON: Final = "Lipton and Sandberg, PRAM: A Scalable Shared Memory, 1988"
LAMPORT: Final = "Lamport, On Interprocess Communication, 1986"
ADYA: Final = "Adya, Weak Consistency, 1999"
BISWAS: Final = "Biswas and Enea, On the Complexity of Checking Transactional Consistency, 2019"
CERONE: Final = "Cerone, Bernardi and Gotsman, A Framework for Transactional Consistency Models, 2015"


class Consistency(msgspec.Struct, frozen=True, kw_only=True):
    """A consistency model.

    Attributes:
        id: qualified, as the command line takes it.
        words: what it promises, in a sentence.
        axioms: the names of its axioms, besides those of the models that it implies.
        implies: the next weaker models.
        refuted_by: the kinds of anomaly that refute it, and none that is weaker.
        judge: the module of `checkers` that decides it; "" where none does yet.
        cost: of the decision, for n operations of k sessions.
        assumes: what a history must have for it to apply.
        source: where it is defined.
    """

    id: str
    words: str
    axioms: tuple[str, ...] = ()
    implies: tuple[str, ...] = ()
    refuted_by: tuple[str, ...] = ()
    judge: str = ""
    cost: str = ""
    assumes: tuple[str, ...] = ()
    source: str


CONVERGENCE: Final = (
    Consistency(
        id="eventual.visibility",
        words="in the end every acknowledged update shows at every replica, and all read the same, which somebody has written",
        axioms=("eventual-visibility",),
        refuted_by=("missing-update", "divergent-finals", "phantom", "duplicate"),
        judge="convergence.decision",
        cost="O(n), for n operations and elements read",
        assumes=(QUIET,),
        source=f"{BURCKHARDT}, 5.1",
    ),
    Consistency(
        id="eventual.strong",
        words="replicas that have the same updates have the same state, and every update reaches every replica",
        axioms=("strong-convergence",),
        implies=("eventual.visibility",),
        refuted_by=("divergent-states",),
        judge="convergence.decision",
        cost="O(n)",
        assumes=(QUIET, STATES),
        source="Shapiro, Preguica, Baquero and Zawirski, Conflict-Free Replicated Data Types, 2011",
    ),
)

SESSIONS: Final = (
    Consistency(
        id="session.read-your-writes",
        words="a session reads what it wrote, or something newer",
        axioms=("return-value", "read-your-writes"),
        refuted_by=("session-guarantee-cycle",),
        judge="sessions.decision",
        cost="O(n k log n)",
        assumes=(UNIQUE,),
        source=f"{TERRY}; {VIOTTI}, 3.3",
    ),
    Consistency(
        id="session.monotonic-reads",
        words="a session never reads anything older than what it has read",
        axioms=("return-value", "monotonic-reads"),
        refuted_by=("session-guarantee-cycle",),
        judge="sessions.decision",
        cost="O(n k log n)",
        assumes=(UNIQUE,),
        source=f"{TERRY}; {VIOTTI}, 3.3",
    ),
    Consistency(
        id="session.monotonic-writes.weak",
        words="a session's writes are ordered as it made them",
        axioms=("return-value", "monotonic-writes-weak"),
        refuted_by=("session-guarantee-cycle",),
        judge="sessions.decision",
        cost="O(n k log n)",
        assumes=(UNIQUE,),
        source=f"{VIOTTI}, 3.3",
    ),
    Consistency(
        id="session.monotonic-writes",
        words="a session's writes take effect in its order, everywhere",
        axioms=("monotonic-writes",),
        implies=("session.monotonic-writes.weak",),
        refuted_by=("session-guarantee-cycle",),
        judge="sessions.decision",
        cost="O(n k log n)",
        assumes=(UNIQUE,),
        source=f"{TERRY}; {VIOTTI}, 3.3",
    ),
    Consistency(
        id="session.writes-follow-reads.weak",
        words="a write is ordered after all that its session had read",
        axioms=("return-value", "writes-follow-reads-weak"),
        refuted_by=("session-guarantee-cycle",),
        judge="sessions.decision",
        cost="O(n k log n)",
        assumes=(UNIQUE,),
        source=f"{VIOTTI}, 3.3",
    ),
    Consistency(
        id="session.writes-follow-reads",
        words="a write takes effect after all that its session had read, everywhere",
        axioms=("writes-follow-reads",),
        implies=("session.writes-follow-reads.weak",),
        refuted_by=("session-guarantee-cycle",),
        judge="sessions.decision",
        cost="O(n k log n)",
        assumes=(UNIQUE,),
        source=f"{TERRY}; {VIOTTI}, 3.3",
    ),
    Consistency(
        id="session.three.local",
        words="read-your-writes, monotonic reads and monotonic writes, for each session by itself",
        refuted_by=("session-guarantee-cycle",),
        judge="sessions.decision",
        cost="O(n k log n)",
        assumes=(UNIQUE,),
        source=VIOTTI,
    ),
    Consistency(
        id="session.three.global",
        words="read-your-writes, monotonic reads and monotonic writes, with one order of writes for all",
        implies=(
            "session.three.local",
            "session.read-your-writes",
            "session.monotonic-reads",
            "session.monotonic-writes",
        ),
        refuted_by=("session-guarantee-cycle",),
        judge="sessions.decision",
        cost="O(n k log n)",
        assumes=(UNIQUE,),
        source=VIOTTI,
    ),
    Consistency(
        id="session.four.local",
        words="all four session guarantees, for each session by itself",
        implies=("session.three.local", "causal.weak"),
        refuted_by=("session-guarantee-cycle",),
        judge="sessions.decision",
        cost="O(n k log n)",
        assumes=(UNIQUE,),
        source=VIOTTI,
    ),
    Consistency(
        id="fifo.slow",
        words="each session has, for each key, one order of the writes of every session that explains its reads",
        axioms=("key-views",),
        refuted_by=(
            "cyclic-view",
            "view-initial-read",
            "thin-air-read",
            "own-future-read",
            "G1a",
            "internal-read",
            "G1b",
        ),
        judge="causality.views",
        cost="O(n k) while views agree, O(n² k²) at worst",
        assumes=(UNIQUE,),
        source="Hutto and Ahamad, Slow Memory, 1990",
    ),
    Consistency(
        id="fifo.pram",
        words="each session has one order of all writes, those of each session in its order, that explains its reads",
        axioms=("session-views",),
        implies=("fifo.slow", "session.three.local"),
        refuted_by=("cyclic-view", "view-initial-read"),
        judge="causality.views",
        cost="O(n k) while views agree, O(n² k²) at worst",
        assumes=(UNIQUE,),
        source=LIPTON,
    ),
)

CAUSALITY: Final = (
    Consistency(
        id="causal.no-circularity",
        words="nothing is read that was written because of the read, and nothing that nobody wrote",
        axioms=("no-circular-causality",),
        refuted_by=("cyclic-causality", "thin-air-read", "own-future-read", "G1a"),
        judge="causality.decision",
        cost="O(n)",
        assumes=(UNIQUE,),
        source=f"{BURCKHARDT}, 5.1",
    ),
    Consistency(
        id="causal.weak",
        words="what a read returns is explained by its causal past",
        axioms=("causal-past",),
        implies=("causal.no-circularity",),
        refuted_by=("overwritten-initial-read", "overwritten-read", "internal-read", "G1b"),
        judge="causality.decision",
        cost="O(n k)",
        assumes=(UNIQUE,),
        source=f"{BOUAJJANI}, CC",
    ),
    Consistency(
        id="causal.memory",
        words="what all reads of a session return is explained by one order of its causal past",
        axioms=("causal-views",),
        implies=("fifo.pram", "session.four.local"),
        refuted_by=("cyclic-view", "view-initial-read"),
        judge="causality.views",
        cost="O(n k) while views agree, O(n² k²) at worst",
        assumes=(UNIQUE,),
        source=f"Ahamad et al., Causal Memory, 1995; {BOUAJJANI}, CM",
    ),
    Consistency(
        id="causal.convergence",
        words="what reads return is explained by their causal past and one order of all writes",
        axioms=("causal-visibility", "causal-arbitration"),
        implies=("causal.weak", "session.three.global", "session.writes-follow-reads"),
        refuted_by=("cyclic-arbitration",),
        judge="causality.decision",
        cost="O(n k)",
        assumes=(UNIQUE,),
        source=f"{BOUAJJANI}, CCv; {BURCKHARDT}, 5.2; equal to all four session guarantees with one order of writes",
    ),
    Consistency(
        id="causal.real-time",
        words="causal convergence, and what returned before another began is arbitrated before it",
        axioms=("real-time",),
        implies=("causal.convergence",),
        refuted_by=("cyclic-time",),
        judge="causality.decision",
        cost="O(n k)",
        assumes=(UNIQUE, CLOCK),
        source="Mahajan, Alvisi and Dahlin, Consistency, Availability, and Convergence, 2011",
    ),
)

ODD_READS: Final = ("thin-air-read", "own-future-read", "G1a", "internal-read", "G1b")
"""The anomalies of reads that no write of another operation explains."""

REGISTERS: Final = (
    Consistency(
        id="register.safe",
        words="a read that overlaps no write returns the last one",
        refuted_by=("stale-read", "future-read", *ODD_READS),
        judge="staleness",
        cost="O(n log n)",
        assumes=(UNIQUE, CLOCK),
        source=LAMPORT,
    ),
    Consistency(
        id="register.regular",
        words="a read returns the last write before it, or one that overlaps it",
        implies=("register.safe",),
        judge="staleness",
        cost="O(n log n)",
        assumes=(UNIQUE, CLOCK),
        source=LAMPORT,
    ),
    Consistency(
        id="register.t-visible",
        words="a read returns the last write that it sees, in real time, and sees all that returned some bounded time before",
        axioms=("return-value", "timed-visibility", "real-time"),
        refuted_by=("overwritten-initial-read", "overwritten-read", "cyclic-arbitration", "future-read", *ODD_READS),
        judge="staleness",
        cost="O(n log n) for each bound tried, at most 62",
        assumes=(UNIQUE, CLOCK),
        source="Torres-Rojas, Ahamad and Raynal, Timed Consistency for Shared Distributed Objects, 1999",
    ),
    Consistency(
        id="register.k-atomic",
        words="a read returns one of the last k writes, in one order that respects real time",
        refuted_by=("zone-overlap", "future-read", *ODD_READS),
        judge="staleness",
        cost="O(n log n) for k = 1, O(n c) for k = 2 and c writes at once, exponential at worst for more",
        assumes=(UNIQUE, CLOCK),
        source="Aiyer, Alvisi and Bazzi, On the Availability of Non-strict Quorum Systems, 2005",
    ),
    Consistency(
        id="register.delta-atomic",
        words="reads are those of a linearizable register some bounded time ago",
        refuted_by=("zone-overlap", "future-read", *ODD_READS),
        judge="staleness",
        cost="O(n log n) for each bound tried, at most 62",
        assumes=(UNIQUE, CLOCK),
        source="Golab, Li and Shah, Analyzing Consistency Properties for Fun and Profit, 2011",
    ),
    Consistency(
        id="sequential.per-key",
        words="for each key there is one order of all operations that keeps sessions",
        implies=("fifo.slow",),
        refuted_by=("cyclic-view",),
        assumes=(UNIQUE,),
        source="Goodman, Cache Consistency and Sequential Consistency, 1989",
    ),
    Consistency(
        id="sequential",
        words="there is one order of all operations that keeps sessions",
        axioms=("session-order", "single-order"),
        implies=("sequential.per-key", "causal.memory", "causal.convergence"),
        cost="NP-complete",
        assumes=(UNIQUE,),
        source="Lamport, How to Make a Multiprocessor Computer That Correctly Executes Multiprocess Programs, 1979",
    ),
    Consistency(
        id="linearizable",
        words="there is one order of all operations that keeps real time",
        axioms=("real-time", "single-order"),
        implies=(
            "sequential",
            "causal.real-time",
            "register.regular",
            "register.t-visible",
            "register.k-atomic",
            "register.delta-atomic",
        ),
        refuted_by=("zone-overlap",),
        judge="linearizability",
        cost="near-linear for registers with unique writes, exponential at worst",
        assumes=(CLOCK,),
        source="Herlihy and Wing, Linearizability: A Correctness Condition for Concurrent Objects, 1990",
    ),
)

ISOLATION: Final = (
    Consistency(
        id="isolation.read-uncommitted",
        words="transactions write in one order",
        refuted_by=("G0",),
        cost="O(n)",
        assumes=(TRANSACTIONS, VERSIONS),
        source=f"{ADYA}, PL-1",
    ),
    Consistency(
        id="isolation.read-committed",
        words="transactions read only what was committed",
        axioms=("committed-reads",),
        implies=("isolation.read-uncommitted",),
        refuted_by=("G1a", "G1b", "G1c"),
        cost="O(n)",
        assumes=(TRANSACTIONS, VERSIONS),
        source=f"{ADYA}, PL-2",
    ),
    Consistency(
        id="isolation.read-committed.monotonic",
        words="within a transaction, what was read from another one stays visible",
        implies=("isolation.read-committed",),
        refuted_by=("non-monotonic-read",),
        cost="O(n^1.5)",
        assumes=(TRANSACTIONS, UNIQUE),
        source=f"{BISWAS}, RC; {ADYA}, PL-2L",
    ),
    Consistency(
        id="isolation.cursor-stability",
        words="what a cursor stands on is not overwritten under it",
        implies=("isolation.read-committed",),
        refuted_by=("lost-update",),
        cost="O(n)",
        assumes=(TRANSACTIONS, VERSIONS),
        source=f"{ADYA}, PL-CS",
    ),
    Consistency(
        id="isolation.read-atomic",
        words="a transaction sees all of another one, or nothing",
        axioms=("external-reads",),
        implies=("isolation.read-committed.monotonic",),
        refuted_by=("fractured-read",),
        cost="O(n^1.5)",
        assumes=(TRANSACTIONS, UNIQUE),
        source="Bailis et al., Scalable Atomic Visibility with RAMP Transactions, 2014",
    ),
    Consistency(
        id="isolation.update-atomic",
        words="read atomic, and no update is lost",
        axioms=("no-conflict",),
        implies=("isolation.read-atomic", "isolation.cursor-stability"),
        refuted_by=("lost-update",),
        cost="O(n^1.5)",
        assumes=(TRANSACTIONS, UNIQUE),
        source=CERONE,
    ),
    Consistency(
        id="isolation.causal",
        words="causal convergence of transactions: a transaction sees whole transactions, and all of its causes",
        axioms=("causal-visibility", "causal-arbitration"),
        implies=("isolation.read-atomic", "causal.convergence"),
        judge="causality.decision",
        cost="O(n k)",
        assumes=(TRANSACTIONS, UNIQUE),
        source=f"{BISWAS}, CC; {CERONE}",
    ),
    Consistency(
        id="isolation.consistent-view",
        words="a transaction never sees another's effect and misses something that the other rests on",
        implies=("isolation.cursor-stability",),
        refuted_by=("G-single",),
        cost="O(n)",
        assumes=(TRANSACTIONS, VERSIONS),
        source=f"{ADYA}, PL-2+",
    ),
    Consistency(
        id="isolation.snapshot.parallel",
        words="causal, and of two transactions that write the same key one saw the other",
        axioms=("no-conflict",),
        implies=("isolation.causal", "isolation.update-atomic", "isolation.consistent-view"),
        refuted_by=("G-single-session",),
        cost="O(n) with known versions",
        assumes=(TRANSACTIONS, VERSIONS),
        source=f"Sovran et al., Transactional Storage for Geo-Replicated Systems, 2011; {CERONE}",
    ),
    Consistency(
        id="isolation.prefix",
        words="a transaction sees a prefix of one order of all transactions",
        axioms=("prefix",),
        implies=("isolation.causal",),
        refuted_by=("long-fork",),
        cost="O(n) with known versions, NP-complete without",
        assumes=(TRANSACTIONS, VERSIONS),
        source=f"{BISWAS}, PC; {CERONE}",
    ),
    Consistency(
        id="isolation.snapshot",
        words="a transaction reads from a snapshot, and of two concurrent ones that write the same key one aborts",
        axioms=("prefix", "no-conflict"),
        implies=("isolation.consistent-view",),
        refuted_by=("G-nonadjacent",),
        cost="O(n) with known versions, NP-complete without",
        assumes=(TRANSACTIONS, VERSIONS),
        source="Berenson et al., A Critique of ANSI SQL Isolation Levels, 1995",
    ),
    Consistency(
        id="isolation.snapshot.strong-session",
        words="snapshot isolation, whose snapshots hold what the session did before",
        axioms=("session-order",),
        implies=("isolation.snapshot", "isolation.snapshot.parallel", "isolation.prefix"),
        refuted_by=("G-nonadjacent-session",),
        cost="O(n) with known versions",
        assumes=(TRANSACTIONS, VERSIONS),
        source="Daudjee and Salem, Lazy Database Replication with Snapshot Isolation, 2006",
    ),
    Consistency(
        id="isolation.snapshot.strong",
        words="snapshot isolation, whose snapshots hold all that was committed before",
        axioms=("real-time",),
        implies=("isolation.snapshot.strong-session",),
        refuted_by=("G2-realtime",),
        cost="O(n) with known versions",
        assumes=(TRANSACTIONS, VERSIONS, CLOCK),
        source="Daudjee and Salem, Lazy Database Replication with Snapshot Isolation, 2006",
    ),
    Consistency(
        id="isolation.repeatable-read",
        words="serializable, but for predicates",
        implies=("isolation.cursor-stability",),
        refuted_by=("G2-item",),
        cost="O(n) with known versions, NP-complete without",
        assumes=(TRANSACTIONS, VERSIONS),
        source=f"{ADYA}, PL-2.99",
    ),
    Consistency(
        id="isolation.update-serializable",
        words="the transactions that write are serializable, and each that only reads fits in, by itself",
        implies=("isolation.consistent-view",),
        refuted_by=("G-single",),
        cost="O(n) with known versions",
        assumes=(TRANSACTIONS, VERSIONS),
        source=f"{ADYA}, PL-3U",
    ),
    Consistency(
        id="isolation.serializable",
        words="there is one order of all transactions",
        axioms=("single-order",),
        implies=("isolation.snapshot", "isolation.repeatable-read", "isolation.update-serializable"),
        refuted_by=("G2-item",),
        cost="O(n) with known versions, NP-complete without",
        assumes=(TRANSACTIONS, VERSIONS),
        source=f"Papadimitriou, The Serializability of Concurrent Database Updates, 1979; {ADYA}, PL-3",
    ),
    Consistency(
        id="isolation.serializable.strong-session",
        words="there is one order of all transactions that keeps sessions",
        axioms=("session-order",),
        implies=("isolation.serializable", "isolation.snapshot.strong-session", "sequential"),
        refuted_by=("G2-session",),
        cost="O(n) with known versions, NP-complete without",
        assumes=(TRANSACTIONS, VERSIONS),
        source="Daudjee and Salem, Lazy Database Replication with Ordering Guarantees, 2004",
    ),
    Consistency(
        id="isolation.serializable.strict",
        words="there is one order of all transactions that keeps real time",
        axioms=("real-time",),
        implies=("isolation.serializable.strong-session", "isolation.snapshot.strong", "linearizable"),
        refuted_by=("G2-realtime",),
        cost="O(n) with known versions, NP-complete without",
        assumes=(TRANSACTIONS, VERSIONS, CLOCK),
        source="Papadimitriou, The Serializability of Concurrent Database Updates, 1979",
    ),
)

MODELS: Final[Mapping[str, Consistency]] = {
    model.id: model for model in (*CONVERGENCE, *SESSIONS, *CAUSALITY, *REGISTERS, *ISOLATION)
}
"""Every consistency model by id; weaker ones first within each family."""
