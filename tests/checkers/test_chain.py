"""The messages between the two events of a refutation, told where the trace holds messages."""

from __future__ import annotations

from upheld.checkers.consensus import Agreement, ElectionSafety, VotesOnce
from upheld.testing.traces import story, trace

TWO_LEADERS = (
    "Both n1 and n3 lead in term 2:\n"
    "  at 1 ms: n1 leads (term 2)\n"
    "  at 20 ms: n3 leads (term 2)\n"
    "A term has at most one leader."
)


def test_without_messages_a_story_ends_with_its_rule() -> None:
    assert story(ElectionSafety().check(trace("n1 leads 2; @20 n3 leads 2"))) == TWO_LEADERS


def test_the_way_is_told_message_by_message() -> None:
    text = """
        n1 leads 2
        @3 n1 send m1 n2 append_entries null
        @5 n2 deliver m1 n1 append_entries
        @8 n2 send m2 n3 request_vote null
        @12 n3 deliver m2 n2 request_vote
        @20 n3 leads 2
    """
    assert story(ElectionSafety().check(trace(text))) == (
        f"{TWO_LEADERS}\n"
        "The way from n1 to n3:\n"
        "  n1 sent append_entries to n2 at 3 ms, which took it at 5 ms\n"
        "  n2 sent request_vote to n3 at 8 ms, which took it at 12 ms"
    )


def test_of_several_ways_that_with_the_fewest_messages_is_told() -> None:
    text = """
        n1 leads 2
        @3 n1 send m1 n2 append_entries null
        @5 n2 deliver m1 n1 append_entries
        @6 n1 send m3 n3 append_entries null
        @8 n2 send m2 n3 request_vote null
        @12 n3 deliver m2 n2 request_vote
        @15 n3 deliver m3 n1 append_entries
        @20 n3 leads 2
    """
    assert story(ElectionSafety().check(trace(text))).endswith(
        "The way from n1 to n3:\n  n1 sent append_entries to n3 at 6 ms, which took it at 15 ms"
    )


def test_what_was_sent_before_the_first_event_or_came_after_the_last_is_no_way() -> None:
    text = """
        n1 send m1 n3 append_entries null
        n1 leads 2
        @5 n3 deliver m1 n1 append_entries
        @6 n1 send m2 n3 append_entries null
        @20 n3 leads 2
        @25 n3 deliver m2 n1 append_entries
    """
    assert story(ElectionSafety().check(trace(text))).endswith(
        "No message went from n1 to n3 between the two: neither could know of the other."
    )


def test_two_events_of_one_node_need_no_message() -> None:
    text = "n1 send m1 n2 request_vote null; n1 voted 2 n2; n1 voted 2 n3"
    assert story(VotesOnce().check(trace(text))).endswith("A node has one vote in a term, crash or no crash.")


def test_a_message_that_arrives_twice_is_one_step() -> None:
    text = """
        n1 decided 1 a
        n1 send m1 n2 decide null
        n2 deliver m1 n1 decide
        n2 deliver m1 n1 decide
        n2 decided 1 b
    """
    assert story(Agreement().check(trace(text))).endswith(
        "The way from n1 to n2:\n  n1 sent decide to n2 at 2 ms, which took it at 3 ms"
    )
