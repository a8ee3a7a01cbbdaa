"""Each property against its definition: over all pairs of notes and all moments, on small random traces.

The definitions replay the trace into one log per node and moment, and share nothing with the judges but the notes.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from itertools import combinations, pairwise, product
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from upheld.checkers.consensus import (
    Agreement,
    AppliesInOrder,
    CommitByQuorum,
    CommitStands,
    ElectionSafety,
    LeaderAppendOnly,
    LeaderCompleteness,
    LogMatching,
    StateMachineSafety,
    TermMonotone,
    Validity,
    VotesOnce,
)
from upheld.checkers.duplication import AtMostOnce
from upheld.checkers.durability import Durable
from upheld.checkers.monitor import SafetyProperty
from upheld.checkers.roles import EntitledAnswers
from upheld.checkers.verdict import Refuted, Undecided
from upheld.histories.trace import Note, Trace

NODES = ("n1", "n2", "n3")
LIVES = {"start", "crash", "restart"}
UNKNOWN = "nobody knows"

Definition = Callable[[Trace], bool]
"""Whether the trace breaks the property."""


# --- the slow replay


Configuration = tuple[int, tuple[str, ...]]


class Moment:
    """All nodes after a note: logs (index to term and command, or UNKNOWN), who is silent, current terms.

    `snapshots` are the indices up to which snapshots stand for logs, `prefixes` all known logs up to an entry, by its index
    and term, at this moment or before. `configured` is what each node goes by, above the last one that it knows to be committed; `committed` is how
    far it knows that, and `settled` the last configuration that anybody ever knew to be committed.
    """

    def __init__(self) -> None:
        self.logs: dict[str, dict[int, Any]] = {node: {} for node in NODES}
        self.silent: dict[str, bool] = dict.fromkeys(NODES, False)
        self.terms: dict[str, int | None] = dict.fromkeys(NODES)
        self.snapshots: dict[str, int] = dict.fromkeys(NODES, 0)
        self.prefixes: dict[tuple[int, int], set[Any]] = {}
        self.configured: dict[str, list[Configuration]] = {node: [] for node in NODES}
        self.committed: dict[str, int] = dict.fromkeys(NODES, 0)
        self.settled: Configuration | None = None

    def after(self, note: Note) -> Moment:
        moment = Moment()
        moment.logs = {node: dict(log) for node, log in self.logs.items()}
        moment.silent, moment.terms = dict(self.silent), dict(self.terms)
        moment.snapshots, moment.committed = dict(self.snapshots), dict(self.committed)
        moment.configured = {node: list(told) for node, told in self.configured.items()}
        moment.prefixes, moment.settled = self.prefixes, self.settled
        moment.take(note.node, note.kind, note.facts)
        moment.learn(note.node)
        return moment

    def in_force(self, node: str) -> list[Configuration]:
        return self.configured[node] or [(0, NODES)]

    def take(self, node: str, kind: str, facts: Any) -> None:
        log = self.logs[node]
        if kind in LIVES:
            self.silent[node] |= kind == "crash" or bool(log)
            self.terms[node] = None
            return
        if self.silent[node] and kind != "restored":
            log.clear()
            self.snapshots[node] = self.committed[node] = 0
        self.silent[node] = False
        if kind in {"term", "leads", "voted", "restored"}:
            self.terms[node] = facts[0]
        if kind == "restored":
            self.restore(node, facts[2], facts[3])
        if kind == "appended":
            log[facts[0]] = facts[1:]
        if kind == "truncated":
            self.keep(node, facts[0] - 1)
        if kind == "committed":
            self.committed[node] = max(self.committed[node], facts[0])
        if kind == "compacted":
            self.stand(node, facts[0])
            fill(log, facts[0])
        if kind == "installed":
            self.install(node, *facts)
        if kind == "configured":
            self.configured[node] = [each for each in self.configured[node] if each[0] < facts[0]] + [facts]

    def keep(self, node: str, last: int) -> None:
        for index in [index for index in self.logs[node] if index > last]:
            del self.logs[node][index]
        self.snapshots[node] = min(self.snapshots[node], last)
        self.committed[node] = min(self.committed[node], last)

    def restore(self, node: str, last: int, snapshot: int) -> None:
        last = max(last, snapshot)
        self.keep(node, last)
        log = self.logs[node]
        if last == snapshot > self.snapshots[node]:
            lowest = min([self.snapshots[node] + 1, *(index for index in log if log[index] == UNKNOWN)])
            for index in range(self.snapshots[node] + 1, last + 1):
                log[index] = UNKNOWN
            for index in range(lowest, last + 1):
                log.setdefault(index, UNKNOWN)
        fill(log, last)
        self.snapshots[node] = snapshot
        self.committed[node] = max(self.committed[node], snapshot)

    def stand(self, node: str, index: int) -> None:
        self.snapshots[node] = max(self.snapshots[node], index)
        self.committed[node] = max(self.committed[node], index)

    def install(self, node: str, index: int, term: int) -> None:
        log = self.logs[node]
        there, last = log.get(index), max(log, default=0)
        self.stand(node, index)
        if there is not None and there != UNKNOWN and there[0] == term:
            return
        known = self.prefixes.get((index, term), set())
        log.clear()
        log.update(min(known) if len(known) == 1 else dict.fromkeys(range(1, index + 1), UNKNOWN))
        if there == UNKNOWN:
            fill(log, last)

    def learn(self, node: str) -> None:
        log = self.logs[node]
        for index, entry in log.items():
            prefix = tuple(sorted((at, entry) for at, entry in log.items() if at <= index))
            if UNKNOWN not in [entry for _, entry in prefix]:
                self.prefixes.setdefault((index, entry[0]), set()).add(prefix)
        known = [each for each in self.configured[node] if each[0] <= self.committed[node]]
        self.configured[node] = [each for each in self.configured[node] if each not in known[:-1]]
        if known and (self.settled is None or known[-1][0] > self.settled[0]):
            self.settled = known[-1]


def fill(log: dict[int, Any], last: int) -> None:
    """Something is in the log up to this index."""
    unknown = [index for index in log if log[index] == UNKNOWN]
    if max(log, default=0) < last:
        for index in range(min(unknown, default=max(log, default=0) + 1), last + 1):
            log.setdefault(index, UNKNOWN)


def moments(trace: Trace) -> list[tuple[Note, Moment, Moment]]:
    """Each note, with what was before and after it."""
    before, found = Moment(), []
    for note in trace:
        after = before.after(note)
        found.append((note, before, after))
        before = after
    return found


def pairs(trace: Trace, *kinds: str) -> Iterator[tuple[Note, Note]]:
    return combinations(trace.of_kind(*kinds), 2)


def lived_through(trace: Trace, node: str, begin: int, end: int) -> bool:
    """Whether the node neither crashed nor started between two places of the trace."""
    return not any(note.node == node and note.kind in LIVES for note in trace[begin:end])


# --- the definitions


def two_leaders(trace: Trace) -> bool:
    return any(a.facts == b.facts and a.node != b.node for a, b in pairs(trace, "leads"))


def two_votes(trace: Trace) -> bool:
    votes = [(note.node, note.facts[0], note.facts[1]) for note in trace.of_kind("voted", "restored") if note.facts[1]]
    return any(a[:2] == b[:2] and a[2] != b[2] for a, b in combinations(votes, 2))


def term_goes_back(trace: Trace) -> bool:
    told = pairs(trace, "term", "voted", "leads", "restored")
    return any(a.node == b.node and a.facts[0] > b.facts[0] for a, b in told)  # type: ignore[operator]  # terms are integers here


def leads(trace: Trace, node: str, at: int) -> Any:
    """The term in which a node leads at a place of the trace; None when it does not."""
    elections = [place for place in range(at) if (trace[place].node, trace[place].kind) == (node, "leads")]
    if not elections or not lived_through(trace, node, elections[-1], at):
        return None
    term: Any = trace[elections[-1]].facts[0]
    told: list[Any] = [
        note.facts[0]
        for note in trace[elections[-1] : at]
        if note.node == node and note.kind in {"term", "voted", "restored"}
    ]
    return term if all(other <= term for other in told) else None


def leader_rewrites(trace: Trace) -> bool:
    for place, (note, before, after) in enumerate(moments(trace)):
        old, new = before.logs[note.node], after.logs[note.node]
        rewritten = any(
            index not in new
            or (entry != UNKNOWN and new[index] not in (UNKNOWN, entry))
            or (note.kind == "installed" and entry != UNKNOWN and index == note.facts[0] and entry[0] != note.facts[1])
            for index, entry in old.items()
        )
        rewrites = {"appended", "truncated", "installed"}
        if rewritten and note.kind in rewrites and leads(trace, note.node, place) is not None:
            return True
    return False


def logs_differ(trace: Trace) -> bool:
    logs = [after.logs[note.node] for note, _, after in moments(trace)]
    return any(differ(left, right) for left, right in combinations(logs, 2))


def differ(left: dict[int, Any], right: dict[int, Any]) -> bool:
    for index in {*left} & {*right}:
        if UNKNOWN in (left[index], right[index]) or left[index][0] != right[index][0]:
            continue
        mine = {at: entry for at, entry in left.items() if at <= index}
        theirs = {at: entry for at, entry in right.items() if at <= index}
        is_known = UNKNOWN not in (*mine.values(), *theirs.values())
        if left[index] != right[index] or (is_known and mine != theirs):
            return True
    return False


def leader_lacks(trace: Trace) -> bool:
    told = moments(trace)
    commits = [
        (after.terms[note.node], index, entry)
        for note, _, after in told
        if note.kind == "committed" and after.terms[note.node] is not None
        for index, entry in after.logs[note.node].items()
        if index <= note.facts[0] and entry != UNKNOWN  # type: ignore[operator]  # indices are integers here
    ]
    elections = [(note.facts[0], after.logs[note.node]) for note, _, after in told if note.kind == "leads"]
    return any(
        term > committed and log.get(index) not in (entry, UNKNOWN)
        for (committed, index, entry), (term, log) in product(commits, elections)
    )


def two_commands(trace: Trace) -> bool:
    effects = [note.facts for note in trace.of_kind("applied") if note.facts[2] is not None]
    return any(a[0] == b[0] and a != b for a, b in combinations(effects, 2))


def uncounted_commit(trace: Trace) -> bool:
    for place, (note, _, after) in enumerate(moments(trace)):
        term = leads(trace, note.node, place) if note.kind == "committed" else None
        index: Any = note.facts[0] if note.facts else 0
        entry = after.logs[note.node].get(index, UNKNOWN)
        if term is None or entry == UNKNOWN:
            continue
        _, members = after.in_force(note.node)[-1]
        earlier: list[Any] = [other.facts[0] for other in trace[:place].of_kind("committed")]
        is_counted = is_majority([node for node in NODES if may_hold(after, node, index, entry[0])], members)
        if not is_counted or (entry[0] < term and index > max(earlier, default=0)):
            return True
    return False


def commit_goes_back(trace: Trace) -> bool:
    commits: list[tuple[int, str, Any]] = [
        (place, note.node, note.facts[0]) for place, note in enumerate(trace) if note.kind in {"committed", "installed"}
    ]
    return any(
        a == b and index < had and lived_through(trace, a, at, to)
        for (at, a, had), (to, b, index) in combinations(commits, 2)
    )


def is_majority(nodes: list[str], members: tuple[str, ...]) -> bool:
    return 2 * len({*nodes} & {*members}) > len(members)


def out_of_order(trace: Trace) -> bool:
    effects: list[Any] = [note.facts[0] for note in trace.of_kind("applied") if note.facts[2] is not None]
    lives: list[list[tuple[str, Any]]] = []
    for node in NODES:
        lives.append([("restored", 0)])
        has_crashed = False
        for note in trace:
            if note.node == node and note.kind in LIVES:
                has_crashed |= note.kind != "start"
                lives.append([] if has_crashed else [("restored", 0)])
            elif note.node == node and note.kind == "restored":
                lives.append([("restored", note.facts[3])])
            elif note.node == node and note.kind in {"applied", "installed"}:
                lives[-1].append((note.kind, note.facts[0]))
    steps = [step for life in lives for step in pairwise(life)]
    return any(
        index < last or (kind == "applied" and (index == last or any(last < effect < index for effect in effects)))
        for (_, last), (kind, index) in steps
    )


def two_decisions(trace: Trace) -> bool:
    told: list[tuple[Any, ...]] = []
    for note, _, after in moments(trace):
        match note.kind:
            case "decided":
                told.append(("decided", *note.facts))
            case "applied" if note.facts[2] is not None:
                told.append(("applied", note.facts[0], note.facts[2]))
            case "committed":
                log = after.logs[note.node].items()
                last: Any = note.facts[0]
                told += [("committed", index, entry[1]) for index, entry in log if index <= last and entry != UNKNOWN]
    return any(a[:2] == b[:2] and a[2] != b[2] for a, b in combinations(told, 2))


def decided_unproposed(trace: Trace) -> bool:
    return any(
        note.facts[1] not in [earlier.facts[0] for earlier in trace[:place].of_kind("proposed")]
        for place, note in enumerate(trace)
        if note.kind == "decided"
    )


def not_durable(trace: Trace) -> bool:
    first: dict[Any, list[Configuration]] = {}
    for note, _, now in moments(trace):
        if note.kind == "acknowledged":
            in_force = now.in_force(note.node)
            first.setdefault(note.facts[:2], in_force)
            if not is_durable(now, note.facts[:2], in_force):
                return True
        for entry, in_force in first.items():
            is_superseded = now.settled is not None and now.settled[0] >= in_force[-1][0]
            if not is_durable(now, entry, [now.settled] if now.settled and is_superseded else in_force):
                return True
    return False


def is_durable(moment: Moment, entry: Any, in_force: list[Configuration]) -> bool:
    holders = [node for node in NODES if may_hold(moment, node, *entry)]
    return any(is_majority(holders, members) for _, members in in_force)


def may_hold(moment: Moment, node: str, index: Any, term: Any) -> bool:
    log = moment.logs[node]
    if index in log:
        return bool(log[index] == UNKNOWN or log[index][0] == term)
    return moment.silent[node] and index > max(log, default=0)


def two_effects(trace: Trace) -> bool:
    places = [(place, note) for place, note in enumerate(trace) if note.kind == "applied" and note.facts[2] is not None]
    for (at, a), (to, b) in combinations(places, 2):
        again = a.node == b.node and lived_through(trace, a.node, at, to)
        if a.facts[3:] == b.facts[3:] and (a.facts[0] != b.facts[0] or again):
            return True
    applied: list[Any] = [note.facts[0] for note in trace.of_kind("applied")]
    highest = max(applied, default=0)
    done = [effect.facts[3:] for _, effect in places]
    acknowledged: dict[Any, list[Any]] = {}
    for note in trace.of_kind("acknowledged"):
        acknowledged.setdefault(note.facts[2:], []).append(note.facts[0])
    return any(command not in done and highest >= max(indices) for command, indices in acknowledged.items())


def answered_by_others(trace: Trace) -> bool:
    for place, note in enumerate(trace):
        if note.kind == "acknowledged":
            term = note.facts[1]
            led = [
                at
                for at in range(place)
                if (trace[at].node, trace[at].kind, trace[at].facts) == (note.node, "leads", (term,))
            ]
            if not any(lived_through(trace, note.node, at, place) for at in led):
                return True
            if any(other.facts == (term,) and other.node != note.node for other in trace.of_kind("leads")):
                return True
    return False


# --- small random traces

TERM = st.integers(1, 3)
INDEX = st.integers(1, 3)
COMMAND = st.sampled_from("ab")
FACTS: dict[str, st.SearchStrategy[Any]] = {
    "start": st.just(()),
    "crash": st.just(("fault",)),
    "restart": st.just(()),
    "term": st.tuples(TERM),
    "voted": st.tuples(TERM, st.sampled_from(NODES)),
    "leads": st.tuples(TERM),
    "restored": st.tuples(TERM, st.sampled_from((None, *NODES)), st.integers(0, 3), st.sampled_from((0, 0, 1, 2))),
    "compacted": st.tuples(INDEX, TERM),
    "installed": st.tuples(INDEX, TERM),
    "configured": st.tuples(st.integers(0, 2), st.sampled_from((NODES, NODES, ("n1", "n2"), ("n2", "n3"), ("n1",)))),
    "appended": st.tuples(INDEX, TERM, COMMAND),
    "truncated": st.tuples(INDEX),
    "committed": st.tuples(INDEX, TERM),
    "applied": st.tuples(INDEX, TERM, COMMAND, st.just("c1"), st.integers(1, 2))
    | st.tuples(INDEX, TERM, st.none(), st.none(), st.none()),
    "acknowledged": st.tuples(INDEX, TERM, st.just("c1"), st.integers(1, 2)),
    "proposed": st.tuples(COMMAND),
    "decided": st.tuples(INDEX, COMMAND),
}


def traces(*kinds: str, notes_max: int, orderly: bool = False) -> st.SearchStrategy[Trace]:
    """Traces of these kinds of note; each note a millisecond after the one before.

    In an orderly trace terms are mostly led by one node each, and entries are mostly the same, so that little goes wrong.
    """
    facts = FACTS | ORDERLY if orderly else FACTS

    def at_a_node(kind: str, told: Any) -> st.SearchStrategy[Any]:
        leader = (NODES[told[0 if kind == "leads" else 1] - 1],) * 8 if kind in LEADERS_DO else ()
        return st.tuples(st.sampled_from(leader + NODES if orderly else NODES), st.just(kind), st.just(told))

    note = st.sampled_from(kinds).flatmap(lambda kind: facts[kind].flatmap(lambda told: at_a_node(kind, told)))
    return st.lists(note, min_size=notes_max // 3, max_size=notes_max).map(
        lambda told: Trace([Note(time, *each) for time, each in enumerate(told)], nodes=NODES)
    )


LEADERS_DO = {"leads", "acknowledged", "committed"}
ORDERLY: dict[str, st.SearchStrategy[Any]] = {
    "appended": st.sampled_from([(1, 1, "a"), (1, 1, "a"), (1, 1, "a"), (1, 2, "a")]),
    "acknowledged": st.sampled_from([(1, 1, "c1", 1), (1, 1, "c1", 1), (1, 1, "c1", 2), (1, 2, "c1", 3)]),
    "leads": st.sampled_from([(1,), (1,), (1,), (2,)]),
    "committed": st.sampled_from([(1, 1), (1, 1), (1, 1), (1, 2), (2, 1)]),
    "installed": st.sampled_from([(1, 1), (1, 1), (2, 1)]),
    "configured": st.sampled_from([(0, NODES), (0, NODES), (1, ("n1", "n2")), (1, ("n1", "n2")), (2, ("n2", "n3"))]),
}
LOG = ("appended", "appended", "appended", "truncated", "crash", "restart", "restored")
SNAPSHOTS = ("compacted", "installed", "installed")
MEMBERS = ("configured", "committed")
STORING = (*["acknowledged", "crash", "restart", "restored", "truncated"], *["appended"] * 16)
COMMITTING = (*["committed"] * 6, *["appended"] * 9, *["leads"] * 4, "crash", "restored")
APPLYING = (*["applied"] * 4, "start", "crash", "restart", "installed", "restored")
DECIDING = (*["decided", "applied", "committed"] * 2, "appended", "appended", "truncated", "crash", "restored")

PROPERTIES: list[tuple[SafetyProperty, Definition, st.SearchStrategy[Trace]]] = [
    (ElectionSafety(), two_leaders, traces("leads", "crash", notes_max=4)),
    (VotesOnce(), two_votes, traces("voted", "restored", "crash", notes_max=7)),
    (TermMonotone(), term_goes_back, traces("term", "voted", "leads", "restored", "crash", notes_max=6)),
    (LeaderAppendOnly(), leader_rewrites, traces(*["leads"] * 3, "term", *LOG, "installed", notes_max=20)),
    (LogMatching(), logs_differ, traces(*LOG, *SNAPSHOTS, notes_max=9)),
    (LeaderCompleteness(), leader_lacks, traces("leads", "leads", "term", "committed", *LOG, *SNAPSHOTS, notes_max=16)),
    (CommitByQuorum(), uncounted_commit, traces(*COMMITTING, "installed", "configured", notes_max=14, orderly=True)),
    (CommitStands(), commit_goes_back, traces(*["committed"] * 3, "installed", "crash", "restart", notes_max=8)),
    (StateMachineSafety(), two_commands, traces("applied", "crash", notes_max=5)),
    (AppliesInOrder(), out_of_order, traces(*APPLYING, notes_max=8)),
    (Agreement(), two_decisions, traces(*DECIDING, notes_max=12)),
    (Validity(), decided_unproposed, traces("proposed", "proposed", "decided", notes_max=7)),
    (Durable(), not_durable, traces(*STORING, *SNAPSHOTS, *MEMBERS, notes_max=12, orderly=True)),
    (AtMostOnce(), two_effects, traces("applied", "acknowledged", "crash", "restart", notes_max=5)),
    (EntitledAnswers(), answered_by_others, traces(*["leads"] * 3, "acknowledged", "crash", notes_max=7, orderly=True)),
]
EACH = pytest.mark.parametrize(
    ("judge", "definition", "drawn"), PROPERTIES, ids=[judge.name for judge, _, _ in PROPERTIES]
)


@EACH
def test_a_judge_agrees_with_its_definition(
    judge: SafetyProperty, definition: Definition, drawn: st.SearchStrategy[Trace]
) -> None:
    seen: Counter[bool] = Counter()

    @given(drawn)
    def agrees(trace: Trace) -> None:
        verdict = judge.check(trace)
        assert isinstance(verdict, Refuted) == definition(trace)
        if not isinstance(verdict, Undecided):
            seen[isinstance(verdict, Refuted)] += 1

    agrees()
    assert min(seen[True], seen[False]) >= sum(seen.values()) // 10, f"one verdict is too rare to compare: {seen}"


@EACH
def test_a_monitor_speaks_at_the_note_that_completes_the_violation(
    judge: SafetyProperty, definition: Definition, drawn: st.SearchStrategy[Trace]
) -> None:
    @settings(max_examples=60)
    @given(drawn)
    def speaks(trace: Trace) -> None:
        monitor = judge.monitor(trace.nodes)
        place = next((at for at, note in enumerate(trace) if monitor.observe(note)), None)
        if place is not None:
            assert definition(trace[: place + 1])
            assert isinstance(judge, AtMostOnce) or not definition(trace[:place])

    speaks()
