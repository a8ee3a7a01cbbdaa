"""`upheld --version`: which upheld this is, and which engine serves."""

from __future__ import annotations

from importlib.metadata import PackageNotFoundError
from importlib.metadata import version as installed

from .. import native


def version() -> str:
    """`upheld 0.1.0 (native engine)`."""
    try:
        number = installed("upheld")
    except PackageNotFoundError:
        number = "from a checkout"
    return f"upheld {number} ({native.ENGINE} engine)"
