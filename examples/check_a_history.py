"""Judge a history that somebody recorded: read it, name what it is about, and match the three answers.

Run it as `python examples/check_a_history.py [HISTORY]`.
"""

from __future__ import annotations

import sys
from pathlib import Path

from upheld import Refuted, Register, Undecided, Upheld, check_linearizability, read_history

STALE = Path(__file__).with_name("stale.jsonl")


def main() -> None:
    """Print one order that explains the history, or why there is none."""
    path = sys.argv[1] if len(sys.argv) > 1 else STALE
    match check_linearizability(read_history(path), Register()):
        case Upheld(witness):
            print("one order that works:", *witness, sep="\n  ")
        case Refuted(anomaly):
            print(anomaly)
        case Undecided(reason):
            print("no verdict:", reason)


if __name__ == "__main__":
    main()
