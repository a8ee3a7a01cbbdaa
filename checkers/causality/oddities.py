"""Reads that no write of another transaction explains: an anomaly by themselves, whatever the order of operations."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from typing import Final, TypeAlias

import numpy as np

from ...histories.event import Operation
from ...histories.values import identity, to_json
from ..reading import Parts
from ..reads_from import INITIAL, Oddity, OddKind, ReadsFrom
from ..verdict import Anomaly

_Told: TypeAlias = tuple[tuple[Operation, ...], tuple[str, ...]]

KINDS: Final[Mapping[OddKind, str]] = {
    "thin-air": "thin-air-read",
    "aborted": "G1a",
    "intermediate": "G1b",
    "internal": "internal-read",
    "future": "own-future-read",
}
"""The anomaly that each kind of oddity is."""


def odd(traced: ReadsFrom, *, but: Collection[OddKind] = ()) -> Anomaly | None:
    """The first read that no write of another transaction explains, `but` for some kinds; None where there is none.

    It refutes every model that says what a read may return. The anomaly has no graph: there is no cycle. Its history holds
    the operations of the story, and the writes that these read besides.
    """
    candidates = [oddity for oddity in traced.oddities if oddity.kind not in but]
    if not candidates:
        return None
    oddity = min(candidates, key=lambda each: (int(traced.numbers[each.reader]), tuple(KINDS).index(each.kind)))
    operations, story = _TOLD[oddity.kind](traced, oddity)
    parts = Parts(traced)
    part = parts.history(parts.closed([each.invocation for each in operations]))
    return Anomaly(kind=KINDS[oddity.kind], story=story, operations=operations, history=part)


def _thin_air(traced: ReadsFrom, oddity: Oddity) -> _Told:
    reader = traced.operation(oddity.reader)
    began = [value for key, value in traced.started_as if identity(key) == identity(oddity.key)]
    story = (f"{reader} read {_what(oddity)}", "No operation of this history writes that value there")
    if not began:
        initial = () if oddity.key is None else (" of that key",)
        return (reader,), (*story, "".join(("Nor is it the initial value", *initial)))
    first = traced.operation(_first_of_initial(traced, oddity))
    return (first, reader), (
        *story,
        f"Nor can it have been there at first: that was {to_json(began[0])}, as nobody wrote it and {first} read it",
    )


def _first_of_initial(traced: ReadsFrom, oddity: Oddity) -> int:
    """The first transaction that read what a key is taken to have begun with."""
    keys = [number for number, key in enumerate(traced.keys) if identity(key) == identity(oddity.key)]
    is_such = (traced.reads[:, 2] == INITIAL) & np.isin(traced.reads[:, 1], keys)
    return int(traced.reads[is_such, 0].min())


def _aborted(traced: ReadsFrom, oddity: Oddity) -> _Told:
    reader, writer = traced.operation(oddity.reader), _writer(oddity)
    return (writer, reader), (
        f"{writer} failed, so that it certainly took no effect",
        f"{reader} read {_what(oddity)}, which only it would have written",
    )


def _intermediate(traced: ReadsFrom, oddity: Oddity) -> _Told:
    reader, writer = traced.operation(oddity.reader), _writer(oddity)
    return (writer, reader), (
        f"{writer} wrote {_what(oddity)}, and overwrote it itself",
        f"{reader} read it all the same",
    )


def _internal(traced: ReadsFrom, oddity: Oddity) -> _Told:
    reader = traced.operation(oddity.reader)
    return (reader,), (
        f"{reader} read {_what(oddity)}",
        "It had written another value there before, and a transaction reads its own writes",
    )


def _future(traced: ReadsFrom, oddity: Oddity) -> _Told:
    reader = traced.operation(oddity.reader)
    return (reader,), (
        f"{reader} read {_what(oddity)}",
        "Only it writes that value there, and it does so later",
    )


_TOLD: Final[Mapping[OddKind, Callable[[ReadsFrom, Oddity], _Told]]] = {
    "thin-air": _thin_air,
    "aborted": _aborted,
    "intermediate": _intermediate,
    "internal": _internal,
    "future": _future,
}


def _what(oddity: Oddity) -> str:
    value = to_json(oddity.value)
    return value if oddity.key is None else f"{value} of key {to_json(oddity.key)}"


def _writer(oddity: Oddity) -> Operation:
    if oddity.writer is None:
        raise ValueError(f"an oddity of kind {oddity.kind} has a writer")
    return oddity.writer
