"""The judge's own happens-before, against the transitive closure over all events."""

from __future__ import annotations

from importlib import import_module
from itertools import pairwise, product

from hypothesis import given

from upheld.checkers.causality.happens_before import HappensBefore
from upheld.histories.trace import Trace

small = import_module("small_traces")


@given(small.traces())
def test_it_is_the_transitive_closure_of_node_order_and_messages(trace: Trace) -> None:
    order = HappensBefore(trace)
    found = {(str(one), str(two)) for one, two in product(order.posts, repeat=2) if one.precedes(two)}
    assert found == small.happened_before(trace)
    assert order.ordered_pairs == len(found)


@given(small.traces())
def test_every_path_is_a_chain_that_leads_from_the_first_message_to_the_last(trace: Trace) -> None:
    order = HappensBefore(trace)
    for one, two in product(order.posts, repeat=2):
        if not one.precedes(two):
            continue
        path = order.path(one, two)
        assert path[0] is one.note
        assert path[-1] is two.note
        for before, after in pairwise(path):
            is_message = before.kind == "posted" and after.kind == "delivered" and before.facts[0] == after.facts[0]
            assert before.time < after.time
            assert before.node == after.node or is_message


def test_a_crash_does_not_part_what_a_node_did_before_and_after_it() -> None:
    order = HappensBefore(small.trace_of("n1 posted a\nn1 crash\nn1 restart\nn1 posted b"))
    first, second = order.posts
    assert first.precedes(second)


def test_a_path_takes_as_few_messages_as_possible() -> None:
    trace = small.trace_of("""
        n1 posted a
        n2 delivered a
        n2 posted b
        n3 delivered b
        n3 delivered a
        n3 posted c
    """)
    order = HappensBefore(trace)
    assert order.path(order.posts[0], order.posts[2]) == (trace[0], trace[4], trace[5])


def test_what_a_restart_notes_again_is_no_second_message() -> None:
    order = HappensBefore(small.trace_of("n1 posted a\nn2 delivered a\nn1 crash\nn1 restart\nn1 posted a\nn1 posted b"))
    assert [str(post) for post in order.posts] == ["a", "b"]
    assert not order.inapplicable
