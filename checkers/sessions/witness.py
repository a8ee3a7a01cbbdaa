"""What shows that session guarantees hold: who sees how far into each session, and the order of writes; with its recheck."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ...histories.history import History
from ..reads_from import INITIAL, Numbers, ReadsFrom
from .execution import Explanation
from .guarantees import Guarantees

Limits = npt.NDArray[np.int32]


@dataclass(frozen=True, eq=False)
class SessionWitness:
    """An explanation of the reads of a history.

    A read sees what it returned and, session by session, the writes that the session's reads before one place returned, and
    the writes that the session made before another place.

    Attributes:
        wanted: the guarantees that hold.
        explanation: who sees what, and the order of the writes; it may show more guarantees than are wanted.
    """

    wanted: Guarantees
    explanation: Explanation

    def recheck(self, history: History) -> None:
        """Check it against the definition. O(n k²) for n reads and writes of k sessions.

        Raises:
            ValueError: it does not show that the guarantees hold for this history.
        """
        sight = self.explanation.sight
        if history is not sight.traced.history and history != sight.traced.history:
            raise ValueError("the witness is of another history")
        table = _Table(sight.traced, sight.limits)
        table.check_visibility(self.wanted)
        sessions = np.unique(sight.traced.session[sight.traced.reads[:, 0]])
        orders = self.explanation.orders
        for number, order in enumerate(orders):
            table.check_order(self.wanted, order, None if len(orders) == 1 else int(sessions[number]))


def _demand(holds: bool, what: str) -> None:  # noqa: FBT001  # a condition and what is wrong without it
    if not holds:
        raise ValueError(f"the witness does not hold: {what}")


class _Table:
    """Rows by session and place, with what each reader sees: of each session, the reads and the writes before two places."""

    def __init__(self, traced: ReadsFrom, limits: Limits) -> None:
        self.traced = traced
        definite = traced.is_definite
        names = np.unique(traced.session[definite])
        self.sessions = len(names)
        self.limits = limits[:, : 2 * len(names)]
        order = np.lexsort((traced.position, traced.session))
        is_reader, is_writer = (np.isin(order, table[:, 0]) for table in (traced.reads, traced.writes))
        self.readers = order[is_reader]
        self.row_of = np.full(len(traced), -1)
        self.row_of[self.readers] = np.arange(len(self.readers))
        self.column = np.minimum(np.searchsorted(names, traced.session), len(names))
        self.column[~np.isin(traced.session, names)] = len(names)
        self.readers_of, self.writers_of = (
            [rows[traced.session[rows] == name] for name in names]
            for rows in (order[is_reader & definite[order]], order[is_writer & definite[order]])
        )

    def _count(self, members: Numbers, limit: Numbers | Limits) -> Numbers:
        """How many of a session's members stand before a place."""
        found: Numbers = np.searchsorted(self.traced.position[members], limit)
        return found

    def _here(self, rows: Numbers, session: int) -> Numbers:
        found: Numbers = rows[self.column[rows] == session]
        return found

    # --- visibility

    def check_visibility(self, wanted: Guarantees) -> None:
        """What each read sees is closed under the rules of the guarantees."""
        for session in range(self.sessions):
            here = self._here(self.readers, session)
            if wanted.own:
                self._sees_before(here, self.writers_of[session], self.sessions + session, "read-your-writes")
            if wanted.carry:
                self._sees_before(here, self.readers_of[session], session, "monotonic reads")
                self._covers(
                    here, self._seen_by(session), self._count(self.readers_of[session], self.traced.position[here])
                )
        if wanted.together or wanted.joined:
            self._check_writes(self._needs(wanted))

    def _sees_before(self, rows: Numbers, members: Numbers, column: int, what: str) -> None:
        count = self._count(members, self.traced.position[rows])
        some = count > 0
        last = self.traced.position[members[count[some] - 1]]
        _demand(bool(np.all(self.limits[self.row_of[rows[some]], column] > last)), what)

    def _seen_by(self, session: int) -> Limits:
        """What the reads of a session see, all up to each of them taken together."""
        found: Limits = np.maximum.accumulate(self.limits[self.row_of[self.readers_of[session]]], axis=0)
        return found

    def _covers(self, rows: Numbers, sums: Limits, count: Numbers) -> None:
        """Each row sees at least what the first so many of the members see."""
        some = count > 0
        holds = bool(np.all(self.limits[self.row_of[rows[some]]] >= sums[count[some] - 1]))
        _demand(holds, "who sees something does not see what comes with it")

    def _needs(self, wanted: Guarantees) -> Limits:
        """Of each transaction that writes: how far whoever sees it must see."""
        need = np.zeros((len(self.traced), 2 * self.sessions), dtype=np.int32)
        writers = np.unique(self.traced.writes[:, 0])
        for session in range(self.sessions):
            here = self._here(writers, session)
            for is_wanted, members, column in (
                (wanted.joined, self.readers_of[session], session),
                (wanted.together, self.writers_of[session], self.sessions + session),
            ):
                if is_wanted:
                    count = self._count(members, self.traced.position[here])
                    some, last = here[count > 0], count[count > 0] - 1
                    if column == session:
                        need[some] = np.maximum(need[some], self._seen_by(session)[last])
                    need[some, column] = np.maximum(need[some, column], self.traced.position[members[last]] + 1)
        return need

    def _check_writes(self, need: Limits) -> None:
        """Whoever sees a write sees what that needs."""
        of_reader = np.zeros_like(self.limits)
        reader, _, source = self.traced.reads[self.traced.reads[:, 2] != INITIAL].T
        np.maximum.at(of_reader, self.row_of[reader], need[source])
        _demand(bool(np.all(self.limits >= of_reader)), "who read a write does not see what comes with it")
        for session in range(self.sessions):
            readers, writers = self.readers_of[session], self.writers_of[session]
            for column, members, needed in (
                (session, readers, of_reader[self.row_of[readers]]),
                (self.sessions + session, writers, need[writers]),
            ):
                sums = np.maximum.accumulate(needed, axis=0)
                self._covers(self.readers, sums, self._count(members, self.limits[:, column]))

    # --- arbitration

    def check_order(self, wanted: Guarantees, order: Numbers, session: int | None) -> None:
        """The order of writes is one that the guarantees allow, and it explains the reads, or those of one session."""
        writers = np.unique(self.traced.writes[:, 0])
        _demand(np.array_equal(np.sort(order), writers), "the order is not one of all writes")
        rank = np.full(len(self.traced) + 1, -1)  # of INITIAL, too
        rank[order] = np.arange(len(order))
        latest = self._latest(rank)
        for each in range(self.sessions):
            here = self._here(writers, each)
            if wanted.ordered:
                self._after(here, self.writers_of[each], rank[self.writers_of[each]], rank)
            if wanted.following:
                self._after(here, self.readers_of[each], latest[self.row_of[self.readers_of[each]]], rank)
        self._check_returned(rank, session)

    def _after(self, writers: Numbers, members: Numbers, ranks: Numbers, rank: Numbers) -> None:
        count = self._count(members, self.traced.position[writers])
        some = count > 0
        highest = np.maximum.accumulate(ranks)[count[some] - 1]
        _demand(bool(np.all(rank[writers[some]] > highest)), "a write is ordered before what it must follow")

    def _latest(self, rank: Numbers) -> Numbers:
        """The rank of the last of all writes that each reader sees."""
        reader, _, source = self.traced.reads.T
        own = np.full(len(self.readers), -1)
        np.maximum.at(own, self.row_of[reader], rank[source])
        found = own.copy()
        for session in range(self.sessions):
            readers, writers = self.readers_of[session], self.writers_of[session]
            for column, members, ranks in (
                (session, readers, own[self.row_of[readers]]),
                (self.sessions + session, writers, rank[writers]),
            ):
                count = self._count(members, self.limits[:, column])
                sums = np.append(-1, np.maximum.accumulate(ranks))
                found = np.maximum(found, sums[count])
        return found

    def _check_returned(self, rank: Numbers, session: int | None) -> None:
        """Each read returned the last write of its key that it saw."""
        reader, key, source = self.traced.reads.T
        chosen = np.flatnonzero(
            np.ones(len(reader), np.bool_) if session is None else self.traced.session[reader] == session
        )
        members = self._by_key()
        found = np.full(len(chosen), -1)
        for column, (rows, at, keys) in enumerate(members):
            limit = self.limits[self.row_of[reader[chosen]], column]
            found = np.maximum(found, _last_of_key(rows, at, keys, rank, key[chosen], limit, reader[chosen]))
        beside = _beside(self.traced, rank)
        found = np.maximum(np.maximum(found, beside[chosen]), rank[source[chosen]])
        _demand(bool(np.array_equal(found, rank[source[chosen]])), "a read saw a write after the one that it returned")

    def _by_key(self) -> list[tuple[Numbers, Numbers, Numbers]]:
        """For what each session read, and for what it wrote: the writes, at which place, of which key."""
        writer, key = self.traced.writes.T
        reader, _, source = self.traced.reads.T
        keys_of: dict[int, list[int]] = {}
        for row, each in self.traced.writes.tolist():
            keys_of.setdefault(row, []).append(each)
        seen = [
            (row, int(self.traced.position[by]), each, int(self.column[by]))
            for by, row in zip(reader.tolist(), source.tolist(), strict=True)
            if row != INITIAL and self.traced.is_definite[by]
            for each in keys_of[row]
        ]
        table = np.array(seen, dtype=np.int64).reshape(-1, 4)
        read = [table[table[:, 3] == session, :3].T for session in range(self.sessions)]
        wrote = np.flatnonzero(self.traced.is_definite[writer])
        mine = [wrote[self.column[writer[wrote]] == session] for session in range(self.sessions)]
        written = [(writer[rows], self.traced.position[writer[rows]], key[rows]) for rows in mine]
        return [*((each[0], each[1], each[2]) for each in read), *written]


def _last_of_key(  # a list of writes, and reads that see a beginning of it
    rows: Numbers, at: Numbers, keys: Numbers, rank: Numbers, key: Numbers, limit: Limits, reader: Numbers
) -> Numbers:
    """The rank of the last write of its key that each reader sees in a list, its own aside; -1 where there is none."""
    order = np.lexsort((at, keys))
    rows, at, keys = rows[order], at[order], keys[order]
    stride = int(max(at.max(initial=0), limit.max(initial=0))) + 1
    first = np.searchsorted(keys, key)
    end = np.searchsorted(keys * stride + at, key * stride + limit)
    base = len(rank)
    highest = np.maximum.accumulate(keys * base + rank[rows]) - keys * base
    found = np.where(end > first, np.append(highest, -1)[end - 1], -1)
    for each in np.flatnonzero((found >= 0) & (found == rank[reader])).tolist():
        others = rows[first[each] : end[each]]
        found[each] = rank[others[others != reader[each]]].max(initial=-1)
    return found


def _beside(traced: ReadsFrom, rank: Numbers) -> Numbers:
    """For each read, the rank of the last write of its key among those from which its transaction read, or -1."""
    found = np.full(len(traced.reads), -1)
    written = {(row, key) for row, key in traced.writes.tolist()}
    several = np.bincount(traced.reads[:, 0], minlength=len(traced))[traced.reads[:, 0]] > 1
    sources: dict[int, list[int]] = {}
    for reader, _, source in traced.reads[several].tolist():
        sources.setdefault(reader, []).append(source)
    for at in np.flatnonzero(several).tolist():
        reader, key, _ = traced.reads[at].tolist()
        found[at] = max(
            (int(rank[each]) for each in sources[reader] if (each, key) in written and each != reader), default=-1
        )
    return found
