"""Any bytes read as a history give a History, a MalformedHistory or a UsageError, and nothing else."""

from __future__ import annotations

import gzip
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import pytest
from hypothesis import given
from hypothesis import strategies as st

from upheld.histories.errors import MalformedHistory, UsageError
from upheld.histories.files import CODECS, read_history, read_trace
from upheld.histories.history import History
from upheld.histories.notation import parse
from upheld.histories.trace import Trace

PIECES = [
    b'{"upheld":1}',
    b'{"process":0,"type":"invoke","f":"cas","key":"x","value":[1,2],"time":5}',
    b'{"process":0,"type":"fail","f":"cas","session":1,"node":"n1","error":{"a":[null]},"more":1e5}',
    b'{"upheld_trace":1,"nodes":["n1"]}',
    b'{"time":1,"node":"n1","kind":"voted","facts":[1,"n2"]}',
    b'{:process 0, :type :invoke, :f :append, :key "4", :value "x 0 1 y"}',
    b"INFO  jepsen.util - 3\t:info\t:write\t:timed-out",
    b"INFO  jepsen.util - :nemesis\t:ok\t:cas\t[0 #{1 {2 3}}]",
    b'0 invoke put x: {"a": 1} time=3 node=n1',
    b"nemesis info cut # off",
    b"\xef\xbb\xbf",
    b"\xff\xfe",
    b"[" * 2000,
    b"1" * 5000,
    b'"\\ud800"',
    b"NaN",
    b"1e999",
    b"\x00",
    b"\n",
    b"\r\n",
    b" ",
]


@st.composite
def nearly(draw: st.DrawFn) -> bytes:
    """Pieces of real lines, cut, glued, repeated and with bytes replaced."""
    content = b"".join(draw(st.lists(st.sampled_from(PIECES) | st.binary(max_size=5) | st.just(b"\n"), max_size=8)))
    for _ in range(draw(st.integers(0, 3))):
        at = draw(st.integers(0, len(content)))
        content = (
            content[:at]
            + draw(st.sampled_from(PIECES) | st.binary(max_size=2))
            + content[at + draw(st.integers(0, 3)) :]
        )
    return content


T = TypeVar("T")


def read_or_refused(read: Callable[[], T]) -> T | str:
    """What was read, or the sentence that refuses it; anything else that is raised fails the test."""
    try:
        return read()
    except (MalformedHistory, UsageError) as problem:
        return str(problem)


@given(
    content=st.binary(max_size=60) | nearly(),
    packed=st.sampled_from([bytes, gzip.compress]),
    cut=st.integers(0, 3),
    options=st.fixed_dictionaries(
        {},
        optional={
            "lenient": st.just(True),
            "format": st.sampled_from([codec.NAME for codec in CODECS]),
            "failed_cas": st.just("observe"),
        },
    ),
)
def test_any_bytes_are_a_history_or_are_refused(
    tmp_path_factory: pytest.TempPathFactory,
    content: bytes,
    packed: Callable[[bytes], bytes],
    cut: int,
    options: dict[str, Any],
) -> None:
    path = tmp_path_factory.getbasetemp() / "anything"
    told = packed(content)
    path.write_bytes(told[: len(told) - cut])
    history = read_or_refused(lambda: read_history(path, **options))
    if isinstance(history, str):
        assert history.startswith(str(path))
        assert "\n" not in history
    else:
        assert len(history.operations) <= len(history)


@given(st.binary(max_size=60) | nearly())
def test_any_bytes_are_a_trace_or_are_refused(tmp_path_factory: pytest.TempPathFactory, content: bytes) -> None:
    path = tmp_path_factory.getbasetemp() / "any.trace"
    path.write_bytes(content)
    trace = read_or_refused(lambda: read_trace(path))
    assert trace.startswith(str(path)) if isinstance(trace, str) else isinstance(trace, Trace)


@given(st.text(max_size=40) | nearly().map(lambda content: content.decode("latin-1")))
def test_any_text_is_notation_or_is_refused(text: str) -> None:
    history = read_or_refused(lambda: parse(text))
    assert history.startswith("line ") if isinstance(history, str) else isinstance(history, History)


def test_a_bomb_of_blank_lines_is_no_history(tmp_path: Path) -> None:
    path = tmp_path / "bomb.gz"
    path.write_bytes(gzip.compress(b"\n" * 2_000_000))
    with pytest.raises(MalformedHistory, match="empty"):
        read_history(path)
