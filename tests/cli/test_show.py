"""`upheld show`, `convert` and `list`: looking at what there is."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from upheld import parse, read_history

TEXT = """\
0 invoke write 7 time=1000000
0 ok write time=2000000
nemesis info partition ["n1"] time=2500000
1 invoke read time=3000000
1 ok read null time=4000000
"""


@pytest.fixture
def stale(upheld: Callable[..., Any]) -> str:
    Path("stale.txt").write_text(TEXT)
    return "stale.txt"


def test_a_history_is_drawn_with_its_anomaly(
    upheld: Callable[..., Any], golden: Callable[..., Any], stale: str
) -> None:
    result = upheld("show", stale)
    assert result.status == 0
    golden("show.txt", result.out)


def test_only_what_was_asked_for_is_drawn(upheld: Callable[..., Any], stale: str) -> None:
    assert "write(7)" not in upheld("show", stale, "--process", "1").out.partition("\n\n")[0]


def test_an_event_that_is_not_there_shows_none(upheld: Callable[..., Any], stale: str) -> None:
    assert "⋮ 5 events left out" in upheld("show", stale, "--around", "99").out


def test_showing_as_json_has_events_verdicts_and_marks(upheld: Callable[..., Any], stale: str) -> None:
    told = json.loads(upheld("show", stale, "--json").out)
    assert [event["f"] for event in told["events"]] == ["write", "write", "partition", "read", "read"]
    assert told["marked"] == [0, 3]
    assert told["verdicts"][0]["verdict"] == "refuted"


@pytest.mark.parametrize("name", ["out.jsonl", "out.jsonl.gz", "out.txt", "out"])
def test_converting_keeps_what_was_told(name: str, upheld: Callable[..., Any], stale: str) -> None:
    assert upheld("convert", stale, name).status == 0
    assert read_history(name) == parse(TEXT)


def test_converting_says_what_it_did(upheld: Callable[..., Any], stale: str) -> None:
    told = json.loads(upheld("convert", stale, "out.bin", "--to", "jsonl", "--json").out)
    del told["timing"]
    assert told == {"path": stale, "output": "out.bin", "format": "jsonl", "events": 5, "notes": []}


def test_converting_a_recorded_history_keeps_its_verdict(upheld: Callable[..., Any], data: Path) -> None:
    for path in (data / "kv" / "not-linearizable" / "c01-bad.txt", data / "etcd" / "linearizable" / "etcd_002.log"):
        upheld("convert", path, "converted.jsonl")
        assert upheld("check", "converted.jsonl").status == upheld("check", path).status


LISTS = {
    "systems": ("system", "raft-kv"),
    "claims": ("claim", "raft.linearizable"),
    "models": ("model", "cas-register"),
    "consistency": ("consistency", "linearizable"),
    "faults": ("fault", "partition"),
    "profiles": ("profile", "storm"),
    "workloads": ("system", "chat"),
    "mutants": ("mutant", "vote-not-persisted"),
    "formats": ("format", "jsonl"),
}


@pytest.mark.parametrize("what", LISTS)
def test_a_list_is_printed_from_the_registry(what: str, upheld: Callable[..., Any]) -> None:
    field, expected = LISTS[what]
    rows = json.loads(upheld("list", what, "--json").out)[what]
    assert expected in {row[field] for row in rows}
    text = upheld("list", what).out
    assert all(str(row[field]) in text for row in rows)
