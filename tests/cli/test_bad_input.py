"""Whatever somebody hands in gives one clear message and exit status 2, never a traceback."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

WRITE = '{"process":0,"type":"invoke","f":"write","value":1}\n{"process":0,"type":"ok","f":"write"}\n'
STALE = "0 invoke write 7\n0 ok write\n1 invoke read\n1 ok read null\n"

BAD: dict[str, tuple[str | bytes, str]] = {
    "a completion without an invocation": (
        "9 ok read null\n" + STALE,
        "line 1, field 'process': process 9 completes read",
    ),
    "two open operations of one process": (
        "0 invoke write 1\n0 invoke write 2\n",
        "line 2, field 'process': process 0",
    ),
    "an unknown type": ('{"process":0,"type":"begin","f":"write"}\n', "line 1, field 'type': unknown type"),
    "a torn last line": (WRITE + '{"process":1,"type":"inv', "line 3: the last line is torn"),
    "not UTF-8": (b'{"process":0,"type":"invoke","f":"write","value":"\xff"}\n', "line 1: not UTF-8"),
    "an empty file": ("", "the file is empty"),
    "a line of 100 MB": (
        b'{"process":0,"type":"invoke","f":"write","value":"' + b"a" * 10**8 + b'"}\n',
        "line 1: the line has",
    ),
    "a deeply nested value": (
        '{"process":0,"type":"invoke","f":"write","value":' + "[" * 5000 + "]" * 5000 + "}\n",
        "line 1: ",
    ),
    "a value nested a little too deeply": (
        '{"process":0,"type":"invoke","f":"write","value":' + "[" * 500 + "]" * 500 + "}\n",
        "line 1",
    ),
    "no history at all": ("dear diary\n", "in no known format"),
    "damaged compression": (b"\x1f\x8b\x08\x00damaged", "damaged"),
}


@pytest.mark.parametrize("case", BAD)
def test_a_bad_history_gives_one_message_and_status_2(case: str, upheld: Callable[..., Any], tmp_path: Path) -> None:
    content, complaint = BAD[case]
    path = tmp_path / "history.jsonl"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    result = upheld("check", path)
    assert result.status == 2
    assert result.out == ""
    assert result.err.count("\n") == 1
    assert f"{path}" in result.err
    assert complaint in result.err


MISUSES = {
    "a directory without histories": (["check", "."], "no history in this directory"),
    "a file that is not there": (["check", "nowhere.jsonl"], "nowhere.jsonl: cannot be read: No such file"),
    "a model that nobody knows": (["check", "--model", "reigster", "stale.txt"], "there is register, cas-register, kv"),
    "a model with other actions": (["check", "--model", "kv", "stale.txt"], "the model kv has no action 'write'"),
    "a consistency model that is misspelt": (
        ["check", "--consistency", "causal.convergance", "stale.txt"],
        "ids are qualified: causal.convergence",
    ),
    "a consistency model of many names": (["check", "--consistency", "snapshot", "stale.txt"], "isolation.snapshot"),
    "no consistency model": (["check", "--consistency", "causal,", "stale.txt"], "there is no consistency model ''"),
    "a format that nobody reads": (["check", "--format", "xml", "stale.txt"], "there are jsonl"),
    "a choice that is none": (["check", "--nil-read", "perhaps", "stale.txt"], "there is absent, unknown"),
    "a duration that is none": (["check", "--timeout", "soon", "stale.txt"], "say 90s, 2m or 1h"),
    "an option that is none": (["check", "--modle", "kv", "stale.txt"], "No such option"),
    "a command that is none": (["chekc", "stale.txt"], "No such command"),
    "nothing to check": (["check"], "Missing argument"),
    "a list of nothing": (["list", "heroes"], "there is systems, claims, models"),
    "a plan that is not there": (["replay", "plan.json"], "plan.json: cannot read the plan"),
    "a plan that is none": (["replay", "stale.txt"], "not a plan"),
    "a run that is not there": (["show", "raft-kv/7"], "there is no such file"),
    "faults that a system does not survive": (
        ["run", "raft-kv", "--faults", "rot"],
        "--beyond-budget does it nevertheless",
    ),
    "a system that is not there": (["run", "raft-vk"], "did you mean raft-kv"),
    "a claim that is not there": (["verify", "raft.linearisable"], "did you mean raft.linearizable"),
    "a variant that is none": (["verify", "--variant", "ideal"], "there is reference, as-written"),
    "a mutant that is none": (["run", "raft-kv", "--mutant", "votes-for-fun"], "has no mutant 'votes-for-fun'"),
    "a profile that is none": (["run", "raft-kv", "--faults", "locusts"], "locusts"),
    "two that want standard output": (["convert", "stale.txt", "-", "--json"], "name a file to write"),
    "a format that nobody writes": (["convert", "stale.txt", "out", "--to", "kv-log"], "no format 'kv-log'"),
}


@pytest.mark.parametrize("case", MISUSES)
def test_misuse_gives_a_message_that_says_what_there_is(case: str, upheld: Callable[..., Any], tmp_path: Path) -> None:
    arguments, complaint = MISUSES[case]
    if arguments != ["check", "."]:
        (tmp_path / "stale.txt").write_text(STALE)
    result = upheld(*arguments)
    assert result.status == 2
    assert complaint in result.err
    assert "Traceback" not in result.err


def test_a_bug_of_ours_is_no_verdict(
    upheld: Callable[..., Any], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "stale.txt").write_text(STALE)
    monkeypatch.setattr("upheld.cli.judging.Linearizable.check", lambda *_: 1 / 0)
    result = upheld("check", "stale.txt")
    assert result.status == 70
    assert "ZeroDivisionError" in result.err
    assert "this is a bug of upheld, and no verdict" in result.err


def test_lenient_leaves_a_torn_line_out_and_says_so(upheld: Callable[..., Any], tmp_path: Path) -> None:
    (tmp_path / "torn.jsonl").write_text(WRITE + '{"process":1,"type":"inv')
    result = upheld("check", "--lenient", "torn.jsonl")
    assert result.status == 0
    assert "note: left out: line 3: the last line is torn" in result.out


def test_lenient_leaves_a_completion_without_an_invocation_out_and_says_so(
    upheld: Callable[..., Any], tmp_path: Path
) -> None:
    (tmp_path / "stale.txt").write_text("9 ok read null\n" + STALE)
    result = upheld("check", "--lenient", "stale.txt")
    assert result.status == 1
    assert "note: left out: line 1, field 'process': process 9 completes read without an invocation" in result.out


def test_one_bad_file_is_no_reason_to_leave_the_others(upheld: Callable[..., Any], tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("0 ok read null\n")
    (tmp_path / "b.txt").write_text(STALE)
    result = upheld("check", "a.txt", "nowhere", "b.txt", "--json")
    assert result.status == 2
    assert '"verdict": "refuted", "histories": [{"path": "b.txt"' in result.out
    assert result.err.count("\n") == 2


def test_a_process_of_its_own_says_the_same(start: Callable[..., Any], tmp_path: Path) -> None:
    (tmp_path / "torn.jsonl").write_text(WRITE + '{"process":1,"type":"inv')
    process: subprocess.Popen[bytes] = start("check", "torn.jsonl", cwd=tmp_path)
    out, err = process.communicate()
    assert process.returncode == 2
    assert out == b""
    assert err.startswith(b"upheld: torn.jsonl, line 3: the last line is torn")
    assert err.count(b"\n") == 1
