"""A history as short text that people write and read: tests, golden files and reports use it.

    0 invoke write 7            process, kind, action, value
    1 invoke put x: "a b"       a key stands before the value and ends in a colon
    1 ok     put x: time=120    whatever else is said has a name: time, node, session, error, or a name of your own
    nemesis info partition ["n1"]      # a process that is no integer is no client

Values are JSON; a word by itself is a string. A comment begins with `#` at the start of a word. A completion without a
value says nothing; `null` is a value.
"""

from __future__ import annotations

import json
import re
from typing import Any, Final

import msgspec

from .errors import MalformedHistory, UsageError
from .event import MISSING, Event, Kind, Missing
from .history import EMPTY_HEADER, Header, History
from .values import Map, Value, freeze, to_json

_KINDS: Final = {str(kind): kind for kind in Kind}
_NAMED: Final = ("time", "node", "session", "error")
_TAKEN: Final = frozenset({"process", "type", "f", "key", "value", *_NAMED})
_BARE: Final = re.compile(r"[A-Za-z_](?:[\w./-]*\w)?", re.ASCII)
_NAME: Final = re.compile(r"([A-Za-z_][\w./-]*)=", re.ASCII)
_NUMBER: Final = re.compile(r"-?\d")
_LITERALS: Final[dict[str, Value]] = {"null": None, "true": True, "false": False}
_JSON: Final = json.JSONDecoder()


def parse(text: str, *, header: Header = EMPTY_HEADER) -> History:
    """The history that this text tells.

    Raises:
        MalformedHistory: a line tells no event; it names the line.
    """
    events = []
    for number, line in enumerate(text.split("\n"), start=1):
        try:
            event = parse_event(line)
        except MalformedHistory as problem:
            raise problem.located(line=number) from problem
        if event is not None:
            events.append(event)
    return History.of_events(events, header=header)


def render(history: History) -> str:
    """The text that tells this history, one event a line; its header, notes and indices are not told."""
    return "".join(f"{render_event(event)}\n" for event in history)


def render_event(event: Event) -> str:
    """The line that tells this event.

    Raises:
        UsageError: an extra field has the name of a field.
    """
    if taken := sorted(_TAKEN & event.extra.keys()):
        raise UsageError(f"an extra field cannot be called {taken[0]!r}: that is a field of its own")
    words = [_word(event.process), str(event.kind), _word(event.action)]
    if event.key is not None:
        words.append(_word(event.key) + ":")
    if not isinstance(event.value, Missing):
        words.append(_word(event.value))
    named = [(name, getattr(event, name)) for name in _NAMED]
    words += [f"{_word(name)}={_word(value)}" for name, value in named if value is not None]
    words += [f"{_word(name)}={_word(value)}" for name, value in event.extra.items()]
    return " ".join(words)


def parse_event(line: str) -> Event | None:
    """The event of this line, None where it is blank or a comment.

    Raises:
        MalformedHistory: it tells no event.
    """
    words = _Words(line)
    if words.done():
        return None
    process, kind, action = words.value("process"), words.value("type"), words.value("f")
    if type(process) is not int and not isinstance(process, str):
        raise MalformedHistory(f"{to_json(process)} is no process", field="process", hint="Use an integer or a name")
    if not isinstance(kind, str) or kind not in _KINDS:
        raise MalformedHistory(
            f"unknown type {to_json(kind)}", field="type", hint="It is one of invoke, ok, fail, info"
        )
    if not isinstance(action, str):
        raise MalformedHistory(f"{to_json(action)} is no action", field="f", hint="Use a word, such as read")
    key = words.key()
    value = words.value("value") if words.has_value() else MISSING
    named = words.named()
    return Event(process=process, kind=_KINDS[kind], action=action, key=key, value=value, **_fields(named))


def _fields(named: dict[str, Value]) -> dict[str, Any]:
    """The named values as fields of an event; those without a field of their own are extra."""
    for name, kinds in (("time", (int,)), ("node", (str,)), ("session", (int, str))):
        if type(named.get(name)) not in {*kinds, type(None)}:
            raise MalformedHistory(f"{to_json(named[name])} is no {name}", field=name)
    fields: dict[str, Any] = {name: named.pop(name) for name in _NAMED if name in named}
    return {**fields, "extra": Map(named)}


def _word(value: Value) -> str:
    """A value as one word; a string that needs no quotation marks has none."""
    if isinstance(value, str) and _BARE.fullmatch(value) and value not in _LITERALS:
        return value
    return to_json(value)


class _Words:
    """A line, read word by word."""

    def __init__(self, line: str) -> None:
        self._line, self._at = line, 0

    def done(self) -> bool:
        """Whether nothing but space or a comment is left."""
        while self._rest(1) and self._rest(1) in " \t\r":
            self._at += 1
        return self._rest(1) in {"", "#"}

    def value(self, field: str) -> Value:
        """The next word as a value."""
        if self.done():
            raise MalformedHistory("missing", field=field, hint="A line is: process kind action [key:] [value]")
        value = self._scan()
        if not self._at_space():
            raise MalformedHistory(f"{self._rest(20)!r} follows a value", field=field, hint="Put a space between them")
        return value

    def key(self) -> Value:
        """The next word if it ends in a colon; None, and nothing read, if it does not."""
        start = self._at
        if not self.done() and not _NAME.match(self._line, self._at):
            key = self._scan(ends=":")
            if self._rest(1) == ":":
                self._at += 1
                if key is None or not self._at_space():
                    raise MalformedHistory("no key", field="key", hint="A key is a value, a colon and a space")
                return key
        self._at = start
        return None

    def has_value(self) -> bool:
        """Whether the next word is a value, and not a name and a value."""
        if self.done() or _NAME.match(self._line, self._at):
            return False
        start = self._at
        self._scan()
        at, self._at = self._at, start
        return self._line[at : at + 1] != "="

    def named(self) -> dict[str, Value]:
        """All that is left: names, each with its value."""
        found: dict[str, Value] = {}
        while not self.done():
            if match := _NAME.match(self._line, self._at):
                name, self._at = match[1], match.end()
            else:
                name = self._quoted_name()
            if name in found or name in _TAKEN - set(_NAMED):
                raise MalformedHistory(f"{name!r} is said twice", field=name)
            found[name] = self.value(name)
        return found

    def _quoted_name(self) -> str:
        name = self._scan()
        if not isinstance(name, str) or self._rest(1) != "=":
            raise MalformedHistory(
                f"{to_json(name)} is one value too many",
                hint="A line is: process kind action [key:] [value] [name=value]",
            )
        self._at += 1
        return name

    def _scan(self, ends: str = "") -> Value:
        """The value that begins here, which may be a part of a word."""
        if self._rest(1) and self._rest(1) in '"[{':
            return self._scan_json()
        start = self._at
        while not self._at_space() and not (ends and self._rest(1) in ends and self._at_space(1)):
            self._at += 1
        return _bare(self._line[start : self._at])

    def _scan_json(self) -> Value:
        try:
            value, self._at = _JSON.raw_decode(self._line, self._at)
        except (ValueError, RecursionError) as error:
            raise MalformedHistory(f"not JSON: {error}") from error
        return freeze(value)

    def _rest(self, length: int) -> str:
        return self._line[self._at : self._at + length]

    def _at_space(self, ahead: int = 0) -> bool:
        at = self._at + ahead
        return at >= len(self._line) or self._line[at] in " \t\r"


def _bare(word: str) -> Value:
    if word in _LITERALS:
        return _LITERALS[word]
    if not _NUMBER.match(word):
        return word
    try:
        return freeze(msgspec.json.decode(word))
    except (msgspec.DecodeError, ValueError) as error:
        raise MalformedHistory(f"{word} is no number", hint="Put a string that begins so in quotation marks") from error
