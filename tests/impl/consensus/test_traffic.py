"""On a network that repeats and holds messages the traffic of a Raft stays in proportion to time."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import pytest

from upheld.claims.consensus.raft import SETTINGS, SYSTEM
from upheld.harness.plan import Fault, Link, Phases, Plan, PlannedOperation
from upheld.harness.trial import Run, run_plan
from upheld.histories.event import Kind
from upheld.impl.consensus.raft.election import LEADER
from upheld.impl.consensus.raft.messages import Appended
from upheld.impl.consensus.raft.reference import Raft
from upheld.impl.node import MS, NodeId, Outbox

HEARTBEAT_NS = 17 * MS
AT_MOST = 40
"""Messages to a follower in a heartbeat interval: three clients write every 20 ms, and go on at once when what was held comes."""


class TakesEveryAnswerForNews(Raft):
    """A leader that goes on sending at each answer, whether it says anything new or not."""

    def on_appended(self, sender: NodeId, message: Appended, out: Outbox) -> None:
        """Learn, and send once more whatever the follower has not answered."""
        super().on_appended(sender, message, out)
        progress = self.progress.get(sender)
        if self.role == LEADER and progress is not None:
            progress.is_awaited = False
            self.feed(sender, progress, out)


def repeated(kind: type[Raft], actions: tuple[str, ...]) -> Run:
    """A run of two nodes whose messages come twice four times in ten, and are held for 100 ms every 300 ms."""
    asked = [
        PlannedOperation(client, at_ms * MS, actions[at_ms // 20 % len(actions)], "x", at_ms)
        for at_ms in range(200, 2000, 20)
        for client in range(3)
    ]
    held = [
        Fault(fault="partition", at_ns=at_ms * MS, undo_after_ns=100 * MS, sides=(("n1",), ("n2",)), mode="hold")
        for at_ms in range(400, 1800, 300)
    ]
    plan = Plan(
        system="raft-kv",
        nodes=2,
        settings=SETTINGS,
        operations=tuple(asked),
        faults=tuple(held),
        links={"*": Link(duplicate=0.4)},
        phases=Phases(2000 * MS, 2000 * MS, 2000 * MS, 2500 * MS),
    )
    variant = replace(SYSTEM.variants["reference"], nodes=kind)
    return run_plan(plan, replace(SYSTEM, variants={"reference": variant}), trace="full")


def busiest(run: Run) -> int:
    """The largest number of AppendEntries that one node sent to the other in a heartbeat interval."""
    sent = [note for note in run.evidence.trace.of_kind("send") if note.fact("type") == "append_entries"]
    return max(Counter((note.node, note.time // HEARTBEAT_NS) for note in sent).values())


@pytest.mark.parametrize("actions", [("get",), ("put",), ("get", "put")], ids="-and-".join)
def test_answers_that_are_repeated_breed_no_messages(actions: tuple[str, ...]) -> None:
    run = repeated(Raft, actions)
    assert busiest(run) <= AT_MOST
    assert [operation.outcome for operation in run.evidence.history.operations] == [Kind.OK] * 270


@pytest.mark.parametrize("actions", [("get",), ("get", "put")], ids="-and-".join)
def test_they_would_if_every_answer_were_taken_for_news(actions: tuple[str, ...]) -> None:
    assert busiest(repeated(TakesEveryAnswerForNews, actions)) > 3 * AT_MOST
