"""Queues: what comes out was put in, at most as often, in order where that is claimed, and in the end all of it."""

from __future__ import annotations

from collections import Counter
from importlib import import_module
from itertools import combinations, permutations, product
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from upheld.checkers.invariants import Queue, TotalQueue
from upheld.histories.errors import MalformedHistory
from upheld.histories.history import History
from upheld.histories.notation import parse
from upheld.testing.traces import cases, outcome, story

small = import_module("small_invariants")


def history(text: str) -> History:
    """`+1` enqueues by process 0, `-1` is dequeued by process 1, `-` finds nothing; `drain [..]`; the rest is notation."""
    lines = []
    for line in map(str.strip, text.split(";")):
        if line.startswith("+"):
            lines += [f"0 invoke enqueue {line[1:]}", "0 ok enqueue"]
        elif line.startswith("-"):
            lines += ["1 invoke dequeue", f"1 ok dequeue {line[1:] or 'null'}"]
        elif line.startswith("drain"):
            lines += ["1 invoke drain", f"1 ok {line}"]
        else:
            lines.append(line)
    return parse("\n".join(lines))


@pytest.mark.parametrize(
    ("text", "expected"),
    cases(
        ("in and out", "+1; +2; -1; -2", "upheld"),
        ("in another order", "+1; +2; -2; -1", "upheld"),
        ("twice in, twice out", "+1; +1; -1; -1", "upheld"),
        ("once in, twice out", "+1; -1; -1", "dequeued-twice"),
        ("never in", "+1; -2", "unexpected-element"),
        ("true is not 1", "+1; -true", "unexpected-element"),
        ("out before it is in", "-1; +1", "dequeued-before-enqueue"),
        ("out while it is put in", "0 invoke enqueue 1; -1; 0 ok enqueue", "upheld"),
        ("pending, and out", "0 invoke enqueue 1; 0 info enqueue; -1", "upheld"),
        ("pending, and out twice", "0 invoke enqueue 1; 0 info enqueue; -1; -1", "dequeued-twice"),
        ("failed, and out", "0 invoke enqueue 1; 0 fail enqueue; -1", "unexpected-element"),
        ("drained twice at once", "+1; drain [1,1]", "dequeued-twice"),
        ("drained after it was taken", "+1; -1; drain [1]", "dequeued-twice"),
        ("a dequeue that nobody saw end", "+1; 1 invoke dequeue; 1 info dequeue", "undecided"),
        ("nothing found", "+1; -", "undecided"),
    ),
)
def test_what_is_dequeued_was_enqueued_and_leaves_once(text: str, expected: str) -> None:
    assert small.judged(Queue(), history(text)) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    cases(
        ("in order", "+1; +2; -1; -2", "upheld"),
        ("out of order", "+1; +2; -2; -1", "out-of-order"),
        ("taken out at once", "+1; +2; 2 invoke dequeue; -2; 2 ok dequeue 1", "upheld"),
        ("put in at once by two", "0 invoke enqueue 1; 5 invoke enqueue 2; 0 ok enqueue; 5 ok enqueue; -2; -1", "upheld"),
        ("put in by two", "5 invoke enqueue 1; 5 ok enqueue; +2; -2; -1", "upheld"),
        ("another one may have been meant", "+1; +2; +1; -2; -1", "upheld"),
        ("an older one that is pending", "0 invoke enqueue 1 session=7; 0 info enqueue; 3 invoke enqueue 2 session=7; 3 ok enqueue; -2; -1", "upheld"),
    ),
)  # fmt: skip
def test_elements_of_one_session_may_be_claimed_to_stay_in_order(text: str, expected: str) -> None:
    assert small.judged(Queue(fifo=True), history(text)) == expected
    assert outcome(Queue().check(history(text))) == "upheld"


@pytest.mark.parametrize(
    ("text", "expected"),
    cases(
        ("all came out", "+1; +2; -1; -2; -", "upheld"),
        ("one did not", "+1; +2; -1; -", "lost-element"),
        ("one is drained", "+1; +2; -1; drain [2]", "upheld"),
        ("one is not drained", "+1; +2; +3; -1; drain [2]", "lost-element"),
        ("nobody drained it", "+1; +2; -1", "undecided"),
        ("found empty before it was put in", "-; +1", "undecided"),
        ("it came out twice", "+1; -1; -1; -", "upheld"),
        ("one of two that are alike", "+1; +1; -1; -", "lost-element"),
        ("never put in", "+1; -1; -2", "unexpected-element"),
        ("a pending dequeue may have it", "+1; 2 invoke dequeue; 2 info dequeue; -", "upheld"),
        ("a pending dequeue cannot have both", "+1; +2; 2 invoke dequeue; 2 info dequeue; -", "lost-element"),
        ("a pending drain can have both", "+1; +2; 2 invoke drain; 2 info drain; -", "upheld"),
        ("a pending enqueue is owed to nobody", "0 invoke enqueue 1; 0 info enqueue; -", "undecided"),
        ("a pending enqueue comes out", "0 invoke enqueue 1; 0 info enqueue; -1; -", "upheld"),
        ("nothing happens", "-", "undecided"),
    ),
)
def test_what_was_enqueued_comes_out_by_the_time_the_queue_is_drained(text: str, expected: str) -> None:
    assert small.judged(TotalQueue(), history(text)) == expected


def test_what_became_of_elements_is_counted() -> None:
    text = "+1; 5 invoke enqueue 2; 5 info enqueue; +3; -1; -1; -2; 2 invoke dequeue; 2 info dequeue; -"
    evidence = dict(TotalQueue().check(history(text)).evidence)
    assert evidence == {
        "judged": 5,
        "acknowledged": 2,
        "taken": 3,
        "duplicated": 1,
        "recovered": 1,
        "lost": 1,
        "perhaps_taken": 1,
    }


def test_the_stories_show_who_put_in_and_who_took_out() -> None:
    assert story(Queue().check(history("+1; -1; -1"))) == (
        "1 is taken out twice, and was put in once:\n"
        "  events 0 to 1, process 0: enqueue(1)\n"
        "  events 2 to 3, process 1: dequeue() -> 1\n"
        "  events 4 to 5, process 1: dequeue() -> 1\n"
        "What is dequeued was enqueued before, and leaves the queue once."
    )
    assert story(TotalQueue().check(history("+1; +2; 2 invoke dequeue; 2 info dequeue; -"))) == (
        "1, 2 never came out, and the queue was drained, and of these only 1 may have been taken:\n"
        "  events 0 to 1, process 0: enqueue(1)\n"
        "  events 2 to 3, process 0: enqueue(2)\n"
        "  events 4 to 5, process 2: dequeue() -> ?\n"
        "  events 6 to 7, process 1: dequeue() -> null\n"
        "What was acknowledged as enqueued is dequeued by the time that the queue is drained."
    )


@pytest.mark.parametrize(("text", "why"), [("drain 1", "array"), ("1 invoke dequeue; 1 ok dequeue", "what it took")])
def test_what_takes_has_to_say_what_it_took(text: str, why: str) -> None:
    for judge in (Queue(), TotalQueue()):
        with pytest.raises(MalformedHistory, match=why):
            judge.check(history(text))


REQUESTS = st.one_of(
    st.tuples(st.just("enqueue"), st.none(), st.integers(1, 3)),
    st.just(("dequeue", None, None)),
)


def answers(request: Any) -> st.SearchStrategy[Any]:
    return st.sampled_from((1, 2, 3, None)) if request[0] == "dequeue" else st.none()


def explained(history: History) -> bool:
    """Whether each dequeue can have an enqueue of its own, which had begun when it ended."""
    takes = [each for each in small.ok(history, "dequeue") if each.result is not None]
    put = small.possible(history, "enqueue")
    return any(
        all(
            source.argument == take.result and small.may_precede(source, take)
            for source, take in zip(chosen, takes, strict=True)
        )
        for chosen in permutations(put, len(takes))
    )


def in_order(history: History) -> bool:
    """Whether of two elements of one session, each enqueued once, the earlier one is not dequeued after the later one."""
    out = Counter(each.result for each in small.ok(history, "dequeue"))
    takes = {each.result: each for each in small.ok(history, "dequeue") if out[each.result] == 1}
    put = small.possible(history, "enqueue")
    often = Counter(each.argument for each in put)
    once = [each for each in put if often[each.argument] == 1 and each.argument in takes]
    return not any(
        one.session == other.session
        and one.precedes(other)
        and not one.is_pending
        and takes[other.argument].precedes(takes[one.argument])
        for one, other in combinations(once, 2)
    )


@given(small.histories(REQUESTS, answers, size=14))
def test_a_queue_is_its_definition(history: History) -> None:
    took = any(each.result is not None for each in small.ok(history, "dequeue"))
    expected = {"upheld" if took else "undecided"}
    unexplained = {"dequeued-twice", "unexpected-element", "dequeued-before-enqueue"}
    plain, ordered = small.judged(Queue(), history), small.judged(Queue(fifo=True), history)
    assert plain in (expected if explained(history) else unexplained)
    assert ordered == ("out-of-order" if not in_order(history) else plain)


@given(small.histories(REQUESTS, answers, size=14))
def test_a_total_queue_is_its_definition(history: History) -> None:
    put, acknowledged = small.possible(history, "enqueue"), small.ok(history, "enqueue")
    took = [each.result for each in small.ok(history, "dequeue") if each.result is not None]
    pending = [each for each in small.possible(history, "dequeue") if each.is_pending]
    owed = Counter(each.argument for each in acknowledged)
    explained = any(owed <= Counter([*took, *perhaps]) for perhaps in product((1, 2, 3, None), repeat=len(pending)))
    empty = [each for each in small.ok(history, "dequeue") if each.result is None]
    drained = any(all(each.precedes(one) for each in acknowledged) for one in empty)
    strange = not set(took) <= {each.argument for each in put}
    verdict = small.judged(TotalQueue(), history)
    if drained and not explained:
        assert verdict == "lost-element"
    elif strange:
        assert verdict == "unexpected-element"
    elif drained:
        assert verdict == ("upheld" if took or acknowledged else "undecided")
    else:
        assert verdict == "undecided"
