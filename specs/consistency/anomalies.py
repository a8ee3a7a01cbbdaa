"""What histories show that consistency models forbid. Judges name their anomalies by these."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import msgspec


class AnomalyKind(msgspec.Struct, frozen=True):
    """A kind of anomaly.

    Attributes:
        name: in kebab case.
        shape: what a history must hold to show it; `wr` is read-from, `ww` the order of versions, `rw` a read and the write
            that overwrote what it returned.
        words: the same in a sentence.
    """

    name: str
    shape: str
    words: str


ANOMALIES: Final[Mapping[str, AnomalyKind]] = {
    kind.name: kind
    for kind in (
        # causality (Bouajjani, Enea, Guerraoui and Hamza, "On verifying causal consistency", 2017, section 4)
        AnomalyKind("cyclic-causality", "so U wr has a cycle", "an operation is its own cause"),
        AnomalyKind("thin-air-read", "r returns a value that nobody wrote", "a value comes from nowhere"),
        AnomalyKind("internal-read", "t writes x, then reads another value of x", "a transaction does not read what it wrote itself"),
        AnomalyKind("own-future-read", "t reads a value of x that only t writes, later", "a transaction reads what it has not yet written"),
        AnomalyKind(
            "overwritten-initial-read",
            "w(x) hb r(x, initial)",
            "the initial value is read by someone who knows of a write",
        ),
        AnomalyKind("overwritten-read", "w hb w'(x) hb r(x) reading w", "a read returns what its own past has overwritten"),
        AnomalyKind("cyclic-arbitration", "hb U { w' -> w : w' hb r reading w } has a cycle", "no single order of the writes suits all reads"),
        AnomalyKind("cyclic-time", "hb U rb U { w' -> w : w' hb r reading w } has a cycle", "no single order that keeps real time suits all reads"),
        AnomalyKind("cyclic-view", "the view of one session has a cycle", "no order of the writes suits the reads of one session"),
        AnomalyKind("view-initial-read", "w(x) comes before r(x, initial) in the view of its session", "the initial value is read in a session whose reads imply an earlier write"),
        # sessions
        AnomalyKind("session-guarantee-cycle", "the writes that some guarantees order have a cycle", "the guarantees, taken together, contradict what was read"),
        # staleness
        AnomalyKind("stale-read", "w rb w'(x) rb r(x) reading w", "a read returns what had been overwritten before it began"),
        AnomalyKind("future-read", "r reads w, and r rb w", "a read returns what was written after it had ended"),
        AnomalyKind("zone-overlap", "two clusters of operations on x each end before the other can begin", "operations on a register fit into no order of its values"),
        # convergence
        AnomalyKind("missing-update", "a final read does not show an acknowledged update", "an update does not reach everybody"),
        AnomalyKind("divergent-finals", "two final reads differ", "replicas disagree at the end"),
        AnomalyKind("phantom", "r shows an element that nobody had begun to add", "an element comes from nowhere"),
        AnomalyKind("duplicate", "r shows an element more often than it was added", "an update takes effect twice"),
        AnomalyKind("divergent-states", "the same updates, and another state", "replicas that have the same updates differ"),
        # isolation (Adya, "Weak Consistency", 1999, chapter 3, and later work)
        AnomalyKind("G0", "ww cycle", "two transactions overwrite each other"),
        AnomalyKind("G1a", "r reads an aborted write", "a transaction reads what was never committed"),
        AnomalyKind("G1b", "r reads a write that its transaction overwrote", "a transaction reads an intermediate value"),
        AnomalyKind("G1c", "cycle of ww and wr", "two transactions see each other's effects"),
        AnomalyKind("non-monotonic-read", "t reads from u, then reads a key as it was before u", "a transaction goes back in time"),
        AnomalyKind("fractured-read", "t reads from u, and reads another key of u as it was before", "a transaction sees half of another"),
        AnomalyKind("lost-update", "two transactions read the same version of x, and both write x", "an update is overwritten by one that had not seen it"),
        AnomalyKind("G-single", "cycle with one rw", "a transaction sees another's effects and misses them, too"),
        AnomalyKind("long-fork", "two readers order two writers in opposite ways", "two observers disagree about what came first"),
        AnomalyKind("G-nonadjacent", "cycle whose rw edges are never adjacent", "no assignment of snapshots explains the reads"),
        AnomalyKind("G2-item", "cycle with rw edges", "transactions miss each other's effects"),
        AnomalyKind("G-nonadjacent-session", "G-nonadjacent with so", "no assignment of snapshots explains the reads and keeps sessions"),
        AnomalyKind("G-single-session", "G-single with so", "a session's own past is missed"),
        AnomalyKind("G2-session", "cycle with rw and so", "transactions fit into no order that keeps sessions"),
        AnomalyKind("G2-realtime", "cycle with rw and rb", "transactions fit into no order that keeps real time"),
    )
}  # fmt: skip
"""Every kind of anomaly by name."""
