"""The short notation, as people write it."""

from __future__ import annotations

import pytest

from upheld.histories.errors import MalformedHistory, UsageError
from upheld.histories.event import MISSING, Event, Kind
from upheld.histories.history import Header, History
from upheld.histories.notation import parse, render
from upheld.histories.values import Map, Value


def test_a_line_is_an_event_and_a_comment_is_none() -> None:
    history = parse("""
        0 invoke write 7
        1 invoke read
        1 ok     read  7     # seen before the write was answered: allowed
        0 ok     write
    """)
    write, read = history.operations
    assert (write.action, write.argument, read.result) == ("write", 7, 7)
    assert not write.precedes(read)
    assert not read.precedes(write)


@pytest.mark.parametrize(
    ("word", "value"),
    [
        ("7", 7),
        ("-7", -7),
        ("7.0", 7.0),
        ("1e3", 1000.0),
        ("true", True),
        ("null", None),
        ("apple", "apple"),
        ("n1.example", "n1.example"),
        ('"two words"', "two words"),
        ('"7"', "7"),
        ('"x:"', "x:"),
        ('"a=b"', "a=b"),
        ('"#"', "#"),
        ("[1, [2, null]]", (1, (2, None))),
        ('{"a": [true]}', Map({"a": (True,)})),
        ("what?", "what?"),
    ],
)
def test_values_are_json_and_words_are_strings(word: str, value: Value) -> None:
    (event,) = parse(f"0 ok read {word}")
    assert event == Event(index=0, process=0, kind=Kind.OK, action="read", value=value)
    assert type(event.value) is type(value)


@pytest.mark.parametrize(
    ("line", "event"),
    [
        ("0 invoke put x: 7", Event(process=0, kind=Kind.INVOKE, action="put", key="x", value=7)),
        ("0 invoke get x:", Event(process=0, kind=Kind.INVOKE, action="get", key="x")),
        ("0 invoke get 7:", Event(process=0, kind=Kind.INVOKE, action="get", key=7)),
        ('0 invoke get "a b": null', Event(process=0, kind=Kind.INVOKE, action="get", key="a b", value=None)),
        ("0 ok get [1,2]: 3", Event(process=0, kind=Kind.OK, action="get", key=(1, 2), value=3)),
        ("nemesis info cut [1]", Event(process="nemesis", kind=Kind.INFO, action="cut", value=(1,))),
        ('"3" info cut', Event(process="3", kind=Kind.INFO, action="cut")),
        (
            '0 info put time=5 session=c node=n1 error="too late" msg_id=4',
            Event(
                process=0,
                kind=Kind.INFO,
                action="put",
                time=5,
                session="c",
                node="n1",
                error="too late",
                extra=Map({"msg_id": 4}),
            ),
        ),
    ],
)
def test_keys_end_in_a_colon_and_all_else_has_a_name(line: str, event: Event) -> None:
    assert parse(line) == History.of_events([event])
    assert parse(render(parse(line))) == parse(line)


def test_nothing_is_another_thing_than_null() -> None:
    missing, null = parse("0 ok write\n0 ok write null")
    assert missing.value is MISSING
    assert null.value is None


def test_what_is_rendered_reads_like_what_people_write() -> None:
    text = '0 invoke put x: 7\n1 invoke get x: time=3\n1 ok get x: "7"\nnemesis info crash n1\n0 ok put x:\n'
    assert render(parse(text)) == text


def test_the_header_is_handed_in_beside_the_text() -> None:
    assert parse("0 invoke read", header=Header(initial=5)).header.initial == 5


@pytest.mark.parametrize(
    ("line", "complaint"),
    [
        ("0", "line 2, field 'type': missing. A line is: process kind action [key:] [value]"),
        ("0 invoke", "line 2, field 'f': missing"),
        ("0 begin read", "line 2, field 'type': unknown type \"begin\". It is one of invoke, ok, fail, info"),
        ("1.5 invoke read", "line 2, field 'process': 1.5 is no process"),
        ("0 invoke 7", "line 2, field 'f': 7 is no action"),
        ("0 invoke read 1 2", "line 2: 2 is one value too many"),
        ("0 invoke read 007", "007 is no number. Put a string that begins so in quotation marks"),
        ("0 invoke read [1", "not JSON"),
        ("0 invoke read [NaN]", "no JSON value"),
        ('0 invoke read "\\ud800"', "no JSON value"),
        ("0 invoke read null: 1", "no key"),
        ("0 invoke read time=1.5", "field 'time': 1.5 is no time"),
        ("0 invoke read time=1 time=2", "'time' is said twice"),
        ("0 invoke read value=2", "'value' is said twice"),
        ('0 invoke read "a"b', "follows a value"),
        ("0 invoke read " + "[" * 200 + "]" * 200, "nested too deeply"),
    ],
)
def test_a_line_that_tells_no_event_says_why(line: str, complaint: str) -> None:
    with pytest.raises(MalformedHistory) as caught:
        parse(f"# first\n{line}")
    assert complaint in str(caught.value)


def test_an_extra_field_cannot_take_the_name_of_another() -> None:
    with pytest.raises(UsageError, match="'time'"):
        render(History.of_events([Event(process=0, kind=Kind.OK, action="read", extra=Map({"time": 1}))]))
