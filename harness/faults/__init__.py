"""The faults: each does one thing to a world, and gives back its inverse.

A fault of a plan is data (`plan.Fault`); its kind says here what it does with that, and how a storm draws one. The kinds
stand in files by what they hit; a new kind is one entry of such a file.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from ...histories.errors import UsageError
from . import clocks, disks, links, membership, nodes, partitions
from .kind import FaultKind, Undo

__all__ = ["FAULTS", "PROFILES", "FaultKind", "Undo", "kinds_of"]

FAULTS: Final[Mapping[str, FaultKind]] = {
    kind.name: kind
    for kind in (
        *links.KINDS,
        *partitions.KINDS,
        *nodes.KINDS,
        *membership.KINDS,
        *disks.KINDS,
        *clocks.KINDS,
    )
}
"""Every kind of fault, by name."""


def _names(*rooms: tuple[FaultKind, ...]) -> tuple[str, ...]:
    return tuple(kind.name for room in rooms for kind in room)


PROFILES: Final[Mapping[str, tuple[str, ...]]] = {
    "calm": (),
    "crashes": ("crash", *_names(disks.KINDS)),
    "partitions": _names(partitions.KINDS),
    "lossy": _names(links.KINDS),
    "nodes": _names(nodes.KINDS),
    "disks": ("crash", *_names(disks.KINDS)),
    "membership": ("crash", *_names(membership.KINDS)),
    "clocks": _names(clocks.KINDS),
    "storm": tuple(FAULTS),
}
"""Named sets of kinds; a system gets those that its budget allows."""


def kinds_of(profile: str) -> tuple[str, ...]:
    """The kinds of fault of a profile, or of a list such as "crash,partition", in the order of `FAULTS`.

    Raises:
        UsageError: there is no such profile or kind; the text lists those that there are.
    """
    if profile in PROFILES:
        return PROFILES[profile]
    names = profile.split(",")
    for name in names:
        if name not in FAULTS:
            raise UsageError(
                f"there is no fault {name!r}; there are the profiles {', '.join(PROFILES)} "
                f"and the faults {', '.join(FAULTS)}"
            )
    return tuple(name for name in FAULTS if name in names)
