"""How `check` and `show` judge a history: which question is asked, and what its verdict depends on."""

from __future__ import annotations

import dataclasses
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from types import FrameType
from typing import Any, Final

import msgspec

from ..checkers.frontier import LINEARIZABLE, Hearing, Ruling, actions_of
from ..checkers.linearizability import Linearizable
from ..checkers.reads_from import Outside
from ..checkers.verdict import Refuted, Undecided, Upheld, Verdict, describe, word
from ..histories.errors import UsageError
from ..histories.event import MISSING, Kind, Missing
from ..histories.history import History
from ..histories.values import Value, identity, to_json
from ..specs.consistency import family
from ..specs.objects.registry import MODELS, guess_model
from .face import one_of

STARTS_MAX: Final = 3
"""How many other initial values are tried for a refuted history."""


@dataclass(frozen=True, kw_only=True)
class Question:
    """What is asked about a history.

    Attributes:
        model: the name of the model; None for the one that the header names, or one guessed from the actions.
        consistency: ids or families of consistency models, joined by commas; None for linearizable.
        steps_max: the budget of a search; None for the checker's own.
        timeout_s: a limit in wall time; None for none.
        assumed_initial: whether the initial value was given by the one who asks, and not by the file.
        outside: what values may be that nobody wrote; see `checkers.reads_from`.
    """

    model: str | None = None
    consistency: str | None = None
    steps_max: int | None = None
    timeout_s: float | None = None
    assumed_initial: bool = False
    outside: Outside = "nothing"

    def __post_init__(self) -> None:
        _ = self.ids
        if self.model is not None:
            one_of("--model", self.model, tuple(MODELS))

    @property
    def ids(self) -> tuple[str, ...]:
        """The consistency models that are asked about, each once."""
        names = (LINEARIZABLE if self.consistency is None else self.consistency).split(",")
        return tuple(dict.fromkeys(model for name in names for model in family(name.strip())))

    def answer(self, history: History) -> Answer:
        """The verdict on each model that is asked about; where none was named, what the history says about all of them.

        Raises:
            UsageError: the model of the object does not understand the actions of the history.
            MalformedHistory: an operation says nothing where it must.
        """
        tells_frontier = self.consistency is not None or self.model is None
        hearing = self._hearing(history)
        interrupted = self._conduct(hearing, self._hear if tells_frontier else self._ask)
        return Answer(self.ids, hearing, tells_frontier=tells_frontier, interrupted=interrupted)

    def verdict(self, history: History) -> Verdict:
        """The verdict on linearizability alone, with a note on each assumption that it hangs on; errors as `answer`."""
        hearing = self._hearing(history)
        self._conduct(hearing, self._ask)
        return hearing.ruling(LINEARIZABLE).verdict

    def _hearing(self, history: History) -> Hearing:
        return Hearing(history=history, outside=self.outside, linearizable=self._linearizable)

    def _ask(self, hearing: Hearing) -> None:
        hearing.ask(self.ids)

    def _hear(self, hearing: Hearing) -> None:
        hearing.hear(self.ids)
        if self.consistency is None:
            hearing.hear_all()

    def _conduct(self, hearing: Hearing, hear: Callable[[Hearing], None]) -> bool:
        """Hold the hearing; True when it was interrupted after all that is asked about had been decided."""
        try:
            with time_limit(self.timeout_s):
                hear(hearing)
        except TimeUp:
            self._end(hearing, f"the time limit of {self.timeout_s:g} s ran out; --timeout raises it")
        except KeyboardInterrupt:
            if not hearing.found.keys() >= set(self.ids):
                raise
            self._end(hearing, "interrupted before its judge had decided")
            return True
        return False

    def _end(self, hearing: Hearing, reason: str) -> None:
        """What the hearing has not come to is undecided."""
        for name in (*self.ids, *hearing.applicable()):
            left = Undecided(
                reason,
                checker="linearizability" if name == LINEARIZABLE else "consistency",
                operations=len(hearing.history.pairing),
                notes=hearing.history.remarks,
            )
            hearing.found.setdefault(name, left)

    def _linearizable(self, history: History) -> Verdict:
        verdict = self._decide(history)
        return dataclasses.replace(verdict, notes=(*verdict.notes, *self._dependences(history, verdict)))

    def _decide(self, history: History) -> Verdict:
        unknown = "" if self.model is not None else _unmodelled(history)
        if unknown:
            return Undecided(
                f"{unknown}. What is this history about? Say so with --model",
                checker="linearizability",
                operations=len(history.pairing),
                notes=history.remarks,
            )
        return Linearizable(self.model, steps_max=self.steps_max).check(history)

    def _dependences(self, history: History, verdict: Verdict) -> Iterator[str]:
        """Which initial value would turn the verdict round: each is tried, and told only if it does."""
        if isinstance(verdict, Undecided):
            return
        for told, initial in self._other_starts(history, verdict):
            if self._turns(verdict, history, initial):
                yield f"this depends on how objects start: {told} the verdict would be {_opposite(verdict)}"

    def _other_starts(self, history: History, verdict: Verdict) -> Iterator[tuple[str, Value | Missing]]:
        if self.assumed_initial:
            yield "without --initial", MISSING
        elif isinstance(verdict, Refuted) and isinstance(history.header.initial, Missing):
            for value in _possible_starts(verdict)[:STARTS_MAX]:
                yield f"with --initial {to_json(value)}", value

    def _turns(self, verdict: Verdict, history: History, initial: Value | Missing) -> bool:
        """Whether the verdict is the opposite from another start; the small core of an anomaly is asked first."""
        core = verdict.anomaly.history if isinstance(verdict, Refuted) else None
        parts = [history] if core is None else [core, history]
        return all(word(self._decide(_starting(part, initial))) == _opposite(verdict) for part in parts)


@dataclass(frozen=True)
class Answer:
    """What was found about the models that were asked about, and about the others.

    Attributes:
        ids: the models that were asked about.
        hearing: what all judges said.
        tells_frontier: whether what follows for the others belongs to the answer.
        interrupted: whether somebody stopped the hearing; what was asked about had been answered by then.
    """

    ids: tuple[str, ...]
    hearing: Hearing
    tells_frontier: bool
    interrupted: bool = False

    @property
    def rulings(self) -> list[Ruling]:
        """One for each model that was asked about."""
        return [self.hearing.ruling(name) for name in self.ids]

    def told(self) -> dict[str, Any]:
        """The answer as JSON."""
        verdicts = [{**describe(ruling.verdict), "implied_by": ruling.implied_by} for ruling in self.rulings]
        return {"verdicts": verdicts, "frontier": self._frontier() if self.tells_frontier else None}

    def _frontier(self) -> dict[str, Any]:
        """The frontier as JSON, with the notes on its verdicts that no verdict of the answer has, too."""
        found, heard = self.hearing.frontier(), self.hearing.found
        beyond = [heard[name] for name in (*found.refuted, *found.upheld) if name not in self.ids]
        notes = dict.fromkeys(note for verdict in beyond for note in verdict.notes)
        told = {note for ruling in self.rulings for note in ruling.verdict.notes}
        return {
            "refuted": list(found.refuted),
            "upheld": list(found.upheld),
            "bounds": self.hearing.bounds(),
            "undecided": self.hearing.undecided(),
            "notes": [note for note in notes if note not in told],
        }


def _unmodelled(history: History) -> str:
    """Why nobody can tell which model of an object this history is about; "" when its header or its actions tell."""
    named = history.header.model
    if named is None:
        try:
            guess_model(history)
        except UsageError as error:
            return f"no model was named, and {error}"
        return ""
    if named not in MODELS:
        return f"the header names the model {named}, and there are {', '.join(MODELS)}"
    strange = sorted(actions_of(history) - MODELS[named].actions)
    return f"the header names the model {named}, which does not have {', '.join(strange)}" if strange else ""


def _opposite(verdict: Verdict) -> str:
    return "refuted" if isinstance(verdict, Upheld) else "upheld"


def _starting(history: History, initial: Value | Missing) -> History:
    """The same events, with objects that hold this at first."""
    header = msgspec.structs.replace(history.header, initial=initial)
    return History(history.columns, header=header, notes=history.notes, path=history.path, lines=history.lines)


def _possible_starts(verdict: Refuted) -> list[Value]:
    """What the operations of the anomaly saw, or found there to replace: one of it may have been there at first."""
    seen: dict[Any, Value] = {}
    for operation in verdict.anomaly.operations:
        if operation.outcome is not Kind.OK:
            continue
        if not isinstance(operation.result, bool | Missing) and operation.result is not None:
            seen.setdefault(identity(operation.result), operation.result)
        if operation.action == "cas" and isinstance(operation.argument, tuple) and operation.argument:
            seen.setdefault(identity(operation.argument[0]), operation.argument[0])
    return list(seen.values())


class TimeUp(Exception):
    """The limit in wall time was reached."""


@contextmanager
def time_limit(limit_s: float | None) -> Iterator[None]:
    """Raise `TimeUp` inside the block when it takes longer; native searches are interrupted, too.

    Raises:
        UsageError: this platform, or this thread, has no alarm clock.
    """
    if limit_s is None:
        yield
        return
    if not hasattr(signal, "setitimer") or threading.current_thread() is not threading.main_thread():
        raise UsageError("--timeout needs a Unix system and the main thread; limit the search with --steps")

    def ring(_number: int, _frame: FrameType | None) -> None:
        raise TimeUp

    before = signal.signal(signal.SIGALRM, ring)
    signal.setitimer(signal.ITIMER_REAL, limit_s)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
