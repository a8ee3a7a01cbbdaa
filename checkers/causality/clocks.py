"""The clock condition: a message happened before another exactly when its vector clock is less."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from ...histories.errors import MalformedHistory
from ...histories.trace import Trace
from ...histories.values import to_json
from ..verdict import Anomaly, Refuted, Undecided, Upheld, Verdict
from .happens_before import HappensBefore, Post
from .tell import at, graph_of, name, tell, tell_path

COUNTING = "clocks that count messages, O(n k)"
PAIRWISE = "all pairs, O(n² k)"


class ClockCondition:
    """Decides from a trace whether the vector clocks that messages carry tell exactly what happened before what.

    That is the strong clock condition (Fidge 1988, Mattern 1989): of two messages the first happened before
    the second if and only if its clock is less: in no component more, and in one less at least. Happens-before is the
    judge's own (see `happens_before`). Clocks may count anything.
    """

    def check(self, trace: Trace, /) -> Verdict:
        """Refuted by the first message whose clock is wrong about an earlier or a later one.

        Raises:
            MalformedHistory: the clock of a post is not made of pairs of a node and a number.
        """
        order = HappensBefore(trace)
        if order.inapplicable:
            return Undecided(reason=f"not applicable: {order.inapplicable}", checker="clock-condition")
        clocks = [clock_of(post) for post in order.posts]
        if all(_counts_messages(post, clock, order.nodes) for post, clock in zip(order.posts, clocks, strict=True)):
            return self._upheld(order, COUNTING)
        wrong = _first_wrong(order, clocks)
        return self._upheld(order, PAIRWISE) if wrong is None else self._refuted(order, *wrong)

    @staticmethod
    def _upheld(order: HappensBefore, method: str) -> Upheld:
        count = len(order.posts)
        return Upheld(
            checker="clock-condition",
            method=method,
            operations=count,
            evidence={
                "messages": count,
                "deliveries": order.deliveries,
                "ordered_pairs": order.ordered_pairs,
                "concurrent_pairs": count * (count - 1) // 2 - order.ordered_pairs,
            },
            witness={name(post.message): post.past for post in order.posts},
        )

    @staticmethod
    def _refuted(order: HappensBefore, first: Post, last: Post) -> Refuted:
        return Refuted(
            _lost(order, first, last) if first.precedes(last) else _invented(order, first, last),
            checker="clock-condition",
            method=PAIRWISE,
            operations=len(order.posts),
        )


def clock_of(post: Post) -> Mapping[str, int]:
    """The clock that a message carries.

    Raises:
        MalformedHistory: it is not made of pairs of a node and a number.
    """
    clock: dict[str, int] = {}
    pairs = post.note.fact("clock")
    for pair in pairs if isinstance(pairs, tuple) else (None,):
        match pair:
            case (str(node), int(count)) if not isinstance(count, bool):
                clock[node] = count
            case _:
                raise MalformedHistory(
                    f"{post.note.node} posts {post} with the clock {to_json(pairs)}",
                    field="clock",
                    hint='A clock is made of pairs of a node and a number, such as [["n1",2],["n2",1]]',
                )
    return clock


def _counts_messages(post: Post, clock: Mapping[str, int], nodes: Sequence[str]) -> bool:
    """Whether the clock is what the judge's own is, of which the condition is known to hold."""
    counted = {node: count for node, count in zip(nodes, post.past, strict=True) if count}
    return {node: count for node, count in clock.items() if count} == counted


def _first_wrong(order: HappensBefore, clocks: Sequence[Mapping[str, int]]) -> tuple[Post, Post] | None:
    """Two messages whose clocks are wrong about them, in the order that clocks or happens-before give them."""
    claimed = _ranks(clocks)
    node = np.array([post.node for post in order.posts])
    number = np.array([post.number for post in order.posts])
    past = np.array([post.past for post in order.posts])
    for at_last, last in enumerate(order.posts):
        earlier, mine = claimed[:at_last], claimed[at_last]
        is_before = past[at_last][node[:at_last]] >= number[:at_last]
        is_less = np.all(earlier <= mine, axis=1) & np.any(earlier < mine, axis=1)
        wrong = np.flatnonzero(is_less != is_before)
        if len(wrong):
            return order.posts[int(wrong[-1])], last
        is_greater = np.flatnonzero(np.all(earlier >= mine, axis=1) & np.any(earlier > mine, axis=1))
        if len(is_greater):
            return last, order.posts[int(is_greater[-1])]
    return None


def _ranks(clocks: Sequence[Mapping[str, int]]) -> npt.NDArray[np.int64]:
    """The clocks as a matrix: in place of each number its rank within its component, since numbers may be of any size."""
    names = dict.fromkeys(node for clock in clocks for node in clock)
    columns: list[Any] = []
    for node in names:
        values = [clock.get(node, 0) for clock in clocks]
        rank = {value: place for place, value in enumerate(sorted(set(values)))}
        columns.append([rank[value] for value in values])
    return np.array(columns, dtype=np.int64).reshape(len(columns), len(clocks)).T


def _told(post: Post) -> str:
    return "{" + ", ".join(f"{node}: {count}" for node, count in sorted(clock_of(post).items())) + "}"


def _lost(order: HappensBefore, first: Post, last: Post) -> Anomaly:
    """The first happened before the last, and the clocks do not say so."""
    path = order.path(first, last)
    wrong = f"the clock {_told(first)} is not less than {_told(last)}"
    return Anomaly(
        kind="causality-lost",
        story=(*tell_path(path), f"Yet {wrong}"),
        facts=(first.note, last.note),
        graph=graph_of(path, (last.note, first.note, wrong)),
    )


def _invented(order: HappensBefore, first: Post, last: Post) -> Anomaly:
    """The clocks say that the first happened before the last, and it did not."""
    of, known = order.nodes[first.node], last.past[first.node]
    extent = f"no message of {of} after {order.of_node(first.node)[known - 1]}" if known else f"no message of {of}"
    in_time = sorted((first, last), key=lambda post: post.at)
    return Anomaly(
        kind="causality-invented",
        story=(
            *(f"{tell(post.note)} {at(post.note)}" for post in in_time),
            f"The clock {_told(first)} is less than {_told(last)}, as if {first} had happened before {last}",
            f"Yet {extent} had come to {last.note.node} by then",
        ),
        facts=tuple(post.note for post in in_time),
        graph=graph_of((), (first.note, last.note, "its clock is less")),
    )
