"""All that a judge ever sees of a run."""

from __future__ import annotations

import msgspec

from .history import History
from .trace import Trace


class Evidence(msgspec.Struct, frozen=True):
    """What clients saw, and what the world did.

    Attributes:
        history: the events of clients, and of whoever hurt the system.
        trace: the notes of nodes; empty when only a history was recorded.
    """

    history: History
    trace: Trace = Trace()
