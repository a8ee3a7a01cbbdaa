"""Snapshots and log compaction (section 7 of the paper, chapter 5 of the thesis), and what a crash may do to them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from importlib import import_module
from typing import Any

import pytest

from upheld.impl.consensus.machine import KeyValueStore
from upheld.impl.consensus.messages import Answer, StoreImage, Write
from upheld.impl.consensus.raft.messages import (
    Appended,
    AppendEntries,
    Ballot,
    Entry,
    InstallSnapshot,
    RequestVote,
    Snapshot,
)
from upheld.impl.consensus.raft.reference import Raft
from upheld.impl.node import Effect, Key, Message, RecordingOutbox

bench = import_module("raft_bench")
elected, log_of, names, notes, put, started, timed_out, told = (
    bench.elected,
    bench.log_of,
    bench.names,
    bench.notes,
    bench.put,
    bench.started,
    bench.timed_out,
    bench.told,
)

FOUNDERS = ("n1", "n2", "n3")


def snapshot(index: int, term: int = 1, **data: int) -> Snapshot:
    return Snapshot(index, term, 0, FOUNDERS, StoreImage(tuple(data.items())))


def followed(entries: int, *, every: int) -> tuple[Raft, RecordingOutbox]:
    """A follower that has just learnt that so many entries are committed, and takes a snapshot every so often."""
    follower = started(snapshot_every=every)
    sent = tuple(Entry(1, put("x", index, msg_id=index)) for index in range(1, entries + 1))
    told(follower, "n2", AppendEntries(1, 0, 0, sent, 0, 0))
    return follower, told(follower, "n2", AppendEntries(1, entries, 1, (), entries, 0))


def after(effects: list[Effect], disk: Mapping[Key, Any] | None = None) -> dict[Key, Any]:
    """What a disk holds after these effects."""
    written = dict(disk or {})
    for effect in effects:
        if effect.name == "store":
            written[effect.arguments[0]] = effect.arguments[1]
        elif effect.name == "erase":
            written.pop(effect.arguments[0], None)
    return written


def crashes(disk: Mapping[Key, Any], out: RecordingOutbox) -> Iterator[dict[Key, Any]]:
    """What the disk may hold if the node crashes at any of these effects: a prefix of the writes, the next one torn."""
    for at, effect in enumerate(out.effects):
        held = after(out.effects[:at], disk)
        yield held
        if effect.name in {"store", "erase"}:
            yield {key: value for key, value in held.items() if key != effect.arguments[0]}


# --- taking one


def test_7_after_so_many_entries_a_snapshot_takes_the_place_of_the_log() -> None:
    follower, out = followed(5, every=3)
    assert (follower.log.base, follower.log.last_index, len(follower.log.entries)) == (5, 5, 1)
    assert notes(out, "compacted") == [(5, 1)]
    assert follower.snapshot.image.data == (("x", 5),)


def test_7_before_that_the_log_stays() -> None:
    follower, out = followed(2, every=3)
    assert follower.log.base == 0
    assert notes(out, "compacted") == []


def test_7_without_snapshots_the_log_stays_for_ever() -> None:
    assert followed(50, every=0)[0].log.base == 0


def test_7_the_snapshot_is_durable_before_the_log_is_erased() -> None:
    _, out = followed(3, every=3)
    effects = [name for name in names(out) if name in {"store", "erase", "sync", "note compacted"}]
    assert effects == ["store", "sync", "erase", "erase", "erase", "note compacted"]


def test_7_the_log_stays_bounded_however_much_is_written() -> None:
    follower = started(snapshot_every=10)
    disk: dict[Key, Any] = {}
    for index in range(1, 200):
        entry = Entry(1, put("x", index, client=f"c{index % 3}", msg_id=index))
        out = told(follower, "n2", AppendEntries(1, index - 1, int(index > 1), (entry,), index, 0))
        disk = after(out.effects, disk)
        assert len(follower.log.entries) <= 11
        assert len(disk) <= 2 + 2 + 10


def test_thesis_6_3_a_snapshot_holds_the_sessions_and_what_was_forgotten() -> None:
    store, copy = KeyValueStore(sessions_max=2), KeyValueStore(sessions_max=2)
    for index, client in enumerate("abc", 1):
        store.apply(index, put("x", index, client=client, msg_id=7))
    copy.load(store.image())
    assert copy.image() == store.image()
    assert not copy.apply(4, put("x", 9, client="c", msg_id=7)).executed
    assert copy.apply(5, put("x", 9, client="a", msg_id=7)).refused


# --- starting from one


def test_7_a_node_starts_from_its_snapshot_and_the_log_above_it() -> None:
    disk = {**log_of(1, 1, 1, 2, 2), ("snapshot", 1): snapshot(3, x=7)}
    node, out = started(stored=disk), RecordingOutbox()
    node.on_start(out)
    assert (node.log.base, node.log.last_index, node.commit_index, node.last_applied) == (3, 5, 3, 3)
    assert node.store.get("x") == 7
    assert notes(out, "restored") == [(2, None, 5, 3)]


def test_7_what_a_crash_kept_from_being_erased_is_erased_at_the_start() -> None:
    out = RecordingOutbox()
    Raft(bench.context(stored={**log_of(1, 1, 1, 2), ("snapshot", 1): snapshot(3)})).on_start(out)
    assert [effect.arguments[0] for effect in out.effects if effect.name == "erase"] == [
        ("log", 3),
        ("log", 2),
        ("log", 1),
    ]
    assert names(out).index("sync") < names(out).index("note restored")


def test_7_of_two_snapshots_the_newer_one_counts() -> None:
    disk = {**log_of(), ("snapshot", 0): snapshot(8, x=8), ("snapshot", 1): snapshot(4, x=4)}
    assert started(stored=disk).store.get("x") == 8


def test_a_crash_at_any_moment_of_compaction_loses_nothing() -> None:
    follower = started(snapshot_every=3)
    sent = tuple(Entry(1, put("x", index, msg_id=index)) for index in range(1, 6))
    disk = after(told(follower, "n2", AppendEntries(1, 0, 0, sent, 0, 0)).effects)
    outcomes = list(crashes(disk, told(follower, "n2", AppendEntries(1, 5, 1, (), 4, 0))))
    assert len(outcomes) > 10
    for held in outcomes:
        again = started(stored=held)
        again.commit(4, RecordingOutbox())
        assert (again.log.last_index, again.store.get("x")) == (5, 4)


# --- sending and installing one


def behind() -> Raft:
    """A leader whose log begins after entry 4, and a follower that says it has nothing."""
    leader: Raft = elected(stored={**log_of(1, 1, 1, 1), ("snapshot", 1): snapshot(4, x=7)})
    return leader


def test_7_whoever_needs_entries_that_are_gone_gets_the_snapshot() -> None:
    out = told(behind(), "n2", Appended(2, False, 0, 0))
    assert out.sent(Message) == [("n2", InstallSnapshot(2, snapshot(4, x=7), 0))]


def test_7_the_snapshot_is_sent_again_until_it_is_answered() -> None:
    leader = behind()
    told(leader, "n2", Appended(2, False, 0, 0))
    assert [to for to, _ in timed_out(leader, "heartbeat").sent(InstallSnapshot)] == ["n2"]
    told(leader, "n2", Appended(2, True, 4, 0))
    assert timed_out(leader, "heartbeat").sent(InstallSnapshot) == []


def test_7_after_the_snapshot_the_follower_gets_what_follows() -> None:
    leader = behind()
    told(leader, "n2", Appended(2, False, 0, 0))
    ((to, message),) = told(leader, "n2", Appended(2, True, 4, 0)).sent(AppendEntries)
    assert isinstance(message, AppendEntries)
    assert (to, message.prev_log_index, message.prev_log_term, len(message.entries)) == ("n2", 4, 1, 1)


def test_7_a_follower_goes_on_from_the_snapshot_of_its_leader() -> None:
    follower = started(stored=log_of(1, 1))
    out = told(follower, "n2", InstallSnapshot(3, snapshot(9, 2, x=7), 5))
    assert out.sent(Appended) == [("n2", Appended(3, True, 9, 5))]
    assert (follower.log.base, follower.log.last_index, follower.commit_index) == (9, 9, 9)
    assert follower.store.get("x") == 7
    assert notes(out, "installed") == [(9, 2)]
    assert names(out).index("note installed") < names(out).index("send")


def test_7_entries_that_go_on_from_the_snapshot_stay() -> None:
    follower = started(stored=log_of(1, 1, 1, 2))
    told(follower, "n2", InstallSnapshot(3, snapshot(3, 1, x=3), 0))
    assert (follower.log.base, follower.log.last_index, follower.log[4].term) == (3, 4, 2)


def test_7_entries_that_do_not_go_on_from_the_snapshot_go_the_last_one_first() -> None:
    follower = started(stored=log_of(1, 1, 1, 1))
    out = told(follower, "n2", InstallSnapshot(3, snapshot(3, 2), 0))
    assert (follower.log.base, follower.log.last_index) == (3, 3)
    assert [effect.arguments[0][1] for effect in out.effects if effect.name == "erase"] == [4, 3, 2, 1]


@pytest.mark.parametrize("terms", [(1, 1, 1, 1), (2, 2, 2, 2), (2, 2), ()])
def test_a_crash_at_any_moment_of_installing_leaves_the_old_log_or_the_new_state(terms: tuple[int, ...]) -> None:
    disk = log_of(*terms, term=3)
    out = told(started(stored=disk), "n2", InstallSnapshot(3, snapshot(3, 2, x=7), 0))
    assert "note installed" in names(out)
    for held in crashes(disk, out):
        again = started(stored=held)
        found = [again.log[index].term for index in range(again.log.base + 1, again.log.last_index + 1)]
        if again.snapshot.index:
            assert (again.store.get("x"), found) == (7, [2] if terms == (2, 2, 2, 2) else [])
        else:
            assert found == list(terms)


def test_7_a_snapshot_that_comes_late_changes_nothing() -> None:
    follower, _ = followed(5, every=0)
    out = told(follower, "n2", InstallSnapshot(1, snapshot(3, x=-1), 0))
    assert out.sent(Appended) == [("n2", Appended(1, True, 3, 0))]
    assert (follower.log.last_index, follower.store.get("x")) == (5, 5)


def test_7_a_snapshot_of_a_leader_whose_term_is_over_is_refused() -> None:
    follower = started(stored=log_of(4))
    out = told(follower, "n2", InstallSnapshot(3, snapshot(9), 0))
    assert out.effects == [Effect("send", ("n2", Appended(4, False, 0, 0)))]


def test_7_entries_that_a_snapshot_stands_for_agree_whatever_they_are() -> None:
    follower = started(stored={**log_of(1, 1, 1, 1), ("snapshot", 1): snapshot(3)})
    sent = tuple(Entry(1, put("x", index, msg_id=index)) for index in range(2, 6))
    out = told(follower, "n2", AppendEntries(1, 1, 1, sent, 5, 0))
    assert out.sent(Appended) == [("n2", Appended(1, True, 5, 0))]
    assert [facts[0] for facts in notes(out, "appended")] == [5]


def test_7_a_candidate_is_measured_by_the_end_of_the_snapshot() -> None:
    node = started(stored={("ballot", 1): Ballot(1, 4, None), ("snapshot", 1): snapshot(9, 4)})
    assert not node.is_as_fresh(RequestVote(5, 8, 4))
    assert node.is_as_fresh(RequestVote(5, 9, 4))


def test_7_a_leader_goes_on_answering_its_clients_across_a_snapshot() -> None:
    leader = elected(nodes=1, snapshot_every=2)
    for msg_id in range(1, 8):
        assert told(leader, "c0", Write(msg_id, "put", "x", msg_id)).sent(Answer) == [("c0", Answer(msg_id))]
    assert leader.log.base == 8
