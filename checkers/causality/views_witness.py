"""One order for each view, and its check, which shares nothing with the search."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from typing import Literal, TypeAlias

from ...histories.history import History
from ..reads_from import INITIAL, Outside, ReadsFrom, reads_from
from .witness import NoWitness

Scope: TypeAlias = Literal["causes", "writes", "key"]
"""What a view holds: the causal past of its reader; its reader and all writes; of these, what touches one key."""
_Reads: TypeAlias = dict[int, list[tuple[int, int]]]


@dataclass(frozen=True, slots=True)
class ViewOrder:
    """How the view of one reader is ordered, in short: the pairs of writes that its reads imply.

    Attributes:
        reader: transactions of one session, in its order.
        key: the number of the key, where the view is about one.
        pairs: writes, and others that come after them.
    """

    reader: tuple[int, ...]
    key: int | None
    pairs: tuple[tuple[int, int], ...]


@dataclass(frozen=True, eq=False)
class Views:
    """An order for each reader. Orders are made one at a time, so that no two of them are in memory.

    Attributes:
        views: what they are made from.
        scope: what they hold.
    """

    views: tuple[ViewOrder, ...]
    scope: Scope
    outside: Outside = "nothing"

    def orders(self, history: History) -> Iterator[tuple[int, ...]]:
        """The order of each view, by transactions of `reads_from(history, outside=outside)`. Each is O(n)."""
        frame = _Frame(reads_from(history, outside=self.outside), self.scope)
        return (frame.order(view) for view in self.views)

    def recheck(self, history: History) -> None:
        """Replay each order: it holds what it must, keeps what must come before, and explains the reads. O(n) for each.

        Raises:
            NoWitness: an order does not show what it is a witness for, or a read is in no view.
        """
        frame = _Frame(reads_from(history, outside=self.outside), self.scope)
        if frame.traced.oddities:
            raise NoWitness("no write explains one of the reads")
        explained: set[tuple[int, int]] = set()
        for view in self.views:
            _replay(frame, view, frame.order(view))
            explained.update((row, key) for row in view.reader for key, _ in frame.reads_of(row, view.key))
        for row, reads in frame.reads.items():
            for key, _ in reads:
                if (row, key) not in explained:
                    raise NoWitness(f"{row} reads key number {key} in no view")


class _Frame:
    """What a view must hold, and what must come before what in it."""

    def __init__(self, traced: ReadsFrom, scope: Scope) -> None:
        self.traced, self.scope = traced, scope
        self.reads: _Reads = defaultdict(list)
        for reader, key, source in traced.reads.tolist():
            self.reads[reader].append((key, source))
        self.writes: dict[int, list[int]] = defaultdict(list)
        for writer, key in traced.writes.tolist():
            self.writes[writer].append(key)
        self.session, self.position = traced.session.tolist(), traced.position.tolist()
        self.is_definite = traced.is_definite.tolist()
        self.writers: dict[int | None, list[int]] = defaultdict(list)
        self.before: dict[tuple[int, int | None], int] = {}
        latest: dict[tuple[int, int | None], int] = {}
        for row in sorted(range(len(traced)), key=self.position.__getitem__):
            for key in self._parts(row):
                if (lane := (self.session[row], key)) in latest:
                    self.before[row, key] = latest[lane]
                if self.is_definite[row]:
                    latest[lane] = row
                if row in self.writes and (key is None or key in self.writes[row]):
                    self.writers[key].append(row)

    def _parts(self, row: int) -> Iterable[int | None]:
        """The keys of the views that may hold a transaction."""
        if self.scope != "key":
            return (None,)
        return {*self.writes.get(row, ()), *(key for key, _ in self.reads.get(row, ()))}

    def reads_of(self, row: int, key: int | None) -> list[tuple[int, int]]:
        """What a transaction read: keys, and from whom."""
        return [read for read in self.reads.get(row, ()) if key is None or read[0] == key]

    def causes(self, row: int, view: ViewOrder, own: Collection[int]) -> list[int]:
        """What must come right before a transaction in a view: the one before in its session, and those that it read from.

        Where causes do not count, what others read does not matter.
        """
        previous = self.before.get((row, view.key))
        found = [] if previous is None else [previous]
        if self.scope == "causes" or row in own:
            found += [source for _, source in self.reads_of(row, view.key) if source != INITIAL]
        return found

    def order(self, view: ViewOrder) -> tuple[int, ...]:
        """The reader's transactions one by one, each after all that must come before it, and then whatever is left."""
        own = frozenset(view.reader)
        pairs: dict[int, list[int]] = defaultdict(list)
        for before, after in view.pairs:
            pairs[after].append(before)
        rest = () if self.scope == "causes" else self.writers[view.key]
        done: dict[int, bool] = {}  # False while what must come before it is being placed
        order: list[int] = []
        for goal in (*view.reader, *rest):
            todo = [goal]
            while todo:
                row = todo[-1]
                if row in done:
                    todo.pop()
                    if not done[row]:
                        done[row] = True
                        order.append(row)
                    continue
                done[row] = False
                todo += [each for each in (*self.causes(row, view, own), *pairs[row]) if each not in done]
        if self.scope == "causes":
            return tuple(order)
        writers = {*self.writers[view.key]}
        return tuple(row for row in order if row in own or row in writers)


def _replay(frame: _Frame, view: ViewOrder, order: tuple[int, ...]) -> None:
    own = frozenset(view.reader)
    place = {row: at for at, row in enumerate(order)}
    if len(place) < len(order) or not own <= place.keys():
        raise NoWitness("an order holds a transaction twice, or lacks one of its reader")
    if frame.scope != "causes" and not all(row in place for row in frame.writers[view.key]):
        raise NoWitness("an order lacks a write")
    latest: dict[int, int] = {}
    furthest: dict[int, int] = {}
    for at, row in enumerate(order):
        session = frame.session[row]
        if frame.is_definite[row] and furthest.get(session, -1) > frame.position[row]:
            raise NoWitness(f"{row} comes after one that its session did later")
        furthest[session] = max(furthest.get(session, -1), frame.position[row])
        if frame.scope == "causes" and any(place.get(cause, at) >= at for cause in frame.causes(row, view, own)):
            raise NoWitness(f"{row} does not come after all of its causes")
        for key, source in frame.reads_of(row, view.key) if row in own else ():
            if latest.get(key, INITIAL) != source:
                raise NoWitness(f"{row} reads {source}, and {latest.get(key, INITIAL)} is the last write before it")
        for key in frame.writes.get(row, ()):
            latest[key] = row
