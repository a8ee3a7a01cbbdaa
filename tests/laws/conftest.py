"""The definitions that judges are compared with are a package of their own, importable by name."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))
