"""What all tests share: how many examples a law gets, and where recorded histories of others are."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

settings.register_profile(
    "normal", max_examples=200, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow]
)
settings.register_profile(
    "long", max_examples=20_000, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile(os.environ.get("UPHELD_LAWS", "normal"))


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--rewrite", action="store_true", help="write golden files anew; read the difference before it is kept"
    )


ROOT = Path(__file__).resolve().parents[1]


@pytest.fixture(scope="session")
def data() -> Path:
    """The folder of recorded histories that nobody here wrote."""
    named = os.environ.get("UPHELD_DATA")
    found = Path(named) if named else ROOT.parent / "shared" / "data"
    if not found.is_dir():
        pytest.skip(f"no recorded histories in {found}; UPHELD_DATA may say where they are")
    return found


@pytest.fixture
def golden(request: pytest.FixtureRequest) -> Callable[[str, str], None]:
    """`golden("name.txt", text)`: the text is that of the file in the folder `golden` beside the test."""

    def check(name: str, text: str) -> None:
        path = request.path.parent / "golden" / name
        if request.config.getoption("--rewrite"):
            path.parent.mkdir(exist_ok=True)
            path.write_text(text, encoding="utf-8")
        assert path.is_file(), f"no golden file {name}; `pytest --rewrite` writes it"
        assert text == path.read_text(encoding="utf-8")

    return check
