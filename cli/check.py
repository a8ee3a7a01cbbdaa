"""`upheld check`: verdicts for recorded histories."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ..histories.errors import UpheldError
from .face import Face
from .options import FailedCasOption, FormatOption, InitialOption, LenientOption, NilReadOption, seconds
from .reading import Reading, files
from .status import Status, gravest, status_of

if TYPE_CHECKING:
    from rich.text import Text

    from .judging import Question


def check(
    face: Face,
    histories: Annotated[
        list[str], typer.Argument(metavar="HISTORY", help="Files, directories, or - for standard input.")
    ],
    *,
    model: Annotated[
        str | None, typer.Option("--model", metavar="M", help="What the history is about; `upheld list models`.")
    ] = None,
    consistency: Annotated[
        str | None, typer.Option("--consistency", metavar="C,...", help="What is asked; linearizable by default.")
    ] = None,
    format: FormatOption = None,
    steps: Annotated[int | None, typer.Option(min=1, metavar="N", help="Steps of a search, at most.")] = None,
    timeout: Annotated[str | None, typer.Option(metavar="S", help="Wall time for each history, at most.")] = None,
    lenient: LenientOption = False,
    initial: InitialOption = None,
    failed_cas: FailedCasOption = "drop",
    nil_read: NilReadOption = "absent",
) -> Status:
    """Judge recorded histories.

    With neither --model nor --consistency it says what it can tell: from the header of a history, or from its actions.
    """
    from .judging import Question

    question = Question(
        model=model,
        consistency=consistency,
        steps_max=steps,
        timeout_s=seconds(timeout, "--timeout"),
        assumed_initial=initial is not None,
    )
    reading = Reading(format=format, lenient=lenient, initial=initial, failed_cas=failed_cas, nil_read=nil_read)
    session = _Session(face, reading, question)
    with face.progress("checking") as line:
        for path in session.paths(histories):
            line.told = f"checking {path} ({session.done + 1})"
            session.judge(path)
    return session.end()


@dataclass
class _Session:
    """Many histories, judged one after the other; what one of them lacks is no reason to leave the others."""

    face: Face
    reading: Reading
    question: Question
    judged: list[dict[str, Any]] = field(default_factory=list)
    errors: list[dict[str, Any]] = field(default_factory=list)
    interrupted: bool = False

    @property
    def done(self) -> int:
        """How many have been looked at."""
        return len(self.judged) + len(self.errors)

    def paths(self, names: Sequence[str]) -> Iterator[str]:
        """Every history that these names mean, until somebody interrupts."""
        for name in names:
            try:
                found = files(name)
            except UpheldError as error:
                self.refuse(name, error)
                continue
            for path in found:
                if self.interrupted:
                    return
                yield path

    def judge(self, path: str) -> None:
        """Read, judge, keep the verdict, and only then show it."""
        from ..checkers.verdict import describe

        try:
            verdict = describe(self.question.verdict(self.reading.read(path)))
        except UpheldError as error:
            self.refuse(path, error)
            return
        except KeyboardInterrupt:
            self.interrupted = True
            return
        self.judged.append({"path": path, "verdicts": [verdict]})
        self.face.show(lambda: _story(path, verdict))

    def refuse(self, path: str, error: UpheldError) -> None:
        """This one is no history, or the question makes no sense for it."""
        message = str(error) if path in str(error) else f"{path}: {error}"
        self.errors.append({"path": path, "error": message})
        self.face.complain(message)

    def end(self) -> Status:
        """Say what came of all of them."""
        from ..checkers.verdict import worst
        from ..reports.story import conclusion

        words = [verdict["verdict"] for judged in self.judged for verdict in judged["verdicts"]]
        if words or self.done != 1:
            self.face.show(lambda: conclusion(words, len(self.errors), interrupted=self.interrupted))
        self.face.tell({"verdict": worst(words), "histories": self.judged, "errors": self.errors})
        statuses = [status_of(word) for word in words]
        statuses += [Status.MISUSE] if self.errors else []
        statuses += [Status.INTERRUPTED] if self.interrupted else []
        return gravest(statuses)


def _story(path: str, verdict: dict[str, Any]) -> Text:
    from ..reports.story import told

    return told(path, verdict)
