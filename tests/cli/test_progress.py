"""The line of progress says how far a campaign is, how fast it goes, and which claims have failed how often."""

from __future__ import annotations

import pytest

from upheld.claims.proceedings import Progress
from upheld.cli import options
from upheld.cli.options import reporting
from upheld.cli.progress import Progress as Line


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    now = [100.0]
    monkeypatch.setattr(options, "monotonic", lambda: now[0])
    return now


@pytest.mark.parametrize(
    ("progress", "told"),
    [
        (Progress(50, 2_000, "chat reference"), "chat reference: 50 of 2,000 runs, 5/s"),
        (Progress(1_050, 2_000, "chat", resumed=1_000), "chat: 1,050 of 2,000 runs, 5/s"),
        (
            Progress(50, 2_000, "chat", {"b": 1, "a": 1_234}),
            "chat: 50 of 2,000 runs, 5/s, a refuted in 1,234, b refuted in 1",
        ),
        (Progress(2_000, 2_000, "making late minimal"), "making late minimal: 2,000 of 2,000 runs"),
    ],
    ids=["under way", "gone on with", "failing", "done"],
)
def test_a_line_tells_runs_pace_and_failures(progress: Progress, told: str, clock: list[float]) -> None:
    line = Line("running", silent=True)
    report = reporting(line)
    clock[0] += 10
    report(progress)
    assert line.told == told
