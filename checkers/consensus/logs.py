"""Raft's properties of the log (Ongaro and Ousterhout, 'In Search of an Understandable Consensus Algorithm', 5.3 and 5.4)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final, NamedTuple

from ...histories.trace import LIFECYCLE, Note
from ...histories.values import to_json
from ..change import Change, Log
from ..entries import Held, Prefix
from ..notes import number, tell
from ..verdict import Anomaly
from .changes import LogProperty


class LeaderAppendOnly(LogProperty):
    """A leader never deletes or overwrites an entry of its own log.

    A node leads from its `leads` until it notes a higher term, or crashes.
    """

    name = "leader-append-only"
    looks_at = ("leads", "appended")

    def __init__(self, *, nodes: Sequence[str] = ()) -> None:
        super().__init__(nodes=nodes)
        self._leads: dict[str, Note] = {}

    def judge(self, note: Note, change: Change) -> Anomaly | None:
        """Take in a note; what a leader does to its log is judged."""
        kind = note.kind
        if kind == "leads":
            self._leads[note.node] = note
        if kind not in REWRITES:
            leads = self._leads.get(note.node)
            if leads is not None and (kind in LIFECYCLE or _is_in_higher_term(note, than=leads)):
                del self._leads[note.node]
            return None
        leads = self._leads.get(note.node)
        if leads is None:
            return None
        self.judged += 1
        return None if change.lost_from is None else _rewrites(leads, note, change)


REWRITES: Final = frozenset({"appended", "truncated", "installed"})
"""The notes by which a node that is up changes its log."""


def _is_in_higher_term(note: Note, *, than: Note) -> bool:
    return note.kind in {"term", "voted", "restored"} and number(note, "term") > number(than, "term")


def _rewrites(leads: Note, note: Note, change: Change) -> Anomaly:
    deed = "overwrites" if note.kind == "appended" else "deletes"
    headline = (
        f"{note.node} leads in term {number(leads, 'term')}, and {deed} its log from index {change.lost_from} on:"
    )
    lost = [held.note for held in change.lost[:1]]
    return tell(
        f"leader-{deed}", headline, leads, *lost, note, because="A leader only appends to its log while it leads."
    )


class LogMatching(LogProperty):
    """Two logs with an entry of the same index and term are the same up to there.

    The logs of any two moments are compared: what an index and a term stand for never changes, because only the leader
    of that term made it. Equal prefixes are one object, so that each note costs one look-up.
    """

    name = "log-matching"
    looks_at = ("appended",)

    def __init__(self, *, nodes: Sequence[str] = ()) -> None:
        super().__init__(nodes=nodes)
        self._first: dict[tuple[int, int], Held] = {}

    def judge(self, note: Note, change: Change) -> Anomaly | None:
        """Take in a note; each entry put into a log is held against the first of its index and term."""
        for held in change.placed:
            self.judged += 1
            anomaly = self._compare(held, note)
            if anomaly is not None:
                return anomaly
        return None

    def _compare(self, held: Held, note: Note) -> Anomaly | None:
        where = held.index, held.term
        first = self._first.setdefault(where, held)
        if first is held or (first.prefix is held.prefix and held.prefix is not None):
            return None
        if not first.is_same_entry(held):
            return _two_entries(first, held)
        if first.prefix is None:
            self._first[where] = held
        elif held.prefix is not None and held.prefix is not first.prefix:
            return _two_prefixes(first, held, note)
        return None


def _two_entries(first: Held, second: Held) -> Anomaly:
    return tell(
        "two-entries",
        f"At index {first.index}, term {first.term}, {first.note.node} has {to_json(first.command)} "
        f"and {second.note.node} has {to_json(second.command)}:",
        first.note,
        second.note,
        because="An index and a term stand for one entry.",
    )


def _two_prefixes(first: Held, second: Held, last: Note) -> Anomaly:
    mine, theirs = _lowest_difference(first.prefix, second.prefix)
    notes = dict.fromkeys((first.note, second.note, last))
    return tell(
        "two-prefixes",
        f"{first.note.node} has the entry of index {first.index}, term {first.term}, above {_describe(mine)}; "
        f"{second.note.node} has it above {_describe(theirs)}:",
        *notes,
        because="Logs that share an entry are the same up to it.",
    )


def _lowest_difference(left: Prefix | None, right: Prefix | None) -> tuple[Prefix | None, Prefix | None]:
    """The entries at the lowest index where two logs differ; None for a log that has none there."""
    lefts, rights = _entries(left), _entries(right)
    for index in sorted({*lefts, *rights}):
        mine, theirs = lefts.get(index), rights.get(index)
        if mine is not theirs:
            return mine, theirs
    return None, None


def _entries(prefix: Prefix | None) -> Mapping[int, Prefix]:
    entries = {}
    while prefix is not None:
        entries[prefix.index] = prefix
        prefix = prefix.below
    return entries


def _describe(entry: Prefix | None) -> str:
    if entry is None:
        return "a log that has nothing there"
    return f"{to_json(entry.command)} of term {entry.term} at index {entry.index}"


class _Commit(NamedTuple):
    """An entry, the lowest term in which a node noted that it is committed, and that note."""

    held: Held
    term: int
    note: Note


class _Election(NamedTuple):
    """The log of a leader at the moment when it began to lead."""

    term: int
    note: Note
    log: Log


class LeaderCompleteness(LogProperty):
    """An entry that is committed in a term is in the log of every leader of a higher term, from its election on.

    The term that counts is not the entry's. `committed` says how far a node knows its log to be committed, which was the
    case in its current term at the latest; so every leader of a higher term must have all of that. It makes no difference
    whether the commit or the election was noted first.
    """

    name = "leader-completeness"
    looks_at = ("committed", "leads", "appended")

    def __init__(self, *, nodes: Sequence[str] = ()) -> None:
        super().__init__(nodes=nodes)
        self._commits: dict[Any, _Commit] = {}
        self._elections: list[_Election] = []
        self._highest_term = 0

    def judge(self, note: Note, change: Change) -> Anomaly | None:
        """Take in a note; commits are held against elections, and elections against commits."""
        if change.elected is not None:
            return self._elect(_Election(number(note, "term"), note, change.elected))
        return self._commit(note, change.term, change.committed) if change.term is not None else None

    def _elect(self, election: _Election) -> Anomaly | None:
        self._elections.append(election)
        self._highest_term = max(self._highest_term, election.term)
        return self._first_gap(self._commits.values(), [election])

    def _commit(self, note: Note, term: int, committed: Sequence[Held]) -> Anomaly | None:
        news = [_Commit(held, term, note) for held in committed if self._is_news(held, term)]
        self._commits.update({_key(commit.held): commit for commit in news})
        return self._first_gap(news, self._elections) if term < self._highest_term else None

    def _is_news(self, held: Held, term: int) -> bool:
        known = self._commits.get(_key(held))
        return known is None or term < known.term

    def _first_gap(self, commits: Iterable[_Commit], elections: Sequence[_Election]) -> Anomaly | None:
        for commit in commits:
            for election in elections:
                if election.term > commit.term:
                    self.judged += 1
                    if _is_missing(commit.held, election):
                        return _incomplete(commit, election)
        return None


def _key(held: Held) -> Any:
    """The same for the same entry above the same log."""
    return held.entry if held.prefix is None else held.prefix


def _is_missing(held: Held, election: _Election) -> bool:
    there = election.log.known.get(held.index)
    if there is None:
        return held.index not in election.log.unknown
    return not held.is_same_entry(there)


def _incomplete(commit: _Commit, election: _Election) -> Anomaly:
    index, leader = commit.held.index, election.note.node
    there = election.log.known.get(index)
    has = f"has {to_json(there.command)} of term {there.term}" if there else "has nothing"
    notes = [commit.held.note, commit.note, *([there.note] if there else []), election.note]
    return tell(
        "incomplete-leader",
        f"{to_json(commit.held.command)} of term {commit.held.term} is committed at index {index} in term {commit.term} "
        f"at the latest, and {leader}, elected in term {election.term}, {has} there:",
        *notes,
        because="What is committed in a term is in the log of the leader of every higher term.",
    )
