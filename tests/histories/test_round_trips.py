"""What is written down and read again is the same: every format, on any history that it can carry."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from upheld.histories.event import MISSING, Event, Kind
from upheld.histories.files import read_history, read_trace, write_history, write_trace
from upheld.histories.history import Header, History
from upheld.histories.notation import parse, render
from upheld.histories.trace import Note, Trace
from upheld.histories.values import Map, freeze

text = st.text(st.characters(codec="utf-8"), max_size=8)
names = st.sampled_from(
    ["x", "read", "null", "true", "a b", "n-1", "x:", "a=b", "7", "#", '"', "[", "", "\u2028", "\x0b"]
)
scalars = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | text | names
values = st.recursive(
    scalars, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(text, inner, max_size=3)
).map(freeze)
processes = st.integers(-3, 9) | names
times = st.none() | st.integers(-(2**63) + 1, 2**63 - 1)
taken = {"index", "process", "type", "f", "key", "value", "time", "session", "node", "error", "upheld"}
extras = st.dictionaries((text | names).filter(lambda name: name not in taken), values, max_size=2).map(Map)

events = st.builds(
    Event,
    process=processes,
    kind=st.sampled_from(Kind),
    action=names | text,
    key=values,
    value=values | st.just(MISSING),
    time=times,
    session=st.none() | processes,
    node=st.none() | text,
    error=values,
    extra=extras,
)
headers = st.builds(
    Header,
    system=st.none() | text,
    model=st.none() | text,
    seed=st.none() | st.integers(),
    initial=values | st.just(MISSING),
    clocks=st.integers(1, 3),
    clock_error_ns=st.none() | st.integers(0, 2**40),
    nil_read=st.sampled_from(["absent", "unknown"]),
    note=st.none() | text,
)


@st.composite
def pairable(draw: st.DrawFn) -> list[Event]:
    """Events of a few processes that invoke and complete in turn, and of others that do as they like."""
    told, opened = [], dict[int | str, Event]()
    for event in draw(st.lists(events, max_size=12)):
        waiting = opened.pop(event.process, None)
        if type(event.process) is not int:
            told.append(event)
        elif waiting is None:
            opened[event.process] = Event(process=event.process, kind=Kind.INVOKE, action=event.action, key=event.key)
            told.append(opened[event.process])
        else:
            kind = event.kind if event.kind is not Kind.INVOKE else Kind.OK
            value = None if event.value is MISSING else event.value
            told.append(Event(process=event.process, kind=kind, action=waiting.action, value=value, error=event.error))
    return told


@given(st.lists(events, max_size=5))
def test_the_notation_reads_what_it_renders(told: list[Event]) -> None:
    history = History.of_events(told)
    assert parse(render(history)) == history


@given(pairable(), headers)
@pytest.mark.parametrize("name", ["history.jsonl", "history.jsonl.gz"])
def test_a_file_reads_as_the_history_that_was_written(
    tmp_path_factory: pytest.TempPathFactory, name: str, told: list[Event], header: Header
) -> None:
    path = tmp_path_factory.mktemp("written") / name
    history = History.of_events([*told, Event(process="end", kind=Kind.INFO, action="end")], header=header)
    write_history(history, path)
    again = read_history(path)
    assert again == history
    assert again.header == header


def test_the_same_history_is_written_as_the_same_bytes(tmp_path: Path) -> None:
    history = parse("0 invoke write 7\n0 ok write")
    for name in ("a.jsonl.gz", "b.jsonl.gz"):
        write_history(history, tmp_path / name)
    assert (tmp_path / "a.jsonl.gz").read_bytes() == (tmp_path / "b.jsonl.gz").read_bytes()


def test_fields_have_a_fixed_order_and_unknown_ones_survive(tmp_path: Path) -> None:
    line = '{"process":0,"type":"info","f":"cas","key":"x","value":[1,2],"time":5,"session":9,"node":"n1","error":"e","b":1,"a":{"c":null}}'
    path = tmp_path / "history.jsonl"
    path.write_text(line.replace("info", "invoke") + "\n" + line + "\n")
    write_history(read_history(path), path)
    assert path.read_text().splitlines() == ['{"upheld":1}', line.replace("info", "invoke"), line]


facts = st.lists(values, max_size=3).map(tuple)
notes = st.tuples(st.integers(), text, st.sampled_from(["term", "start"]), facts).map(lambda parts: Note(*parts))


@given(st.lists(notes, max_size=5), st.lists(text, max_size=3))
def test_a_trace_reads_as_it_was_written(
    tmp_path_factory: pytest.TempPathFactory, told: list[Note], nodes: list[str]
) -> None:
    path = tmp_path_factory.mktemp("trace") / "trace.jsonl"
    trace = Trace(told, nodes=nodes)
    write_trace(trace, path)
    assert read_trace(path) == trace
