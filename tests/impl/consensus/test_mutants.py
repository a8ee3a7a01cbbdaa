"""Each mutant says which rule it breaks, and breaks little else."""

from __future__ import annotations

import re
from importlib import import_module

import pytest

from upheld.impl.consensus.messages import Write
from upheld.impl.consensus.raft.messages import Appended, AppendEntries, Change, RequestVote, Vote
from upheld.impl.consensus.raft.mutants import (
    MASKS,
    MUTANTS,
    MatchIndexGoesBack,
    MembershipWithoutCommit,
    RecountsCommitment,
    WithoutCheckQuorum,
    WithoutNoOp,
    WithoutPreVote,
)
from upheld.impl.consensus.raft.reference import Raft
from upheld.impl.node import RecordingOutbox

bench = import_module("raft_bench")


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: mutant.__name__)
def test_a_mutant_names_the_rule_that_it_breaks(mutant: type[Raft]) -> None:
    assert issubclass(mutant, Raft)
    assert re.match(r"((Thesis, |§)[\d.]+|Figure 2) broken\b", mutant.__doc__ or "")


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: mutant.__name__)
def test_a_mutant_overrides_one_part_or_two(mutant: type[Raft]) -> None:
    assert 1 <= sum(hasattr(Raft, name) for name in vars(mutant) if not name.startswith("_")) <= 2


def test_what_hides_a_mutant_is_a_mask_and_no_mutant() -> None:
    hiding = {mask for mutant in MUTANTS for mask in getattr(mutant, "masked_by", ())}
    assert hiding == set(MASKS)
    assert not hiding & set(MUTANTS)


def elected(mutant: type[Raft], nodes: int) -> tuple[Raft, RecordingOutbox]:
    """n1 of this class as the leader of so many, and what it did to become that."""
    leader, out = mutant(bench.context(nodes=nodes, pre_vote=False)), RecordingOutbox()
    leader.on_timer("election", out)
    for peer in leader.others:
        leader.on_message(peer, Vote(1, True), out)
    assert leader.role == "leader"
    return leader, out


def test_a_leader_without_no_ops_asserts_itself_all_the_same() -> None:
    leader, out = elected(WithoutNoOp, 3)
    assert [message for _, message in out.sent(AppendEntries)] == [AppendEntries(1, 0, 0, (), 0, 0)] * 2
    assert leader.log.last_index == 0


def test_a_node_without_pre_votes_stands_at_once() -> None:
    out = RecordingOutbox()
    WithoutPreVote(bench.context()).on_timer("election", out)
    assert len(out.sent(RequestVote)) == 2


@pytest.mark.parametrize(("kind", "role"), [(Raft, "follower"), (WithoutCheckQuorum, "leader")])
def test_without_check_quorum_a_leader_that_hears_from_nobody_goes_on_leading(kind: type[Raft], role: str) -> None:
    leader, _ = elected(kind, 3)
    for _ in range(leader.silence_max + 1):
        assert leader.role == "leader"
        out = bench.timed_out(leader, "heartbeat")
    assert leader.role == role
    assert len(out.sent(AppendEntries)) == 2


@pytest.mark.parametrize(("kind", "majority"), [(Raft, 3), (MembershipWithoutCommit, 2)])
def test_changes_that_do_not_wait_for_each_other_leave_majorities_that_do_not_meet(
    kind: type[Raft], majority: int
) -> None:
    leader, _ = elected(kind, 5)
    for peer in leader.others:
        bench.told(leader, peer, Appended(1, True, 1, 0))
    bench.told(leader, "operator", Change(1, "leave", "n3"), Change(2, "leave", "n4"))
    assert leader.majority == majority


@pytest.mark.parametrize(("kind", "match_index"), [(Raft, 3), (MatchIndexGoesBack, 2)])
def test_a_leader_that_believes_every_answer_forgets_what_it_knew(kind: type[Raft], match_index: int) -> None:
    leader, _ = elected(kind, 3)
    bench.told(leader, "n2", Appended(1, True, 3, 0), Appended(1, True, 2, 0))
    assert leader.progress["n2"].match_index == match_index


class GoesBackUnmasked(MatchIndexGoesBack, RecountsCommitment):
    """The mutant together with what masks it."""


@pytest.mark.parametrize(
    ("kind", "commits"),
    [
        (Raft, [(3, 1)]),
        (RecountsCommitment, [(3, 1)]),
        (MatchIndexGoesBack, [(3, 1)]),
        (GoesBackUnmasked, [(3, 1), (2, 1)]),
    ],
)
def test_only_a_leader_that_believes_every_answer_and_recounts_takes_a_commitment_back(
    kind: type[Raft], commits: list[tuple[int, int]]
) -> None:
    leader, _ = elected(kind, 3)
    bench.told(leader, "c0", Write(1, "put", "x", 1), Write(2, "put", "x", 2))
    out = bench.told(leader, "n2", Appended(1, True, 3, 0), Appended(1, True, 2, 0))
    assert bench.notes(out, "committed") == commits
    assert leader.commit_index == commits[-1][0]


def test_a_leader_that_recounts_does_not_while_a_change_of_members_makes_it_another_majority() -> None:
    leader, _ = elected(RecountsCommitment, 3)
    bench.told(leader, "n2", Appended(1, True, 1, 0))
    bench.told(leader, "c0", Write(1, "put", "x", 1))
    bench.told(leader, "n2", Appended(1, True, 2, 0))
    out = bench.told(leader, "operator", Change(1, "leave", "n2"))
    assert (leader.commit_index, bench.notes(out, "committed")) == (2, [])
    out = bench.told(leader, "n3", Appended(1, True, 1, 0))
    assert (leader.commit_index, bench.notes(out, "committed")) == (2, [])
    out = bench.told(leader, "n3", Appended(1, True, 3, 0))
    assert bench.notes(out, "committed") == [(3, 1)]
