"""The zoo finds what is broken, with its mask off where there is one, and keeps the same minimal failure every time."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from upheld.claims import zoo
from upheld.claims.claim import Claim, Trials
from upheld.claims.keeping import history_beside, keep
from upheld.claims.registry import Docket, docket
from upheld.claims.verification import replay
from upheld.claims.zoo import Calibration, Mutation, calibrate, groups_of, mutations, refutable
from upheld.harness.engines import Inline, Local
from upheld.harness.system import with_mutants
from upheld.histories.errors import UsageError
from upheld.histories.files import read_history

SEEDS_MAX = 8

ROOT = Path(__file__).resolve().parents[2]

TWICE = '''

class CellWithCopy(Cell):
    """Keeps a copy of the value, so that losing either of them does no harm."""

    def __init__(self, context: Context) -> None:
        self.value = context.stored.get("value", context.stored.get("copy"))

    def keep(self, out: Outbox) -> None:
        self.keep_value(out)
        self.keep_copy(out)
        out.sync()

    def keep_value(self, out: Outbox) -> None:
        out.store("value", self.value)

    def keep_copy(self, out: Outbox) -> None:
        out.store("copy", self.value)


class NoCopy(CellWithCopy):
    """Keeps no copy, which is no fault."""

    def keep_copy(self, out: Outbox) -> None:
        pass


class LosesValue(CellWithCopy):
    """Keeps only the copy."""

    masked_by = (NoCopy,)

    def keep_value(self, out: Outbox) -> None:
        pass


class NeverWrites(CellWithCopy):
    """Keeps the value in its memory."""

    def keep(self, out: Outbox) -> None:
        pass


class Harmless(CellWithCopy):
    """Is not broken, so it cannot be found."""


SYSTEM = System(
    name="cell",
    variants={
        "reference": _variant(CellWithCopy, mutants=(LosesValue, NeverWrites, Harmless), masks=(NoCopy,)),
        "as-written": _variant(ForgetfulCell),
    },
    budget=SYSTEM.budget,
    sizes=(1,),
)
'''


@pytest.fixture(scope="module")
def known(tmp_path_factory: pytest.TempPathFactory) -> Docket:
    """A docket with a cell that has three mutants, one of which is masked and one of which is harmless."""
    source = (ROOT / "examples" / "cell.py").read_text(encoding="utf-8")
    path = tmp_path_factory.mktemp("zoo") / "twice.py"
    path.write_text(source + TWICE, encoding="utf-8")
    return docket([str(path)])


@pytest.fixture(scope="module")
def rows(known: Docket) -> dict[str, Calibration]:
    """What two searches for each mutant came to, by its name."""
    found = calibrate(known, ["cell"], engine=Inline(), starts=(0, 1000), seeds_max=SEEDS_MAX)
    return {row.mutation.mutant: row for row in found}


OUTDATED = Path("cell") / "refuted" / "healed.plan.json"


@pytest.fixture(scope="module")
def corpus(known: Docket, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[Path], list[Path]]:
    """A corpus that has been written over an older one, and what was said about that."""
    folder = tmp_path_factory.mktemp("corpus")
    (folder / OUTDATED).parent.mkdir(parents=True)
    (folder / OUTDATED).write_bytes(b"{}")
    return folder, *keep(known, ["cell"], folder, engine=Inline(), seeds_max=SEEDS_MAX)


def test_a_mutant_names_the_masks_that_it_is_looked_for_with(known: Docket) -> None:
    reference = known.system("cell").variants["reference"]
    assert list(mutations(reference)) == [
        Mutation("loses-value", ("no-copy",)),
        Mutation("never-writes"),
        Mutation("harmless"),
    ]


def test_a_mask_is_built_like_a_mutant_and_is_none(known: Docket) -> None:
    reference = known.system("cell").variants["reference"]
    both = with_mutants(reference, ["loses-value", "no-copy"], of="cell")
    assert getattr(both.nodes, "__name__", "") == "LosesValueAndNoCopy"
    assert "no-copy" not in {mutation.mutant for mutation in mutations(reference)}
    with pytest.raises(
        UsageError, match="has no mutant 'no-value'; it has harmless, loses-value, never-writes, no-copy"
    ):
        with_mutants(reference, ["no-value"], of="cell")


def test_a_mutant_is_found_from_every_start_and_its_failure_made_minimal(rows: dict[str, Calibration]) -> None:
    row = rows["never-writes"]
    assert (row.found, row.searches, row.claims) == (2, 2, ("cell.linearizable",))
    assert row.seeds is not None
    assert 1 <= row.seeds <= SEEDS_MAX
    assert row.cpu_s > 0
    assert (row.operations, row.faults) == (2, 1)


def test_a_masked_mutant_is_found_with_its_mask_off_and_not_alone(rows: dict[str, Calibration]) -> None:
    row = rows["loses-value"]
    assert (row.found, row.claims) == (2, ("cell.linearizable",))
    assert [(each.seed, each.tried) for each in row.alone] == [(None, SEEDS_MAX), (None, SEEDS_MAX)]


def test_a_mutant_that_is_not_found_has_no_figures_to_show(rows: dict[str, Calibration]) -> None:
    row = rows["harmless"]
    assert (row.found, row.seeds, row.claims, row.operations, row.faults) == (0, None, (), None, None)


def test_few_seeds_are_spent_on_showing_that_a_masked_mutant_is_not_seen(
    known: Docket, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(zoo, "ALONE_MAX", 3)
    rows = calibrate(known, ["cell"], engine=Inline(), starts=(0,), seeds_max=SEEDS_MAX)
    assert [each.tried for row in rows for each in row.alone] == [3]
    assert [row.found for row in rows] == [1, 1, 0]


def asked(mutants: tuple[str, ...]) -> set[str]:
    """The claims about Raft that are to find these."""
    return {case.claim for group in groups_of(docket(), "raft-kv", mutants) for case in group().cases}


def test_the_claims_that_must_refute_a_mutant_are_asked_for_it_with_and_without_its_mask() -> None:
    assert asked(("votes-twice",)) == {"raft.election_safety"}
    assert asked(("membership-without-commit", "without-check-quorum")) == {"raft.membership"}


def test_a_mutant_that_no_claim_must_refute_is_looked_for_by_all_that_may() -> None:
    every = {claim.id for claim in refutable(docket(), "raft-kv", "reference")}
    assert asked(("removed-leader-counts-itself",)) == every
    assert len(every) > 10


KILLING = [claim for claim in docket().claims.values() if claim.killers]


@pytest.mark.parametrize("claim", KILLING, ids=lambda claim: claim.id)
def test_what_a_claim_must_refute_are_mutants_of_its_reference_and_one_run_can(claim: Claim) -> None:
    assert isinstance(claim.by, Trials)
    system = claim.by.system
    assert set(claim.killers) <= {
        mutation.mutant for mutation in mutations(docket().system(system).variants["reference"])
    }
    assert len(set(claim.killers)) == len(claim.killers)
    assert claim in refutable(docket(), system, "reference")


def test_the_minimal_failure_of_each_mutant_and_variant_is_kept_with_its_history(
    known: Docket, corpus: tuple[Path, list[Path], list[Path]]
) -> None:
    folder, written, _ = corpus
    names = ["loses-value+no-copy", "never-writes", "as-written-cell.linearizable"]
    assert written == [folder / "cell" / "refuted" / f"{name}.plan.json" for name in names]
    for path in written:
        replayed = replay(path, docket=known)
        assert replayed.digest == replayed.expected
        assert [row.anomaly for row in replayed.results] == list(replayed.run.plan.expect.anomaly.values())
        history = read_history(history_beside(path))
        assert history == replayed.run.evidence.history
        built = "+".join((replayed.run.plan.variant, *replayed.run.plan.mutants))
        assert str(history.header.note).startswith(f"the minimal failure of cell.linearizable in cell {built} (")


def test_a_failure_that_is_not_found_again_is_told_and_left_alone(
    corpus: tuple[Path, list[Path], list[Path]],
) -> None:
    folder, _, left = corpus
    assert left == [folder / OUTDATED]
    assert (folder / OUTDATED).read_bytes() == b"{}"


def test_keeping_again_on_other_processes_writes_the_same_bytes(
    known: Docket, corpus: tuple[Path, list[Path], list[Path]], tmp_path: Path
) -> None:
    folder, written, _ = corpus
    local = Local(2)
    try:
        again, _ = keep(known, ["cell"], tmp_path, engine=local, seeds_max=SEEDS_MAX)
    finally:
        local.cancel()
    assert [path.relative_to(tmp_path) for path in again] == [path.relative_to(folder) for path in written]
    for first, second in zip(written, again, strict=True):
        assert first.read_bytes() == second.read_bytes()
        assert history_beside(first).read_bytes() == history_beside(second).read_bytes()


def benchmark(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(ROOT / "benchmarks" / "zoo.py"), *arguments]
    return subprocess.run(command, capture_output=True, check=False, encoding="utf-8")


def test_the_benchmark_says_which_systems_there_are() -> None:
    done = benchmark("nothing")
    assert done.returncode == 2
    assert "there is no system 'nothing'; there are " in done.stderr


def test_the_benchmark_prints_the_table_and_fails_when_a_mutant_was_not_found(known: Docket) -> None:
    origin = known.origin_of("cell")
    done = benchmark(origin, "--seeds-max", "5")
    assert done.returncode == 1, done.stderr
    lines = [[cell.strip() for cell in line.split("│")[1:-1]] for line in done.stdout.splitlines() if "│" in line]
    masked, plain, harmless = lines
    assert masked[:3] == ["cell", "loses-value+no-copy", "5 of 5"]
    assert masked[6] == "cell.linearizable; loses-value alone: not found in 25 seeds"
    assert plain[1:3] + plain[5:] == ["never-writes", "5 of 5", "2 operations, 1 fault", "cell.linearizable"]
    assert harmless[1:4] + harmless[5:] == ["harmless", "0 of 5", "-", "-", ""]
    assert "2 of 3 mutants found in every search; not: cell harmless\n" in done.stdout
    assert done.stdout.splitlines()[-2].startswith("median: seeds ")
    assert done.stdout.splitlines()[-1].startswith("worst: cell ")
