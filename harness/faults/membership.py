"""Nodes that come and go."""

from __future__ import annotations

from typing import Final

from .kind import FaultKind

KINDS: Final[tuple[FaultKind, ...]] = ()
