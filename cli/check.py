"""`upheld check`: verdicts for recorded histories."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ..histories.errors import UpheldError
from .face import Face
from .options import (
    UNKNOWN,
    ExcerptOption,
    FailedCasOption,
    FormatOption,
    InitialOption,
    LenientOption,
    NilReadOption,
    seconds,
)
from .reading import Reading, files
from .status import Status, gravest, status_of

if TYPE_CHECKING:
    from rich.console import RenderableType

    from ..checkers.reads_from import Outside
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
        str | None,
        typer.Option("--consistency", metavar="C,...", help="What is asked: ids, or families such as causal."),
    ] = None,
    format: FormatOption = None,
    steps: Annotated[int | None, typer.Option(min=1, metavar="N", help="Steps of a search, at most.")] = None,
    timeout: Annotated[str | None, typer.Option(metavar="S", help="Wall time for each history, at most.")] = None,
    lenient: LenientOption = False,
    initial: InitialOption = None,
    excerpt: ExcerptOption = False,
    failed_cas: FailedCasOption = "drop",
    nil_read: NilReadOption = "absent",
) -> Status:
    """Judge recorded histories.

    With neither --model nor --consistency it says what it can tell, from the header of a history or from its actions:
    whether it is linearizable, and which consistency models it refutes and upholds. The exit status is about the former.
    """
    from .judging import Question

    known = None if initial == UNKNOWN else initial
    outside: Outside = "anything" if excerpt else "start" if initial == UNKNOWN else "nothing"
    question = Question(
        model=model,
        consistency=consistency,
        steps_max=steps,
        timeout_s=seconds(timeout, "--timeout"),
        assumed_initial=known is not None,
        outside=outside,
    )
    reading = Reading(format=format, lenient=lenient, initial=known, failed_cas=failed_cas, nil_read=nil_read)
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
        """Read, judge, keep the verdicts, and only then show them."""
        try:
            answer = self.question.answer(self.reading.read(path))
            told = answer.told()
        except UpheldError as error:
            self.refuse(path, error)
            return
        except KeyboardInterrupt:
            self.interrupted = True
            return
        self.interrupted = answer.interrupted
        self.judged.append({"path": path, **told})
        self.face.show(lambda: _story(path, told))

    def refuse(self, path: str, error: UpheldError) -> None:
        """This one is no history, or the question makes no sense for it."""
        message = str(error) if path in str(error) else f"{path}: {error}"
        self.errors.append({"path": path, "error": message})
        self.face.complain(message)

    def end(self) -> Status:
        """Say what came of all of them."""
        from ..checkers.verdict import worst
        from ..reports.story import conclusion

        words = [worst(verdict["verdict"] for verdict in judged["verdicts"]) for judged in self.judged]
        if words or self.done != 1:
            self.face.show(lambda: conclusion(words, len(self.errors), interrupted=self.interrupted))
        self.face.tell({"verdict": worst(words), "histories": self.judged, "errors": self.errors})
        statuses = [status_of(word) for word in words]
        statuses += [Status.MISUSE] if self.errors else []
        statuses += [Status.INTERRUPTED] if self.interrupted else []
        return gravest(statuses)


def _story(path: str, answer: dict[str, Any]) -> RenderableType:
    from rich.console import Group

    from ..reports.lattice import standing
    from ..reports.story import told

    verdicts, frontier = answer["verdicts"], answer["frontier"]
    asked = [verdict["consistency"] for verdict in verdicts]
    beyond = standing(frontier, asked) if frontier else None
    shown = (_shown(verdict, verdicts[:place], asked) for place, verdict in enumerate(verdicts))
    return Group(*(told(path, verdict) for verdict in shown), *([beyond] if beyond else []))


def _shown(verdict: dict[str, Any], before: list[dict[str, Any]], asked: list[str]) -> dict[str, Any]:
    """Without what the verdict that it follows from says beside it, and without a story that was told before."""
    if verdict["implied_by"] in asked:
        return {**verdict, "anomaly": None, "notes": []}
    anomaly = verdict["anomaly"]
    same = next((other["consistency"] for other in before if anomaly and other["anomaly"] == anomaly), "")
    return {**verdict, "anomaly": {**anomaly, "story": [f"the anomaly is that of {same}"]}} if same else verdict
