"""`upheld show`: a run or a history as a timeline, with the operations of its anomaly marked."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ..histories.errors import UsageError
from .face import Face
from .options import STORE, FormatOption, LenientOption, StoreOption
from .reading import Reading
from .status import Status

if TYPE_CHECKING:
    from rich.console import RenderableType

    from ..histories.history import History
    from ..histories.trace import Note
    from ..reports.timeline import View


def show(
    face: Face,
    subject: Annotated[
        str, typer.Argument(metavar="RUN-or-HISTORY", help="A file, a run's folder or name, or latest.")
    ],
    *,
    process: Annotated[list[str] | None, typer.Option(help="Only this process or session; may be repeated.")] = None,
    key: Annotated[str | None, typer.Option(help="Only operations on this key.")] = None,
    around: Annotated[int | None, typer.Option(min=0, metavar="N", help="Only what is near event N.")] = None,
    model: Annotated[str | None, typer.Option("--model", metavar="M", help="What a history is about.")] = None,
    format: FormatOption = None,
    lenient: LenientOption = False,
    store: StoreOption = STORE,
) -> Status:
    """Draw a history: processes as columns, faults across them, the operations of the anomaly in heavy lines."""
    from ..reports.timeline import View

    reading = Reading(format=format, lenient=lenient)
    with face.progress(f"looking at {subject}"):
        exhibit = find(subject, store, reading, model)
    view = View(processes=tuple(process or ()), key=key, around=around)
    face.show(lambda: _drawn(exhibit, view))
    face.tell(exhibit.told())
    return Status.UPHELD


@dataclass(frozen=True, kw_only=True)
class Exhibit:
    """A history, and what was found about it.

    Attributes:
        path: its file.
        history: what is drawn.
        verdicts: as `checkers.verdict.describe` tells them; those of a run name their claim, too.
    """

    path: str
    history: History
    verdicts: Sequence[dict[str, Any]]

    @property
    def marked(self) -> frozenset[int]:
        """The operations of all anomalies, by the indices of their invocations."""
        found = [told["anomaly"]["operations"] for told in self.verdicts if told["anomaly"]]
        return frozenset(index for operations in found for index in operations)

    @property
    def facts(self) -> list[Note]:
        """The notes of the trace that the anomalies are about."""
        from ..histories.trace import Note

        found = [told["anomaly"].get("facts", []) for told in self.verdicts if told["anomaly"]]
        return [Note(time, node, kind, tuple(facts)) for notes in found for time, node, kind, facts in notes]

    def told(self) -> dict[str, Any]:
        """The exhibit as JSON."""
        from ..histories.codecs.jsonl import encode_event

        return {
            "path": self.path,
            "events": [{"index": event.index, **json.loads(encode_event(event))} for event in self.history],
            "marked": sorted(self.marked),
            "verdicts": list(self.verdicts),
        }


def find(subject: str, store: Path, reading: Reading, model: str | None) -> Exhibit:
    """The exhibit that is meant: a file, the folder of a run, or the name of one in the store.

    Raises:
        UsageError: there is nothing of that name.
    """
    if subject == "-" or Path(subject).is_file():
        return _judged(subject, reading, model)
    folder = Path(subject)
    if not (folder / "history.jsonl").is_file():
        folder = _in_store(subject, store)
    verdicts = folder / "verdicts.json"
    path = str(folder / "history.jsonl")
    if not verdicts.is_file():  # a run that was killed
        return _judged(path, reading, model)
    return Exhibit(path=path, history=reading.read(path), verdicts=json.loads(verdicts.read_bytes()))


def _in_store(name: str, store: Path) -> Path:
    from ..harness.store import Store

    try:
        return Store(store).find(name)
    except UsageError as error:
        raise UsageError(f"{name}: there is no such file, and {error}") from error


def _judged(path: str, reading: Reading, model: str | None) -> Exhibit:
    from ..checkers.verdict import describe
    from .judging import Question

    history = reading.read(path)
    return Exhibit(path=path, history=history, verdicts=[describe(Question(model=model).verdict(history))])


def _drawn(exhibit: Exhibit, view: View) -> RenderableType:
    from rich.console import Group
    from rich.text import Text

    from ..reports.story import told
    from ..reports.timeline import timeline
    from ..reports.words import tally

    words = [verdict["verdict"] for verdict in exhibit.verdicts]
    stories = [
        told(verdict.get("claim", exhibit.path), verdict)
        for verdict in exhibit.verdicts
        if verdict["verdict"] != "upheld"
    ]
    drawing = timeline(exhibit.history, marked=exhibit.marked, facts=exhibit.facts, view=view)
    return Group(drawing, Text(), *stories, Text(f"{exhibit.path}: {tally(words)}", style="bold"))
