"""Values, columns and pairing: what a history is, apart from where it came from."""

from __future__ import annotations

import copy
import pickle
import subprocess
import sys
import time
from itertools import pairwise, product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from upheld.histories.errors import MalformedHistory, UsageError
from upheld.histories.event import MISSING, Event, Kind
from upheld.histories.history import Header, History, HistoryBuilder
from upheld.histories.notation import parse
from upheld.histories.values import Map, freeze, identity, same, thaw, to_json

HISTORY = """
    0 invoke put x: 1
    nemesis info partition ["n1"]
    1 invoke get x:
    2 invoke put y: 2
    0 ok put x:
    2 info put y: error="timed out"
    1 ok get 1
    nemesis info heal
    3 invoke get y:
"""

# --- values

DISTINCT = [
    None,
    True,
    False,
    0,
    1,
    0.0,
    -0.0,
    1.0,
    "",
    "1",
    "true",
    (),
    (1,),
    (1.0,),
    ((),),
    Map(),
    Map({"a": 1}),
    Map({"a": True}),
]


def test_values_compare_as_json_by_type() -> None:
    for left, right in product(DISTINCT, repeat=2):
        assert same(left, right) == (left is right), (left, right)
        assert (identity(left) == identity(right)) == (left is right), (left, right)


def test_objects_are_equal_whatever_the_order_of_their_keys() -> None:
    one, other = Map({"a": 1, "b": (True,)}), Map({"b": (True,), "a": 1})
    assert one == other
    assert hash(one) == hash(other)
    assert one != Map({"a": 1, "b": (1,)})
    assert pickle.loads(pickle.dumps(one)) == one


@pytest.mark.parametrize(
    "value",
    [float("nan"), float("inf"), b"bytes", {1, 2}, object(), "\ud800", [{"a": 1j}]],
    ids=lambda value: type(value).__name__,
)
def test_what_is_no_json_is_no_value(value: object) -> None:
    with pytest.raises(MalformedHistory, match="no JSON value"):
        freeze(value)


def test_a_frozen_value_thaws_to_what_it_was_and_is_written_so() -> None:
    value = {"b": [1, {"a": None}], "a": "ü", "n": 10**40}
    assert thaw(freeze(value)) == value
    assert to_json(freeze(value)) == f'{{"b":[1,{{"a":null}}],"a":"ü","n":{10**40}}}'


def test_nothing_stays_the_one_nothing_when_it_is_copied() -> None:
    assert pickle.loads(pickle.dumps(MISSING)) is MISSING
    assert copy.deepcopy(MISSING) is MISSING


# --- a sequence of events


def test_a_history_is_a_sequence_whose_parts_keep_their_numbers() -> None:
    history = parse(HISTORY)
    assert len(history) == 9
    assert [event.index for event in history] == list(range(9))
    assert history[-1].action == "get"
    assert [event.index for event in history[2:6:2]] == [2, 4]
    assert [event.index for event in history.nemesis()] == [1, 7]
    assert [event.index for event in history.client()] == [0, 2, 3, 4, 5, 6, 8]
    assert [event.index for event in history.of(0, "nemesis")] == [0, 1, 4, 7]
    assert [event.index for event in history.filter(lambda event: event.kind is Kind.OK)] == [4, 6]
    assert history[2:][0] == history[2]
    with pytest.raises(IndexError):
        history[9]


def test_parts_of_parts_still_know_errors_and_extra_fields() -> None:
    event = Event(process=0, kind=Kind.INFO, action="put", error="late", extra=Map({"msg_id": 7}))
    history = History.of_events([Event(process=1, kind=Kind.OK, action="put"), event])
    (found,) = history[1:].client()
    assert (found.error, found.extra["msg_id"]) == ("late", 7)


def test_histories_are_equal_when_they_tell_the_same() -> None:
    assert parse(HISTORY) == parse(HISTORY)
    assert hash(parse(HISTORY)) == hash(parse(HISTORY))
    assert parse(HISTORY)[2:] == parse("\n".join(HISTORY.strip().splitlines()[2:]))
    assert parse("0 ok get 1") != parse("0 ok get 1.0")
    assert parse("0 ok get") != parse("0 ok get null")
    assert parse("0 ok get") != parse("0 ok get\n0 ok get")


def test_a_history_cannot_be_changed() -> None:
    history = parse(HISTORY)
    for part in (history, history[2:], history.client()):
        with pytest.raises(ValueError, match="read-only"):
            part.columns.value[0] = 5
    builder = HistoryBuilder()
    builder.add(0, Kind.INVOKE, "get")
    before = builder.build()
    builder.add(0, Kind.OK, "get", value=1)
    assert (len(before), len(builder.build())) == (1, 2)


def test_values_share_a_code_exactly_when_they_are_the_same() -> None:
    events = [Event(process=0, kind=Kind.OK, action="get", value=value) for value in (1, True, 1.0, 1, (1,), (True,))]
    assert History.of_events(events).columns.value.tolist() == [0, 1, 2, 0, 3, 4]


def test_a_history_survives_a_pickle() -> None:
    history = parse(HISTORY)
    assert history.operations
    again = pickle.loads(pickle.dumps(history))
    assert again == history
    assert again.operations == history.operations


# --- operations


def test_operations_are_told_in_the_order_in_which_they_began() -> None:
    assert [str(operation) for operation in parse(HISTORY).operations] == [
        'process 0: put("x", 1)',
        'process 1: get("x") -> 1',
        'process 2: put("y", 2) -> ?',
        'process 3: get("y") -> ?',
    ]


def test_an_operation_knows_its_events_and_when_it_happened() -> None:
    (operation,) = parse("3 invoke put x: 1 time=5 node=n1 session=0\n3 fail put time=9 node=n2 error=full").operations
    assert (operation.invocation, operation.completion, operation.began, operation.ended) == (0, 1, 0, 1)
    assert (operation.invoked_ns, operation.completed_ns) == (5, 9)
    assert (operation.session, operation.node, operation.error) == (0, "n2", "full")
    assert str(operation) == 'process 3: put("x", 1) -> fail'


def test_by_key_gives_each_key_whole_operations_in_the_order_of_keys() -> None:
    (x, of_x), (y, of_y) = parse(HISTORY).by_key()
    assert (x, [event.index for event in of_x]) == ("x", [0, 2, 4, 6])
    assert (y, [event.index for event in of_y]) == ("y", [3, 5, 8])
    assert [key for key, _ in parse("0 invoke get\n0 ok get 1").by_key()] == [None]


def test_keys_that_python_confuses_are_two() -> None:
    parts = parse("0 invoke get 1:\n0 ok get 5\n1 invoke get true:\n1 ok get 6").by_key()
    assert [(repr(key), len(part)) for key, part in parts] == [("1", 2), ("True", 2)]


def test_only_and_without_divide_a_history() -> None:
    history = parse(HISTORY)
    first, *rest = history.operations
    assert [event.index for event in history.only([first])] == [0, 4]
    assert [event.index for event in history.without(rest)] == [0, 1, 4, 7]
    assert history.only(rest).operations == tuple(rest)


def test_an_empty_history_has_no_operations() -> None:
    history = History.of_events([])
    assert history.operations == ()
    assert history.by_key() == ()
    assert len(history.client()) == 0
    assert History.of_events([], header=Header(order="time")).operations == ()


@given(st.lists(st.tuples(st.integers(0, 3), st.sampled_from(Kind))))
def test_pairing_does_what_walking_from_line_to_line_does(told: list[tuple[int, Kind]]) -> None:
    history = History.of_events(
        Event(process=who, kind=kind, action="add", value=n) for n, (who, kind) in enumerate(told)
    )
    expected = _walk(told)
    if expected is None:
        with pytest.raises(MalformedHistory):
            history.pairing  # noqa: B018  # it is what raises
    else:
        assert {(operation.invocation, operation.completion) for operation in history.operations} == expected
        assert all(one.began < other.began for one, other in pairwise(history.operations))


def _walk(told: list[tuple[int, Kind]]) -> set[tuple[int, int | None]] | None:
    """Invocation and completion of each operation; None for what is no history."""
    pairs = set[tuple[int, int | None]]()
    for who in range(4):
        mine = [(at, kind) for at, (process, kind) in enumerate(told) if process == who]
        waiting, may_answer_late = None, False
        for at, kind in mine:
            if kind is Kind.INVOKE:
                if waiting is not None:
                    return None
                waiting = at
            elif waiting is not None:
                pairs.add((waiting, at))
                waiting, may_answer_late = None, may_answer_late or kind is Kind.INFO
            elif not may_answer_late:
                return None
        pairs |= {(waiting, None)} if waiting is not None else set()
    return pairs


def test_a_complaint_without_a_file_names_the_line_of_the_event() -> None:
    with pytest.raises(
        MalformedHistory, match=r"^line 2, field 'process': process 0 invokes read while its write is open"
    ):
        parse("0 invoke write 1\n0 invoke read").operations  # noqa: B018  # it is what raises


# --- others


def test_a_notebook_shows_the_first_events_and_counts_the_others() -> None:
    shown = parse("0 ok write <b>\n" * 203)._repr_html_()
    assert shown.count("<tr>") == 201
    assert "&lt;b&gt;" in shown.replace('"', "")
    assert "3 more events" in shown


@pytest.mark.parametrize("convert", [History.to_pandas, History.to_arrow])
def test_an_extra_that_is_not_installed_is_named(convert: object, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pandas", None)
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(UsageError, match=r"pip install 'upheld\[pandas\]'"):
        convert(parse(HISTORY))  # type: ignore[operator]  # both are methods


def test_a_frame_has_a_row_to_each_event() -> None:
    pytest.importorskip("pandas")
    frame = parse(HISTORY).to_pandas()
    assert list(frame["action"])[:3] == ["put", "partition", "get"]
    assert list(frame["kind"])[:2] == ["invoke", "info"]


BIG = """
import resource
from upheld.histories.event import Kind
from upheld.histories.history import HistoryBuilder
def peak(): return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
before = peak()
builder = HistoryBuilder()
for n in range(500_000):
    builder.add(n % 8, Kind.INVOKE, "write", key=f"k{n % 1000}", value=n, time=2 * n, node="n1")
    builder.add(n % 8, Kind.OK, "write", key=f"k{n % 1000}", value=n, time=2 * n + 1, node="n1")
history = builder.build()
print(peak() - before, sum(getattr(history.columns, name).nbytes for name in ("index", "process", "kind", "action", "key", "value", "time", "session", "node")))
"""


def test_a_million_events_take_less_than_200_megabytes() -> None:
    done = subprocess.run([sys.executable, "-c", BIG], capture_output=True, text=True, check=True)
    peak, columns = map(int, done.stdout.split())
    assert columns < 50e6
    assert peak < 200e6


def test_a_million_events_are_paired_in_seconds() -> None:
    builder = HistoryBuilder()
    for n in range(500_000):
        builder.add(n % 8, Kind.INVOKE, "write", key=n % 100)
        builder.add(n % 8, Kind.OK, "write", key=n % 100)
    history = builder.build()
    begin = time.process_time()
    pairing = history.pairing
    assert time.process_time() - begin < 5
    assert np.array_equal(pairing.completion, pairing.invocation + 1)
