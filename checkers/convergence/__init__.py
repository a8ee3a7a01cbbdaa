"""Did replicas come together? Judged from what clients added, removed and read, or from what replicas noted."""

from .agreement import Convergent, Lossless
from .appearance import DuplicateFree, Flapless, PhantomFree, Unresurrected
from .decision import decide
from .eventual import Delivered
from .spread import TakenInEverywhere
from .states import StronglyConvergent
from .times import times_to_converge

__all__ = [
    "Convergent",
    "Delivered",
    "DuplicateFree",
    "Flapless",
    "Lossless",
    "PhantomFree",
    "StronglyConvergent",
    "TakenInEverywhere",
    "Unresurrected",
    "decide",
    "times_to_converge",
]
