"""The question and its verdict: is this history linearizable?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, Literal

import numpy as np

from ...histories.event import Missing
from ...histories.history import History
from ...histories.values import to_json
from ...specs.model import Model, model_name, started
from ...specs.objects.registry import guess_model, model_named
from ..verdict import Refuted, Undecided, Upheld, Verdict, word
from .engine import Engine, budget, engine_for
from .explain import explain
from .prepare import Case, judged, prepare
from .search import Found
from .witness import Witness


class Linearizable:
    """Whether all clients could have used one object, one operation at a time, each at some moment while it was open.

    Args:
        model: what the object does: a model, the name of a shipped one, or None for the one that the header of the
            history names, or else for one that is guessed from its actions (the verdict says so).
        steps_max: how many configurations may be looked at for each shard; by default ten million, or eight times the
            number of its operations where that is more.
        engine: `native` or `pure`; None for whichever serves.

    The verdict is Upheld with a `Witness`; Refuted with the smallest part that cannot be, the first impossible event, and
    a story; or Undecided, saying how far the history is verified.
    """

    def __init__(
        self,
        model: Model[Any] | str | None = None,
        *,
        steps_max: int | None = None,
        engine: Literal["native", "pure"] | None = None,
    ) -> None:
        self.model: Model[Any] | None = model_named(model) if isinstance(model, str) else model
        self.steps_max, self.engine = steps_max, engine

    def check(self, history: History, /) -> Verdict:
        """The verdict; the same for the same history, everywhere.

        Raises:
            UsageError: an action that the model does not have, a model that does not exist, an engine that is not there.
            MalformedHistory: it is no history, or an operation of it says nothing where it must.
        """
        if not history.header.tells_real_time:
            return Undecided(
                "not applicable: the times come from several clocks of unknown error, so nobody knows what came first. "
                "Say in the header how far the clocks may be apart (clock_error_ns)",
                checker="linearizability",
                operations=len(history.pairing),
                notes=history.remarks,
            )
        model, notes = self._model_for(history)
        verdict = self._judge(judged(history), model, (*history.remarks, *notes))
        return replace(verdict, notes=(*verdict.notes, *self._other_reading(history, model, verdict)))

    def _judge(self, history: History, model: Model[Any], notes: tuple[str, ...]) -> Verdict:
        case = prepare(history, started(model, history))
        engine = engine_for(case, self.engine)
        found = engine.search(case.shards, steps_max=self.steps_max)
        return _Judgement(history, case, found, notes).verdict(engine, self.steps_max)

    def _other_reading(self, history: History, model: Model[Any], verdict: Verdict) -> tuple[str, ...]:
        """What the verdict would be if reads of null were understood the other way, where it would be another."""
        nil_reads = history.nil_reads
        unknown = history.header.nil_read == "unknown"
        if not nil_reads or isinstance(verdict, Undecided if unknown else Upheld):
            return ()
        other = self._judge(history if unknown else history.without(nil_reads), model, ())
        if type(other) is type(verdict):
            return ()
        seen = "nothing in particular" if unknown else "absence"
        return (f"reads of null are taken to have seen {seen}; taken the other way the verdict is {word(other)}",)

    def _model_for(self, history: History) -> tuple[Model[Any], tuple[str, ...]]:
        named, initial = history.header.model, history.header.initial
        if self.model is None and named is None:
            guess = guess_model(history)
            return guess.model, (guess.note,)
        model = model_named(named or "") if self.model is None else self.model
        notes = []
        if named is not None and named != model_name(model):
            notes.append(f"the header names the model {named}, and it was held against {model_name(model)}")
        if not isinstance(initial, Missing) and not hasattr(model, "starting"):
            notes.append(f"the header says that objects start as {to_json(initial)}; the model says how they do")
        return model, tuple(notes)


def check_linearizability(history: History, model: Model[Any] | str | None = None, **options: Any) -> Verdict:
    """The verdict of `Linearizable(model, **options)` on this history."""
    return Linearizable(model, **options).check(history)


class _Judgement:
    """What was found for each shard, on its way to one verdict."""

    def __init__(self, history: History, case: Case, found: Sequence[Found], notes: tuple[str, ...]) -> None:
        self.history, self.case, self.found = history, case, found
        self.common: dict[str, Any] = {
            "checker": "linearizability",
            "model": model_name(case.model),
            "method": "search",
            "operations": sum(len(shard) for shard in case.shards),
            "notes": notes,
        }

    def verdict(self, engine: Engine, steps_max: int | None) -> Verdict:
        """One shard that is refuted refutes; else one that is undecided leaves it open."""
        if any(each.refuted for each in self.found):
            explanation = explain(self.history, self.case, self.found, engine)
            evidence = self.counted(first_impossible_event=explanation.event, left_out=explanation.left_out)
            return Refuted(explanation.anomaly, **self.common, evidence=evidence)
        if not all(each.decided for each in self.found):
            return self.undecided(steps_max)
        return Upheld(**self.common, evidence=self.counted(), witness=self.witness())

    def counted(self, **more: Any) -> dict[str, Any]:
        """How many of what the verdict rests on."""
        return {
            "shards": len(self.case.shards),
            "pending": sum(shard.pending for shard in self.case.shards),
            "failed": self.case.failed,
            "steps": sum(each.steps for each in self.found),
            **more,
        }

    def undecided(self, steps_max: int | None) -> Undecided:
        """What ran out, and how far all shards are verified."""
        _, at, stuck = min(
            (int(shard.ended[each.stuck]), at, each.stuck)
            for at, (shard, each) in enumerate(zip(self.case.shards, self.found, strict=True))
            if each.stuck is not None
        )
        shard = self.case.shards[at]
        begun = int(shard.invocation[stuck])
        operation = next(each for each in self.history.operations if each.invocation == begun)
        where = f" of {to_json(shard.name)}" if len(self.case.shards) > 1 else ""
        reason = (
            f"the steps ran out: {budget(shard, steps_max)} configurations{where} were looked at; the history is verified "
            f"up to event {operation.completion}, at which {operation} completes"
        )
        return Undecided(reason, **self.common, evidence=self.counted(verified_before=operation.completion))

    def witness(self) -> Witness:
        """The orders that were found."""
        return Witness(
            self.history,
            [
                (shard.name, shard.invocation[np.asarray(each.order, dtype=np.int64)])
                for shard, each in zip(self.case.shards, self.found, strict=True)
            ],
        )
