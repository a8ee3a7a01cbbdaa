"""Logs with offsets: each anomaly of Jepsen's workload for Kafka, what excuses it, and the definitions."""

from __future__ import annotations

from importlib import import_module
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from upheld.checkers.invariants import Logs
from upheld.checkers.invariants.logs import KINDS
from upheld.checkers.verdict import Refuted
from upheld.histories.errors import MalformedHistory, UsageError
from upheld.histories.event import Event, Kind
from upheld.histories.history import History
from upheld.histories.notation import parse
from upheld.histories.values import Map, freeze
from upheld.testing.traces import cases, outcome, story

small = import_module("small_invariants")


def history(text: str) -> History:
    """Operations between semicolons, one after the other: `PROCESS [KIND] STEP ...`.

    `a@3` sends a to the log k, where it comes to lie at offset 3, and `a@?` at one that nobody knows; `<3a,4b` polls k.
    `assign` and the like stand for themselves; an operation is ok unless it says `fail` or `info`.
    """
    events: list[Event] = []
    for line in filter(None, map(str.strip, text.split(";"))):
        process, *steps = line.split()
        kind = Kind(steps.pop(0)) if steps[0] in {"fail", "info"} else Kind.OK
        if steps[0].isalpha():
            action = steps[0]
            asked: list[Any] = ["k"]
            told: list[Any] = ["k"]
        else:
            action = "txn" if len(steps) > 1 else "poll" if steps[0][0] == "<" else "send"
            asked, told = [_asked(step) for step in steps], [_told(step) for step in steps]
        invoked = Event(process=int(process), kind=Kind.INVOKE, action=action, value=freeze(asked))
        result: dict[str, Any] = {"value": freeze(told)} if kind is Kind.OK else {}
        events += [invoked, Event(process=int(process), kind=kind, action=action, **result)]
    return History.of_events(events)


def _asked(step: str) -> list[Any]:
    return ["poll"] if step[0] == "<" else ["send", "k", step.split("@", maxsplit=1)[0]]


def _told(step: str) -> list[Any]:
    if step[0] == "<":
        return ["poll", {"k": [[int(each[:-1]), each[-1]] for each in step[1:].split(",") if each]}]
    value, offset = step.split("@")
    return ["send", "k", value if offset == "?" else [int(offset), value]]


SENT = "0 a@0; 0 b@1; 0 c@2;"


@pytest.mark.parametrize(
    ("text", "expected"),
    cases(
        ("all in order", SENT + "1 <0a,1b; 1 <2c", "upheld"),
        ("not all yet", SENT + "1 <0a", "upheld"),
        ("gaps that nobody fills", "0 a@0; 0 b@7; 1 <0a; 1 <7b", "upheld"),
        ("nothing is polled", SENT, "undecided"),
        ("one offset, two values", SENT + "1 <0a,1c,2c", "inconsistent-offsets"),
        ("two offsets, one value", SENT + "1 <0a,1b,2c,3c", "duplicate"),
        ("sent twice, at two offsets", SENT + "0 a@3; 1 <0a,1b,2c,3a", "upheld"),
        ("aborted, and polled", "0 fail a@?; 1 <0a", "aborted-read"),
        ("aborted, sent again and polled", "0 fail a@?; 0 a@0; 1 <0a", "upheld"),
        ("pending, and polled", "0 info a@?; 1 <0a", "upheld"),
        ("never sent", SENT + "1 <0a,1b,2c,3d", "thin-air-read"),
        ("polled by the one who sends it", "0 a@0 <0a", "precommitted-read"),
        ("lost", SENT + "1 <0a,2c", "lost-write"),
        ("below where another value was polled again", "0 a@1; 0 b@0; 1 <0b,2b", "lost-write"),
        ("below what was polled, and pending", "0 a@0; 2 info b@?; 0 c@2; 1 <0a,2c", "upheld"),
        ("the second half of a pending transaction shows", "2 info a@? b@?; 1 <4b", "lost-write"),
        ("the first half of a pending transaction shows", "2 info a@? b@?; 1 <4a", "upheld"),
        ("a poll of one transaction skips", SENT + "1 <0a,2c; 2 <0a,1b,2c", "int-poll-skip"),
        ("a poll of one transaction goes back", SENT + "1 <0a,1b,0a,1b,2c", "int-nonmonotonic-poll"),
        ("two polls of one transaction", SENT + "1 <0a <2c; 2 <0a,1b,2c", "int-poll-skip"),
        ("the sends of one transaction", "0 a@1 b@0; 1 <0b,1a", "int-nonmonotonic-send"),
        ("a poll skips", SENT + "1 <0a; 1 <2c; 2 <1b", "poll-skip"),
        ("a poll goes back", SENT + "1 <0a,1b; 1 <1b,2c", "nonmonotonic-poll"),
        ("another process is at another place", SENT + "1 <0a,1b,2c; 2 <0a", "upheld"),
        ("a send goes back", "0 a@1; 0 b@0; 1 <0b,1a", "nonmonotonic-send"),
        ("sends of two processes", "0 a@1; 2 b@0; 1 <0b,1a", "upheld"),
        ("assigned in between", SENT + "1 <0a; 1 assign; 1 <2c; 2 <1b", "upheld"),
        ("subscribed in between", SENT + "1 <0a,1b; 1 subscribe; 1 <1b,2c", "upheld"),
        ("a poll that failed in between", SENT + "1 <0a; 1 fail <1b; 1 <2c; 2 <1b", "upheld"),
        ("a send that failed in between", SENT + "1 <0a; 1 fail d@?; 1 <2c; 2 <1b", "poll-skip"),
        ("another action in between", SENT + "1 <0a; 1 look; 1 <2c; 2 <1b", "poll-skip"),
    ),
)
def test_each_anomaly_of_logs_is_told_from_what_it_looks_like(text: str, expected: str) -> None:
    assert small.judged(Logs(), history(text)) == expected


def test_what_was_never_polled_is_a_breach_only_where_it_is_said_to_be() -> None:
    text = SENT + "1 <0a,1b"
    assert small.judged(Logs(allowed=()), history(text)) == "unseen"
    assert dict(Logs().check(history(text)).evidence) == {"judged": 2, "sent": 3, "unseen": 1}


def test_a_rebalance_excuses_what_comes_before_and_after_it() -> None:
    skipped = history(SENT + "1 <0a; 1 <2c; 2 <1b")
    events = list(skipped)
    assert outcome(Logs().check(skipped)) == "poll-skip"
    for poll in (7, 9):
        moved = Event(
            process=1, kind=Kind.OK, action="poll", value=events[poll].value, extra=Map({"rebalance-log": ("k",)})
        )
        told = History.of_events([*events[:poll], moved, *events[poll + 1 :]])
        assert outcome(Logs().check(told)) == "upheld"


def test_logs_have_names_and_a_number_is_its_text() -> None:
    text = '0 invoke send [["send",7,1]]\n0 ok send [["send",7,[0,1]]]\n1 invoke poll [["poll"]]\n1 ok poll [["poll",{"7":[[0,1]]}]]\n'
    assert outcome(Logs().check(parse(text))) == "upheld"
    assert outcome(Logs().check(parse(text.replace('{"7"', '{"8"')))) == "thin-air-read"


def test_several_anomalies_are_counted_and_the_gravest_is_told() -> None:
    verdict = Logs().check(history(SENT + "1 <0a,2c; 1 <2c"))
    assert outcome(verdict) == "lost-write"
    assert dict(verdict.evidence) == {
        "judged": 3,
        "sent": 3,
        "lost-write": 1,
        "int-poll-skip": 1,
        "nonmonotonic-poll": 1,
    }
    allowed = Logs(allowed={"lost-write", "int-poll-skip"})
    assert outcome(allowed.check(history(SENT + "1 <0a,2c; 1 <2c"))) == "nonmonotonic-poll"


def test_the_story_of_a_skip_shows_what_was_skipped() -> None:
    assert story(Logs().check(history(SENT + "1 <0a; 1 <2c; 2 <1b"))) == (
        "Of k, offset 0 is polled, and next 2, though offset 1 holds a value:\n"
        '  events 2 to 3, process 0: send([["send","k","b"]]) -> [["send","k",[1,"b"]]]\n'
        '  events 6 to 7, process 1: poll([["poll"]]) -> [["poll",{"k":[[0,"a"]]}]]\n'
        '  events 8 to 9, process 1: poll([["poll"]]) -> [["poll",{"k":[[2,"c"]]}]]\n'
        "A value that was sent is at one offset for good, and consumers are shown all offsets in their order."
    )


def test_an_anomaly_that_does_not_exist_cannot_be_allowed() -> None:
    with pytest.raises(UsageError, match="no anomaly 'skip' of logs"):
        Logs(allowed=("skip",))


@pytest.mark.parametrize(
    ("asked", "told"),
    [
        ('[["send","k",1]]', '[["send","j",1]]'),
        ('[["send","k",1]]', '[["send","k",[0,2]]]'),
        ('[["send","k",1]]', "[]"),
        ('[["poll"]]', '[["poll",[[0,1]]]]'),
        ('[["poll"]]', '[["poll",{"k":[0]}]]'),
        ('[["poll"]]', '[["poll",{"k":[[true,1]]}]]'),
        ('[["poll"]]', '[["poll",{"k":1}]]'),
    ],
)
def test_what_tells_no_offsets_is_malformed(asked: str, told: str) -> None:
    with pytest.raises(MalformedHistory, match="does not tell what it sent and polled"):
        Logs().check(parse(f"0 invoke txn {asked}\n0 ok txn {told}\n"))


# --- from the definitions

STEPS = st.one_of(
    st.tuples(st.sampled_from("abc"), st.sampled_from("0123?")).map("@".join),
    st.lists(st.tuples(st.sampled_from("0123"), st.sampled_from("abc")).map("".join), max_size=3).map(
        lambda polled: "<" + ",".join(polled)
    ),
)
OPERATIONS = st.tuples(
    st.integers(0, 1), st.sampled_from(("", "", "", "fail", "info")), st.lists(STEPS, min_size=1, max_size=2)
)


def kinds_of(told: list[tuple[int, str, list[str]]]) -> set[str]:
    """The anomalies of operations, each (process, kind, steps), from their definitions, each by itself."""
    found: set[str] = set()
    sends: list[tuple[int, str, str, str]] = []
    polls: list[tuple[int, int, int, str]] = []
    for number, (process, kind, steps) in enumerate(told):
        for step in steps:
            if step[0] == "<":
                if not kind:
                    polls += [(number, process, int(each[0]), each[1]) for each in step[1:].split(",") if each]
            else:
                value, offset = step.split("@")
                sends.append((number, kind, value, "?" if kind else offset))
    polled = {value for *_, value in polls}
    known = {(int(offset), value) for _, _, value, offset in sends if offset != "?"} | {each[2:] for each in polls}
    offsets = sorted({offset for offset, _ in known})
    if len(offsets) < len(known):
        found.add("inconsistent-offsets")
    for value in "abc":
        tries = [kind for _, kind, sent, _ in sends if sent == value and kind != "fail"]
        if len({offset for offset, at in known if at == value}) > max(1, len(tries)):
            found.add("duplicate")
        if value in polled and not tries:
            found.add("aborted-read" if any(sent == value for _, _, sent, _ in sends) else "thin-air-read")
    for number, _, _, value in polls:
        if any(mine == number and sent == value for mine, _, sent, _ in sends):
            found.add("precommitted-read")
    highest = max((offset for _, _, offset, _ in polls), default=-1)
    for at, (number, kind, value, offset) in enumerate(sends):
        if value in polled or kind == "fail":
            continue
        above = any(mine == number and sent in polled for mine, _, sent, _ in sends[at + 1 :])
        if above or (offset != "?" and int(offset) < highest):
            found.add("lost-write")
        elif not kind:
            found.add("unseen")
    for process in sorted({who for who, _, _ in told}):
        mine = [(number, int(offset)) for number, _, _, offset in sends if told[number][0] == process and offset != "?"]
        for (one, first), (other, second) in pairwise(mine):
            if second <= first:
                found.add("int-nonmonotonic-send" if one == other else "nonmonotonic-send")
        seen = [(number, offset) for number, who, offset, _ in polls if who == process]
        for (one, first), (other, second) in pairwise(seen):
            prefix = "int-" if one == other else ""
            if any(
                told[each][0] == process and told[each][1] and _may_move(told[each][2]) for each in range(one, other)
            ):
                continue
            if second <= first:
                found.add(f"{prefix}nonmonotonic-poll")
            if any(first < offset < second for offset in offsets):
                found.add(f"{prefix}poll-skip")
    return found


def _may_move(steps: list[str]) -> bool:
    return len(steps) > 1 or steps[0][0] == "<"


@given(st.lists(OPERATIONS, max_size=6))
def test_logs_are_their_definitions(told: list[tuple[int, str, list[str]]]) -> None:
    renamed: list[tuple[int, str, list[str]]] = []
    process = [0, 1]
    for who, kind, steps in told:
        renamed.append((process[who], kind, steps))
        process[who] += 2 * (kind == "info")
    made = history("".join(f"{who} {kind} {' '.join(steps)};" for who, kind, steps in renamed))
    expected = {kind for kind in KINDS if Logs().shows(made, kind)}
    assert expected == kinds_of(renamed)
    verdict = Logs(allowed=()).check(made)
    if isinstance(verdict, Refuted):
        assert verdict.anomaly.kind == next(kind for kind in KINDS if kind in expected)
        small.shows_its_evidence(Logs(), verdict, made)
