"""The values of EDN, Clojure's notation, as far as logs of clients use them: one value from one piece of text."""

from __future__ import annotations

import re
from typing import Any, Final

import msgspec

from ..errors import MalformedHistory
from ..values import Map, Value, freeze, to_json

_TOKEN: Final = re.compile(
    r"""[\s,]*(?:
        (?P<open>[\[({]|\#\{) | (?P<close>[\])}]) |
        (?P<string>"(?:[^"\\]|\\.)*") |
        (?P<word>[^\s,\[\](){}"]+)
    )""",
    re.VERBOSE | re.DOTALL,
)
_CLOSES: Final = {"[": "]", "(": ")", "{": "}", "#{": "}"}
_WORDS: Final[dict[str, Value]] = {"nil": None, "true": True, "false": False}
_NUMBER: Final = re.compile(r"[+-]?\d+(?P<fraction>\.\d*)?(?P<exponent>[eE][+-]?\d+)?[NM]?")


def parse_edn(text: str, *, depth_max: int) -> Value:
    """The value in this text; keywords become strings without their colon, vectors, lists and sets become arrays.

    Raises:
        MalformedHistory: it holds no value, more than one, or one nested deeper than `depth_max`.
    """
    stack: list[tuple[str, list[Any]]] = [("", [])]
    at = 0
    while match := _TOKEN.match(text, at):
        at = match.end()
        if opening := match["open"]:
            stack.append((opening, []))
        elif closing := match["close"]:
            opening, items = stack.pop()
            if _CLOSES.get(opening) != closing:
                raise MalformedHistory(f"{closing!r} closes nothing at character {at}")
            stack[-1][1].append(_collection(opening, items))
        else:
            stack[-1][1].append(_string(match["string"]) if match["string"] else _word(match["word"]))
    (_, values), *still_open = stack
    if still_open or len(values) != 1 or text[at:].strip(" ,\t\r\n"):
        raise MalformedHistory("not one whole EDN value", hint="A bracket or a quotation mark may be missing")
    return freeze(values[0], depth_max=depth_max)


def _collection(opening: str, items: list[Any]) -> Any:
    if opening != "{":
        return items
    if len(items) % 2:
        raise MalformedHistory("a map with a key and no value")
    names = (key if isinstance(key, str) else to_json(key) for key in items[::2])
    return Map(dict(zip(names, items[1::2], strict=True)))


def _string(quoted: str) -> str:
    try:
        return msgspec.json.decode(quoted, type=str)
    except (msgspec.DecodeError, UnicodeError) as error:
        raise MalformedHistory(f"{quoted[:60]} is no string: {error}") from error


def _word(word: str) -> Value:
    if word in _WORDS:
        return _WORDS[word]
    if match := _NUMBER.fullmatch(word):
        digits = word.rstrip("NM")
        try:
            return float(digits) if match["fraction"] or match["exponent"] or word.endswith("M") else int(digits)
        except ValueError as error:
            raise MalformedHistory(f"a number of {len(word)} digits") from error
    return word.removeprefix(":")
