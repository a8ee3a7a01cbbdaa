"""After the heal every living member comes to know what was committed before: in time, late, or never."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from upheld.checkers.consensus import CatchesUp
from upheld.checkers.consensus.catching_up import behind_at_heal
from upheld.checkers.verdict import Upheld
from upheld.histories.event import Event, Kind
from upheld.histories.evidence import Evidence
from upheld.histories.history import History
from upheld.histories.trace import Note, Trace
from upheld.testing.traces import MS, cases, outcome, story, trace

CLUSTER = ("n1", "n2", "n3")
BOUND = 100 * MS
JUDGE = CatchesUp(bound=BOUND, period=BOUND)


def evidence(notes: Trace, *, healed_ms: int = 1000, ended_ms: int = 2000) -> Evidence:
    """A run with these notes that heals, and goes on until it ends."""
    phases = (("heal", healed_ms), ("final", ended_ms))
    return Evidence(
        History.of_events(
            [Event(process="phases", kind=Kind.INFO, action=name, time=at_ms * MS) for name, at_ms in phases]
        ),
        notes,
    )


START = "@0 n1 start; @0 n2 start; @0 n3 start;"
GOAL = START + "@10 n1 committed 4 1; n2 committed 4 1;"
"""n3 has not heard that index 4 is committed."""

JOINED = GOAL + '@20 n1 configured 5 ["n1","n2","n3","n4"]; n4 start;'
LEFT = GOAL + '@20 n1 configured 3 ["n1","n2"];'


@pytest.mark.parametrize(
    ("text", "expected"),
    cases(
        ("nothing was committed before the heal", START + "@1500 n1 committed 4 1", "undecided"),
        ("everybody knew before the heal", GOAL + "n3 committed 4 1", "upheld"),
        ("at the heal itself it was committed by somebody", START + "@1000 n1 committed 4 1", "stuck"),
        ("at the last moment", GOAL + "@1100 n3 committed 4 1", "upheld"),
        ("a moment later", GOAL + "@1101 n3 committed 4 1", "late"),
        ("a later index says it, too", GOAL + "@1050 n3 committed 9 2", "upheld"),
        ("an earlier one does not", GOAL + "@1050 n3 committed 3 1", "stuck"),
        (
            "what was committed after the heal is owed by nobody",
            GOAL + "n3 committed 4 1; @1500 n1 committed 9 1",
            "upheld",
        ),
        ("by a snapshot of the leader's", GOAL + "@1050 n3 installed 4 1", "upheld"),
        ("by a snapshot that is too old", GOAL + "@1050 n3 installed 3 1", "stuck"),
        ("never, and nothing moves", GOAL, "stuck"),
        ("not yet, and nodes are still at it", GOAL + "@1900 n1 term 7", "undecided"),
        ("one is late, of another nobody knows", START + "@10 n1 committed 4 1; @1900 n3 committed 4 1", "late"),
        ("nobody lives to know it", "@0 n1 start; n1 committed 4 1; n1 crash fault", "undecided"),
        (
            "a configuration that nobody alive goes by is none",
            GOAL + '@20 n1 configured 4 ["n1","n2","n4"]; n4 start; n1 truncated 4; n1 configured 0 ["n1","n2","n3"]; '
            "@1050 n3 committed 4 1",
            "upheld",
        ),
        (
            "who was there before has no more time because of one who joined",
            GOAL + '@20 n1 configured 5 ["n1","n2","n3"]; @1500 n1 committed 5 1; @1590 n3 committed 4 1',
            "late",
        ),
        ("who is down at the end owes nothing", GOAL + "@500 n3 crash fault", "upheld"),
        (
            "who starts again has forgotten",
            GOAL + "n3 committed 4 1; @500 n3 crash fault; n3 restart; n3 restored 1 n1 4 0",
            "stuck",
        ),
        (
            "but for what its snapshot says",
            GOAL + "n3 committed 4 1; @500 n3 crash fault; n3 restart; n3 restored 1 n1 4 4",
            "upheld",
        ),
        ("and may hear it again", GOAL + "@500 n3 crash fault; n3 restart; @1050 n3 committed 4 1", "upheld"),
        ("who has been let go owes nothing", LEFT, "upheld"),
        ("a leave that is not committed lets nobody go", LEFT.replace("configured 3", "configured 5"), "stuck"),
        ("a join that is not committed takes nobody in", JOINED + "@1050 n3 committed 4 1", "upheld"),
        ("a member that joined before the heal", JOINED + "n1 committed 5 1; n3 committed 5 1", "stuck"),
        (
            "a member that joined later has its time from then on",
            JOINED + "n3 committed 4 1; @1500 n1 committed 5 1; @1600 n4 committed 5 1",
            "upheld",
        ),
        (
            "and no longer",
            JOINED + "n3 committed 4 1; @1500 n1 committed 5 1; @1601 n4 committed 5 1",
            "late",
        ),
    ),
)
def test_living_members_come_to_know_what_was_committed_before_the_heal(text: str, expected: str) -> None:
    assert outcome(JUDGE(evidence(trace(text, nodes=CLUSTER)))) == expected


def test_without_a_heal_there_is_nothing_to_judge() -> None:
    assert outcome(JUDGE(Evidence(History.of_events([]), trace(GOAL, nodes=CLUSTER)))) == "undecided"


def test_a_run_that_ends_too_early_to_see_that_nothing_moves_leaves_it_open() -> None:
    found = [outcome(JUDGE(evidence(trace(GOAL, nodes=CLUSTER), ended_ms=ended_ms))) for ended_ms in (1050, 1299, 1300)]
    assert found == ["undecided", "undecided", "stuck"]


def test_bound_and_period_may_be_computed_from_the_run() -> None:
    late = evidence(trace(GOAL + "@1101 n3 committed 4 1", nodes=CLUSTER))
    judge = CatchesUp(bound=lambda run: len(run.trace) * 17 * MS, period=lambda _: BOUND)
    assert outcome(judge(late)) == "upheld"
    assert outcome(JUDGE(late)) == "late"


def test_an_upheld_verdict_says_how_many_members_were_asked() -> None:
    verdict = JUDGE(evidence(trace(GOAL + "n3 crash fault", nodes=CLUSTER)))
    assert isinstance(verdict, Upheld)
    assert dict(verdict.evidence) == {"members": 2}


def test_stories_tell_what_was_known_and_who_learnt_it_late_or_never() -> None:
    assert story(JUDGE(evidence(trace(GOAL + "@1101 n3 committed 6 2", nodes=CLUSTER)))) == (
        "From 1000 ms on, n3 knowing that index 4 is committed may take 100 ms: until 1100 ms.\n"
        "It came at 1101 ms.\n"
        "  at 10 ms: n1 committed (index 4, term 1)\n"
        "  at 1101 ms: n3 committed (index 6, term 2)"
    )
    assert story(JUDGE(evidence(trace(GOAL, nodes=CLUSTER)))) == (
        "From 1000 ms on, n3 knowing that index 4 is committed may take 100 ms: until 1100 ms.\n"
        "  at 10 ms: n1 committed (index 4, term 1)\n"
        "It never came: no node noted anything after 1000 ms, and the run went on until 2000 ms."
    )


@pytest.mark.parametrize(
    ("text", "behind"),
    [
        pytest.param(START + "@1500 n1 committed 4 1", 0, id="nothing was committed"),
        pytest.param(START + "@10 n1 committed 4 1", 2, id="all but one"),
        pytest.param(GOAL + "@1050 n3 committed 4 1", 1, id="who learns it in time was behind all the same"),
        pytest.param(GOAL + "@1000 n3 committed 4 1", 0, id="who learns it at the heal was not"),
        pytest.param(GOAL + "@500 n3 crash fault", 0, id="the dead are not counted"),
        pytest.param(LEFT, 0, id="nor is who is no member"),
    ],
)
def test_a_run_counts_the_members_that_lag_behind_at_the_heal(text: str, behind: int) -> None:
    assert behind_at_heal(evidence(trace(text, nodes=CLUSTER))) == behind


def test_without_a_heal_nobody_lags_behind() -> None:
    assert behind_at_heal(Evidence(History.of_events([]), trace(GOAL, nodes=CLUSTER))) == 0


# --- the definition, on small random traces

HEALED_MS, BOUND_MS, ENDED_MS = 100, 50, 2000


def is_up(trace: Sequence[Note], node: str) -> bool:
    """Whether a node lives at the end of these notes."""
    return [note.kind != "crash" for note in trace if note.node == node and note.kind in LIVES][-1:] == [True]


def learnt(trace: Sequence[Note], node: str, index: int, until_ms: int) -> bool:
    """Whether a node notes in its last life, and not later than that, that everything up to this index is committed."""
    mine = [note for note in trace if note.node == node]
    born = max(place for place, note in enumerate(mine) if note.kind in LIVES)
    told: list[Any] = [
        note.facts[3] if note.kind == "restored" else note.facts[0]
        for note in mine[born:]
        if note.kind in {"committed", "installed", "restored"} and note.time <= until_ms * MS
    ]
    return any(known >= index for known in told)


def expected(trace: Trace) -> str:
    """The verdict by definition, on a run that ends long after all notes."""
    commits: list[tuple[int, Any]] = [(note.time // MS, note.facts[0]) for note in trace.of_kind("committed")]
    before = [index for time_ms, index in commits if time_ms <= HEALED_MS]
    if not before:
        return "undecided"
    gone_by = [mine[-1] for node in CLUSTER if (mine := last_life(trace, node, "configured"))]
    settled: list[Any] = [note.facts for note in gone_by if any(index >= note.facts[0] for _, index in commits)]
    _, members = max(settled, default=(0, CLUSTER))
    living = [node for node in members if is_up(trace, node)]
    if not living:
        return "undecided"
    end_ms = HEALED_MS + BOUND_MS
    return "upheld" if all(learnt(trace, node, max(before), end_ms) for node in living) else "refuted"


def last_life(trace: Sequence[Note], node: str, kind: str) -> list[Note]:
    """The notes of that kind that a node made since it crashed last; none where it is down."""
    mine = [note for note in trace if note.node == node]
    ended = max((place for place, note in enumerate(mine) if note.kind == "crash"), default=-1)
    return [note for note in mine[ended + 1 :] if note.kind == kind]


LIVES = {"start", "crash", "restart"}
INDEX = st.integers(1, 2)
FACTS: dict[str, st.SearchStrategy[Any]] = {
    "crash": st.just(("fault",)),
    "restart": st.just(()),
    "committed": st.tuples(INDEX, st.just(1)),
    "installed": st.tuples(INDEX, st.just(1)),
    "restored": st.tuples(st.just(1), st.none(), st.just(2), st.integers(0, 2)),
    "configured": st.sampled_from([(0, CLUSTER), (1, ("n1", "n2")), (2, ("n2", "n3"))]),
}
KINDS = (*["committed"] * 8, "installed", "restored", "configured", "crash", "restart", "restart")
NOTE = st.sampled_from(KINDS).flatmap(lambda kind: st.tuples(st.sampled_from(CLUSTER), st.just(kind), FACTS[kind]))


def lived(told: Sequence[tuple[str, str, Any]]) -> Trace:
    """The trace in which all start, and then this happens, every 10 ms something; the dead note nothing, nor do the living restart."""
    notes = [Note(0, node, "start") for node in CLUSTER]
    for place, (node, kind, facts) in enumerate(told, 1):
        if is_up(notes, node) != (kind == "restart"):
            notes.append(Note(place * 10 * MS, node, kind, facts))
    return Trace(notes, nodes=CLUSTER)


def test_the_judge_agrees_with_its_definition() -> None:
    seen: Counter[str] = Counter()
    judge = CatchesUp(bound=BOUND_MS * MS, period=BOUND_MS * MS)

    @given(st.lists(NOTE, min_size=5, max_size=20).map(lived))
    def agrees(trace: Trace) -> None:
        verdict = outcome(judge(evidence(trace, healed_ms=HEALED_MS, ended_ms=ENDED_MS)))
        found = verdict if verdict in {"upheld", "undecided"} else "refuted"
        assert found == expected(trace)
        seen[found] += 1

    agrees()
    assert min(seen["upheld"], seen["refuted"]) >= sum(seen.values()) // 10, f"one verdict is too rare: {seen}"
