"""Consensus, judged from what the nodes noted: Raft's five properties, the state machine, and the decisions."""

from __future__ import annotations

from .answers import OneAnswer
from .application import AppliesInOrder, StateMachineSafety
from .catching_up import CatchesUp
from .commits import CommitByQuorum, CommitStands
from .decisions import Agreement, Decides, Validity
from .elections import ElectionSafety, TermMonotone, VotesOnce
from .logs import LeaderAppendOnly, LeaderCompleteness, LogMatching
from .paxos import ChosenByQuorum, ChosenStays, DecreesDurable, OneValuePerBallot, PromisesKept
from .rivals import DecidesAmongRivals
from .storms import DecidesInStorm, LedThroughCuts

__all__ = [
    "Agreement",
    "AppliesInOrder",
    "CatchesUp",
    "ChosenByQuorum",
    "ChosenStays",
    "CommitByQuorum",
    "CommitStands",
    "Decides",
    "DecidesAmongRivals",
    "DecidesInStorm",
    "DecreesDurable",
    "ElectionSafety",
    "LeaderAppendOnly",
    "LeaderCompleteness",
    "LedThroughCuts",
    "LogMatching",
    "OneAnswer",
    "OneValuePerBallot",
    "PromisesKept",
    "StateMachineSafety",
    "TermMonotone",
    "Validity",
    "VotesOnce",
]
