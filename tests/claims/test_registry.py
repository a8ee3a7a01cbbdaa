"""The docket: our own modules, plug-ins and files, found by claim, system, chapter and module; and what is said otherwise."""

from __future__ import annotations

import sys
from collections.abc import Callable
from importlib.metadata import EntryPoint
from pathlib import Path

import pytest

from upheld.claims import registry
from upheld.claims.registry import BUILT_IN, Docket, docket, load
from upheld.histories.errors import UsageError

COUNTER = Path(__file__).parent / "systems.py"


@pytest.fixture
def module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], Path]:
    """Writes a module of its own into a folder that nobody else looks at."""
    monkeypatch.setattr("sys.path", list(sys.path))

    def write(text: str) -> Path:
        path = tmp_path / "mine.py"
        path.write_text(text)
        return path

    return write


def ids(names: list[str]) -> list[str]:
    return [claim.id for claim in docket(names).select(names)]


def test_our_own_systems_are_there_without_being_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(registry, "entry_points", lambda group: ())
    assert [each.origin for each in docket().modules] == list(BUILT_IN)
    assert {"raft-kv", "chat"} <= docket().systems.keys()


def test_an_installed_plug_in_stands_behind_our_own(
    monkeypatch: pytest.MonkeyPatch, module: Callable[[str], Path]
) -> None:
    monkeypatch.syspath_prepend(module(COUNTER.read_text()).parent)
    monkeypatch.setattr(registry, "entry_points", lambda group: [EntryPoint("counter", "mine:SYSTEM", group)])
    assert [each.origin for each in docket().modules] == [*BUILT_IN, "mine"]


def test_no_names_mean_all_claims() -> None:
    assert docket().select() == tuple(docket().claims.values())


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        (["raft.durable"], ["raft.durable"]),
        (["chat.delivered", "raft.durable", "chat.delivered"], ["chat.delivered", "raft.durable"]),
        ([str(COUNTER)], ["counter.counts", "counter.five", "counter.arithmetic", "counter.both"]),
        (
            [str(COUNTER), "raft.durable"],
            ["counter.counts", "counter.five", "counter.arithmetic", "counter.both", "raft.durable"],
        ),
    ],
)
def test_claims_are_selected_once_and_in_the_order_of_the_names(names: list[str], expected: list[str]) -> None:
    assert ids(names) == expected


@pytest.mark.parametrize("name", ["chat", "convergence", "upheld.claims.convergence.chat"])
def test_a_system_a_chapter_and_a_module_select_their_claims(name: str) -> None:
    assert ids([name]) == [claim.id for claim in docket().claims.values() if claim.id.startswith("chat.")]


@pytest.mark.parametrize("name", ["counter", "counter.counts", str(COUNTER)])
def test_a_module_that_a_user_named_is_found_by_system_claim_and_file(name: str) -> None:
    assert "counter.counts" in {claim.id for claim in docket([str(COUNTER)]).select([name])}


def test_every_claim_knows_its_system_and_its_module() -> None:
    known = docket([str(COUNTER)])
    assert {known.system_of(claim) for claim in known.claims.values()} == {*docket().systems, "counter"}
    assert known.origin_of("counter") == known.origin_of_claim("counter.both") == str(COUNTER)
    assert known.named_by_user("counter") == str(COUNTER)
    assert not known.named_by_user("chat")


def test_a_file_is_imported_once_and_finds_its_neighbours(module: Callable[[str], Path]) -> None:
    path = module("import neighbour\nfrom neighbour import CLAIMS, SYSTEM\n")
    (path.parent / "neighbour.py").write_text(COUNTER.read_text())
    assert load(str(path)).system is load(str(path)).system


@pytest.mark.parametrize(
    ("names", "says"),
    [
        (
            ["raft.linearisable"],
            "no claim, system, chapter or module 'raft.linearisable'; did you mean raft.linearizable",
        ),
        (["raft_kv"], "did you mean raft-kv"),
        (["konsensus"], "did you mean consensus"),
        (["json"], "json: exports neither SYSTEM nor CLAIMS"),
        (["nowhere/mine.py"], "mine.py: cannot be imported: FileNotFoundError"),
        (["upheld.claims.consensus.raft", "zzz"], "no claim, system, chapter or module 'zzz'; there are "),
    ],
)
def test_what_means_nothing_is_named_with_what_is_near(names: list[str], says: str) -> None:
    with pytest.raises(UsageError, match=says.replace("(", r"\(")):
        ids(names)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("x = ", "cannot be imported: SyntaxError"),
        ("import nothing_of_that_name", "cannot be imported: ModuleNotFoundError"),
        ("raise OSError('no disk')", "cannot be imported: OSError: no disk"),
        ("", "exports neither SYSTEM nor CLAIMS"),
        ("SYSTEM = 3", "SYSTEM is a int; it should be a harness.system.System"),
        ("CLAIMS = (7,)", "7 in CLAIMS is no claims.claim.Claim"),
    ],
)
def test_a_module_that_cannot_stand_on_the_docket_says_why(module: Callable[[str], Path], text: str, says: str) -> None:
    with pytest.raises(UsageError, match=says):
        load(str(module(text)))


def test_two_modules_cannot_have_the_same_system() -> None:
    counter = load(str(COUNTER))
    with pytest.raises(UsageError, match="both have a system 'counter'"):
        Docket((counter, counter))


@pytest.mark.parametrize("ask", [Docket.system, Docket.claim])
def test_asking_for_what_is_not_there_names_what_is_near(ask: Callable[[Docket, str], object]) -> None:
    with pytest.raises(UsageError, match="did you mean"):
        ask(docket(), "chat.delivere" if ask is Docket.claim else "chatt")


@pytest.mark.parametrize("name", ["zzz", "json"])
def test_a_name_that_is_not_found_here_opens_this_folder_to_no_import(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UsageError):
        docket([name]).select([name])
    assert str(tmp_path) not in sys.path


def test_a_module_in_this_folder_is_found_by_its_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("sys.path", list(sys.path))
    (tmp_path / "a_counter_of_ours.py").write_text(COUNTER.read_text())
    assert "counter" in docket(["a_counter_of_ours"]).systems
