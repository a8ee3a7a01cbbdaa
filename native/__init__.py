"""The door to the Rust core; each function behind it has a slow twin in Python, which is its definition.

The environment variable UPHELD_ENGINE says who serves: `native` (an error where the core is not there), `pure`, or `auto`
(by default: native where the core is there).
"""

from __future__ import annotations

import os
from types import ModuleType
from typing import Final, Literal


def _load() -> ModuleType | None:
    wanted = os.environ.get("UPHELD_ENGINE", "auto")
    if wanted not in {"auto", "native", "pure"}:
        raise ValueError(f"UPHELD_ENGINE is auto, native or pure, not {wanted!r}")
    if wanted == "pure":
        return None
    try:
        from . import _core  # noqa: PLC0415  # it may be absent
    except ImportError:
        if wanted == "native":
            raise
        return None
    return _core


core: Final = _load()
"""The compiled module, or None."""

ENGINE: Final[Literal["native", "pure"]] = "native" if core is not None else "pure"
"""Who serves."""
