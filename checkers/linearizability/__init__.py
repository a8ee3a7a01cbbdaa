"""Does one order of the operations, in real time, explain every answer?"""

from .check import Linearizable, check_linearizability
from .witness import Witness, fault_in, is_a_linearization

__all__ = ["Linearizable", "Witness", "check_linearizability", "fault_in", "is_a_linearization"]
