"""Files: what is recognised, what is refused and in which words, what is left out, and how much is taken in."""

from __future__ import annotations

import gzip
import io
import sys
from pathlib import Path

import pytest

from upheld.histories import sources
from upheld.histories.errors import MalformedHistory, UsageError
from upheld.histories.event import Kind
from upheld.histories.files import find_histories, read_history, read_trace, write_history
from upheld.histories.history import Header
from upheld.histories.notation import parse, render
from upheld.histories.sources import Limits

WRITE = '{"process":0,"type":"invoke","f":"write","value":7}\n'
WRITTEN = '{"process":0,"type":"ok","f":"write"}\n'
READ = '{"process":1,"type":"invoke","f":"read"}\n'
SEVEN = '{"process":1,"type":"ok","f":"read","value":7}\n'


def file(folder: Path, content: str | bytes, name: str = "history.jsonl") -> Path:
    path = folder / name
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


# --- what is read


@pytest.mark.parametrize(
    "content",
    [
        WRITE + WRITTEN,
        '{"upheld":1}\n' + WRITE + WRITTEN,
        "\n" + WRITE + "  \n" + WRITTEN + "\n\n",
        WRITE + WRITTEN.rstrip(),
        (WRITE + WRITTEN).replace("\n", "\r\n"),
        "\ufeff" + WRITE + WRITTEN,
        '{"f": "write", "value": 7, "type": "invoke", "process": 0, "index": 0}\n' + WRITTEN,
        "0 invoke write 7\n0 ok write\n",
        "# by hand\n\n0 invoke write 7\n0 ok write",
        "{:process 0, :type :invoke, :f :write, :key nil, :value 7}\n{:process 0, :type :ok, :f :write, :key nil}\n",
        "INFO  jepsen.util - 0\t:invoke\t:write\t7\nINFO  jepsen.util - 0\t:ok\t:write\n",
        "x INFO  jepsen.util - 0  :invoke  :write  7\nINFO  jepsen.core - hello\nINFO  jepsen.util - 0\t:ok\t:write\n",
    ],
)
@pytest.mark.parametrize("compressed", [False, True], ids=["plain", "gzip"])
def test_the_format_is_recognised_by_content(tmp_path: Path, content: str, compressed: bool) -> None:  # noqa: FBT001  # a column of the table
    told = content.encode()
    history = read_history(file(tmp_path, gzip.compress(told) if compressed else told, "any.name"))
    assert history == parse("0 invoke write 7\n0 ok write")


@pytest.mark.parametrize("compressed", [False, True], ids=["plain", "gzip"])
def test_a_dash_is_standard_input(monkeypatch: pytest.MonkeyPatch, compressed: bool) -> None:  # noqa: FBT001  # a column of the table
    told = (WRITE + WRITTEN).encode()
    arrived = io.BytesIO(gzip.compress(told) if compressed else told)
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(arrived))
    history = read_history("-")
    assert len(history) == 2
    assert history.path == "standard input"


def test_a_dash_is_standard_output_for_writers(capfdbinary: pytest.CaptureFixture[bytes]) -> None:
    write_history(parse("0 invoke write 7"), "-")
    assert capfdbinary.readouterr().out == b'{"upheld":1}\n' + WRITE.encode()


def test_the_short_notation_is_a_format_that_is_written_too(tmp_path: Path) -> None:
    history = parse("0 invoke write 7\n0 ok write")
    write_history(history, tmp_path / "history.txt", format="short")
    assert (tmp_path / "history.txt").read_text() == render(history)
    assert read_history(tmp_path / "history.txt") == history


def test_a_header_says_what_holds_for_the_whole(tmp_path: Path) -> None:
    header = '{"upheld":1,"system":"raft-kv","model":"kv","seed":7,"initial":"","order":"time","clock_error_ns":3,"mine":[1]}\n'
    told = read_history(file(tmp_path, header + WRITE.replace("}", ',"time":1}'))).header
    assert (told.system, told.model, told.seed, told.initial, told.order) == ("raft-kv", "kv", 7, "", "time")
    assert (told.clock_error_ns, told.extra["mine"]) == (3, (1,))


def test_a_file_with_nothing_but_a_header_is_a_history_without_events(tmp_path: Path) -> None:
    assert len(read_history(file(tmp_path, '{"upheld":1,"system":"chat"}\n'))) == 0


@pytest.mark.parametrize("header", ["", '{"upheld":1,"initial":3}\n'])
def test_the_caller_knows_the_initial_state_better_than_the_file(tmp_path: Path, header: str) -> None:
    assert read_history(file(tmp_path, header + WRITE), initial=0).header == Header(initial=0)


@pytest.mark.parametrize("long", [9_000, 100_000])
def test_a_first_line_longer_than_what_formats_are_recognised_by_is_still_recognised(tmp_path: Path, long: int) -> None:
    file(tmp_path, WRITE.replace("7", f'"{"x" * long}"'))
    (path,) = find_histories(tmp_path)
    assert len(read_history(path)) == 1


# --- what is refused: each in one sentence that says what, where, and what to do

BAD = {
    "a completion without an invocation": (
        WRITE + WRITTEN + '{"process":9,"type":"ok","f":"read","value":null}\n',
        (
            "{path}, line 3, field 'process': process 9 completes read without an invocation. "
            "Record the invocation before the request is sent, or leave the line out with --lenient"
        ),
    ),
    "two open operations of one process": (
        WRITE + "\n" + WRITE,
        (
            "{path}, line 3, field 'process': process 0 invokes write while its write is open. "
            "A process does one thing at a time; give concurrent operations processes of their own"
        ),
    ),
    "an unknown type": (
        WRITE + WRITTEN.replace("ok", "okay"),
        "{path}, line 2, field 'type': unknown type \"okay\". It is one of invoke, ok, fail, info",
    ),
    "a torn last line": (
        WRITE + WRITTEN[:20],
        (
            "{path}, line 2: the last line is torn: not JSON: Input data was truncated. "
            "Its writer was probably stopped in the middle; --lenient leaves it out"
        ),
    ),
    "not UTF-8": (
        WRITE.encode() + b'{"process":0,"type":"ok","f":"wr\xffte"}\n',
        "{path}, line 2: not UTF-8: invalid start byte at byte 32 of the line. Save it as UTF-8",
    ),
    "UTF-16": (
        WRITE.encode("utf-16"),
        (
            "{path}: not UTF-8 text, and in no known format. "
            "Known are jsonl, jepsen-log, kv-log, short; choose one with --format"
        ),
    ),
    "an empty file": ("", "{path}: the file is empty. A history has at least one line"),
    "a blank file": ("\n \n", "{path}: the file is empty. A history has at least one line"),
    "a deeply nested value": (
        WRITE.replace("7", "[" * 101 + "]" * 101),
        (
            "{path}, line 1, field 'value': a value is nested too deeply (limit depth_max). "
            "Flatten it, or raise the limit with Limits(depth_max=...)"
        ),
    ),
    "a value nested beyond all measure": (
        WRITE.replace("7", "[" * 100_000 + "]" * 100_000),
        "{path}, line 1: a value is nested far too deeply. Flatten it; values may be nested to Limits(depth_max=...)",
    ),
    "some other text": (
        "Dear all,\n",
        "{path}: in no known format. Known are jsonl, jepsen-log, kv-log, short; choose one with --format",
    ),
    "a missing process": (
        '{"type":"invoke","f":"read"}\n',
        "{path}, line 1, field 'process': missing. Use an integer for a client, a string for anybody else",
    ),
    "a missing type": (
        '{"process":0,"f":"read"}\n',
        "{path}, line 1, field 'type': missing. It is one of invoke, ok, fail, info",
    ),
    "a missing f": (
        '{"process":0,"type":"invoke"}\n',
        "{path}, line 1, field 'f': missing. It says what was asked for, such as 'read'",
    ),
    "a process that is no number": (
        WRITE.replace("0", "true"),
        "{path}, line 1, field 'process': true is no process. Use an integer for a client, a string for anybody else",
    ),
    "a time that is no integer": (
        WRITE.replace("}", ',"time":1.5}'),
        "{path}, line 1, field 'time': 1.5 is no time. Use nanoseconds, as an integer",
    ),
    "a time beyond all time": (
        WRITE.replace("}", ',"time":9223372036854775808}'),
        "{path}, line 1, field 'time': 9223372036854775808 is no time in nanoseconds. Use a 64-bit integer",
    ),
    "an ok read that does not say what it saw": (
        READ + SEVEN.replace(',"value":7', ""),
        (
            "{path}, line 2, field 'value': process 1 completes read and does not say what it saw. "
            "Write null where it found nothing"
        ),
    ),
    "a completion of another action": (
        WRITE + WRITTEN.replace("write", "read"),
        (
            "{path}, line 2, field 'f': process 0 invoked write and completes read. "
            "A completion repeats the action of its invocation"
        ),
    ),
    "a completion of another key": (
        WRITE.replace("}", ',"key":"x"}') + WRITTEN.replace("}", ',"key":"y"}'),
        (
            '{path}, line 2, field \'key\': process 0 asked for key "x" and completes "y". '
            "A completion repeats the key of its invocation, or leaves it out"
        ),
    ),
    "no object": (
        WRITE + "[1]\n",
        "{path}, line 2: not an object, but [1]. One JSON object a line is expected",
    ),
    "a header of the future": (
        '{"upheld":2}\n',
        "{path}, line 1, field 'upheld': format 2; this upheld reads format 1",
    ),
    "a second header": (
        WRITE + '{"upheld":1}\n',
        "{path}, line 2: a second header. Only the first line may be a header; split the file here",
    ),
    "a header with an unknown order": (
        '{"upheld":1,"order":"luck"}\n',
        "{path}, line 1, field 'order': unknown: \"luck\". Use lines or time",
    ),
    "a header with a seed that is none": (
        '{"upheld":1,"seed":"7"}\n',
        "{path}, line 1, field 'seed': \"7\" is no int",
    ),
    "an order by times that are not there": (
        '{"upheld":1,"order":"time"}\n' + WRITE,
        (
            "{path}, line 2, field 'time': the header orders by time, and this event has none. "
            'Give every event of a client its time, or order by lines ("order":"lines")'
        ),
    ),
    "compressed data that ends too early": (
        gzip.compress((WRITE + WRITTEN).encode() * 1000)[:-20],
        (
            "{path}: the compressed data is damaged or cut off "
            "(Compressed file ended before the end-of-stream marker was reached). "
            "Decompress it by hand (`gzip -dc`, `zstd -dc`) and read what is left"
        ),
    ),
    "a broken EDN map": (
        '{:process 0, :type :invoke, :f :get, :key "0", :value nil}\n{:process 0, :type\n',
        "{path}, line 2: not one whole EDN value. A bracket or a quotation mark may be missing",
    ),
    "a log with an unknown type": (
        "INFO  jepsen.util - 0\t:invoke\t:read\tnil\nINFO  jepsen.util - 0\t:okay\t:read\tnil\n",
        "{path}, line 2, field 'type': unknown type \"okay\". It is one of invoke, ok, fail, info",
    ),
}


@pytest.mark.parametrize(("content", "complaint"), BAD.values(), ids=BAD.keys())
def test_what_is_no_history_is_refused_in_one_sentence(tmp_path: Path, content: str | bytes, complaint: str) -> None:
    path = file(tmp_path, content)
    with pytest.raises(MalformedHistory) as caught:
        read_history(path)
    assert str(caught.value) == complaint.replace("{path}", str(path))


def test_the_complaint_holds_path_line_and_field_apart(tmp_path: Path) -> None:
    path = file(tmp_path, WRITE + WRITTEN.replace("ok", "okay"))
    with pytest.raises(MalformedHistory) as caught:
        read_history(path)
    assert (caught.value.path, caught.value.line, caught.value.field) == (str(path), 2, "type")


def test_a_format_that_was_asked_for_and_an_empty_file_are_no_history(tmp_path: Path) -> None:
    with pytest.raises(MalformedHistory, match="the file is empty"):
        read_history(file(tmp_path, "\n"), format="jepsen-log")


@pytest.mark.parametrize(
    ("path", "options", "complaint"),
    [
        ("missing.jsonl", {}, "missing.jsonl: cannot be read: No such file or directory"),
        (".", {}, "cannot be read: Is a directory"),
        ("a\0b", {}, "cannot be read: embedded null byte"),
        ("here.jsonl", {"format": "xml"}, "no format 'xml'; there are jsonl, jepsen-log, kv-log, short"),
    ],
)
def test_misuse_says_what_is_wrong(tmp_path: Path, path: str, options: dict[str, str], complaint: str) -> None:
    file(tmp_path, WRITE, "here.jsonl")
    with pytest.raises(UsageError) as caught:
        read_history(tmp_path / path, **options)  # type: ignore[arg-type]  # a table of options
    assert complaint in str(caught.value)


@pytest.mark.parametrize("name", ["compression.zstd", "backports.zstd"])
def test_zstandard_is_read_by_whichever_library_there_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    library = pytest.importorskip(name, exc_type=ImportError)
    packed = library.compress((WRITE + WRITTEN).encode() * 2)
    path = file(tmp_path, packed, "history.jsonl.zst")
    monkeypatch.setattr(sources, "_ZSTD_LIBRARIES", [name])
    assert len(read_history(path)) == 4
    with pytest.raises(MalformedHistory, match="damaged or cut off"):
        read_history(file(tmp_path, packed[:-9], "damaged.zst"), format="jsonl")


def test_zstandard_without_a_library_says_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(name: str) -> None:
        raise ImportError(name)

    monkeypatch.setattr(sources, "import_module", missing)
    with pytest.raises(UsageError, match=r"pip install backports\.zstd"):
        read_history(file(tmp_path, b"\x28\xb5\x2f\xfd rest", "history.jsonl.zst"))


def test_a_file_that_cannot_be_written_is_said_and_leaves_nothing_behind(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="cannot be written: No such file or directory"):
        write_history(parse("0 invoke read"), tmp_path / "missing" / "history.jsonl")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("content", ["", '{"time":1}\n', '{"upheld_trace":1}\n', '{"upheld_trace":1,"nodes":[1]}\n'])
def test_what_is_no_trace_is_refused(tmp_path: Path, content: str) -> None:
    with pytest.raises(MalformedHistory, match=r"trace\.jsonl"):
        read_trace(file(tmp_path, content, "trace.jsonl"))


def test_a_note_that_is_none_is_refused_with_its_line_and_field(tmp_path: Path) -> None:
    path = file(tmp_path, '{"upheld_trace":1,"nodes":["a"]}\n{"time":0,"node":"a","kind":"term","facts":3}\n')
    with pytest.raises(MalformedHistory, match=r"line 2, field 'facts': missing, or no list"):
        read_trace(path)


# --- what is left out


def test_lenient_leaves_a_torn_line_out_and_says_so(tmp_path: Path) -> None:
    history = read_history(file(tmp_path, WRITE + WRITTEN[:20]), lenient=True)
    (write,) = history.operations
    assert write.is_pending
    assert len(history.notes) == 1
    assert history.notes[0].startswith("left out: line 2: the last line is torn")


def test_lenient_leaves_a_completion_without_an_invocation_out_and_says_so(tmp_path: Path) -> None:
    history = read_history(
        file(tmp_path, '{"process":9,"type":"ok","f":"read","value":null}\n' + WRITE + WRITTEN), lenient=True
    )
    assert [operation.process for operation in history.operations] == [0]
    assert history.notes == ("left out: line 1, field 'process': process 9 completes read without an invocation",)


def test_an_operation_whose_completion_was_left_out_is_pending(tmp_path: Path) -> None:
    """Its result is lost, and a process that goes on proves that it had one; nobody knows which."""
    broken = WRITTEN.replace("}", "")
    history = read_history(
        file(tmp_path, WRITE + broken + READ.replace("1", "0") + SEVEN.replace("1", "0")), lenient=True
    )
    write, read = history.operations
    assert (write.outcome, write.ended) == (Kind.INFO, None)
    assert read.result == 7
    assert any("its write is taken as pending" in note for note in history.notes)


def test_lenient_reading_does_not_excuse_two_open_operations(tmp_path: Path) -> None:
    with pytest.raises(MalformedHistory, match="while its write is open"):
        read_history(file(tmp_path, WRITE + WRITE), lenient=True)


# --- how much is taken in


def test_a_line_of_100_megabytes_is_refused_before_it_is_read(tmp_path: Path) -> None:
    path = file(tmp_path, gzip.compress(WRITE.encode() + b'{"process":"' + b"x" * 100_000_000, compresslevel=1))
    with pytest.raises(MalformedHistory) as caught:
        read_history(path)
    assert str(caught.value) == (
        f"{path}, line 2: the line has more bytes than 16,777,216 (limit line_bytes_max). "
        "If it is meant to be so, raise the limit with Limits(line_bytes_max=...)"
    )


@pytest.mark.parametrize(
    ("limits", "name"),
    [
        (Limits(line_bytes_max=20), "line_bytes_max"),
        (Limits(bytes_max=70), "bytes_max"),
        (Limits(events_max=1), "events_max"),
        (Limits(depth_max=1), "depth_max"),
    ],
)
def test_every_limit_can_be_set_and_is_named_when_it_is_reached(tmp_path: Path, limits: Limits, name: str) -> None:
    path = file(tmp_path, WRITE.replace("7", "[[7]]") + WRITTEN)
    assert len(read_history(path)) == 2
    with pytest.raises(MalformedHistory, match=rf"limit {name}.*Limits\({name}=\.\.\.\)"):
        read_history(path, limits=limits)


# --- directories


def test_a_directory_is_searched_to_its_depths_in_order(tmp_path: Path) -> None:
    for name in ("b/2.jsonl", "b/1.log", "a.txt", "b/.hidden.jsonl", ".git/x.jsonl"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
    file(tmp_path, WRITE, "b/2.jsonl")
    file(tmp_path, "INFO  jepsen.util - 0\t:invoke\t:read\tnil\n", "b/1.log")
    file(tmp_path, "0 invoke read\n", "a.txt")
    file(tmp_path, WRITE, "b/.hidden.jsonl")
    file(tmp_path, WRITE, ".git/x.jsonl")
    file(tmp_path, '{"upheld":1,\n "system":"raft-kv"}\n', "plan.json")
    file(tmp_path, '{"upheld_trace":1,"nodes":[]}\n', "trace.jsonl")
    file(tmp_path, "# Read me\n\nAll of it.\n", "README.md")
    assert find_histories(tmp_path) == [tmp_path / "a.txt", tmp_path / "b/1.log", tmp_path / "b/2.jsonl"]


def test_a_directory_without_histories_is_an_error_that_says_so(tmp_path: Path) -> None:
    file(tmp_path, "# Read me\n", "README.md")
    with pytest.raises(UsageError, match=f"{tmp_path}: no history in this directory"):
        find_histories(tmp_path)


def test_a_directory_that_does_not_exist_is_an_error_that_says_so(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="missing: no such directory"):
        find_histories(tmp_path / "missing")
