"""A system whose judge is the end of some seeds: of seed 5 it hangs, by seed 11 it dies, for seed 17 it needs memory."""

from __future__ import annotations

import os
import signal
import time
from dataclasses import replace
from importlib import import_module

from upheld.checkers.verdict import Upheld, Verdict
from upheld.claims.claim import Claim, Trials
from upheld.histories.evidence import Evidence

systems = import_module("systems")

HANGS, DIES, DEVOURS = 5, 11, 17
DEVOURED = 600 << 20


def ends_some(evidence: Evidence) -> Verdict:
    seed = evidence.history.header.seed
    while seed == HANGS:
        time.sleep(0.1)
    if seed == DIES:
        os.kill(os.getpid(), signal.SIGKILL)
    return Upheld(operations=len(bytes(DEVOURED if seed == DEVOURS else 1)))


SYSTEM = replace(systems.SYSTEM, name="doomed")
CLAIMS = (
    Claim(
        id="doomed.lives",
        chapter="cap",
        kind="always",
        statement="It outlives its judge.",
        source="this test",
        by=Trials(system="doomed", workload="adding", faults="calm", judge=ends_some),
        variants=("reference",),
    ),
)
