"""What a node keeps on disk, and the configuration that it reads from there (figure 2; §6, §7; thesis, 4.1).

A crash may leave the key that was being written unreadable. So whatever replaces something is written beside it, and the
old is erased when the new is durable: ballots and snapshots take turns between two keys, and an index of the log is empty
when an entry is written there.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from ...node import Context, Key, NodeId, Outbox
from .log import Log
from .messages import Ballot, Entry, Snapshot


class Configuration(NamedTuple):
    """The members from the entry at this index on; 0: those that the cluster was set up with."""

    log_index: int
    members: tuple[NodeId, ...]


class Stable:
    """A node as far as its disk goes.

    A node that is no member waits: for a log that makes it one.
    """

    def __init__(self, context: Context) -> None:
        self.id = context.id
        stored = context.stored
        self.ballot = newest_ballot(stored)
        self.term = self.ballot.term
        self.voted = self.ballot.voted
        self.founders = context.peers
        self.snapshot, self.turn = self.restored_snapshot(stored)
        self.log = self.restored_log(stored)
        self.leftovers = leftovers(stored, self.log)
        self.configurations = [self.configuration_of(self.snapshot)]
        for index in range(self.log.base + 1, self.log.last_index + 1):
            self.take_up(index, self.log[index].members)
        self.go_by(self.configurations[-1])

    def on_start(self, out: Outbox) -> None:
        """Say what is there again after a crash, and clear away what a crash kept from being erased."""
        if self.leftovers:
            self.vacate(self.leftovers, out)
        if self.ballot.number:
            out.note("restored", self.term, self.voted, self.log.last_index, self.snapshot.index)
        out.note("configured", *self.configurations[-1])

    # --- term and vote

    def persist_ballot(self, out: Outbox) -> None:
        """Figure 2: `currentTerm` and `votedFor` are on stable storage before any message says so."""
        self.ballot = self.next_ballot()
        out.store(("ballot", self.ballot.number % 2), self.ballot)
        out.sync()

    def next_ballot(self) -> Ballot:
        """Figure 2: a node that has lost its vote would vote again."""
        return Ballot(self.ballot.number + 1, self.term, self.voted)

    # --- the log

    def restored_log(self, stored: Mapping[Key, Any]) -> Log:
        """Figure 2: the log survives a crash; what is above a snapshot only if it goes on from there (§7)."""
        snapshot = self.snapshot
        log = Log(snapshot.index, snapshot.term)
        replaced = stored.get(("log", snapshot.index))
        if replaced is None or replaced.term == snapshot.term:
            while (entry := stored.get(("log", log.last_index + 1))) is not None:
                log.extend((entry,))
        return log

    def append(self, entries: Sequence[Entry], out: Outbox) -> None:
        """§5.3, figure 2: entries are on disk before anybody is answered. A configuration holds as soon as it is there."""
        first = self.log.last_index + 1
        self.log.extend(entries)
        self.persist_entries(first, entries, out)
        out.sync()
        for index, entry in enumerate(entries, first):
            out.note("appended", index, entry.term, entry.told)
            if entry.members is not None:
                self.take_up(index, entry.members)
                self.reconfigure(out)

    def persist_entries(self, first: int, entries: Iterable[Entry], out: Outbox) -> None:
        """Figure 2: `log[]` is on stable storage before any message says so."""
        for index, entry in enumerate(entries, first):
            out.store(("log", index), entry)

    def truncate(self, first: int, out: Outbox) -> None:
        """§5.3: delete a conflicting entry and all that follow it; a configuration among them gives way to the one before."""
        self.vacate([("log", index) for index in range(self.log.last_index, first - 1, -1)], out)
        self.log.truncate(first)
        out.note("truncated", first)
        if self.configurations[-1].log_index >= first:
            self.configurations = [each for each in self.configurations if each.log_index < first]
            self.reconfigure(out)

    def vacate(self, rows: Iterable[Key], out: Outbox) -> None:
        """Erase rows, and wait for the disk: an index must be empty when it is written again."""
        for row in rows:
            out.erase(row)
        out.sync()

    # --- the configuration

    def take_up(self, index: int, members: tuple[NodeId, ...] | None) -> None:
        """Thesis, 4.1: remember the configuration in an entry, if there is one."""
        if members is not None:
            self.configurations.append(Configuration(index, members))

    def reconfigure(self, out: Outbox) -> None:
        """Thesis, 4.1: go by the latest configuration in the log, whether it is committed or not."""
        self.go_by(self.configurations[-1])
        out.note("configured", *self.configurations[-1])

    def go_by(self, configuration: Configuration) -> None:
        """Thesis, 4.1: elections and commitment need a majority of these members."""
        self.members = configuration.members
        self.is_member = self.id in self.members
        self.others = tuple(member for member in self.members if member != self.id)
        self.majority = len(self.members) // 2 + 1

    def configuration_at(self, index: int) -> Configuration:
        """The configuration that holds at this index."""
        return next(each for each in reversed(self.configurations) if each.log_index <= index)

    def configuration_of(self, snapshot: Snapshot) -> Configuration:
        """§7: a snapshot holds the latest configuration up to its index."""
        return Configuration(snapshot.members_index, snapshot.members)

    # --- snapshots

    def restored_snapshot(self, stored: Mapping[Key, Any]) -> tuple[Snapshot, int]:
        """Thesis, 5.1: the newest snapshot that was written in full, and whose turn it was; at first nothing."""
        found = [(snapshot, turn) for turn in (0, 1) if (snapshot := stored.get(("snapshot", turn))) is not None]
        return max(found, key=lambda each: each[0].index, default=(Snapshot(0, 0, 0, self.founders), 0))

    def persist_snapshot(self, out: Outbox) -> None:
        """Thesis, 5.1: a snapshot is durable before the log gives way to it."""
        self.turn = 1 - self.turn
        out.store(("snapshot", self.turn), self.snapshot)
        out.sync()

    def give_way(self, snapshot: Snapshot, out: Outbox) -> None:
        """§7: a snapshot replaces the log up to its index; all of it, where the entry there is another one.

        What a snapshot stands for may stay on the disk until the next sync, and longer if there is a crash. Entries above it
        that do not go on from it go first, so that a crash leaves them only as long as it leaves the entry that tells.
        """
        self.snapshot = snapshot
        self.persist_snapshot(out)
        first, last, index = self.log.base + 1, self.log.last_index, snapshot.index
        later: list[Configuration] = []
        if self.log.holds(index, snapshot.term):
            self.log.compact(index)
            for row in range(first, index + 1):
                out.erase(("log", row))
            later = [each for each in self.configurations if each.log_index > index]
        else:
            self.log = Log(index, snapshot.term)
            self.vacate([("log", row) for row in range(last, first - 1, -1)], out)
        before = self.configurations[-1]
        self.configurations = [self.configuration_of(snapshot), *later]
        if self.configurations[-1] != before:
            self.reconfigure(out)


def newest_ballot(stored: Mapping[Key, Any]) -> Ballot:
    """The last ballot that was written in full; at first nothing."""
    found = [ballot for turn in (0, 1) if (ballot := stored.get(("ballot", turn))) is not None]
    return max(found, key=lambda ballot: ballot.number, default=Ballot(0, 0, None))


def leftovers(stored: Mapping[Key, Any], log: Log) -> list[Key]:
    """Rows of the log on disk that are none of its entries (any more), the last one first."""
    rows = sorted((key for key in stored if isinstance(key, tuple) and key[0] == "log"), reverse=True)
    return [row for row in rows if not log.base < row[1] <= log.last_index]
