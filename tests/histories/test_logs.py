"""Logs that others recorded: each line means what its format says, and every file that we have reads."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from upheld.histories.codecs.edn import parse_edn
from upheld.histories.errors import MalformedHistory
from upheld.histories.event import MISSING, Kind
from upheld.histories.files import find_histories, read_history
from upheld.histories.history import History
from upheld.histories.notation import parse, render
from upheld.histories.values import Map, Value


def log(folder: Path, *lines: str, **options: str) -> History:
    path = folder / "jepsen.log"
    path.write_text("".join(f"INFO  jepsen.util - {line}\n" for line in lines))
    return read_history(path, **options)  # type: ignore[arg-type]  # options by name


# --- the values of EDN


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("nil", None),
        ("true", True),
        ("-3", -3),
        ("+3", 3),
        ("3N", 3),
        ("2.5", 2.5),
        ("1e2", 100.0),
        ("1M", 1.0),
        (":timed-out", "timed-out"),
        ("symbol", "symbol"),
        ('"x 0 1 y"', "x 0 1 y"),
        (r'"a \"quoted\" \\ one"', 'a "quoted" \\ one'),
        ('""', ""),
        ("[0 1]", (0, 1)),
        ("(0, 1)", (0, 1)),
        ("#{1 2}", (1, 2)),
        ("[]", ()),
        ("{:a 1, :b [nil {}]}", Map({"a": 1, "b": (None, Map())})),
        ("{1 2}", Map({"1": 2})),
    ],
)
def test_values_of_edn_become_those_of_json(text: str, value: Value) -> None:
    found = parse_edn(f" {text} ", depth_max=9)
    assert found == value
    assert type(found) is type(value)


@pytest.mark.parametrize(
    "text", ["", "1 2", "[1", "1]", "[1}", '"a', "{:a}", '"\\q"', "1e999", "9" * 5000, "[" * 10 + "]" * 10, '"\\ud800"']
)
def test_what_is_no_value_of_edn_is_refused(text: str) -> None:
    with pytest.raises(MalformedHistory):
        parse_edn(text, depth_max=9)


# --- the log of a register with compare-and-set


def test_a_line_of_the_log_is_an_event(tmp_path: Path) -> None:
    history = log(
        tmp_path,
        "0\t:invoke\t:read\tnil",
        "1\t:invoke\t:cas\t[0 1]",
        "0\t:ok\t:read\t3",
        ":nemesis\t:info\t:start\tnil",
    )
    assert render(history) == "0 invoke read null\n1 invoke cas [0,1]\n0 ok read 3\nnemesis info start null\n"


def test_a_keyword_in_place_of_a_value_is_what_went_wrong(tmp_path: Path) -> None:
    write, read = log(
        tmp_path,
        "0\t:invoke\t:write\t3",
        "1\t:invoke\t:read\tnil",
        "0\t:info\t:write\t:timed-out",
        "1\t:fail\t:read\t:timed-out",
    ).operations
    assert (write.outcome, write.error, write.ended) == (Kind.INFO, "timed-out", None)
    assert (read.outcome, read.error, read.result) == (Kind.FAIL, "timed-out", MISSING)


def test_a_failed_cas_says_nothing_unless_it_is_to_be_observed(tmp_path: Path) -> None:
    lines = ("0\t:invoke\t:cas\t[0 1]", "0\t:fail\t:cas\t[0 1]")
    (dropped,) = log(tmp_path, *lines).operations
    assert (dropped.outcome, dropped.result) == (Kind.FAIL, MISSING)
    (observed,) = log(tmp_path, *lines, failed_cas="observe").operations
    assert (observed.outcome, observed.result) == (Kind.OK, False)


def test_a_cas_that_failed_for_another_reason_is_no_observation(tmp_path: Path) -> None:
    lines = ("0\t:invoke\t:cas\t[0 1]", "0\t:fail\t:cas\t:connection-refused")
    (failed,) = log(tmp_path, *lines, failed_cas="observe").operations
    assert (failed.outcome, failed.error) == (Kind.FAIL, "connection-refused")


def test_lines_of_other_loggers_are_passed_over_and_counted(tmp_path: Path) -> None:
    path = tmp_path / "jepsen.log"
    path.write_text("WARN  jepsen.core - slow\nINFO  jepsen.util - 0\t:invoke\t:read\tnil\n\tat clojure.core\n")
    history = read_history(path)
    assert len(history) == 1
    assert history.lines[0] == 2
    assert history.notes == ("passed over 2 lines of the log that are no events",)


def test_a_torn_last_line_of_a_log_is_not_passed_over(tmp_path: Path) -> None:
    path = tmp_path / "jepsen.log"
    path.write_text("INFO  jepsen.util - 0\t:invoke\t:read\tnil\nINFO  jepsen.ut")
    with pytest.raises(MalformedHistory, match="line 2: the last line is torn"):
        read_history(path)


# --- key-value histories


def test_a_key_that_was_never_written_reads_as_the_empty_string(tmp_path: Path) -> None:
    path = tmp_path / "kv.txt"
    path.write_text(
        '{:process 0, :type :invoke, :f :get, :key "7", :value nil}\n{:process 0, :type :ok, :f :get, :key "7", :value ""}\n'
    )
    history = read_history(path)
    assert history.header.initial == ""
    assert history == parse('0 invoke get "7": null\n0 ok get "7": ""')


# --- what we have


def test_every_recorded_history_reads(data: Path) -> None:
    paths = find_histories(data)
    assert Counter(path.parts[-3] for path in paths) == {"etcd": 32, "kv": 4}
    for path in paths:
        history = read_history(path)
        lines = [line for line in path.read_text().splitlines() if line.strip()]
        assert len(history) == len(lines)
        assert history.remarks == ()
        assert parse(render(history)) == history


def test_recorded_outcomes_are_those_of_the_lines(data: Path) -> None:
    for path in sorted((data / "etcd").glob("*/*.log")):
        text = path.read_text()
        outcomes = Counter(str(operation.outcome) for operation in read_history(path).operations)
        for kind in (":ok", ":fail"):
            assert outcomes[kind[1:]] == text.count(f"\t{kind}\t"), path
        assert outcomes["info"] == text.count("\t:invoke\t") - text.count("\t:ok\t") - text.count("\t:fail\t"), path
