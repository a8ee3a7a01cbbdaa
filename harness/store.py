"""Where runs are kept: `<root>/<system>/<run>/` with plan.json, history.jsonl, trace.jsonl and verdicts.json.

Files hold no timings, so the same run gives the same bytes. Everything is written at once or not at all, except the
history of a run in progress: that one grows line by line in a folder of its own (`running-<process>-<worker>`), so that
it is there when the process is killed.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from io import RawIOBase
from pathlib import Path
from typing import Any

import msgspec

from ..histories.codecs import jsonl, trace
from ..histories.errors import UsageError
from ..histories.event import Event, Kind, Process
from ..histories.history import HistoryBuilder
from .plan import Plan, read_plan, write_plan
from .trial import Run, header_of


class Kept(msgspec.Struct, frozen=True, kw_only=True):
    """One run in the store, as a list shows it.

    Attributes:
        system, run: the names of its folders.
        folder: where it is.
        variant, mutants, seed: from its plan.
        operations, faults: the size of its plan.
        verdicts: by claim, the word; empty for a run that was killed.
        anomalies: by claim, the kind; only those that have one.
        is_running: the folder of a run in progress, or of one that was killed.
    """

    system: str
    run: str
    folder: Path
    variant: str
    mutants: tuple[str, ...]
    seed: int
    operations: int
    faults: int
    verdicts: dict[str, str]
    anomalies: dict[str, str]
    is_running: bool


@dataclass(frozen=True)
class Store:
    """A folder of runs; `root` is made when the first run is kept."""

    root: Path

    def keep(self, name: str, run: Run, verdicts: Sequence[dict[str, Any]]) -> Path:
        """Keep a run under that name, in place of an older one, and let `latest` link to it; answers its folder.

        Args:
            name: of the folder; the system's name is put before it.
            run: with the plan that is written beside its evidence.
            verdicts: one object per claim, with `claim` and what `checkers.verdict.describe` tells.
        """
        folder = self.root.absolute() / run.plan.system / name
        folder.mkdir(parents=True, exist_ok=True)
        write_atomically(folder / "plan.json", write_plan(run.plan))
        write_atomically(folder / "history.jsonl", b"".join(jsonl.write(run.evidence.history)))
        write_atomically(folder / "trace.jsonl", b"".join(trace.write(run.evidence.trace)))
        write_atomically(folder / "verdicts.json", msgspec.json.format(msgspec.json.encode(verdicts)) + b"\n")
        self._link_latest(folder)
        return folder

    def runs(self) -> list[Kept]:
        """Every run in the store, by system and name.

        Raises:
            UsageError: a plan in it cannot be read.
        """
        return [_kept(path.parent) for path in sorted(self.root.absolute().glob("*/*/plan.json"))]

    def find(self, name: str) -> Path:
        """The folder of a run by its name, `<run>` or `<system>/<run>`, or `latest`.

        Raises:
            UsageError: there is none, or more than one.
        """
        found = [kept.folder for kept in self.runs() if name in {kept.run, f"{kept.system}/{kept.run}"}]
        latest = self.root / "latest"
        if name == "latest" and latest.is_dir():
            found = [latest.resolve()]
        if len(found) != 1:
            problem = "holds no run" if not found else "holds several runs"
            raise UsageError(f"{self.root} {problem} {name!r}; `upheld runs` lists them")
        return found[0]

    @contextmanager
    def stream(self, plan: Plan) -> Iterator[HistoryBuilder]:
        """Collects the events of a run in progress, and writes each at once into this process's folder of such runs."""
        folder = self.root.absolute() / plan.system / f"{_running(os.getppid())}{os.getpid()}"
        folder.mkdir(parents=True, exist_ok=True)
        write_atomically(folder / "plan.json", write_plan(plan))
        begun = folder / ".history.jsonl"
        with begun.open("wb", buffering=0) as file:
            file.write(jsonl.encode_header(header_of(plan)))
            begun.replace(folder / "history.jsonl")  # the last run's stays readable until this one has begun
            yield _Stream(file)

    def _link_latest(self, folder: Path) -> None:
        link = self.root.absolute() / "latest"
        fresh = link.with_name(f".latest-{os.getpid()}")
        fresh.unlink(missing_ok=True)
        fresh.symlink_to(folder.relative_to(link.parent), target_is_directory=True)
        fresh.replace(link)


class _Stream(HistoryBuilder):
    """A builder that also writes each event as a line, with one call to the system."""

    def __init__(self, file: RawIOBase) -> None:
        super().__init__()
        self._file = file

    def add(self, process: Process, kind: Kind, action: str, **told: Any) -> int:
        """Append one event, and write it."""
        self._file.write(jsonl.encode_event(Event(process=process, kind=kind, action=action, **told)))
        return super().add(process, kind, action, **told)


def write_atomically(path: Path, content: bytes) -> None:
    """Write a file so that it is there in full, or as it was before."""
    handle, fresh = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}-")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
        Path(fresh).replace(path)
    except BaseException:
        Path(fresh).unlink(missing_ok=True)
        raise


def clear_running(store: Store) -> None:
    """Remove the folders of runs that this process, or workers of it, had in progress."""
    root, process = store.root.absolute(), os.getpid()
    for folder in sorted({*root.glob(f"*/{_running(process)}*"), *root.glob(f"*/running-*-{process}")}):
        shutil.rmtree(folder)


def _running(process: int) -> str:
    return f"running-{process}-"


def _kept(folder: Path) -> Kept:
    plan = read_plan(folder / "plan.json")
    judged: list[dict[str, Any]] = []
    if (folder / "verdicts.json").is_file():
        judged = msgspec.json.decode((folder / "verdicts.json").read_bytes())
    return Kept(
        system=folder.parent.name,
        run=folder.name,
        folder=folder,
        variant=plan.variant,
        mutants=plan.mutants,
        seed=plan.seed,
        operations=plan.size[0],
        faults=plan.size[1],
        verdicts={told["claim"]: told["verdict"] for told in judged},
        anomalies={told["claim"]: told["anomaly"]["kind"] for told in judged if told["anomaly"]},
        is_running=folder.name.startswith("running-"),
    )
