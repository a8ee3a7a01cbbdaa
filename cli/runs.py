"""`upheld runs`: what the store holds."""

from __future__ import annotations

from .face import Face
from .options import STORE, StoreOption
from .status import Status


def runs(face: Face, *, store: StoreOption = STORE) -> Status:
    """List the runs that were kept; `upheld show RUN` shows one."""
    from ..harness.store import Store
    from ..reports.tables import runs_table

    kept = Store(store).runs()
    face.show(lambda: runs_table(kept))
    face.tell({"store": str(store.absolute()), "runs": kept})
    return Status.UPHELD
