r"""upheld: does a distributed system do what it claims?

Implementations run under randomised operations and faults, a recorder writes down what clients saw, and judges decide from
the recorded history alone. A claim that fails comes back as a minimal history with a story that a person can check.

    from upheld import Register, Refuted, check_linearizability, parse

    match check_linearizability(parse("0 invoke write 7\n0 ok write\n1 invoke read\n1 ok read null"), Register()):
        case Refuted(anomaly):
            print(anomaly)
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .checkers.linearizability import Linearizable, check_linearizability
    from .checkers.verdict import Anomaly, Refuted, Undecided, Upheld, Verdict, on_history, on_trace
    from .claims.claim import Claim, Derived, Examination, Trials
    from .harness.plan import Plan
    from .harness.swarm import generate_plan
    from .harness.system import Budget, System, Variant
    from .harness.trial import Run, run_plan
    from .histories.errors import MalformedHistory, NondeterministicRun, UpheldError, UsageError
    from .histories.event import MISSING, Event, Kind, Operation
    from .histories.evidence import Evidence
    from .histories.files import read_history, write_history
    from .histories.history import Header, History
    from .histories.notation import parse, render
    from .histories.recorder import record
    from .histories.trace import Note, Trace
    from .histories.values import Map
    from .impl.node import Context, Error, Invocation, Message, Reply, Request
    from .specs.model import Call, Model
    from .specs.objects import CasRegister, KeyValue, Register

__all__ = [
    "MISSING",
    "Anomaly",
    "Budget",
    "Call",
    "CasRegister",
    "Claim",
    "Context",
    "Derived",
    "Error",
    "Event",
    "Evidence",
    "Examination",
    "Header",
    "History",
    "Invocation",
    "KeyValue",
    "Kind",
    "Linearizable",
    "MalformedHistory",
    "Map",
    "Message",
    "Model",
    "NondeterministicRun",
    "Note",
    "Operation",
    "Plan",
    "Refuted",
    "Register",
    "Reply",
    "Request",
    "Run",
    "System",
    "Trace",
    "Trials",
    "Undecided",
    "Upheld",
    "UpheldError",
    "UsageError",
    "Variant",
    "Verdict",
    "check_linearizability",
    "generate_plan",
    "on_history",
    "on_trace",
    "parse",
    "read_history",
    "record",
    "render",
    "run_plan",
    "write_history",
]

_HOMES = {
    "checkers.linearizability": ("Linearizable", "check_linearizability"),
    "checkers.verdict": ("Anomaly", "Refuted", "Undecided", "Upheld", "Verdict", "on_history", "on_trace"),
    "claims.claim": ("Claim", "Derived", "Examination", "Trials"),
    "harness.plan": ("Plan",),
    "harness.swarm": ("generate_plan",),
    "harness.system": ("Budget", "System", "Variant"),
    "harness.trial": ("Run", "run_plan"),
    "histories.errors": ("MalformedHistory", "NondeterministicRun", "UpheldError", "UsageError"),
    "histories.event": ("MISSING", "Event", "Kind", "Operation"),
    "histories.evidence": ("Evidence",),
    "histories.files": ("read_history", "write_history"),
    "histories.history": ("Header", "History"),
    "histories.notation": ("parse", "render"),
    "histories.recorder": ("record",),
    "histories.trace": ("Note", "Trace"),
    "histories.values": ("Map",),
    "impl.node": ("Context", "Error", "Invocation", "Message", "Reply", "Request"),
    "specs.model": ("Call", "Model"),
    "specs.objects": ("CasRegister", "KeyValue", "Register"),
}
"""Where each name lives. It is fetched when somebody asks for it, so that `import upheld` costs next to nothing."""

_HOME_OF = {name: home for home, names in _HOMES.items() for name in names}


def __getattr__(name: str) -> Any:
    if name not in _HOME_OF:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    found = globals()[name] = getattr(import_module(f".{_HOME_OF[name]}", __name__), name)
    return found


def __dir__() -> list[str]:
    return list(__all__)
