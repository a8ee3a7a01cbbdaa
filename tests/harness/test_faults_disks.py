"""What faults of disks do, seen by a node that writes one key every ten milliseconds."""

from __future__ import annotations

from importlib import import_module
from typing import Any

import pytest

from upheld.harness.plan import Disk, Fault
from upheld.harness.trial import Run, run_plan
from upheld.histories.errors import UsageError
from upheld.impl.node import MS, Outbox

toys = import_module("toys")
COUNTERS, Idle, plan_of, system_of, told = toys.COUNTERS, toys.Idle, toys.plan_of, toys.system_of, toys.told


class Writer(Idle):  # type: ignore[misc, valid-type]  # toys is imported by name
    """n1 writes a, b, c, ... one every 10 ms, and tells what it found, and when a write was durable."""

    def on_start(self, out: Outbox) -> None:
        if self.context.id == "n1":
            out.note("proposed", "".join(sorted(self.context.stored)))
            out.note("accepted", 0, 0, "".join(sorted(self.context.damaged)))
            out.set_timer("next", 10 * MS)
            self.keys = iter(sorted(set("abcdefghij") - set(self.context.stored)))

    def on_timer(self, name: str, out: Outbox) -> None:
        out.set_timer(name, 10 * MS)
        key = next(self.keys, "z")
        out.store(key, 1)
        out.note("shown", f"writes {key}")
        out.sync()
        out.note("shown", f"has {key}")


WRITERS = system_of(Writer)


def at(fault: str, begin_ms: int, lasts_ms: int | None = None, **more: Any) -> Fault:
    undo_after_ns = None if lasts_ms is None else lasts_ms * MS
    return Fault(fault=fault, at_ns=begin_ms * MS, undo_after_ns=undo_after_ns, nodes=("n1",), **more)


def written(*faults: Fault, **changes: Any) -> Run:
    run: Run = run_plan(plan_of(*faults, disks={"*": Disk(sync_ns=2 * MS)}, **changes), WRITERS)
    assert run.findings == ()
    return run


def seen(run: Run, until_ms: int) -> list[str]:
    """What n1 did and went through, with milliseconds."""
    return [
        f"{note.time // MS} {note.kind}" + (f": {note.facts[0]}" if note.facts else "")
        for note in run.evidence.trace.of_kind("proposed", "shown", "crash", "restart")
        if note.node == "n1" and note.time < until_ms * MS
    ]


def damaged(run: Run) -> list[Any]:
    """The damaged keys that each life of n1 found."""
    return [note.facts[2] for note in run.evidence.trace.of_kind("accepted")]


def test_without_a_fault_each_write_is_durable_two_milliseconds_later() -> None:
    assert seen(written(), 25) == [
        "0 proposed: ",
        "10 shown: writes a",
        "12 shown: has a",
        "20 shown: writes b",
        "22 shown: has b",
    ]


# --- syncs


def test_a_failed_sync_loses_its_writes_and_crashes_the_node_at_that_line_until_the_fault_ends() -> None:
    run = written(at("fsync-error", 15, 20, rate=1.0))
    assert seen(run, 48)[3:] == [
        "20 shown: writes b",
        "22 crash: fsync-error",
        "35 restart",
        "35 proposed: a",
        "45 shown: writes b",
        "47 shown: has b",
    ]
    assert run.fired == {"fsync-error": 1}


def test_a_failed_sync_loses_its_writes_even_where_crashes_tear_them() -> None:
    torn = Fault(fault="torn", at_ns=0, nodes=("n1",))
    for seed in range(10):
        run = written(torn, at("fsync-error", 15, 20, rate=1.0), seed=seed)
        assert "35 proposed: a" in seen(run, 40)
        assert damaged(run) == ["", ""]


def test_some_syncs_fail_and_some_do_not() -> None:
    failed_at = {
        next((line for line in seen(written(at("fsync-error", 5, 90, rate=0.3), seed=seed), 95) if "crash" in line), "")
        for seed in range(30)
    }
    assert {"12 crash: fsync-error", "22 crash: fsync-error", "32 crash: fsync-error"} <= failed_at


def test_a_node_that_its_disk_has_stopped_is_started_by_the_end_of_a_crash_too() -> None:
    crash = at("crash", 25, 5)
    run = written(at("disk-full", 15, 100), crash)
    assert [line for line in seen(run, 130) if "start" in line or "crash" in line] == [
        "20 crash: disk-full",
        "30 restart",
        "40 crash: disk-full",
        "115 restart",
    ]


def test_a_slow_disk_takes_longer_for_each_sync_that_begins_meanwhile() -> None:
    run = written(at("disk-slow", 15, 10, amount_ns=5 * MS))
    assert seen(run, 35)[3:] == [
        "20 shown: writes b",
        "27 shown: has b",
        "30 shown: writes c",
        "32 shown: has c",
    ]
    assert run.fired == {"disk-slow": 1}


def test_two_faults_act_on_one_disk_whichever_ends_first() -> None:
    slow, full = at("disk-slow", 5, 18, amount_ns=5 * MS), at("disk-full", 15, 100)
    assert seen(written(slow, full), 30)[1:] == ["10 shown: writes a", "17 shown: has a", "20 crash: disk-full"]
    assert seen(written(full, slow), 30) == seen(written(slow, full), 30)
    doubly_slow = written(at("disk-slow", 5, 100, amount_ns=MS), at("disk-slow", 15, 10, amount_ns=2 * MS))
    assert [line for line in seen(doubly_slow, 40) if "has" in line] == [
        "13 shown: has a",
        "25 shown: has b",
        "33 shown: has c",
    ]


# --- full disks


def test_a_write_to_a_full_disk_crashes_the_node_at_that_line() -> None:
    run = written(at("disk-full", 15, 20))
    assert seen(run, 46)[3:] == [
        "20 crash: disk-full",
        "35 restart",
        "35 proposed: a",
        "45 shown: writes b",
    ]
    assert run.fired == {"disk-full": 1}


def test_a_full_disk_that_nobody_writes_to_has_not_fired() -> None:
    assert written(at("disk-full", 13, 5)).fired == {}


# --- what a node finds when it starts


def test_a_node_that_cannot_read_its_disk_crashes_at_once_and_starts_when_the_fault_ends() -> None:
    run = written(at("read-error", 15, 30), at("crash", 25, 5))
    assert seen(run, 50)[5:] == [
        "25 crash: fault",
        "30 restart",
        "30 crash: read-error",
        "45 restart",
        "45 proposed: ab",
    ]
    assert run.fired == {"crash": 1, "read-error": 1}


def test_a_node_that_does_not_start_never_notices_that_its_disk_cannot_be_read() -> None:
    assert written(at("read-error", 15, 30)).fired == {}


def test_rot_damages_some_keys_which_are_not_stored_when_the_node_starts() -> None:
    found = set()
    for seed in range(60):
        run = written(at("rot", 15, 30, rate=0.5), at("crash", 35, 5), seed=seed)
        stored = seen(run, 41)[-1].removeprefix("40 proposed: ")
        found.add((stored, damaged(run)[1]))
        assert run.fired.get("rot", 0) == (damaged(run)[1] != "")
    assert found == {
        ("abc", ""),
        ("bc", "a"),
        ("ac", "b"),
        ("ab", "c"),
        ("c", "ab"),
        ("b", "ac"),
        ("a", "bc"),
        ("", "abc"),
    }


def test_what_is_damaged_stays_so_until_it_is_written_anew() -> None:
    run = written(at("rot", 15, 20, rate=1.0), at("crash", 25, 5), at("crash", 45, 5))
    assert damaged(run)[1:] == ["ab", "b"]
    assert "50 proposed: a" in seen(run, 51)


def test_luck_of_one_fault_does_not_depend_on_others() -> None:
    rot = at("rot", 15, 40, rate=0.5)
    for seed in range(10):
        alone = written(rot, at("crash", 35, 5), seed=seed)
        beside = written(at("rot", 16, 1, rate=0.5), rot, at("crash", 35, 5), seed=seed)
        assert damaged(alone) == damaged(beside)


# --- plans


@pytest.mark.parametrize(
    ("fault", "complaint"),
    [
        (at("fsync-error", 0, rate=1.5), "a fsync-error needs a `rate` between 0 and 1"),
        (at("rot", 0, rate=-0.5), "a rot needs a `rate` between 0 and 1"),
        (at("disk-slow", 0), "a disk-slow needs an `amount_ns` above 0"),
    ],
)
def test_a_fault_of_a_disk_that_makes_no_sense_is_a_usage_error(fault: Fault, complaint: str) -> None:
    with pytest.raises(UsageError, match=complaint):
        run_plan(plan_of(fault), COUNTERS)
