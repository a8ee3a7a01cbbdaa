"""The four session guarantees, their weak forms, and which of them each model demands."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product
from typing import Final, Literal, TypeAlias

Scope: TypeAlias = Literal["global", "local"]
"""Whether one order of writes explains the reads of everybody, or one for each session explains its reads."""


@dataclass(frozen=True, slots=True)
class Guarantees:
    """What is demanded of visibility and arbitration (Terry et al. 1994; Viotti and Vukolic 2016, section 3.3).

    Attributes:
        own: read your writes: a session sees what it wrote.
        carry: monotonic reads: a session goes on seeing what it saw.
        ordered: monotonic writes: a session's writes are arbitrated in its order.
        together: and who sees one of them sees those before it: the strong form.
        following: writes follow reads: a write is arbitrated after all that its session had seen.
        joined: and who sees it sees that, too: the strong form.
    """

    own: bool = False
    carry: bool = False
    ordered: bool = False
    together: bool = False
    following: bool = False
    joined: bool = False

    def __le__(self, other: Guarantees) -> bool:
        """Whether the other ones demand all that these do."""
        return all(not mine or its for mine, its in zip(self._flags(), other._flags(), strict=True))

    def _flags(self) -> tuple[bool, ...]:
        return self.own, self.carry, self.ordered, self.together, self.following, self.joined

    @property
    def names(self) -> tuple[str, ...]:
        """The guarantees by name, the strong form alone where it is demanded."""
        told = (
            (self.own, "read-your-writes"),
            (self.carry, "monotonic-reads"),
            (self.ordered, "monotonic-writes" if self.together else "monotonic-writes.weak"),
            (self.following, "writes-follow-reads" if self.joined else "writes-follow-reads.weak"),
        )
        return tuple(name for is_demanded, name in told if is_demanded)


def combinations(*, weak: bool = False) -> Iterator[Guarantees]:
    """All 16, with the weak or the strong forms of the two that have both; smaller ones first."""
    flags = sorted(product((False, True), repeat=4), key=lambda each: (sum(each), tuple(not flag for flag in each)))
    for own, carry, writes, follow in flags:
        yield Guarantees(own, carry, writes, writes and not weak, follow, follow and not weak)


THREE: Final = Guarantees(own=True, carry=True, ordered=True, together=True)
FOUR: Final = Guarantees(own=True, carry=True, ordered=True, together=True, following=True, joined=True)

MODELS: Final[dict[str, tuple[Guarantees, Scope]]] = {
    "session.read-your-writes": (Guarantees(own=True), "global"),
    "session.monotonic-reads": (Guarantees(carry=True), "global"),
    "session.monotonic-writes.weak": (Guarantees(ordered=True), "global"),
    "session.monotonic-writes": (Guarantees(ordered=True, together=True), "global"),
    "session.writes-follow-reads.weak": (Guarantees(following=True), "global"),
    "session.writes-follow-reads": (Guarantees(following=True, joined=True), "global"),
    "session.three.local": (THREE, "local"),
    "session.three.global": (THREE, "global"),
    "session.four.local": (FOUR, "local"),
}
"""What each model of the lattice demands. All four in global scope are causal convergence."""
