"""How stale reads are, by hand: what is said of each model, of bounds, and of single reads."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from upheld.checkers.reads_from import Outside
from upheld.checkers.staleness import Faulty, NoStalerThan, Orders, decide, staleness
from upheld.checkers.verdict import Refuted, Undecided, Upheld, Verdict
from upheld.histories.errors import UsageError
from upheld.histories.event import Operation
from upheld.histories.history import EMPTY_HEADER, Header
from upheld.histories.notation import parse

ALL = ("register.safe", "register.regular", "register.k-atomic", "register.delta-atomic", "register.t-visible")


def wrote(value: int, begin: int, end: int, process: int = 0) -> str:
    return f"{process} invoke write {value} time={begin}\n{process} ok write time={end}\n"


def read(value: int | str, begin: int, end: int, process: int = 1) -> str:
    return f"{process} invoke read time={begin}\n{process} ok read {value} time={end}\n"


ONE_BEHIND = wrote(1, 0, 10) + wrote(2, 20, 30) + read(1, 100, 110)
TWO_BEHIND = wrote(1, 0, 10) + wrote(2, 20, 30) + wrote(3, 40, 50) + read(1, 100, 110)
DURING_WRITE = wrote(1, 0, 10) + wrote(2, 20, 30) + "2 invoke write 3 time=40\n" + read(1, 100, 110)
NEW_THEN_OLD = (
    wrote(1, 0, 10) + "0 invoke write 2 time=20\n" + read(2, 30, 40) + read(1, 50, 60) + "0 ok write time=70\n"
)
FROM_THE_FUTURE = read(1, 0, 10) + wrote(1, 20, 30)


def verdict(model: str, text: str, *, header: Header = EMPTY_HEADER, outside: Outside = "nothing") -> Verdict:
    return decide(parse(text, header=header), [model], outside=outside)[model]


def kind(found: Verdict) -> str:
    return found.anomaly.kind if isinstance(found, Refuted) else type(found).__name__


# --- safe and regular


@pytest.mark.parametrize(
    ("text", "safe", "regular"),
    [
        (ONE_BEHIND, "stale-read", "stale-read"),
        (DURING_WRITE, "Upheld", "stale-read"),
        (NEW_THEN_OLD, "Upheld", "Upheld"),
        (FROM_THE_FUTURE, "future-read", "future-read"),
        ("0 invoke write 1\n" + read(7, 0, 1), "Upheld", "thin-air-read"),
        (read(7, 0, 1), "thin-air-read", "thin-air-read"),
        (wrote(1, 0, 1) + read("null", 2, 3), "stale-read", "stale-read"),
        ("0 invoke cas [null,1]\n0 ok cas true\n" + read(1, 2, 3), "Upheld", "Upheld"),
        ("0 invoke cas [null,1]\n0 ok cas true\n" + read("null", 2, 3), "stale-read", "stale-read"),
    ],
    ids=[
        "stale",
        "stale-during-a-write",
        "new-then-old",
        "future",
        "odd-during-a-write",
        "odd",
        "initial",
        "cas",
        "cas-stale",
    ],
)
def test_what_safe_and_regular_registers_promise(text: str, safe: str, regular: str) -> None:
    assert kind(verdict("register.safe", text)) == safe
    assert kind(verdict("register.regular", text)) == regular


def test_a_cas_that_nobody_completed_has_read_where_somebody_read_from_it() -> None:
    unseen = wrote(1, 0, 1) + "2 invoke cas [null,2]\n"
    assert isinstance(verdict("register.regular", unseen), Upheld)
    found = verdict("register.regular", unseen + read(2, 4, 5))
    assert kind(found) == "stale-read"
    assert isinstance(found, Refuted)
    assert any("took effect, since" in sentence for sentence in found.anomaly.story)
    assert found.anomaly.history is not None
    assert len(found.anomaly.history.operations) == 3


def test_writes_that_overlap_may_be_read_in_any_order() -> None:
    both = "0 invoke write 1\n2 invoke write 2\n0 ok write\n2 ok write\n"
    flips = read(1, 0, 1) + read(2, 2, 3) + read(1, 4, 5)
    assert isinstance(verdict("register.regular", both + flips), Upheld)


def test_each_register_stands_by_itself() -> None:
    text = "0 invoke write x: 1\n0 ok write x:\n0 invoke write y: 1\n0 ok write y:\n1 invoke read x:\n1 ok read x: 1\n"
    assert isinstance(verdict("register.regular", text), Upheld)


# --- bounds


@pytest.mark.parametrize(
    ("text", "k", "delta", "t"),
    [
        (wrote(1, 0, 10) + read(1, 20, 30), 1, 0, 0),
        (ONE_BEHIND, 2, 70, 70),
        (TWO_BEHIND, 3, 70, 70),
        (NEW_THEN_OLD, 2, 10, 0),
        (wrote(1, 0, 10) + read("null", 15, 16), 2, 5, 5),
    ],
    ids=["fresh", "one-behind", "two-behind", "new-then-old", "initial"],
)
def test_the_least_bounds(text: str, k: int, delta: int, t: int) -> None:
    found = staleness(parse(text))
    assert (found.k, found.delta_ns, found.t_ns) == (k, delta, t)


def test_what_no_bound_allows_refutes_every_bound() -> None:
    assert kind(verdict("register.k-atomic", FROM_THE_FUTURE)) == "future-read"
    assert kind(verdict("register.delta-atomic", FROM_THE_FUTURE)) == "future-read"
    assert kind(verdict("register.k-atomic", read(7, 0, 1))) == "thin-air-read"


def test_two_that_must_not_see_each_other_bound_a_look_into_the_future() -> None:
    assert staleness(parse(FROM_THE_FUTURE)).t_ns == 10
    assert kind(NoStalerThan(t_ns=9).check(parse(FROM_THE_FUTURE))) == "future-read"


def test_the_error_of_clocks_widens_what_is_measured() -> None:
    for error, t in ((0, 70), (4, 62), (5, 0)):
        header = Header(order="time", clocks=2, clock_error_ns=error)
        assert staleness(parse(ONE_BEHIND, header=header)).t_ns == t


def test_a_search_that_runs_out_leaves_an_interval() -> None:
    found = NoStalerThan(k=2, steps_max=0).check(parse(TWO_BEHIND))
    assert isinstance(found, Undecided)
    assert "between 2 and 3" in found.reason
    assert isinstance(NoStalerThan(k=3, steps_max=0).check(parse(TWO_BEHIND)), Upheld)


@pytest.mark.parametrize("options", [{}, {"k": 1, "t_ns": 0}, {"k": 0}, {"delta_ns": -1}])
def test_one_bound_that_means_something_is_to_be_given(options: dict[str, int]) -> None:
    with pytest.raises(UsageError):
        NoStalerThan(k=options.get("k"), delta_ns=options.get("delta_ns"), t_ns=options.get("t_ns"))


# --- what does not apply


@pytest.mark.parametrize(
    ("text", "header", "models", "why"),
    [
        (ONE_BEHIND, Header(order="time", clocks=2), ALL, "clocks"),
        ("0 invoke write 1\n0 ok write\n", EMPTY_HEADER, ALL[3:], "without a time"),
        (wrote(1, 9, 8), EMPTY_HEADER, ALL[3:], "times go back"),
        ("0 invoke cas [null,1] time=0\n0 ok cas true time=1\n", EMPTY_HEADER, ALL[2:], "both reads and writes"),
        ('0 invoke txn [["w","x",1],["w","y",1]]\n0 ok txn [["w","x",1],["w","y",1]]\n', EMPTY_HEADER, ALL, "several keys"),
        ('0 invoke txn [["r","x",null],["r","x",null]]\n0 ok txn [["r","x",null],["r","x",null]]\n', EMPTY_HEADER, ALL, "several times"),
        (wrote(1, 0, 1) + wrote(1, 2, 3) + read(1, 4, 5), EMPTY_HEADER, ALL, "unique"),
        ("0 invoke dequeue\n0 ok dequeue 1\n", EMPTY_HEADER, ALL, "neither a read nor a write"),
    ],
    ids=["clocks", "no-times", "times-go-back", "cas", "transactions", "reads-again", "not-unique", "another-object"],
)  # fmt: skip
def test_it_says_what_does_not_apply(text: str, header: Header, models: tuple[str, ...], why: str) -> None:
    for model, found in decide(parse(text, header=header), ALL).items():
        assert isinstance(found, Undecided) is (model in models)
        assert not isinstance(found, Undecided) or (found.reason.startswith("not applicable: ") and why in found.reason)


# --- what is left open


def test_what_a_register_began_with_may_be_left_open() -> None:
    text = read(7, 0, 1) + wrote(1, 2, 3) + read(7, 10, 11)
    found = verdict("register.k-atomic", text, outside="start")
    assert isinstance(found, Upheld)
    assert found.evidence["k"] == 2
    assert any("the register is taken to have begun with 7" in note for note in found.notes)
    found.witness.recheck(parse(text))


def test_a_value_from_outside_may_have_been_written_at_any_time() -> None:
    text = wrote(1, 2, 3) + read(7, 10, 11)
    found = verdict("register.k-atomic", text, outside="anything")
    assert isinstance(found, Upheld)
    assert found.evidence["k"] == 1
    assert any("come from outside" in note for note in found.notes)


def test_what_a_read_during_a_write_returned_does_not_tell_what_a_safe_register_began_with() -> None:
    text = "1 invoke read\n2 invoke read\n2 ok read null\n0 invoke write 2\n0 ok write\n1 ok read 1\n"
    assert isinstance(verdict("register.safe", text, outside="start"), Upheld)


def test_nothing_refutes_a_safe_register_in_an_excerpt() -> None:
    found = verdict("register.safe", ONE_BEHIND, outside="anything")
    assert isinstance(found, Undecided)
    assert "an excerpt may lack a write" in found.reason
    assert kind(verdict("register.regular", ONE_BEHIND, outside="anything")) == "stale-read"


# --- single reads


def test_how_far_behind_each_read_is() -> None:
    found = staleness(parse(TWO_BEHIND + read(3, 120, 130) + read(2, 140, 150)))
    assert found.reads == 3
    assert found.versions_behind == {0: 1, 1: 1, 2: 1}
    assert found.ns_behind == {0.5: 70, 0.9: 90, 0.99: 90, 1.0: 90}


def test_known_versions_order_what_time_does_not() -> None:
    text = "0 invoke write 5 time=0\n2 invoke write 6 time=0\n0 ok write time=10\n2 ok write time=10\n" + read(
        5, 20, 30
    )
    by_value: Callable[[Operation], int] = lambda write: int(str(write.argument))  # noqa: E731  # shorter than a function
    assert staleness(parse(text)).versions_behind == {0: 1}
    assert staleness(parse(text), versions=by_value).versions_behind == {1: 1}
    assert staleness(parse(text), versions=by_value).ns_behind[1.0] == 10


def test_nothing_is_said_of_times_where_there_are_none() -> None:
    found = staleness(parse("0 invoke write 1\n0 ok write\n1 invoke read\n1 ok read 1\n"))
    assert found.ns_behind == {}
    assert (found.k, found.t_ns) == (1, None)


# --- what verdicts rest on


@pytest.mark.parametrize("model", ALL)
def test_a_witness_for_another_history_is_found_out(model: str) -> None:
    fresh = wrote(1, 0, 10) + wrote(2, 20, 30) + read(2, 100, 110)
    found = verdict(model, fresh)
    assert isinstance(found, Upheld)
    found.witness.recheck(parse(fresh))
    with pytest.raises(Faulty):
        found.witness.recheck(parse(ONE_BEHIND))


@pytest.mark.parametrize("order", [(0, 2), (0, 4, 2), (2, 0, 4), (0, 2, 4, 4), (0, 2, 4, 9)])
def test_an_order_that_is_none_is_found_out(order: tuple[int, ...]) -> None:
    history = parse(wrote(1, 0, 10) + wrote(2, 20, 30) + read(2, 100, 110))
    Orders(((None, (0, 2, 4)),)).recheck(history)
    with pytest.raises(Faulty):
        Orders(((None, order),)).recheck(history)


STORIES = {
    "stale": verdict("register.regular", ONE_BEHIND),
    "stale-initial": verdict("register.regular", wrote(1, 0, 1) + read("null", 2, 3)),
    "future": verdict("register.regular", FROM_THE_FUTURE),
    "k-1": NoStalerThan(k=1).check(parse(NEW_THEN_OLD)),
    "k-2": NoStalerThan(k=2).check(parse(TWO_BEHIND)),
    "delta": NoStalerThan(delta_ns=5).check(parse(NEW_THEN_OLD)),
    "t": NoStalerThan(t_ns=50).check(parse(TWO_BEHIND)),
}


@pytest.mark.parametrize("name", STORIES)
def test_a_story_can_be_checked_by_hand(name: str, golden: Callable[[str, str], None]) -> None:
    found = STORIES[name]
    assert isinstance(found, Refuted)
    assert found.anomaly.graph is not None
    edges = [
        f"{tail} -> {head}: {told['kind']}, {told['reason']}"
        for tail, head, told in found.anomaly.graph.edges(data=True)
    ]
    golden(f"{name}.txt", "\n".join([found.anomaly.kind, *found.anomaly.story, *edges]) + "\n")
