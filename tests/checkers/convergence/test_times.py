"""How long updates took to come to each place, and what nobody saw the end of."""

from __future__ import annotations

from upheld.checkers.convergence import decide, times_to_converge
from upheld.histories.notation import parse


def update(action: str, element: int, process: int, begin: int, end: int, node: str = "a") -> str:
    return (
        f"{process} invoke {action} {element} time={begin} node={node}\n{process} ok {action} time={end} node={node}\n"
    )


def read(shown: str, begin: int, node: str = "b", process: int = 9) -> str:
    return f"{process} invoke read time={begin} node={node}\n{process} ok read {shown} time={begin + 1} node={node}\n"


ADD = update("add", 1, 0, 0, 10)


def test_it_counts_from_the_acknowledgement_to_the_first_read_from_which_all_show_it() -> None:
    times = times_to_converge(parse(ADD + read("[1]", 20) + read("[]", 30) + read("[1]", 40) + read("[1]", 50)))
    assert times.came_ns.tolist() == [30]
    assert times.censored_ns.tolist() == []


def test_a_read_that_began_before_the_acknowledgement_took_no_time() -> None:
    text = "0 invoke add 1 time=0 node=a\n" + read("[1]", 5) + "0 ok add time=10 node=a\n" + read("[1]", 20)
    assert times_to_converge(parse(text)).came_ns.tolist() == [0]


def test_what_had_not_come_with_the_last_read_is_censored() -> None:
    times = times_to_converge(parse(ADD + read("[]", 20) + read("[]", 70)))
    assert times.came_ns.tolist() == []
    assert times.censored_ns.tolist() == [60]
    assert times.quantile_ns(0.5) is None


def test_nobody_knows_of_an_update_that_was_acknowledged_after_the_last_read() -> None:
    times = times_to_converge(parse(read("[]", 1) + update("add", 1, 0, 2, 10)))
    assert times.inapplicable == "no acknowledged update was looked for after it"
    assert times.evidence() == {}


def test_a_remove_has_come_when_no_read_shows_the_element_any_more() -> None:
    text = ADD + read("[1]", 20) + update("remove", 1, 1, 30, 40) + read("[1]", 50) + read("[]", 60)
    assert times_to_converge(parse(text)).came_ns.tolist() == [20]


def test_elements_with_two_adds_tell_nothing() -> None:
    text = ADD + update("add", 1, 1, 11, 12, "c") + read("[1]", 20)
    assert times_to_converge(parse(text)).inapplicable


def test_each_place_waits_for_itself() -> None:
    text = ADD + read("[1]", 20, "a", 8) + read("[]", 20) + read("[1]", 40)
    assert times_to_converge(parse(text)).came_ns.tolist() == [10, 30]


def test_without_times_there_are_none() -> None:
    text = "0 invoke add 1\n0 ok add\n1 invoke read\n1 ok read [1]\n"
    assert times_to_converge(parse(text)).inapplicable == "process 0: add(1) has no time"


def test_a_quantile_is_the_least_time_in_which_so_many_had_come() -> None:
    adds = "".join(update("add", element, element, 0, 0) for element in range(10))
    reads = "".join(read(str(list(range(shown))), 100 * shown) for shown in range(1, 10))
    times = times_to_converge(parse(adds + reads))
    assert times.came_ns.tolist() == [100, 200, 300, 400, 500, 600, 700, 800, 900]
    assert [times.quantile_ns(share) for share in (0.1, 0.5, 0.9, 0.91, 1.0)] == [100, 500, 900, None, None]
    assert times.evidence() == {
        "waits": 10,
        "censored": 1,
        "p50_ns": 500,
        "p90_ns": 900,
        "p99_ns": None,
        "max_ns": None,
    }


def test_the_worst_is_told_with_what_clients_saw_of_it() -> None:
    times = times_to_converge(parse(ADD + read("[]", 20) + read("[1]", 40)))
    assert times.worst is not None
    assert times.worst.story == (
        "process 0: add(1) was acknowledged at 1e-05 ms",
        "b was read once before it had come there",
        "Every read there from 4e-05 ms on shows it: that is 3e-05 ms later",
    )


def test_the_worst_of_those_that_never_came_goes_before_all_others() -> None:
    text = ADD + read("[1]", 900, "a", 8) + read("[]", 20) + read("[]", 40)
    worst = times_to_converge(parse(text)).worst
    assert worst is not None
    assert worst.is_censored
    assert worst.story[1:] == (
        "b was read twice from then on, the last time at 4e-05 ms",
        "That read does not show it",
    )


def test_an_upheld_verdict_says_how_long_it_took() -> None:
    phases = "".join(f"phases info {phase} time=50\n" for phase in ("heal", "quiet", "final"))
    text = ADD + read("[]", 20) + phases + read("[1]", 60) + read("[1]", 70, "a", 8)
    verdict = decide(parse(text), ["eventual.visibility"])["eventual.visibility"]
    assert verdict.evidence["waits"] == 2
    assert verdict.evidence["max_ns"] == 60
