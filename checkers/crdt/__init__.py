"""Replicated data types: the laws of their merges, and what reads must return, given what they see."""

from .counters import Counter
from .execution import Execution, Step, execution_of
from .laws import concurrent_steps_commute, merge_is_a_join, updates_inflate
from .lists import StrongList
from .registers import LastWriterWins, MultiValue
from .sets import AddWins

__all__ = [
    "AddWins",
    "Counter",
    "Execution",
    "LastWriterWins",
    "MultiValue",
    "Step",
    "StrongList",
    "concurrent_steps_commute",
    "execution_of",
    "merge_is_a_join",
    "updates_inflate",
]
