"""A traced history as the search for views wants it: by chain, by key and by reader."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property

import numpy as np

from ..reads_from import Numbers, ReadsFrom
from .order import Clocks
from .past import CausalOrder


class Layout:
    """A traced history, by chain, by key and by reader."""

    def __init__(self, past: CausalOrder, *, is_causal: bool) -> None:
        self.past, self.traced = past, past.traced
        self.clocks: Clocks | None = past.clocks if is_causal else None
        self.chains = int(past.chain.max(initial=-1)) + 1

    @cached_property
    def chain(self) -> list[int]:
        """The chain of each row."""
        found: list[int] = self.past.chain.tolist()
        return found

    @cached_property
    def place(self) -> list[int]:
        """The place of each row in its chain."""
        found: list[int] = self.past.place.tolist()
        return found

    @cached_property
    def previous_rows(self) -> Numbers:
        """What the session of each row did before it; -1 for none."""
        found: Numbers = np.full(len(self.traced), -1)
        found[self.past.session_edges.after] = self.past.session_edges.before
        return found

    @cached_property
    def previous(self) -> list[int]:
        """The same as a list."""
        found: list[int] = self.previous_rows.tolist()
        return found

    @cached_property
    def reads(self) -> Mapping[int, Sequence[tuple[int, int, int]]]:
        """Of each row, its reads: row of the reads, key, and source."""
        found: dict[int, list[tuple[int, int, int]]] = defaultdict(list)
        for read, (reader, key, source) in enumerate(self.traced.reads.tolist()):
            found[reader].append((read, key, source))
        return found

    @cached_property
    def writers(self) -> Mapping[int, Sequence[tuple[int, list[int], list[int]]]]:
        """Of each key, by chain: the places of its writers there, and these."""
        return _writers(self.traced, self.chain, self.place)

    @cached_property
    def has_read(self) -> frozenset[int]:
        """The rows with reads."""
        return frozenset(np.unique(self.traced.reads[:, 0]).tolist())

    def readers(self) -> Iterator[tuple[int, ...]]:
        """Of each session what completed; and each transaction that did not, but is known to have read, after it.

        What has not completed comes before nothing of its session, so it is nobody's past there, and a reader by itself.
        """
        definite = self.traced.is_definite.tolist()
        session = self.traced.session.tolist()
        before: dict[int, list[int]] = defaultdict(list)
        for row in np.lexsort((self.traced.position, self.traced.session)).tolist():
            if definite[row]:
                before[session[row]].append(row)
            elif row in self.has_read:
                yield (*before[session[row]], row)
        for rows in before.values():
            if not self.has_read.isdisjoint(rows):
                yield tuple(rows)

    def readers_by_key(self) -> Iterator[tuple[int, tuple[int, ...]]]:
        """Each key, and of each reader what touches it."""
        touched: dict[int, set[int]] = defaultdict(set)
        for writer, key in self.traced.writes.tolist():
            touched[writer].add(key)
        for reader, key, _ in self.traced.reads.tolist():
            touched[reader].add(key)
        for rows in self.readers():
            by_key: dict[int, list[int]] = defaultdict(list)
            for row in rows:
                for key in sorted(touched[row]):
                    by_key[key].append(row)
            yield from ((key, tuple(chosen)) for key, chosen in by_key.items())


def _writers(
    traced: ReadsFrom, chain: Sequence[int], place: Sequence[int]
) -> dict[int, list[tuple[int, list[int], list[int]]]]:
    """Of each key, by chain: the places of its writers there, and these."""
    by_key: dict[int, dict[int, tuple[list[int], list[int]]]] = defaultdict(dict)
    for writer, key in sorted(traced.writes.tolist(), key=lambda write: place[write[0]]):
        places, rows = by_key[key].setdefault(chain[writer], ([], []))
        places.append(place[writer])
        rows.append(writer)
    return {key: [(each, *chains[each]) for each in sorted(chains)] for key, chains in by_key.items()}
