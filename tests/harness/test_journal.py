"""The journal of a campaign is gone on with where it ends, and never mixed with another."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from upheld.harness.engines import Done
from upheld.harness.hearing import Heard, Judged
from upheld.harness.journal import Line, open_journal
from upheld.histories.errors import UsageError

SEEDS = range(10, 14)
CAMPAIGN = {"seed": 10, "runs": 4, "groups": [{"profile": "storm", "claims": ["a", "b"]}]}
HEARD = Heard(
    digest="d1",
    operations=5,
    judged={"b": Judged("upheld", at_risk=3), "a": Judged("refuted", kind="x")},
    fired={"loss": 2, "crash": 1},
)
RUNS = [
    Done("key", 10, (HEARD,)),
    Done("key", 11, None, lost="seed 11 hung for more than 1 s"),
    Done("key", 12, (Heard(digest="d3", lacking="only 0 of 1 read completed while faults acted"),)),
    Done("key", 13, (HEARD,)),
]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "new folder" / "results.jsonl"


def write(path: Path, runs: list[Done], campaign: Mapping[str, Any] = CAMPAIGN) -> list[Line]:
    """Go on with the journal; answers what it held before."""
    with open_journal(path, campaign, SEEDS) as journal:
        held = list(journal.read())
        for run in runs:
            journal.write(run)
    return held


def test_it_holds_what_the_campaign_is_and_then_a_line_for_each_seed(path: Path) -> None:
    write(path, RUNS[:2])
    assert path.read_text().splitlines() == [
        '{"upheld":1,"campaign":{"seed":10,"runs":4,"groups":[{"profile":"storm","claims":["a","b"]}]}}',
        (
            '{"seed":10,"runs":[{"digest":"d1","operations":5,"judged":{"a":{"verdict":"refuted","kind":"x"},'
            '"b":{"verdict":"upheld","at_risk":3}},"fired":{"crash":1,"loss":2}}]}'
        ),
        '{"seed":11,"lost":"seed 11 hung for more than 1 s"}',
    ]


def test_what_is_read_is_what_was_written(path: Path) -> None:
    write(path, RUNS)
    assert write(path, []) == [Line(run.seed, run.result or (), run.lost) for run in RUNS]


def test_it_can_be_left_and_gone_on_with_at_every_byte(path: Path) -> None:
    write(path, RUNS)
    whole = path.read_bytes()
    for size in range(len(whole)):
        path.write_bytes(whole[:size])
        held = write(path, [])
        assert held == [Line(run.seed, run.result or (), run.lost) for run in RUNS[: len(held)]]
        write(path, RUNS[len(held) :])
        assert path.read_bytes() == whole


@pytest.mark.parametrize(
    ("other", "says"),
    [
        ({**CAMPAIGN, "seed": 11}, "seed is 10 there and 11 here"),
        ({**CAMPAIGN, "runs": 5}, "runs is 4 there and 5 here"),
        ({**CAMPAIGN, "groups": [{"profile": "calm", "claims": ["a", "b"]}]}, 'groups[0].profile is "storm" there and'),
        ({**CAMPAIGN, "groups": [{"profile": "storm", "claims": ["a"]}]}, 'claims is ["a","b"] there and ["a"] here'),
        ({**CAMPAIGN, "nodes": 3}, "nodes is null there and 3 here"),
    ],
)
def test_that_of_another_campaign_is_left_alone_and_the_difference_named(
    path: Path, other: Mapping[str, Any], says: str
) -> None:
    write(path, RUNS[:2])
    before = path.read_bytes()
    with pytest.raises(UsageError, match=re.escape(says)):
        write(path, [], other)
    assert path.read_bytes() == before


@pytest.mark.parametrize("content", ["dear diary", "dear diary\n", '{"upheld": 1, "system": "x"}\n', "[1]\n"])
def test_a_file_that_is_none_is_left_alone(tmp_path: Path, content: str) -> None:
    path = tmp_path / "diary"
    path.write_text(content)
    with pytest.raises(UsageError, match="holds no results of a campaign"):
        write(path, RUNS)
    assert path.read_text() == content


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ('{"seed":12}', "line 3: seed 12 does not belong here"),
        ('{"seed":"11"}', "line 3: not what came of a seed"),
        ("{", "line 3: not what came of a seed"),
    ],
)
def test_a_line_that_was_tampered_with_is_named(path: Path, line: str, says: str) -> None:
    write(path, RUNS[:1])
    with path.open("a") as file:
        file.write(f"{line}\n")
    with pytest.raises(UsageError, match=says):
        write(path, [])


def test_two_campaigns_cannot_write_it_at_once(path: Path) -> None:
    with open_journal(path, CAMPAIGN, SEEDS), pytest.raises(UsageError, match="another campaign is writing it"):
        write(path, RUNS)
    assert write(path, RUNS) == []


def test_where_it_cannot_be_kept_is_a_usage_error(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="cannot keep results there"):
        write(tmp_path, RUNS)


def test_every_line_is_json_of_its_own(path: Path) -> None:
    write(path, RUNS)
    assert [json.loads(line).get("seed") for line in path.read_text().splitlines()] == [None, *SEEDS]
