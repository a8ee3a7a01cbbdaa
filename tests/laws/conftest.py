"""What laws share: the definitions, a package importable by name, and how many histories they held for."""

import sys
from collections import Counter
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """How many histories each law looked at, workers' altogether."""
    counted: Counter[str] = Counter()
    for report in terminalreporter.getreports("passed"):
        counted.update({name: told for name, told in report.user_properties if name.startswith("histories: ")})
    for name, count in sorted(counted.items()):
        terminalreporter.write_line(f"{name} {count}")
