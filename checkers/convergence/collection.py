"""A replicated collection as clients saw it: what they added and removed, what they read, and when it fell quiet.

A collection is anything that elements are put into and that reads show whole: a set, a broadcast, a chat. A history
declares its phases by events of the process "phases": `heal`, `quiet`, `final`. Reads that begin after `final` are final.

A *place* is where a client looked: the node, where the history names it. A session without one is a place of its own; it
is taken to stay with one replica.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Hashable, Iterator, Sequence
from functools import cached_property

from ...histories.columns import PLAIN
from ...histories.errors import MalformedHistory
from ...histories.event import Kind, Operation, Process
from ...histories.history import History
from ...histories.values import Value, identity, to_json
from .quiescence import Phases


def place_of(operation: Operation) -> str | tuple[Process]:
    """Where a client looked: the node, or its session where no node is named."""
    return operation.node if operation.node is not None else (operation.session,)


class Read:
    """A read that was answered.

    Attributes:
        operation: the read.
        key: the collection that was read.
        elements: what it showed, in its order.
        identities: the same as keys of dicts.
        shown: which elements it showed.
    """

    __slots__ = ("elements", "identities", "key", "operation", "shown")

    def __init__(self, operation: Operation, elements: tuple[Value, ...], alike: Read | None = None) -> None:
        self.operation, self.elements = operation, elements
        self.key: Hashable = identity(operation.key)
        if alike is None:
            # What Python cannot confuse stands for itself, which saves most of the time.
            is_plain = PLAIN.issuperset(map(type, elements))
            self.identities: tuple[Hashable, ...] = elements if is_plain else tuple(map(identity, elements))
            self.shown: frozenset[Hashable] = frozenset(self.identities)
        else:
            self.identities, self.shown = alike.identities, alike.shown

    @property
    def counts(self) -> Counter[Hashable]:
        """How often it showed each element."""
        return Counter(self.identities)

    def shows_the_same(self, other: Read) -> bool:
        """Whether the other shows the same elements, each as often."""
        if self.elements is other.elements:
            return True
        sizes = (len(self.elements), len(self.shown)), (len(other.elements), len(other.shown))
        once = all(many == few for many, few in sizes)
        return self.shown == other.shown if once else self.counts == other.counts

    def value_of(self, element: Hashable) -> Value:
        """The element as it was shown."""
        return next(value for value in self.elements if identity(value) == element)

    def __str__(self) -> str:
        where = f" at {self.operation.node}" if self.operation.node else ""
        return f"the read of process {self.operation.process}{where} (event {self.operation.invocation})"

    def sentence(self) -> str:
        """The same at the beginning of a sentence."""
        told = str(self)
        return told[0].upper() + told[1:]


class Record:
    """The updates and reads of a history, and how its phases were declared."""

    def __init__(self, history: History, *, adds: Collection[str], removes: Collection[str], read: str) -> None:
        self.history = history
        self._phases = Phases(history)
        self.adds = [operation for operation in history.operations if operation.action in adds]
        self.removes = [operation for operation in history.operations if operation.action in removes]
        self._asked = [operation for operation in history.operations if operation.action == read]
        self.reads = _answered(self._asked, history)
        self.final_reads = [each for each in self.reads if self._phases.is_final(each.operation)]

    @property
    def initial(self) -> tuple[Value, ...]:
        """What every collection holds at first."""
        initial = self.history.header.initial
        return initial if isinstance(initial, tuple) else ()

    # --- what may have taken effect

    @cached_property
    def attempts(self) -> dict[tuple[Hashable, Hashable], list[Operation]]:
        """By collection and element, the adds that may have taken effect, in the order in which they began."""
        return _by_element(self.adds)

    @cached_property
    def removals(self) -> dict[tuple[Hashable, Hashable], list[Operation]]:
        """Likewise the removes."""
        return _by_element(self.removes)

    # --- reads by collection, and by place

    @cached_property
    def finals(self) -> dict[Hashable, list[Read]]:
        """The final reads of each collection."""
        found: dict[Hashable, list[Read]] = {}
        for read in self.final_reads:
            found.setdefault(read.key, []).append(read)
        return found

    def by_place(self) -> Iterator[tuple[Hashable, Hashable, list[Read]]]:
        """Each collection at each place with its reads, in the order in which they ended."""
        found: dict[tuple[Hashable, Hashable], list[Read]] = {}
        for read in sorted(self.reads, key=lambda each: each.operation.ended or 0):
            found.setdefault((read.key, place_of(read.operation)), []).append(read)
        for (key, place), reads in found.items():
            yield key, place, reads

    # --- quiescence

    def restless(self) -> str:
        """Why the collection need not have converged when final reads began; "" when it had to."""
        return self._phases.restless((*self.adds, *self.removes))

    def unread(self) -> str:
        """Which replica's end nobody knows; "" if none."""
        return self._phases.unread(self._asked, (*self.adds, *self.removes))


def _answered(asked: Sequence[Operation], history: History) -> list[Read]:
    """The reads that were answered; those with the same answer share what is worked out about it."""
    found: list[Read] = []
    alike: dict[int, Read] = {}  # by the object: a history keeps one for all values that are the same
    for operation in asked:
        if operation.outcome is Kind.OK:
            elements = elements_of(operation, history)
            read = Read(operation, elements, alike.get(id(operation.result)))
            alike.setdefault(id(operation.result), read)
            found.append(read)
    return found


def _by_element(updates: Sequence[Operation]) -> dict[tuple[Hashable, Hashable], list[Operation]]:
    found: dict[tuple[Hashable, Hashable], list[Operation]] = {}
    for operation in updates:
        if operation.outcome is not Kind.FAIL:
            found.setdefault((identity(operation.key), identity(operation.argument)), []).append(operation)
    return found


def elements_of(read: Operation, history: History) -> tuple[Value, ...]:
    """What an answered read showed; null is an empty collection.

    Raises:
        MalformedHistory: it is no array.
    """
    match read.result:
        case None:
            return ()
        case tuple(elements):
            return elements
    raise MalformedHistory(
        f"{read} does not show a collection",
        field="value",
        hint="A read of a collection answers with an array of its elements",
        **history.where(read.completion if read.completion is not None else read.invocation),
    )


def some(elements: Sequence[Value]) -> str:
    """At most three different elements, in the order in which they are shown."""
    different = list({identity(element): element for element in elements}.values())
    more = f" and {len(different) - 3} more" if len(different) > 3 else ""
    return ", ".join(to_json(element) for element in different[:3]) + more


def often(count: int) -> str:
    """`never`, `once`, `twice`, `3 times`."""
    return {0: "never", 1: "once", 2: "twice"}.get(count, f"{count} times")
