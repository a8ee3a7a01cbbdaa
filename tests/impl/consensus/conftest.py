"""The modules that the tests of consensus share, importable by name."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
